package formats

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/quorate/quorate/wallet"
)

// electrumVersion is the version of the file, that of Electrum 4.0; later ones
// bring it up to date when they open it.
const electrumVersion = 41

// electrumKey is one keystore of a file. What is secret is read only to see
// that it is there, and is never kept.
type electrumKey struct {
	Type        string  `json:"type"`
	XPub        string  `json:"xpub"`
	XPrv        *string `json:"xprv"`
	Seed        *string `json:"seed,omitempty"`
	Derivation  *string `json:"derivation"`
	Fingerprint *string `json:"root_fingerprint"`
	Label       string  `json:"label,omitempty"`
}

func writeElectrum(w Wallet) ([]byte, error) {
	d := w.Descriptor
	f := map[string]any{
		"seed_version":   electrumVersion,
		"use_encryption": false,
		"wallet_type":    fmt.Sprintf("%dof%d", d.Threshold(), len(d.Keys())),
	}
	for i, k := range d.Keys() {
		xpub, err := wallet.ToSLIP132(k.XPub, d.ScriptType())
		if err != nil {
			return nil, err
		}
		derivation, fingerprint := path(k), hex.EncodeToString(k.Fingerprint[:])
		f["x"+strconv.Itoa(i+1)+"/"] = electrumKey{
			Type: "bip32", XPub: xpub, Derivation: &derivation, Fingerprint: &fingerprint, Label: w.keyName(i),
		}
	}
	return encode(f)
}

// parseElectrum reads a wallet file. Newer versions append their changes to it
// as patches, which are passed over if they leave the keys alone.
func parseElectrum(raw []byte, net wallet.Network) (Wallet, error) {
	var parts []json.RawMessage
	if err := decode(append(append([]byte{'['}, strings.TrimRight(string(raw), ", \n")...), ']'), &parts); err != nil {
		return Wallet{}, err
	}
	if len(parts) == 0 {
		return Wallet{}, fmt.Errorf("%w: nothing in it", ErrFormat)
	}
	for _, p := range parts[1:] {
		var patch struct {
			Path string `json:"path"`
		}
		if err := json.Unmarshal(p, &patch); err != nil {
			return Wallet{}, fmt.Errorf("%w: %w", ErrFormat, jsonError(err))
		}
		if patch.Path == "" || strings.HasPrefix(patch.Path, "/x") || strings.HasPrefix(patch.Path, "/wallet_type") {
			return Wallet{}, fmt.Errorf("%w: its keys were changed after it was saved: open and close it in Electrum, and try again", ErrFormat)
		}
	}
	all, err := fieldsOf(parts[0])
	if err != nil {
		return Wallet{}, err
	}
	var kind string
	if json.Unmarshal(all["wallet_type"], &kind) != nil {
		return Wallet{}, fmt.Errorf("%w: no wallet_type", ErrFormat)
	}
	threshold, n, err := policy(kind)
	if err != nil {
		return Wallet{}, fmt.Errorf("%w: wallet_type %q is no multisig", wallet.ErrUnsupported, clean(kind))
	}
	if _, more := all["x"+strconv.Itoa(n+1)+"/"]; more {
		return Wallet{}, fmt.Errorf("%w: more than the %d of its wallet_type", wallet.ErrKeyCount, n)
	}
	// All the file holds beside the keys is their wallet's history and settings.
	if err := all.decides(all.others(electrumFields()...)); err != nil {
		return Wallet{}, err
	}
	var w Wallet
	var st wallet.ScriptType
	var keys []wallet.Key
	var names []string
	for i := range n {
		store := all["x"+strconv.Itoa(i+1)+"/"]
		one, kst, name, err := parseElectrumKey(store, net)
		if err != nil {
			return Wallet{}, fmt.Errorf("key x%d: %w", i+1, err)
		}
		f, err := fieldsOf(store)
		if err != nil {
			return Wallet{}, fmt.Errorf("key x%d: %w", i+1, err)
		}
		more := f.others(electrumKeyFields()...)
		if err := f.decides(more); err != nil {
			return Wallet{}, fmt.Errorf("key x%d: %w", i+1, err)
		}
		names = append(names, more...)
		if st != "" && kst != st {
			return Wallet{}, fmt.Errorf("key x%d: %w: it is of %s, the others are of %s", i+1, wallet.ErrSLIP132, kst, st)
		}
		st, keys, w.KeyNames = kst, append(keys, one), append(w.KeyNames, name)
	}
	form, err := wallet.FormOf(st)
	if err != nil {
		return Wallet{}, err
	}
	if w.Descriptor, err = multisig(net, form, threshold, keys); err != nil {
		return Wallet{}, err
	}
	w.passedOver(names)
	return w, nil
}

// electrumFields are those of a wallet file whose names look as if they said
// what scripts it has.
func electrumFields() []string {
	return []string{"spent_outpoints", "prevouts_by_scripthash", "lightning_policy", "ordering"}
}

// electrumKeyFields are those of a keystore.
func electrumKeyFields() []string {
	return []string{"type", "xpub", "xprv", "seed", "passphrase", "derivation", "root_fingerprint", "label", "pw_hash_version",
		"hw_type", "cfg", "ckcc_xpub", "ckcc_xfp", "soft_device_id", "seed_type"}
}

func parseElectrumKey(raw json.RawMessage, net wallet.Network) (k wallet.Key, st wallet.ScriptType, name string, err error) {
	if raw == nil {
		return k, "", "", fmt.Errorf("%w: it is missing", ErrFormat)
	}
	var f electrumKey
	if err := json.Unmarshal(raw, &f); err != nil {
		return k, "", "", fmt.Errorf("%w: %w", ErrFormat, jsonError(err))
	}
	for _, secret := range []*string{f.XPrv, f.Seed} {
		if secret != nil && *secret != "" {
			return k, "", "", fmt.Errorf("%w: give the file of a watch-only wallet, or the descriptor", wallet.ErrPrivateKey)
		}
	}
	// In Electrum the version of a key is what says how scripts are wrapped.
	_, st, err = wallet.FromSLIP132(f.XPub)
	if err != nil {
		return k, "", "", err
	}
	if f.XPub == "" {
		return k, "", "", fmt.Errorf("%w: no extended key (type %q)", wallet.ErrUnsupported, clean(f.Type))
	}
	if st == "" {
		return k, "", "", fmt.Errorf("%w: a key without a SLIP-132 version stands for P2SH", wallet.ErrUnsupported)
	}
	if f.Derivation == nil || f.Fingerprint == nil {
		return k, "", "", fmt.Errorf("%w: root_fingerprint or derivation is missing", wallet.ErrNoOrigin)
	}
	k, err = keyOf(*f.Fingerprint, *f.Derivation, f.XPub, net, st)
	if errors.Is(err, wallet.ErrSLIP132) {
		err = fmt.Errorf("key of another script type: %w", err)
	}
	return k, st, clean(f.Label), err
}
