package formats

import (
	"encoding/hex"
	"fmt"

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
	Required int `json:"requiredSigners"`
	Total    int `json:"totalSigners"`
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
		Quorum: caravanQuorum{d.Threshold(), len(d.Keys())},
	}
	for i, k := range d.Keys() {
		f.Keys = append(f.Keys, caravanKey{w.keyName(i), path(k), k.XPub, hex.EncodeToString(k.Fingerprint[:]), "text"})
	}
	return encode(f)
}

func parseCaravan(raw []byte, net wallet.Network) (Wallet, error) {
	// Only what counts: other versions hold more, and of other kinds.
	var f struct {
		Name    string        `json:"name"`
		Type    string        `json:"addressType"`
		Network string        `json:"network"`
		Quorum  caravanQuorum `json:"quorum"`
		Keys    []caravanKey  `json:"extendedPublicKeys"`
	}
	if err := decode(raw, &f); err != nil {
		return Wallet{}, err
	}
	if main := f.Network == string(wallet.Mainnet); f.Network != "" && main != (net == wallet.Mainnet) {
		return Wallet{}, fmt.Errorf("%w: the file is for %q, not %s", wallet.ErrWrongNetwork, clean(f.Network), net)
	}
	st, err := scriptType(f.Type)
	if err != nil {
		return Wallet{}, err
	}
	if f.Quorum.Total != len(f.Keys) {
		return Wallet{}, fmt.Errorf("%w: totalSigners is %d, the file has %d keys", wallet.ErrKeyCount, f.Quorum.Total, len(f.Keys))
	}
	if len(f.Keys) > wallet.MaxKeys {
		return Wallet{}, fmt.Errorf("%w: %d, at most %d", wallet.ErrKeyCount, len(f.Keys), wallet.MaxKeys)
	}
	w := Wallet{Name: clean(f.Name)}
	var keys []wallet.Key
	for i, k := range f.Keys {
		one, err := key(k.Fingerprint, k.Path, k.XPub, net, st)
		if err != nil {
			return Wallet{}, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys, w.KeyNames = append(keys, one), append(w.KeyNames, clean(k.Name))
	}
	w.Descriptor, err = wallet.NewMultisig(net, st, f.Quorum.Required, keys)
	return w, err
}
