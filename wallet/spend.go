package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet/coinselect"
)

const (
	// MaxTxWeight is the most weight nodes relay (Bitcoin Core's
	// MAX_STANDARD_TX_WEIGHT), in weight units.
	MaxTxWeight = coinselect.MaxTxWeight
	maxAmount   = 21_000_000 * 100_000_000 // satoshis; Core's MAX_MONEY
	// maxPkScript is the longest script that consensus executes, in bytes: an
	// output with a longer one can never be spent.
	maxPkScript = txscript.MaxScriptSize
	// spendSequence allows a replacement (BIP125) and enables the locktime.
	spendSequence = wire.MaxTxInSequenceNum - 2
	spendVersion  = 2
)

var (
	// ErrNoInputs is returned for a spend without inputs.
	ErrNoInputs = errors.New("no inputs")
	// ErrDuplicateInput is returned where two inputs spend one outpoint.
	ErrDuplicateInput = errors.New("outpoint is spent twice")
	// ErrNegativeFee is returned where the outputs exceed the inputs.
	ErrNegativeFee = errors.New("outputs exceed inputs")
	// ErrNoOutputs is returned where nothing is paid.
	ErrNoOutputs = errors.New("no outputs to pay")
	// ErrAmount names an amount, or a sum, that is zero, negative or above
	// 21 million bitcoin.
	ErrAmount = errors.New("amount out of range")
	// ErrTooHeavy says that nodes would not relay the transaction.
	ErrTooHeavy = errors.New("transaction would exceed the standard weight")
	// ErrScript names an output script that is empty or too long.
	ErrScript = errors.New("script out of range")
)

// Input is a coin of the wallet that a transaction spends.
type Input struct {
	OutPoint wire.OutPoint
	// Amount is in satoshis.
	Amount int64
	// Branch and Index are where the descriptor derives the coin's script.
	Branch, Index uint32
}

// Output is a payment; Amount is in satoshis.
type Output struct {
	PkScript []byte
	Amount   int64
}

// OwnOutput says that an output pays the wallet itself, so that a signing
// device can recognise its change.
type OwnOutput struct {
	Output        int
	Branch, Index uint32
}

// Spend is a transaction skeleton over coins of one wallet. It is immutable and
// safe for concurrent use. Its inputs' signature hashes are computed once.
type Spend struct {
	d       *Descriptor
	in      []Input
	out     []Output
	tx      *wire.MsgTx // with the final scriptSigs, without witnesses
	scripts []*Script
	prev    []*wire.TxOut
	mid     *txscript.TxSigHashes
	hashes  [][32]byte // what the signatures of each input are over
	txid    chainhash.Hash
	fee     int64
	weight  int
	own     []OwnOutput
}

// WithOwn is the same spend, and says which outputs pay the wallet itself: a hint for whoever
// signs it, which it checks.
func (s *Spend) WithOwn(own ...OwnOutput) *Spend {
	out := *s
	out.own = slices.Clone(own)
	return &out
}

// Own returns what WithOwn said.
func (s *Spend) Own() []OwnOutput { return slices.Clone(s.own) }

