package formats

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/quorate/quorate/wallet"
)

// reader reads the files of one kind. is says by what only they have whether a
// document is one; read returns a format of its own where it was more exact.
type reader struct {
	format Format
	is     func(document) bool
	read   func(document, wallet.Network) (Wallet, Format, error)
}

// readers are tried in this order.
func readers() []reader {
	as := func(f Format, read func([]byte, wallet.Network) (Wallet, error)) func(document, wallet.Network) (Wallet, Format, error) {
		return func(d document, net wallet.Network) (Wallet, Format, error) {
			w, err := read(d.json, net)
			return w, f, err
		}
	}
	text := func(d document) bool { return d.json == nil }
	return []reader{
		{Electrum, func(d document) bool { return d.has("wallet_type", "seed_version") }, as(Electrum, parseElectrum)},
		{"", func(d document) bool { return true }, refusePrivate},
		{Core, func(d document) bool { return d.list() || d.has("descriptors") }, as(Core, parseCore)},
		{Caravan, func(d document) bool { return d.has("extendedPublicKeys") }, as(Caravan, parseCaravan)},
		{Specter, func(d document) bool { return d.has("descriptor", "recv_descriptor", "change_descriptor") }, as(Specter, parseSpecter)},
		{"", func(d document) bool { return d.has("xfp", "p2wsh") }, refuseOneKey},
		{Descriptor, func(d document) bool { return d.json != nil }, as(Descriptor, parseOtherJSON)},
		{BSMS, func(d document) bool { return text(d) && strings.HasPrefix(d.text, "BSMS ") }, func(d document, net wallet.Network) (Wallet, Format, error) { return parseBSMS(d.text, net) }},
		{Electrum, func(d document) bool {
			return strings.HasPrefix(d.text, "BIE1") || strings.HasPrefix(d.text, "QklFM") // as it is, and base64 of "BIE1"
		}, refuseElectrum},
		{"", func(d document) bool { return isHex(d.text) }, refuseEncrypted},
		{Coldcard, func(d document) bool { return isColdcard(d.text) }, func(d document, net wallet.Network) (Wallet, Format, error) {
			w, err := parseColdcard(d.text, net)
			return w, Coldcard, err
		}},
		{Descriptor, func(d document) bool { return opening.MatchString(d.text) }, func(d document, net wallet.Network) (Wallet, Format, error) {
			return parseDescriptors(d.text, net)
		}},
		{"", func(document) bool { return true }, refuseUnknown},
	}
}

// errNext says that the next reader is to look at a document.
var errNext = fmt.Errorf("%w: for the next reader", ErrUnknown)

// Parse reads a wallet in any of the formats and says which it was. Errors:
// ErrUnknown, ErrFormat, ErrEncrypted, ErrOneKey, and those of package wallet:
// ErrWrongNetwork, ErrPrivateKey, ErrNoOrigin, ErrUnsupported, ErrChecksum.
func Parse(raw []byte, net wallet.Network) (Wallet, Format, error) {
	w, f, err := parse(raw, net)
	switch {
	case err == nil:
		w.checkOrigins()
		return w, f, nil
	case f == "":
		return Wallet{}, "", fmt.Errorf("read wallet file: %w", err)
	}
	return Wallet{}, f, fmt.Errorf("read wallet file (%s): %w", f, err)
}

func parse(raw []byte, net wallet.Network) (Wallet, Format, error) {
	d, err := readDocument(raw)
	if err != nil {
		return Wallet{}, "", err
	}
	for _, r := range readers() {
		if !r.is(d) {
			continue
		}
		if w, f, err := r.read(d, net); err != errNext {
			return w, f, err
		}
	}
	return Wallet{}, "", ErrUnknown
}

func refusePrivate(d document, _ wallet.Network) (Wallet, Format, error) {
	if err := d.private(); err != nil {
		return Wallet{}, "", err
	}
	return Wallet{}, "", errNext
}

func refuseOneKey(document, wallet.Network) (Wallet, Format, error) { return Wallet{}, "", ErrOneKey }

func refuseElectrum(document, wallet.Network) (Wallet, Format, error) {
	return Wallet{}, Electrum, fmt.Errorf("%w: save a copy without a password in Electrum first", ErrEncrypted)
}

func refuseEncrypted(document, wallet.Network) (Wallet, Format, error) {
	return Wallet{}, "", fmt.Errorf("%w (or is no wallet file): %w (--token)", ErrEncrypted, ErrTokenNeeded)
}

func refuseUnknown(d document, net wallet.Network) (Wallet, Format, error) {
	if first := strings.Fields(d.text); len(first) > 0 {
		if _, err := wallet.ParseKey(first[0], net); err == nil {
			return Wallet{}, "", ErrOneKey
		}
	}
	return Wallet{}, "", ErrUnknown
}

// isHex says whether a text is hex, long enough to be an encrypted record.
func isHex(s string) bool {
	s = strings.Join(strings.Fields(s), "")
	_, err := hex.DecodeString(s)
	return err == nil && len(s) > 64
}
