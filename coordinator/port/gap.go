package port

import (
	"fmt"
	"time"

	"github.com/quorate/quorate/journal"
)

// GapError says that an entry was not taken because an earlier one is missing:
// pull Chain from seq From on, or the entry Need where it is not zero.
type GapError struct {
	Chain journal.ChainKey
	From  uint64
	Need  journal.EntryID
}

func (g *GapError) Error() string {
	return fmt.Sprintf("entry before seq %d is missing", g.From)
}

// Unwrap makes a GapError an IgnoreGap.
func (g *GapError) Unwrap() error { return IgnoreGap }

// DeferredError says that entries of an author are not taken for now.
type DeferredError struct {
	Author journal.Author
	For    time.Duration

	Begins bool // a pause, and is worth a line in the log
}

func (d *DeferredError) Error() string {
	return fmt.Sprintf("entries of this author are taken again in %v", d.For.Round(time.Second))
}

// Unwrap makes a DeferredError an IgnoreDeferred.
func (d *DeferredError) Unwrap() error { return IgnoreDeferred }
