package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// Every method answers over the socket what the backend answered.
func TestRoundTrip(t *testing.T) {
	ctx := t.Context()
	b := apitest.New()
	c, _, _ := start(t, b)
	same := apitest.New()
	calls := map[string]func(api.Backend) (any, error){
		"Status":       func(b api.Backend) (any, error) { return b.Status(ctx) },
		"Doctor":       func(b api.Backend) (any, error) { return b.Doctor(ctx) },
		"Events":       func(b api.Backend) (any, error) { return b.Events(ctx, api.EventQuery{After: 3, Limit: 7}) },
		"Peers":        func(b api.Backend) (any, error) { return b.Peers(ctx) },
		"PendingPeers": func(b api.Backend) (any, error) { v, err := b.PendingPeers(ctx); return len(v), err },
		"AddPeer": func(b api.Backend) (any, error) {
			return b.AddPeer(ctx, api.AddPeer{Multiaddr: "/ip4/1.2.3.4/tcp/1"})
		},
		"Wallets": func(b api.Backend) (any, error) { return b.Wallets(ctx) },
		"Wallet":  func(b api.Backend) (any, error) { return b.Wallet(ctx, "family") },
		"CreateWallet": func(b api.Backend) (any, error) {
			return b.CreateWallet(ctx, api.CreateWallet{Name: "x", Threshold: 2, Cosigners: 3})
		},
		"JoinWallet": func(b api.Backend) (any, error) {
			return b.JoinWallet(ctx, api.JoinWallet{Invite: "quorate1x", Wait: true})
		},
		"RatifyWallet": func(b api.Backend) (any, error) {
			return b.RatifyWallet(ctx, "family", api.RatifyWallet{Words: "one two three four five six"})
		},
		"InviteToWallet": func(b api.Backend) (any, error) {
			return b.InviteToWallet(ctx, "family", api.InviteToWallet{Replace: "bob", Allow: []string{"member_online"}})
		},
		"ApproveReplacement": func(b api.Backend) (any, error) {
			return b.ApproveReplacement(ctx, "family", api.ApproveReplacement{Replacement: apitest.TxID})
		},
		"AbandonWallet": func(b api.Backend) (any, error) { return b.AbandonWallet(ctx, apitest.WalletID) },
		"RekeyWallet":   func(b api.Backend) (any, error) { return b.RekeyWallet(ctx, "family") },
		"ArchiveWallet": func(b api.Backend) (any, error) {
			return b.ArchiveWallet(ctx, "family", api.ArchiveWallet{Undo: true, Allow: []string{"wallet_not_empty"}})
		},
		"RescanWallet": func(b api.Backend) (any, error) {
			return b.RescanWallet(ctx, "family", api.RescanWallet{From: 840_000})
		},
		"RenameWallet": func(b api.Backend) (any, error) { return b.RenameWallet(ctx, "family", api.RenameWallet{Name: "n"}) },
		"NewAddress": func(b api.Backend) (any, error) {
			return b.NewAddress(ctx, "family", api.NewAddress{Peek: true, BeyondGap: true})
		},
		"Addresses": func(b api.Backend) (any, error) {
			return b.Addresses(ctx, "family", api.AddressQuery{Unused: true, Cursor: "c", Limit: 7})
		},
		"Pending": func(b api.Backend) (any, error) { return b.Pending(ctx, api.PendingQuery{Cursor: "c", Limit: 7}) },
		"Preview": func(b api.Backend) (any, error) {
			return b.Preview(ctx, "family", api.Propose{To: []api.Recipient{{Address: apitest.Address, All: true}}, Expires: 60, Draft: apitest.DraftName})
		},
		"Coins":      func(b api.Backend) (any, error) { return b.Coins(ctx, "family") },
		"FreezeCoin": func(b api.Backend) (any, error) { return b.FreezeCoin(ctx, "family", "a:1", api.FreezeCoin{Note: "n"}) },
		"Labels":     func(b api.Backend) (any, error) { return b.Labels(ctx, "family") },
		"SetLabels": func(b api.Backend) (any, error) {
			return b.SetLabels(ctx, "family", api.SetLabels{Labels: []api.SetLabel{{Ref: apitest.TxID, Label: "rent"}}, SkipForeign: true})
		},
		"Schedule": func(b api.Backend) (any, error) {
			return b.Schedule(ctx, "family", api.NewSchedule{To: []api.Recipient{{Address: apitest.Address, Amount: 5}}, Every: "1mo", On: "1"})
		},
		"Schedules":     func(b api.Backend) (any, error) { return b.Schedules(ctx, "family") },
		"EndSchedule":   func(b api.Backend) (any, error) { return b.EndSchedule(ctx, "family", apitest.ScheduleID) },
		"StartSchedule": func(b api.Backend) (any, error) { return b.StartSchedule(ctx, "family", apitest.ScheduleID) },
		"ExportWallet":  func(b api.Backend) (any, error) { return b.ExportWallet(ctx, "family", "bsms") },
		"History": func(b api.Backend) (any, error) {
			return b.History(ctx, "family", api.HistoryQuery{Cursor: "c", Limit: 7, Since: time.Unix(1_700_000_000, 0).UTC(), Until: time.Unix(1_800_000_000, 0).UTC()})
		},
		"Presence": func(b api.Backend) (any, error) { return b.Presence(ctx, "family") },
		"Freeze":   func(b api.Backend) (any, error) { return b.Freeze(ctx, "family", api.FreezeWallet{Reason: "r"}) },
		"ProposePolicy": func(b api.Backend) (any, error) {
			return b.ProposePolicy(ctx, "family", api.ProposePolicy{Canonical: "c2ln", Follows: []string{apitest.ProposalID}, Unapproved: true})
		},
		"VotePolicy": func(b api.Backend) (any, error) {
			return b.VotePolicy(ctx, "family", apitest.ProposalID, api.VotePolicy{Against: true})
		},
		"Policies": func(b api.Backend) (any, error) { return b.Policies(ctx, "family") },
		"Policy":   func(b api.Backend) (any, error) { return b.Policy(ctx, "family", apitest.ProposalID) },
		"Unfreeze": func(b api.Backend) (any, error) {
			return b.Unfreeze(ctx, "family", api.UnfreezeWallet{Freezes: []string{apitest.ProposalID}})
		},
		"Ping": func(b api.Backend) (any, error) { return b.Ping(ctx, "family", api.Ping{For: "Hal", New: true}) },
		"AnswerPing": func(b api.Backend) (any, error) {
			return b.AnswerPing(ctx, "family", api.AnswerPing{For: "Hal", Signature: "c2ln"})
		},
		"SimulatePolicy": func(b api.Backend) (any, error) {
			since := time.UnixMilli(1e12).UTC()
			return b.SimulatePolicy(ctx, "family", api.SimulatePolicy{Policy: "oQEB", Since: &since, Cursor: "50", Limit: 7})
		},
		"ReplayPolicy": func(b api.Backend) (any, error) {
			return b.ReplayPolicy(ctx, "family", api.ReplayQuery{Since: time.UnixMilli(1e12).UTC(), Cursor: "2.0.1.7", Limit: 7})
		},
		"Robot":       func(b api.Backend) (any, error) { return b.Robot(ctx, "family") },
		"PauseRobot":  func(b api.Backend) (any, error) { return b.PauseRobot(ctx, "family") },
		"ResumeRobot": func(b api.Backend) (any, error) { return b.ResumeRobot(ctx, "family") },
		"Explain":     func(b api.Backend) (any, error) { return b.Explain(ctx, "c0ffee") },
		"Log": func(b api.Backend) (any, error) {
			return b.Log(ctx, "family", api.LogQuery{By: "Bob", Kinds: []string{"approved", "rejected"}, Proposal: "c0ffee", Since: time.UnixMilli(1e12).UTC(), Cursor: "page2", Limit: 7})
		},
		"Propose": func(b api.Backend) (any, error) {
			return b.Propose(ctx, "family", api.Propose{
				To:      []api.Recipient{{Address: apitest.Address, Amount: 1_000_000, Label: "rent"}},
				FeeRate: 1.5, Coins: []string{apitest.TxID + ":0"}, Note: "n", Expires: 60,
				Replaces: []string{apitest.ProposalID}, Unsigned: true, RequestID: "r", Allow: []string{"fee_bound"},
			})
		},
		"Proposals": func(b api.Backend) (any, error) {
			return b.Proposals(ctx, "family", api.ProposalQuery{Status: "pending", Cursor: "c", Limit: 7})
		},
		"Proposal": func(b api.Backend) (any, error) { return b.Proposal(ctx, "c0ffee") },
		"Approve": func(b api.Backend) (any, error) {
			return b.Approve(ctx, apitest.ProposalID, api.Approve{Allow: []string{"x"}})
		},
		"Comment":  func(b api.Backend) (any, error) { return b.Comment(ctx, apitest.ProposalID, api.Comment{Text: "why?"}) },
		"Reject":   func(b api.Backend) (any, error) { return b.Reject(ctx, apitest.ProposalID, api.Reject{Reason: "no"}) },
		"Withdraw": func(b api.Backend) (any, error) { return b.Withdraw(ctx, apitest.ProposalID) },
		"Proof":    func(b api.Backend) (any, error) { return b.Proof(ctx, "family", "Hal") },
		"HostCosigner": func(b api.Backend) (any, error) {
			return b.HostCosigner(ctx, "family", api.HostCosigner{Name: "Hal", External: "xpub", Unproven: true})
		},
		"ExportPSBT": func(b api.Backend) (any, error) {
			return b.ExportPSBT(ctx, apitest.ProposalID, api.ExportPSBT{Version: 2, ForSigning: true, Allow: []string{"x"}})
		},
		"ImportPSBT": func(b api.Backend) (any, error) {
			return b.ImportPSBT(ctx, api.ImportPSBT{PSBT: "cHNidP8=", DryRun: true, Allow: []string{"x"}})
		},
		"ProveWallet": func(b api.Backend) (any, error) {
			return b.ProveWallet(ctx, "family", api.ProveWallet{Signature: "sig"})
		},
		"Tx": func(b api.Backend) (any, error) { return b.Tx(ctx, apitest.ProposalID) },
		"ExportLog": func(b api.Backend) (any, error) {
			return nil, b.ExportLog(ctx, "family", api.ExportLog{Proposals: []string{"c0ffee"}, WithoutKeys: true}, io.Discard)
		},
		"Backup": func(b api.Backend) (any, error) {
			var out bytes.Buffer
			err := b.Backup(ctx, &out)
			return out.String(), err
		},
	}
	// Subscribe is tested by itself; no other method may be left out.
	if n := reflect.TypeFor[api.Backend]().NumMethod(); n != len(calls)+1 {
		t.Fatalf("%d methods, %d tested", n, len(calls)+1)
	}
	emptyList := cmp.Transformer("list", func(l api.List[string]) []string { return append([]string{}, l...) })
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			want, err := call(same)
			if err != nil {
				t.Fatal(err)
			}
			got, err := call(c)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(asJSON(t, want), asJSON(t, got), emptyList); d != "" {
				t.Fatal(d)
			}
			for _, give := range []error{
				api.Fail("f", "failed", "h"), api.Misuse("u", "m", "h"), api.Missing("n", "m", ""),
				api.Refuse("rule", "m", "h"), api.Unreachable("u", "m", "h"), api.TimedOut("t", "m", "h"),
			} {
				b.Fail(name, give)
				if _, err := call(c); !reflect.DeepEqual(err, give) {
					t.Errorf("error %v arrived as %v", give, err)
				}
			}
			b.Fail(name, fmt.Errorf("write entry: %w", syscall.ENOSPC))
			if _, err := call(c); err == nil {
				t.Error("a full disk is no error")
			} else if k, code := kind(t, err); k != api.Failed || code != "disk_full" {
				t.Errorf("a full disk is %v %s", k, code)
			}
			b.Fail(name, nil)
		})
	}
	if d := cmp.Diff(same.Requests(), unique(b.Requests())); d != "" {
		t.Error("requests differ after the way over the wire: " + d)
	}
}

// unique keeps the first of repeated requests, in the order of the ones that succeeded.
func unique(requests []any) []any {
	var u []any
	for _, r := range requests {
		if !contains(u, r) {
			u = append(u, r)
		}
	}
	return u
}

func contains(all []any, r any) bool {
	for _, x := range all {
		if reflect.DeepEqual(x, r) {
			return true
		}
	}
	return false
}

func asJSON(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var x any
	if err := json.Unmarshal(b, &x); err != nil {
		t.Fatal(err)
	}
	return x
}
