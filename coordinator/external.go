package coordinator

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// ProofRequest is what a device has to sign before this node's record can be written.
type ProofRequest struct {
	Text string
	Key  wallet.Key
	By   wallet.ProofKey
}

// OwnKey returns this node's key of the wallet, as it is entered or waits for its
// proof, and whether its private part lives elsewhere; "" where it brought none.
func (m *Machine) OwnKey() (key string, external bool) {
	if r, ok := m.ownRecord(); ok {
		return r.Body.Key, m.External()
	}
	return m.local.External, m.local.External != ""
}

// ProofRequest returns what has to be signed. It refuses where this node's key
// is its own, or proved already.
func (m Machine) ProofRequest() (ProofRequest, error) {
	if m.local.External == "" {
		return ProofRequest{}, refusal.New(refusal.NotExternal, "this node holds its own key of the wallet: there is nothing to prove")
	}
	if _, done := m.ownRecord(); done {
		return ProofRequest{}, refusal.New(refusal.Proved, "this node's key is entered already")
	}
	net := wallet.Network(m.State.Genesis().Network)
	key, err := wallet.ParseKey(m.local.External, net)
	if err != nil {
		return ProofRequest{}, fmt.Errorf("read external key: %w", err)
	}
	by, err := key.ProofKey(net)
	if err != nil {
		return ProofRequest{}, err
	}
	st := m.State
	b := &event.MemberRecord{SealingKey: st.Self().Sealing.Public(), Key: key.String()}
	_, text := b.Claim(st.Group(), st.Me())
	return ProofRequest{Text: text, Key: key, By: by}, nil
}
