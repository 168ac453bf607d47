package psbt

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/filetext"
)

// starts are how a packet in base64 or hex begins.
func starts() []string {
	return []string{base64.StdEncoding.EncodeToString([]byte(magic))[:6], hex.EncodeToString([]byte(magic))}
}

// ParseText reads a packet in binary, or the one that a text holds in base64 or
// hex: by itself or among what programs write around it; see [filetext.Find].
// Errors: ErrSeveral, and those of Parse.
func ParseText(text []byte) (*Packet, error) {
	p, err := parseText(text)
	if err != nil {
		return nil, fmt.Errorf("parse psbt: %w", err)
	}
	return p, nil
}

func parseText(text []byte) (*Packet, error) {
	if err := checkCount("bytes of text", len(text), maxText); err != nil {
		return nil, err
	}
	var found *Packet
	var first error
	var refused []byte
	_, err := filetext.Find(text, starts(), func(raw []byte) bool {
		if !bytes.HasPrefix(raw, []byte(magic)) || refused != nil && bytes.Equal(raw, refused) {
			return false
		}
		// A packet ends with a zero: a line end is of whoever wrote the file.
		p, err := parse(bytes.TrimRight(raw, " \t\r\n"))
		if err != nil {
			refused = raw
			if first == nil {
				first = err
			}
			return false
		}
		found = p
		return true
	})
	switch {
	case err == nil:
		return found, nil
	case errors.Is(err, filetext.ErrSeveral):
		return nil, ErrSeveral
	case first != nil:
		return nil, first
	}
	return nil, fmt.Errorf("%w: neither base64, hex nor binary", ErrMagic)
}

// ParseSigned reads what a signer gives back: a packet, as ParseText does, or
// the finished transaction, as the last of several signers often writes it. That
// becomes a packet of version 0 whose inputs are final. Errors: those of ParseText.
func ParseSigned(text []byte) (*Packet, error) {
	p, err := parseText(text)
	if errors.Is(err, ErrMagic) {
		if tx := findTransaction(text); tx != nil {
			p, err = final(tx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("parse psbt: %w", err)
	}
	return p, nil
}

// findTransaction returns the one transaction that a text holds, or nil.
func findTransaction(text []byte) *wire.MsgTx {
	var found *wire.MsgTx
	// The versions that transactions have, in hex and in base64.
	begin := []string{"01000000", "02000000", "AQAAAA", "AgAAAA"}
	_, err := filetext.Find(text, begin, func(raw []byte) bool {
		if len(raw) > MaxSize {
			return false
		}
		r := bytes.NewReader(raw)
		tx := new(wire.MsgTx)
		if tx.Deserialize(r) != nil || r.Len() != 0 || len(tx.TxIn) == 0 || len(tx.TxOut) == 0 {
			return false
		}
		found = tx
		return true
	})
	if err != nil {
		return nil
	}
	return found
}

// final is the packet of a transaction whose inputs are finished.
func final(signed *wire.MsgTx) (*Packet, error) {
	tx := signed.Copy()
	for _, in := range tx.TxIn {
		in.SignatureScript, in.Witness = nil, nil
	}
	p, err := New(tx, 0)
	if err != nil {
		return nil, err
	}
	for i, in := range signed.TxIn {
		if len(in.SignatureScript) > 0 {
			p.Inputs[i].FinalScriptSig = in.SignatureScript
		}
		if len(in.Witness) > 0 {
			p.Inputs[i].FinalWitness = in.Witness
		}
	}
	return p, p.Validate()
}
