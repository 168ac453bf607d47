package p2ptest

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"sync/atomic"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// victim starts an honest node and a hostile member that is connected to it.
func victim(t *testing.T, w Network) (Group, *member, Hostile) {
	t.Helper()
	g := NewGroup(1)
	a := newMember(t, w, g, 1)
	x := w.Hostile(t, Identity(9))
	x.Serve(func(s io.ReadWriteCloser) { _ = s.Close() })
	attach(t, a, link(w, g, nil, a.Author(), x.Author()))
	x.Meet(t, g, a.Peer)
	awaitConnected(t, a, x.Author())
	return g, a, x
}

func awaitReject(t *testing.T, a *member, x Hostile, r *port.Outcome, more uint64) {
	t.Helper()
	Eventually(t, "counted as "+r.Name(), func() bool {
		return status(a.Peer, x.Author()).Rejects[r.Name()] >= more
	})
}

// badEntries are bytes that no honest member sends, by the rule they break.
func badEntries(t *testing.T, g Group) map[*port.Outcome][]byte {
	t.Helper()
	id := Identity(9)
	good := NewWriter(id, g, 1).Write(t).Bytes()
	change := func(at int, by byte) []byte {
		b := bytes.Clone(good)
		b[at] ^= by
		return b
	}
	return map[*port.Outcome][]byte{
		port.RejectMalformed: append(bytes.Clone(good), 0),
		port.RejectOversized: make([]byte, journal.MaxEntrySize+1),
		port.RejectVersion:   change(0, 0x40),
		port.RejectGroup:     NewWriter(id, NewGroup(2), 1).Write(t).Bytes(),
		port.RejectSignature: change(len(good)-1, 1),
	}
}

func testBadGossip(t *testing.T, w Network) {
	g, a, x := victim(t, w)
	bad := badEntries(t, g)
	n := uint32(0)
	for rule, raw := range bad {
		Eventually(t, "counted as "+rule.Name(), func() bool {
			// The mesh may not be there yet, and pubsub passes the same bytes
			// once: change what is bad anyway, the signature.
			n++
			again := bytes.Clone(raw)
			binary.BigEndian.PutUint32(again[len(again)-5:], n)
			x.Publish(t, g.Epoch.Topic(), again)
			return status(a.Peer, x.Author()).Rejects[rule.Name()] > 0
		})
	}
	if a.in.Len() != 0 {
		t.Error("a bad entry was handed up")
	}
	e := NewWriter(Identity(9), g, 1).Write(t)
	Eventually(t, "a good entry of the same peer is taken", func() bool {
		x.Publish(t, g.Epoch.Topic(), e.Bytes())
		return a.in.Has(e)
	})
}

func testBadFrames(t *testing.T, w Network) {
	g, a, x := victim(t, w)
	ok := Hello(g.ID())
	chain := journal.ChainKey{Author: x.Author(), Incarnation: 1}
	end := End(chain, 1, journal.EntryID{1})
	frames := map[string][]byte{
		"no CBOR":             {0, 0, 0, 1, 0xff},
		"empty frame":         {0, 0, 0, 0},
		"over the limit":      {0xff, 0xff, 0xff, 0xff},
		"unknown kind":        Encode(t, Frame{1: 99, 2: g.Epoch.Group[:]}),
		"short group":         Encode(t, Frame{1: KindHello, 2: []byte{1}}),
		"unknown field":       Encode(t, Frame{1: KindHello, 2: g.Epoch.Group[:], 77: 1}),
		"entries unasked":     Encode(t, Frame{1: KindEntries, 8: []any{[]byte{1}}}),
		"pull before hello":   Encode(t, Frame{1: KindPull, 6: []any{[]any{chain.Author[:], 1, 1, 1}}}),
		"seq 0":               Encode(t, Hello(g.ID(), End(chain, 0, journal.EntryID{}))),
		"incarnation 65":      Encode(t, Hello(g.ID(), End(journal.ChainKey{Incarnation: 65}, 1, journal.EntryID{}))),
		"one chain twice":     Encode(t, Hello(g.ID(), end, end)),
		"not the shortest":    long(Encode(t, ok)),
		"hello after a hello": append(Encode(t, ok), Encode(t, ok)...),
		"pull of nothing":     append(Encode(t, ok), Encode(t, Frame{1: KindPull})...),
		"batch of 65":         append(Encode(t, ok), Encode(t, Frame{1: KindPull, 6: []any{[]any{chain.Author[:], 1, 1, 65}}})...),
		"short id":            append(Encode(t, ok), Encode(t, Frame{1: KindFetch, 7: []any{[]byte{1}}})...),
	}
	var count uint64
	for name, b := range frames {
		s, err := x.Open(a.Peer)
		if err != nil {
			t.Fatalf("%s: open: %v", name, err)
		}
		go func() { _, _ = io.Copy(io.Discard, s) }()
		_, _ = s.Write(b)
		count++
		Eventually(t, name+" is counted", func() bool {
			return status(a.Peer, x.Author()).Rejects[port.RejectFrame.Name()] >= count
		})
		_ = s.Close()
	}
	// The honest form of the same exchange is served.
	e := a.out.Fill(t, a.in, 1)[0]
	s, err := x.Open(a.Peer)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Write(Encode(t, ok)); err != nil {
		t.Fatal(err)
	}
	if f, err := ReadFrame(s); err != nil || f.Kind() != KindHello {
		t.Fatalf("hello: %v, %v", f, err)
	}
	author := e.Chain().Author
	if _, err := s.Write(Encode(t, Frame{1: KindPull, 6: []any{[]any{author[:], 1, 1, 64}}})); err != nil {
		t.Fatal(err)
	}
	f, err := ReadFrame(s)
	if err != nil || f.Kind() != KindEntries {
		t.Fatalf("entries: %v, %v", f, err)
	}
	if list, _ := f[8].([]any); len(list) != 1 || !bytes.Equal(list[0].([]byte), e.Bytes()) {
		t.Error("served something else than the entry")
	}
}

