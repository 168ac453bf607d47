package formats

import (
	"fmt"
	"strings"

	"github.com/quorate/quorate/wallet"
)

// bsmsVersion is the first line of each record (BIP129).
const bsmsVersion = "BSMS 1.0"

// bsmsPaths is the path restriction of a wallet with two branches; bsmsOpen is
// that of keys which are used as they are.
const (
	bsmsPaths = "/0/*,/1/*"
	bsmsOpen  = "No path restrictions"
)

// DescriptorRecord is the second round's record of BIP129, as it is written.
type DescriptorRecord struct {
	// Descriptor is the template: /** stands for the path restrictions.
	Descriptor string
	// Paths are the path restrictions, or "No path restrictions".
	Paths string
	// Address is the wallet's first, which a reader checks.
	Address string
}

// ParseDescriptorRecord takes a descriptor record apart, and looks at no more
// than the version and that all parts are there. Some writers leave the line of
// the path restrictions empty, or out. ErrFormat.
func ParseDescriptorRecord(text string) (DescriptorRecord, error) {
	first, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	found, _, err := scan(rest)
	if err != nil {
		return DescriptorRecord{}, err
	}
	if strings.TrimSpace(first) != bsmsVersion || len(found) != 1 {
		return DescriptorRecord{}, fmt.Errorf("%w: want four lines, the first of them %q, the second a descriptor", ErrFormat, bsmsVersion)
	}
	r := DescriptorRecord{Descriptor: found[0].text}
	var lines []string
	for line := range strings.Lines(rest[found[0].end:]) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	switch {
	case len(lines) == 2:
		r.Paths, r.Address = lines[0], lines[1]
	case len(lines) == 1 && !strings.ContainsAny(lines[0], "/ "):
		r.Address = lines[0]
	case len(lines) > 2:
		return DescriptorRecord{}, fmt.Errorf("%w: text after the first address", ErrFormat)
	default:
		return DescriptorRecord{}, fmt.Errorf("%w: the wallet's first address is missing, by which the record is checked", ErrFormat)
	}
	return r, nil
}

// String is the record as a file.
func (r DescriptorRecord) String() string {
	return strings.Join([]string{bsmsVersion, r.Descriptor, r.Paths, r.Address}, "\n")
}

func parseBSMS(text string, net wallet.Network) (Wallet, Format, error) {
	if _, err := ParseKeyRecord(text); err == nil {
		return Wallet{}, "", ErrOneKey
	}
	r, err := ParseDescriptorRecord(text)
	if err != nil {
		return Wallet{}, BSMS, err
	}
	f := BSMS
	if strings.Contains(r.Descriptor, "#") {
		f = Nunchuk
	}
	d, of, err := parseOne(r.Descriptor, net)
	if err != nil {
		return Wallet{}, f, err
	}
	switch strings.ToLower(strings.Join(strings.Fields(r.Paths), "")) {
	case bsmsPaths:
		if of == receive || of == change {
			return Wallet{}, f, fmt.Errorf("%w: a descriptor of one branch under the path restrictions %s", ErrFormat, bsmsPaths)
		}
	case "", strings.ToLower(strings.ReplaceAll(bsmsOpen, " ", "")):
		if of == change {
			return Wallet{}, f, fmt.Errorf("%w: a descriptor of the change branch alone", ErrFormat)
		}
	default:
		return Wallet{}, f, fmt.Errorf("%w: path restrictions %q, want %s", wallet.ErrUnsupported, clean(r.Paths), bsmsPaths)
	}
	// Keys that end in /*, as Nunchuk writes them, or have no end, can stand for
	// other addresses than those with /0/*: the record's own address tells.
	first, err := d.Address(wallet.BranchExternal, 0)
	if err != nil {
		return Wallet{}, f, err
	}
	if !sameAddress(first, r.Address, net) {
		return Wallet{}, f, fmt.Errorf("%w: its first address is %s, the descriptor's is %s", ErrFormat, clean(r.Address), first)
	}
	w := Wallet{Descriptor: d}
	if of == receive {
		w.warn(WarnBranches, "the record has the receiving branch (/0/*) alone: change is taken to be on /1/*, as wallets agree")
	}
	return w, f, nil
}

// sameAddress compares by scripts: codes have addresses in capital letters.
func sameAddress(a, b string, net wallet.Network) bool {
	x, err := wallet.ParseAddress(a, net)
	if err != nil {
		return false
	}
	y, err := wallet.ParseAddress(b, net)
	return err == nil && string(x) == string(y)
}

// writeBSMS writes a descriptor record; checksum is Nunchuk's way.
func writeBSMS(w Wallet, checksum bool) ([]byte, error) {
	body, _, _ := strings.Cut(w.Descriptor.String(), "#")
	body = strings.ReplaceAll(body, "/<0;1>/*", "/**")
	if checksum {
		sum, err := wallet.DescriptorChecksum(body)
		if err != nil {
			return nil, err
		}
		body += "#" + sum
	}
	first, err := w.Descriptor.Address(wallet.BranchExternal, 0)
	if err != nil {
		return nil, err
	}
	return []byte(DescriptorRecord{body, bsmsPaths, first}.String() + "\n"), nil
}