// NewSpend returns the transaction of version 2 over these inputs and outputs
// in this order, every sequence 0xfffffffd. Errors: ErrNoInputs, ErrNoOutputs,
// ErrDuplicateInput, ErrAmount, ErrNegativeFee, ErrTooHeavy, ErrScript (empty
// or above 10,000 bytes), ErrScriptIndex.
func NewSpend(d *Descriptor, in []Input, out []Output, lockTime uint32) (*Spend, error) {
	fee, weight, err := checkSpend(d, in, out)
	if err != nil {
		return nil, fmt.Errorf("build spend: %w", err)
	}
	s := &Spend{
		d: d, in: slices.Clone(in), fee: fee, weight: weight,
		tx: &wire.MsgTx{
			Version: spendVersion, LockTime: lockTime,
			TxIn: make([]*wire.TxIn, len(in)), TxOut: make([]*wire.TxOut, len(out)),
		},
		scripts: make([]*Script, len(in)),
		prev:    make([]*wire.TxOut, len(in)),
	}
	for i, o := range out {
		o.PkScript = bytes.Clone(o.PkScript)
		s.out = append(s.out, o)
		s.tx.TxOut[i] = &wire.TxOut{Value: o.Amount, PkScript: o.PkScript}
	}
	errs := make([]error, len(in))
	parallel(len(in), func(i int) {
		script, err := d.script(in[i].Branch, in[i].Index)
		if err != nil {
			errs[i] = fmt.Errorf("build spend: input %d: %w", i, err)
			return
		}
		s.scripts[i] = script
		s.prev[i] = &wire.TxOut{Value: in[i].Amount, PkScript: script.PkScript}
		s.tx.TxIn[i] = &wire.TxIn{PreviousOutPoint: in[i].OutPoint, Sequence: spendSequence}
		s.tx.TxIn[i].SignatureScript = d.form.scriptSig(script)
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.txid = s.tx.TxHash()
	s.mid = txscript.NewTxSigHashes(s.tx, &prevOuts{tx: s.tx, prev: s.prev})
	if s.hashes, err = d.form.hashes(s); err != nil {
		return nil, fmt.Errorf("build spend: %w", err)
	}
	return s, nil
}

// checkSpend checks everything that needs no derivation, and returns the fee
// and the worst-case weight.
func checkSpend(d *Descriptor, in []Input, out []Output) (fee int64, weight int, err error) {
	if len(in) == 0 {
		return 0, 0, ErrNoInputs
	}
	if len(out) == 0 {
		return 0, 0, ErrNoOutputs
	}
	// The size comes first: it bounds all that follows.
	size := 4 + 4 + wire.VarIntSerializeSize(uint64(len(in))) + wire.VarIntSerializeSize(uint64(len(out)))
	for i, o := range out {
		if len(o.PkScript) == 0 {
			return 0, 0, fmt.Errorf("output %d: %w: empty, so that anyone could take it", i, ErrScript)
		}
		if len(o.PkScript) > maxPkScript {
			return 0, 0, fmt.Errorf("output %d: %w: %d bytes", i, ErrScript, len(o.PkScript))
		}
		size += 8 + wire.VarIntSerializeSize(uint64(len(o.PkScript))) + len(o.PkScript)
	}
	weight = 4*size + 2 + len(in)*d.InputWeight() // 2: segwit marker and flag
	if weight > MaxTxWeight {
		return 0, 0, fmt.Errorf("%w: %d weight units, at most %d", ErrTooHeavy, weight, MaxTxWeight)
	}
	var have, pay int64
	seen := make(map[wire.OutPoint]struct{}, len(in))
	for i, input := range in {
		if input.Amount <= 0 || input.Amount > maxAmount-have {
			return 0, 0, fmt.Errorf("input %d: %w", i, ErrAmount)
		}
		if _, ok := seen[input.OutPoint]; ok {
			return 0, 0, fmt.Errorf("input %d: %w", i, ErrDuplicateInput)
		}
		seen[input.OutPoint] = struct{}{}
		have += input.Amount
	}
	for i, o := range out {
		if o.Amount <= 0 || o.Amount > maxAmount-pay {
			return 0, 0, fmt.Errorf("output %d: %w", i, ErrAmount)
		}
		pay += o.Amount
	}
	if pay > have {
		return 0, 0, ErrNegativeFee
	}
	return have - pay, weight, nil
}

// TxID returns the transaction's id, which signatures do not change: with
// sh(wsh) the scriptSig it covers is always the same push.
func (s *Spend) TxID() chainhash.Hash { return s.txid }

// Tx returns the transaction unsigned: no scriptSig, no witness. (With sh(wsh)
// its hash is therefore not TxID.)
func (s *Spend) Tx() *wire.MsgTx {
	tx := s.tx.Copy()
	for _, in := range tx.TxIn {
		in.SignatureScript, in.Witness = nil, nil
	}
	return tx
}

// Inputs returns the inputs in order.
func (s *Spend) Inputs() []Input { return slices.Clone(s.in) }

// Outputs returns the outputs in order.
func (s *Spend) Outputs() []Output {
	out := slices.Clone(s.out)
	for i := range out {
		out[i].PkScript = bytes.Clone(out[i].PkScript)
	}
	return out
}

// Fee returns what the inputs hold above the outputs, in satoshis.
func (s *Spend) Fee() int64 { return s.fee }

// LockTime returns the transaction's locktime.
func (s *Spend) LockTime() uint32 { return s.tx.LockTime }

// HashType returns the only sighash type that its signatures may have (BIP143).
func (s *Spend) HashType() uint32 { return uint32(s.d.form.hashType()) }

// Descriptor returns the wallet's descriptor.
func (s *Spend) Descriptor() *Descriptor { return s.d }

// VSize returns the size of the final transaction in virtual bytes, rounded up,
// with signatures of the greatest size there is (see InputWeight).
func (s *Spend) VSize() int64 { return int64(s.weight+3) / 4 }

// prevOuts tells the script engine which outputs a transaction spends.
type prevOuts struct {
	tx   *wire.MsgTx
	prev []*wire.TxOut // by input
	last int
}

// FetchPrevOutput implements txscript.PrevOutputFetcher. It is asked for one
// input after the other, so looking on from the last answer finds it at once.
func (p *prevOuts) FetchPrevOutput(op wire.OutPoint) *wire.TxOut {
	for range p.prev {
		i := p.last
		p.last = (p.last + 1) % len(p.prev)
		if p.tx.TxIn[i].PreviousOutPoint == op {
			return p.prev[i]
		}
	}
	return &wire.TxOut{} // not reached; nil would make the engine panic
}
