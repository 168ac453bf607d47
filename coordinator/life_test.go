package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// life is what honest members wrote, read from their entries alone, and what is mined: the
// statuses are worked out from it once more, in another way than the State does.
type life struct {
	k, n      int
	now       int64
	proposals map[journal.EntryID]*event.ProposalCreated
	author    map[journal.EntryID]journal.Author
	txid      map[journal.EntryID]chainhash.Hash
	signed    map[chainhash.Hash]map[journal.Author]bool // whose keys signed all of it
	against   map[journal.EntryID]map[journal.Author]bool
	withdrawn map[journal.EntryID]bool
	spent     map[wire.OutPoint]chainhash.Hash // by what is mined
	mined     map[chainhash.Hash]bool
}

func (c *circle) life() *life {
	l := &life{
		k: c.peers[0].m.State.Genesis().Threshold, n: len(c.peers), now: c.clock.Unix(),
		proposals: map[journal.EntryID]*event.ProposalCreated{}, author: map[journal.EntryID]journal.Author{}, txid: map[journal.EntryID]chainhash.Hash{},
		signed: map[chainhash.Hash]map[journal.Author]bool{}, against: map[journal.EntryID]map[journal.Author]bool{}, withdrawn: map[journal.EntryID]bool{},
		spent: map[wire.OutPoint]chainhash.Hash{}, mined: map[chainhash.Hash]bool{},
	}
	for _, b := range c.blocks {
		for _, tx := range b.Txs {
			l.mined[tx.TxHash()] = true
			for _, in := range tx.TxIn {
				l.spent[in.PreviousOutPoint] = tx.TxHash()
			}
		}
		l.now = max(l.now, b.Block.MedianTime)
	}
	a := c.peers[0]
	var all []*journal.Entry
	for _, e := range a.Held {
		all = append(all, e)
	}
	slices.SortFunc(all, func(x, y *journal.Entry) int { return int(x.Header().Seq) - int(y.Header().Seq) })
	for _, e := range all {
		if b, ok := a.bodyOf(e).(*event.ProposalCreated); ok {
			l.proposals[e.ID()], l.author[e.ID()], l.txid[e.ID()] = b, e.Header().Author, a.spendOf(b).TxID()
		}
	}
	for _, e := range all {
		who := e.Header().Author
		vote := func(p journal.EntryID, against bool) {
			if l.against[p] == nil {
				l.against[p] = map[journal.Author]bool{}
			}
			l.against[p][who] = against
		}
		switch b := a.bodyOf(e).(type) {
		case *event.ProposalApproved:
			tx := l.txid[b.Proposal]
			if l.signed[tx] == nil {
				l.signed[tx] = map[journal.Author]bool{}
			}
			l.signed[tx][who] = len(b.Signatures) == len(l.proposals[b.Proposal].Inputs)
		case *event.ProposalRejected:
			vote(b.Proposal, true)
		case *event.RejectionWithdrawn:
			vote(b.Proposal, false)
		case *event.ProposalWithdrawn:
			l.withdrawn[b.Proposal] = l.withdrawn[b.Proposal] || l.author[b.Proposal] == who
		}
	}
	return l
}

func (l *life) final(tx chainhash.Hash) bool { return len(l.signed[tx]) >= l.k }

func (l *life) dead(tx chainhash.Hash) bool {
	for id, b := range l.proposals {
		if l.txid[id] != tx {
			continue
		}
		for _, in := range b.Inputs {
			if by, ok := l.spent[in.OutPoint()]; ok && by != tx {
				return true
			}
			if !l.mined[in.TxID] && in.TxID != tx && l.dead(in.TxID) {
				return true
			}
		}
	}
	return false
}

func (l *life) replaced(id journal.EntryID) bool {
	for other, b := range l.proposals {
		if l.txid[other] == l.txid[id] || !slices.Contains(b.Replaces, l.txid[id]) {
			continue
		}
		shares := slices.ContainsFunc(b.Inputs, func(i event.ProposalInput) bool {
			return slices.ContainsFunc(l.proposals[id].Inputs, func(j event.ProposalInput) bool { return i.OutPoint() == j.OutPoint() })
		})
		if l.author[other] == l.author[id] || shares && l.final(l.txid[other]) {
			return true
		}
	}
	return false
}

// status is what docs/proposals.md says it is: of what holds, the first.
func (l *life) status(id journal.EntryID) group.Status {
	b, tx := l.proposals[id], l.txid[id]
	against := 0
	for who, is := range l.against[id] {
		if is && !l.signed[tx][who] {
			against++
		}
	}
	switch {
	case l.mined[tx]:
		return group.StatusConfirmed
	case l.dead(tx):
		return group.StatusDead
	case l.final(tx):
		return group.StatusFinal
	case l.withdrawn[id]:
		return group.StatusWithdrawn
	case against > l.n-l.k:
		return group.StatusRejected
	case b.Expires != 0 && l.now >= b.Expires:
		return group.StatusExpired
	case l.replaced(id):
		return group.StatusReplaced
	}
	return group.StatusPending
}

