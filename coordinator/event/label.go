package event

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
)

// The kinds of what is said of labels.
const (
	KindLabelSet Kind = 48
)

func labelBody(k Kind) Body {
	switch k {
	case KindLabelSet:
		return &LabelSet{}
	case KindCoinFrozen:
		return &CoinFrozen{}
	}
	return nil
}

// LabelKind says what a label is of, in the sense of BIP329. Its inputs, public
// and extended keys are not labelled here.
type LabelKind uint64

// The kinds of labels. Numbers are never reused.
const (
	LabelTx      LabelKind = 1
	LabelAddress LabelKind = 2
	LabelOutput  LabelKind = 3
)

// Limits of a label. Whoever has to supersede more than maxSupersedes of them
// writes several entries.
const (
	MaxSupersedes = 256
	// The shortest and the longest script that has an address: witness programs
	// of 2 and of 40 bytes (BIP141).
	minAddressScript = 4
	MaxAddressScript = 42
	outPointBytes    = chainhash.HashSize + 4
)

// LabelTarget is what a label is of. The zero value is nothing.
type LabelTarget struct {
	Kind LabelKind
	// of is the txid, the address's script, or the outpoint: txid and output
	// index (u32, big-endian).
	of string
}

// TxTarget is a transaction.
func TxTarget(id chainhash.Hash) LabelTarget { return LabelTarget{LabelTx, string(id[:])} }

// AddressTarget is the address of a script.
func AddressTarget(script []byte) LabelTarget { return LabelTarget{LabelAddress, string(script)} }

// OutputTarget is an output of a transaction.
func OutputTarget(o wire.OutPoint) LabelTarget {
	return LabelTarget{LabelOutput, string(binary.BigEndian.AppendUint32(o.Hash[:], o.Index))}
}

// Bytes returns what LabelSet has in Of.
func (t LabelTarget) Bytes() []byte { return []byte(t.of) }

// TxID returns the transaction of a label of one, or of its output.
func (t LabelTarget) TxID() chainhash.Hash {
	var h chainhash.Hash
	if t.Kind != LabelAddress {
		copy(h[:], t.of)
	}
	return h
}

// OutPoint returns the output of a label of one.
func (t LabelTarget) OutPoint() wire.OutPoint {
	o := wire.OutPoint{Hash: t.TxID()}
	if t.Kind == LabelOutput {
		o.Index = binary.BigEndian.Uint32([]byte(t.of[chainhash.HashSize:]))
	}
	return o
}

// Script returns the script of a label of an address, or nil.
func (t LabelTarget) Script() []byte {
	if t.Kind != LabelAddress {
		return nil
	}
	return []byte(t.of)
}

// Key is the place of a target among the labels: no two meet, since the length
// stands before the bytes.
func (t LabelTarget) Key() string { return string([]byte{byte(t.Kind), byte(len(t.of))}) + t.of }

// TargetOf reads the Key of a target, whatever follows it.
func TargetOf(key string) LabelTarget { return LabelTarget{LabelKind(key[0]), key[2 : 2+int(key[1])]} }

// LabelSet says what its author calls a transaction, an address or an output,
// in the place of the labels it names. An empty text takes them away.
type LabelSet struct {
	Target     LabelKind         `cbor:"2,keyasint"`
	Of         []byte            `cbor:"3,keyasint"` // see LabelTarget
	Text       string            `cbor:"4,keyasint"`
	Supersedes []journal.EntryID `cbor:"5,keyasint,omitempty"` // ascending
}

// Kind returns KindLabelSet.
func (*LabelSet) Kind() Kind { return KindLabelSet }

// On returns what the label is of.
func (b *LabelSet) On() LabelTarget { return LabelTarget{b.Target, string(b.Of)} }

func (b *LabelSet) Check() error {
	least, most := 0, 0
	switch b.Target {
	case LabelTx:
		least, most = chainhash.HashSize, chainhash.HashSize
	case LabelAddress:
		least, most = minAddressScript, MaxAddressScript
	case LabelOutput:
		least, most = outPointBytes, outPointBytes
	case 0:
		return badEvent("label of nothing")
	default:
		return fmt.Errorf("%w: label of kind %d", ErrNewer, b.Target)
	}
	if len(b.Of) < least || len(b.Of) > most {
		return badEvent("label of %d bytes of kind %d", len(b.Of), b.Target)
	}
	if err := checkSupersedes(b.Supersedes); err != nil {
		return err
	}
	return CheckText("label", b.Text, MaxLabelBytes, true)
}

// checkSupersedes refuses a list of what is superseded that is too long or does not ascend.
func checkSupersedes(ids []journal.EntryID) error {
	if len(ids) > MaxSupersedes {
		return badEvent("it supersedes %d", len(ids))
	}
	for i := 1; i < len(ids); i++ {
		if bytes.Compare(ids[i-1][:], ids[i][:]) >= 0 {
			return badEvent("what it supersedes is out of order")
		}
	}
	return nil
}
