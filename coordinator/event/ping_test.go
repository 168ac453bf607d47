package event

import (
	"testing"

	"github.com/quorate/quorate/journal"
)

// A ping's claim is of one group, node, round and key, and of nothing else.
func TestAPingIsOfOneRoundOnly(t *testing.T) {
	base := PingClaim(journal.GroupID{1}, journal.Author{2}, journal.EntryID{3}, "key")
	if err := base.Check(); err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]string{base.Hash(): "itself"}
	texts := map[string]string{base.PingText(): "itself"}
	if n := len(base.PingText()); n > 240 {
		t.Errorf("text of %d characters", n)
	}
	possession := KeyClaim{Group: base.Group, Identity: base.Identity, Key: base.Key}
	for name, c := range map[string]KeyClaim{
		"group":      PingClaim(journal.GroupID{9}, base.Identity, base.Round, base.Key),
		"identity":   PingClaim(base.Group, journal.Author{9}, base.Round, base.Key),
		"round":      PingClaim(base.Group, base.Identity, journal.EntryID{9}, base.Key),
		"key":        PingClaim(base.Group, base.Identity, base.Round, "another"),
		"possession": possession,
	} {
		if was, ok := seen[c.Hash()]; ok {
			t.Errorf("%s has the hash of %s", name, was)
		}
		seen[c.Hash()] = name
		if was, ok := texts[c.PingText()]; ok && name != "possession" {
			t.Errorf("%s has the text of %s", name, was)
		}
		texts[c.PingText()] = name
	}
	hash, text := (&MemberRecord{Key: base.Key}).Claim(base.Group, base.Identity)
	_, hosted := (&MemberRecord{Key: base.Key, Hosted: true}).Claim(base.Group, base.Identity)
	if seen[hash] != "possession" || texts[text] != "" || texts[hosted] != "" {
		t.Error("a record's proof is a ping's")
	}
	for name, c := range map[string]KeyClaim{
		"and of a replacement": {Group: base.Group, Identity: base.Identity, Round: base.Round, Replaces: &Replaced{}},
		"and of a sealing key": {Group: base.Group, Identity: base.Identity, Round: base.Round, Key: "key", Sealing: [32]byte{1}},
		"of no key":            {Group: base.Group, Identity: base.Identity, Round: base.Round},
	} {
		if c.Check() == nil {
			t.Errorf("a claim of a round %s is taken", name)
		}
	}
	for name, b := range map[string]PingAnswered{
		"no round":       {Proof: make([]byte, 70)},
		"no proof":       {Round: base.Round},
		"a long proof":   {Round: base.Round, Proof: make([]byte, maxProofLen+1)},
		"nothing proved": {Round: base.Round, Proof: make([]byte, 70), How: ProofNone},
		"a later kind":   {Round: base.Round, Proof: make([]byte, 70), How: ProofNone + 1},
		"key 20":         {Round: base.Round, Proof: make([]byte, 70), Key: MaxCosigners},
	} {
		if b.Check() == nil {
			t.Errorf("an answer with %s is taken", name)
		}
	}
}
