package group

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// Bumps says whether b pays what p pays: the same outputs but for change, in the same
// order, with the same locktime, out of all of p's coins. Over says that b spends no
// others, and that of p's change there is less, to the same script at the same place, or none: who agreed
// to p has then agreed to all of b but its fee. Both are of the transactions alone, whatever
// their authors say.
func (b *Proposal) Bumps(p *Proposal) (bumps, over bool) {
	if !b.Sound || !p.Sound || b.TxID == p.TxID || b.Body.LockTime != p.Body.LockTime {
		return false, false
	}
	paid, change := paidBy(p)
	ours, kept := paidBy(b)
	if !slices.EqualFunc(paid, ours, func(x, y event.ProposalOutput) bool {
		return x.Amount == y.Amount && string(x.PkScript) == string(y.PkScript)
	}) {
		return false, false
	}
	for _, in := range p.Body.Inputs {
		if !slices.Contains(b.Body.Inputs, in) {
			return false, false
		}
	}
	if !slices.Equal(b.Body.Inputs, p.Body.Inputs) {
		return true, false
	}
	switch {
	case kept < 0:
		return true, true
	case change < 0 || kept != change:
		return true, false
	}
	x, y := p.Body.Outputs[change], b.Body.Outputs[kept]
	return true, *x.Change == *y.Change && y.Amount < x.Amount
}

// paidBy returns the outputs that are no change, and at which place change is, or -1.
func paidBy(p *Proposal) (paid []event.ProposalOutput, change int) {
	change = -1
	for i, o := range p.Body.Outputs {
		if o.Change != nil {
			change = i
			continue
		}
		paid = append(paid, o)
	}
	return paid, change
}

// PaysOnlyUs says whether all of a proposal's outputs are change.
func (p *Proposal) PaysOnlyUs() bool {
	paid, _ := paidBy(p)
	return len(paid) == 0
}

// OwnApproval returns the latest untainted approval that an entry of a chain gives a proposal,
// whether its signatures are known to verify or not.
func (s proposalFacts) OwnApproval(p *Proposal, c journal.ChainKey) (Approved, bool) {
	return s.approvedBy(p.Ref.ID, c.Author, []byte{^c.Incarnation})
}

// approvedBy returns an author's latest untainted approval, of all its chains or of one.
func (s proposalFacts) approvedBy(proposal journal.EntryID, who journal.Author, chain []byte) (Approved, bool) {
	of := byVote(mapkey.Of2(proposal, who)) + byVote(chain)
	for from, more := of, true; more; {
		more = false
		for _, a := range pmap.PrefixFrom(s.props.approved, of, from) {
			first := s.TaintedFrom(a.Ref.Chain)
			if first == 0 || a.Ref.Seq < first {
				return a, true
			}
			from, more = byVote(mapkey.Of2(proposal, who))+byVote([]byte{^a.Ref.Chain.Incarnation})+byVote(mapkey.Number(^(first-1))), true
			break
		}
	}
	return Approved{}, false
}

// approved notes what an approval says, for OwnApproval and PreApprovals.
func (s proposalFacts) approved(c carrierFact) proposalFacts {
	if !c.Carried {
		s.props.approved = s.props.approved.Set(voteKey(c.Proposal, c.Ref), Approved{c.Ref, c.UpTo, c.Through})
	}
	return s
}

// Approved is what an approval says beside its signatures.
type Approved struct {
	Ref Ref
	// UpTo is the bump that it agrees to before it is there, or nil.
	UpTo *event.BumpUpTo
	// Through is the transaction whose approval let a node sign this one by itself, or zero.
	Through chainhash.Hash
}

// LastApproval returns the latest untainted approval that an identity gives a proposal.
func (s proposalFacts) LastApproval(p *Proposal, who journal.Author) (Approved, bool) {
	return s.approvedBy(p.Ref.ID, who, nil)
}

// ApprovedBefore says whether an identity approved a proposal before a place of its chains,
// tainted or not.
func (s proposalFacts) ApprovedBefore(p *Proposal, who journal.Author, at Ref) bool {
	of := byVote(mapkey.Of2(p.Ref.ID, who))
	for range pmap.PrefixFrom(s.props.approved, of, of+byVote([]byte{^at.Chain.Incarnation})+byVote(mapkey.Number(^(at.Seq-1)))) {
		return true
	}
	return false
}

// Bounds of what is looked at before a bump is signed unasked: beyond them a person is asked.
const (
	maxRivals = 64
	maxCopies = 64
)

// Around is all that spends one of a proposal's coins, or what it makes.
type Around struct {
	Bumps []*Proposal // that Bump it over its coins alone, one for each transaction
	// Others are the other transactions; Children says that one of them spends an output
	// of the proposal or of a bump.
	Others   []*Proposal
	Children bool
	// Against says that somebody voted against an entry of the proposal's transaction or of
	// a bump, or withdrew one, tainted or not, whatever was said later.
	Against bool
	// All is false where there is more than is looked at.
	All bool
}

// Around looks at what else there is of a proposal's coins.
func (s proposalFacts) Around(p *Proposal) Around {
	out := Around{All: true}
	seen := map[chainhash.Hash]bool{}
	for _, in := range p.Body.Inputs {
		for k := range pmap.Prefix(s.props.spending, mapkey.ByCoinTx(mapkey.Coin(in.OutPoint()))) {
			tx := chainhash.Hash([]byte(k[36:]))
			if seen[tx] {
				continue
			}
			if seen[tx] = true; len(seen) > maxRivals {
				out.All = false
				return out
			}
			over := tx == p.TxID
			var some *Proposal
			copies := 0
			for k := range mapkey.Under(s.props.byTx, tx) {
				if copies++; copies > maxCopies {
					out.All = false
					return out
				}
				q, ok := s.Proposal(mapkey.Entry(k))
				if !ok {
					continue
				}
				if _, is := q.Bumps(p); is || some == nil {
					some, over = q, over || is
				}
			}
			if some == nil {
				continue
			}
			switch {
			case tx == p.TxID:
			case over:
				out.Bumps = append(out.Bumps, some)
			default:
				out.Others = append(out.Others, some)
			}
			if over {
				out.Against = out.Against || s.anyAgainst(tx)
				out.Children = out.Children || s.Spent(mapkey.Coins(tx))
			}
		}
	}
	return out
}

// anyAgainst says whether anybody voted against an entry of a transaction, or withdrew one.
func (s proposalFacts) anyAgainst(tx chainhash.Hash) bool {
	for k := range mapkey.Under(s.props.byTx, tx) {
		id := mapkey.Entry(k)
		if mapkey.HasPrefix(s.withdrawals, byWithdrawal(id[:])) {
			return true
		}
		n := 0
		for _, v := range pmap.Prefix(s.votes, byVote(id[:])) {
			if n++; v.Against || n > maxCopies {
				return true
			}
		}
	}
	return false
}
