package qr

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/big"
	"strconv"
	"strings"
)

// A UR (BCR-2020-005) is "ur:TYPE/BYTEWORDS" of CBOR, or, in several parts,
// "ur:TYPE/NUMBER-COUNT/BYTEWORDS" of the CBOR array [number, count, length of
// the message, its CRC-32, fragment]. Parts above the count hold several
// fragments, one XORed over the other.
const (
	urMinFragment = 10
	urMaxParts    = 1 << 12
)

func splitUR(name string, payload []byte, maxFrame int) ([]string, error) {
	message := append(appendHead(nil, cborBytes, uint64(len(payload))), payload...)
	head := "UR:" + strings.ToUpper(name) + "/"
	if one := head + encodeWords(message); len(one) <= maxFrame {
		return []string{one}, nil
	}
	// The numbers of a part take at most 4 characters each in text, and 17 bytes
	// with their heads in CBOR; the checksum takes 4; each byte is two letters.
	room := (maxFrame-len(head)-len("8192-4096/"))/2 - 4 - 21
	if room < urMinFragment {
		return nil, fmt.Errorf("%w: frames of %d characters", ErrTooLarge, maxFrame)
	}
	e := newUREncoder(name, message, room)
	if e.count > urMaxParts {
		return nil, fmt.Errorf("%w: %d frames, at most %d", ErrTooLarge, e.count, urMaxParts)
	}
	frames := make([]string, 2*e.count)
	for i := range frames {
		frames[i] = e.part(uint32(i + 1))
	}
	return frames, nil
}

// urEncoder makes the parts of one message.
type urEncoder struct {
	head     string
	message  []byte
	checksum uint32
	size     int // of a fragment
	count    int // of fragments
}

// newUREncoder chooses the number of fragments as the reference does.
func newUREncoder(name string, message []byte, maxFragment int) urEncoder {
	e := urEncoder{head: "UR:" + strings.ToUpper(name) + "/", message: message, checksum: crc32.ChecksumIEEE(message)}
	most := max(1, len(message)/urMinFragment)
	for e.count = 1; e.count <= most; e.count++ {
		e.size = (len(message) + e.count - 1) / e.count
		if e.size <= maxFragment {
			break
		}
	}
	// Rounding up can leave the last ones empty.
	e.count = (len(message) + e.size - 1) / e.size
	return e
}

// fragment returns one fragment, padded with zeros to the common size.
func (e urEncoder) fragment(i int) []byte {
	out := make([]byte, e.size)
	copy(out, e.message[min(i*e.size, len(e.message)):])
	return out
}

// part returns the part of a number, from 1.
func (e urEncoder) part(number uint32) string {
	data := make([]byte, e.size)
	for _, i := range chooseFragments(number, e.count, e.checksum) {
		xor(data, e.fragment(i))
	}
	body := appendHead(nil, cborArray, 5)
	for _, n := range []uint64{uint64(number), uint64(e.count), uint64(len(e.message)), uint64(e.checksum)} {
		body = appendHead(body, cborUint, n)
	}
	body = append(appendHead(body, cborBytes, uint64(len(data))), data...)
	return fmt.Sprintf("%s%d-%d/%s", e.head, number, e.count, encodeWords(body))
}

func xor(into, from []byte) {
	for i := range into {
		into[i] ^= from[i]
	}
}

// urPart is one part, read.
type urPart struct {
	number   uint32
	count    int
	length   int
	checksum uint32
	data     []byte
}

// urJoin collects parts: each is an equation over the fragments, and the rows
// are kept in echelon form, so that any parts that suffice do.
type urJoin struct {
	kind  Kind
	name  string
	whole []byte // of a UR in one part
	first *urPart
	rows  map[int]urRow // by the lowest fragment in them
}

// urRow is the XOR of the fragments whose bits are set.
type urRow struct {
	set  *big.Int
	data []byte
}

// parseUR takes a frame in capitals apart.
func parseUR(text string) (name string, p *urPart, whole []byte, err error) {
	fields := strings.Split(strings.TrimPrefix(text, "UR:"), "/")
	if len(fields) != 2 && len(fields) != 3 {
		return "", nil, nil, fmt.Errorf("%w: not ur:type/…", ErrFrame)
	}
	name = strings.ToLower(fields[0])
	raw, err := decodeWords(fields[len(fields)-1])
	if err != nil {
		return "", nil, nil, err
	}
	if len(fields) == 2 {
		return name, nil, raw, nil
	}
	p, err = parsePart(raw)
	if err != nil {
		return "", nil, nil, err
	}
	if want := strconv.FormatUint(uint64(p.number), 10) + "-" + strconv.Itoa(p.count); fields[1] != want {
		return "", nil, nil, fmt.Errorf("%w: it says %q and holds %s", ErrFrame, fields[1], want)
	}
	return name, p, nil, nil
}

