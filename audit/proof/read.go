package proof

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Verified is a file that holds: what it proves, and what it does not say.
type Verified struct {
	// State is what the entries that were opened come to. It has no part of the chain.
	State group.State
	// AsOf is when the exporter closed it, as he claims.
	AsOf     time.Time
	Exporter journal.Author
	// Keys says that names are tied to keys, and Bitcoin signatures were verified.
	Keys bool
	// Proposals are those that the export is of; none for all.
	Proposals []journal.EntryID
	Mined     []Mined
	// Entries are all, Opened those whose events are in the file, Sealed how many of
	// each author are not.
	Entries, Opened int
	Sealed          map[journal.Author]int
	// Reused are entries whose author used 16 bytes of nonce before: a subkey that
	// opens one opens the other, so that they may be sealed though asked for.
	Reused []journal.EntryID
}

// sigCache is how many signatures that verified are remembered: an entry may repeat
// those of another.
const sigCache = 1 << 12

// maxReused bounds Reused.
const maxReused = 100

// Tail is where a chain ends.
type Tail struct {
	Chain journal.ChainKey
	Seq   uint64
	Loose int
}

// Frontier is how far each chain goes, which is the exporter's word.
func (v *Verified) Frontier() []Tail {
	var out []Tail
	for _, t := range tails(v.State.Chains()) {
		out = append(out, Tail{journal.ChainKey{Author: journal.Author(t.Author), Incarnation: t.Incarnation}, t.Seq, t.Loose})
	}
	return out
}

// Status is what a proposal came to, as far as entries say: nothing of the chain. What
// was to expire has, where the exporter's time is later.
func (v *Verified) Status(p *group.Proposal) group.Status {
	return group.Derive(v.State, ledger.View{}, v.AsOf, p)
}

// Verify reads a file and checks all of it. It returns the errors of this package, of
// which the first line that is wrong has the word; else those of r. Memory grows with
// the entries that are opened, and by the place of each that is not: see MaxLines.
func Verify(r io.Reader) (*Verified, error) {
	x := newReader(r)
	if err := x.head(); err != nil {
		return nil, err
	}
	for {
		line, err := x.next()
		if err != nil {
			return nil, err
		}
		switch {
		case bytes.HasPrefix(line, []byte(`{"header"`)) && len(x.out.Mined) == 0:
			err = x.entry(line)
		case bytes.HasPrefix(line, []byte(`{"txid"`)):
			err = x.mined(line)
		case bytes.HasPrefix(line, []byte(`{"exporter"`)):
			return x.closed(line)
		default:
			err = ErrFormat
		}
		if err != nil {
			return nil, x.at(err)
		}
		// The closing line is not among what it is a digest of.
		x.digest.Write(line)
	}
}

// Tell reads a file that was verified again, and calls told for each of its entries.
func (v *Verified) Tell(r io.Reader, told func(audit.Entry) error) error {
	x := newReader(r)
	if err := x.head(); err != nil {
		return err
	}
	for {
		line, err := x.next()
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(line, []byte(`{"header"`)) {
			return nil
		}
		e, plain, err := open(line)
		if err != nil {
			return x.at(err)
		}
		unread := ""
		if plain == nil {
			unread = "sealed"
		}
		if err := told(audit.Tell(v.State, e, plain, unread)); err != nil {
			return err
		}
	}
}

// reader is a file being read.
type reader struct {
	in     *bufio.Reader
	number int
	digest hash.Hash
	first  head
	out    *Verified
	state  group.State
	plain  []byte // of the entry that is taken in
	fault  error
	last   *journal.Entry
	late   []waiting // of the chain being read: one side of a fork need not link
	nonces map[nonceUse]bool
	// Without keys the roster is known by who wrote its records.
	closedRosters [][]journal.EntryID
	ratified      map[journal.Author]bool
	replaced      []journal.Author
}

func newReader(r io.Reader) *reader {
	return &reader{
		in: bufio.NewReaderSize(r, MaxLine), digest: sha256.New(), out: &Verified{Sealed: map[journal.Author]int{}},
		nonces: map[nonceUse]bool{}, ratified: map[journal.Author]bool{},
	}
}

// at says in which line an error is.
func (x *reader) at(err error) error { return fmt.Errorf("line %d: %w", x.number, err) }

// next returns the next line with its end. It is valid until the next call.
func (x *reader) next() ([]byte, error) {
	x.number++
	line, err := x.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull), x.number > MaxLines:
		return nil, x.at(ErrTooLong)
	case errors.Is(err, io.EOF):
		return nil, x.at(ErrCut)
	case err != nil:
		return nil, fmt.Errorf("read: %w", err)
	}
	return line, nil
}

