package coordinator

import (
	"maps"
	"slices"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
)

// policies asks what is said of policies and by robots.
func (a *answers) policies(m *Machine) {
	st := m.State
	a.our("AnyPolicy", st.AnyPolicy())
	after := map[event.PolicyVersion]bool{{}: true}
	for v, ref := range st.Policies {
		a.our("Policies", v, ref)
		after[v] = true
	}
	versions := slices.SortedFunc(maps.Keys(after), func(a, b event.PolicyVersion) int { return slices.Compare(a[:], b[:]) })
	for _, v := range versions {
		text, parents, ok := st.PolicyText(v)
		a.our("PolicyText", v, text, parents, ok)
		a.our("PolicyEntries", v, st.PolicyEntries(v))
		a.our("PoliciesAfter", v, st.PoliciesAfter(v))
		standing := st.PolicyStanding(v)
		a.our("PolicyStanding", v, standing)
		if st.Active() == nil {
			continue
		}
		a.our("PolicyApprovers", v, st.PolicyApprovers(v))
		a.our("PoliciesNamed", v, st.PoliciesNamed(v.String()))
		a.our("PolicyPassed", v, st.PolicyPassed(standing))
		a.our("PolicyApprovedOnce", v, st.PolicyApprovedOnce(v))
		for k := range st.Active().Members {
			anchor, ok := st.PolicyAnchor(k, v)
			a.our("PolicyAnchor", k, v, anchor, ok)
		}
	}
	if st.Active() != nil {
		for k := range st.Active().Members {
			of, at, ok := st.PolicyAdopted(k)
			a.our("PoliciesBy", k, st.PoliciesBy(k, 1000))
			a.our("PolicyAdopted", k, of, at, ok)
			last, ever := st.PolicyAdoptedEver(k)
			a.our("PolicyAdoptedEver", k, last, ever)
			a.our("PolicyBegan", k, st.PolicyBegan(k))
			for v, began := range st.PolicyMoves(k) {
				a.our("PolicyMoves", k, v, began)
			}
			first, ok := st.PolicyFirst(k, of)
			a.our("PolicyFirst", k, of, first, ok)
		}
	}
	said := map[journal.Author]bool{}
	for c := range st.Chains().Keys() {
		said[c.Author] = true
	}
	for p := range st.AllProposals {
		for _, who := range sortedAuthors(said) {
			v, n, ok := st.VerdictBy(who, p.Ref.ID)
			a.our("VerdictBy", who, p, v, n, ok)
			a.our("SignedByVerdict", who, p, st.SignedByVerdict(who, p.Ref.ID))
		}
		for _, x := range m.Verdicts(p) {
			a.our("Verdicts", p, x.Member, x.Verdict)
		}
	}
	for _, x := range []string{"Policies", "PolicyPassed", "PolicyApprovedOnce", "PolicyAnchor", "PolicyAdopted", "PolicyAdoptedEver", "PolicyBegan", "PolicyFirst", "PolicyMoves", "SignedByVerdict", "VerdictBy", "Verdicts"} {
		a.asked[x] = true
	}
	a.our("BudgetEntries", st.BudgetEntries())
	if st.Active() != nil {
		for k := range st.Active().Members {
			for r := range st.ReservedBy(k) {
				a.our("ReservedBy", k, r)
			}
			for r := range st.ReservedEver(k) {
				a.our("ReservedEver", k, r)
				for by := range st.Active().Members {
					at, ok := st.GrantedBy(by, r.Ref.ID, true)
					a.our("GrantedBy", by, r.Ref.ID, at, ok)
				}
			}
			for at, r := range st.GrantsOf(k) {
				a.our("GrantsOf", k, at, r)
				held, ok := st.Reservation(r.Ref.ID)
				a.our("Reservation", held, ok, st.ReleasedBudget(r.Ref.ID, r.Ref.Chain.Author))
			}
		}
	}
	for _, x := range []string{"ReservedBy", "ReservedEver", "GrantedBy", "GrantsOf", "Reservation", "ReleasedBudget"} {
		a.asked[x] = true
	}
	status, is := m.Robot()
	a.my("Robot", status, is)
}
