package coordinator

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
)

// Cosigner is a member of a wallet, or of one that is forming.
type Cosigner struct {
	group.Member
	Ratified bool
	// Replaced is how often a new device took the place of the one before.
	Replaced int
}

// Cosigners returns the members: by key index once there is a roster, before
// that those whose records are in, by identity.
func (m *Machine) Cosigners() []Cosigner {
	var out []Cosigner
	if r, ok := m.State.Roster(); ok {
		for i, x := range r.Members {
			c := Cosigner{Member: x, Ratified: r.Ratified[x.Record]}
			if m.State.Active() != nil {
				c.Replaced = len(m.State.Active().Identities(i)) - 1
			}
			out = append(out, c)
		}
		return out
	}
	var members []group.Member
	seen := map[journal.Author]bool{}
	for r := range m.State.PlacedRecords {
		who := r.Ref.Chain.Author
		x := group.Member{Identity: who, Name: r.Body.Name, Key: r.Key, Proof: r.Body.How, Record: r.Ref.ID}
		if r.Body.Hosted {
			x.Identity, x.Host = journal.Author{}, who
		} else if seen[who] {
			continue
		} else {
			seen[who] = true
		}
		members = append(members, x)
	}
	group.MarkNames(members)
	for _, x := range members {
		out = append(out, Cosigner{Member: x})
	}
	slices.SortFunc(out, func(a, b Cosigner) int { return compareMembers(a.Member, b.Member) })
	return out
}

// LeasedBy returns the members who handed out a receive address, tainted or not.
func (m *Machine) LeasedBy(index uint32) []journal.Author {
	var out []journal.Author
	for who := range m.State.LeasedBy(index) {
		if !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	return out
}

// Member returns the member an identity writes for, or wrote for before it was
// replaced; false where there is none.
func (m *Machine) Member(a journal.Author) (group.Member, bool) {
	if m.State.Active() != nil {
		if i, ok := m.State.Active().KeyOf(a); ok {
			return m.State.Active().Members[i], true
		}
		return group.Member{}, false
	}
	for _, c := range m.Cosigners() {
		if c.Identity == a && !c.Hosted() {
			return c.Member, true
		}
	}
	return group.Member{}, false
}

// MemberName returns the name of a member as it is shown (see Member.Called), or "".
func (m *Machine) MemberName(a journal.Author) string {
	x, ok := m.Member(a)
	if !ok {
		return ""
	}
	return x.Called()
}

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
	looked := 0
	var last *group.Proposal
	for p := range m.State.ByTime(from) {
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

// Status derives a proposal's status.
func (m *Machine) Status(p *group.Proposal, now time.Time) group.Status {
	return group.Derive(m.State, m.View, now, p)
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

// ReplacedBy returns living proposals that declare to replace p.
func (m *Machine) ReplacedBy(p *group.Proposal) []journal.EntryID {
	return entryIDs(m.State.Replacements(p))
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
}

// Rejections returns who stands against, by key.
func (m *Machine) Rejections(p *group.Proposal) []Rejection {
	against := m.State.Against(p)
	var out []Rejection
	if m.State.Active() == nil {
		return nil
	}
	for k, x := range m.State.Active().Members {
		if reason, ok := against[k]; ok {
			out = append(out, Rejection{x, reason})
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
		f, _ := m.claims.Get(string(x.Identity[:]))
		if x.Identity == m.State.Me() || m.State.SameMember(x.Original, p.Author()) || f[p.Ref.Chain].Seq >= p.Ref.Seq {
			out = append(out, x)
		}
	}
	return out
}

// Holds says whether a member claims to hold this node's own entries up to its last.
func (m *Machine) Holds(who journal.Author) bool {
	mine := journal.ChainKey{Author: m.State.Me(), Incarnation: m.local.Incarnation}
	f, _ := m.claims.Get(string(who[:]))
	return f[mine].Seq > 0 && f[mine].Seq+1 >= m.State.Chains().Next(mine).Seq
}

// Warn returns what an approver is told before signing: the refusals of the
// rules that stand before a signature, without changing anything.
func (m *Machine) Warn(p *group.Proposal, now time.Time) []*Refusal {
	if m.State.Active() == nil || m.Status(p, now) != group.StatusPending {
		return nil
	}
	var out []*Refusal
	for _, err := range []error{
		checkTransaction(m.State, m.View, now, p, nil),
		m.checkDoublePayment(p, nil),
		m.checkRestored(p, nil),
	} {
		if r, ok := err.(*Refusal); ok {
			out = append(out, r)
		}
	}
	if _, err := m.Guard.check(m.State, m.View, p); err != nil {
		if r, ok := err.(*Refusal); ok {
			out = append(out, r)
		}
	}
	return out
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
