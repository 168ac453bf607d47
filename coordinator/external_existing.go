package coordinator

import (
	"encoding/hex"
	"strings"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/wallet"
)

// aheadOfUse is how many addresses of each branch are looked for at once where a
// wallet is older than its group: one scan from its birthday finds them all.
const aheadOfUse = 200

// NamedKey reads this node's external key for a group: one of the wallet's
// own, by its text or its fingerprint, where the wallet is older than the group.
// Allow is as for ExternalKey.
func NamedKey(g event.Genesis, text string, allow []string) (wallet.Key, error) {
	d, err := g.Existing()
	if err != nil {
		return wallet.Key{}, err
	}
	if d == nil {
		return ExternalKey(text, wallet.Network(g.Network), wallet.ScriptType(g.Script), allow)
	}
	var found []wallet.Key
	given, parseErr := wallet.ParseKey(text, wallet.Network(g.Network))
	for _, k := range d.Keys() {
		if parseErr == nil && wallet.SameSigner(given, k) || strings.EqualFold(text, hex.EncodeToString(k.Fingerprint[:])) {
			found = append(found, k)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return wallet.Key{}, refusal.New(refusal.BadKey, "%.120q names no key of the wallet, or several", text).WithHint("its keys are %s", keyList(d))
}

// NoKeyOf refuses a seed that derives none of the keys of an existing wallet.
func NoKeyOf(d *wallet.Descriptor) error {
	return refusal.New(refusal.NoKey, "this node's seed derives none of the keys of the wallet").
		WithHint("name the one that is yours, by its fingerprint: %s", keyList(d))
}

func keyList(d *wallet.Descriptor) string {
	var out []string
	for _, k := range d.Keys() {
		out = append(out, hex.EncodeToString(k.Fingerprint[:]))
	}
	return strings.Join(out, ", ")
}

// lookAhead watches addresses of an existing wallet in large steps: nobody knows
// in which order its addresses were paid, so each step is looked for in the whole
// chain from the wallet's birthday.
func (m Machine) lookAhead() ledger.View {
	v := m.View
	if !m.existed() {
		return v
	}
	for branch := range uint32(2) {
		until := (v.Used(branch)/aheadOfUse + 1) * aheadOfUse
		if until-v.Used(branch) < 2*ledger.GapLimit {
			until += aheadOfUse
		}
		v = v.Hand(branch, until-1)
	}
	return v
}
