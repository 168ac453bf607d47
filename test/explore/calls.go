package explore

import (
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// what is a kind of message that a machine takes.
type what uint8

const (
	started what = iota
	cmdPropose
	cmdReplace
	cmdApprove
	cmdReject
	cmdWithdraw
	entryIn
	connected
	disconnected
	rescanned
	seen
	caughtUp
	watched
	taken   // by the network, of what was broadcast
	refused // likewise
)

// byUser says that a user asked for it.
func (x what) byUser() bool { return x >= cmdPropose && x <= cmdWithdraw }

// call is a message, by the number of what it is about.
type call struct {
	what  what
	about uint32
}

// message is what the machine of a member takes.
func (s *setting) message(i int, c call) coordinator.Message {
	notice := func(n port.ChainNotice) coordinator.Message { return coordinator.ChainIn{Notice: n} }
	switch c.what {
	case cmdPropose:
		return s.payment(i)
	case cmdReplace:
		x := s.payment(i)
		x.FeeRate *= 3
		x.Replaces = []journal.EntryID{s.entries[c.about].id}
		return x
	case cmdApprove:
		return coordinator.Approve{Proposal: s.entries[c.about].id, Allow: allowed()}
	case cmdReject:
		return coordinator.Reject{Proposal: s.entries[c.about].id, Reason: "no"}
	case cmdWithdraw:
		return coordinator.Withdraw{Proposal: s.entries[c.about].id}
	case entryIn:
		return coordinator.EntryIn{Entry: s.entries[c.about].e}
	case connected:
		b := s.blocks[c.about]
		return notice(port.ChainNotice{Kind: port.Connected, Block: b.ref, Prev: b.prev, Txs: s.transactions(b.txs)})
	case disconnected:
		return notice(port.ChainNotice{Kind: port.Disconnected, Block: s.blocks[c.about].ref})
	case rescanned:
		b := s.blocks[c.about]
		return notice(port.ChainNotice{Kind: port.Rescanned, Block: b.ref, Prev: b.prev, Txs: s.transactions(b.txs)})
	case seen:
		return notice(port.ChainNotice{Kind: port.Seen, Txs: s.transactions([]uint32{c.about})})
	case caughtUp:
		return notice(port.ChainNotice{Kind: port.CaughtUp, Watches: 1})
	case watched:
		return coordinator.Watched{Call: 1}
	case taken:
		return coordinator.Broadcasted{TxID: s.txs[c.about].id}
	case refused:
		return coordinator.Broadcasted{TxID: s.txs[c.about].id, Err: fmt.Errorf("%w: conflict", port.ErrTxRejected)}
	default:
		return coordinator.Started{}
	}
}

func (s *setting) transactions(numbers []uint32) []*wire.MsgTx {
	var out []*wire.MsgTx
	for _, x := range numbers {
		out = append(out, s.txs[x].tx)
	}
	return out
}

// allowed overrides what only asks a person to look twice.
func allowed() []string { return []string{refusal.DoublePayment} }

// payment is what a member proposes: each its own, all of the same coin.
func (s *setting) payment(i int) coordinator.Propose {
	script := make([]byte, 22)
	script[1], script[21] = 20, byte(i+1)
	return coordinator.Propose{
		Outputs: []event.ProposalOutput{{PkScript: script, Amount: 50_000}}, FeeRate: 2000, Coins: s.Coins[:1], Allow: allowed(),
		Unsigned: s.apart, // an actor enters it so, and then has it approved
	}
}
