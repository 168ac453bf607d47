package ledger

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/wallet"
)

// Where the records of a view are: its own, those of its transactions by txid,
// and those of its scripts.
const (
	RecView    = "view"
	RecTx      = "tx/"
	RecScripts = "scripts/"
)

// viewRecord is what a restart needs besides the transactions.
type viewRecord struct {
	Birthday int32           `cbor:"1,keyasint"`
	Blocks   []port.BlockRef `cbor:"2,keyasint"`
	Used     []uint32        `cbor:"3,keyasint"`
	Rescan   int32           `cbor:"4,keyasint"`
	// Late is what must be looked for in old blocks, by branch; one that was
	// begun begins again after a restart.
	Late     []Span `cbor:"8,keyasint,omitempty"`
	LookNext int64  `cbor:"9,keyasint,omitempty"`
}

// viewTxRecord is one transaction of interest, as stored.
type viewTxRecord struct {
	Raw   []byte        `cbor:"1,keyasint"`
	Block port.BlockRef `cbor:"2,keyasint"`
	Seen  bool          `cbor:"3,keyasint"`
}

// Record returns the record of the view, less its transactions and scripts.
func (v View) Record() ([]byte, error) {
	rec := viewRecord{Birthday: v.birthday, Blocks: v.blocks, Used: v.used[:], Rescan: v.rescan, LookNext: v.lookNext}
	if len(v.Incomplete()) > 0 {
		for branch := range v.late {
			rec.Late = append(rec.Late, v.late[branch].Join(v.looking[branch]))
		}
	}
	out, err := record.Encode(rec)
	if err != nil {
		return nil, fmt.Errorf("encode chain view: %w", err)
	}
	return out, nil
}

// Record returns the record of a transaction.
func (t ViewTx) Record() ([]byte, error) {
	var b bytes.Buffer
	if err := t.Tx.Serialize(&b); err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	out, err := record.Encode(viewTxRecord{b.Bytes(), t.Block, t.Seen})
	if err != nil {
		return nil, fmt.Errorf("encode transaction: %w", err)
	}
	return out, nil
}

// Restore reads the records of a view, for a wallet with this descriptor.
func Restore(recs map[string][]byte, d *wallet.Descriptor) (View, error) {
	var rec viewRecord
	if err := record.Decode(recs[RecView], &rec); err != nil {
		return View{}, fmt.Errorf("read chain view: %w", err)
	}
	v := View{birthday: rec.Birthday, blocks: rec.Blocks, rescan: rec.Rescan, lookNext: rec.LookNext}
	copy(v.used[:], rec.Used)
	copy(v.late[:], rec.Late)
	v = v.restoreScripts(recs)
	was := v.watched
	v, _, err := v.Watch(d)
	if err != nil {
		return View{}, err
	}
	if len(v.blocks) > 0 {
		// An earlier version watched fewer.
		for branch := range v.late {
			v.late[branch] = v.late[branch].Join(Span{From: was[branch], Until: v.watched[branch]})
		}
	}
	if n := len(v.blocks); n > 0 {
		v.tip = v.blocks[n-1]
	}
	var txs []record.Pair[ViewTx]
	var outs []record.Pair[ViewOut]
	var spends []record.Pair[chainhash.Hash]
	var places []record.Pair[bool]
	for name, raw := range recs {
		if !strings.HasPrefix(name, RecTx) {
			continue
		}
		var r viewTxRecord
		tx := &wire.MsgTx{}
		if err := record.Decode(raw, &r); err != nil {
			return View{}, fmt.Errorf("read chain view: %w", err)
		}
		if err := tx.Deserialize(bytes.NewReader(r.Raw)); err != nil {
			return View{}, fmt.Errorf("read chain view: %w", err)
		}
		id := tx.TxHash()
		if r.Block.Height > v.tip.Height {
			// Stored before the block itself was: the stream shows it again, if it
			// is still in the chain.
			if isCoinbase(tx) {
				continue
			}
			r.Block, r.Seen = port.BlockRef{}, false
		}
		txs = append(txs, record.Pair[ViewTx]{K: id[:], V: ViewTx{Tx: tx, Block: r.Block, Seen: r.Seen}})
		places = append(places, record.Pair[bool]{K: []byte(historyPlace(r.Block.Height, id)), V: true})
		for _, o := range v.Outputs(tx, id) {
			v.sieve.add(coinMark(o.OutPoint))
			outs = append(outs, record.Pair[ViewOut]{K: []byte(mapkey.Coin(o.OutPoint)), V: o})
		}
		for _, i := range tx.TxIn {
			v.sieve.add(coinMark(i.PreviousOutPoint))
			spends = append(spends, record.Pair[chainhash.Hash]{K: []byte(mapkey.CoinTx(i.PreviousOutPoint, id)), V: id})
		}
	}
	record.Undump(&v.txs, txs)
	record.Undump(&v.outs, outs)
	record.Undump(&v.spends, spends)
	record.Undump(&v.places, places)
	v.unspent = v.outs
	for _, o := range outs {
		v = v.recount(o.V.OutPoint)
	}
	return v, nil
}
