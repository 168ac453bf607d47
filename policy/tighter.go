package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorate/quorate/display"
)

// Mark says which way a difference goes.
type Mark string

// The marks. What is the same to a robot may be written in another way.
const (
	MarkTighter Mark = "tighter"
	MarkLooser  Mark = "looser"
	MarkSame    Mark = "same"
)

// Difference is one between two policies, in words.
type Difference struct {
	Mark Mark
	Text string
}

// Tighter says whether a policy signs nothing that another one does not, and lists how they
// differ. It compares what robots go by: members, and whom is paid, whatever groups and
// recipients are called. What it cannot tell is looser.
func Tighter(old, new *Policy, names func(Key) string) (bool, []Difference) {
	c := &comparison{old: words{old, names}, new: words{new, names}}
	c.heads()
	c.recipients()
	c.meters()
	c.rules()
	looser := slices.ContainsFunc(c.found, func(d Difference) bool { return d.Mark == MarkLooser })
	return !looser, c.found
}

type comparison struct {
	old, new words
	found    []Difference
}

func (c *comparison) add(m Mark, format string, args ...any) {
	c.found = append(c.found, Difference{m, fmt.Sprintf(format, args...)})
}

// longer compares what is tighter the longer it is.
func (c *comparison) longer(what string, before, now int64) {
	switch {
	case now > before:
		c.add(MarkTighter, "%s is %s, was %s", what, spanWords(now), spanWords(before))
	case now < before:
		c.add(MarkLooser, "%s is %s, was %s", what, spanWords(now), spanWords(before))
	}
}

func (c *comparison) heads() {
	a, b := c.old, c.new
	if a.Version != b.Version {
		c.add(MarkLooser, "it is in version %d of the language, was in %d", b.Version, a.Version)
	}
	if a.Title != b.Title {
		c.add(MarkSame, "the title is %s, was %s", quoted(b.Title), quoted(a.Title))
	}
	if a.Robots != b.Robots {
		c.add(MarkLooser, "robots are %s, were %s", b.keys(b.Robots, "and"), a.keys(a.Robots, "and"))
	}
	if a.Tolerate != b.Tolerate {
		// It is in every share: others would be added up with those of the policy before.
		c.add(MarkLooser, "%d bad robots are tolerated, were %d", b.Tolerate, a.Tolerate)
	}
	c.longer("change_delay", a.ChangeDelay, b.ChangeDelay)
	switch {
	case b.StartQuorum > a.StartQuorum:
		c.add(MarkTighter, "a robot hears %s after a start, were %d", plural(b.StartQuorum, "other member"), a.StartQuorum)
	case b.StartQuorum < a.StartQuorum:
		c.add(MarkLooser, "a robot hears %s after a start, were %d", plural(b.StartQuorum, "other member"), a.StartQuorum)
	}
}

