package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// table says how each kind of event is told, one line a kind: its name, as filters
// take it, and what follows the name of its author. A test asks for every kind that
// package event knows.
func table() []row {
	return []row{
		said("founded", func(t teller, b *event.GroupCreated) string { return "founded the wallet " + quote(b.Name) }),
		said("admitted", func(t teller, b *event.MemberAdmitted) string { return "let " + t.who(b.Identity) + " in" }),
		said("entered", func(t teller, b *event.MemberRecord) string {
			return choose(b.Hosted, "entered the key of "+quote(b.Name)+", who has no node", "entered a key as "+quote(b.Name))
		}),
		said("closed", func(t teller, b *event.RosterClosed) string {
			return "closed the roster of " + count(len(b.Records), "key")
		}),
		said("revealed", func(t teller, b *event.RosterRevealed) string { return "opened a commitment to the roster" }),
		said("ratified", func(t teller, b *event.RosterRatified) string {
			return choose(b.Record == nil, "ratified the roster", "ratified the roster for a cosigner without a node")
		}),
		said("abandoned", func(t teller, b *event.GroupAbandoned) string { return "gave the wallet up" + because(b.Reason) }),
		said("rekeyed", func(t teller, b *event.EpochRotated) string {
			return fmt.Sprintf("began epoch %d, sealed to %s", b.Number, count(len(b.Stanzas), "identity"))
		}),
		said("stanza_failed", func(t teller, b *event.StanzaFailed) string { return "could not open the secret of an epoch" }),
		said("restored", func(t teller, b *event.IncarnationStarted) string {
			return fmt.Sprintf("began anew after a restore, knowing %s of before", count(int(min(b.Seq, 1<<53)), "entry"))
		}),
		said("named", func(t teller, b *event.EntriesNamed) string {
			return "named " + count(len(b.Entries), "entry") + " that others need"
		}),
		said("features", func(t teller, b *event.NodeFeatures) string {
			return "told that the node knows " + count(len(b.Kinds), "kind") + " of entries"
		}),
		said("address", func(t teller, b *event.AddressLeased) string {
			return fmt.Sprintf("handed out receiving address %d", b.Index)
		}),
		said("proposed", teller.proposed),
		on("approved", func(b *event.ProposalApproved) journal.EntryID { return b.Proposal }, teller.approved),
		on("rejected", func(b *event.ProposalRejected) journal.EntryID { return b.Proposal }, func(t teller, b *event.ProposalRejected) string {
			return "rejected " + brief(b.Proposal) + because(b.Reason)
		}),
		on("rejection_withdrawn", func(b *event.RejectionWithdrawn) journal.EntryID { return b.Proposal }, func(t teller, b *event.RejectionWithdrawn) string {
			return "took the rejection of " + brief(b.Proposal) + " back"
		}),
		on("withdrawn", func(b *event.ProposalWithdrawn) journal.EntryID { return b.Proposal }, func(t teller, b *event.ProposalWithdrawn) string {
			return "withdrew " + brief(b.Proposal)
		}),
		on("carried", func(b *event.SignatureCarried) journal.EntryID { return b.Proposal }, func(t teller, b *event.SignatureCarried) string {
			return "brought " + count(len(b.Signatures), "signature") + " of others on " + brief(b.Proposal)
		}),
		on("commented", func(b *event.ProposalCommented) journal.EntryID { return b.Proposal }, func(t teller, b *event.ProposalCommented) string {
			return "commented on " + brief(b.Proposal) + because(b.Text)
		}),
		said("labelled", teller.labelled),
		said("coin_frozen", func(t teller, b *event.CoinFrozen) string {
			return choose(b.Frozen, "froze coin ", "lifted the freeze of coin ") + b.OutPoint().String() + because(b.Note)
		}),
		said("policy_proposed", func(t teller, b *event.PolicyProposed) string {
			return fmt.Sprintf("proposed policy %s of %d bytes%s", b.Version(t.state.Group()), len(b.Bytes), choose(len(b.Parents) > 0, ", in the place of "+versions(b.Parents), ""))
		}),
		said("policy_approved", func(_ teller, b *event.PolicyApproved) string { return "approved policy " + b.Version.String() }),
		said("policy_objected", func(_ teller, b *event.PolicyObjected) string { return "objected to policy " + b.Version.String() }),
		said("policy_anchored", func(_ teller, b *event.PolicyAnchored) string {
			return fmt.Sprintf("saw %d votes for policy %s at height %d, as a robot", len(b.Votes), b.Version, b.Height)
		}),
		said("policy_adopted", func(_ teller, b *event.PolicyAdopted) string {
			return "follows policy " + b.Version.String() + ", as a robot"
		}),
		on("judged", func(b *event.RobotVerdict) journal.EntryID { return b.Proposal }, teller.judged),
		on("budget_reserved", func(b *event.BudgetReserved) journal.EntryID { return b.Proposal }, func(_ teller, b *event.BudgetReserved) string {
			return "asked the other robots for leave to sign " + brief(b.Proposal)
		}),
		said("budget_granted", func(_ teller, b *event.BudgetGranted) string { return "gave leave by " + brief(b.Reservation) }),
		said("budget_released", func(_ teller, b *event.BudgetReleased) string { return "needs no leave by " + brief(b.Reservation) }),
		said("group_frozen", func(_ teller, b *event.GroupFrozen) string { return "froze all spending" + because(b.Reason) }),
		said("freeze_lifted", func(_ teller, b *event.FreezeLifted) string {
			return fmt.Sprintf("was for lifting %s of all spending, at height %d: %s", count(len(b.Freezes), "freeze"), b.Height, briefs(b.Freezes))
		}),
		said("ping_asked", func(teller, *event.PingAsked) string { return "asked every key to show that it is there" }),
		said("ping_answered", teller.pinged),
		said("replaced", func(t teller, b *event.MemberReplaced) string {
			return fmt.Sprintf("told that %s has a new device, %s", t.who(b.Old), t.who(b.New))
		}),
		said("replacement_approved", func(t teller, b *event.ReplacementApproved) string { return "took a new device for true" }),
	}
}

