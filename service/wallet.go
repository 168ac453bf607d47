package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
)

// joinRetry is the pause between tries to reach a founder.
const joinRetry = 2 * time.Second

// Wallets lists all wallets.
func (n *Node) Wallets(context.Context) ([]api.Wallet, error) {
	var out []api.Wallet
	for _, a := range n.co.Wallets() {
		w := api.Wallet{WalletSummary: api.WalletSummary{Wallet: a.Group().String(), State: stateFailed}}
		a.Read(func(*coordinator.Machine) { w = n.wallet(a) })
		out = append(out, w)
	}
	for _, f := range n.co.Failed() {
		out = append(out, api.Wallet{WalletSummary: failedSummary(f)})
	}
	return out, nil
}

// Wallet shows one.
func (n *Node) Wallet(_ context.Context, ref string) (api.Wallet, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Wallet{}, err
	}
	return n.wallet(a), nil
}

func (n *Node) wallet(a *coordinator.Actor) api.Wallet {
	m := a.Machine()
	w := api.Wallet{WalletSummary: summary(a), Threshold: m.State.Genesis().Threshold}
	online := map[journal.Author]bool{m.State.Me(): true}
	for _, p := range n.net.Peers() {
		online[p.Peer] = online[p.Peer] || p.Connected
	}
	for _, c := range m.Cosigners() {
		var hostedBy *api.Person
		if c.Hosted() {
			host := personOf(m, c.Host)
			hostedBy = &host
		}
		w.Cosigners = append(w.Cosigners, api.Cosigner{
			Person: person(c.Member), HostedBy: hostedBy, Replaced: c.Replaced,
			Path: keyPath(c.Key.Path), XPub: c.Key.XPub, Online: online[c.Identity], Ratified: c.Ratified, Proof: c.Proof.String(),
		})
	}
	if r, ok := m.State.Roster(); ok && r.Complete() {
		words := r.Words()
		w.Words = &words
	}
	if act := m.State.Active(); act != nil {
		d := act.Descriptor.String()
		w.Descriptor = &d
		w.Replacements = replacements(m)
		b := coordinator.Sum(coordinator.Coins(m.State, m.View, time.Now()))
		w.Balance = api.Balance{Confirmed: b.Confirmed, Unconfirmed: b.Unconfirmed, Leased: b.Leased, Spendable: b.Spendable}
	}
	return w
}

func keyPath(path []uint32) string {
	parts := make([]string, len(path))
	for i, p := range path {
		if p >= 1<<31 {
			parts[i] = fmt.Sprintf("%dh", p-(1<<31))
		} else {
			parts[i] = fmt.Sprint(p)
		}
	}
	return strings.Join(parts, "/")
}

// CreateWallet founds a wallet.
func (n *Node) CreateWallet(ctx context.Context, r api.CreateWallet) (api.WalletInvites, error) {
	f, err := n.founding(ctx, r)
	if err != nil {
		return api.WalletInvites{}, err
	}
	a, invites, err := n.co.Create(ctx, f)
	if err != nil {
		return api.WalletInvites{}, n.apiError(err)
	}
	if r.External != "" && r.Unproven {
		if _, err := n.enter(ctx, a, coordinator.Prove{How: coordinator.ProofNone}); err != nil {
			return api.WalletInvites{}, err
		}
	}
	out := api.WalletInvites{WalletSummary: summary(a)}
	for _, inv := range invites {
		out.Invites = append(out.Invites, inv.String())
	}
	return out, nil
}

