package apitest

import (
	"context"
	"strings"

	"github.com/quorate/quorate/api"
)

// SimulatePolicy implements api.Backend: of two proposals it would have signed one.
func (b *Backend) SimulatePolicy(_ context.Context, ref string, r api.SimulatePolicy) (api.Simulation, error) {
	at, rule, bob := Now(), uint64(1), Person("bob")
	return api.Simulation{
		Wallet: WalletID, WalletName: "family", Robot: Person("carol"), Proposals: 2, Signed: 1, Denied: 1,
		Meters: []api.SimulatedMeter{
			{Meter: "daily", Limit: 5_000_000, Window: 86400, Signed: api.SimulatedMost{Amount: 1_000_000, From: &at}, Mined: api.SimulatedMost{Amount: 1_000_000, From: &at}},
			{Meter: "person", Limit: 2_000_000, Window: 86400, Signed: api.SimulatedMost{Amount: 1_000_000, From: &at, Initiator: &bob}},
		},
		Items: []api.Simulated{
			{Proposal: ProposalID, TxID: TxID, Time: at, By: bob, Amount: 1_000_000, Outcome: "sign", At: at, Rule: &rule, Name: "suppliers", Status: "confirmed"},
			{Proposal: strings.Repeat("5e", 32), TxID: TxID, Time: at, By: bob, Amount: 9_000_000, Outcome: "deny", At: at, Rule: &rule, Name: "suppliers", Codes: []string{"amount_max"}, Status: "expired"},
		},
		Next: api.Text(r.Cursor),
	}, b.wallet("SimulatePolicy", ref, r)
}

// ReplayPolicy implements api.Backend: one robot told the truth once, and not the second time.
func (b *Backend) ReplayPolicy(_ context.Context, ref string, q api.ReplayQuery) (api.Page[api.Replayed], error) {
	sign := "sign"
	return api.Page[api.Replayed]{Items: []api.Replayed{
		{Entry: strings.Repeat("44", 32), Robot: Person("carol"), Time: Now(), Proposal: ProposalID, Outcome: &sign},
		{
			Entry: strings.Repeat("45", 32), Robot: Person("carol"), Time: Now(), Proposal: ProposalID, Outcome: &sign,
			Differs: []api.ReplayDiffer{{Field: "outcome", Said: "sign", Should: "deny"}}, Open: []api.ReplayOpen{{Field: "facts.approved", Why: "no signatures of keys [0] are held here yet"}},
		},
	}}, b.wallet("ReplayPolicy", ref, q)
}
