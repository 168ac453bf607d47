package formats

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/quorate/quorate/wallet"
)

// branch is what the end of a descriptor's keys stands for.
type branch int

const (
	both branch = iota
	receive
	change
	// bare are keys without an end: both branches, by agreement of those who
	// write them so.
	bare
	// open are keys that end in /*: one branch of which nobody says which, or
	// both by agreement, as Nunchuk has it in BSMS.
	open
)

// ends are the ends of keys as other wallets write them. Several stand for one
// descriptor with both branches: BIP389, BIP129's short form, and an older
// proposal of Specter's.
func ends() map[string]branch {
	return map[string]branch{"/0/*": receive, "/1/*": change, "/<0;1>/*": both, "/**": both, "/{0,1}/*": both, "": bare, "/*": open}
}

// maxDescriptors is how many of a file are read.
const maxDescriptors = 100

// errOther is returned for a descriptor that is no multisig at all, such as a
// wallet of Core holds beside one.
var errOther = errors.New("descriptor of another kind")

var functions = regexp.MustCompile(`^(?:[a-z_]+\()+`)

// parseOne reads one descriptor, of both branches or of one, and returns the
// wallet's with both. Keys may be written in any of the ways that other wallets
// have: every one ends the same way, or it is refused.
func parseOne(text string, net wallet.Network) (*wallet.Descriptor, branch, error) {
	if len(text) > maxTextSize {
		return nil, both, fmt.Errorf("%w: descriptor above %d KiB", ErrFormat, maxTextSize>>10)
	}
	body, err := checkedBody(strings.TrimSpace(text))
	if err != nil {
		return nil, both, err
	}
	begin := functions.FindString(body)
	called := strings.Split(strings.TrimSuffix(begin, "("), "(")
	form, err := formOf(called)
	if err != nil {
		return nil, both, err
	}
	inner, ok := strings.CutSuffix(body[len(begin):], strings.Repeat(")", len(called)))
	if !ok {
		return nil, both, fmt.Errorf("%w: descriptor has text after it, or a bracket too few", ErrFormat)
	}
	args := arguments(inner)
	if len(args) > wallet.MaxKeys+1 {
		return nil, both, fmt.Errorf("%w: %d, at most %d", wallet.ErrKeyCount, len(args)-1, wallet.MaxKeys)
	}
	var keys []wallet.Key
	of := both
	for i, arg := range args[1:] {
		k, end, err := parseKey(arg, net, form.Kind())
		if err != nil {
			return nil, both, fmt.Errorf("key %d: %w", i+1, err)
		}
		if i > 0 && end != of {
			return nil, both, fmt.Errorf("%w: keys with different derivations after them", wallet.ErrUnsupported)
		}
		of, keys = end, append(keys, k)
	}
	threshold, _, err := policy(fmt.Sprintf("%s of %d", args[0], len(keys)))
	if err != nil {
		return nil, both, fmt.Errorf("%w: %s of %d keys", wallet.ErrThreshold, clean(args[0]), len(keys))
	}
	d, err := multisig(net, form, threshold, keys)
	return d, of, err
}

// checkedBody returns a descriptor without its checksum. That is of the text as
// its writer had it: where the mark of hardened steps was changed on the way, it
// is looked for with each.
func checkedBody(text string) (string, error) {
	at := strings.LastIndexByte(text, '#')
	if at < 0 {
		_, err := wallet.DescriptorChecksum(text)
		return text, err
	}
	body, sum := text[:at], text[at:]
	_, err := wallet.SplitChecksum(text)
	if err == nil {
		return body, nil
	}
	for _, mark := range []string{"h", "'"} {
		if _, other := wallet.SplitChecksum(hardenedMark.ReplaceAllString(body, "${1}"+mark) + sum); other == nil {
			return body, nil
		}
	}
	return "", err
}

// formOf is the form that functions make, from the outermost on.
func formOf(called []string) (wallet.Form, error) {
	if form, ok := wallet.FormCalled(called); ok {
		return form, nil
	}
	name := strings.Join(called, "(")
	switch name {
	case "sh(sortedmulti", "sh(multi", "sortedmulti", "multi":
		return nil, fmt.Errorf("%w: multisig without a witness (%s…): want wsh() or sh(wsh())", wallet.ErrUnsupported, name+"(")
	case "wpkh", "sh(wpkh", "pkh", "pk", "tr", "combo", "addr", "raw", "rawtr", "wsh(pk", "wsh(pkh", "sh(pk", "sh(pkh":
		return nil, fmt.Errorf("%w: %w: %s() is no multisig wallet of wsh() or sh(wsh())", wallet.ErrUnsupported, errOther, called[0])
	case "":
		return nil, fmt.Errorf("%w: no descriptor", ErrFormat)
	}
	return nil, fmt.Errorf("%w: %s(…): want sortedmulti() or multi() in wsh() or sh(wsh())", wallet.ErrUnsupported, clean(name))
}