// JoinWallet presents an invite; with Wait it goes on until the founder is
// reached and holds this node's record.
func (n *Node) JoinWallet(ctx context.Context, r api.JoinWallet) (api.WalletSummary, error) {
	inv, err := coordinator.ParseInvite(r.Invite)
	if err == nil {
		err = n.checkExternal(r.External, r.Unproven) // before the founder hears of it
	}
	if err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	a, err := n.untilJoined(ctx, r.Wait, func() (*coordinator.Actor, error) { return n.co.Join(ctx, inv, r.External) })
	if errors.Is(err, n.parts.Errors.NoOpenInvite) {
		return api.WalletSummary{}, api.Refuse("invite_closed", "join: "+n.parts.Errors.NoOpenInvite.Error(), "if the invite was used or has expired, or the wallet has all its cosigners, ask the founder; if not, `wallet join --wait` keeps trying")
	}
	if errors.Is(err, n.parts.Errors.FounderAway) {
		n.parts.Log.Debug("join", "error", err)
		return api.WalletSummary{}, api.Fail("founder_unreachable", "join: "+n.parts.Errors.FounderAway.Error(), "is the founder's node running, and reachable at an address of the invite? `wallet join --wait` keeps trying")
	}
	if err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	if r.External != "" && r.Unproven {
		return n.enterUnproven(ctx, a)
	}
	if r.Wait {
		// A claim of the founder tells; events only say that something changed.
		for !a.Machine().Holds(inv.Founder) && a.Machine().State.Name() == "" {
			select {
			case <-ctx.Done():
				return api.WalletSummary{}, api.TimedOut("not_admitted", "join: the founder does not hold this node's record yet", "it is sent as soon as the two are connected")
			case <-time.After(joinRetry / 20):
			}
		}
	}
	return summary(a), nil
}

// untilJoined presents an invite, and where it is to wait again and again until
// ctx ends, as long as another try may help.
func (n *Node) untilJoined(ctx context.Context, wait bool, join func() (*coordinator.Actor, error)) (*coordinator.Actor, error) {
	a, err := join()
	for wait && n.joinLater(err) {
		last := err
		select {
		case <-ctx.Done():
			return nil, n.notJoined(last)
		case <-time.After(joinRetry):
		}
		if a, err = join(); err != nil && ctx.Err() != nil {
			return nil, n.notJoined(last)
		}
	}
	return a, err
}

// joinLater says whether another try may help. A founder that does not
// let this node in may only be busy: it does not say.
func (n *Node) joinLater(err error) bool {
	return errors.Is(err, n.parts.Errors.FounderAway) || errors.Is(err, n.parts.Errors.NoOpenInvite) || awaitsApproval(err)
}

// notJoined is the error where the time for joining has run out.
func (n *Node) notJoined(last error) error {
	if awaitsApproval(last) {
		return n.apiError(last)
	}
	if errors.Is(last, n.parts.Errors.NoOpenInvite) {
		return api.TimedOut("not_admitted", "join: "+n.parts.Errors.NoOpenInvite.Error(), "was the invite used, or has it expired? if neither, the founder's `quorate status` says whether strangers crowd its door")
	}
	return api.TimedOut("not_admitted", "join: the founder was not reached", "is its node running, and reachable at an address of the invite?")
}

// awaitsApproval says whether a device that proves no key waits for the others.
func awaitsApproval(err error) bool {
	var r *coordinator.Refusal
	return errors.As(err, &r) && r.Rule == coordinator.RuleAwaitsApproval
}

// RatifyWallet ratifies the roster whose words the user heard.
func (n *Node) RatifyWallet(ctx context.Context, ref string, r api.RatifyWallet) (api.Ratified, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Ratified{}, err
	}
	if _, err := a.Do(ctx, coordinator.Ratify{Words: r.Words, AcceptUnproven: r.AcceptUnproven, AcceptHosted: r.AcceptHosted, For: r.For}); err != nil {
		return api.Ratified{}, n.apiError(err)
	}
	out := api.Ratified{WalletSummary: summary(a)}
	m := a.Machine()
	if roster, ok := m.State.Roster(); ok {
		out.Words = roster.Words()
	}
	for _, c := range m.Cosigners() {
		self := c.Identity == m.State.Me()
		if r.For != "" {
			self = c.Name == r.For && c.Host == m.State.Me()
		}
		if !self {
			out.HeardFrom = append(out.HeardFrom, person(c.Member))
		}
	}
	return out, nil
}

