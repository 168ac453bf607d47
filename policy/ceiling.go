package policy

import (
	"slices"
	"strings"
)

// ceiling is what of the language a ceiling has. It is an operator's own: nobody votes on it,
// it is over one robot, and it says at once whether that may sign.
type ceiling struct {
	over  bool // it is one
	alone bool // of whoever applies it knows a transaction and the time, and nothing else
	robot Key
}

// ParseCeiling reads what a robot's operator lays over the policies of its group, for one
// wallet, in which the robot has a key. Errors are as of Parse. Decide says of it whether the
// robot may sign: anything but OutcomeSign is a no.
func ParseCeiling(text []byte, roster Roster, robot Key) (*Policy, error) {
	return parse(text, roster, ceiling{over: true, robot: robot})
}

// ParseAlone reads a ceiling for a signer, which knows no members, no entries and no chain:
// what asks for any of them is an error.
func ParseAlone(text []byte, check func(text string, descriptor bool) (canonical string, err error)) (*Policy, error) {
	return parse(text, Roster{Check: check}, ceiling{over: true, alone: true})
}

// CheckCeiling says what is wrong with a ceiling for whatever wallet: any name may be a
// member's.
func CheckCeiling(text []byte, check func(text string, descriptor bool) (canonical string, err error)) error {
	_, err := parse(text, Roster{Check: check, Anyone: true}, ceiling{over: true, robot: MaxKeys - 1})
	return err
}

// why says why a ceiling has no such thing, or "". A setting that would do nothing is none:
// whoever wrote it counts on it.
type why string

const (
	notVoted   why = "a ceiling has none: nobody votes on it, and it is over one robot, which hears others by the group's policy"
	atOnce     why = "a ceiling has none: it says at once whether the robot may sign, and asks nobody"
	noPool     why = "a ceiling has none: it is over one robot, whose own the limit is"
	noMembers  why = "the signer cannot tell: it knows no members and no entries, and a node that is taken over says what it likes"
	noChain    why = "the signer cannot tell: it knows no chain, and a node that is taken over says what it likes"
	otherKinds why = "the signer cannot tell: of a transaction it sees whether it pays anybody but the wallet (payment) or not (consolidation)"
)

// head refuses settings that a ceiling does not have, before anything else is read.
func (r *reader) head() {
	top := place{}
	for _, key := range []string{"robots", "tolerate", "start_quorum", "change_delay"} {
		r.refuse(r.root, top, key, notVoted)
	}
	if r.ceiling.alone {
		r.refuse(r.root, top, "groups", noMembers)
	}
	for i, f := range definitions(r.root, "meters") {
		at := named("meters", i, "meter", f.name)
		r.refuse(f.value, at, "pool", noPool)
		if per := f.value.field("per"); r.ceiling.alone && per != nil && per.value.text == "initiator" {
			r.fail(at.in("per"), per.value.offset, "%s", noMembers)
		}
	}
	rules := r.root.field("rules")
	if rules == nil {
		return
	}
	for i, n := range rules.value.items {
		name := ""
		if f := n.field("name"); f != nil {
			name = f.value.text
		}
		r.without(n, named("rules", i, "rule", name))
	}
}

// without refuses what a rule of a ceiling does not have.
func (r *reader) without(n *node, at place) {
	r.refuse(n, at, "ask", atOnce)
	for _, key := range []string{"then", "else"} {
		if f := n.field(key); f != nil && f.value.text == "ask" {
			r.fail(at.in(key), f.value.offset, "%s", atOnce)
		}
	}
	require := n.field("require")
	if require != nil {
		r.refuse(require.value, at.in("require"), "delay", atOnce)
	}
	if !r.ceiling.alone {
		return
	}
	if require != nil {
		for _, key := range []string{"confirmations", "age_min"} {
			r.refuse(require.value, at.in("require"), key, noChain)
		}
		for _, key := range []string{"approvals", "initiator_counts"} {
			r.refuse(require.value, at.in("require"), key, noMembers)
		}
	}
	when := n.field("when")
	if when == nil {
		return
	}
	r.refuse(when.value, at.in("when"), "initiator", noMembers)
	r.refuse(when.value, at.in("when"), "coins", noMembers)
	if kind := when.value.field("kind"); kind != nil {
		for _, k := range append([]*node{kind.value}, kind.value.items...) {
			if k.form == isText && k.text != "payment" && k.text != "consolidation" {
				r.fail(at.in("when").in("kind"), k.offset, "%s", otherKinds)
			}
		}
	}
}

func (r *reader) refuse(n *node, at place, key string, because why) {
	if f := n.field(key); f != nil {
		r.fail(at.in(key), f.offset, "%s", because)
	}
}

// definitions are the fields of a table that a table has, in the order of their names.
func definitions(n *node, key string) []field {
	f := n.field(key)
	if f == nil {
		return nil
	}
	fields := slices.Clone(f.value.fields)
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return fields
}
