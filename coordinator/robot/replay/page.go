package replay

import (
	"context"
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
)

// MaxRead is how many entries past its cursor one page reads.
const MaxRead = 1 << 15

// Reader looks at what the robots of a wallet wrote.
type Reader struct {
	State group.State
	View  ledger.View
	// Entry returns an entry that is held.
	Entry func(ctx context.Context, id journal.EntryID) (*journal.Entry, error)
	// Since is from which claimed time on entries are looked at, and Now the present; Unix
	// milliseconds.
	Since, Now int64
}

// Found is what was found of one entry of a robot: its verdict, or its signature.
type Found struct {
	Ref     group.Ref
	Member  group.Member
	Verdict event.RobotVerdict // of a signature, only its proposal
	Signed  bool               // it is a signature that no verdict goes before
	Differs []Difference
	// Open are the fields that this node cannot tell, with why.
	Open []Open
}

// Difference is a field of a verdict, or of its facts, that is not as it should be.
type Difference struct{ Field, Said, Should string }

// Open is a field that cannot be told here.
type Open struct{ Field, Why string }

// Place is where a page begins: after an entry, by the wallet's keys.
type Place struct {
	Key         int
	Identity    int // which identity of it
	Incarnation uint8
	Seq         uint64
}

// after says whether a place lies behind another one.
func (p Place) after(o Place) bool {
	switch {
	case p.Key != o.Key:
		return p.Key > o.Key
	case p.Identity != o.Identity:
		return p.Identity > o.Identity
	case p.Incarnation != o.Incarnation:
		return p.Incarnation > o.Incarnation
	}
	return p.Seq > o.Seq
}

// Page looks at the verdicts behind a place, at most so many, in the order of each robot's
// chain, one robot after the other; next is where to go on, nil at the end. What lies past a
// fork is left out.
func (r Reader) Page(ctx context.Context, from Place, limit int) (out []Found, next *Place, err error) {
	a := r.State.Active()
	if a == nil {
		return nil, nil, robot.ErrNotActive
	}
	read := 0
	for k := from.Key; k < len(a.Members); k++ {
		w := &walk{r: r, key: k, versions: map[event.PolicyVersion]*version{}}
		for n, who := range a.Identities(k) {
			w.identity(n)
			for chain := range r.State.Chains().KeysOf(who) {
				w.latest = 0
				for seq := uint64(1); ; seq++ {
					id, held := r.State.Chains().At(chain, seq)
					if fork := r.State.Chains().ForkedAt(chain); !held || fork != 0 && seq >= fork {
						break
					}
					at := Place{k, n, chain.Incarnation, seq}
					ref, body, err := r.open(ctx, id)
					if err != nil {
						return nil, nil, err
					}
					found, is := w.take(ref, body)
					if !at.after(from) {
						continue
					}
					if is && ref.Time >= r.Since {
						out = append(out, found)
					}
					if read++; len(out) == limit || read == MaxRead {
						return out, &at, nil
					}
				}
			}
		}
	}
	return out, nil, nil
}

// open returns what an entry says; nil where it cannot be read.
func (r Reader) open(ctx context.Context, id journal.EntryID) (group.Ref, event.Body, error) {
	e, err := r.Entry(ctx, id)
	if err != nil {
		return group.Ref{}, nil, fmt.Errorf("read entry %s: %w", id, err)
	}
	ref := group.Ref{ID: id, Chain: e.Chain(), Seq: e.Header().Seq}
	ep, held := r.State.EpochHeld(e.Header().Epoch)
	if !held || e.Header().Suite == journal.SuitePlain {
		return ref, nil, nil
	}
	plain, err := journal.Open(ep, e)
	if err != nil {
		return ref, nil, nil // what no member can read says nothing
	}
	ev, err := event.Decode(plain)
	if err != nil {
		return ref, nil, nil
	}
	ref.Time = ev.Time
	return ref, ev.Body, nil
}

var errNotHeld = errors.New("it is not held here")

// String is a place as a cursor.
func (p Place) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", p.Key, p.Identity, p.Incarnation, p.Seq)
}

// ErrCursor is returned for a text that is no place.
var ErrCursor = errors.New("not a place in the robots' verdicts")

// ParsePlace reads what String wrote; nothing is the start.
func ParsePlace(text string) (p Place, err error) {
	if text == "" {
		return p, nil
	}
	if _, err := fmt.Sscanf(text, "%d.%d.%d.%d", &p.Key, &p.Identity, &p.Incarnation, &p.Seq); err != nil || p.Key < 0 || p.Identity < 0 || p.String() != text {
		return Place{}, ErrCursor
	}
	return p, nil
}
