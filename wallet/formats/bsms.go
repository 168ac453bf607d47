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

// ParseDescriptorRecord takes the lines of a descriptor record apart. It looks
// at no more than their number and the version: ErrFormat.
func ParseDescriptorRecord(text string) (DescriptorRecord, error) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) != 4 || strings.TrimSpace(lines[0]) != bsmsVersion {
		return DescriptorRecord{}, fmt.Errorf("%w: want four lines, the first of them %q", ErrFormat, bsmsVersion)
	}
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return DescriptorRecord{lines[1], lines[2], lines[3]}, nil
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
	switch r.Paths {
	case bsmsPaths:
	case bsmsOpen:
		return Wallet{}, f, fmt.Errorf("%w: no path restrictions: each key would serve for one address only", wallet.ErrUnsupported)
	default:
		return Wallet{}, f, fmt.Errorf("%w: path restrictions %q, want %s", wallet.ErrUnsupported, clean(r.Paths), bsmsPaths)
	}
	d, of, err := parseOne(r.Descriptor, net)
	if err != nil {
		return Wallet{}, f, err
	}
	if of != both {
		return Wallet{}, f, fmt.Errorf("%w: a descriptor of one branch under the path restrictions %s", ErrFormat, bsmsPaths)
	}
	first, err := d.Address(wallet.BranchExternal, 0)
	if err != nil {
		return Wallet{}, f, err
	}
	if first != r.Address {
		return Wallet{}, f, fmt.Errorf("%w: its first address is %s, the descriptor's is %s", ErrFormat, clean(r.Address), first)
	}
	return Wallet{Descriptor: d}, f, nil
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
