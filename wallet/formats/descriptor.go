package formats

import (
	"fmt"
	"strings"

	"github.com/quorate/quorate/wallet"
)

// branch is what a descriptor's text stands for.
type branch int

const (
	both branch = iota
	receive
	change
)

// derivations are the ends of keys as other wallets write them. The last three
// stand for one descriptor with both branches: BIP389, BIP129's short form, and
// an older proposal of Specter's.
func derivations() []struct {
	text string
	of   branch
} {
	return []struct {
		text string
		of   branch
	}{{"/0/*", receive}, {"/1/*", change}, {"/<0;1>/*", both}, {"/**", both}, {"/{0,1}/*", both}}
}

// parseOne reads one descriptor, of both branches or of one, and returns the
// wallet's with both. Every key ends the same way, or it is refused.
func parseOne(text string, net wallet.Network) (*wallet.Descriptor, branch, error) {
	if len(text) > maxTextSize {
		return nil, both, fmt.Errorf("%w: descriptor above %d KiB", ErrFormat, maxTextSize>>10)
	}
	body, err := wallet.SplitChecksum(strings.TrimSpace(text))
	if err != nil {
		return nil, both, err
	}
	of, forms, whole := both, 0, body
	for _, d := range derivations() {
		if strings.Contains(body, d.text+",") || strings.Contains(body, d.text+")") {
			// Each match ends in its own comma or bracket, so that none hides the next.
			whole = strings.NewReplacer(d.text+",", "/<0;1>/*,", d.text+")", "/<0;1>/*)").Replace(body)
			of = d.of
			forms++
		}
	}
	if forms > 1 {
		return nil, both, fmt.Errorf("%w: keys with different derivations after them", wallet.ErrUnsupported)
	}
	parsed, err := wallet.ParseDescriptor(whole, net)
	return parsed, of, err
}

// gather joins descriptors of one wallet: all the same, and both branches there.
type gather struct {
	d  *wallet.Descriptor
	of [3]bool
}

func (g *gather) add(text string, net wallet.Network) (branch, error) {
	d, of, err := parseOne(text, net)
	if err != nil {
		return of, err
	}
	if g.d != nil && g.d.String() != d.String() {
		return of, fmt.Errorf("%w: it holds descriptors of different wallets", ErrFormat)
	}
	g.d, g.of[of] = d, true
	return of, nil
}

func (g *gather) done() (*wallet.Descriptor, error) {
	switch {
	case g.d == nil:
		return nil, fmt.Errorf("%w: no descriptor in it", ErrFormat)
	case g.of[both] || g.of[receive] && g.of[change]:
		return g.d, nil
	case g.of[change]:
		return nil, fmt.Errorf("%w: the change descriptor alone: the receiving one (/0/*) is missing", ErrFormat)
	}
	return nil, fmt.Errorf("%w: the receiving descriptor alone: the change one (/1/*) is missing", ErrFormat)
}

// parseDescriptors reads lines of descriptors, with # before remarks.
func parseDescriptors(text string, net wallet.Network) (Wallet, Format, error) {
	f := Descriptor
	var g gather
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case line[0] == '#':
			f = Sparrow
		default:
			if _, err := g.add(line, net); err != nil {
				return Wallet{}, f, err
			}
		}
	}
	d, err := g.done()
	return Wallet{Descriptor: d}, f, err
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
