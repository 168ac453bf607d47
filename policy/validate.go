package policy

import (
	"fmt"
	"slices"
)

// What the parts of a policy may have at most besides.
const (
	maxAddress    = 128  // bytes
	maxDescriptor = 4096 // bytes
	maxLabels     = 64   // texts of coins, in one rule
	maxLabel      = 256  // bytes
	maxScripts    = 8
	maxApprovals  = 16 // of one rule
	maxHours      = 32 // of one rule
	maxZones      = 6  // of one rule: Facts hold the offset of each
	maxCount      = 100_000
	maxFeeRate    = 100_000_000 // satoshis for 1000 vbytes
	whole         = 1_000_000   // millionths
)

// Validate returns an *Error where a policy breaks a rule of the language: for one that
// another member wrote, in its canonical form. Whether it fits a wallet says Fits.
func (p *Policy) Validate() error {
	if p.Version != Language {
		return place{"/version", "version"}.wrong("this program reads version %d of the language, not %d", Language, p.Version)
	}
	for _, check := range []func() error{p.checkHead, p.checkGroups, p.checkRecipients, p.checkMeters, p.checkRules} {
		if err := check(); err != nil {
			return err
		}
	}
	if size := len(Encode(p)); size > MaxBytes {
		return place{}.wrong("the policy takes %d bytes in its canonical form, at most %d", size, MaxBytes)
	}
	return nil
}

func (p *Policy) checkHead() error {
	var top place
	if err := checkText(p.Title, MaxName); err != nil {
		return top.in("title").wrong("%v", err)
	}
	if p.ChangeDelay < 0 || p.ChangeDelay > MaxChangeDelay {
		return top.in("change_delay").wrong("it is between 0 and 30 days")
	}
	robots := p.Robots.Count()
	switch {
	case robots == 0:
		return top.in("robots").wrong("there is no robot that could follow the policy")
	case p.Tolerate > uint64(robots):
		return top.in("tolerate").wrong("there are %d robots, so %d bad ones cannot be tolerated", robots, p.Tolerate)
	case p.StartQuorum >= MaxKeys:
		return top.in("start_quorum").wrong("no wallet has %d other members", p.StartQuorum)
	}
	return nil
}

// list checks how many there are of something, and that names ascend: each is there once.
func list(field, what string, most int, names []string) error {
	if len(names) > most {
		return place{}.in(field).wrong("there are %d, at most %d", len(names), most)
	}
	for i, name := range names {
		at := named(field, i, what, name)
		if err := checkText(name, MaxName); err != nil {
			return at.wrong("of its name, %v", err)
		}
		if i > 0 && names[i-1] == name {
			return at.wrong("there are two of this name")
		}
		if i > 0 && names[i-1] > name {
			return at.wrong("it is not in the order of names")
		}
	}
	return nil
}

func (p *Policy) checkGroups() error {
	if err := list("groups", "group", MaxGroups, namesOf(p.Groups, func(g Group) string { return g.Name })); err != nil {
		return err
	}
	for i, g := range p.Groups {
		if g.Keys == 0 {
			return named("groups", i, "group", g.Name).wrong("it has no members")
		}
	}
	return nil
}

func (p *Policy) checkMeters() error {
	if err := list("meters", "meter", MaxMeters, namesOf(p.Meters, func(m Meter) string { return m.Name })); err != nil {
		return err
	}
	for i, m := range p.Meters {
		at := named("meters", i, "meter", m.Name)
		switch {
		case m.Limit <= 0 || m.Limit > MaxAmount:
			return at.in("limit").wrong("it is between 1 satoshi and 21 million bitcoin")
		case m.Window <= 0 || m.Window > MaxWindow:
			return at.in("window").wrong("it is between 1 second and 366 days")
		case m.Per > PerRecipient:
			return at.in("per").wrong("it is group, initiator or recipient")
		case m.Pool > 100:
			return at.in("pool").wrong("it is a part of the limit, and not above 100%%")
		}
	}
	return nil
}

func (p *Policy) checkRecipients() error {
	if err := list("recipients", "recipient", MaxRecipients, namesOf(p.Recipients, func(r Recipient) string { return r.Name })); err != nil {
		return err
	}
	all := 0
	owners := map[payee]string{}
	for i, r := range p.Recipients {
		at := named("recipients", i, "recipient", r.Name)
		if all += len(r.Addresses) + len(r.Descriptors); all > MaxAddresses {
			return at.wrong("all recipients together have more than %d addresses and descriptors", MaxAddresses)
		}
		switch {
		case len(r.Addresses)+len(r.Descriptors) == 0:
			return at.wrong("it has neither an address nor a descriptor")
		case len(r.Descriptors) == 0 && r.Lookahead != 0:
			return at.in("lookahead").wrong("it is for descriptors, and there is none")
		case len(r.Descriptors) > 0 && (r.Lookahead == 0 || r.Lookahead > MaxLookahead):
			return at.in("lookahead").wrong("it is between 1 and %d", MaxLookahead)
		}
		if err := checkPayees(at.in("addresses"), r, r.Addresses, maxAddress, owners); err != nil {
			return err
		}
		if err := checkPayees(at.in("descriptor"), r, r.Descriptors, maxDescriptor, owners); err != nil {
			return err
		}
	}
	return nil
}

// payee is an address or a descriptor.
type payee string

func checkPayees(at place, r Recipient, texts []string, most int, owners map[payee]string) error {
	for i, s := range texts {
		if err := checkText(s, most); err != nil {
			return at.item(i).wrong("%v", err)
		}
		if owner, ok := owners[payee(s)]; ok {
			return at.item(i).wrong("it is a recipient already, %q", owner)
		}
		if i > 0 && texts[i-1] > s {
			return at.item(i).wrong("it is not in order")
		}
		owners[payee(s)] = r.Name
	}
	return nil
}

// checkWho checks that those named are there, in order.
func (p *Policy) checkWho(at place, w Who) error {
	return ascending(at, "group", w.Groups, len(p.Groups))
}

// ascending checks indexes: in range, in order, each once.
func ascending(at place, what string, indexes []uint64, below int) error {
	for i, x := range indexes {
		if x >= uint64(below) {
			return at.wrong("there is no %s number %d", what, x)
		}
		if i > 0 && indexes[i-1] >= x {
			return at.wrong("a %s is named twice, or out of order", what)
		}
	}
	return nil
}

func namesOf[T any](list []T, name func(T) string) []string {
	var out []string
	for _, x := range list {
		out = append(out, name(x))
	}
	return out
}

// between checks a bound of the file: 0 asks for nothing.
func between[T int64 | uint64](at place, value, most T) error {
	if value < 0 || value > most {
		return at.wrong("it is out of bounds")
	}
	return nil
}

// texts checks a list of texts: in order, each once.
func texts(at place, list []string, count, most int) error {
	if len(list) > count {
		return at.wrong("there are %d, at most %d", len(list), count)
	}
	for i, s := range list {
		if err := checkText(s, most); err != nil {
			return at.wrong("of number %d, %v", i+1, err)
		}
		if i > 0 && list[i-1] >= s {
			return at.wrong("%q is there twice, or out of order", s)
		}
	}
	return nil
}

// firstOf returns the first error of some checks.
func firstOf(errs ...error) error {
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// plural is a number with what there is so many of.
func plural(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
