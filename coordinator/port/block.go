package port

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// BlockRef names a block of the best chain.
type BlockRef struct {
	Height int32          `cbor:"1,keyasint"`
	Hash   chainhash.Hash `cbor:"2,keyasint"`
	// Time is the header's, MedianTime that of BIP113, in Unix seconds.
	Time       int64 `cbor:"3,keyasint"`
	MedianTime int64 `cbor:"4,keyasint"`
}

// NoticeKind says what a ChainNotice tells.
type NoticeKind uint8

// The kinds of notices.
const (
	// Connected: Block extends the best chain; Txs holds all its transactions,
	// or none of them where the backend knows that none is of interest.
	Connected NoticeKind = iota + 1
	// Disconnected: Block left the best chain.
	Disconnected
	// Rescanned: Block (in the best chain, streamed before) again, with Txs.
	Rescanned
	// Seen: Txs are in the backend's mempool.
	Seen
	// CaughtUp: all blocks up to the tip at this moment have been streamed.
	CaughtUp
	// Unseen: TxIDs, which were Seen or Expected, are in the backend's mempool no
	// more and in no block streamed, for long enough that it is no passing state of
	// the backend. One without a mempool never says so.
	Unseen
)

// ChainNotice is one change of the chain.
type ChainNotice struct {
	Kind  NoticeKind
	Block BlockRef
	Prev  chainhash.Hash
	Txs   []*wire.MsgTx
	// Watches is, of CaughtUp, how many calls of Watch on this follower it covers.
	Watches uint64
	// TxIDs is of Unseen.
	TxIDs []chainhash.Hash
}

// ChainHealth is the state of a chain backend, for people.
type ChainHealth struct {
	Backend string
	Height  int32
	Target  int32
	Synced  bool
	// Problem is empty when all is well; Since is when it began.
	Problem string
	Since   time.Time
	// Note is worth knowing and no problem.
	Note string
	// Peers is how many Bitcoin nodes it is connected to, where it connects to several.
	Peers int
	// Policy is what its mempool takes, as far as it is known.
	Policy Policy
	// Blind says that the backend sees no transaction before it is in a block.
	Blind bool
	// While it fetches headers: which kind, how far it is, how many come in a
	// second and how long the rest will take (0 where that is not known).
	Stage       string
	StageHeight int32
	Rate        float64
	Left        time.Duration
}

// Follow is what Chain.Follow is asked for.
type Follow struct {
	Known   []BlockRef
	From    int32
	Scripts [][]byte
}

// Watch is what Follower.Watch is asked for.
type Watch struct {
	Scripts [][]byte
	From    int32
}
