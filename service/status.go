package service

import (
	"context"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
)

// Status says what the node is and how it is.
func (n *Node) Status(ctx context.Context) (api.Status, error) {
	h := n.parts.Chain.Health()
	s := api.Status{
		Name: n.parts.Name, PeerID: n.PeerID(), Addresses: n.net.Addresses(),
		Network: string(n.parts.Network), Version: n.parts.Version,
		Chain: chainStatus(h), Problem: api.Text(n.net.Problem()),
	}
	if n.parts.Own != nil {
		own := n.parts.Own()
		s.Alarms, s.DiskFree, s.LastBackup = own.Alarms, own.DiskFree, own.LastBackup
	}
	if h.Problem == "" {
		tipCtx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if tip, err := n.parts.Chain.Tip(tipCtx); err == nil {
			s.Chain.Tip = api.Text(tip.Hash.String())
		}
	}
	for _, a := range n.co.Wallets() {
		s.Wallets = append(s.Wallets, summary(a))
	}
	// Not before each wallet has taken the blocks in: until then it neither
	// proposes nor signs.
	s.Chain.Synced = n.co.ChainSynced()
	for _, f := range n.co.Failed() {
		s.Wallets = append(s.Wallets, failedSummary(f))
	}
	waiting, err := n.Pending(ctx, api.PendingQuery{})
	if err != nil {
		return s, err
	}
	if s.PendingCount = len(waiting.Items); waiting.Next != "" {
		s.PendingCount = max(s.PendingCount, api.DefaultPage+1)
	}
	s.Peers, err = n.Peers(ctx)
	return s, err
}

// stateFailed is the state of a wallet that could not be opened, or that this
// program fails to read.
const stateFailed = "failed"

func failedSummary(f node.FailedWallet) api.WalletSummary {
	return api.WalletSummary{Wallet: f.Group.String(), Name: f.Name, State: stateFailed, Problem: api.Text(f.Err.Error())}
}

// Alarms are the wallets of the node with what stands in each.
func (n *Node) Alarms() []api.WalletSummary {
	var out []api.WalletSummary
	for _, a := range n.co.Wallets() {
		out = append(out, summary(a))
	}
	return out
}

func summary(a *node.Actor) api.WalletSummary {
	out := api.WalletSummary{Wallet: a.Group().String(), State: stateFailed}
	a.Read(func(m *coordinator.Machine) { out = summaryOf(a, m) })
	return out
}

func summaryOf(a *node.Actor, m *coordinator.Machine) api.WalletSummary {
	return api.WalletSummary{Wallet: a.Group().String(), Name: m.Name(), FounderName: api.Text(m.FounderName()), State: m.Phase(), Threshold: api.Known(m.State.Genesis().Threshold), CosignerCount: len(m.Cosigners()), PlaceCount: api.Known(m.State.Genesis().Cosigners), AwaitingProof: m.AwaitsProof(), AwaitingHosted: awaitingHosted(m), Alarms: alarms(m), Restored: restored(m), Incomplete: incomplete(m.View.Incomplete()), Freezes: freezes(m)}
}

// entered is the summary of a wallet into which this node has just brought a key,
// with that.
func entered(a *node.Actor) api.WalletSummary {
	out := summary(a)
	if key, external := a.Machine().OwnKey(); key != "" {
		out.OwnKey = &api.OwnKey{Key: key, External: external}
	}
	return out
}

func restored(m *coordinator.Machine) *api.Restored {
	r := m.Restored()
	if r == nil {
		return nil
	}
	out := &api.Restored{Since: api.Time(r.At), Unread: r.Unread, Writes: r.Writes}
	for _, c := range r.Unsynced {
		out.Unsynced = append(out.Unsynced, person(c.Member))
	}
	for _, c := range r.UnreadBy {
		out.UnreadBy = append(out.UnreadBy, person(c.Member))
	}
	return out
}