// row is how one kind is told.
type row struct {
	name string
	kind event.Kind
	tell func(teller, event.Body) string
	// of is the proposal that it is about; nil where it is about none.
	of func(event.Body) journal.EntryID
}

// said is a row of a kind that is about no proposal.
func said[B event.Body](name string, tell func(teller, B) string) row {
	var none B
	return row{name: name, kind: none.Kind(), tell: func(t teller, b event.Body) string { return tell(t, b.(B)) }}
}

// on is a row of a kind that is about a proposal.
func on[B event.Body](name string, of func(B) journal.EntryID, tell func(teller, B) string) row {
	r := said(name, tell)
	r.of = func(b event.Body) journal.EntryID { return of(b.(B)) }
	return r
}

// byKind has the table by kind. It is never changed.
var byKind = func() map[event.Kind]row {
	out := map[event.Kind]row{}
	for _, r := range table() {
		out[r.kind] = r
	}
	return out
}()

// Kinds lists the names of the kinds that entries may be of, in the order of the table.
func Kinds() []string {
	var out []string
	for _, r := range table() {
		out = append(out, r.name)
	}
	return out
}

// teller has what sentences need besides the event: who the identities are.
type teller struct{ state group.State }

// who names an identity: as the member that it writes for, else by its peer id.
func (t teller) who(a journal.Author) string { return Called(t.state, a) }

// Called names an identity as it is shown everywhere, whatever member it writes for;
// of who is none, its peer id.
func Called(s group.State, a journal.Author) string {
	if active := s.Active(); active != nil {
		if k, ok := active.KeyOf(a); ok {
			return display.Line(active.Members[k].Called())
		}
	} else if r, ok := s.OwnRecord(a); ok {
		return display.Line(group.Member{Identity: a, Name: r.Body.Name}.Called())
	}
	return group.Member{Identity: a}.ID()
}

func (t teller) proposed(b *event.ProposalCreated) string {
	network := wallet.Network(t.state.Genesis().Network)
	fee, pays := int64(0), []event.ProposalOutput(nil)
	for _, i := range b.Inputs {
		fee += i.Amount
	}
	for _, o := range b.Outputs {
		fee -= o.Amount
		if o.Change == nil {
			pays = append(pays, o)
		}
	}
	text := "proposed to send all to the wallet itself"
	if len(pays) > 0 {
		to, err := wallet.AddressOf(pays[0].PkScript, network)
		if err != nil {
			to = "a script without an address"
		}
		text = "proposed to pay " + display.Amount(pays[0].Amount) + " to " + to
		if pays[0].Label != "" {
			text += " " + quote(pays[0].Label)
		}
		if n := len(pays) - 1; n > 0 {
			text += " and " + count(n, "other")
		}
	}
	text += ", fee " + display.Amount(fee)
	if len(b.Replaces) > 0 {
		text += ", in the place of " + count(len(b.Replaces), "transaction")
	}
	return text + because(b.Note)
}

