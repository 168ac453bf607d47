package port

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/journal"
)

// Notice is one change, for the event stream. Only ids: no amounts, no addresses.
type Notice struct {
	Type     string // wallet, proposal, entry, chain, peer, alarm, more
	Group    journal.GroupID
	Proposal journal.EntryID
	TxID     chainhash.Hash
	Status   string // of a proposal or a wallet; of an alarm that stays, its kind
	Height   int32
	Detail   string
	// Time is when it happened; By the member whose entries caused it, or zero.
	Time time.Time
	By   journal.Author
}

// NoticeAlarm is the Type of notices that are kept apart from all others.
const NoticeAlarm = "alarm"

// NoticeRecord is a notice as the outbox keeps it: the store does not look into it.
type NoticeRecord struct {
	// Alarm: it is kept apart, so that no number of others drops it.
	Alarm bool
	// At is when it happened, in Unix milliseconds.
	At   int64
	Data []byte
}

// NumberedNotice is a notice of the outbox with its number.
type NumberedNotice struct {
	Number uint64
	NoticeRecord
}

// Notices is a part of the outbox.
type Notices struct {
	Items []NumberedNotice
	// Last is the highest number given so far, 0 where there is none yet.
	Last uint64
	// Dropped is the highest number of a notice that is kept no more: whoever has
	// read up to a lower one has missed some.
	Dropped uint64
}

// NoticeLimits is how much of the outbox is kept.
type NoticeLimits struct {
	// Since: what is older is dropped, in Unix milliseconds.
	Since int64
	// Alarms and Others are how many of each are kept, the newest.
	Alarms, Others int
}
