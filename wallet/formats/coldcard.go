package formats

import (
	"bytes"
	"encoding/hex"
	"fmt"
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
		// A remark with a colon is a line of its own to some: see parseColdcard.
		name := strings.ReplaceAll(w.keyName(i), ":", " ")
		fmt.Fprintf(&b, "\n# %s\nDerivation: %s\n%s: %s\n", name, path(k), strings.ToUpper(hex.EncodeToString(k.Fingerprint[:])), k.XPub)
	}
	return b.Bytes()
}

// coldcardText is the multisig text while it is read.
type coldcardText struct {
	name            string
	threshold, want int
	form            wallet.Form
	order           string // what the line Sorted says, or ""
	keys            []coldcardKey
	// derivation is that of the keys which follow, once that of the next key
	// alone; named counts the lines that said one.
	derivation, once string
	named            int
}

type coldcardKey struct{ fingerprint, path, xpub string }

// isColdcard says whether a text has the lines of the multisig text.
func isColdcard(text string) bool {
	for line := range strings.Lines(text) {
		if label, _, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(label), "policy") {
			return true
		}
	}
	return false
}

// parseColdcard reads the multisig text, of Coldcard and those who took it over.
// A line that is not known may say what the scripts are, as Sorted of Jade does,
// so it is refused.
func parseColdcard(text string, net wallet.Network) (Wallet, error) {
	var t coldcardText
	number := 0
	for l := range strings.Lines(text) {
		number++
		if err := t.line(strings.TrimSpace(l)); err != nil {
			return Wallet{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	switch {
	case t.threshold == 0:
		return Wallet{}, fmt.Errorf("%w: no Policy line", ErrFormat)
	case t.form == nil:
		// The devices then take P2SH, which is no wallet of ours.
		return Wallet{}, fmt.Errorf("%w: no Format line, which stands for P2SH", wallet.ErrUnsupported)
	case len(t.keys) != t.want:
		return Wallet{}, fmt.Errorf("%w: the policy names %d keys, the file has %d", wallet.ErrKeyCount, t.want, len(t.keys))
	}
	var keys []wallet.Key
	for i, k := range t.keys {
		if k.path == "" && t.named == 1 {
			k.path = t.derivation // one for all, which stands after them
		}
		if k.path == "" {
			return Wallet{}, fmt.Errorf("key %d: %w: no Derivation line before it", i+1, wallet.ErrNoOrigin)
		}
		one, err := keyOf(k.fingerprint, k.path, k.xpub, net, t.form.Kind())
		if err != nil {
			return Wallet{}, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, one)
	}
	if t.order == "false" {
		t.form = wallet.InListedOrder(t.form)
	}
	d, err := multisig(net, t.form, t.threshold, keys)
	return Wallet{Name: t.name, Descriptor: d}, err
}

// line reads one line.
func (t *coldcardText) line(l string) error {
	if l == "" {
		return nil
	}
	if l[0] == '#' {
		// Most remarks are for people. BlueWallet and others write so the path of
		// the one key that follows, where it is not that of the others.
		label, value, _ := strings.Cut(strings.TrimLeft(l, "# \t"), ":")
		if strings.EqualFold(strings.TrimSpace(label), "derivation") {
			t.once = strings.TrimSpace(value)
		}
		return nil
	}
	label, value, ok := strings.Cut(l, ":")
	if !ok {
		return fmt.Errorf("%w: it is no \"label: value\"", ErrFormat)
	}
	label, value = strings.ToLower(strings.TrimSpace(label)), strings.TrimSpace(value)
	if label != "name" {
		value, _, _ = strings.Cut(value, "#")
		value = strings.TrimSpace(value)
	}
	switch label {
	case "name":
		t.name = clean(value)
		return nil
	case "policy":
		k, n, err := policy(value)
		if err == nil && t.threshold != 0 && (k != t.threshold || n != t.want) {
			err = fmt.Errorf("%w: a second Policy line says otherwise", ErrFormat)
		}
		t.threshold, t.want = k, n
		return err
	case "format":
		form, err := scriptType(value)
		if err == nil && t.form != nil && form != t.form {
			err = fmt.Errorf("%w: a second Format line says otherwise", ErrFormat)
		}
		t.form = form
		return err
	case "sorted":
		return t.sorted(value)
	case "derivation":
		t.derivation, t.once = value, ""
		t.named++
		return nil
	case "blindingkey":
		return nil // of Liquid: it changes nothing on Bitcoin
	case "seed", "mnemonic", "xprv", "private", "private key":
		return fmt.Errorf("%w: it holds a seed: export the file for cosigners, without it", wallet.ErrPrivateKey)
	}
	if raw, err := hex.DecodeString(strings.TrimPrefix(label, "0x")); err != nil || len(raw) != 4 {
		return fmt.Errorf("%w: %q is no label that is known here, and may change the wallet's addresses", wallet.ErrUnsupported, clean(label))
	}
	if len(t.keys) == wallet.MaxKeys {
		return fmt.Errorf("%w: more than %d", wallet.ErrKeyCount, wallet.MaxKeys)
	}
	k := coldcardKey{strings.TrimPrefix(label, "0x"), t.derivation, value}
	if t.once != "" {
		k.path, t.once = t.once, ""
	}
	t.keys = append(t.keys, k)
	return nil
}

// sorted reads whether keys are sorted at each address (BIP67), as they are
// where nothing says otherwise.
func (t *coldcardText) sorted(value string) error {
	says := ""
	switch strings.ToLower(value) {
	case "true", "yes", "1":
		says = "true"
	case "false", "no", "0":
		says = "false"
	default:
		return fmt.Errorf("%w: Sorted is %q, want True or False", ErrFormat, clean(value))
	}
	if t.order != "" && t.order != says {
		return fmt.Errorf("%w: a second Sorted line says otherwise", ErrFormat)
	}
	t.order = says
	return nil
}
