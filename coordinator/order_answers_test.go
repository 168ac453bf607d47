package coordinator

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// answers is everything that a machine answers, one line each. Those to mine
// depend on whose machine it is, all others do not.
type answers struct {
	ours, mine strings.Builder
	asked      map[string]bool
}

func (a *answers) our(reader string, of ...any) { a.line(&a.ours, reader, of) }
func (a *answers) my(reader string, of ...any)  { a.line(&a.mine, reader, of) }

func (a *answers) line(b *strings.Builder, reader string, of []any) {
	a.asked[reader] = true
	b.WriteString(reader)
	for _, x := range of {
		b.WriteByte(' ')
		switch x := x.(type) {
		case *group.Proposal:
			fmt.Fprintf(b, "%x", x.Ref.ID[:])
		case journal.EntryID:
			fmt.Fprintf(b, "%x", x[:])
		case group.Member:
			b.WriteString(memberText(x))
		case *wire.MsgTx:
			if x != nil {
				fmt.Fprintf(b, "%v", x.WitnessHash())
			}
		default:
			fmt.Fprintf(b, "%v", x)
		}
	}
	b.WriteByte('\n')
}

func memberText(m group.Member) string {
	return fmt.Sprintf("%x %q %x %s %v %x %d %x %x %x", m.Identity, m.Name, m.Sealing, m.Key, m.Proof, m.Record, m.Index, m.Original, m.FirstSealing, m.Host)
}

func proposalIDs(ps []*group.Proposal) []journal.EntryID { return entryIDs(ps) }

// answersOf asks a machine everything.
func answersOf(m *Machine, now time.Time) *answers {
	a := &answers{asked: map[string]bool{}}
	st := m.State
	a.our("Group", st.Group())
	a.our("Genesis", st.Genesis())
	a.my("Me", st.Me())
	a.our("Abandoned", st.Abandoned())
	a.our("Entries", st.Entries())
	a.our("Unknown", st.Unknown())
	a.our("Inert", st.Inert())
	a.our("Chains", sortedFrontier(st.Chains().Frontier()), st.Chains().Len())
	a.my("Name", m.Name(), st.Name())
	a.my("FounderName", m.FounderName())
	a.my("NamedHere", m.NamedHere("treasury"))
	a.my("Phase", m.Phase())
	a.my("Missing", m.Missing())
	a.my("External", m.External())
	a.my("AwaitsProof", m.AwaitsProof())
	a.my("AwaitingHosted", m.AwaitingHosted())
	_, err := m.ProofRequest()
	a.my("ProofRequest", err)
	_, err = m.HostedProofRequest("Hal")
	a.my("HostedProofRequest", err)
	a.my("Members", st.Members())
	a.my("Wanted", m.Wanted())
	if r := m.Restored(); r != nil {
		a.my("Restored", r.At, r.Unread, r.Writes)
		for _, c := range r.Unsynced {
			a.my("Restored", c.Member)
		}
	} else {
		a.my("Restored")
	}
	for _, x := range m.Alarms() {
		a.my("Alarms", x)
	}
	a.asked["Alarms"] = true
	a.our("Faults", m.Faults())
	ep, ok := st.Epoch()
	a.our("Epoch", ep.Number, ep.ID(), ok)
	a.our("Active", st.Active() != nil)
	a.state(st)
	a.policies(m)
	a.members(m)
	a.labels(m)
	a.money(m, now)
	a.proposals(m, now)
	return a
}

