package regtest

import (
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// ErrDry is returned when a key does not own enough for a payment.
var ErrDry = errors.New("not enough mature coins to pay from")

// Sizes of a payment, in vbytes: 10.5 around it, 68 for each P2WPKH input
// (41 + (1+1+72+1+33)/4, rounded up), and 8+1 beside the script of each output.
const (
	sizeAround = 11
	sizeInput  = 69
	sizeOutput = 9
)

// dust is what a change output must exceed, in satoshis (P2WPKH at 3 sat/vB).
const dust = 294

// Key holds a P2WPKH key of regtest and pays from its coins.
type Key struct {
	priv   *btcec.PrivateKey
	script []byte
	addr   string
}

// Coin is an unspent output of a Key.
type Coin struct {
	OutPoint wire.OutPoint
	Amount   int64
}

// NewKey makes a key from a seed; the same seed makes the same key.
func NewKey(seed string) (*Key, error) {
	h := chainhash.TaggedHash([]byte("quorate/regtest/key"), []byte(seed))
	priv, pub := btcec.PrivKeyFromBytes(h[:])
	a, err := address.NewAddressWitnessPubKeyHash(address.Hash160(pub.SerializeCompressed()), Params())
	if err != nil {
		return nil, fmt.Errorf("derive address: %w", err)
	}
	script, err := txscript.PayToAddrScript(a)
	if err != nil {
		return nil, fmt.Errorf("derive script: %w", err)
	}
	return &Key{priv: priv, script: script, addr: a.EncodeAddress()}, nil
}

// PkScript returns the script that pays this key.
func (k *Key) PkScript() []byte { return k.script }

// Address returns the address that pays this key.
func (k *Key) Address() string { return k.addr }

// Pay signs a transaction that makes the outputs from the first coins that
// suffice, at rate satoshis per vbyte, with change back to the key. Every input
// signals replacement (BIP125). ErrDry when the coins do not suffice.
func (k *Key) Pay(coins []Coin, outs []*wire.TxOut, rate int64) (*wire.MsgTx, error) {
	tx := wire.NewMsgTx(2)
	size, need := int64(sizeAround+sizeOutput+len(k.script)), int64(0)
	for _, o := range outs {
		tx.AddTxOut(o)
		need += o.Value
		size += int64(sizeOutput + len(o.PkScript))
	}
	fetch := txscript.NewMultiPrevOutFetcher(nil)
	have, used := int64(0), 0
	for _, c := range coins {
		if used > 0 && have >= need+size*rate {
			break
		}
		in := wire.NewTxIn(&c.OutPoint, nil, nil)
		in.Sequence = wire.MaxTxInSequenceNum - 2
		tx.AddTxIn(in)
		fetch.AddPrevOut(c.OutPoint, wire.NewTxOut(c.Amount, k.script))
		have += c.Amount
		size += sizeInput
		used++
	}
	if used == 0 || have < need+size*rate {
		return nil, fmt.Errorf("%w: have %d, need %d satoshis", ErrDry, have, need+size*rate)
	}
	if change := have - need - size*rate; change > dust {
		tx.AddTxOut(wire.NewTxOut(change, k.script))
	}
	return tx, k.sign(tx, coins[:used], fetch)
}

func (k *Key) sign(tx *wire.MsgTx, coins []Coin, fetch txscript.PrevOutputFetcher) error {
	hashes := txscript.NewTxSigHashes(tx, fetch)
	for i, c := range coins {
		w, err := txscript.WitnessSignature(tx, hashes, i, c.Amount, k.script, txscript.SigHashAll, k.priv, true)
		if err != nil {
			return fmt.Errorf("sign input %d: %w", i, err)
		}
		tx.TxIn[i].Witness = w
	}
	return nil
}
