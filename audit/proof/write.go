package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Source is what an export is made from. All of it is of one moment.
type Source struct {
	State   group.State
	Genesis []byte
	// Range returns entries of a chain, as port.Store does.
	Range func(ctx context.Context, chain journal.ChainKey, seq uint64, limit, maxBytes int) ([]*journal.Entry, error)
	// Identity signs the file.
	Identity *journal.Identity
	Now      time.Time
	// Mined are the transactions that this node sees in blocks, by txid.
	Mined []Mined
}

// Options say what to leave sealed.
type Options struct {
	// Proposals are those to open, beside who is who; none for everything.
	Proposals []journal.EntryID
	// WithoutKeys leaves the members' records sealed, which hold their xpubs.
	WithoutKeys bool
}

// Reads of the store: so many entries, and about so many bytes, at once.
const (
	readEntries = 256
	readBytes   = 4 << 20
)

// Write writes an export. It returns ErrRoster where the wallet is not active,
// ErrHoldsKeys, or ErrTooLong; what was written by then is no export.
func Write(ctx context.Context, w io.Writer, s Source, o Options) error {
	active := s.State.Active()
	switch {
	case active == nil:
		return fmt.Errorf("export: %w", ErrRoster)
	case o.WithoutKeys && s.State.Genesis().Descriptor != "":
		return fmt.Errorf("export: %w", ErrHoldsKeys)
	case len(o.Proposals) > maxProposals:
		return fmt.Errorf("export of %d proposals: %w", len(o.Proposals), ErrTooLong)
	}
	x := &writer{out: w, s: s, o: o, digest: sha256.New()}
	h := head{Log: Version, Genesis: s.Genesis, Roster: hexID(active.Hash), Keys: !o.WithoutKeys}
	for _, p := range o.Proposals {
		h.Proposals = append(h.Proposals, hexID(p))
	}
	slices.SortFunc(h.Proposals, func(a, b hexID) int { return bytes.Compare(a[:], b[:]) })
	h.Proposals = slices.Compact(h.Proposals)
	if err := x.line(h); err != nil {
		return err
	}
	// A subkey opens every entry that its author wrote with the same 16 bytes of
	// nonce: it is given away only where all of them are to be opened.
	x.all, x.twice = map[nonceUse]bool{}, map[nonceUse]bool{}
	err := x.each(ctx, func(e *journal.Entry) error {
		if e.Header().Suite != journal.SuiteSealed {
			return nil
		}
		u := useOf(e)
		opens := x.opened(e) != nil
		if was, used := x.all[u]; used {
			x.twice[u], opens = true, opens && was
		}
		x.all[u] = opens
		return nil
	})
	if err != nil {
		return err
	}
	for u := range x.all {
		if !x.twice[u] {
			delete(x.all, u)
		}
	}
	if err := x.each(ctx, x.entry); err != nil {
		return err
	}
	for _, m := range s.Mined {
		if err := x.line(m); err != nil {
			return err
		}
	}
	return x.close()
}

// nonceUse is what a subkey is derived from.
type nonceUse struct {
	author journal.Author
	epoch  journal.EpochID
	nonce  [journal.SubkeyNonce]byte
}

func useOf(e *journal.Entry) nonceUse {
	h := e.Header()
	return nonceUse{h.Author, h.Epoch, [journal.SubkeyNonce]byte(h.Nonce[:])}
}

// writer is an export being written.
type writer struct {
	out    io.Writer
	s      Source
	o      Options
	digest interface {
		io.Writer
		Sum(b []byte) []byte
	}
	lines int
	// all says of a use of a nonce whether all entries with it are to be opened;
	// twice which were used more than once.
	all, twice map[nonceUse]bool
}

// each calls do for every entry of the State, by chain, seq and id.
func (x *writer) each(ctx context.Context, do func(*journal.Entry) error) error {
	chains := x.s.State.Chains()
	for c := range chains.Keys() {
		last, done := uint64(0), map[journal.EntryID]bool{} // of the last seq
		for seq := uint64(1); ; {
			es, err := x.s.Range(ctx, c, seq, readEntries, readBytes)
			if err != nil {
				return fmt.Errorf("read journal: %w", err)
			}
			if len(es) == 0 {
				break
			}
			news := false
			for _, e := range es {
				if at := e.Position().Seq; at != last {
					last = at
					clear(done)
				}
				if done[e.ID()] {
					continue
				}
				news, done[e.ID()] = true, true
				if !chains.Has(e.ID()) {
					continue // came since
				}
				if err := do(e); err != nil {
					return err
				}
			}
			// The limit may fall between the entries of a forked seq.
			if seq = last; !news {
				seq++
			}
		}
	}
	return nil
}

func (x *writer) entry(e *journal.Entry) error {
	l := lineOf(e)
	if e.Header().Suite == journal.SuiteSealed {
		u := useOf(e)
		all, twice := x.all[u]
		if plain := x.opened(e); plain != nil && (!twice || all) {
			ep, _ := x.s.State.EpochHeld(e.Header().Epoch)
			key, err := journal.Subkey(ep, e)
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			l.Subkey, l.Event = key[:], plain
		}
	}
	return x.line(l)
}

// opened returns the event of an entry that is to be opened, and nil for one that
// stays sealed.
func (x *writer) opened(e *journal.Entry) []byte {
	ep, held := x.s.State.EpochHeld(e.Header().Epoch)
	if !held {
		return nil
	}
	plain, err := journal.Open(ep, e)
	if err != nil {
		return nil
	}
	if !x.o.WithoutKeys && len(x.o.Proposals) == 0 {
		return plain
	}
	ev, err := event.Decode(plain)
	if err != nil {
		return nil // whatever it holds
	}
	if _, record := ev.Body.(*event.MemberRecord); record {
		if x.o.WithoutKeys {
			return nil
		}
		return plain
	}
	if len(x.o.Proposals) == 0 || whoIsWho(ev.Body) || slices.Contains(x.o.Proposals, audit.ProposalOf(e.ID(), ev.Body)) {
		return plain
	}
	return nil
}

// whoIsWho says whether an event is of those that tell who the members are, and which
// of their entries are tainted.
func whoIsWho(b event.Body) bool {
	switch b.(type) {
	case *event.GroupCreated, *event.MemberAdmitted, *event.MemberRecord, *event.RosterClosed, *event.RosterRevealed,
		*event.RosterRatified, *event.IncarnationStarted, *event.MemberReplaced, *event.ReplacementApproved:
		return true
	}
	return false
}

func (x *writer) line(v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	if x.lines++; x.lines > MaxLines || len(b) > MaxLine {
		return fmt.Errorf("export: %w", ErrTooLong)
	}
	if _, err := x.digest.Write(b); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if _, err := x.out.Write(b); err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}

func (x *writer) close() error {
	c := closing{
		Exporter: hexID(x.s.Identity.Author()), Time: x.s.Now.UTC().Truncate(time.Second),
		Frontier: tails(x.s.State.Chains()), Digest: hexID(x.digest.Sum(nil)),
	}
	if len(c.Frontier) > maxChains {
		return fmt.Errorf("export of %d chains: %w", len(c.Frontier), ErrTooLong)
	}
	msg, err := encode(c)
	if err != nil {
		return err
	}
	c.Signature = x.s.Identity.Sign(signTag, msg)
	return x.line(c)
}
