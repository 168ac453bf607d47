package coordinator

import (
	"cmp"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// Proposals returns the living proposals, newest first by the time their
// authors claim.
func (m *Machine) Proposals() []*group.Proposal {
	var out []*group.Proposal
	for p := range m.State.ByTime(nil) {
		if m.State.Alive(p) {
			out = append(out, p)
		}
	}
	return out
}

// ProposalPos is a place in the list of proposals: that of one of them.
type ProposalPos struct {
	Time int64 // as claimed, Unix milliseconds
	ID   journal.EntryID
}

// maxPaged is how many proposals one page looks at, of those that are not on it.
const maxPaged = 4096

// ProposalPage returns at most limit of the living proposals that pass keep,
// newest first by claimed time, after a place (nil for the first page), and the
// place to go on from, nil at the end. A page may hold less than limit, or
// nothing, and not be the last one: it looks at a bounded number.
func (m *Machine) ProposalPage(after *ProposalPos, limit int, keep func(*group.Proposal) bool) (out []*group.Proposal, next *ProposalPos) {
	var from *group.Ref
	if after != nil {
		from = &group.Ref{Time: after.Time, ID: after.ID}
	}
	return m.page(m.State.ByTime(from), limit, keep)
}

func (m *Machine) page(all iter.Seq[*group.Proposal], limit int, keep func(*group.Proposal) bool) (out []*group.Proposal, next *ProposalPos) {
	looked := 0
	var last *group.Proposal
	for p := range all {
		if len(out) == limit || looked == maxPaged+limit {
			return out, &ProposalPos{last.Ref.Time, last.Ref.ID}
		}
		looked++
		last = p
		if m.State.Alive(p) && keep(p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// PendingPage is ProposalPage of those that are pending: it looks at no others, however
// long the history is.
func (m *Machine) PendingPage(after *ProposalPos, limit int, keep func(*group.Proposal) bool) (out []*group.Proposal, next *ProposalPos) {
	var from byClaim
	if after != nil {
		from = claimKey(after.Time, after.ID) + "\x00"
	}
	return m.page(func(yield func(*group.Proposal) bool) {
		for k := range m.watch.pending.From(from) {
			if p, ok := m.State.Proposal(mapkey.Entry(k)); ok && !yield(p) {
				return
			}
		}
	}, limit, keep)
}

// OldestPending returns when the oldest pending proposal was made, as its author claims;
// false where none is pending. It looks at a bounded number.
func (m *Machine) OldestPending(now time.Time) (made time.Time, ok bool) {
	looked := 0
	for k := range m.watch.pending.Backward() {
		p, known := m.State.Proposal(mapkey.Entry(k))
		if known && m.State.Alive(p) && m.Status(p, now) == group.StatusPending {
			return time.UnixMilli(p.Ref.Time), true
		}
		if looked++; looked == maxPaged {
			break
		}
	}
	return time.Time{}, false
}

// CountProposals returns how many living proposals have each status, as it was
// last told.
func (m *Machine) CountProposals() map[group.Status]int {
	out := map[group.Status]int{}
	for n, x := range statusOrder {
		if m.watch.counts[n] > 0 {
			out[x] = m.watch.counts[n]
		}
	}
	return out
}

// Alive says whether a proposal has effect.
func (m *Machine) Alive(p *group.Proposal) bool { return m.State.Alive(p) }

// Status derives a proposal's status, as people are told it.
func (m *Machine) Status(p *group.Proposal, now time.Time) group.Status {
	return m.State.Said(m.View, p, group.Derive(m.State, m.View, now, p))
}

// AwaitsMe says whether a proposal waits for this node's user: it is pending, and this
// node's key neither signed it nor stands against it.
func (m *Machine) AwaitsMe(p *group.Proposal, now time.Time) bool {
	if m.State.Active() == nil || m.local.Archived || !m.State.Alive(p) {
		return false
	}
	me, ok := m.State.Active().Index(m.State.Me())
	return ok && !m.State.Signed(p, me) && !m.State.MyVote(p) && m.Status(p, now) == group.StatusPending
}

// AwaitsWords says whether the words are there and this node has not ratified them.
func (m *Machine) AwaitsWords() bool {
	r, ok := m.State.Roster()
	if !ok || !r.Complete() || m.State.Active() != nil || m.State.Abandoned() {
		return false
	}
	return slices.ContainsFunc(r.Members, func(x group.Member) bool {
		return (x.Identity == m.State.Me() || x.Host == m.State.Me()) && !r.Ratified[x.Record]
	})
}

// Tx returns a proposal's transaction once it is final; the mined one once it is mined.
func (m *Machine) Tx(p *group.Proposal) (*wire.MsgTx, error) { return theTx(m.State, m.View, p) }

// Conflicts returns other transactions that spend one of its coins, final ones
// first, each by the proposal that stands for it, and maxShown at most.
func (m *Machine) Conflicts(p *group.Proposal) []journal.EntryID {
	return entryIDs(m.State.ConflictsOf(p))
}

// Replaces returns the transactions that p declares to replace, each by the
// proposal that stands for it.
func (m *Machine) Replaces(p *group.Proposal) []journal.EntryID {
	var out []*group.Proposal
	for _, t := range p.Body.Replaces {
		if q, ok := m.State.Lead(t); ok {
			out = append(out, q)
		}
	}
	group.SortProposals(out)
	return entryIDs(out)
}

// ReplacedBy returns living proposals that declare to replace p, the one that prevailed
// first: the mined one, else the one that the network shows, that is to be broadcast, or
// that has its signatures.
func (m *Machine) ReplacedBy(p *group.Proposal) []journal.EntryID {
	var out []*group.Proposal
	add := func(q *group.Proposal, ok bool) {
		if ok && q.TxID != p.TxID && m.State.Declares(q.TxID, p.TxID) && !slices.ContainsFunc(out, func(x *group.Proposal) bool { return x.TxID == q.TxID }) {
			out = append(out, q)
		}
	}
	for _, i := range p.Body.Inputs {
		for by := range m.View.Rivals(i.OutPoint()) {
			add(m.State.Lead(by))
		}
	}
	for _, q := range append(m.State.Finals(p), m.State.Replacements(p)...) {
		add(q, true)
	}
	rank := func(q *group.Proposal) int {
		t, known := m.View.Tx(q.TxID)
		switch {
		case known && t.Block.Height > 0:
			return 0
		case known && t.Seen:
			return 1
		case m.State.Broadcastable(m.View, q):
			return 2
		case m.State.Final(q):
			return 3
		}
		return 4
	}
	group.SortProposals(out)
	slices.SortStableFunc(out, func(a, b *group.Proposal) int { return cmp.Compare(rank(a), rank(b)) })
	return entryIDs(out)
}

// Given is one key's signatures on a proposal.
type Given struct {
	Member     group.Member
	Time       time.Time // as claimed
	Signatures int
}

// Approvals returns who signed, by claimed time, then key.
func (m *Machine) Approvals(p *group.Proposal) []Given {
	var out []Given
	if m.State.Active() == nil {
		return nil
	}
	for k, x := range m.State.Active().Members {
		n := m.State.SignedInputs(p, k)
		if n == 0 {
			continue
		}
		a, _ := m.State.FirstApproval(p, uint32(k))
		out = append(out, Given{x, time.UnixMilli(a.Ref.Time), n})
	}
	slices.SortStableFunc(out, func(a, b Given) int { return a.Time.Compare(b.Time) })
	return out
}

// Rejection is a member's vote against.
type Rejection struct {
	Member group.Member
	Reason string
	Time   time.Time // as claimed
}

// Rejections returns who stands against, by key.
func (m *Machine) Rejections(p *group.Proposal) []Rejection {
	against := m.State.Against(p)
	var out []Rejection
	if m.State.Active() == nil {
		return nil
	}
	for k, x := range m.State.Active().Members {
		if o, ok := against[k]; ok {
			out = append(out, Rejection{x, o.Reason, time.UnixMilli(o.Time)})
		}
	}
	return out
}

// HeldBy returns the members inside whose frontier a proposal's entry is, by
// what they claim; this node and the author among them.
func (m *Machine) HeldBy(p *group.Proposal) []group.Member {
	var out []group.Member
	if m.State.Active() == nil {
		return nil
	}
	for _, x := range m.State.Active().Members {
		f, _ := m.claims.Get(mapkey.Of(x.Identity))
		if x.Identity == m.State.Me() || m.State.SameMember(x.Original, p.Author()) || f[p.Ref.Chain].Seq >= p.Ref.Seq {
			out = append(out, x)
		}
	}
	return out
}

// Holds says whether a member claims to hold this node's own entries up to its last.
func (m *Machine) Holds(who journal.Author) bool {
	mine := journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}
	f, _ := m.claims.Get(mapkey.Of(who))
	return f[mine].Seq > 0 && f[mine].Seq+1 >= m.State.Chains().Next(mine).Seq
}

// Faults counts entries without effect by author and rule.
func (m *Machine) Faults() map[journal.Author]map[string]uint64 {
	out := map[journal.Author]map[string]uint64{}
	count := func(a journal.Author, rule string) {
		if out[a] == nil {
			out[a] = map[string]uint64{}
		}
		out[a][rule]++
	}
	for by, n := range m.State.FaultsOf {
		if out[by.Author] == nil {
			out[by.Author] = map[string]uint64{}
		}
		out[by.Author][by.Rule] += n
	}
	for _, f := range m.State.Chains().Forks() {
		count(f.Chain.Author, "equivocation")
	}
	return out
}

// ProposalsBy returns living proposals whose id in hex starts with a prefix, in
// order of their ids: at most two, which is enough to tell whether it names one.
// It looks at no others than those with the prefix.
func (m *Machine) ProposalsBy(prefix string) []*group.Proposal {
	whole, err := hex.DecodeString(prefix[:len(prefix)&^1])
	if err != nil {
		return nil
	}
	var out []*group.Proposal
	for p := range m.State.ProposalsFrom(mapkey.ByEntry(whole)) {
		if !strings.HasPrefix(hex.EncodeToString(p.Ref.ID[:]), prefix) || !m.State.Alive(p) {
			continue
		}
		if out = append(out, p); len(out) == 2 {
			break
		}
	}
	return out
}

// entryIDs is used where a list of proposals becomes a list of ids.
func entryIDs(ps []*group.Proposal) []journal.EntryID {
	out := make([]journal.EntryID, len(ps))
	for i, p := range ps {
		out[i] = p.Ref.ID
	}
	return out
}
