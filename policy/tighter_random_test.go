package policy

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func valid(p *Policy) bool { return p.Validate() == nil && p.Fits(randomN, randomK) == nil }

// enoughRuns is how many runs of a property have to have drawn what it is about: where fewer are
// asked for, as with the race detector, they need not.
const enoughRuns = 50

// What a tighter policy signs, the one before it signs, too.
func TestTighterLetsOutNothingMore(t *testing.T) {
	var runs, tighter, signed, looser int
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		old := drawPolicy(rt, "old")
		c := chance{rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))}
		for range 40 {
			p := clonePolicy(rt, old)
			var how []string
			for range 1 + c.IntN(3) {
				how = append(how, c.alter(p))
			}
			if !valid(p) {
				continue
			}
			is, found := Tighter(old, p, testNames)
			if !is {
				looser++
				continue
			}
			tighter++
			for range 40 {
				x := c.try(old)
				if c.oneIn(3) {
					x = c.try(p)
				}
				before, now := x.under(old), x.under(p)
				was, is := Decide(old, before), Decide(p, now)
				if is.Outcome != OutcomeSign {
					continue
				}
				if signed++; was.Outcome != OutcomeSign {
					rt.Fatalf("%q is tighter: %+v\nbefore: %+v\nnow: %+v\nit signs what was %+v:\n%+v\n%+v", how, found, old, p, was, before, now)
				}
			}
		}
	})
	t.Logf("%d tighter, %d looser; %d signed", tighter, looser, signed)
	if runs >= enoughRuns && (tighter < 20 || looser < 20 || signed < 5) {
		t.Fatalf("%d tighter ones, %d looser ones and %d signatures say little", tighter, looser, signed)
	}
}

// A narrower figure makes a policy tighter, and no payment falls to another rule by it. Only
// where what it refuses is asked about, and an answer makes a robot sign, it is looser.
func TestANarrowerFigureMovesNoPayment(t *testing.T) {
	runs, narrowed, decided := 0, map[string]int{}, 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		old := drawPolicy(rt, "old")
		c := chance{rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))}
		for range 40 {
			p := clonePolicy(rt, old)
			f := c.narrow(p)
			if f.name == "" || !valid(p) {
				continue
			}
			narrowed[f.name]++
			sends := f.sends && slices.ContainsFunc(f.rules, func(i int) bool {
				r := p.Rules[i]
				return r.Else == Ask && slices.ContainsFunc(r.Steps, func(s Step) bool { return s.N > 0 })
			})
			is, found := Tighter(old, p, testNames)
			if is == sends || !slices.ContainsFunc(found, func(d Difference) bool { return d.Mark == MarkTighter }) {
				rt.Fatalf("a narrower %s is tighter: %v %+v\n%+v\n%+v", f.name, is, found, old, p)
			}
			if back, found := Tighter(p, old, testNames); back {
				rt.Fatalf("a wider %s is tighter: %+v\n%+v\n%+v", f.name, found, p, old)
			}
			for range 10 {
				x := c.try(old)
				x.facts.Heard = randomN
				before, now := x.under(old), x.under(p)
				was, ok := Match(old, before)
				is, still := Match(p, now)
				if was != is || ok != still || Decide(old, before).Rule != Decide(p, now).Rule {
					rt.Fatalf("by a narrower %s rule %d decides, %v, instead of rule %d, %v:\n%+v\n%+v\n%+v", f.name, is, still, was, ok, old, p, now)
				}
				if ok {
					decided++
				}
			}
		}
	})
	t.Logf("%v; %d decided", narrowed, decided)
	if runs >= enoughRuns && (len(narrowed) < 8 || decided < 50) {
		t.Fatalf("%d figures and %d decisions say little", len(narrowed), decided)
	}
}

// A name that stays and stands for more is no tighter policy.
func TestANameThatHidesMoreIsNotTighter(t *testing.T) {
	runs, groups, recipients := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		old := drawPolicy(rt, "old")
		c := chance{rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))}
		for range 80 {
			p := clonePolicy(rt, old)
			if len(p.Groups) > 0 {
				g := &p.Groups[c.IntN(len(p.Groups))]
				g.Keys |= KeysOf(c.key(0))
				if valid(p) && namesOthers(old, p) {
					groups++
					if is, found := Tighter(old, p, testNames); is {
						rt.Fatalf("a member more in group %s: %+v\n%+v\n%+v", g.Name, found, old, p)
					}
				}
			}
			p = clonePolicy(rt, old)
			if len(p.Recipients) == 0 {
				continue
			}
			at := c.IntN(len(p.Recipients))
			r := &p.Recipients[at]
			if len(r.Descriptors) > 0 && c.oneIn(2) {
				r.Lookahead++
			} else {
				r.Addresses = append(r.Addresses, "bc1qz")
			}
			if valid(p) && slices.ContainsFunc(p.Rules, func(r Rule) bool { return slices.Contains(r.When.To, uint64(at)) }) {
				recipients++
				if is, found := Tighter(old, p, testNames); is {
					rt.Fatalf("more of recipient %s: %+v\n%+v\n%+v", r.Name, found, old, p)
				}
			}
		}
	})
	t.Logf("%d groups, %d recipients", groups, recipients)
	if runs >= enoughRuns && (groups < 5 || recipients < 5) {
		t.Fatalf("%d groups and %d recipients say little", groups, recipients)
	}
}

// namesOthers says whether two policies whose rules name the same groups mean others by them:
// of approvals only where a rule has one, since of several one may do for another.
func namesOthers(old, p *Policy) bool {
	for i, r := range p.Rules {
		who := []Who{r.When.Initiators}
		if r.When.Labels != nil {
			who = append(who, r.When.Labels.By)
		}
		if len(r.Require.Approvals) == 1 {
			who = append(who, r.Require.Approvals[0].Of)
		}
		for _, s := range old.Rules[i].Steps {
			who = append(who, s.Who)
		}
		if slices.ContainsFunc(who, func(w Who) bool { return old.Keys(w) != p.Keys(w) }) {
			return true
		}
	}
	return false
}
