package formats

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/quorate/quorate/wallet"
)

// Parse reads a wallet in any of the formats and says which it was. Errors:
// ErrUnknown, ErrFormat, ErrEncrypted, ErrOneKey, and those of package wallet:
// ErrWrongNetwork, ErrPrivateKey, ErrNoOrigin, ErrUnsupported, ErrChecksum.
func Parse(raw []byte, net wallet.Network) (Wallet, Format, error) {
	w, f, err := parse(raw, net)
	switch {
	case err == nil:
		return w, f, nil
	case f == "":
		return Wallet{}, "", fmt.Errorf("read wallet file: %w", err)
	}
	return Wallet{}, f, fmt.Errorf("read wallet file (%s): %w", f, err)
}

func parse(raw []byte, net wallet.Network) (Wallet, Format, error) {
	if len(raw) > MaxSize {
		return Wallet{}, "", fmt.Errorf("%w: above %d MiB", ErrUnknown, MaxSize>>20)
	}
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))) // some editors put a byte order mark
	if len(raw) == 0 {
		return Wallet{}, "", fmt.Errorf("%w: it is empty", ErrUnknown)
	}
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return Wallet{}, "", fmt.Errorf("%w: it is not text", ErrUnknown)
	}
	// A key begins with [ too, with its fingerprint right after.
	if raw[0] == '{' || raw[0] == '[' && bytes.HasPrefix(bytes.TrimSpace(raw[1:]), []byte("{")) {
		return parseJSON(raw, net)
	}
	if len(raw) > maxTextSize {
		return Wallet{}, "", fmt.Errorf("%w: a text above %d KiB", ErrUnknown, maxTextSize>>10)
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(raw))
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case strings.HasPrefix(text, "BSMS "):
		return parseBSMS(text, net)
	case strings.HasPrefix(text, "BIE1"), strings.HasPrefix(text, "QklFM"): // as it is, and base64 of "BIE1"
		return Wallet{}, Electrum, fmt.Errorf("%w: save a copy without a password in Electrum first", ErrEncrypted)
	case isHex(text):
		return Wallet{}, "", fmt.Errorf("%w (or is no wallet file): an encrypted BSMS record needs its token", ErrEncrypted)
	case strings.Contains(strings.ToLower(text), "policy:"):
		w, err := parseColdcard(text, net)
		return w, Coldcard, err
	case strings.Contains(text, "("):
		return parseDescriptors(text, net)
	}
	if _, err := wallet.ParseKey(strings.TrimSpace(first), net); err == nil {
		return Wallet{}, "", ErrOneKey
	}
	return Wallet{}, "", ErrUnknown
}

func isHex(s string) bool {
	s = strings.TrimSpace(s)
	_, err := hex.DecodeString(s)
	return err == nil && len(s) > 64
}

// parseJSON tells the JSON formats apart by the fields that only they have.
func parseJSON(raw []byte, net wallet.Network) (Wallet, Format, error) {
	if raw[0] == '[' {
		w, err := parseCore(raw, net)
		return w, Core, err
	}
	var probe struct {
		WalletType   *json.RawMessage `json:"wallet_type"`
		Keys         *json.RawMessage `json:"extendedPublicKeys"`
		Descriptors  *json.RawMessage `json:"descriptors"`
		Descriptor   *json.RawMessage `json:"descriptor"`
		Fingerprint  *json.RawMessage `json:"xfp"`
		SeedVersion  *json.RawMessage `json:"seed_version"`
		OneKeyDerive *json.RawMessage `json:"p2wsh"`
	}
	// Only the first value: what follows it in a file of Electrum are changes.
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&probe); err != nil {
		return Wallet{}, "", fmt.Errorf("%w: %w", ErrUnknown, jsonError(err))
	}
	var f Format
	var err error
	var w Wallet
	switch {
	case probe.WalletType != nil || probe.SeedVersion != nil:
		f = Electrum
		w, err = parseElectrum(raw, net)
	case probe.Keys != nil:
		f = Caravan
		w, err = parseCaravan(raw, net)
	case probe.Descriptors != nil:
		f = Core
		w, err = parseCore(raw, net)
	case probe.Descriptor != nil:
		f = Specter
		w, err = parseSpecter(raw, net)
	case probe.Fingerprint != nil || probe.OneKeyDerive != nil:
		return Wallet{}, "", ErrOneKey
	default:
		return Wallet{}, "", fmt.Errorf("%w: JSON of another kind", ErrUnknown)
	}
	return w, f, err
}

// decode reads exactly one JSON value.
func decode(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, jsonError(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: text after the JSON", ErrFormat)
	}
	return nil
}

// jsonError keeps the file's own text out of the message: it may hold secrets.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("JSON is wrong at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("JSON at byte %d is not of the kind that is wanted there", kind.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("JSON is cut short")
	}
	return errors.New("JSON is wrong")
}

// encode writes JSON that people can read.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // descriptors hold < and >
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}