// state asks what others are made of.
func (a *answers) state(st group.State) {
	for _, who := range st.Members() {
		kinds, said := st.Features(who)
		a.our("Features", who, kinds, said)
	}
	a.our("Outdated", st.Outdated(event.KindProposalCommented))
	latest, any := st.LatestRound(1 << 62)
	a.our("LatestRound", latest, any)
	if w := st.Active(); w != nil {
		for k, x := range w.Members {
			round, ok := st.Answered(k, 1<<62)
			a.our("Answered", k, round, ok)
			last, asked := st.LastAsked(x.Original)
			a.our("LastAsked", x.Original, last, asked)
			entry, round, ok := st.LastAnswer(k, x.Original)
			a.our("LastAnswer", k, entry, round, ok)
		}
	}
	for _, x := range []string{"Answered", "LastAsked", "LastAnswer"} {
		a.asked[x] = true
	}
	a.our("FirstEpochID", st.FirstEpochID())
	ep, ok := st.Fitting()
	a.our("Fitting", ep.ID(), ok)
	a.our("Topics", st.Topics())
	a.my("Pinned", st.Pinned())
	a.our("Renamed", st.Renamed())
	a.our("Closed", st.Closed())
	a.our("RecordCount", st.RecordCount())
	a.our("SuccessionCount", st.SuccessionCount())
	a.our("UnreadCount", st.UnreadCount())
	for f, n := range st.FaultsOf {
		a.our("FaultsOf", f.Author, f.Rule, n)
	}
	a.asked["FaultsOf"] = true
	for c := range st.Chains().Keys() {
		a.our("TaintedFrom", c, st.TaintedFrom(c))
		a.our("Superseded", c, st.Superseded(c))
	}
	for f := range st.CountingSuccessions {
		a.our("CountingSuccessions", f.Ref.ID)
	}
	a.asked["CountingSuccessions"] = true
}

func (a *answers) members(m *Machine) {
	st := m.State
	if r, ok := st.Roster(); ok {
		// Where several were closed, a node looks at the one that it is in.
		roster := a.my
		if st.Active() != nil {
			roster = a.our
		}
		roster("Roster", r.ID, fmt.Sprintf("%x", r.Hash), r.Revealed, len(r.Ratified))
		for _, x := range r.Members {
			roster("Roster", x, r.Ratified[x.Record])
		}
	}
	a.asked["Roster"] = true
	who := map[journal.Author]bool{}
	for c := range st.Chains().Keys() {
		who[c.Author] = true
	}
	cosigner := a.my
	if st.Active() != nil {
		cosigner = a.our
	}
	cosigner("Cosigners")
	for _, c := range m.Cosigners() {
		who[c.Identity], who[c.Host] = true, true
		cosigner("Cosigners", c.Member, c.Ratified, c.Replaced)
	}
	a.our("Successions")
	for _, r := range m.Successions() {
		a.our("Successions", fmt.Sprintf("%x", r.ID), r.Member, r.New, r.At, r.Proven, r.Needed)
		for _, by := range r.Approved {
			a.our("Successions", fmt.Sprintf("%x", r.ID), by)
		}
	}
	for n, x := range sortedAuthors(who) {
		// While a wallet is forming, each derives the roster.
		if st.Active() != nil || n == 1 {
			member, ok := m.Member(x)
			cosigner("Member", x, member, ok)
			cosigner("MemberName", x, m.MemberName(x))
		}
		a.our("Unread", x, st.Unread(x))
		a.our("IsNewcomer", x, st.IsNewcomer(x))
		a.our("Admitted", x, st.Admitted(x))
		a.our("Revealed", x, st.Revealed(x))
		a.my("Holds", x, m.Holds(x))
	}
}

func sortedAuthors(set map[journal.Author]bool) []journal.Author {
	var out []journal.Author
	for a := range set {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b journal.Author) int { return slices.Compare(a[:], b[:]) })
	return out
}

func (a *answers) labels(m *Machine) {
	r := m.State.LabelReader()
	for _, l := range m.Labels() {
		a.our("Labels", l)
	}
	a.our("Labels", m.State.Labels())
	seen := map[event.LabelTarget]bool{}
	for _, x := range factsIn(m.State, snapLabels) {
		if t := event.TargetOf(x.key); !seen[t] {
			seen[t] = true
			l, ok := m.State.Label(t)
			a.our("Label", t, l, ok)
			a.our("LabelReader", t, r.Text(t))
			a.our("Labelled", t, m.Labelled(t))
		}
	}
	// Which transactions the view keeps that came to nothing is a matter of what this
	// node broadcast once: those of proposals are asked for.
	for p := range m.State.AllProposals {
		text, by := r.OfTx(p.TxID)
		a.our("LabelReader", p.TxID, text, by)
	}
	for _, x := range []string{"Label", "Labelled"} {
		a.asked[x] = true
	}
}

