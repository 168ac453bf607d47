package policy

import (
	"errors"
	"slices"
	"strings"

	"github.com/quorate/quorate/display"
)

// DefaultChangeDelay is 72 hours, in seconds.
const DefaultChangeDelay = 72 * 3600

// Parse reads a policy as people write it (docs/policy.md), for one wallet. All errors are
// *Error, with line and column; with one nothing comes back.
func Parse(text []byte, roster Roster) (*Policy, error) { return parse(text, roster, ceiling{}) }

func parse(text []byte, roster Roster, of ceiling) (*Policy, error) {
	s, err := readTOML(text)
	if err != nil {
		return nil, err
	}
	r := &reader{syntax: s, roster: roster, ceiling: of, p: &Policy{Version: Language}, places: map[path]int{}}
	if of.over {
		r.head()
	}
	r.policy()
	if r.err != nil {
		return nil, r.err
	}
	checks := []error{r.p.Validate()}
	if !of.alone && !roster.Anyone {
		checks = append(checks, r.p.Fits(len(roster.Members), roster.Threshold))
	}
	for _, check := range checks {
		if check != nil {
			return nil, r.place(check)
		}
	}
	if of.over {
		r.p.StartQuorum = 0 // the group's policy says whom the robot hears first
	}
	return r.p, nil
}

// place gives an error of the typed form its place in the file: that of its field, or of the
// nearest thing around it that the file has.
func (r *reader) place(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	for at := e.path; ; at = at.up() {
		offset, ok := r.places[at]
		if ok || at == "" {
			return r.locate(e, offset)
		}
	}
}

func (r *reader) policy() {
	t := r.open(r.root, place{})
	t.need("title", "a policy has a title")
	r.p.Title = t.text("title")
	// Half of the others, rounded up.
	r.p.StartQuorum = uint64(len(r.roster.Members) / 2)
	if r.ceiling.over {
		r.p.Robots = KeysOf(r.ceiling.robot)
	} else {
		r.voted(t)
	}
	r.groups(t)
	r.recipients(t)
	r.meters(t)
	r.rules(t)
	t.done()
}

// voted reads what a policy has that a group votes on.
func (r *reader) voted(t *table) {
	r.p.ChangeDelay = DefaultChangeDelay
	if v, ok := quantity(t, "change_delay", span); ok {
		r.p.ChangeDelay = v
	}
	t.need("robots", "say which members' nodes sign by themselves")
	r.p.Robots = t.members("robots")
	r.haveNodes(t)
	r.p.Tolerate = uint64(r.p.Robots.Count())
	if t.n.field("tolerate") != nil {
		r.p.Tolerate = t.number("tolerate", 0)
	}
	if t.n.field("start_quorum") != nil {
		r.p.StartQuorum = t.number("start_quorum", 1)
	}
	t.take("tolerate")
	t.take("start_quorum")
}

// defined returns what a table of the file defines, by name.
func (t *table) defined(key, what string, most int) []field {
	n := t.take(key)
	if n == nil {
		return nil
	}
	if n.form != isTable {
		t.fail(t.at.in(key), n.offset, "it is %s, and should be a table of each %s by its name", n.form, what)
		return nil
	}
	if len(n.fields) > most {
		t.fail(t.at.in(key), n.offset, "there are %d, at most %d", len(n.fields), most)
		return nil
	}
	fields := slices.Clone(n.fields)
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	folds := make([]string, len(fields))
	for i, f := range fields {
		at := named(key, i, what, f.name)
		t.places[at.path] = f.offset
		if err := display.CheckName(f.name); err != nil {
			t.fail(at, f.offset, "of its name, %v", err)
		}
		folds[i] = display.Fold(f.name)
		for j, before := range fields[:i] {
			if display.AlikeFolds(folds[j], folds[i]) {
				t.fail(at, max(f.offset, before.offset), "the names of %q and %q look alike", before.name, f.name)
			}
		}
	}
	return fields
}

