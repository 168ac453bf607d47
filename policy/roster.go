package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Roster is what the reader of a file knows of the wallet that it is for.
type Roster struct {
	Members   []Member // in the order of their keys
	Threshold int      // so many keys spend
	Script    string   // kind of its script
	// Anyone: the members are not known, and any name is taken for one of them.
	Anyone bool
	// Check returns the one form in which an address, or a descriptor, of the wallet's network
	// is written, or an error that says why it is none.
	Check func(text string, descriptor bool) (canonical string, err error)
}

// Member is one of a wallet, by all names under which a file may know it.
type Member struct {
	Key   Key
	Names []string
	// Host is the name of the member whose node enters for this one, which has none; or "".
	Host string
}

// find returns the key of a member by one of its names, in any case. One that two members
// have, or that differs by case alone, is nobody's.
func (r Roster) find(name string) (Key, error) {
	var found []Key
	for _, m := range r.Members {
		if slices.ContainsFunc(m.Names, func(n string) bool { return strings.EqualFold(n, name) }) {
			found = append(found, m.Key)
		}
	}
	switch len(found) {
	case 0:
		return 0, errStranger
	case 1:
		return found[0], nil
	}
	return 0, fmt.Errorf("%d members are called so: name each by its key's fingerprint", len(found))
}

// names returns the names by which members are meant first, for a hint.
func (r Roster) names() []string {
	var out []string
	for _, m := range r.Members {
		out = append(out, m.Names...)
	}
	return out
}