// money asks what the view of the chain has a part in.
func (a *answers) money(m *Machine, now time.Time) {
	r := m.State.LabelReader()
	for _, c := range Coins(m.State, m.View, now) {
		frozen, is := m.State.Frozen(c.OutPoint)
		a.our("Frozen", c.OutPoint, frozen, is)
		a.our("Coins", c.ViewOut, c.Confirmations, c.Spendable, c.Frozen != nil, proposalIDs(c.LeasedBy), r.OfCoin(m.View, c.ViewOut))
	}
	a.asked["Frozen"] = true
	a.our("GroupFreezes", m.State.GroupFreezes(m.View.Tip().Height))
	for _, tip := range []int32{0, 1, 1 << 20} {
		a.our("GroupFreezes", tip, m.State.GroupFreezes(tip))
	}
	for index := range uint32(4) {
		a.our("LeasedBy", index, m.LeasedBy(index))
	}
	handed, err := m.Handed(now)
	a.our("Handed", handed, err)
	var after *ledger.HistoryPos
	for more := true; more; {
		var items []HistoryItem
		items, more = m.History(after, 2, Period{})
		for _, x := range items {
			fee := int64(-1)
			if x.Fee != nil {
				fee = *x.Fee
			}
			a.our("History", x.TxID, x.Amount, fee, x.Block, x.Proposal)
			after = &ledger.HistoryPos{Height: x.Block.Height, TxID: x.TxID}
		}
	}
	a.asked["History"] = true
}

func (a *answers) proposals(m *Machine, now time.Time) {
	st := m.State
	all := m.Proposals()
	a.our("Proposals", proposalIDs(all))
	var paged []*group.Proposal
	for next := (&ProposalPos{Time: 1 << 62}); next != nil; {
		var page []*group.Proposal
		page, next = m.ProposalPage(next, 2, func(p *group.Proposal) bool { return true })
		paged = append(paged, page...)
	}
	a.our("ProposalPage", proposalIDs(paged))
	// What was told of copies that decide nothing hangs on the order.
	for _, name := range []string{"CountProposals", "PendingPage", "OldestPending"} {
		a.asked[name] = true
	}
	if !entersAgain(st) {
		a.our("CountProposals", m.CountProposals())
		pending, _ := m.PendingPage(nil, maxPaged, func(p *group.Proposal) bool { return m.Status(p, now) == group.StatusPending })
		a.our("PendingPage", proposalIDs(pending))
		oldest, any := m.OldestPending(now)
		a.our("OldestPending", oldest, any)
	}
	for p := range st.AllProposals {
		a.our("ProposalsBy", p, proposalIDs(m.ProposalsBy(fmt.Sprintf("%x", p.Ref.ID[:])[:3])))
		a.our("Proposal", p, p.Ref, p.TxID, p.Sound, p.Author())
		a.our("Alive", p, m.Alive(p))
		if p.Sound && m.Alive(p) {
			a.proposal(m, p, now)
		}
	}
	for _, x := range []string{"Alive", "Proposal", "ProposalsBy", "Status", "Conflicts", "Replaces", "ReplacedBy", "Approvals", "Rejections", "Against",
		"Leaves", "AwaitsMe", "Withdrawn", "Final", "FinalTx", "Tx", "Signatures", "PSBT", "MatchPSBT", "HeldBy", "Warn", "Cautions", "Course", "Comments", "PreApprovals"} {
		a.asked[x] = true
	}
}

// entersAgain says whether a chain entered a transaction more than once. All but
// the first of those decide about nothing, and a step does not go through them:
// they are counted as what they were when they came until the node starts again.
func entersAgain(s group.State) bool {
	for p := range s.AllProposals {
		if p.Sound && !slices.Contains(s.CopiesOf(p.TxID), p) {
			return true
		}
	}
	return false
}