// payees are all whom recipients stand for, each once, in order.
func (p *Policy) payees(of []uint64) []string {
	var out []string
	for _, i := range of {
		r := p.Recipients[i]
		out = append(out, r.Addresses...)
		for _, d := range r.Descriptors {
			out = append(out, fmt.Sprintf("the addresses of %s up to %d past the last one that was paid", d, r.Lookahead))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// recipients are compared where meters count each by itself: one that is cut in two may be
// paid twice as much. Else the rules that name them are compared, and it is told here who is
// behind a name that stayed.
func (c *comparison) recipients() {
	_, used, _ := c.new.used()
	for i, b := range c.new.Recipients {
		at := slices.IndexFunc(c.old.Recipients, func(a Recipient) bool { return a.Name == b.Name })
		if at < 0 {
			continue
		}
		mark := MarkSame
		if slices.Contains(used, uint64(i)) {
			mark = MarkLooser
		}
		before, now := c.old.payees([]uint64{uint64(at)}), c.new.payees([]uint64{uint64(i)})
		for _, x := range now {
			if !slices.Contains(before, x) {
				c.add(mark, "recipient %s is %s, too", quoted(b.Name), display.Line(x))
			}
		}
		for _, x := range before {
			if !slices.Contains(now, x) {
				c.add(mark, "recipient %s is not %s any more", quoted(b.Name), display.Line(x))
			}
		}
	}
	each := func(p *Policy) []string {
		var out []string
		for i := range p.Recipients {
			out = append(out, strings.Join(p.payees([]uint64{uint64(i)}), "\n"))
		}
		slices.Sort(out)
		return out
	}
	if slices.Equal(each(c.old.Policy), each(c.new.Policy)) {
		return
	}
	for _, m := range c.new.Meters {
		if m.Per == PerRecipient && c.old.meter(m.Name) != nil {
			c.add(MarkLooser, "recipients are others, and meter %s counts each by itself", quoted(m.Name))
		}
	}
}

func (p *Policy) meter(name string) *Meter {
	for i := range p.Meters {
		if p.Meters[i].Name == name {
			return &p.Meters[i]
		}
	}
	return nil
}

func (c *comparison) meters() {
	for _, a := range c.old.Meters {
		b := c.new.meter(a.Name)
		if b == nil {
			c.add(MarkLooser, "meter %s is gone", quoted(a.Name))
			continue
		}
		if a.Window != b.Window || a.Per != b.Per || a.Pool != b.Pool {
			c.add(MarkLooser, "meter %s counts in another way: %s Before: %s", quoted(a.Name), b.sentence(), a.sentence())
		}
		switch {
		case b.Limit < a.Limit:
			c.add(MarkTighter, "meter %s: at most %s leaves, was %s", quoted(a.Name), display.Amount(b.Limit), display.Amount(a.Limit))
		case b.Limit > a.Limit:
			c.add(MarkLooser, "meter %s: at most %s leaves, was %s", quoted(a.Name), display.Amount(b.Limit), display.Amount(a.Limit))
		}
	}
	for _, b := range c.new.Meters {
		if c.old.meter(b.Name) == nil {
			c.add(MarkSame, "meter %s is new: it bounds what rules let leave that name it", quoted(b.Name))
		}
	}
}

// rules pairs those of the same When, in order. One that denies may stand anywhere: it takes
// from those after it.
func (c *comparison) rules() {
	next := 0
	for i, b := range c.new.Rules {
		switch {
		case next < len(c.old.Rules) && c.sameWhen(c.old.Rules[next].When, b.When):
			c.rule(c.old.Rules[next], b)
			next++
		case b.Then == Deny:
			c.add(MarkTighter, "rule %s is new, and denies", quoted(b.Name))
		default:
			was := "there was none in its place"
			if next < len(c.old.Rules) {
				was = fmt.Sprintf("the one in its place, %s, was for %s", quoted(c.old.Rules[next].Name), c.old.when(c.old.Rules[next].When))
			}
			c.add(MarkLooser, "rule %d, %s, is for %s; %s", i+1, quoted(b.Name), c.new.when(b.When), was)
			return // which of the rest is which cannot be told
		}
	}
	for _, a := range c.old.Rules[next:] {
		c.add(MarkLooser, "rule %s is gone", quoted(a.Name))
	}
}

func (c *comparison) sameWhen(a, b When) bool {
	labels := (a.Labels == nil) == (b.Labels == nil)
	if labels && a.Labels != nil {
		labels = slices.Equal(a.Labels.Any, b.Labels.Any) && c.old.Keys(a.Labels.By) == c.new.Keys(b.Labels.By)
	}
	return labels && slices.Equal(a.Kinds, b.Kinds) && slices.Equal(a.Scripts, b.Scripts) &&
		a.Initiators.Empty() == b.Initiators.Empty() && c.old.Keys(a.Initiators) == c.new.Keys(b.Initiators) &&
		(len(a.To) == 0) == (len(b.To) == 0) && slices.Equal(c.old.payees(a.To), c.new.payees(b.To))
}
