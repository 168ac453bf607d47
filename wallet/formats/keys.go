package formats

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/quorate/quorate/wallet"
)

// scriptType is the form that Coldcard, Caravan and others call so, whatever
// stands between its parts: P2SH-P2WSH, p2wsh/p2sh, P2SH_P2WSH.
func scriptType(name string) (wallet.Form, error) {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToUpper(r)
			}
			return -1
		}, s)
	}
	is := plain(name)
	if is == "P2WSHP2SH" { // what old firmware wrote
		is = "P2SHP2WSH"
	}
	var known []string
	for _, f := range wallet.Forms() {
		if known = append(known, f.OutputType()); plain(f.OutputType()) == is {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: script type %q, want %s", wallet.ErrUnsupported, clean(name), strings.Join(known, " or "))
}

var policyNumbers = regexp.MustCompile(`^([0-9]{1,3})[^0-9]+([0-9]{1,3})$`)

// policy reads "2 of 3", 2/3, 2-of-3.
func policy(s string) (k, n int, err error) {
	if m := policyNumbers.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		k, _ = strconv.Atoi(m[1]) // three digits
		n, _ = strconv.Atoi(m[2])
	}
	if k < 1 || n < k || n > wallet.MaxKeys {
		return 0, 0, fmt.Errorf("%w: policy %q, want as \"2 of 3\", with %d keys at most", wallet.ErrThreshold, clean(s), wallet.MaxKeys)
	}
	return k, n, nil
}

// path returns "m/48'/0'/0'/2'", the form outside of descriptors.
func path(k wallet.Key) string {
	origin := strings.TrimSuffix(k.String(), k.XPub)
	return "m" + strings.ReplaceAll(origin[len("[00000000"):len(origin)-1], "h", "'")
}

var hardenedMark = regexp.MustCompile(`([0-9])\s*['hH]`)

// originPath makes "/48h/0h" of a path as people and programs write it: with m
// before it or without, with any mark, with blanks.
func originPath(s string) string {
	s = hardenedMark.ReplaceAllString(strings.Join(strings.Fields(s), ""), "${1}h")
	s = strings.TrimSuffix(s, "/")
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "m"); ok && (rest == "" || rest[0] == '/') {
		return rest
	}
	if s != "" && s[0] != '/' {
		s = "/" + s
	}
	return s
}

// keyOf builds a key from its parts as the formats hold them.
func keyOf(fingerprint, path, xpub string, net wallet.Network, st wallet.ScriptType) (wallet.Key, error) {
	fingerprint = strings.ToLower(strings.TrimSpace(fingerprint))
	if raw, err := hex.DecodeString(strings.TrimPrefix(fingerprint, "0x")); err != nil || len(raw) != 4 {
		return wallet.Key{}, fmt.Errorf("%w: fingerprint %q is not 8 hex digits", ErrFormat, clean(fingerprint))
	}
	steps := originPath(path)
	if strings.Trim(steps, "/0123456789h") != "" || strings.Contains(steps, "//") {
		return wallet.Key{}, fmt.Errorf("%w: derivation path %q, want as m/48'/0'/0'/2'", ErrFormat, clean(path))
	}
	return wallet.ParseKeyFor("["+strings.TrimPrefix(fingerprint, "0x")+steps+"]"+strings.TrimSpace(xpub), net, st)
}

// unknown says whether a writer put a word in place of what it does not know.
func unknown(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "unknown", "n/a", "none", "null", "undefined":
		return true
	}
	return false
}

// multisig builds the descriptor of a form.
func multisig(net wallet.Network, form wallet.Form, threshold int, keys []wallet.Key) (*wallet.Descriptor, error) {
	for i, k := range keys {
		for j := range i {
			if wallet.SameSigner(keys[j], k) {
				return nil, fmt.Errorf("%w: key %d is key %d", wallet.ErrDuplicateKey, i+1, j+1)
			}
		}
	}
	return wallet.NewDescriptor(net, form, threshold, keys)
}

// checkOrigins warns of keys that are not where their origins say: their
// signers will not find them by what a PSBT says.
func (w *Wallet) checkOrigins() {
	for i, k := range w.Descriptor.Keys() {
		switch {
		case k.Fingerprint == [4]byte{} && len(k.Path) == 0:
			w.warn(WarnNoOrigin, "key %d: the file does not say where it comes from: its signer will not recognise it in a PSBT", i+1)
		default:
			if err := k.FitsOrigin(); err != nil {
				w.warn(WarnOrigin, "key %d (%s): %v: its signer may not sign, and PSBTs name no account keys", i+1, hex.EncodeToString(k.Fingerprint[:]), err)
			}
		}
	}
}