func (r *reader) groups(t *table) {
	for i, f := range t.defined("groups", "group", MaxGroups) {
		at := named("groups", i, "group", f.name)
		if _, err := r.roster.find(f.name); !errors.Is(err, errStranger) {
			r.fail(at, f.offset, "a member has this name: nobody would know who is meant")
		}
		// A group is a list by itself: it is read as the one field of a table.
		one := &table{reader: r, n: &node{form: isTable, offset: f.offset, fields: []field{{"members", f.offset, f.value}}}, at: at}
		r.p.Groups = append(r.p.Groups, Group{f.name, one.members("members")})
	}
}

func (r *reader) recipients(t *table) {
	for i, f := range t.defined("recipients", "recipient", MaxRecipients) {
		at := named("recipients", i, "recipient", f.name)
		one := r.open(f.value, at)
		x := Recipient{Name: f.name, Addresses: one.payees("addresses", false), Descriptors: one.payees("descriptor", true)}
		if len(x.Descriptors) > 0 {
			x.Lookahead = DefaultLookahead
		}
		if one.n.field("lookahead") != nil {
			x.Lookahead = one.number("lookahead", 1)
		}
		one.take("lookahead")
		one.done()
		r.p.Recipients = append(r.p.Recipients, x)
	}
}

// payees reads addresses or descriptors, in their one form.
func (t *table) payees(key string, descriptor bool) []string {
	type located struct {
		text   string
		offset int
	}
	var all []located
	for _, n := range t.texts(key) {
		if t.roster.Check == nil {
			t.fail(t.at.in(key), n.offset, "it cannot be checked here")
			return nil
		}
		text, err := t.roster.Check(n.text, descriptor)
		if err != nil {
			t.fail(t.at.in(key), n.offset, "%v", err)
			continue
		}
		all = append(all, located{text, n.offset})
	}
	slices.SortStableFunc(all, func(a, b located) int { return strings.Compare(a.text, b.text) })
	var out []string
	for i, x := range all {
		t.places[t.at.in(key).item(i).path] = x.offset
		out = append(out, x.text)
	}
	return out
}

func (r *reader) meters(t *table) {
	for i, f := range t.defined("meters", "meter", MaxMeters) {
		one := r.open(f.value, named("meters", i, "meter", f.name))
		m := Meter{Name: f.name}
		one.need("limit", "a meter has a limit, as \"0.25btc\"")
		m.Limit = bound(one, "limit", amount)
		one.need("window", "a meter has a window, as \"24h\"")
		m.Window = bound(one, "window", span)
		m.Per = Per(one.word("per", []string{"group", "initiator", "recipient"}))
		if v, ok := quantity(one, "pool", share); ok {
			if v%10_000 != 0 {
				one.fail(one.at.in("pool"), one.n.field("pool").value.offset, "it is whole percent")
			}
			m.Pool = v / 10_000
		}
		one.done()
		r.p.Meters = append(r.p.Meters, m)
	}
}

// word reads one of some words, as its place among them; the first where there is none.
func (t *table) word(key string, words []string) int {
	s, n := t.scalar(key, isText)
	if n == nil {
		return 0
	}
	i := slices.Index(words, s)
	if i < 0 {
		t.fail(t.at.in(key), n.offset, "%.40q is none of %s", s, strings.Join(words, ", "))
	}
	return max(i, 0)
}

// haveNodes refuses robots that could never sign: members for whom another one's node enters.
func (r *reader) haveNodes(t *table) {
	f := r.root.field("robots")
	if f == nil {
		return
	}
	for _, n := range f.value.items {
		for _, m := range r.roster.Members {
			if k, err := r.roster.find(n.text); err != nil || k != m.Key || m.Host == "" {
				continue
			}
			t.fail(t.at.in("robots"), n.offset, "%.60q has no node of its own, and a robot signs at its own: the node of %s enters for it, so both keys would be one machine's", n.text, m.Host)
		}
	}
}