// stale lists the proposals that decide about a transaction and of which another
// status stands than the step told last.
func stale(m *Machine, now time.Time) string {
	var b strings.Builder
	for id, was := range m.watch.told.All() {
		p, _ := m.State.Proposal(mapkey.Entry(id))
		is := toldStatus{group.Derive(m.State, m.View, now, p), m.Status(p, now)}
		if m.Alive(p) && was != is && slices.Contains(m.State.CopiesOf(p.TxID), p) {
			fmt.Fprintf(&b, "%x of %v: told %v, is %v\n", id, p.TxID, was, is)
		}
	}
	return b.String()
}

func (a *answers) proposal(m *Machine, p *group.Proposal, now time.Time) {
	st := m.State
	a.our("Status", p, m.Status(p, now))
	a.our("Leaves", p, m.Leaves(p))
	if of, ok := p.Body.For(); ok {
		for q := range m.watch.occasions.By(st, p.Author(), of) {
			a.our("MadeFor", p, q.Ref.ID)
		}
		q, how := m.watch.occasions.Before(st, m.View, p)
		a.our("PaidBefore", p, q == nil, how)
	}
	a.our("Cautions", p, m.Cautions(p))
	a.my("AwaitsMe", p, m.AwaitsMe(p, now))
	a.our("Conflicts", p, m.Conflicts(p))
	a.our("Replaces", p, m.Replaces(p))
	a.our("ReplacedBy", p, m.ReplacedBy(p))
	for _, x := range m.Approvals(p) {
		a.our("Approvals", p, x.Member, x.Time, x.Signatures)
	}
	for _, x := range m.Rejections(p) {
		a.our("Rejections", p, x.Member, x.Reason)
	}
	for _, x := range m.Course(p) {
		a.our("Course", p, x.By, x.Kind, x.Text, x.Time)
	}
	for _, x := range st.Active().Members {
		a.our("NodeOf", x, st.NodeOf(x))
		a.our("SignedUnasked", p, m.SignedUnasked(p, x))
	}
	for _, x := range m.PreApprovals(p) {
		a.our("PreApprovals", p, x.Member, x.Fee, x.Until)
	}
	for _, x := range st.Comments(p.Ref.ID) {
		a.our("Comments", p, x.Ref, x.Text)
	}
	a.our("Against", p, st.Against(p))
	a.our("Withdrawn", p, st.Withdrawn(p))
	a.our("Final", p, st.Final(p))
	a.our("Replaced", p, st.Replaced(p))
	a.our("Finals", p, proposalIDs(st.Finals(p)))
	a.our("ConflictsOf", p, proposalIDs(st.ConflictsOf(p)))
	for k := range st.Active().Members {
		a.our("SignedInputs", p, k, st.SignedInputs(p, k))
		a.our("Signed", p, k, st.Signed(p, k))
		a.our("SignedCoins", p, k, st.SignedCoins(p, k, event.MaxReplaces))
	}
	tx, err := st.FinalTx(p)
	a.our("FinalTx", p, tx, err)
	tx, err = m.Tx(p)
	a.our("Tx", p, tx, err)
	for _, x := range st.Signatures(p) {
		a.our("Signatures", p, x.Input, x.Key, fmt.Sprintf("%x", x.Bytes))
	}
	packet, missing, err := m.PSBT(p, 2)
	a.our("PSBT", p, packet != nil, missing, err)
	if packet != nil {
		text, err := packet.Bytes()
		a.our("PSBT", p, fmt.Sprintf("%x", text), err)
		q, sigs, err := m.MatchPSBT(packet)
		a.our("MatchPSBT", p, q != nil && q.Ref.ID == p.Ref.ID, len(sigs), err != nil)
	}
	for _, x := range m.HeldBy(p) {
		a.my("HeldBy", p, x)
	}
	for _, x := range m.Warn(p, now, 0, port.Policy{}) {
		a.my("Warn", p, x)
	}
}