func (t teller) approved(b *event.ProposalApproved) string {
	text := "approved " + brief(b.Proposal) + " with " + count(len(b.Signatures), "signature")
	if of, ok := b.Through(); ok {
		text += ", by the node itself, since transaction " + of.String() + " was approved with bumps"
	}
	if x, ok := b.UpTo(); ok {
		text += choose(x.Fee == 0, ", and no bump of it without being asked",
			", and any bump of it up to a fee of "+display.Amount(x.Fee)+" until "+time.Unix(x.Until, 0).UTC().Format(time.DateOnly))
	}
	return text
}

func (t teller) pinged(b *event.PingAnswered) string {
	whose, asked := fmt.Sprintf("key %d", b.Key), "entry "+brief(b.Round)
	if a := t.state.Active(); a != nil && int(b.Key) < len(a.Members) {
		whose = "the key of " + display.Line(a.Members[b.Key].Called())
	}
	if r, ok := t.state.Round(b.Round); ok {
		asked = t.who(r.Chain.Author)
	}
	return fmt.Sprintf("showed that %s is there, as %s had asked, by its %s", whose, asked, choose(b.How == event.ProofOwn, "own signature", b.How.String()))
}

func (t teller) labelled(b *event.LabelSet) string {
	what := ""
	switch on := b.On(); on.Kind {
	case event.LabelTx:
		what = "transaction " + on.TxID().String()
	case event.LabelOutput:
		what = "output " + on.OutPoint().String()
	case event.LabelAddress:
		address, err := wallet.AddressOf(on.Script(), wallet.Network(t.state.Genesis().Network))
		what = choose(err == nil, "address "+address, "a script without an address")
	}
	return choose(b.Text == "", "took the label of "+what+" away", "called "+what+" "+quote(b.Text))
}

// quote shows text that somebody typed, on one line and in quotation marks.
func quote(s string) string { return fmt.Sprintf("%q", display.Line(s)) }

func because(text string) string {
	if text == "" {
		return ""
	}
	return ": " + quote(text)
}

// brief is how much of an id sentences show.
func brief(id journal.EntryID) string { return id.String()[:12] }

// briefs shows the first ids of a list.
func briefs(ids []journal.EntryID) string {
	var out []string
	for _, id := range ids[:min(len(ids), 4)] {
		out = append(out, brief(id))
	}
	if more := len(ids) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

func choose(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		what = strings.TrimSuffix(what, "y") + "ies"
	default:
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// ByMember returns the identities that wrote for the member that a text names, by
// name or peer id or the fingerprint of its key; several members where the text fits
// several.
func ByMember(s group.State, text string) [][]journal.Author {
	var out [][]journal.Author
	fits := func(m group.Member, identities []journal.Author) {
		named := m.Called() == text || m.Name == text || fmt.Sprintf("%x", m.Key.Fingerprint) == text
		ids := slices.ContainsFunc(identities, func(a journal.Author) bool { return group.Member{Identity: a}.ID() == text })
		if named || ids {
			out = append(out, identities)
		}
	}
	if a := s.Active(); a != nil {
		for k, m := range a.Members {
			if !m.Hosted() {
				fits(m, a.Identities(k))
			}
		}
		return out
	}
	for r := range s.PlacedRecords {
		if !r.Body.Hosted {
			fits(group.Member{Identity: r.Ref.Chain.Author, Name: r.Body.Name, Key: r.Key}, []journal.Author{r.Ref.Chain.Author})
		}
	}
	return out
}

// ProposalOf returns the proposal that an entry is about, by what it says; zero for
// none.
func ProposalOf(id journal.EntryID, b event.Body) journal.EntryID {
	switch r := byKind[b.Kind()]; {
	case r.of != nil:
		return r.of(b)
	case r.kind == event.KindProposalCreated:
		return id
	}
	return journal.EntryID{}
}

func (t teller) judged(b *event.RobotVerdict) string {
	word := map[uint64]string{1: "sign", 2: "wait", 3: "ask", 4: "deny"}[b.Outcome]
	out := "judged " + brief(b.Proposal) + choose(b.Shadow, " as a robot that signs nothing: ", " as a robot: ") + word
	if len(b.Reasons) > 0 {
		out += " (" + strings.Join(b.Reasons, ", ") + ")"
	}
	return out
}

func versions(of []event.PolicyVersion) string {
	var out []string
	for _, v := range of {
		out = append(out, v.String())
	}
	return strings.Join(out, " and ")
}
