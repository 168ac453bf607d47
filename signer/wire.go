package signer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

// What a node and a signer process say to each other: JSON over HTTP on a Unix
// socket. Every request names the account (BIP48) that is to answer.
type (
	account struct {
		Script  wallet.ScriptType `json:"script"`
		Account uint32            `json:"account"`
	}
	claimRequest struct {
		account
		Group    []byte    `json:"group"`
		Identity []byte    `json:"identity"`
		Sealing  []byte    `json:"sealing"`
		Key      string    `json:"key,omitempty"`
		Replaces *replaced `json:"replaces,omitempty"`
		Round    []byte    `json:"round,omitempty"`
	}
	replaced struct {
		Account  []byte `json:"account"`
		Position uint32 `json:"position"`
		Old      []byte `json:"old"`
		Cuts     []cut  `json:"cuts"`
	}
	cut struct {
		Incarnation uint8  `json:"incarnation"`
		Seq         uint64 `json:"seq"`
		Last        []byte `json:"last"`
	}
	spendRequest struct {
		account
		Descriptor string `json:"descriptor"`
		PSBT       []byte `json:"psbt"`
		// Check: say whether it would be signed, and sign nothing.
		Check bool `json:"check,omitempty"`
	}
	answer struct {
		Network    wallet.Network     `json:"network,omitempty"`
		Key        string             `json:"key,omitempty"`
		Signature  []byte             `json:"signature,omitempty"`
		Signatures []wallet.Signature `json:"signatures,omitempty"`
		Error      string             `json:"error,omitempty"`
		Code       string             `json:"code,omitempty"`
	}
)

const (
	pathNetwork = "/v1/network"
	pathAccount = "/v1/account"
	pathClaim   = "/v1/claim"
	pathSpend   = "/v1/spend"
	// pathHash is of versions that signed any hash; it is answered so that a
	// node of theirs is told what is wrong.
	pathHash = "/v1/hash"
)

// codeCeiling is of what the operator's ceiling does not let through. A node is told no more.
const codeCeiling = "ceiling"

// maxMessage bounds a request and an answer. A packet of a thousand inputs with
// twenty keys each takes 6 MiB in base64.
const maxMessage = 8 << 20

var errTooLong = fmt.Errorf("message of more than %d bytes", maxMessage)

// decode reads one JSON value and nothing after it.
func decode(r io.Reader, into any) error {
	b, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err != nil {
		return err
	}
	if len(b) > maxMessage {
		return errTooLong
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

func newClaimRequest(a account, c port.KeyClaim) claimRequest {
	out := claimRequest{account: a, Group: c.Group[:], Identity: c.Identity[:], Sealing: c.Sealing[:], Key: c.Key}
	if c.Answers() {
		out.Round = c.Round[:]
	}
	if r := c.Replaces; r != nil {
		out.Replaces = &replaced{Account: r.Account[:], Position: r.Position, Old: r.Old[:], Cuts: []cut{}}
		for _, x := range r.Cuts {
			out.Replaces.Cuts = append(out.Replaces.Cuts, cut{x.Incarnation, x.Seq, x.Last[:]})
		}
	}
	return out
}

// claim reads what is to be signed.
func (r claimRequest) claim() (port.KeyClaim, error) {
	c := port.KeyClaim{Key: r.Key}
	err := errors.Join(fill(c.Group[:], r.Group), fill(c.Identity[:], r.Identity), fill(c.Sealing[:], r.Sealing))
	if x := r.Replaces; x != nil {
		c.Replaces = &port.Replaced{Position: x.Position}
		err = errors.Join(err, fill(c.Replaces.Account[:], x.Account), fill(c.Replaces.Old[:], x.Old))
		for _, y := range x.Cuts {
			z := port.ReplacedCut{Incarnation: y.Incarnation, Seq: y.Seq}
			err = errors.Join(err, fill(z.Last[:], y.Last))
			c.Replaces.Cuts = append(c.Replaces.Cuts, z)
		}
	}
	if r.Round != nil {
		err = errors.Join(err, fill(c.Round[:], r.Round))
	}
	if err != nil {
		return port.KeyClaim{}, errors.New("claim: a field has not 32 bytes")
	}
	return c, c.Check()
}

var errLength = errors.New("wrong length")

func fill(into, from []byte) error {
	if len(from) != len(into) {
		return errLength
	}
	copy(into, from)
	return nil
}

// spend reads what is to be signed: inputs that are all of the descriptor's, in
// a transaction such as this program makes.
func (r spendRequest) spend(net wallet.Network) (*wallet.Spend, error) {
	d, err := wallet.ParseDescriptor(r.Descriptor, net)
	if err != nil {
		return nil, fmt.Errorf("descriptor: %w", err)
	}
	p, err := psbt.Parse(r.PSBT)
	if err != nil {
		return nil, fmt.Errorf("psbt: %w", err)
	}
	return wallet.SpendFromPSBT(d, p)
}