// InviteToWallet issues a fresh invite.
func (n *Node) InviteToWallet(ctx context.Context, ref string, r api.InviteToWallet) (api.WalletInvites, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletInvites{}, err
	}
	cmd := coordinator.NewInvite{Addresses: n.inviteAddresses(), Expires: time.Now().Add(coordinator.InviteLife), Allow: r.Allow}
	if r.Replace != "" {
		if cmd.Replace, err = findMember(a.Machine(), r.Replace); err != nil {
			return api.WalletInvites{}, err
		}
		for _, p := range n.net.Peers() {
			cmd.Online = cmd.Online || p.Peer == *cmd.Replace && p.Connected
		}
	}
	v, err := a.Do(ctx, cmd)
	if err != nil {
		return api.WalletInvites{}, n.apiError(err)
	}
	inv, ok := v.(coordinator.Invite)
	if !ok {
		return api.WalletInvites{}, api.Fail("failed", "invite: no answer", "")
	}
	return api.WalletInvites{WalletSummary: summary(a), Invites: []string{inv.String()}}, nil
}

// AbandonWallet gives a wallet up that is not active yet.
func (n *Node) AbandonWallet(ctx context.Context, ref string) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if _, err := a.Do(ctx, coordinator.Abandon{}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

// RekeyWallet makes a new epoch now.
func (n *Node) RekeyWallet(ctx context.Context, ref string) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if _, err := a.Do(ctx, coordinator.Rekey{}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

// ArchiveWallet puts a wallet aside on this node, or takes it up again.
func (n *Node) ArchiveWallet(ctx context.Context, ref string, r api.ArchiveWallet) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if _, err := a.Do(ctx, coordinator.Archive{Undo: r.Undo, Allow: r.Allow}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

// RenameWallet changes what this node calls a wallet.
func (n *Node) RenameWallet(ctx context.Context, ref string, r api.RenameWallet) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	if err := n.co.Rename(ctx, a, r.Name); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

// NewAddress leases a receiving address, or shows the next one.
func (n *Node) NewAddress(ctx context.Context, ref string, r api.NewAddress) (api.Address, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Address{}, err
	}
	v, err := a.Do(ctx, coordinator.LeaseAddress{Peek: r.Peek, BeyondGap: r.BeyondGap})
	if err != nil {
		return api.Address{}, n.apiError(err)
	}
	l, ok := v.(coordinator.Lease)
	if !ok {
		return api.Address{}, api.Fail("failed", "address: no answer", "")
	}
	return api.Address{Address: l.Address, Index: l.Index}, nil
}

// Coins lists the unspent outputs.
func (n *Node) Coins(_ context.Context, ref string) ([]api.Coin, error) {
	a, err := n.actor(ref)
	if err != nil {
		return nil, err
	}
	m := a.Machine()
	if m.State.Active() == nil {
		return nil, api.Refuse(coordinator.RuleNotActive, "the wallet is not active: "+m.Missing(), "")
	}
	var out []api.Coin
	labels := m.State.LabelReader()
	for _, c := range coordinator.Coins(m.State, m.View, time.Now()) {
		addr, err := m.State.Active().Descriptor.Address(c.Branch, c.Index)
		if err != nil {
			return nil, n.apiError(err)
		}
		x := api.Coin{OutPoint: c.OutPoint.String(), Amount: c.Amount, Address: addr, Confirmations: c.Confirmations, Label: labels.OfCoin(m.View, c.ViewOut)}
		if len(c.LeasedBy) > 0 {
			id := c.LeasedBy[0].ID().String()
			x.LeasedBy = &id
		}
		out = append(out, x)
	}
	return out, nil
}

func parseOutPoint(s string) (wire.OutPoint, error) {
	op, err := wire.NewOutPointFromString(s)
	if err != nil {
		return wire.OutPoint{}, api.Misuse("bad_outpoint", fmt.Sprintf("%.80q is not an outpoint", s), "it has the form TXID:VOUT")
	}
	return *op, nil
}
