package coordinator

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// Who acts in the table: A proposed and signed nothing, B and C sign and vote, D acts.
const (
	tableOf   = 2
	tableFrom = 4
)

// standing makes a proposal of a status, by what people do.
func standing(t *testing.T, status group.Status) (*circle, *group.Proposal) {
	t.Helper()
	c := active(t, tableOf, tableFrom)
	c.fund(500_000, 500_000)
	x := pay(1, 100_000)
	x.Unsigned, x.Expires = true, c.clock.Add(time.Hour)
	p := c.peers[0].proposed(x)
	c.settle()
	happens(t, c, p, map[group.Status]string{
		group.StatusConfirmed: "mined", group.StatusDead: "rival mined", group.StatusBroadcast: "shown", group.StatusFinal: "k signatures",
		group.StatusWithdrawn: "author withdraws", group.StatusRejected: "n-k+1 reject", group.StatusExpired: "time over", group.StatusReplaced: "author replaces",
	}[status])
	return c, p
}

// happens has something happen to a proposal, to everybody.
func happens(t *testing.T, c *circle, p *group.Proposal, what string) {
	t.Helper()
	a, b, z := c.peers[0], c.peers[1], c.peers[2]
	// Signatures are what members may write at any time: not by the rules of a node.
	sign := func() {
		for _, x := range []*peer{b, z} {
			if _, err := x.wild(&event.ProposalApproved{Proposal: p.Ref.ID, Signatures: x.signedBy(p.Body)}); err != nil {
				t.Fatal(err)
			}
			x.must(Tick{})
		}
		c.settle()
	}
	tx := func() *wire.MsgTx {
		got, err := a.m.State.FinalTx(p)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	switch what {
	case "":
	case "k signatures":
		sign()
	case "shown":
		sign()
		for _, x := range c.peers {
			x.sees(tx())
		}
	case "mined":
		sign()
		c.mine([]*wire.MsgTx{tx()})
	case "rival mined":
		rival := wire.NewMsgTx(2)
		rival.AddTxIn(&wire.TxIn{PreviousOutPoint: p.Body.Inputs[0].OutPoint()})
		rival.AddTxOut(wire.NewTxOut(1000, recipient(9)))
		c.mine([]*wire.MsgTx{rival})
	case "author withdraws":
		a.must(Withdraw{Proposal: p.Ref.ID})
	case "n-k+1 reject":
		for _, x := range c.peers[1:] {
			x.must(Reject{Proposal: p.Ref.ID, Reason: "no"})
		}
	case "time over":
		c.clock = c.clock.Add(2 * time.Hour)
	case "author replaces":
		x := pay(1, 90_000)
		x.Unsigned, x.Replaces = true, []journal.EntryID{p.Ref.ID}
		a.must(x)
	default:
		t.Fatalf("nobody knows how %q happens", what)
	}
	for _, x := range c.peers {
		x.must(Tick{})
	}
	c.settle()
}

// Every status, and every act: what the table says is what the node does, and what
// refuses changes nothing.
func TestEveryActAtEveryStatus(t *testing.T) {
	for _, row := range Standings() {
		for _, act := range []string{ActApprove, ActReject, ActWithdraw, ActReplace, ActComment} {
			t.Run(fmt.Sprintf("%s/%s", row.Status, act), func(t *testing.T) {
				c, p := standing(t, row.Status)
				who := c.peers[3]
				if act == ActWithdraw {
					who = c.peers[0]
				}
				if row.Status == group.StatusRejected && act == ActApprove {
					who = c.peers[0] // who does not stand against it
				}
				if got := who.status(p.Ref.ID); got != row.Status {
					t.Fatalf("the proposal is %q", got)
				}
				replacing := pay(1, 90_000)
				replacing.Replaces, replacing.Unsigned, replacing.Allow = []journal.EntryID{p.Ref.ID}, true, []string{refusal.ReplaceFee, refusal.DoublePayment}
				held := len(who.Held)
				_, err := who.do(map[string]Message{
					ActApprove: Approve{Proposal: p.Ref.ID}, ActReject: Reject{Proposal: p.Ref.ID, Reason: "no"}, ActWithdraw: Withdraw{Proposal: p.Ref.ID},
					ActReplace: replacing, ActComment: Remark{Proposal: p.Ref.ID, Text: "why?"},
				}[act])
				want := row.Acts[act]
				wrote := len(who.Held) > held
				again := row.Status == group.StatusRejected && act == ActReject // it voted so before
				switch {
				case want == Idle || again:
					if err != nil || wrote {
						t.Errorf("err %v, wrote %v: want nothing done", err, wrote)
					}
				case want == "":
					if err != nil || !wrote {
						t.Errorf("err %v, wrote %v: want it done", err, wrote)
					}
				default:
					if rule(err) != want || wrote {
						t.Errorf("err %v, wrote %v: want %s", err, wrote, want)
					}
				}
			})
		}
	}
}

// Every status, and everything that may happen then: of what holds, the first in the
// table is the status, whatever was first in time.
func TestEveryWayBetweenStatuses(t *testing.T) {
	rank := map[group.Status]int{}
	for n, row := range Standings() {
		rank[row.Status] = n
	}
	ways := map[string]group.Status{
		"k signatures": group.StatusFinal, "shown": group.StatusBroadcast, "mined": group.StatusConfirmed, "rival mined": group.StatusDead,
		"author withdraws": group.StatusWithdrawn, "n-k+1 reject": group.StatusRejected, "time over": group.StatusExpired, "author replaces": group.StatusReplaced,
	}
	for _, row := range Standings() {
		for what, to := range ways {
			if what == "author withdraws" && row.Acts[ActWithdraw] != "" || what == "n-k+1 reject" && row.Acts[ActReject] != "" ||
				what == "author replaces" && row.Acts[ActReplace] != "" {
				continue // no node does it: TestEveryActAtEveryStatus
			}
			t.Run(fmt.Sprintf("%s/%s", row.Status, what), func(t *testing.T) {
				c, p := standing(t, row.Status)
				if row.Status == group.StatusConfirmed && (what == "mined" || what == "rival mined" || what == "shown") {
					t.Skip("a block does not hold it twice")
				}
				if what == "shown" && row.Status == group.StatusDead || what == "mined" && row.Status == group.StatusDead {
					t.Skip("no mempool takes what spends a coin that is spent")
				}
				if what == "author replaces" && rank[row.Status] <= rank[group.StatusFinal] {
					t.Skip("a replacement of what has its signatures pays more")
				}
				happens(t, c, p, what)
				want := row.Status
				if rank[to] < rank[want] {
					want = to
				}
				for _, x := range c.peers {
					if got := x.status(p.Ref.ID); got != want {
						t.Errorf("%s: %q, want %q", x.name, got, want)
					}
				}
			})
		}
	}
}

// docs/proposals.md has the table.
func TestProposalsAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("| status | when | approve | reject | withdraw (its author) | replace | comment |\n|---|---|---|---|---|---|---|\n")
	for _, row := range Standings() {
		fmt.Fprintf(&b, "| `%s` | %s |", row.Status, row.Means)
		for _, act := range []string{ActApprove, ActReject, ActWithdraw, ActReplace, ActComment} {
			switch code := row.Acts[act]; code {
			case "":
				b.WriteString(" yes |")
			case Idle:
				b.WriteString(" nothing left to do |")
			default:
				fmt.Fprintf(&b, " `%s` |", code)
			}
		}
		b.WriteString("\n")
	}
	text, err := os.ReadFile("../docs/proposals.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), b.String()) {
		t.Errorf("docs/proposals.md does not have this table:\n%s", b.String())
	}
}
