package event

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// The kinds of what is said of proposals.
const (
	KindProposalCreated    Kind = 32
	KindProposalApproved   Kind = 33
	KindProposalRejected   Kind = 34
	KindRejectionWithdrawn Kind = 35
	KindProposalWithdrawn  Kind = 36
	KindSignatureCarried   Kind = 37
)

func proposalBody(k Kind) Body {
	switch k {
	case KindProposalCreated:
		return &ProposalCreated{}
	case KindProposalApproved:
		return &ProposalApproved{}
	case KindProposalRejected:
		return &ProposalRejected{}
	case KindRejectionWithdrawn:
		return &RejectionWithdrawn{}
	case KindProposalWithdrawn:
		return &ProposalWithdrawn{}
	case KindSignatureCarried:
		return &SignatureCarried{}
	}
	return nil
}

// MaxMoney is 21 million bitcoin, in satoshis.
const MaxMoney = 21_000_000 * 100_000_000

// ProposalInput is a coin to spend, as the proposer sees it.
type ProposalInput struct {
	TxID   chainhash.Hash `cbor:"1,keyasint"`
	Vout   uint32         `cbor:"2,keyasint"`
	Amount int64          `cbor:"3,keyasint"` // satoshis
	Branch uint32         `cbor:"4,keyasint"`
	Index  uint32         `cbor:"5,keyasint"`
}

// OutPoint returns the coin's outpoint.
func (i ProposalInput) OutPoint() wire.OutPoint { return wire.OutPoint{Hash: i.TxID, Index: i.Vout} }

// ProposalOutput pays a script, or (Change not nil) the wallet's own change
// branch at that index.
type ProposalOutput struct {
	PkScript []byte  `cbor:"1,keyasint,omitempty"`
	Change   *uint32 `cbor:"2,keyasint,omitempty"`
	Amount   int64   `cbor:"3,keyasint"` // satoshis
	Label    string  `cbor:"4,keyasint,omitempty"`
}

// ProposalCreated is a transaction to sign. Its skeleton (version 2, every
// sequence 0xfffffffd, inputs and outputs in this order) gives one txid.
type ProposalCreated struct {
	Inputs   []ProposalInput  `cbor:"2,keyasint"`
	Outputs  []ProposalOutput `cbor:"3,keyasint"`
	LockTime uint32           `cbor:"4,keyasint"`
	Note     string           `cbor:"5,keyasint"`
	Expires  int64            `cbor:"6,keyasint"` // Unix seconds, 0 = never
	// Replaces lists the txids of earlier proposals whose coins this one takes.
	Replaces []chainhash.Hash `cbor:"7,keyasint"`
	// Occasion is what it is made for, as 32 bytes: see For. Older nodes pass over it.
	Occasion cbor.RawMessage `cbor:"128,keyasint,omitempty"`
}

// WithOccasion is a proposal that says what it is made for.
func (b *ProposalCreated) WithOccasion(of [32]byte) error {
	raw, err := theCodec.enc.Marshal(of[:])
	if err != nil {
		return fmt.Errorf("encode an occasion: %w", err)
	}
	b.Occasion = raw
	return nil
}

// For returns what the proposal is made for, false where it says nothing that is
// well-formed. Of two of one author with one occasion only one is meant to be paid.
func (b *ProposalCreated) For() ([32]byte, bool) {
	var of []byte
	if len(b.Occasion) == 0 || theCodec.dec.Unmarshal(b.Occasion, &of) != nil || len(of) != 32 {
		return [32]byte{}, false
	}
	return [32]byte(of), true
}

// PartialSignature is one cosigner's signature on one input: strict DER and a
// sighash byte. Key is the index of its key in the descriptor.
type PartialSignature struct {
	Input uint32 `cbor:"1,keyasint"`
	Key   uint32 `cbor:"2,keyasint"`
	Bytes []byte `cbor:"3,keyasint"`
}

// ProposalApproved carries the author's signatures. What else it says older nodes pass
// over, and so do these where it is malformed: the signatures count all the same.
type ProposalApproved struct {
	Proposal   journal.EntryID    `cbor:"2,keyasint"`
	Signatures []PartialSignature `cbor:"3,keyasint"`
	// Bump is a BumpUpTo: see UpTo.
	Bump cbor.RawMessage `cbor:"128,keyasint,omitempty"`
	// By is the txid whose approval let the author's node sign this by itself: see Through.
	By cbor.RawMessage `cbor:"129,keyasint,omitempty"`
}

// BumpUpTo is what an approval says of transactions that pay the same with a higher fee:
// its author's node signs such a one by itself.
type BumpUpTo struct {
	Fee   int64 `cbor:"1,keyasint"` // the whole fee, in satoshis, at most; 0 for none
	Until int64 `cbor:"2,keyasint"` // Unix seconds
}

// WithUpTo is an approval that says so, too.
func (b ProposalApproved) WithUpTo(x BumpUpTo) (ProposalApproved, error) {
	raw, err := theCodec.enc.Marshal(x)
	if err != nil {
		return b, fmt.Errorf("encode what is agreed to before: %w", err)
	}
	b.Bump = raw
	return b, nil
}

// UpTo returns what the approval says of bumps, false where it says nothing that is well-formed.
func (b *ProposalApproved) UpTo() (BumpUpTo, bool) {
	var x BumpUpTo
	if len(b.Bump) == 0 || theCodec.dec.Unmarshal(b.Bump, &x) != nil || x.Fee < 0 || x.Fee > MaxMoney || x.Until < 0 || x.Until > maxUnixMillis/1000 {
		return BumpUpTo{}, false
	}
	return x, true
}

