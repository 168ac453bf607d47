package formats

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/quorate/quorate/wallet"
)

type caravanKey struct {
	Name        string `json:"name"`
	Path        string `json:"bip32Path"`
	XPub        string `json:"xpub"`
	Fingerprint string `json:"xfp"`
	Method      string `json:"method"`
}

type caravanQuorum struct {
	Required number `json:"requiredSigners"`
	Total    number `json:"totalSigners"`
}

type caravanFile struct {
	Name     string            `json:"name"`
	Type     string            `json:"addressType"`
	Network  string            `json:"network"`
	Client   map[string]string `json:"client"`
	Quorum   caravanQuorum     `json:"quorum"`
	Keys     []caravanKey      `json:"extendedPublicKeys"`
	FirstAdr int               `json:"startingAddressIndex"`
}

// caravanNetwork is what Caravan calls a network; it knows testnet without a number.
func caravanNetwork(net wallet.Network) string {
	if net == wallet.Testnet4 {
		return "testnet"
	}
	return string(net)
}

func writeCaravan(w Wallet) ([]byte, error) {
	d := w.Descriptor
	f := caravanFile{
		Name: w.name(), Type: d.Form().OutputType(), Network: caravanNetwork(d.Network()),
		Client: map[string]string{"type": "public"},
		Quorum: caravanQuorum{number(d.Threshold()), number(len(d.Keys()))},
	}
	for i, k := range d.Keys() {
		f.Keys = append(f.Keys, caravanKey{w.keyName(i), path(k), k.XPub, hex.EncodeToString(k.Fingerprint[:]), "text"})
	}
	return encode(f)
}

// parseCaravan reads the JSON of Caravan, and of Unchained and Sparrow, who write
// it too. It has keys sorted at each address.
func parseCaravan(raw []byte, net wallet.Network) (Wallet, error) {
	// Only what counts: other versions hold more, and of other kinds.
	var f struct {
		Name    string            `json:"name"`
		Type    string            `json:"addressType"`
		Network string            `json:"network"`
		Quorum  caravanQuorum     `json:"quorum"`
		Keys    []json.RawMessage `json:"extendedPublicKeys"`
	}
	if err := decode(raw, &f); err != nil {
		return Wallet{}, err
	}
	if main := strings.EqualFold(f.Network, string(wallet.Mainnet)); f.Network != "" && main != (net == wallet.Mainnet) {
		return Wallet{}, fmt.Errorf("%w: the file is for %q, not %s", wallet.ErrWrongNetwork, clean(f.Network), net)
	}
	form, err := scriptType(f.Type)
	if err != nil {
		return Wallet{}, err
	}
	if int(f.Quorum.Total) != len(f.Keys) {
		return Wallet{}, fmt.Errorf("%w: totalSigners is %d, the file has %d keys", wallet.ErrKeyCount, f.Quorum.Total, len(f.Keys))
	}
	if len(f.Keys) > wallet.MaxKeys {
		return Wallet{}, fmt.Errorf("%w: %d, at most %d", wallet.ErrKeyCount, len(f.Keys), wallet.MaxKeys)
	}
	all, err := fieldsOf(raw)
	if err != nil {
		return Wallet{}, err
	}
	names := all.others("name", "addressType", "network", "client", "quorum", "extendedPublicKeys", "startingAddressIndex",
		"uuid", "ledgerPolicyHmacs", "policyHmac", "createdAt", "updatedAt")
	if err := all.decides(names); err != nil {
		return Wallet{}, err
	}
	w := Wallet{Name: clean(f.Name)}
	var keys []wallet.Key
	for i, raw := range f.Keys {
		k, name, more, err := parseCaravanKey(raw, net, form.Kind())
		if err != nil {
			return Wallet{}, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys, w.KeyNames, names = append(keys, k), append(w.KeyNames, name), append(names, more...)
	}
	if w.Descriptor, err = multisig(net, form, int(f.Quorum.Required), keys); err != nil {
		return Wallet{}, err
	}
	w.passedOver(names)
	return w, nil
}

// parseCaravanKey reads one key, and says which fields it has that are not
// known. Unchained does not say where its own key comes from.
func parseCaravanKey(raw json.RawMessage, net wallet.Network, st wallet.ScriptType) (k wallet.Key, name string, more []string, err error) {
	var f caravanKey
	if err := decode(raw, &f); err != nil {
		return k, "", nil, err
	}
	all, err := fieldsOf(raw)
	if err != nil {
		return k, "", nil, err
	}
	more = all.others("name", "bip32Path", "xpub", "xfp", "method", "policyHmac", "bip32DerivationPath", "rootFingerprint")
	if err := all.decides(more); err != nil {
		return k, "", nil, err
	}
	if unknown(f.Path) || unknown(f.Fingerprint) {
		f.Path, f.Fingerprint = "m", "00000000"
	}
	k, err = keyOf(f.Fingerprint, f.Path, f.XPub, net, st)
	return k, clean(f.Name), more, err
}
