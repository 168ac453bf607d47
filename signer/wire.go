package signer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

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
	hashRequest struct {
		account
		Hash []byte `json:"hash"` // 32 bytes
	}
	spendRequest struct {
		account
		Descriptor string `json:"descriptor"`
		PSBT       []byte `json:"psbt"`
	}
	answer struct {
		Network    wallet.Network     `json:"network,omitempty"`
		Key        string             `json:"key,omitempty"`
		Signature  []byte             `json:"signature,omitempty"`
		Signatures []wallet.Signature `json:"signatures,omitempty"`
		Error      string             `json:"error,omitempty"`
	}
)

const (
	pathNetwork = "/v1/network"
	pathAccount = "/v1/account"
	pathHash    = "/v1/hash"
	pathSpend   = "/v1/spend"
)

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