// Members of groups of all sizes do with proposals what people do, apart and together, with
// what comes late, twice and after a crash. Once they hold the same entries they agree on
// every status, and it is what their entries say; no coin is leased by what can never be
// final; and nothing is final without k signatures that the script engine takes.
func TestLifeOfProposals(t *testing.T) {
	sizes := [][2]int{{1, 2}, {2, 2}, {2, 3}, {3, 5}, {2, 4}, {4, 7}}
	if underRace {
		sizes = sizes[:4]
	}
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.SampledFrom(sizes).Draw(rt, "size")
		c := active(t, size[0], size[1])
		c.fund(500_000, 400_000, 300_000)
		c.featured()
		var ids []journal.EntryID
		made := func(v any, err error) {
			if p, ok := v.(Proposed); ok && err == nil {
				ids = append(ids, p.Proposal)
			}
		}
		allow := []string{refusal.DoublePayment, refusal.ReplaceFee}
		for range rapid.IntRange(5, 30).Draw(rt, "acts") {
			p := rapid.SampledFrom(c.peers).Draw(rt, "who")
			id := journal.EntryID{1}
			if len(ids) > 0 {
				id = rapid.SampledFrom(ids).Draw(rt, "proposal")
			}
			rate := wallet.FeeRate(rapid.IntRange(2, 9).Draw(rt, "rate") * 1000)
			unsigned := rapid.Bool().Draw(rt, "unsigned")
			switch rapid.IntRange(0, 15).Draw(rt, "act") {
			case 0, 1:
				x := pay(byte(rapid.IntRange(1, 3).Draw(rt, "to")), int64(rapid.IntRange(1, 3).Draw(rt, "amount"))*50_000)
				x.Allow, x.Unsigned, x.FeeRate = allow, unsigned, rate
				if rapid.Bool().Draw(rt, "expires") {
					x.Expires = c.clock.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
				}
				made(p.do(x))
			case 2, 3, 4:
				x := Approve{Proposal: id, Allow: allow}
				if rapid.Bool().Draw(rt, "agrees beforehand") {
					x.UpTo = &UpTo{Fee: int64(rapid.IntRange(0, 3).Draw(rt, "up to")) * 3000}
				}
				_, _ = p.do(x)
			case 5:
				_, _ = p.do(Reject{Proposal: id, Reason: "no"})
			case 6:
				_, _ = p.do(Withdraw{Proposal: id})
			case 7, 8:
				made(p.do(Propose{Follows: FollowUp{Bump: id}, FeeRate: rate, Unsigned: unsigned, Allow: allow}))
			case 9:
				made(p.do(Propose{Follows: FollowUp{Cancel: id}, Unsigned: unsigned, Allow: allow}))
			case 10:
				_, _ = p.do(Remark{Proposal: id, Text: "hm"})
			case 11:
				c.settle(rapid.SliceOfNDistinct(rapid.SampledFrom(c.peers), 2, len(c.peers), func(p *peer) string { return p.name }).Draw(rt, "connected")...)
			case 12:
				for _, x := range c.peers {
					if q := rapid.SampledFrom(c.peers).Draw(rt, "heard"); q != x {
						x.must(ClaimIn{From: q.id(), Claim: port.Claim{Frontier: q.m.State.Chains().Frontier()}})
					}
					x.must(Tick{})
				}
			case 13:
				c.clock = c.clock.Add(time.Duration(rapid.IntRange(1, 60).Draw(rt, "minutes")) * time.Minute)
			case 14:
				p.crash()
			case 15:
				if q, ok := p.m.State.Proposal(id); ok {
					if tx, err := p.m.State.FinalTx(q); err == nil && c.minable(tx) {
						c.mine([]*wire.MsgTx{tx})
					}
				}
			}
		}
		c.settle()
		for _, x := range c.peers {
			x.must(Tick{})
		}
		c.settle() // what was signed by itself at the end
		l := c.life()
		for _, x := range c.peers {
			if len(x.Held) != len(c.peers[0].Held) {
				rt.Fatalf("%s holds %d entries, others %d", x.name, len(x.Held), len(c.peers[0].Held))
			}
			for id := range l.proposals {
				q, ok := x.m.State.Proposal(id)
				if !ok {
					rt.Fatalf("%s lacks %s", x.name, id)
				}
				if got, want := x.status(id), l.status(id); got != want {
					rt.Errorf("%s: %s is %s, and by what is written %s", x.name, id.String()[:8], got, want)
				}
				if told, ok := x.m.watch.told.Get(mapkey.Of(id)); ok && told.status != l.status(id) && slices.Contains(x.m.State.CopiesOf(q.TxID), q) {
					rt.Errorf("%s told that %s is %s, and it is %s", x.name, id.String()[:8], told, l.status(id))
				}
				if _, err := x.m.State.FinalTx(q); (err == nil) != l.final(q.TxID) {
					rt.Errorf("%s: %s has %d of %d signatures, and its transaction: %v", x.name, id.String()[:8], len(l.signed[q.TxID]), l.k, err)
				}
			}
			for _, coin := range Coins(x.m.State, x.m.View, c.clock) {
				for _, q := range coin.LeasedBy {
					if s := l.status(q.Ref.ID); !s.Live() {
						rt.Errorf("%s: %v is leased by what is %s", x.name, coin.OutPoint, s)
					}
					willing := 0
					for _, y := range c.peers {
						if l.signed[q.TxID][y.id()] || !l.against[q.Ref.ID][y.id()] {
							willing++
						}
					}
					if willing < l.k {
						rt.Errorf("%s: %v is leased by what only %d would sign", x.name, coin.OutPoint, willing)
					}
				}
			}
		}
	})
}
