package audit

import (
	"errors"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Entry is what one entry says.
type Entry struct {
	ID    journal.EntryID
	Chain journal.ChainKey
	Seq   uint64
	// Time is what its author claims; zero where the entry is not read.
	Time time.Time
	// Kind is its name in the table of sentences, and Text what follows its author's
	// name, on one line and fit to be shown; both are empty where it is not read.
	Kind, Text string
	// Proposal is the one that it is about, or zero.
	Proposal journal.EntryID
	// Tainted: it keeps only the effects that prove themselves.
	Tainted bool
	// Inert is the rule that it breaks, so that it has no effect; else empty.
	Inert string
	// Unread says why it could not be read; else it is empty.
	Unread string
}

// Reasons why an entry is not read.
const (
	// UnreadEpoch: the secret of its epoch is not held.
	UnreadEpoch = "epoch_not_held"
	// UnreadNewer: it is of a kind, or has a field, that this version does not know.
	UnreadNewer = "needs_newer_version"
	// UnreadMalformed: what is in it is no event.
	UnreadMalformed = "malformed"
)

// Tell says what an entry says, whose event was opened; nil is for one that could
// not be, for the reason given.
func Tell(s group.State, e *journal.Entry, plain []byte, unread string) Entry {
	h := e.Header()
	x := Entry{ID: e.ID(), Chain: e.Chain(), Seq: h.Seq, Tainted: s.Tainted(e.Chain(), h.Seq), Unread: unread}
	x.Inert, _ = s.RuleOf(x.ID)
	if plain == nil {
		return x
	}
	ev, err := event.Decode(plain)
	switch {
	case errors.Is(err, event.ErrNewer):
		x.Unread = UnreadNewer
		return x
	case err != nil:
		x.Unread = UnreadMalformed
		return x
	}
	x.Time = time.UnixMilli(ev.Time).UTC()
	r := byKind[ev.Body.Kind()]
	x.Kind, x.Text = r.name, r.tell(teller{s}, ev.Body)
	x.Proposal = ProposalOf(x.ID, ev.Body)
	return x
}

// open returns the event of an entry, or why it cannot be read.
func open(s group.State, e *journal.Entry) (plain []byte, unread string) {
	h := e.Header()
	if h.Suite == journal.SuitePlain {
		plain, err := journal.OpenPlain(e)
		if err != nil {
			return nil, UnreadMalformed
		}
		return plain, ""
	}
	ep, held := s.EpochHeld(h.Epoch)
	if !held {
		return nil, UnreadEpoch
	}
	plain, err := journal.Open(ep, e)
	if err != nil {
		return nil, UnreadMalformed
	}
	return plain, ""
}
