package apitest

import (
	"context"
	_ "embed" // of a file that is exported
	"io"
	"strings"

	"github.com/quorate/quorate/api"
)

// Log implements api.Backend. The first page is empty, the third is the last.
func (b *Backend) Log(_ context.Context, ref string, q api.LogQuery) (api.Page[api.LogEntry], error) {
	if err := b.wallet("Log", ref, q); err != nil {
		return api.Page[api.LogEntry]{}, err
	}
	at, id := Now(), "12D3KooWpeer"
	by := api.Person{Name: "Bob", PeerID: &id}
	switch q.Cursor {
	case "":
		return api.Page[api.LogEntry]{Next: "page2"}, nil
	case "page2":
		return api.Page[api.LogEntry]{Next: "page3", Items: []api.LogEntry{
			{Entry: strings.Repeat("44", 32), Time: &at, By: by, Kind: "rejected", Text: `rejected c0ffee0d0d0d: "too much"`, Proposal: api.Text(ProposalID), Incarnation: 1, Seq: 9},
			{Entry: strings.Repeat("45", 32), By: by, Unread: "epoch_not_held", Tainted: true, Incarnation: 1, Seq: 8},
		}}, nil
	}
	return api.Page[api.LogEntry]{Items: []api.LogEntry{
		{Entry: ProposalID, Time: &at, By: by, Kind: "proposed", Text: "proposed to pay 0.01000000 BTC to " + Address + ", fee 200 sat", Proposal: api.Text(ProposalID), Inert: "bad_proposal", Incarnation: 1, Seq: 7},
	}}, nil
}

// ExportedLog is a file that ExportLog writes, whatever is asked for: it holds, and is of
// another wallet than Backend's (see the golden test of package audit/proof).
//
//go:embed exported.jsonl
var ExportedLog []byte

// ExportLog implements api.Backend.
func (b *Backend) ExportLog(_ context.Context, ref string, r api.ExportLog, w io.Writer) error {
	if err := b.wallet("ExportLog", ref, r); err != nil {
		return err
	}
	_, err := w.Write(ExportedLog)
	return err
}

// Presence implements api.Backend.
func (b *Backend) Presence(_ context.Context, ref string) (api.Presence, error) {
	at, yes, host := Now(), true, Person("alice")
	old := at.AddDate(0, -4, 0)
	return api.Presence{Wallet: WalletID, WalletName: "family", Threshold: 2, Margin: 0, SeenFor: 100, Members: []api.CosignerPresence{
		{Cosigner: Person("alice"), Own: true, LastSigned: &at, LastPing: &at, AskedBy: &host, KeyProven: &old, Counts: true},
		{Cosigner: Person("bob"), Connected: true, LastSeen: &at, Holds: &yes, LastSigned: &at, KeyProven: &old, Counts: true},
		{Cosigner: Person("carol"), Host: &host, KeyProven: &old, Due: true},
	}}, b.wallet("Presence", ref, nil)
}