func (x *reader) head() error {
	line, err := x.next()
	if err != nil {
		return err
	}
	// A newer version may have other fields.
	rest, ours := bytes.CutPrefix(line, []byte(`{"quorate_log":`))
	version := rest[:len(rest)-len(bytes.TrimLeft(rest, "0123456789"))]
	switch n, err := strconv.ParseUint(string(version), 10, 16); {
	case !ours || err != nil || n < Version:
		return x.at(ErrFormat)
	case n > Version:
		return x.at(ErrNewer)
	}
	h := &x.first
	if err := decode(line, h); err != nil {
		return x.at(err)
	}
	ordered := slices.IsSortedFunc(h.Proposals, func(a, b hexID) int { return bytes.Compare(a[:], b[:]) })
	if !ordered || len(h.Proposals) > maxProposals || h.Roster == (hexID{}) {
		return x.at(ErrFormat)
	}
	x.out.Keys = h.Keys
	for _, p := range h.Proposals {
		x.out.Proposals = append(x.out.Proposals, journal.EntryID(p))
	}
	// It stands in for no member, and nothing is sealed to it.
	seed := sha256.Sum256([]byte("a reader of a log"))
	sealing, err := journal.NewSealingKey(seed)
	if err != nil {
		return x.at(err)
	}
	self := &group.Self{
		Identity: journal.NewIdentity(seed), Sealing: sealing, Verified: wallet.NewSigCache(sigCache),
		Opened: func(*journal.Entry) ([]byte, bool) { return x.plain, x.plain != nil },
		Fault:  func(err error) { x.fault = err },
	}
	if x.state, err = group.NewState(self, h.Genesis, [32]byte{}, h.Roster); err != nil {
		return x.at(fmt.Errorf("%w: %w", ErrFormat, err))
	}
	x.digest.Write(line)
	return nil
}

// open reads an entry's line, and its event where that is there.
func open(line []byte) (e *journal.Entry, plain []byte, err error) {
	var l entryLine
	if err := decode(line, &l); err != nil {
		return nil, nil, err
	}
	if e, err = l.entry(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch suite := e.Header().Suite; {
	case len(l.Header) != len(lineOf(e).Header), (l.Subkey == nil) != (l.Event == nil), suite == journal.SuitePlain && l.Subkey != nil:
		return nil, nil, ErrFormat
	case suite == journal.SuitePlain:
		plain, err := journal.OpenPlain(e)
		if err != nil {
			return e, nil, nil // inert, as on every node
		}
		return e, plain, nil
	case l.Subkey == nil:
		return e, nil, nil
	case len(l.Subkey) != 32:
		return nil, nil, ErrFormat
	}
	plain, err = journal.OpenWith([32]byte(l.Subkey), e)
	if err != nil || !bytes.Equal(plain, l.Event) {
		return nil, nil, ErrSubkey
	}
	return e, plain, nil
}

func (x *reader) entry(line []byte) error {
	e, plain, err := open(line)
	if err != nil {
		return err
	}
	if e.Header().Group != x.state.Group() {
		return fmt.Errorf("%w: an entry of another wallet", ErrFormat)
	}
	if err := e.Verify(); err != nil {
		return ErrSignature
	}
	if x.last != nil && compare(x.last, e) >= 0 {
		return fmt.Errorf("%w: entries out of order", ErrLink)
	}
	if x.last != nil && x.last.Chain() != e.Chain() && len(x.late) > 0 {
		return fmt.Errorf("%w before this line", ErrLink)
	}
	x.last = e
	x.out.Entries++
	if plain == nil && e.Header().Suite == journal.SuiteSealed {
		x.out.Sealed[e.Header().Author]++
	} else {
		x.out.Opened++
		x.noteRoster(e, plain)
	}
	if e.Header().Suite == journal.SuiteSealed {
		u := useOf(e)
		if x.nonces[u] && len(x.out.Reused) < maxReused {
			x.out.Reused = append(x.out.Reused, e.ID())
		}
		x.nonces[u] = true
	}
	return x.take(waiting{e, plain})
}

// waiting is an entry with its event, or nil.
type waiting struct {
	e     *journal.Entry
	plain []byte
}

// maxLate is how many entries of a chain may wait for the other side of their fork.
const maxLate = 1024

// take adds an entry to its chain.
func (x *reader) take(w waiting) error {
	add := func(w waiting) error {
		x.plain = w.plain
		next, _, err := x.state.Add(w.e, true)
		if err == nil {
			x.state = next
		}
		return err
	}
	err := add(w)
	var gap *journal.MissingError
	switch {
	case errors.As(err, &gap) && gap.Need != (journal.EntryID{}) && len(x.late) < maxLate:
		x.late = append(x.late, w)
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrLink, err)
	}
	x.late = slices.DeleteFunc(x.late, func(w waiting) bool { return add(w) == nil })
	return nil
}

