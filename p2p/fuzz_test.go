package p2p

import (
	"bytes"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// FuzzFrame: whatever parses is within its limits, has one form only, and goes
// through claim and back unchanged.
func FuzzFrame(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	add := func(fr *frame) {
		b, err := c.enc.Marshal(fr)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	chain := journal.ChainKey{Author: journal.Author{1}, Incarnation: 2}
	id := make([]byte, 32)
	add(claimFrame(kindHello, journal.GroupID{1}, port.Claim{
		Frontier: journal.Frontier{chain: {Seq: 3, ID: journal.EntryID{4}}},
		Forks:    []journal.Fork{{Chain: chain, Seq: 4, A: journal.EntryID{5}, B: journal.EntryID{6}}},
	}, [][]byte{{7}}))
	add(claimFrame(kindClaim, journal.GroupID{1}, port.Claim{}, nil))
	add(&frame{Kind: kindPull, Asks: []wireAsk{{Author: id, Incarnation: 1, Seq: 1, Limit: 64}}})
	add(&frame{Kind: kindFetch, IDs: [][]byte{id}})
	add(&frame{Kind: kindEntries, Entries: [][]byte{{1}}, Short: true})
	add(&frame{Kind: kindRefused})
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := c.parse(b)
		if err != nil {
			if !port.IsReject(err) {
				t.Fatalf("a bad frame is not a reject: %v", err)
			}
			return
		}
		again, err := c.enc.Marshal(fr)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("a frame of two forms: %x, %x, %v", b, again, err)
		}
		if fr.Kind == kindHello || fr.Kind == kindClaim {
			back := claimFrame(fr.Kind, journal.GroupID(fr.Group), fr.claim(), fr.Records)
			again, err := c.enc.Marshal(back)
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("a claim of two forms: %x, %x, %v", b, again, err)
			}
		}
		// What travels before a frame is read is bounded as well.
		got, err := readFrame(bytes.NewReader(appendFrame(b)), len(b))
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("framing: %x, %v", got, err)
		}
	})
}

// FuzzReadFrame: no bytes make the reader take more than the limit.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 2}, 10)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, 10)
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		got, err := readFrame(bytes.NewReader(b), limit)
		if err == nil && (len(got) == 0 || len(got) > limit || !bytes.Equal(appendFrame(got), b[:4+len(got)])) {
			t.Fatalf("read %x from %x", got, b)
		}
	})
}

// FuzzJoin: the three join frames have one form only.
func FuzzJoin(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	for i, v := range []any{
		joinNonce{make([]byte, 32)},
		joinProof{Group: make([]byte, 32), Proof: make([]byte, 32)},
		joinProof{make([]byte, 32), make([]byte, 32), &port.SuccessionClaim{Proof: make([]byte, 72), Consent: make([]byte, 64)}},
		joinAnswer{Challenge: &port.Challenge{Key: 1}},
		joinAnswer{Outcome: 0, Genesis: []byte{1}, Secret: make([]byte, 32)},
		joinAnswer{Outcome: 3},
		joinNames{[]string{"Bob"}},
	} {
		b, err := c.enc.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(min(i, 3)))
	}
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		v := []any{new(joinNonce), new(joinProof), new(joinAnswer), new(joinNames)}[which%4]
		if c.decode(b, v) != nil {
			return
		}
		again, err := c.enc.Marshal(v)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("a frame of two forms: %x, %x, %v", b, again, err)
		}
	})
}

// FuzzVouch: no bytes pass as a member's signed addresses.
func FuzzVouch(f *testing.F) {
	d := newTestDirectory(f, nil)
	good := signedRecord(f, 1, 1, "/ip4/127.0.0.1/tcp/1")
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, news, err := d.vouch(b, func(journal.Author) bool { return true })
		if news && err != nil {
			t.Fatalf("a record was taken with an error: %v", err)
		}
		if news && !bytes.Equal(d.record(a), b) {
			t.Fatal("a record was taken but not kept")
		}
		if len(d.of(a)) > 3*maxAddresses {
			t.Fatal("too many addresses are kept")
		}
	})
}
