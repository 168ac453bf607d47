package event

import (
	"bytes"
	"errors"
	"testing"

	"github.com/quorate/quorate/journal"
)

func events(tb testing.TB) []Body {
	tb.Helper()
	genesis, err := EncodeGenesis(Genesis{Version: 1, Threshold: 2, Cosigners: 3, Script: "wsh", Network: "regtest"})
	if err != nil {
		tb.Fatal(err)
	}
	change := uint32(4)
	return []Body{
		&GroupCreated{Genesis: genesis, Name: "treasury"},
		&MemberAdmitted{Identity: journal.Author{1}},
		&MemberRecord{Name: "alice", Key: "[00000000/48h/1h/0h/2h]tpub", Proof: []byte{1}},
		&RosterClosed{Records: []journal.EntryID{{1}, {2}}},
		&RosterRevealed{Roster: journal.EntryID{1}, Salt: [32]byte{2}},
		&RosterRatified{Hash: [32]byte{3}},
		&RosterRatified{Hash: [32]byte{3}, Record: &journal.EntryID{4}},
		&MemberRecord{Name: "Hal", Key: "k", How: ProofNone, Hosted: true},
		&GroupAbandoned{Reason: "lost"},
		&EpochRotated{Number: 1, Stanzas: []Stanza{{To: journal.Author{1}, Sealed: []byte{1, 2}}}},
		&StanzaFailed{}, &IncarnationStarted{Seq: 3}, &MemberReplaced{Key: 1, New: journal.Author{1}, Cuts: []ReplacedCut{{1, 2, journal.EntryID{3}}}, Consent: make([]byte, 64)}, &ReplacementApproved{Replacement: [32]byte{4}}, &EntriesNamed{Entries: []journal.EntryID{{1}}}, &AddressLeased{Index: 7},
		&LabelSet{Target: LabelTx, Of: make([]byte, 32), Text: "rent", Supersedes: []journal.EntryID{{1}, {2}}},
		&LabelSet{Target: LabelAddress, Of: payee(1)}, &LabelSet{Target: LabelOutput, Of: make([]byte, 36), Text: "change"},
		&CoinFrozen{Coin: make([]byte, 36), Frozen: true, Note: "dust of a stranger", Supersedes: []journal.EntryID{{1}, {2}}}, &CoinFrozen{Coin: make([]byte, 36)},
		&GroupFrozen{Reason: "my laptop is gone"}, &GroupFrozen{}, &FreezeLifted{Freezes: []journal.EntryID{{1}, {2}}, Height: 840_000},
		&PingAsked{}, &PingAnswered{Round: journal.EntryID{5}, Key: 2, Proof: make([]byte, 71)}, &PingAnswered{Round: journal.EntryID{5}, Proof: make([]byte, 65), How: ProofMessage},
		&ProposalCreated{
			Inputs:  []ProposalInput{{Vout: 1, Amount: 1000, Branch: 1, Index: 2}},
			Outputs: []ProposalOutput{{PkScript: payee(1), Amount: 500, Label: "rent"}, {Change: &change, Amount: 300}},
			Note:    "a\nb", Expires: 1_800_000_000,
		},
		&ProposalApproved{Signatures: []PartialSignature{{Bytes: make([]byte, 71)}}},
		&ProposalRejected{Reason: "no"}, &RejectionWithdrawn{}, &ProposalWithdrawn{},
		&NodeFeatures{Kinds: KnownKinds()}, &ProposalCommented{Text: "why not\nnext week?"},
		&SignatureCarried{Signatures: []PartialSignature{{Bytes: make([]byte, 71)}}},
		&PolicyProposed{Bytes: []byte{0xa0}}, &PolicyProposed{Bytes: []byte{0xa0}, Parents: []PolicyVersion{{1}, {2}}},
		&PolicyApproved{Version: PolicyVersion{1}}, &PolicyObjected{Version: PolicyVersion{1}}, &PolicyAdopted{Version: PolicyVersion{1}}, &PolicyAdopted{Version: PolicyVersion{1}, Median: 1_700_000_000},
		&PolicyAnchored{Version: PolicyVersion{1}, Votes: []journal.EntryID{{1}, {2}}, Height: 800_000, Time: 1_700_000_000},
		&BudgetReserved{Meters: []uint64{0, 3}}, &BudgetGranted{Reservation: journal.EntryID{1}}, &BudgetReleased{Reservation: journal.EntryID{1}},
		&RobotVerdict{Outcome: 1, Rule: 1}, &RobotVerdict{Outcome: 3, Reasons: []string{"amount_max"}, Step: 1, Until: 9, Fulfilled: 8, Now: 7, Facts: []byte{1}, Shadow: true},
	}
}

