package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// Join presents an invite and enters the group. A repeat, or one after a crash
// in the middle, goes on where it stopped: a node has one record in a group.
// With an external key ("" for none) this node's place waits for Prove; a
// repeat may bring another one until then; allow may name key_origin for it.
func (n *Node) Join(ctx context.Context, inv port.Invite, external string, allow []string) (*Actor, error) {
	if inv.Founder == n.self.Identity.Author() {
		return nil, fmt.Errorf("%w: the invite is this node's own", refusal.ErrBadRequest)
	}
	if a, ok := n.Wallet(inv.Group); ok {
		return a, a.changeKey(ctx, external, allow)
	}
	if err := n.notFailed(inv.Group); err != nil {
		return nil, err // before the founder hears of it
	}
	if n.ports.Clock.Now().After(inv.Expires) {
		return nil, port.ErrInviteExpired
	}
	grant, err := n.ports.Transport.Join(ctx, inv, nil)
	if err != nil {
		return nil, fmt.Errorf("present the invite: %w", err)
	}
	if grant.Challenge != nil {
		return n.takePlace(ctx, inv, *grant.Challenge, external)
	}
	ctx, done, err := n.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	defer done()
	if a, ok := n.Wallet(inv.Group); ok {
		return a, a.changeKey(ctx, external, allow)
	}
	if err := coordinator.FreeName(n.name, grant.Names); err != nil {
		var r *refusal.Refusal
		if errors.As(err, &r) {
			return nil, r.WithHint("give this node another name (`name` in its configuration) and join again: the invite is kept for it")
		}
		return nil, fmt.Errorf("join: %w", err)
	}
	g, err := event.DecodeGenesis(grant.Genesis)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	ck, err := n.cosignerKey(ctx, g, external, allow)
	if err != nil {
		return nil, err
	}
	in, err := n.input()
	if err != nil {
		return nil, err
	}
	m, effects, err := coordinator.Enter(n.self, in, inv, grant, n.network, n.name, ck, n.birthdayOf(ctx, g))
	if err != nil {
		return nil, err
	}
	return n.begin(ctx, m, effects)
}

// changeKey gives a wallet that this node is in already another external key, where
// one is given.
func (a *Actor) changeKey(ctx context.Context, external string, allow []string) error {
	if external == "" {
		return nil
	}
	_, err := Do(ctx, a, coordinator.ChangeKey{Key: external, Allow: allow})
	return err
}

// searchAccounts is how many accounts of the seed are looked at for a key that
// was ratified before.
const searchAccounts = 256

// takePlace answers the challenge of an invite that replaces a lost member: it
// finds the ratified key among the accounts of the seed, proves it, and enters.
func (n *Node) takePlace(ctx context.Context, inv port.Invite, c event.Challenge, external string) (*Actor, error) {
	var ck coordinator.CosignerKey
	var prove func(event.KeyClaim) ([]byte, error)
	if external != "" {
		// The others ratified this very key, wherever its origin is.
		key, err := coordinator.ExternalKey(external, n.network, c.Script, []string{refusal.KeyOrigin})
		if err != nil {
			return nil, err
		}
		if event.AccountHash(inv.Group, key.String()) != c.Account {
			return nil, errNotThisKey()
		}
		ck.Key = key
	} else {
		var err error
		if ck, err = n.findKey(ctx, inv.Group, c); err != nil {
			return nil, err
		}
		prove = ck.Prove
	}
	claim, err := c.Claim(n.self.Identity, n.self.Sealing.Public(), inv.Group, prove)
	if err != nil {
		return nil, err
	}
	grant, err := n.ports.Transport.Join(ctx, inv, claim)
	if err != nil {
		return nil, fmt.Errorf("present the proof: %w", err)
	}
	ctx, done, err := n.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	defer done()
	if a, ok := n.Wallet(inv.Group); ok {
		return a, nil
	}
	in, err := n.input()
	if err != nil {
		return nil, err
	}
	m, effects, err := coordinator.EnterSuccession(n.self, in, inv, n.own(ctx, grant), n.network, ck)
	if err != nil {
		return nil, err
	}
	return n.begin(ctx, m, effects)
}

func errNotThisKey() error {
	return refusal.New(refusal.NoKey, "this node's seed does not hold the key of the member that the invite replaces").
		WithHint("make the node with the mnemonic of the lost one (`init --mnemonic-file`), or ask for an invite that names the right member")
}
