package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// pay pays the wallet from outside.
func (w *world) pay(a *group.Active, index uint32, amount int64) *wire.MsgTx {
	s, err := a.Descriptor.Script(wallet.BranchExternal, index)
	if err != nil {
		w.violation("derive address %d: %v", index, err)
		return nil
	}
	tx := w.chain.deposit(wire.NewTxOut(amount, s.PkScript))
	w.count("deposits")
	w.pollAll()
	return tx
}

func recipient(n uint32) []byte {
	s := make([]byte, 22)
	s[1], s[20], s[21] = 20, 1, byte(n)
	return s
}

// user lets a person command its node. People choose at random, and look at
// nothing.
func (w *world) user(n *node, a Action) {
	if !n.in || !n.up || n.m.State.Active() == nil {
		return
	}
	var pick journal.EntryID
	if all := n.m.Proposals(); len(all) > 0 {
		// The newest ones most of the time: the list begins with them.
		pick = all[int(a.R[0])%min(len(all), 1+int(a.R[1]%8))].ID()
	} else if a.Kind == UserApprove || a.Kind == UserReject || a.Kind == UserWithdraw || a.Kind == UserReplace || a.Kind == UserBump || a.Kind == UserCancel {
		return
	}
	// One in four insists where a rule may be overridden.
	var allow []string
	if a.R[2]%4 == 0 {
		allow = []string{refusal.DoublePayment}
	}
	if a.R[1]>>8%3 == 0 {
		allow = append(allow, refusal.CoinFrozen)
	}
	if p, ok := n.m.State.Proposal(pick); ok {
		if _, waited := p.Body.For(); waited {
			allow = nil // who insists on paying twice does
		}
	}
	switch a.Kind {
	case UserPropose, UserReplace:
		x := coordinator.Propose{
			Outputs: []event.ProposalOutput{{PkScript: recipient(a.R[0] % 8), Amount: int64(20_000 + 1000*(a.R[1]%300))}},
			FeeRate: wallet.FeeRate(1000 + a.R[2]%9000), Allow: allow, Unsigned: a.R[3]%5 == 0,
			RequestID: fmt.Sprintf("%s/%d", n.name, a.R[3]),
		}
		if a.R[3]>>8%4 == 0 {
			x.Expires = n.clock().Add(time.Duration(a.R[3]>>16%300) * time.Second)
		}
		if a.R[3]>>10%3 == 0 {
			if coins := coordinator.Coins(n.m.State, n.m.View, n.clock()); len(coins) > 0 {
				x.Coins = []wire.OutPoint{coins[int(a.R[3]>>12)%len(coins)].OutPoint}
			}
		}
		if a.Kind == UserReplace {
			x.Replaces = []journal.EntryID{pick}
		}
		n.last = &x
		n.command(a, x)
	case UserAgain:
		if n.last != nil {
			n.command(a, *n.last)
		}
	case UserDevice:
		p, _ := n.m.State.Proposal(pick)
		n.deviceSigns(a, p, allow)
	case UserApprove:
		x := coordinator.Approve{Proposal: pick, Allow: allow}
		p, ok := n.m.State.Proposal(pick)
		if ok && a.R[3]%3 == 0 {
			x.UpTo = &coordinator.UpTo{Fee: p.Fee() + int64(a.R[3]>>2%20_000)}
			if a.R[3]>>20%5 == 0 {
				x.UpTo.Fee = 0
			}
		}
		if _, err := n.command(a, x); err == nil && x.UpTo != nil {
			n.agreedTo[p.TxID] = agreedTo{p, x.UpTo.Fee}
		}
	case UserBump:
		p, ok := n.m.State.Proposal(pick)
		if !ok {
			return
		}
		spend, err := p.Spend(n.m.State.Active())
		if err != nil {
			return
		}
		rate := wallet.FeeRate(p.Fee()*1000/spend.VSize()) + wallet.FeeRate(a.R[2]%8000)
		n.command(a, coordinator.Propose{Follows: coordinator.FollowUp{Bump: pick}, FeeRate: rate, Unsigned: a.R[3]%3 == 0})
	case UserCancel:
		n.command(a, coordinator.Propose{Follows: coordinator.FollowUp{Cancel: pick}, Unsigned: a.R[3]%3 == 0})
	case UserReject:
		n.command(a, coordinator.Reject{Proposal: pick, Reason: "no"})
	case UserWithdraw:
		n.command(a, coordinator.Withdraw{Proposal: pick})
	case UserLabel:
		target := event.TxTarget(chainhash.Hash{byte(a.R[0])})
		if p, ok := n.m.State.Proposal(pick); ok {
			target = event.TxTarget(p.TxID)
		}
		n.command(a, coordinator.SetLabels{Edits: []coordinator.LabelEdit{{Target: target, Text: fmt.Sprint("label ", a.R[1]%5)}}})
	case UserFreeze:
		if coins := coordinator.Coins(n.m.State, n.m.View, n.clock()); len(coins) > 0 {
			coin := coins[int(a.R[0])%len(coins)].OutPoint
			if _, err := n.command(a, coordinator.Freeze{Coin: coin, Undo: a.R[1]%2 == 0, Note: fmt.Sprint("note ", a.R[2]%3), Allow: []string{refusal.Outdated}}); err == nil {
				w.count("freezes and lifts")
			}
		}
	case UserPing:
		n.ping(a)
	case UserLease:
		n.command(a, coordinator.LeaseAddress{BeyondGap: a.R[0]%3 == 0})
	}
}