// payee is a script that has an address.
func payee(n byte) []byte {
	s := make([]byte, 22)
	s[1], s[21] = 20, n
	return s
}

func TestEventsRoundTrip(t *testing.T) {
	seen := map[Kind]bool{}
	for _, b := range events(t) {
		raw, err := Encode(Event{Time: 1_700_000_000_000, Body: b})
		if err != nil {
			t.Fatalf("%T: %v", b, err)
		}
		ev, err := Decode(raw)
		if err != nil {
			t.Fatalf("%T: %v", b, err)
		}
		again, err := Encode(ev)
		if err != nil || !bytes.Equal(raw, again) {
			t.Fatalf("%T: %x then %x (%v)", b, raw, again, err)
		}
		seen[b.Kind()] = true
	}
	for k := Kind(0); k < 64; k++ {
		if NewBody(k) != nil && !seen[k] {
			t.Errorf("kind %d has no round trip", k)
		}
	}
}

func TestEventRules(t *testing.T) {
	// Maps of key and value, written by hand: 0xa3 is a map of three.
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"unknown kind":           {[]byte{0xa2, 0x00, 0x18, 0x63, 0x01, 0x01}, ErrNewer},
		"unknown low key":        {[]byte{0xa4, 0x00, 0x10, 0x01, 0x01, 0x02, 0x07, 0x03, 0x01}, ErrNewer},
		"unknown high key":       {[]byte{0xa4, 0x00, 0x10, 0x01, 0x01, 0x02, 0x07, 0x18, 0x80, 0x01}, nil},
		"long integer":           {[]byte{0xa3, 0x00, 0x18, 0x10, 0x01, 0x01, 0x02, 0x07}, ErrEvent},
		"unsorted keys":          {[]byte{0xa3, 0x01, 0x01, 0x00, 0x10, 0x02, 0x07}, ErrEvent},
		"repeated key":           {[]byte{0xa4, 0x00, 0x10, 0x01, 0x01, 0x02, 0x07, 0x02, 0x07}, ErrEvent},
		"no kind":                {[]byte{0xa1, 0x01, 0x01}, ErrEvent},
		"no time":                {[]byte{0xa2, 0x00, 0x10, 0x02, 0x07}, ErrEvent},
		"trailing byte":          {[]byte{0xa3, 0x00, 0x10, 0x01, 0x01, 0x02, 0x07, 0x00}, ErrEvent},
		"indefinite length":      {[]byte{0xbf, 0x00, 0x10, 0x01, 0x01, 0x02, 0x07, 0xff}, ErrEvent},
		"tag":                    {[]byte{0xc0, 0xa3, 0x00, 0x10, 0x01, 0x01, 0x02, 0x07}, ErrEvent},
		"hardened address index": {[]byte{0xa3, 0x00, 0x10, 0x01, 0x01, 0x02, 0x1a, 0x80, 0, 0, 0}, ErrEvent},
		"empty":                  {nil, ErrEvent},
	} {
		if _, err := Decode(c.raw); !errors.Is(err, c.want) || (c.want == nil && err != nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestBoundsOfEvents(t *testing.T) {
	change := uint32(1)
	in := []ProposalInput{{Amount: 1000}}
	out := []ProposalOutput{{PkScript: payee(1), Amount: 500}}
	for name, b := range map[string]Body{
		"control character in a name": &MemberRecord{Name: "a\x1b[2J"},
		"line break in a name":        &MemberRecord{Name: "a\nb"},
		"text turned around":          &ProposalCreated{Inputs: in, Outputs: out, Note: "pay \u202eeciL"},
		"empty wallet name":           &GroupCreated{Name: " "},
		"coin twice":                  &ProposalCreated{Inputs: []ProposalInput{{Amount: 1}, {Amount: 1}}, Outputs: []ProposalOutput{{PkScript: payee(1), Amount: 1}}},
		"more out than in":            &ProposalCreated{Inputs: in, Outputs: []ProposalOutput{{PkScript: payee(1), Amount: 1001}}},
		"more than all bitcoin":       &ProposalCreated{Inputs: []ProposalInput{{Amount: MaxMoney + 1}}, Outputs: out},
		"zero output":                 &ProposalCreated{Inputs: in, Outputs: []ProposalOutput{{PkScript: payee(1)}}},
		"two change outputs":          &ProposalCreated{Inputs: in, Outputs: []ProposalOutput{{Change: &change, Amount: 1}, {Change: &change, Amount: 1}}},
		"change and script":           &ProposalCreated{Inputs: in, Outputs: []ProposalOutput{{PkScript: payee(1), Change: &change, Amount: 1}}},
		"no inputs":                   &ProposalCreated{Outputs: out},
		"no signatures":               &ProposalApproved{},
		"long signature":              &ProposalApproved{Signatures: []PartialSignature{{Bytes: make([]byte, 74)}}},
		"key out of range":            &ProposalApproved{Signatures: []PartialSignature{{Key: 20, Bytes: make([]byte, 71)}}},
		"empty roster":                &RosterClosed{},
		"epoch zero rekeyed":          &EpochRotated{Stanzas: []Stanza{{}}},
		"oversized stanza":            &EpochRotated{Number: 1, Stanzas: []Stanza{{Sealed: make([]byte, 257)}}},
	} {
		if _, err := Encode(Event{Time: 1, Body: b}); !errors.Is(err, ErrEvent) {
			t.Errorf("%s: %v, want ErrEvent", name, err)
		}
	}
	for name, g := range map[string]Genesis{
		"threshold over cosigners": {Version: 1, Threshold: 3, Cosigners: 2, Script: "wsh", Network: "regtest"},
		"21 cosigners":             {Version: 1, Threshold: 3, Cosigners: 21, Script: "wsh", Network: "regtest"},
		"threshold zero":           {Version: 1, Threshold: 0, Cosigners: 2, Script: "wsh", Network: "regtest"},
		"unknown script":           {Version: 1, Threshold: 1, Cosigners: 2, Script: "tr", Network: "regtest"},
		"unknown network":          {Version: 1, Threshold: 1, Cosigners: 2, Script: "wsh", Network: "litecoin"},
	} {
		if _, err := EncodeGenesis(g); !errors.Is(err, ErrEvent) {
			t.Errorf("%s: %v, want ErrEvent", name, err)
		}
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, b := range events(f) {
		raw, err := Encode(Event{Time: 1_700_000_000_000, Body: b})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ev, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrEvent) && !errors.Is(err, ErrNewer) {
				t.Fatalf("unnamed error: %v", err)
			}
			return
		}
		again, err := Encode(ev)
		if err != nil {
			t.Fatalf("decoded, but does not encode: %v", err)
		}
		// Only ignorable keys may be lost.
		if next, err := Decode(again); err != nil || next.Time != ev.Time || next.Body.Kind() != ev.Body.Kind() {
			t.Fatalf("does not decode again: %v", err)
		}
	})
}

func FuzzDecodeGenesis(f *testing.F) {
	raw, err := EncodeGenesis(Genesis{Version: 1, Threshold: 2, Cosigners: 3, Script: "wsh", Network: "regtest"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := DecodeGenesis(b)
		if err != nil {
			return
		}
		if again, err := EncodeGenesis(g); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x reads, but encodes as %x (%v)", b, again, err)
		}
	})
}
