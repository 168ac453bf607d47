package formats

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/quorate/quorate/wallet"
)

// coldcardName is how many characters a Coldcard shows of a wallet's name.
const coldcardName = 20

// writeColdcard writes the multisig text. A derivation stands before each key:
// devices of one wallet need not agree on it.
func writeColdcard(w Wallet) []byte {
	var b bytes.Buffer
	d := w.Descriptor
	name := []byte{}
	for _, r := range w.name() {
		if r >= 0x7f {
			r = '?'
		}
		if len(name) < coldcardName {
			name = append(name, byte(r))
		}
	}
	fmt.Fprintf(&b, "# Coldcard Multisig setup file\n#\nName: %s\nPolicy: %d of %d\nFormat: %s\n",
		bytes.TrimSpace(name), d.Threshold(), len(d.Keys()), d.Form().OutputType())
	for i, k := range d.Keys() {
		fmt.Fprintf(&b, "\n# %s\nDerivation: %s\n%s: %s\n", w.keyName(i), path(k), strings.ToUpper(hex.EncodeToString(k.Fingerprint[:])), k.XPub)
	}
	return b.Bytes()
}

// parseColdcard reads the multisig text, of Coldcard and those who took it over.
func parseColdcard(text string, net wallet.Network) (Wallet, error) {
	var w Wallet
	var threshold, want int
	var st wallet.ScriptType
	type line struct{ fingerprint, path, xpub string }
	var keys []line
	derivation, number := "", 0
	for l := range strings.Lines(text) {
		number++
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		label, value, ok := strings.Cut(l, ":")
		if !ok {
			return Wallet{}, fmt.Errorf("%w: line %d is no \"label: value\"", ErrFormat, number)
		}
		label, value = strings.ToLower(strings.TrimSpace(label)), strings.TrimSpace(value)
		var err error
		switch label {
		case "name":
			w.Name = clean(value)
		case "policy":
			threshold, want, err = policy(value)
		case "format":
			st, err = scriptType(value)
		case "derivation":
			derivation = value
		default:
			if raw, hexErr := hex.DecodeString(label); hexErr != nil || len(raw) != 4 {
				continue // of a newer version; what it must hold is checked below
			}
			if len(keys) == wallet.MaxKeys {
				return Wallet{}, fmt.Errorf("line %d: %w: more than %d", number, wallet.ErrKeyCount, wallet.MaxKeys)
			}
			keys = append(keys, line{label, derivation, value})
		}
		if err != nil {
			return Wallet{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	switch {
	case threshold == 0:
		return Wallet{}, fmt.Errorf("%w: no Policy line", ErrFormat)
	case st == "":
		// The devices then take P2SH, which is no wallet of ours.
		return Wallet{}, fmt.Errorf("%w: no Format line, which stands for P2SH", wallet.ErrUnsupported)
	case len(keys) != want:
		return Wallet{}, fmt.Errorf("%w: the policy names %d keys, the file has %d", wallet.ErrKeyCount, want, len(keys))
	}
	var parsed []wallet.Key
	for i, k := range keys {
		if k.path == "" {
			return Wallet{}, fmt.Errorf("key %d: %w: no Derivation line before it", i+1, wallet.ErrNoOrigin)
		}
		one, err := key(k.fingerprint, k.path, k.xpub, net, st)
		if err != nil {
			return Wallet{}, fmt.Errorf("key %d: %w", i+1, err)
		}
		parsed = append(parsed, one)
	}
	var err error
	w.Descriptor, err = wallet.NewMultisig(net, st, threshold, parsed)
	return w, err
}

// policy reads "2 of 3", or 2/3.
func policy(s string) (k, n int, err error) {
	left, right, ok := strings.Cut(strings.ToLower(s), "of")
	if !ok {
		left, right, ok = strings.Cut(s, "/")
	}
	k, err1 := strconv.Atoi(strings.TrimSpace(left))
	n, err2 := strconv.Atoi(strings.TrimSpace(right))
	if !ok || err1 != nil || err2 != nil || k < 1 || n < k || n > wallet.MaxKeys {
		return 0, 0, fmt.Errorf("%w: policy %q, want as \"2 of 3\", with %d keys at most", wallet.ErrThreshold, clean(s), wallet.MaxKeys)
	}
	return k, n, nil
}