// noteRoster keeps what tells who is a member where records are sealed.
func (x *reader) noteRoster(e *journal.Entry, plain []byte) {
	ev, err := event.Decode(plain)
	if err != nil || x.first.Keys {
		return
	}
	switch b := ev.Body.(type) {
	case *event.RosterClosed:
		if e.Header().Author == x.state.Genesis().Founder && len(x.closedRosters) < maxRosters {
			x.closedRosters = append(x.closedRosters, b.Records)
		}
	case *event.RosterRatified:
		if b.Hash == x.first.Roster && b.Record == nil {
			x.ratified[e.Header().Author] = true
		}
	case *event.MemberReplaced:
		if len(x.replaced) < maxChains {
			x.replaced = append(x.replaced, b.New)
		}
	}
}

// maxRosters is of how many rosters it is looked whether they are ratified.
const maxRosters = 64

// member says whether an identity is one of a roster that all ratified.
func (x *reader) member(who journal.Author) error {
	if x.first.Keys {
		active := x.state.Active()
		if active == nil {
			return ErrRoster
		}
		if _, ok := active.Index(who); !ok {
			return ErrExporter
		}
		return nil
	}
	for _, records := range x.closedRosters {
		in, all := slices.Contains(x.replaced, who), len(records) == x.state.Genesis().Cosigners
		for _, id := range records {
			c, _, held := x.state.Chains().Locate(id)
			all = all && held && x.ratified[c.Author]
			in = in || c.Author == who
		}
		if all && in {
			return nil
		}
		if all {
			return ErrExporter
		}
	}
	return ErrRoster
}

// mined reads what the exporter saw in a block.
func (x *reader) mined(line []byte) error {
	var m Mined
	if err := decode(line, &m); err != nil {
		return err
	}
	for _, id := range []string{m.TxID, m.Block} {
		if b, err := hex.DecodeString(id); err != nil || len(b) != 32 {
			return ErrFormat
		}
	}
	// Each is of a proposal that is opened: else a few entries could say any number.
	if n := len(x.out.Mined); n >= x.out.Opened || m.Height < 1 || n > 0 && x.out.Mined[n-1].TxID >= m.TxID {
		return ErrFormat
	}
	x.out.Mined = append(x.out.Mined, m)
	return nil
}

// allWork is more than any file has.
const allWork = 1 << 62

// closed reads the last line, and says what the file comes to.
func (x *reader) closed(line []byte) (*Verified, error) {
	var c closing
	if err := decode(line, &c); err != nil {
		return nil, x.at(err)
	}
	if _, err := x.in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, x.at(ErrCut)
	}
	signed := c
	signed.Signature = nil
	msg, err := encode(signed)
	if err != nil {
		return nil, x.at(err)
	}
	if err := journal.VerifyIdentity(journal.Author(c.Exporter), signTag, msg, c.Signature); err != nil || c.Digest != hexID(x.digest.Sum(nil)) {
		return nil, x.at(ErrClosing)
	}
	if len(x.late) > 0 {
		return nil, x.at(ErrLink)
	}
	err = group.Contained(func() error {
		x.state = x.state.Activated().Work(allWork).Derived().Told()
		return nil
	})
	if err = errors.Join(err, x.fault); err != nil {
		return nil, fmt.Errorf("read the entries: %w", err)
	}
	if !slices.Equal(tails(x.state.Chains()), c.Frontier) {
		return nil, x.at(ErrFrontier)
	}
	if err := x.member(journal.Author(c.Exporter)); err != nil {
		return nil, x.at(err)
	}
	x.out.State, x.out.AsOf, x.out.Exporter = x.state, c.Time.UTC(), journal.Author(c.Exporter)
	return x.out, nil
}

func compare(a, b *journal.Entry) int {
	p, q := a.Position(), b.Position()
	return cmp.Or(a.Chain().Compare(b.Chain()), cmp.Compare(p.Seq, q.Seq), bytes.Compare(p.ID[:], q.ID[:]))
}