// Via is an approval that a node gave by itself, since one of another transaction allowed it.
func (b ProposalApproved) Via(tx chainhash.Hash) (ProposalApproved, error) {
	raw, err := theCodec.enc.Marshal(tx)
	if err != nil {
		return b, fmt.Errorf("encode an approval: %w", err)
	}
	b.By = raw
	return b, nil
}

// Through returns the transaction whose approval let a node give this one by itself.
func (b *ProposalApproved) Through() (chainhash.Hash, bool) {
	var tx chainhash.Hash
	if len(b.By) == 0 || theCodec.dec.Unmarshal(b.By, &tx) != nil {
		return chainhash.Hash{}, false
	}
	return tx, true
}

// SignatureCarried brings signatures of a member who has no node, or of an
// entry that the author saw past a fork.
type SignatureCarried struct {
	Proposal   journal.EntryID    `cbor:"2,keyasint"`
	Signatures []PartialSignature `cbor:"3,keyasint"`
}

// ProposalRejected is a vote against.
type ProposalRejected struct {
	Proposal journal.EntryID `cbor:"2,keyasint"`
	Reason   string          `cbor:"3,keyasint"`
}

// RejectionWithdrawn takes the author's vote against back.
type RejectionWithdrawn struct {
	Proposal journal.EntryID `cbor:"2,keyasint"`
}

// ProposalWithdrawn is the proposer's own: no new approvals are given to it.
type ProposalWithdrawn struct {
	Proposal journal.EntryID `cbor:"2,keyasint"`
}

// Kind returns KindProposalCreated.
func (*ProposalCreated) Kind() Kind { return KindProposalCreated }

// Kind returns KindProposalApproved.
func (*ProposalApproved) Kind() Kind { return KindProposalApproved }

// Kind returns KindProposalRejected.
func (*ProposalRejected) Kind() Kind { return KindProposalRejected }

// Kind returns KindRejectionWithdrawn.
func (*RejectionWithdrawn) Kind() Kind { return KindRejectionWithdrawn }

// Kind returns KindProposalWithdrawn.
func (*ProposalWithdrawn) Kind() Kind { return KindProposalWithdrawn }

// Kind returns KindSignatureCarried.
func (*SignatureCarried) Kind() Kind { return KindSignatureCarried }

func (b *ProposalCreated) Check() error {
	if len(b.Inputs) < 1 || len(b.Inputs) > MaxTxInputs || len(b.Outputs) < 1 || len(b.Outputs) > maxTxOutputs {
		return badEvent("%d inputs and %d outputs", len(b.Inputs), len(b.Outputs))
	}
	seen := make(map[wire.OutPoint]bool, len(b.Inputs))
	var in, out int64
	for _, i := range b.Inputs {
		if i.Amount < 1 || i.Amount > MaxMoney || i.Branch > wallet.BranchChange || i.Index >= MaxIndex {
			return badEvent("input out of range")
		}
		if seen[i.OutPoint()] {
			return badEvent("a coin is spent twice")
		}
		seen[i.OutPoint()] = true
		in += i.Amount
	}
	change := 0
	for _, o := range b.Outputs {
		if o.Amount < 1 || o.Amount > MaxMoney || len(o.PkScript) > 10_000 {
			return badEvent("output out of range")
		}
		if (o.Change == nil) == (len(o.PkScript) == 0) {
			return badEvent("an output pays either a script or change")
		}
		if o.Change != nil {
			if change++; change > 1 || *o.Change >= MaxIndex {
				return badEvent("more than one change output, or change out of range")
			}
		}
		if err := CheckText("label", o.Label, MaxLabelBytes, true); err != nil {
			return err
		}
		out += o.Amount
	}
	// At most 1,000 summands of 2.1e15: no overflow of int64.
	if in > MaxMoney || out > in {
		return badEvent("outputs exceed inputs")
	}
	if b.Expires < 0 || b.Expires > maxUnixMillis/1000 || len(b.Replaces) > MaxReplaces {
		return badEvent("expiry or replaces out of range")
	}
	return CheckText("note", b.Note, MaxTextBytes, true)
}

func (b *ProposalApproved) Check() error   { return checkSignatures(b.Signatures) }
func (b *SignatureCarried) Check() error   { return checkSignatures(b.Signatures) }
func (b *RejectionWithdrawn) Check() error { return nil }
func (b *ProposalWithdrawn) Check() error  { return nil }
func (b *ProposalRejected) Check() error {
	return CheckText("reason", b.Reason, MaxTextBytes, true)
}

func checkSignatures(sigs []PartialSignature) error {
	if len(sigs) < 1 || len(sigs) > MaxTxInputs*2 {
		return badEvent("%d signatures", len(sigs))
	}
	limit := wallet.WidestBounds() // an event does not say of which wallet it is
	// One for each input and key is all that is of use, and each one costs to verify.
	seen := make(map[[2]uint32]bool, len(sigs))
	for _, s := range sigs {
		if of := [2]uint32{s.Input, s.Key}; seen[of] {
			return badEvent("two signatures on one input by one key")
		} else {
			seen[of] = true
		}
		if len(s.Bytes) < limit.Least || len(s.Bytes) > limit.Most || s.Input >= MaxTxInputs || int64(s.Key) >= int64(limit.Keys) {
			return badEvent("signature out of range")
		}
	}
	return nil
}
