package proof

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/audit/audittest"
)

// Each of these is signed by a member: that nobody else changed it is no help here.
func TestDishonestExportIsRefused(t *testing.T) {
	g, _, _ := payment(t)
	good := export(t, g, 0, Options{})
	// Lines of one author, in the middle of his chain: 1 is the head.
	entry := func(t *testing.T, all [][]byte, n int) entryLine {
		t.Helper()
		var l entryLine
		if err := decode(all[n], &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	put := func(t *testing.T, all [][]byte, n int, l entryLine) [][]byte {
		t.Helper()
		line, err := encode(l)
		if err != nil {
			t.Fatal(err)
		}
		all[n] = line
		return all
	}
	same := func(c *closing) {}
	// ends are the lines of the last entries of chains.
	var ends []int
	for n, l := range lines(good)[1:] {
		if n > 0 && bytes.HasPrefix(l, []byte(`{"header"`)) {
			a, b := entry(t, lines(good), n), entry(t, lines(good), n+1)
			if !bytes.Equal(a.Header[66:98], b.Header[66:98]) {
				ends = append(ends, n)
			}
		}
	}
	end := ends[0]
	for name, x := range map[string]struct {
		change func(t *testing.T, all [][]byte) [][]byte
		edit   func(*closing)
		want   error
	}{
		"nothing": {func(_ *testing.T, all [][]byte) [][]byte { return all }, same, nil},
		"a byte of a body that is opened": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Body[9] ^= 1
			return put(t, all, 2, l)
		}, same, ErrSubkey},
		"a byte of a body that is sealed": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Body[9] ^= 1
			l.Subkey, l.Event = nil, nil
			return put(t, all, 2, l)
		}, same, ErrSignature},
		"a byte of a header": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Header[106]++ // seq
			l.Subkey, l.Event = nil, nil
			return put(t, all, 2, l)
		}, same, ErrSignature},
		"an entry is missing":           {func(_ *testing.T, all [][]byte) [][]byte { return slices.Delete(all, 2, 3) }, same, ErrLink},
		"the first entry is missing":    {func(_ *testing.T, all [][]byte) [][]byte { return slices.Delete(all, 1, 2) }, same, ErrLink},
		"an entry twice":                {func(_ *testing.T, all [][]byte) [][]byte { return slices.Insert(all, 2, all[2]) }, same, ErrLink},
		"two in another order":          {func(_ *testing.T, all [][]byte) [][]byte { all[2], all[3] = all[3], all[2]; return all }, same, ErrLink},
		"chains in another order":       {func(_ *testing.T, all [][]byte) [][]byte { return swapChains(all, end) }, same, ErrLink},
		"a chain is cut":                {func(_ *testing.T, all [][]byte) [][]byte { return slices.Delete(all, end, end+1) }, same, ErrFrontier},
		"a whole chain is missing":      {func(_ *testing.T, all [][]byte) [][]byte { return slices.Delete(all, 1, end+1) }, same, ErrFrontier},
		"the frontier goes on":          {func(_ *testing.T, all [][]byte) [][]byte { return all }, func(c *closing) { c.Frontier[0].Seq++ }, ErrFrontier},
		"the frontier has other ids":    {func(_ *testing.T, all [][]byte) [][]byte { return all }, func(c *closing) { c.Frontier[0].ID[0]++ }, ErrFrontier},
		"the frontier has a chain less": {func(_ *testing.T, all [][]byte) [][]byte { return all }, func(c *closing) { c.Frontier = c.Frontier[1:] }, ErrFrontier},
		"a foreign signature": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Signature = entry(t, all, 3).Signature
			return put(t, all, 2, l)
		}, same, ErrSignature},
		"an entry that another signed": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			e, err := l.entry()
			if err != nil {
				t.Fatal(err)
			}
			id := e.ID()
			l.Signature = g.Members[1].Identity.Sign("entry", id[:])
			return put(t, all, 2, l)
		}, same, ErrSignature},
		"a subkey of another entry": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Subkey = entry(t, all, 3).Subkey
			return put(t, all, 2, l)
		}, same, ErrSubkey},
		"an event that is not in it": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Event = entry(t, all, 3).Event
			return put(t, all, 2, l)
		}, same, ErrSubkey},
		"an event without a subkey": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Subkey = nil
			return put(t, all, 2, l)
		}, same, ErrFormat},
		"a short subkey": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Subkey = l.Subkey[:31]
			return put(t, all, 2, l)
		}, same, ErrFormat},
		"a header that takes in the body": {func(t *testing.T, all [][]byte) [][]byte {
			l := entry(t, all, 2)
			l.Header, l.Body = append(slices.Clone(l.Header), l.Body[0]), l.Body[1:]
			return put(t, all, 2, l)
		}, same, ErrFormat},
		"the records are sealed": {func(t *testing.T, all [][]byte) [][]byte {
			for n := 1; n < len(all)-1; n++ {
				if l := entry(t, all, n); bytes.Contains(l.Event, []byte("tpub")) {
					l.Subkey, l.Event = nil, nil
					all = put(t, all, n, l)
				}
			}
			return all
		}, same, ErrRoster},
		"another roster": {func(t *testing.T, all [][]byte) [][]byte {
			var h head
			if err := decode(all[0], &h); err != nil {
				t.Fatal(err)
			}
			h.Roster[0]++
			line, err := encode(h)
			if err != nil {
				t.Fatal(err)
			}
			all[0] = line
			return all
		}, same, ErrRoster},
		"another wallet": {func(t *testing.T, all [][]byte) [][]byte {
			var h head
			if err := decode(all[0], &h); err != nil {
				t.Fatal(err)
			}
			h.Genesis[len(h.Genesis)-1]++
			line, err := encode(h)
			if err != nil {
				t.Fatal(err)
			}
			all[0] = line
			return all
		}, same, ErrFormat},
		"what is mined before the entries": {func(_ *testing.T, all [][]byte) [][]byte {
			return slices.Insert(all, 1, []byte(`{"txid":"`+strings.Repeat("ab", 32)+`","height":7,"block":"`+strings.Repeat("cd", 32)+"\"}\n"))
		}, same, ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Verify(bytes.NewReader(reclosed(t, x.change(t, lines(good)), g, 0, x.edit)))
			if !errors.Is(err, x.want) {
				t.Errorf("%v, want %v", err, x.want)
			}
		})
	}
	t.Run("a stranger closes it", func(t *testing.T) {
		stranger := audittest.New(t, 1, 4)
		if _, err := Verify(bytes.NewReader(reclosed(t, lines(good), stranger, 3, nil))); !errors.Is(err, ErrExporter) {
			t.Error(err)
		}
	})
	t.Run("a member's name over a stranger's signature", func(t *testing.T) {
		stranger := audittest.New(t, 1, 4)
		file := reclosed(t, lines(good), stranger, 3, func(c *closing) { c.Exporter = hexID(g.Members[0].Author()) })
		if _, err := Verify(bytes.NewReader(file)); !errors.Is(err, ErrClosing) {
			t.Error(err)
		}
	})
	// A vote left out at the end cannot be seen: the file says how far it goes.
	t.Run("cut, and said so", func(t *testing.T) {
		var c closing
		file := reclosed(t, slices.Delete(lines(good), end, end+1), g, 0, func(x *closing) {
			l := entry(t, lines(good), end-1)
			e, err := l.entry()
			if err != nil {
				t.Fatal(err)
			}
			x.Frontier[0].Seq, x.Frontier[0].ID = e.Position().Seq, hexID(e.ID())
			c = *x
		})
		v := verify(t, file)
		if v.Entries != len(g.Entries)-1 || v.Frontier()[0].Seq != c.Frontier[0].Seq {
			t.Errorf("%d entries, frontier %v", v.Entries, v.Frontier())
		}
	})
}

// swapChains puts the first chain, which ends at a line, behind all others.
func swapChains(all [][]byte, end int) [][]byte {
	return slices.Concat(all[:1], all[end+1:len(all)-1], all[1:end+1], all[len(all)-1:])
}
