package sim

import "testing"

// smallBreaches are those that test/explore alone looks for: a few of the rules that
// hold among two or three nodes, and of those that a crash or a signer in another
// process shows.
func smallBreaches() []breach {
	one := func(name, file, was, then string) breach {
		return breach{name: name, small: true, edits: []edit{{file, was, then}}}
	}
	return []breach{
		{name: "withdrawn and signed", small: true, edits: []edit{
			{"coordinator/stages.go", "	if m.State.Withdrawn(x.p) {", "	if false {"},
			{"coordinator/acts.go", "ActApprove: refusal.Withdrawn, ", ""},
		}},
		one("guard not loaded", "coordinator/load.go",
			"m.Guard = NewGuard(guard)", "m.Guard = NewGuard(guard[:0])"),
		one("signer asked before the guard", "coordinator/turn.go",
			"if t.shell.Detached != nil && len(x.Guard) > 0 {", "if false {"),
		{name: "final and not sent after a start", small: true, edits: []edit{
			{"coordinator/step_status.go", "func (s *step) send(p *group.Proposal, now group.Status) {\n", "func (s *step) send(p *group.Proposal, now group.Status) {\n	if s.starting {\n		return\n	}\n"},
		}},
	}
}

// schedule runs test/explore over a breach, and returns the shortest schedule to it.
func (b breach) schedule(t *testing.T, root string) string {
	t.Helper()
	args := []string{"test", "-count=1", "-vet=off", "-timeout", "60m", "-failfast", "-v", "-run", "^TestEverySchedule$", "./test/explore", "-states=50000"}
	return told(t, b.over(t, root, args), `(?s)BROKEN: .*?\n +explore_test|explore_test\.go:\d+: A shows or sends what is not durable yet`)
}

// Rules of the product that show in a small group are broken, each in a build of its
// own, and the walk of every schedule must find each.
func TestBrokenRulesShowInSmallGroups(t *testing.T) {
	if !*broken {
		t.Skip("builds the product once for each rule: -broken runs it")
	}
	root := root(t)
	for _, b := range append(breaches(), smallBreaches()...) {
		if b.small {
			t.Run(b.name, func(t *testing.T) { t.Logf("found: %s", b.schedule(t, root)) })
		}
	}
}
