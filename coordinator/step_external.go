package coordinator

import (
	"errors"
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// prove writes this node's record with an external key, once.
func (s *step) prove(x Prove) error {
	if err := s.forming(); err != nil {
		return err
	}
	if x.For != "" {
		return s.proveHosted(x)
	}
	want, err := s.m.ProofRequest()
	if err != nil {
		return err
	}
	if s.m.State.Name() == "" && s.m.State.Me() != s.m.State.Genesis().Founder {
		return refusal.New(refusal.NotReady, "the founder's entries are not here yet").WithHint("try again when `wallet show` gives the wallet's name")
	}
	if by, taken := s.takenBy(want.Key); taken {
		return refusal.New(refusal.KeyTaken, "the key is in use by cosigner %q", by).
			WithHint("join again with --external and another key, as of the next account of the device")
	}
	if err := FreeName(x.Name, s.m.namesTaken(s.m.State.Me())); err != nil {
		return err
	}
	b := &event.MemberRecord{
		Name: x.Name, SealingKey: s.m.State.Self().Sealing.Public(), Key: want.Key.String(),
		Commitment: group.Commitment(s.m.local.Salt), How: x.How, Proof: x.Proof,
	}
	if _, err := s.m.State.CheckRecord(s.m.State.Me(), b); err != nil {
		return refusal.New(refusal.Proof, "%v", err).WithHint("sign exactly what `wallet proof` prints, with the key at %s", want.By.PathText())
	}
	if _, err := s.write(b); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}

// takenBy returns who brought a key already, its chain code aside: one public
// key is one signer.
func (s *step) takenBy(key wallet.Key) (string, bool) {
	for r := range s.m.State.Records {
		if wallet.SameSigner(r.Key, key) {
			return r.Body.Name, true
		}
	}
	return "", false
}

// changeKey takes another external key in place of one that is not proved yet.
func (s *step) changeKey(x ChangeKey) error {
	if err := s.forming(); err != nil {
		return err
	}
	key, err := NamedKey(s.m.State.Genesis(), x.Key, x.Allow)
	if err != nil {
		return err
	}
	if s.m.local.External == key.String() {
		answer(s, x, Done{}) // a repeat is harmless
		return nil
	}
	if !s.m.AwaitsProof() {
		return refusal.New(refusal.Proved, "this node's key is entered already").WithHint("abandon the wallet and found another to use another key")
	}
	s.m.local.External = key.String()
	answer(s, x, Done{})
	return s.put(recLocal, s.m.local)
}

// ExternalKey reads an external key and holds it to what a cosigner's key must be.
// Where key_origin is allowed, the origin may be another than such keys have: some
// devices know no other. A master key is refused all the same.
func ExternalKey(text string, net wallet.Network, st wallet.ScriptType, allow []string) (wallet.Key, error) {
	const hint = "take the key as the device exports it for multisig, with its origin: [fingerprint/48h/…]xpub…"
	key, err := wallet.ParseKeyFor(text, net, st)
	if err != nil {
		return key, refusal.New(refusal.BadKey, "the external key: %v", err).WithHint(hint)
	}
	switch err := key.CheckOrigin(net, st); {
	case errors.Is(err, wallet.ErrMasterKey):
		return key, refusal.New(refusal.BadKey, "the external key: %v", err).WithHint(hint)
	case err != nil && !slices.Contains(allow, refusal.KeyOrigin):
		return key, refusal.New(refusal.KeyOrigin, "the external key: %v", err).MayOverride().
			WithHint(hint + "; if the device has no other, repeat with --allow " + refusal.KeyOrigin)
	}
	if _, err := key.ProofKey(net); err != nil {
		return key, fmt.Errorf("external key: %w", err)
	}
	return key, nil
}

// begun writes the record of a node that holds its own key; one whose key is
// external waits for its proof.
func (s *step) begun(name string, ck CosignerKey) error {
	if ck.Prove == nil {
		return nil
	}
	return s.writeRecord(name, ck)
}

// writeRecord proves possession of the key and commits to the salt.
func (s *step) writeRecord(name string, ck CosignerKey) error {
	st := s.m.State
	b := &event.MemberRecord{Name: name, SealingKey: st.Self().Sealing.Public(), Key: ck.Key.String(), Commitment: group.Commitment(s.m.local.Salt)}
	var err error
	if b.Proof, err = ck.Prove(event.KeyClaim{Group: st.Group(), Identity: st.Me(), Sealing: b.SealingKey, Key: b.Key}); err != nil {
		return fmt.Errorf("prove possession of the key: %w", err)
	}
	if _, err := s.m.State.CheckRecord(st.Me(), b); err != nil {
		return fmt.Errorf("own record: %w", err)
	}
	_, err = s.write(b)
	return err
}
