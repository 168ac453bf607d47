package coordinator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// A hosted cosigner has a key and no node: another member, its host, enters its
// record, reveal and ratification. It has no identity: it writes nothing, is
// sealed nothing, and votes by its key's signatures alone, which any member
// carries. That its host is not itself the holder of the key, nothing can show:
// every other member accepts it by name.

// Host gives a cosigner that has no node a place, until its key is entered by a
// Prove. Given again under its name, the key changes. Allow may name key_origin.
type Host struct {
	Name, Key string
	Allow     []string
}

// host keeps a place for a cosigner without a node.
func (s *step) host(x Host) error {
	if err := s.forming(); err != nil {
		return err
	}
	if err := CheckName(x.Name); err != nil {
		return err
	}
	if s.m.State.Closed() {
		return refusal.New(refusal.NoPlace, "every place of the wallet is taken").WithHint("`wallet abandon` it and create a new one")
	}
	key, err := NamedKey(s.m.State.Genesis(), x.Key, x.Allow)
	if err != nil {
		return err
	}
	if _, entered := s.m.hostedRecord(x.Name); entered {
		return refusal.New(refusal.Proved, "the key of %q is entered already", x.Name).WithHint("abandon the wallet and found another to use another key")
	}
	if _, taken := s.m.State.Places(); taken >= s.m.State.Genesis().Cosigners {
		return refusal.New(refusal.NoPlace, "every place of the wallet is taken").WithHint("an invite that was used counts, whether its taker's key is here or not")
	}
	if err := FreeName(x.Name, s.m.namesTaken(journal.Author{})); err != nil {
		return err
	}
	for _, p := range s.m.local.Hosted {
		if p.Name != x.Name && alike(p.Name, x.Name) {
			return FreeName(x.Name, []string{p.Name})
		}
	}
	if by, taken := s.takenBy(key); taken {
		return refusal.New(refusal.KeyTaken, "the key is in use by cosigner %q", by).WithHint("take another key, as of the next account of the device")
	}
	if own, err := wallet.ParseKey(s.m.local.External, wallet.Network(s.m.State.Genesis().Network)); err == nil && wallet.SameSigner(own, key) {
		return refusal.New(refusal.KeyTaken, "the key is this node's own").WithHint("give the key of %q", x.Name)
	}
	places := slices.Clone(s.m.local.Hosted)
	at := slices.IndexFunc(places, func(p HostedPlace) bool { return p.Name == x.Name })
	switch {
	case at < 0 && len(places) >= event.MaxCosigners:
		return refusal.New(refusal.NoPlace, "this node hosts as many as a wallet can have")
	case at < 0:
		places = append(places, HostedPlace{Name: x.Name, Key: key.String(), Salt: s.draw()})
	default:
		places[at].Key = key.String()
	}
	s.m.local.Hosted = places
	answer(s, x, Done{})
	return s.put(recLocal, s.m.local)
}

// hostedPlace returns a cosigner that this node hosts, by its name.
func (m Machine) hostedPlace(name string) (HostedPlace, error) {
	for _, p := range m.local.Hosted {
		if p.Name == name {
			return p, nil
		}
	}
	var names []string
	for _, p := range m.local.Hosted {
		names = append(names, p.Name)
	}
	r := refusal.New(refusal.NotHosted, "this node hosts no cosigner named %q", name)
	if len(names) > 0 {
		return HostedPlace{}, r.WithHint("it hosts %s", strings.Join(names, ", "))
	}
	return HostedPlace{}, r.WithHint("`wallet host` gives one a place, before the wallet is active")
}

// HostedProofRequest returns what a hosted cosigner's device has to sign.
func (m Machine) HostedProofRequest(name string) (ProofRequest, error) {
	p, err := m.hostedPlace(name)
	if err != nil {
		return ProofRequest{}, err
	}
	if _, entered := m.hostedRecord(name); entered {
		return ProofRequest{}, refusal.New(refusal.Proved, "the key of %q is entered already", name)
	}
	net := wallet.Network(m.State.Genesis().Network)
	key, err := wallet.ParseKey(p.Key, net)
	if err != nil {
		return ProofRequest{}, fmt.Errorf("read hosted key: %w", err)
	}
	by, err := key.ProofKey(net)
	if err != nil {
		return ProofRequest{}, err
	}
	b := &event.MemberRecord{Name: p.Name, Key: p.Key, Hosted: true}
	_, text := b.Claim(m.State.Group(), m.State.Me())
	return ProofRequest{Text: text, Key: key, By: by}, nil
}

// proveHosted writes a hosted cosigner's record, once.
func (s *step) proveHosted(x Prove) error {
	want, err := s.m.HostedProofRequest(x.For)
	if err != nil {
		return err
	}
	if _, own := s.m.ownRecord(); !own {
		return refusal.New(refusal.NotReady, "this node's own key is not entered yet").WithHint("enter it first: `wallet proof` says what to sign")
	}
	if _, taken := s.m.State.Places(); taken >= s.m.State.Genesis().Cosigners || s.m.State.Closed() {
		return refusal.New(refusal.NoPlace, "every place of the wallet is taken").WithHint("`wallet abandon` it and create a new one")
	}
	if by, taken := s.takenBy(want.Key); taken {
		return refusal.New(refusal.KeyTaken, "the key is in use by cosigner %q", by).WithHint("`wallet host` again with another key")
	}
	place, err := s.m.hostedPlace(x.For)
	if err != nil {
		return err
	}
	if err := FreeName(place.Name, s.m.namesTaken(journal.Author{})); err != nil {
		return err
	}
	b := &event.MemberRecord{Name: place.Name, Key: place.Key, Commitment: group.Commitment(place.Salt), How: x.How, Proof: x.Proof, Hosted: true}
	if _, err := s.m.State.CheckRecord(s.m.State.Me(), b); err != nil {
		return refusal.New(refusal.Proof, "%v", err).WithHint("sign exactly what `wallet proof --for` prints, with the key at %s", want.By.PathText())
	}
	if _, err := s.write(b); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}