// command runs a user's command and remembers what was acknowledged.
func (n *node) command(a Action, msg coordinator.Message) (any, error) {
	before := map[journal.EntryID]bool{}
	for id := range n.disk.entries {
		before[id] = true
	}
	was := n.m
	v, err := n.do(msg)
	n.w.note("%s %s: %v", n.name, a.Kind, outcome(v, err))
	if err != nil || !n.honest() {
		return v, err
	}
	n.checkFrozen(was, msg, v)
	n.w.count("commands done")
	if p, ok := v.(coordinator.Proposed); ok {
		n.acked = append(n.acked, ack{"a proposal", p.Proposal})
	}
	for _, c := range n.disk.chains {
		for _, e := range c {
			if id := e.ID(); e.Header().Author == n.id() && !before[id] {
				n.acked = append(n.acked, ack{fmt.Sprintf("a %T", msg), id})
			}
		}
	}
	return v, err
}

func outcome(v any, err error) string {
	switch x := v.(type) {
	case coordinator.Proposed:
		return "proposal " + x.Proposal.String()[:8]
	case coordinator.Lease:
		return fmt.Sprintf("address %d", x.Index)
	}
	if err != nil {
		return err.Error()
	}
	return "done"
}

// ping has a person ask every key for a signature, and answer with its own: with the
// device, where a cosigner has no node.
func (n *node) ping(a Action) {
	w, x := n.w, coordinator.Ping{New: a.R[0]%2 == 0}
	if a.R[1]%3 > 0 {
		x.Allow = []string{refusal.Outdated}
	}
	device := w.plan.Hosted && n == w.host() && a.R[2]%2 == 0
	if device {
		x.For = w.hal().name
	}
	v, err := n.command(a, x)
	if err != nil {
		return
	}
	w.count("pings")
	round := v.(coordinator.Pinged).Round.ID
	answer := coordinator.AnswerPing{Round: round, For: x.For}
	if device {
		claim := event.PingClaim(w.group, n.id(), round, w.hal().account.Key().String())
		answer.Proof = w.hal().account.SignHash(claim.Hash())
	}
	if _, err := n.command(a, answer); err == nil {
		w.count("pings answered")
	}
}

// checkFrozen: what a member froze is neither proposed nor signed but by name.
func (n *node) checkFrozen(was coordinator.Machine, msg coordinator.Message, v any) {
	id, allow := journal.EntryID{}, []string(nil)
	switch x := msg.(type) {
	case coordinator.Propose:
		id, allow = v.(coordinator.Proposed).Proposal, x.Allow
		if _, before := was.State.Proposal(id); before {
			return // the same request again
		}
	case coordinator.Approve:
		id, allow = x.Proposal, x.Allow
		p, _ := was.State.Proposal(id)
		me, _ := was.State.Active().Index(n.id())
		if q, ok := n.m.State.Proposal(id); !ok || was.State.SignedInputs(p, me) == n.m.State.SignedInputs(q, me) {
			return // nothing was signed
		}
	default:
		return
	}
	p, ok := n.m.State.Proposal(id)
	if !ok {
		return
	}
	for _, in := range p.Body.Inputs {
		if _, frozen := was.State.Frozen(in.OutPoint()); !frozen {
			continue
		}
		n.w.count("frozen coins spent by name")
		if !slices.Contains(allow, refusal.CoinFrozen) {
			n.w.violation("%s: %T spends the coin %v, which a member froze", n.name, msg, in.OutPoint())
		}
	}
}
