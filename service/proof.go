package service

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

// Proof says what has to be signed before this node's external key is entered,
// or that of a cosigner that it hosts.
func (n *Node) Proof(_ context.Context, ref, hosted string) (api.Proof, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Proof{}, err
	}
	want, err := proofRequest(a.Machine(), hosted)
	if err != nil {
		return api.Proof{}, n.apiError(err)
	}
	out, err := toSign(a, want)
	if err != nil {
		return api.Proof{}, n.apiError(err)
	}
	return out, nil
}

// toSign is what a device has to sign, in the forms that devices take.
func toSign(a *node.Actor, want coordinator.ProofRequest) (api.Proof, error) {
	packet, err := want.By.ProofPSBT(want.Text, 0)
	if err != nil {
		return api.Proof{}, err
	}
	text, err := packet.Base64()
	if err != nil {
		return api.Proof{}, err
	}
	return api.Proof{
		Wallet: a.Group().String(), Key: want.Key.String(), Message: want.Text, Address: want.By.Address,
		Path: want.By.PathText(), Fingerprint: hex.EncodeToString(want.By.Fingerprint[:]), PSBT: text,
	}, nil
}

func proofRequest(m *coordinator.Machine, hosted string) (coordinator.ProofRequest, error) {
	if hosted != "" {
		return m.HostedProofRequest(hosted)
	}
	return m.ProofRequest()
}

// HostCosigner gives a cosigner without a node a place in a forming wallet.
func (n *Node) HostCosigner(ctx context.Context, ref string, r api.HostCosigner) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if _, err := node.Do(ctx, a, coordinator.Host{Name: r.Name, Key: r.External, Allow: r.Allow}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	if r.Unproven {
		return n.enter(ctx, a, coordinator.Prove{For: r.Name, How: event.ProofNone})
	}
	return summary(a), nil
}

// ProveWallet enters this node's external key, or that of a cosigner that it hosts.
func (n *Node) ProveWallet(ctx context.Context, ref string, r api.ProveWallet) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if r.Unproven {
		return n.enter(ctx, a, coordinator.Prove{For: r.For, How: event.ProofNone})
	}
	want, err := proofRequest(a.Machine(), r.For)
	if err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	how, proof, err := readProof(want, r.Signature)
	if err != nil {
		return api.WalletSummary{}, api.Refuse(refusal.Proof, err.Error(), "sign exactly what `wallet proof` prints, with the key at "+want.By.PathText())
	}
	return n.enter(ctx, a, coordinator.Prove{For: r.For, How: how, Proof: proof})
}

func readProof(want coordinator.ProofRequest, text string) (event.ProofKind, []byte, error) {
	switch packet, err := psbt.ParseText([]byte(text)); {
	case err == nil:
		sig, err := want.By.ProofFromPSBT(want.Text, packet)
		return event.ProofPSBT, sig, err
	case !errors.Is(err, psbt.ErrMagic):
		return 0, nil, err
	}
	sig, err := wallet.ReadMessageSignature(text, want.By)
	if sig.Recoverable != nil {
		return event.ProofMessage, sig.Recoverable, err
	}
	return event.ProofBIP322, sig.BIP322, err
}

func (n *Node) enter(ctx context.Context, a *node.Actor, x coordinator.Prove) (api.WalletSummary, error) {
	x.Name = n.parts.Name
	if _, err := node.Do(ctx, a, x); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return entered(a), nil
}

// foundersEntries is how long a joiner waits for them: the two were connected
// a moment ago.
const foundersEntries = 30 * time.Second

// enterUnproven enters the key of a node that has just joined, as soon as the
// founder's entries say who else brought which key.
func (n *Node) enterUnproven(ctx context.Context, a *node.Actor) (api.WalletSummary, error) {
	if !a.Machine().AwaitsProof() {
		return entered(a), nil
	}
	ctx, cancel := context.WithTimeout(ctx, foundersEntries)
	defer cancel()
	for a.Machine().State.Name() == "" {
		select {
		case <-ctx.Done():
			return api.WalletSummary{}, api.TimedOut("not_entered", "join: the founder's entries did not come, so the key is not entered", "`quorate wallet prove WALLET --unproven` enters it later")
		case <-time.After(joinRetry / 20):
		}
	}
	return n.enter(ctx, a, coordinator.Prove{How: event.ProofNone})
}

// checkExternal reads an external key before anything is done with it.
func (n *Node) checkExternal(text string, unproven bool) error {
	if text == "" {
		if unproven {
			return api.Misuse("bad_request", "there is no external key to leave unproven", "give --external as well")
		}
		return nil
	}
	if len(text) == 8 && strings.Trim(text, "0123456789abcdefABCDEF") == "" {
		return nil // the fingerprint of a key that an existing wallet has
	}
	if _, err := wallet.ParseKey(text, n.parts.Network); err != nil {
		return api.Refuse(refusal.BadKey, "the external key: "+err.Error(), "take the key as the device exports it for multisig, with its origin: [fingerprint/48h/…]xpub…")
	}
	return nil
}
