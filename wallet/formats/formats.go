// Package formats reads and writes a multisig wallet in the forms that other
// wallets exchange: descriptors, BSMS (BIP129), Bitcoin Core's
// importdescriptors, the text of Coldcard, the files of Sparrow, Caravan,
// Electrum, Specter and Nunchuk. Like package wallet it is pure.
//
// What it returns is always a *wallet.Descriptor, built or parsed by package
// wallet, with every check of that. No form holds a private key, and one that
// does is refused.
package formats

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet"
)

// Format names a form of a wallet.
type Format string

// The formats.
const (
	// Descriptor is one line, with /<0;1>/* (BIP389) and a checksum (BIP380).
	Descriptor Format = "descriptor"
	// BSMS is the descriptor record of BIP129, unencrypted.
	BSMS Format = "bsms"
	// Core is what Bitcoin Core's importdescriptors takes.
	Core Format = "core"
	// Coldcard is the multisig text of Coldcard, which many devices read.
	Coldcard Format = "coldcard"
	// Sparrow is Sparrow's file of descriptors.
	Sparrow Format = "sparrow"
	// Caravan is the JSON of Caravan.
	Caravan Format = "caravan"
	// Electrum is a watch-only wallet file, without a password.
	Electrum Format = "electrum"
	// Specter is the JSON of Specter, which FullyNoded and others read too.
	Specter Format = "specter"
	// Nunchuk is BSMS with a checksum, as Nunchuk writes it.
	Nunchuk Format = "nunchuk"
)

// All returns every format, in the order in which people are told of them.
func All() []Format {
	return []Format{Descriptor, BSMS, Core, Coldcard, Sparrow, Caravan, Electrum, Specter, Nunchuk}
}

// Wallet is what the forms hold, each of them part of it.
type Wallet struct {
	Descriptor *wallet.Descriptor
	// Name is what the wallet is called, empty where the form has none.
	Name string
	// KeyNames are the names of the keys, by key index; nil where there are none.
	KeyNames []string
	// Born is when the wallet can first have had coins, in seconds since 1970;
	// 0 where that is not known.
	Born int64
}

var (
	// ErrUnknown is returned for bytes that are no form of a wallet known here.
	ErrUnknown = errors.New("no wallet file of a known kind")
	// ErrFormat is returned for a wallet file that breaks its format's rules.
	ErrFormat = errors.New("malformed wallet file")
	// ErrEncrypted is returned for a file that a password or token closes.
	ErrEncrypted = errors.New("wallet file is encrypted")
	// ErrOneKey is returned for a file with the key of one signer, no wallet.
	ErrOneKey = errors.New("file holds the key of one signer, not a wallet")
	// ErrUnsorted is returned where a format has only sortedmulti and the wallet is multi.
	ErrUnsorted = errors.New("format has no place for a fixed order of keys (multi)")
)

// Limits of what Parse reads, in bytes. Files of Electrum hold the history of a
// wallet too.
const (
	MaxSize     = 8 << 20
	maxTextSize = 64 << 10
)

// Write returns the wallet in a format. The same wallet gives the same bytes.
// Errors: ErrUnsorted, wallet.ErrUnsupported, or a format that is none.
func Write(w Wallet, f Format) ([]byte, error) {
	if w.Descriptor == nil {
		return nil, fmt.Errorf("write %s: no descriptor", f)
	}
	if slices.Contains([]Format{Coldcard, Caravan, Electrum}, f) {
		if err := plain(w.Descriptor.Form()); err != nil {
			return nil, fmt.Errorf("write %s: %w", f, err)
		}
	}
	var out []byte
	var err error
	switch f {
	case Descriptor:
		out = []byte(w.Descriptor.String() + "\n")
	case BSMS:
		out, err = writeBSMS(w, false)
	case Nunchuk:
		out, err = writeBSMS(w, true)
	case Core:
		out, err = writeCore(w)
	case Coldcard:
		out = writeColdcard(w)
	case Sparrow:
		out, err = writeSparrow(w)
	case Caravan:
		out, err = writeCaravan(w)
	case Electrum:
		out, err = writeElectrum(w)
	case Specter:
		out, err = writeSpecter(w)
	default:
		return nil, fmt.Errorf("write wallet: unknown format %q", clean(string(f)))
	}
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", f, err)
	}
	return out, nil
}

// plain holds a wallet to what some formats have a place for: plain multisig
// with sorted keys.
func plain(f wallet.Form) error {
	switch sorted, plain := f.Multisig(); {
	case !plain:
		return fmt.Errorf("%w: the format has no place for script type %q", wallet.ErrUnsupported, f.Kind())
	case !sorted:
		return ErrUnsorted
	}
	return nil
}

// scriptType is the form that Coldcard, Caravan and others call so.
func scriptType(name string) (wallet.ScriptType, error) {
	is := strings.ToUpper(strings.TrimSpace(name))
	if is == "P2WSH-P2SH" { // what old firmware wrote
		is = "P2SH-P2WSH"
	}
	var known []string
	for _, f := range wallet.Forms() {
		if known = append(known, f.OutputType()); f.OutputType() == is {
			return f.Kind(), nil
		}
	}
	return "", fmt.Errorf("%w: script type %q, want %s", wallet.ErrUnsupported, clean(name), strings.Join(known, " or "))
}

// path returns "m/48'/0'/0'/2'", the form outside of descriptors.
func path(k wallet.Key) string {
	origin := strings.TrimSuffix(k.String(), k.XPub)
	return "m" + strings.ReplaceAll(origin[len("[00000000"):len(origin)-1], "h", "'")
}

// key builds a key from its parts as the formats hold them.
func key(fingerprint, path, xpub string, net wallet.Network, st wallet.ScriptType) (wallet.Key, error) {
	path = strings.TrimSpace(path)
	if path != "m" && !strings.HasPrefix(path, "m/") {
		return wallet.Key{}, fmt.Errorf("%w: derivation path %q does not begin with m", ErrFormat, clean(path))
	}
	text := "[" + strings.TrimSpace(fingerprint) + strings.TrimPrefix(path, "m") + "]" + strings.TrimSpace(xpub)
	return wallet.ParseKeyFor(text, net, st)
}

// clean makes text from elsewhere one line of printable characters, 80 at most.
func clean(s string) string {
	out := []rune(display.Strip(s))
	return strings.TrimSpace(string(out[:min(len(out), 80)]))
}

// keyName returns the name of a key, or what it is called without one.
func (w Wallet) keyName(i int) string {
	if i < len(w.KeyNames) {
		if name := clean(w.KeyNames[i]); name != "" {
			return name
		}
	}
	return fmt.Sprintf("key %d", i+1)
}

// name returns the name of the wallet, or what it is called without one.
func (w Wallet) name() string {
	if name := clean(w.Name); name != "" {
		return name
	}
	d := w.Descriptor
	return fmt.Sprintf("multisig %d of %d", d.Threshold(), len(d.Keys()))
}