// arguments splits at commas, but not at those in braces.
func arguments(s string) []string {
	var out []string
	depth, start := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{', '<', '[':
			depth++
		case '}', '>', ']':
			depth--
		case ',':
			if depth <= 0 {
				out = append(out, s[start:i])
				start = i + 1
			}
		}
	}
	return append(out, s[start:])
}

// parseKey reads a key expression, and what its end stands for.
func parseKey(s string, net wallet.Network, st wallet.ScriptType) (wallet.Key, branch, error) {
	origin, rest := "", s
	if strings.HasPrefix(s, "[") {
		inside, after, ok := strings.Cut(s[1:], "]")
		if !ok {
			return wallet.Key{}, both, fmt.Errorf("%w: its origin is not closed by ]", ErrFormat)
		}
		fingerprint, path, _ := strings.Cut(inside, "/")
		origin, rest = "["+fingerprint+originPath(path)+"]", after
	}
	xpub, end, ranged := strings.Cut(rest, "/")
	if ranged {
		end = "/" + end
	}
	if raw, err := hex.DecodeString(xpub); err == nil && len(raw) == 33 {
		return wallet.Key{}, both, fmt.Errorf("%w: a public key by itself: the wallet has one address only", wallet.ErrUnsupported)
	}
	k, err := wallet.ParseKeyFor(origin+xpub, net, st)
	if errors.Is(err, wallet.ErrNoOrigin) {
		return wallet.Key{}, both, fmt.Errorf("%w: [fingerprint/path] is missing before it: export the wallet with key origins", wallet.ErrNoOrigin)
	}
	if err != nil {
		return wallet.Key{}, both, err
	}
	of, ok := ends()[end]
	if !ok {
		return wallet.Key{}, both, fmt.Errorf("%w: after it comes %q, want /<0;1>/*", wallet.ErrUnsupported, clean(end))
	}
	return k, of, nil
}

// gather joins the descriptors of a file: all of one wallet, and both branches
// there. Descriptors of other kinds are counted and left.
type gather struct {
	d      *wallet.Descriptor
	of     []branch
	others int
	first  error // of the first of another kind
}

func (g *gather) add(text string, net wallet.Network) (branch, error) {
	d, of, err := parseOne(text, net)
	if errors.Is(err, errOther) {
		if g.others++; g.first == nil {
			g.first = err
		}
		return both, nil
	}
	if err != nil {
		return of, err
	}
	if g.d != nil && g.d.String() != d.String() {
		return of, fmt.Errorf("%w: it holds descriptors of different wallets: leave one of them in it", ErrFormat)
	}
	g.d, g.of = d, append(g.of, of)
	return of, nil
}

// done returns the wallet. One whose file has the receiving branch alone, or
// does not name branches, has its change on /1/* by agreement; agreed says that
// this is the format's own rule, and needs no warning.
func (g *gather) done(agreed bool) (Wallet, error) {
	w := Wallet{Descriptor: g.d}
	has := func(b branch) bool { return slices.Contains(g.of, b) }
	switch {
	case g.d == nil && g.first != nil:
		return w, g.first
	case g.d == nil:
		return w, fmt.Errorf("%w: no descriptor in it", ErrFormat)
	case has(open):
		return w, fmt.Errorf("%w: its keys end in /*, which names no branch: Bitcoin Core takes other addresses for it than wallets with change do: give the descriptor with /<0;1>/*", wallet.ErrUnsupported)
	case has(both) || has(receive) && has(change) || agreed:
	case has(change):
		return w, fmt.Errorf("%w: the change descriptor alone: the receiving one (/0/*) is missing", ErrFormat)
	case has(receive):
		w.warn(WarnBranches, "the file has the receiving branch (/0/*) alone: change is taken to be on /1/*, as wallets agree")
	default:
		w.warn(WarnBranches, "the file does not say which branches the keys have: they are taken to be /0/* and /1/*, as wallets agree: compare the first address")
	}
	if g.others > 0 {
		w.warn(WarnOther, "%d descriptors of other kinds in the file were passed over", g.others)
	}
	return w, nil
}

// Branches returns the descriptors of the two branches, each with a checksum,
// for software that does not know /<0;1>/* (BIP389).
func Branches(d *wallet.Descriptor) (receive, change string, err error) {
	one := func(end string) (string, error) {
		body, _, _ := strings.Cut(d.String(), "#")
		body = strings.ReplaceAll(body, "/<0;1>/*", end)
		sum, err := wallet.DescriptorChecksum(body)
		return body + "#" + sum, err
	}
	if receive, err = one("/0/*"); err != nil {
		return "", "", err
	}
	change, err = one("/1/*")
	return receive, change, err
}

// writeSparrow writes the three descriptors that Sparrow's own file has.
func writeSparrow(w Wallet) ([]byte, error) {
	in, out, err := Branches(w.Descriptor)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "# Receive and change descriptor (BIP389):\n%s\n\n# Receive descriptor (Bitcoin Core):\n%s\n\n# Change descriptor (Bitcoin Core):\n%s\n",
		w.Descriptor, in, out), nil
}
