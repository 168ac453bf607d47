package proof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/quorate/quorate/audit"
	"github.com/quorate/quorate/audit/audittest"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// many is a wallet of which much was said, and the proposal that it was said of.
func many(t *testing.T, n int) (*audittest.Group, journal.EntryID) {
	t.Helper()
	g := audittest.New(t, 2, 3)
	p := g.Propose(0, 1_000_000, "rent")
	for i := range n {
		if i%4 == 0 {
			g.Propose(i%3, int64(2_000+i), "")
			continue
		}
		g.Write(i%3, &event.ProposalCommented{Proposal: p, Text: fmt.Sprintf("%d: %s", i, strings.Repeat("x", 400))})
	}
	return g, p
}

// pipe hands a file out in pieces, as a disk does, and remembers how much the program held
// at most meanwhile.
type pipe struct {
	*bytes.Reader
	reads int
	most  uint64
}

func (p *pipe) Read(b []byte) (int, error) {
	if p.reads++; p.reads%256 == 0 {
		p.most = max(p.most, held())
	}
	return p.Reader.Read(b[:min(len(b), 4<<10)])
}

func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Some thousand entries are verified without holding the file: what is held of each is far
// less than it takes in the file, where it is opened and where it stays sealed.
func TestManyEntries(t *testing.T) {
	n := 4000
	if eachByte > 1 {
		n = 400
	}
	g, p := many(t, n)
	for name, x := range map[string]struct {
		o      Options
		each   uint64 // bytes that may be held of an entry
		opened int
	}{
		"opened": {Options{}, 3 << 10, len(g.Entries)},
		"sealed": {Options{Proposals: []journal.EntryID{p}}, 2 << 10, 0},
	} {
		file := export(t, g, 0, x.o)
		in, before := &pipe{Reader: bytes.NewReader(file)}, held()
		v, err := Verify(in)
		if err != nil {
			t.Fatal(err)
		}
		most := max(in.most, held()) - before
		t.Logf("%s: %d entries in %d kB, at most %d kB held: %d bytes of each", name, v.Entries, len(file)>>10, most>>10, most/uint64(v.Entries))
		if v.Entries != len(g.Entries) || x.opened > 0 && v.Opened != x.opened {
			t.Errorf("%s: %d entries, %d opened, of %d", name, v.Entries, v.Opened, len(g.Entries))
		}
		if eachByte == 1 && most > 4<<20+x.each*uint64(v.Entries) { // 4 MiB for what all files need; the race detector needs more
			t.Errorf("%s: %d bytes are held of each entry", name, most/uint64(v.Entries))
		}
		told := 0
		if err := v.Tell(bytes.NewReader(file), func(audit.Entry) error { told++; return nil }); err != nil || told != v.Entries {
			t.Errorf("%s: %d are told, %v", name, told, err)
		}
	}
}

// A file says of no more transactions that they were mined than it has proposals: else a
// small wallet's would take all memory.
func TestMoreMinedThanProposed(t *testing.T) {
	g, _, _ := payment(t)
	file := export(t, g, 0, Options{})
	cut := bytes.LastIndex(file[:len(file)-1], []byte("\n")) + 1 // the closing line
	lines := 0
	flood := readerFunc(func() []byte {
		if lines++; lines > 1_000_000 {
			return nil
		}
		return fmt.Appendf(nil, `{"txid":"%064x","height":1,"block":"%064x"}`+"\n", lines, lines)
	})
	if _, err := Verify(io.MultiReader(bytes.NewReader(file[:cut]), flood)); !errors.Is(err, ErrFormat) || lines > len(g.Entries)+50 {
		t.Errorf("%v after %d lines", err, lines)
	}
}

// readerFunc reads pieces until one is nil. Each is shorter than what is asked for.
type readerFunc func() []byte

func (f readerFunc) Read(b []byte) (int, error) {
	piece := f()
	if piece == nil {
		return 0, io.EOF
	}
	return copy(b, piece), nil
}

// A file of more lines than any export has is read no further.
func TestTooManyLines(t *testing.T) {
	g, _, _ := payment(t)
	x := newReader(bytes.NewReader(export(t, g, 0, Options{})))
	if err := x.head(); err != nil {
		t.Fatal(err)
	}
	x.number = MaxLines - 1
	if _, err := x.next(); err != nil {
		t.Errorf("the last line that a file may have: %v", err)
	}
	if _, err := x.next(); !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), fmt.Sprint(MaxLines+1)) {
		t.Errorf("one more: %v", err)
	}
}
