package recurring

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// Most is how many schedules a node keeps of one wallet.
const Most = 256

// ID names a schedule. It is drawn at random.
type ID [16]byte

// String is the id in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Key is an id as the key of a map.
type Key string

// Key is the id as the key of a map.
func (id ID) Key() Key { return Key(id[:]) }

// Schedule is a payment that the node which made it proposes when it is due: again and
// again, or once. It is that node's own record: no other member knows of it but by the
// proposals that come of it.
type Schedule struct {
	ID      ID     `cbor:"1,keyasint"`
	Created int64  `cbor:"2,keyasint"` // Unix seconds
	Rhythm  Rhythm `cbor:"3,keyasint"`
	// What is due once is so from a time or a height on.
	NotBefore int64 `cbor:"4,keyasint"` // Unix seconds
	Height    int32 `cbor:"5,keyasint"` // of the chain
	Until     int64 `cbor:"6,keyasint"` // Unix seconds, from when on no period begins; 0 for none

	Outputs  []event.ProposalOutput `cbor:"7,keyasint"`
	All      int                    `cbor:"8,keyasint"` // which output gets all that is left, counted from 1
	FeeRate  int64                  `cbor:"9,keyasint"` // satoshis per 1000 vbytes; 0 for an estimate
	Target   int                    `cbor:"10,keyasint"`
	Note     string                 `cbor:"11,keyasint"`
	Expires  int64                  `cbor:"12,keyasint"` // seconds after it is proposed
	Unsigned bool                   `cbor:"13,keyasint"`

	// Incarnation is that of the node when a person made or started it: a restored node
	// holds it until a person starts it again.
	Incarnation uint8 `cbor:"14,keyasint"`
	// Next is the first period that was not proposed nor passed over.
	Next uint64 `cbor:"15,keyasint"`
	// Missed is how many periods were passed over before the last proposal, since nothing
	// was proposed in time.
	Missed uint64          `cbor:"16,keyasint"`
	Last   journal.EntryID `cbor:"17,keyasint"` // the proposal of the last period that has one

	Problem string `cbor:"18,keyasint"` // why what is due is not proposed
	Since   int64  `cbor:"19,keyasint"` // Unix seconds, of the problem
	Code    string `cbor:"20,keyasint"` // of the problem; "" where there is none

	FeeFrom []int `cbor:"21,keyasint"` // the outputs that pay the fee, counted from 1
	// Held: it waits until a person starts it. Started is when one did, or made it.
	Held    bool  `cbor:"22,keyasint"`
	Started int64 `cbor:"23,keyasint"` // Unix seconds
}

// Record is how it is stored.
func (s Schedule) Record() ([]byte, error) {
	b, err := record.Encode(s)
	if err != nil {
		return nil, fmt.Errorf("encode schedule: %w", err)
	}
	return b, nil
}

// ReadRecord reads what Record wrote.
func ReadRecord(b []byte) (Schedule, error) {
	var s Schedule
	if err := record.Decode(b, &s); err != nil {
		return Schedule{}, fmt.Errorf("read schedule: %w", err)
	}
	return s, nil
}

// Now is what time it is for a schedule.
type Now struct {
	Clock  time.Time // of the node
	Median time.Time // of the chain (BIP113)
	Height int32     // of the chain
}

// both is the earlier of the two clocks: neither one that runs ahead, nor the time that
// miners write, brings a payment forward.
func (n Now) both() time.Time {
	if n.Median.Before(n.Clock) {
		return n.Median
	}
	return n.Clock
}

// Due returns the latest period that is due and was not dealt with, and whether there is
// one.
func (s Schedule) Due(now Now) (uint64, bool) {
	if s.Rhythm.Once() {
		return 0, s.Next == 0 && !now.both().Before(time.Unix(s.NotBefore, 0)) && now.Height >= s.Height
	}
	at := now.both()
	if s.Until != 0 && at.Unix() >= s.Until {
		at = time.Unix(s.Until-1, 0)
	}
	n, ok := s.Rhythm.Latest(at)
	return n, ok && n >= s.Next
}

// DueAt is when a period began; of what waits for a height alone, when it was made.
func (s Schedule) DueAt(period uint64) time.Time {
	switch {
	case !s.Rhythm.Once():
		return s.Rhythm.Due(period)
	case s.NotBefore > 0:
		return time.Unix(s.NotBefore, 0)
	}
	return time.Unix(s.Created, 0)
}

// Over says whether nothing will be due any more.
func (s Schedule) Over() bool {
	if s.Rhythm.Once() {
		return s.Next > 0
	}
	return s.Until != 0 && s.Rhythm.Due(s.Next).Unix() >= s.Until
}

// NextDue is when the next period begins; false where none will, or where a height says it.
func (s Schedule) NextDue() (time.Time, bool) {
	switch {
	case s.Over():
		return time.Time{}, false
	case s.Rhythm.Once():
		return time.Unix(s.NotBefore, 0), s.NotBefore > 0
	}
	return s.Rhythm.Due(s.Next), true
}

// Occasion is what a proposal is made for: one period of a schedule.
type Occasion struct {
	Schedule ID
	Period   uint64
}

// Hash is what the proposal's entry says of it. Nobody learns from it which schedule it
// is, nor which period.
func (o Occasion) Hash() [32]byte {
	return journal.H("occasion", o.Schedule[:], binary.BigEndian.AppendUint64(nil, o.Period))
}
