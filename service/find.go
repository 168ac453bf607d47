package service

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
)

// actor finds a wallet by its id, else by a unique prefix of that, or by what
// this node calls it. Where a prefix and a name lead to different wallets, none
// is taken: names are chosen, by others too.
func (n *Node) actor(ref string) (*node.Actor, error) {
	a, err := findWallet(n.co.Wallets(), ref)
	for _, f := range n.co.Failed() {
		named := f.Name != "" && f.Name == ref
		if !named && (!isID(ref) || !strings.HasPrefix(f.Group.String(), ref)) || a != nil && a.Group().String() == ref {
			continue
		}
		if a != nil && !named {
			return nil, api.Misuse("ambiguous_id", "wallet id "+ref+" is not unique", "give more of its characters")
		}
		return nil, api.Fail(refusal.WalletFailed, "the wallet could not be opened: "+f.Err.Error(), "stop the node and run `quorate doctor`")
	}
	return a, err
}

// isID says whether a text may be an id of a wallet, or the beginning of one.
func isID(ref string) bool {
	return len(ref) >= api.MinRead && strings.Trim(ref, "0123456789abcdef") == ""
}

func findWallet(all []*node.Actor, ref string) (*node.Actor, error) {
	var prefixed, named, abandoned []*node.Actor
	for _, a := range all {
		id := a.Group().String()
		if id == ref {
			return a, nil
		}
		if isID(ref) && strings.HasPrefix(id, ref) {
			prefixed = append(prefixed, a)
		}
		switch m := a.Machine(); {
		case !m.NamedHere(ref) || len(ref) == len(id) && isID(ref): // a whole id is no name
		case m.State.Abandoned():
			abandoned = append(abandoned, a)
		default:
			named = append(named, a)
		}
	}
	if len(named) == 0 {
		named = abandoned
	}
	both := slices.Concat(prefixed, named)
	slices.SortFunc(both, func(a, b *node.Actor) int { return cmp.Compare(a.Group().String(), b.Group().String()) })
	switch both = slices.Compact(both); {
	case len(both) == 1:
		return both[0], nil
	case len(both) == 0:
		return nil, api.Missing("unknown_wallet", fmt.Sprintf("wallet %.64s is not known to this node", ref), "`quorate wallet list` lists them")
	case len(named) == 0:
		return nil, api.Misuse("ambiguous_id", "wallet id "+ref+" is not unique", "give more of its characters")
	case len(prefixed) == 0:
		return nil, api.Misuse("ambiguous_wallet", "several wallets are named "+ref, "name it by its id")
	}
	return nil, api.Misuse("ambiguous_wallet", fmt.Sprintf("%s is the name of wallet %s, and another's id begins with it", ref, named[0].Group()), "name it by its whole id; `quorate wallet rename` gives it another name")
}