// within are the queries of a State that no client has the answer of: what a step
// goes by, and what the answers that are compared are made of. A new one is either
// compared by answersOf or is one of these.
var within = []string{
	// It makes another State, or an entry.
	"Activated", "Add", "AddUnread", "Derived", "Draft", "InPlaceOf", "JudgeLater", "Pin", "TakeAnswer", "TakeAsk", "TakeLeased",
	"TakeReweighed", "TakeStrange", "TakeTouched", "Told", "WithPin", "WithSnapshot", "Work",
	// It is of what came since, and of what is to be looked at.
	"AnswersDue", "AsksDue", "FreezesSaid", "Idle", "PoliciesSaid", "Remarked", "SpokenOf", "StrangeDue", "Touched",
	// canon compares it, or it is over all that canon compares.
	"AllProposals", "Counts", "Digest", "MayRekey", "Snapshot",
	// It is of this node or this program.
	"FaultCount", "FaultsBy", "HostsMember", "Knows", "LeasedByOther", "MyVote", "Payer", "PinnedBefore", "SameKeys", "Self", "TakesPlace", "Tied", "Succeeded",
	// It is of something that is handed in, or a part of an answer.
	"AnyAsked", "AnyOf", "ApprovalsNeeded", "ApprovedBefore", "Asked", "CheckAnswer", "Round", "Around", "Ballot", "Broadcastable", "BroughtCleanly", "Buried", "ByTime", "CarriedPastForks", "CheckRecord", "CheckSuccession",
	"ClaimHeld", "CopiesFor", "CopiesOf", "CountUnreadSealed", "CountUnverified", "Covers", "Dead", "Declares", "EntriesOn", "EpochHeld", "EpochsOf", "Evidence",
	"FirstApproval", "FreezesStated", "LiftsNeeded", "FirstEpoch", "FirstRosters", "FullySigned", "HostCarriedTo", "HostedBy", "LabelledTargets", "LabelsLeft", "LastApproval", "LastFreezes", "LastLabels", "LastVotes", "Lead", "LeasedWithin",
	"Named", "NeededByOthers", "OnlyPastForks", "OwnApproval", "OwnRecord", "PartOf", "PlacedRecords", "Places", "ProposalsFrom", "ProposalsOf", "ProposedTx", "RecordOf",
	"Records", "Released", "Replacements", "RosterOf", "RosterRecords", "RekeyedAt", "RuleOf", "Said", "SameMember", "Seats", "SetupFacts", "Shows", "SignatureHeld", "SignedCoin",
	"Spenders", "Spent", "StatingCoin", "StatusOf", "Tainted", "TakesChange", "ToHand", "UnheldApproval", "UnreadBy", "VisitResting", "Voted", "VotesGiven", "WithdrawnAt", "VisitSpending", "Worded", "WroteUnder",
}

// forShell are the queries of a Machine that its shell alone goes by: they are of
// this node's own records, of the stream that it follows, of an entry's author, or of
// when this node noted something.
var forShell = []string{"AlarmsAt", "Presence", "Archived", "Asked", "AwaitsMyApproval", "AwaitsWords", "Began", "IssuedInvites", "OpenInvites", "OwnKey", "OwnName", "Preview", "Reach", "SecondTaker", "Snapshots", "Stream", "Synced", "Unlinked", "Unsaved", "Unsent", "Vouched",
	"AsRobot", "CeilingFits", "Due", "DueSchedules", "Held", "Incarnation", "MadeFor", "MaySignDue", "ScheduleOf", "Schedules", "UnsignedSchedules", "Answers", "Overdue", "PingRequest", "PingRounds", "Pinged", "Unanswered"}

// Nothing that a client can ask of a machine is left out of the comparison.
func TestAllReadersAreCompared(t *testing.T) {
	c := active(t, 2, 3)
	c.fund(500_000)
	c.peers[0].must(pay(1, 100_000))
	a := answersOf(&c.peers[0].m, *c.peers[0].clock)
	for _, x := range []any{&c.peers[0].m, c.peers[0].m.State} {
		of := reflect.TypeOf(x)
		for i := range of.NumMethod() {
			name := of.Method(i).Name
			known := forShell
			if _, state := x.(group.State); state {
				known = within
			}
			if !a.asked[name] && !slices.Contains(known, name) {
				t.Errorf("%v.%s is a reader that no order is compared by", of, name)
			}
		}
	}
}
