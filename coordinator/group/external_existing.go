package group

import "github.com/quorate/quorate/wallet"

// inOrder puts members in the order of the keys of an existing wallet. It says
// false unless each brought one of them.
func inOrder(members []Member, d *wallet.Descriptor) bool {
	at := map[string]int{}
	for i, k := range d.Keys() {
		at[k.String()] = i
	}
	out := make([]Member, len(members))
	for _, m := range members {
		i, ok := at[m.Key.String()]
		if !ok || i >= len(out) {
			return false
		}
		m.Index = i
		out[i] = m
	}
	copy(members, out)
	return true
}
