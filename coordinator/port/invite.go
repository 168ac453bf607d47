package port

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/btcsuite/btcd/address/v2/bech32"

	"github.com/quorate/quorate/journal"
)

// invitePrefix is the human-readable part of an invite.
const invitePrefix = "quorate"

// Limits of an invite. maxInviteText follows from the others: 32+32+32 bytes of
// ids and secret, 1+8 of version and expiry, 8 addresses of 1+128 bytes, in
// 5-bit characters, plus prefix, separator and checksum.
const (
	maxInviteAddresses = 8
	maxInviteAddress   = 128
	maxInviteText      = len(invitePrefix) + 1 + ((1+3*32+8+1+maxInviteAddresses*(1+maxInviteAddress))*8+4)/5 + 6
)

// ErrInviteFormat is returned for a text that is not an invite.
var ErrInviteFormat = errors.New("not an invite")

// Invite lets one node join a forming group, once. It is a secret.
type Invite struct {
	Group     journal.GroupID
	Founder   journal.Author
	Addresses []string // multiaddrs of the founder, without /p2p
	Secret    [32]byte
	Expires   time.Time
}

// String renders the invite as bech32m text with the prefix "quorate" (BIP350,
// without its length limit: the transport is copy and paste, and the proof
// detects what the checksum does not).
func (inv Invite) String() string {
	b := []byte{1}
	b = append(b, inv.Group[:]...)
	b = append(b, inv.Founder[:]...)
	b = append(b, inv.Secret[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(inv.Expires.Unix()))
	n := min(len(inv.Addresses), maxInviteAddresses)
	b = append(b, byte(n))
	for _, a := range inv.Addresses[:n] {
		if len(a) > maxInviteAddress {
			a = ""
		}
		b = append(b, byte(len(a)))
		b = append(b, a...)
	}
	five, err := bech32.ConvertBits(b, 8, 5, true)
	if err != nil {
		return "" // cannot happen: 8 to 5 bits with padding accepts all bytes
	}
	s, err := bech32.EncodeM(invitePrefix, five)
	if err != nil {
		return ""
	}
	return s
}

// LogValue keeps the secret of an invite out of logs.
func (inv Invite) LogValue() slog.Value {
	return slog.StringValue("invite to " + inv.Group.String()[:8])
}

// ParseInvite reads the text of an invite, or returns ErrInviteFormat.
func ParseInvite(s string) (Invite, error) {
	var inv Invite
	s = strings.TrimSpace(s)
	if len(s) > maxInviteText {
		return inv, fmt.Errorf("%w: too long", ErrInviteFormat)
	}
	hrp, five, version, err := bech32.DecodeNoLimitWithVersion(s)
	if err != nil {
		// The library's error quotes the text, which is a secret.
		return inv, fmt.Errorf("%w: damaged or incomplete text", ErrInviteFormat)
	}
	if hrp != invitePrefix || version != bech32.VersionM {
		return inv, fmt.Errorf("%w: it does not start with %q", ErrInviteFormat, invitePrefix+"1")
	}
	b, err := bech32.ConvertBits(five, 5, 8, false)
	if err != nil || len(b) < 1+3*32+8+1 {
		return inv, fmt.Errorf("%w: too short", ErrInviteFormat)
	}
	if b[0] != 1 {
		return inv, fmt.Errorf("%w: version %d is not known here", ErrInviteFormat, b[0])
	}
	b = b[1:]
	b = b[copy(inv.Group[:], b):]
	b = b[copy(inv.Founder[:], b):]
	b = b[copy(inv.Secret[:], b):]
	expires, b := binary.BigEndian.Uint64(b), b[8:]
	if expires > 1<<40 {
		return inv, fmt.Errorf("%w: impossible expiry", ErrInviteFormat)
	}
	inv.Expires = time.Unix(int64(expires), 0).UTC()
	n, b := int(b[0]), b[1:]
	if n > maxInviteAddresses {
		return inv, fmt.Errorf("%w: %d addresses", ErrInviteFormat, n)
	}
	for range n {
		if len(b) == 0 || len(b) < 1+int(b[0]) || int(b[0]) > maxInviteAddress {
			return inv, fmt.Errorf("%w: cut short", ErrInviteFormat)
		}
		if b[0] > 0 {
			inv.Addresses = append(inv.Addresses, string(b[1:1+b[0]]))
		}
		b = b[1+b[0]:]
	}
	if len(b) != 0 {
		return inv, fmt.Errorf("%w: surplus bytes", ErrInviteFormat)
	}
	return inv, nil
}

// Proof shows knowledge of the invite's secret for one joiner and one nonce of
// the founder: HMAC(secret, tag, group, joiner, founder, nonce).
func (inv Invite) Proof(joiner journal.Author, nonce [32]byte) [32]byte {
	msg := journal.H("invite-proof", inv.Group[:], joiner[:], inv.Founder[:], nonce[:])
	mac := hmac.New(sha256.New, inv.Secret[:])
	mac.Write(msg[:])
	return [32]byte(mac.Sum(nil))
}

// ID names an invite without telling its secret.
func (inv Invite) ID() string {
	h := journal.H("invite-id", inv.Group[:], inv.Secret[:])
	return hex.EncodeToString(h[:16])
}