func parsePart(raw []byte) (*urPart, error) {
	n, in, err := readHead(raw, cborArray)
	if err != nil || n != 5 {
		return nil, fmt.Errorf("%w: want an array of five", ErrFrame)
	}
	var v [4]uint64
	for i := range v {
		if v[i], in, err = readHead(in, cborUint); err != nil {
			return nil, err
		}
		if v[i] > 1<<32-1 {
			return nil, fmt.Errorf("%w: a number beyond 32 bits", ErrFrame)
		}
	}
	data, rest, err := readBytes(in)
	if err != nil {
		return nil, err
	}
	if v[2] > MaxPayload+16 || v[1] > urMaxParts {
		return nil, fmt.Errorf("%w: %d bytes in %d parts", ErrTooLarge, v[2], v[1])
	}
	p := &urPart{uint32(v[0]), int(v[1]), int(v[2]), uint32(v[3]), data}
	// The fragments just hold the message, or the numbers are made up.
	if p.number < 1 || p.count < 1 || p.length < 1 || len(rest) > 0 || len(data) == 0 ||
		p.count*len(data) < p.length || (p.count-1)*len(data) >= p.length {
		return nil, fmt.Errorf("%w: the numbers of the part do not agree", ErrFrame)
	}
	return p, nil
}

func (u *urJoin) add(text string) error {
	name, p, whole, err := parseUR(text)
	if err != nil {
		return err
	}
	kind, ok := urKind(name)
	if !ok {
		return fmt.Errorf("%w: UR of type %q, want crypto-psbt or bytes", ErrFrame, name)
	}
	if u.name != "" && u.name != name {
		return fmt.Errorf("%w: UR of type %s among those of %s", ErrOtherMessage, name, u.name)
	}
	if p == nil {
		if u.first != nil || u.whole != nil && !bytes.Equal(u.whole, whole) {
			return fmt.Errorf("%w: a UR in one part", ErrOtherMessage)
		}
		u.kind, u.name, u.whole = kind, name, whole
		return nil
	}
	if f := u.first; u.whole != nil || f != nil && (f.count != p.count || f.length != p.length || f.checksum != p.checksum || len(f.data) != len(p.data)) {
		return fmt.Errorf("%w: another length or checksum", ErrOtherMessage)
	}
	if u.first == nil {
		u.kind, u.name, u.first, u.rows = kind, name, p, map[int]urRow{}
	}
	u.reduce(p)
	return nil
}

// reduce adds a part to the rows, unless it says nothing new.
func (u *urJoin) reduce(p *urPart) {
	if len(u.rows) == p.count {
		return
	}
	row := urRow{new(big.Int), bytes.Clone(p.data)}
	for _, i := range chooseFragments(p.number, p.count, p.checksum) {
		row.set.SetBit(row.set, i, 1)
	}
	for row.set.Sign() != 0 {
		low := int(row.set.TrailingZeroBits())
		have, ok := u.rows[low]
		if !ok {
			u.rows[low] = row
			return
		}
		row.set.Xor(row.set, have.set)
		xor(row.data, have.data)
	}
}

func (u *urJoin) progress() Progress {
	if u.whole != nil {
		return Progress{1, 1}
	}
	return Progress{len(u.rows), u.first.count}
}

// payload solves for the fragments, and takes the message apart.
func (u *urJoin) payload() ([]byte, Kind, error) {
	message := u.whole
	if message == nil {
		fragments := make([][]byte, u.first.count)
		for i := u.first.count - 1; i >= 0; i-- {
			data := bytes.Clone(u.rows[i].data)
			for k := i + 1; k < u.first.count; k++ {
				if u.rows[i].set.Bit(k) == 1 {
					xor(data, fragments[k])
				}
			}
			fragments[i] = data
		}
		message = bytes.Join(fragments, nil)[:u.first.length]
		if crc32.ChecksumIEEE(message) != u.first.checksum {
			return nil, "", fmt.Errorf("%w: the checksum does not match", ErrDamaged)
		}
	}
	raw, rest, err := readBytes(message)
	if err != nil || len(rest) > 0 {
		return nil, "", fmt.Errorf("%w: not one CBOR byte string", ErrDamaged)
	}
	return bytes.Clone(raw), u.kind, nil
}
