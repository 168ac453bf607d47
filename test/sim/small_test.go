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
		one("withdrawn and signed", "coordinator/stages.go",
			"	if m.State.Withdrawn(x.p) {", "	if false {"),
		one("guard not loaded", "coordinator/load.go",
			"m.Guard = NewGuard(guard)", "m.Guard = NewGuard(guard[:0])"),
		one("signer asked before the guard", "coordinator/turn.go",
			"if t.shell.Detached != nil && len(x.Guard) > 0 {", "if false {"),
		{name: "final and not sent after a start", small: true, edits: []edit{
			{"coordinator/settle.go", "import (\n", "import (\n	\"github.com/quorate/quorate/coordinator/mapkey\"\n"},
			{"coordinator/settle.go", "			s.tell(p, false)\n", "			s.m.watch.told = s.m.watch.told.Set(mapkey.Of(p.Ref.ID), s.m.Status(p, s.now()))\n"},
		}},
	}
}

// schedule runs test/explore over a breach, and returns the shortest schedule to it.
func (b breach) schedule(t *testing.T, root string) string {
	t.Helper()
	args := []string{"test", "-count=1", "-vet=off", "-timeout", "60m", "-failfast", "-v", "-run", "^TestEverySchedule$", "./test/explore", "-states=50000"}
	return told(t, b.over(t, root, args), `(?s)BROKEN: .*?\n +explore_test`)
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
