package coordinator

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

func compareSeen(a, b boundSeen) int { return a.Chain.Compare(b.Chain) }

// bind makes the caution of a restore that ends last, for what was seen by now.
func (s *step) bind() error {
	b := &boundRecord{At: s.m.restored.At}
	for c, at := range s.m.State.Chains().Frontier() {
		if !s.m.sinceRestore(c) {
			b.Seen = append(b.Seen, boundSeen{c, at.Seq})
		}
	}
	slices.SortFunc(b.Seen, compareSeen)
	s.m.bound = b
	return s.put(recBound, *b)
}

// sinceRestore says whether a chain is the one that this node writes now: what it
// proposes there it has never signed without knowing.
func (m Machine) sinceRestore(c journal.ChainKey) bool {
	return !m.catchingUp() && c == journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}
}

// mayHaveSigned says whether this node's key may have signed a proposal before a
// restore, whatever the entries show: it was seen before the caution ended, or
// its author says that it is older than the restore. Who hides a proposal until
// later, and lies about its age, gains nothing that hiding it for good would not
// give: no node can know of that.
func (m Machine) mayHaveSigned(q *group.Proposal) bool {
	if m.restored == nil && m.bound == nil || m.sinceRestore(q.Ref.Chain) {
		return false
	}
	if m.restored != nil || q.Ref.Time <= m.bound.At*1000 {
		return true
	}
	if fork := m.State.Chains().ForkedAt(q.Ref.Chain); fork != 0 && q.Ref.Seq >= fork {
		return true // past a fork no order says what was seen first
	}
	at, seen := slices.BinarySearchFunc(m.bound.Seen, boundSeen{Chain: q.Ref.Chain}, compareSeen)
	return seen && q.Ref.Seq <= m.bound.Seen[at].Seq
}

// checkMaybeSigned stands before every signature of a node that was ever
// restored: a coin that another proposal spends, which its key may have signed
// before, is signed for a second time only where that one is declared replaced,
// can never confirm, or is overridden by name.
func (m Machine) checkMaybeSigned(p *group.Proposal, allow []string) error {
	if m.restored == nil && m.bound == nil || slices.Contains(allow, refusal.MaybeSigned) {
		return nil
	}
	st := m.State
	for _, in := range p.Body.Inputs {
		signed := st.SignedCoin(in.OutPoint())
		for q := range st.StatingCoin(in.OutPoint()) {
			if q.TxID == p.TxID || slices.Contains(p.Body.Replaces, q.TxID) || !m.mayHaveSigned(q) {
				continue
			}
			if group.BuriedBy(m.View, q) || slices.Contains(signed, q.TxID) {
				continue // what is proved is the guard's, which nothing overrides
			}
			return refusal.New(refusal.MaybeSigned, "this node was restored, and its key may have signed proposal %s of %s before, which spends the same coin %v: whoever holds such a signature need not show it", q.Ref.ID, m.called(q.Author()), in.OutPoint()).
				WithHint("propose with --replaces naming that proposal, or choose other coins; if you know that this key never signed it, repeat with --allow %s", refusal.MaybeSigned).MayOverride()
		}
	}
	return nil
}

func (m Machine) loadBound(recs map[string][]byte) (Machine, error) {
	if recs[recBound] == nil {
		return m, nil
	}
	m.bound = &boundRecord{}
	if err := record.Decode(recs[recBound], m.bound); err != nil {
		return m, fmt.Errorf("read restore record: %w", err)
	}
	return m, nil
}