// long rewrites the first byte of a frame's map, kind 1, in two bytes: the same
// value in a form that is not the shortest.
func long(b []byte) []byte {
	body := b[4:]
	out := append([]byte{}, body[:2]...) // map header, key 1
	out = append(out, 0x18, body[2])     // kind as one-byte integer
	out = append(out, body[3:]...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(out))), out...)
}

// serve answers every sync stream with a hello that claims the given ends, and
// every request with what answer returns.
func serve(t *testing.T, x Hostile, g Group, answer func(Frame) []byte, ends ...[]any) {
	t.Helper()
	hello := Encode(t, Hello(g.ID(), ends...))
	x.Serve(func(s io.ReadWriteCloser) {
		defer func() { _ = s.Close() }()
		if f, err := ReadFrame(s); err != nil || f.Kind() != KindHello {
			return
		}
		if _, err := s.Write(hello); err != nil {
			return
		}
		for {
			f, err := ReadFrame(s)
			if err != nil {
				return
			}
			if _, err := s.Write(answer(f)); err != nil {
				return
			}
		}
	})
}

func testBadBatches(t *testing.T, w Network) {
	g, a, x := victim(t, w)
	claimed := NewWriter(Identity(8), g, 1)
	first := claimed.Write(t)
	end := End(claimed.Chain(), 5, journal.EntryID{5})
	other := NewWriter(Identity(7), g, 1).Write(t)
	entries := func(raws ...[]byte) []byte {
		list := make([]any, len(raws))
		for i, r := range raws {
			list[i] = r
		}
		return Encode(t, Frame{1: KindEntries, 8: list})
	}
	cases := map[*port.Outcome][]byte{
		port.RejectUnasked:    entries(other.Bytes()),
		port.RejectFrame:      Encode(t, Hello(g.ID())),
		port.RejectFalseClaim: Encode(t, Frame{1: KindEntries, 9: true}),
	}
	for rule, raw := range badEntries(t, g) {
		cases[rule] = entries(raw)
	}
	for rule, answer := range cases {
		serve(t, x, g, func(Frame) []byte { return answer }, end)
		a.Sync(g.ID(), nil)
		awaitReject(t, a, x, rule, 1)
	}
	if a.in.Len() != 0 {
		t.Error("something was handed up")
	}
	serve(t, x, g, func(f Frame) []byte {
		if asks, _ := f[6].([]any); len(asks) == 1 && asks[0].([]any)[2] == uint64(1) {
			return entries(first.Bytes())
		}
		return entries()
	}, end)
	a.Sync(g.ID(), nil)
	Eventually(t, "a good entry of the same peer is taken", func() bool { return a.in.Has(first) })
}

func testFalseClaim(t *testing.T, w Network) {
	g, a, x := victim(t, w)
	c := journal.ChainKey{Author: Identity(8).Author(), Incarnation: 1}
	var asked atomic.Int64
	nothing := Encode(t, Frame{1: KindEntries})
	serve(t, x, g, func(Frame) []byte { asked.Add(1); return nothing }, End(c, 1000, journal.EntryID{5}))
	a.Sync(g.ID(), nil)
	awaitReject(t, a, x, port.RejectFalseClaim, 1)

	// The same claim again does not make the node ask again.
	before := asked.Load()
	for range 5 {
		s, err := x.Open(a.Peer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(Encode(t, Hello(g.ID(), End(c, 1000, journal.EntryID{5})))); err != nil {
			t.Fatal(err)
		}
		if f, err := ReadFrame(s); err != nil || f.Kind() != KindHello {
			t.Fatalf("hello: %v, %v", f, err)
		}
		_ = s.Close()
	}
	if n := asked.Load(); n != before {
		t.Errorf("asked %d times more after a false claim", n-before)
	}
	if got := a.in.ClaimOf(x.Author()).Frontier[c].Seq; got != 1000 {
		t.Errorf("the claim was not passed on: seq %d", got)
	}
}

func testPanic(t *testing.T, w Network) {
	g, a, x := victim(t, w)
	a.in.SetHook(func(_ journal.Author, e *journal.Entry) {
		if e.Chain().Author == x.Author() {
			panic("reader fails")
		}
	})
	salt := uint64(0)
	Eventually(t, "counted as malformed", func() bool {
		salt++ // pubsub passes the same bytes once
		x.Publish(t, g.Epoch.Topic(), NewWriter(Identity(9), g, salt).Write(t).Bytes())
		return status(a.Peer, x.Author()).Rejects[port.RejectMalformed.Name()] > 0
	})
	if a.in.Len() != 0 {
		t.Error("the entry was stored")
	}
	e := NewWriter(Identity(7), g, 1).Write(t)
	Eventually(t, "the node goes on", func() bool {
		x.Publish(t, g.Epoch.Topic(), e.Bytes())
		return a.in.Has(e)
	})
	if err := a.Publish(context.Background(), a.out.Write(t)); err != nil {
		t.Error(err)
	}
}
