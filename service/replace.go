package service

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// findMember finds a cosigner by peer id, or by name as it is stated or shown,
// among those with a node.
func findMember(m *coordinator.Machine, ref string) (*journal.Author, error) {
	var found []coordinator.Cosigner
	for _, c := range m.Cosigners() {
		if !c.Hosted() && PeerID(c.Identity) == ref {
			return &c.Identity, nil
		}
		if c.Name == ref || c.Called() == ref {
			found = append(found, c)
		}
	}
	switch {
	case len(found) == 0:
		return nil, api.Missing("unknown_cosigner", "the wallet has no cosigner "+ref, "`quorate wallet show` lists them")
	case len(found) > 1:
		return nil, api.Misuse("ambiguous_cosigner", "several cosigners are named "+ref, "give the peer id")
	case found[0].Hosted():
		return nil, api.Refuse(refusal.Hosted, ref+" has no node that could be replaced: "+m.MemberName(found[0].Host)+" hosts it", "its key signs what `psbt export` writes, at any cosigner's node")
	}
	return &found[0].Identity, nil
}

// ApproveReplacement says that this cosigner takes a replacement for true.
func (n *Node) ApproveReplacement(ctx context.Context, ref string, r api.ApproveReplacement) (api.WalletSummary, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.WalletSummary{}, err
	}
	id, err := hex.DecodeString(r.Replacement)
	if err != nil || len(id) != 32 {
		return api.WalletSummary{}, api.Misuse("bad_replacement", "the id of a replacement is 64 hex characters", "`quorate wallet show` lists those that wait")
	}
	if _, err := node.Do(ctx, a, coordinator.ApproveSuccession{Succession: [32]byte(id)}); err != nil {
		return api.WalletSummary{}, n.apiError(err)
	}
	return summary(a), nil
}

func replacements(m *coordinator.Machine) []api.Replacement {
	var out []api.Replacement
	for _, r := range m.Successions() {
		x := api.Replacement{Replacement: hex.EncodeToString(r.ID[:]), Cosigner: person(r.Member), PeerID: PeerID(r.New), Proven: r.Proven, Threshold: r.Needed}
		for _, by := range r.Approved {
			x.Approved = append(x.Approved, person(by))
		}
		slices.SortFunc(x.Approved, func(a, b api.Person) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, x)
	}
	return out
}
