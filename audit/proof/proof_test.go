package proof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/audit/audittest"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// source is what a member's node exports from: its store returns two entries at a
// time, so that every place where a read may end is met.
func source(g *audittest.Group, member int) Source {
	return Source{
		State: g.State(member), Genesis: g.Genesis, Identity: g.Members[member].Identity, Now: g.Clock,
		Range: func(_ context.Context, c journal.ChainKey, seq uint64, _, _ int) ([]*journal.Entry, error) {
			var out []*journal.Entry
			for _, e := range g.Entries {
				if e.Chain() == c && e.Position().Seq >= seq {
					out = append(out, e)
				}
			}
			slices.SortFunc(out, compare)
			return out[:min(len(out), 2)], nil
		},
	}
}

func export(t testing.TB, g *audittest.Group, member int, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(context.Background(), &b, source(g, member), o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verify(t testing.TB, file []byte) *Verified {
	t.Helper()
	v, err := Verify(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// payment is a wallet with one proposal that is final, and one that was rejected.
func payment(t testing.TB) (g *audittest.Group, p, q journal.EntryID) {
	t.Helper()
	g = audittest.New(t, 2, 3)
	p = g.Propose(0, 1_000_000, "rent")
	g.Approve(0, p)
	q = g.Propose(1, 2_000, "")
	g.Reject(0, q, "no")
	g.Approve(2, p)
	g.Reject(2, q, "never")
	return g, p, q
}

func TestExportIsVerified(t *testing.T) {
	g, p, q := payment(t)
	s := source(g, 1)
	s.Mined = []Mined{{TxID: strings.Repeat("ab", 32), Height: 7, Block: strings.Repeat("cd", 32)}}
	var b bytes.Buffer
	if err := Write(context.Background(), &b, s, Options{}); err != nil {
		t.Fatal(err)
	}
	v := verify(t, b.Bytes())
	if v.Entries != len(g.Entries) || v.Opened != v.Entries || len(v.Sealed) != 0 || !v.Keys || v.Exporter != g.Members[1].Author() || !v.AsOf.Equal(g.Clock) || len(v.Mined) != 1 {
		t.Errorf("%+v", v)
	}
	for id, want := range map[journal.EntryID]group.Status{p: group.StatusFinal, q: group.StatusRejected} {
		x, ok := v.State.Proposal(id)
		if !ok || v.Status(x) != want {
			t.Errorf("%s is %s, want %s", id, v.Status(x), want)
		}
	}
	if d, w := v.State.Active().Descriptor.String(), g.State(0).Active().Descriptor.String(); d != w {
		t.Errorf("%s, want %s", d, w)
	}
	told := map[string]int{}
	if err := v.Tell(bytes.NewReader(b.Bytes()), func(x audit.Entry) error { told[x.Kind]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if told["approved"] != 2 || told["rejected"] != 2 || told["ratified"] != 3 || told["proposed"] != 2 {
		t.Errorf("%v", told)
	}
}

// What was not asked for stays sealed, and its links hold.
func TestOnlyOneProposalIsOpened(t *testing.T) {
	g, p, q := payment(t)
	file := export(t, g, 0, Options{Proposals: []journal.EntryID{p}})
	v := verify(t, file)
	if v.Entries != len(g.Entries) || v.Opened != len(g.Entries)-3 || len(v.Proposals) != 1 {
		t.Errorf("%d opened of %d", v.Opened, v.Entries)
	}
	if x, ok := v.State.Proposal(p); !ok || v.Status(x) != group.StatusFinal {
		t.Error("the proposal is not final")
	}
	if _, ok := v.State.Proposal(q); ok {
		t.Error("the other one was opened")
	}
	if v.Sealed[g.Members[1].Author()] != 1 || v.Sealed[g.Members[0].Author()] != 1 || v.Sealed[g.Members[2].Author()] != 1 {
		t.Errorf("sealed: %v", v.Sealed)
	}
}

func TestWithoutKeys(t *testing.T) {
	g, p, _ := payment(t)
	file := export(t, g, 2, Options{WithoutKeys: true})
	v := verify(t, file)
	if v.Keys || v.State.Active() != nil || v.Opened != len(g.Entries)-3 {
		t.Errorf("keys %v, %d opened of %d", v.Keys, v.Opened, v.Entries)
	}
	if _, ok := v.State.Proposal(p); !ok {
		t.Error("the proposal is not opened")
	}
	for _, line := range bytes.SplitAfter(file, []byte("\n")) {
		var l entryLine
		if decode(line, &l) == nil && bytes.Contains(l.Event, []byte("tpub")) {
			t.Error("a key is in it")
		}
	}
	if _, err := Verify(bytes.NewReader(reclosed(t, lines(file), audittest.New(t, 1, 4), 3, nil))); !errors.Is(err, ErrExporter) {
		t.Errorf("closed by another: %v", err)
	}
}

// Fork evidence is in the file, in the order that the file has.
func TestForkIsExported(t *testing.T) {
	for side := range 8 { // either side may have the lower id
		g, p, _ := payment(t)
		at := g.Members[1].Next
		g.Reject(1, p, fmt.Sprint("one side ", side))
		g.Reject(1, p, "after it")
		plain, err := event.Encode(event.Event{Time: 1, Body: &event.ProposalRejected{Proposal: p, Reason: "the other"}})
		if err != nil {
			t.Fatal(err)
		}
		at.Prev = journal.EntryID{byte(side + 1)} // it links to nothing that is held
		g.Keep(g.Seal(1, g.Epoch, at, plain))
		v := verify(t, export(t, g, 0, Options{}))
		forks := v.State.Chains().Forks()
		if len(forks) != 1 || forks[0].Seq != at.Seq || v.Entries != len(g.Entries) {
			t.Errorf("forks %v, %d entries of %d", forks, v.Entries, len(g.Entries))
		}
	}
}

// A subkey opens all that its author wrote with the same 16 bytes: it is not given
// away where one of them is to stay sealed.
func TestNonceUsedTwice(t *testing.T) {
	g, p, q := payment(t)
	for i, b := range []event.Body{&event.ProposalRejected{Proposal: p}, &event.ProposalRejected{Proposal: q, Reason: "a secret"}} {
		plain, err := event.Encode(event.Event{Time: 1, Body: b})
		if err != nil {
			t.Fatal(err)
		}
		m := g.Members[1]
		e := g.SealWith(1, g.Epoch, m.Next, plain, [24]byte{0: 77, 20: byte(i)})
		m.Next = journal.Next{Incarnation: 1, Seq: m.Next.Seq + 1, Prev: e.ID()}
		g.Keep(e)
	}
	last := g.Entries[len(g.Entries)-1].ID()
	for name, x := range map[string]struct {
		o      Options
		sealed int
	}{"one of them": {Options{Proposals: []journal.EntryID{p}}, 3}, "both": {Options{}, 0}} {
		v := verify(t, export(t, g, 0, x.o))
		if n := v.Sealed[g.Members[1].Author()]; n != x.sealed || !slices.Equal(v.Reused, []journal.EntryID{last}) {
			t.Errorf("%s: %d sealed, reused %v", name, n, v.Reused)
		}
	}
}

func lines(file []byte) [][]byte {
	all := bytes.SplitAfter(bytes.Clone(file), []byte("\n"))
	return all[:len(all)-1]
}

// reclosed has a member of a group sign lines anew, as a dishonest exporter does: the
// closing line is the last, and edit may change it.
func reclosed(t testing.TB, all [][]byte, g *audittest.Group, member int, edit func(*closing)) []byte {
	t.Helper()
	var c closing
	if err := decode(all[len(all)-1], &c); err != nil {
		t.Fatal(err)
	}
	file := bytes.Join(all[:len(all)-1], nil)
	c.Exporter, c.Digest, c.Signature = hexID(g.Members[member].Author()), sha256.Sum256(file), nil
	if edit != nil {
		edit(&c)
	}
	msg, err := encode(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Signature = g.Members[member].Identity.Sign(signTag, msg)
	last, err := encode(c)
	if err != nil {
		t.Fatal(err)
	}
	return append(file, last...)
}

// Whatever is changed in a file by somebody who cannot sign for its exporter is refused:
// a bit of each byte, each line left out, put twice or elsewhere, each space more.
func TestEveryByteCounts(t *testing.T) {
	g := audittest.New(t, 1, 1)
	p := g.Propose(0, 1_000_000, "")
	g.Approve(0, p)
	from := source(g, 0)
	from.Mined = []Mined{{TxID: strings.Repeat("ab", 32), Height: 123456, Block: strings.Repeat("cd", 32)}}
	var b bytes.Buffer
	if err := Write(context.Background(), &b, from, Options{}); err != nil {
		t.Fatal(err)
	}
	good := b.Bytes()
	verify(t, good)
	// What is opened is the exporter's choice alone.
	var l entryLine
	all := lines(good)
	if err := decode(all[1], &l); err != nil {
		t.Fatal(err)
	}
	l.Subkey, l.Event = nil, nil
	sealed, err := encode(l)
	if err != nil {
		t.Fatal(err)
	}
	all[1] = sealed
	if _, err := Verify(bytes.NewReader(bytes.Join(all, nil))); !errors.Is(err, ErrClosing) {
		t.Errorf("an entry sealed by another: %v", err)
	}
	var changed [][]byte
	for n := 0; n < len(good); n += eachByte {
		b := bytes.Clone(good)
		b[n] ^= 1 << (n % 8)
		changed = append(changed, b)
	}
	for n := range lines(good) {
		all := lines(good)
		changed = append(changed, bytes.Join(slices.Delete(lines(good), n, n+1), nil), bytes.Join(slices.Insert(lines(good), n, all[n]), nil))
		if n > 0 {
			all[n], all[n-1] = all[n-1], all[n]
			changed = append(changed, bytes.Join(all, nil))
		}
		for _, space := range []string{" ", "\n", "\t", "\r\n"} {
			all := lines(good)
			changed = append(changed, bytes.Join(slices.Insert(all, n, []byte(space)), nil))
			all = lines(good)
			all[n] = append([]byte(strings.TrimSuffix(string(all[n]), "\n")+space), '\n')
			changed = append(changed, bytes.Join(all, nil))
			all = lines(good)
			all[n] = bytes.Replace(all[n], []byte(`":`), []byte(`":`+space), 1)
			changed = append(changed, bytes.Join(all, nil))
		}
		all = lines(good)
		all[n] = bytes.Replace(all[n], []byte(`{"`), []byte(`{"more":1,"`), 1)
		changed = append(changed, bytes.Join(all, nil))
	}
	for _, cut := range []int{0, 1, len(good) / 2, len(good) - 1} {
		changed = append(changed, bytes.Clone(good[:cut]))
	}
	changed = append(changed, append(bytes.Clone(good), "\n"...), append(bytes.Clone(good), good...))
	next := make(chan []byte)
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for b := range next {
				if _, err := Verify(bytes.NewReader(b)); err == nil && !bytes.Equal(b, good) {
					t.Errorf("accepted:\n%s", b)
				}
			}
		})
	}
	for _, b := range changed {
		next <- b
	}
	close(next)
	work.Wait()
	t.Logf("%d bytes, %d changes", len(good), len(changed))
}

// endless is a line without end.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '{'
	}
	e.read += len(b)
	return len(b), nil
}

func TestLineWithoutEnd(t *testing.T) {
	e := &endless{}
	if _, err := Verify(e); !errors.Is(err, ErrTooLong) || e.read > 2*MaxLine {
		t.Errorf("%v after %d bytes", err, e.read)
	}
	if _, err := Verify(iotest{}); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
	if _, err := Verify(strings.NewReader(`{"quorate_log":2,"new":1}` + "\n")); !errors.Is(err, ErrNewer) {
		t.Error(err)
	}
}

type iotest struct{}

func (iotest) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

func FuzzVerify(f *testing.F) {
	g := audittest.New(f, 1, 2)
	p := g.Propose(0, 1_000_000, "")
	g.Approve(1, p)
	for _, o := range []Options{{}, {WithoutKeys: true}, {Proposals: []journal.EntryID{p}}} {
		f.Add(export(f, g, 0, o))
	}
	f.Add([]byte(`{"quorate_log":1,"genesis":"","roster":"","keys":true}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		v, err := Verify(bytes.NewReader(file))
		if (v == nil) == (err == nil) {
			t.Fatalf("%v, %v", v, err)
		}
		if err == nil {
			if err := v.Tell(bytes.NewReader(file), func(audit.Entry) error { return nil }); err != nil {
				t.Error(err)
			}
		}
	})
}

var update = flag.Bool("update", false, "write the golden file anew")

// The format stays as it is: files that were given away are read for ever. The stand-in
// of the API hands this one out.
func TestGolden(t *testing.T) {
	g, p, _ := payment(t)
	s := source(g, 0)
	proposal, _ := s.State.Proposal(p)
	s.Mined = []Mined{{TxID: proposal.TxID.String(), Height: 120, Block: strings.Repeat("cd", 32)}}
	var b bytes.Buffer
	if err := Write(context.Background(), &b, s, Options{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "api", "apitest", "exported.jsonl")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	verify(t, old)
	if !bytes.Equal(old, b.Bytes()) {
		t.Error("an export is written otherwise than before: where that is meant, it is another version")
	}
}
