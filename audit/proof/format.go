// Package proof is the file in which a member hands a wallet's log to an outsider,
// and its reader, which needs no node: ids, links and signatures of every entry, the
// events of those that are opened, the Bitcoin signatures in them, and what all of it
// comes to.
//
// The file is lines of JSON, each the one encoding of what it says, so that no byte of
// it can be another:
//
//	head            the genesis, the roster, what was left out
//	entry …         header, body and signature, by chain and seq; of one that is
//	                opened its subkey (see journal.Subkey) and its event too
//	mined …         what the exporter saw in blocks: his word
//	closing         who exported it, when, how far the chains went, the SHA-256 of
//	                all bytes before, and his signature
//
// What it proves: nobody else wrote what is in it, nothing was changed, taken from the
// middle or put in another order, and no Bitcoin signature is made up. What it cannot: that a
// chain did not go on after the frontier, or that its author did not prepare, together
// with the exporter, an entry that opens in two ways.
package proof

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/journal"
)

// Version is that of the format.
const Version = 1

// Bounds of a file. An entry has at most 262,387 bytes and its event 262,140, which
// base64 makes 699,368 characters; a closing has less for each chain than an entry.
const (
	// MaxLine is how long a line may be, in bytes.
	MaxLine = 1 << 20
	// MaxLines is how many lines a file may have: members write 32,768 entries at once.
	MaxLines = 4 << 20
	// maxChains is how many chains the closing line holds: 64 authors with 64
	// incarnations, at most 245 characters each.
	maxChains = 64 * 64
	// maxProposals is of how many proposals an export is.
	maxProposals = 1000
)

// signTag is what a closing is signed under.
const signTag = "log-export"

// Errors of reading a file. The message names the line.
var (
	// ErrFormat: the file is not one of these, or a line is not as it was written.
	ErrFormat = errors.New("not as a log is written")
	// ErrNewer: it is of a newer version.
	ErrNewer = errors.New("the file is of a newer version")
	// ErrCut: it ends before its closing line, or goes on after it.
	ErrCut = errors.New("the file does not end with its closing line")
	// ErrSignature: an entry was not signed by its author.
	ErrSignature = errors.New("the signature is not its author's")
	// ErrLink: an entry is missing, or out of its order.
	ErrLink = errors.New("the chain of entries is broken")
	// ErrSubkey: an entry does not open as the file says.
	ErrSubkey = errors.New("the entry does not open with its subkey")
	// ErrFrontier: the entries end elsewhere than the closing line says.
	ErrFrontier = errors.New("the chains do not end where the closing line says")
	// ErrRoster: not all members ratified the roster that the file names.
	ErrRoster = errors.New("the roster is not ratified by all")
	// ErrExporter: who closed the file is not of the roster.
	ErrExporter = errors.New("the exporter is no member")
	// ErrClosing: the file is not what its exporter signed.
	ErrClosing = errors.New("the exporter did not sign this file")
	// ErrTooLong: the file has more lines, or a longer one, than are read.
	ErrTooLong = errors.New("the file is too long")
	// ErrHoldsKeys: the keys cannot be left out, since the genesis names them.
	ErrHoldsKeys = errors.New("the genesis of this wallet holds its descriptor")
)

// hexID is 32 bytes in lower-case hexadecimal.
type hexID [32]byte

// MarshalText writes 64 digits.
func (h hexID) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads 64 digits.
func (h *hexID) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return ErrFormat
	}
	if _, err := hex.Decode(h[:], b); err != nil {
		return ErrFormat
	}
	return nil
}

// head is the first line.
type head struct {
	Log     int    `json:"quorate_log"`
	Genesis []byte `json:"genesis"`
	Roster  hexID  `json:"roster"` // the hash that all ratified
	// Keys says that records are opened, which hold the members' keys.
	Keys bool `json:"keys"`
	// Proposals are those that the export is of; none for all.
	Proposals []hexID `json:"proposals,omitempty"`
}

// entryLine is an entry. Of one that is opened Subkey and Event are there; one of suite
// 0 is open as it is.
type entryLine struct {
	Header    []byte `json:"header"`
	Body      []byte `json:"body"`
	Signature []byte `json:"signature"`
	Subkey    []byte `json:"subkey,omitempty"`
	Event     []byte `json:"event,omitempty"`
}

func lineOf(e *journal.Entry) entryLine {
	raw, body := e.Bytes(), len(e.Body())
	at := len(raw) - body - signatureSize
	return entryLine{Header: raw[:at], Body: e.Body(), Signature: raw[at+body:]}
}

const signatureSize = 64

func (l entryLine) entry() (*journal.Entry, error) {
	if len(l.Signature) != signatureSize {
		return nil, journal.ErrMalformed
	}
	return journal.Decode(bytes.Join([][]byte{l.Header, l.Body, l.Signature}, nil))
}

// Mined is a transaction that the exporter saw in a block.
type Mined struct {
	TxID   string `json:"txid"`
	Height int32  `json:"height"`
	Block  string `json:"block"`
}

// closing is the last line. Signature is over all of it but itself.
type closing struct {
	Exporter  hexID     `json:"exporter"`
	Time      time.Time `json:"time"`
	Frontier  []tail    `json:"frontier"`
	Digest    hexID     `json:"digest"`
	Signature []byte    `json:"signature,omitempty"`
}

// tail is where a chain ends: its last linked entry, and how many lie at and past a
// fork; Seq is 0 where it is forked at its first.
type tail struct {
	Author      hexID  `json:"author"`
	Incarnation uint8  `json:"incarnation"`
	Seq         uint64 `json:"seq"`
	ID          hexID  `json:"id"`
	Loose       int    `json:"loose,omitempty"`
}

// tails are where all chains of a set of entries end, in order.
func tails(c journal.Chains) []tail {
	out := []tail{}
	at := c.Frontier()
	for k := range c.Keys() {
		t := tail{Author: hexID(k.Author), Incarnation: k.Incarnation, Seq: at[k].Seq, ID: hexID(at[k].ID)}
		for range c.LooseEntries(k) {
			t.Loose++
		}
		out = append(out, t)
	}
	return out
}

// encode is the one encoding of a line, its end included.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a line: %w", err)
	}
	return b.Bytes(), nil
}

// decode reads a line, and takes no other encoding of it.
func decode(line []byte, v any) error {
	if err := json.Unmarshal(line, v); err != nil {
		return ErrFormat
	}
	again, err := encode(v)
	if err != nil || !bytes.Equal(again, line) {
		return ErrFormat
	}
	return nil
}
