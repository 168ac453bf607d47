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
	// Warnings say what a file was taken in spite of.
	Warnings []Warning
}

// Warning is something of a file that its reader should know of.
type Warning struct{ Code, Text string }

// Codes of warnings.
const (
	// WarnOrigin: the origin of a key does not fit the key.
	WarnOrigin = "key_origin"
	// WarnNoOrigin: the file does not say where a key comes from.
	WarnNoOrigin = "no_key_origin"
	// WarnFields: the file has fields that are not known here.
	WarnFields = "unknown_fields"
	// WarnBranches: the file does not name both branches.
	WarnBranches = "branches_assumed"
	// WarnOther: the file holds more than the wallet.
	WarnOther = "passed_over"
)

func (w *Wallet) warn(code, format string, args ...any) {
	w.Warnings = append(w.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

var (
	// ErrUnknown is returned for bytes that are no form of a wallet known here.
	ErrUnknown = errors.New("no wallet file of a known kind")
	// ErrFormat is returned for a wallet file that breaks its format's rules.
	ErrFormat = errors.New("malformed wallet file")
	// ErrEncrypted is returned for a file that a password or token closes.
	ErrEncrypted = errors.New("wallet file is encrypted")
	// ErrTokenNeeded is returned, with ErrEncrypted, for a record of BSMS that
	// Decrypt opens.
	ErrTokenNeeded = errors.New("an encrypted BSMS record needs its token")
	// ErrToken is returned for a text that is no token of BSMS.
	ErrToken = errors.New("not a token of BSMS")
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
