package group

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Proposal is a transaction that somebody proposed, as its entry states it.
type Proposal struct {
	Ref  Ref
	Body *event.ProposalCreated
	// TxID is there once the wallet is active and the proposal is sound.
	TxID chainhash.Hash
	// Sound says that the proposal describes a transaction of this wallet, by a member.
	Sound bool
	// signs is txid | spend id: all that a signature on it commits to. It is
	// there once the proposal is sound.
	signs string
	spend *LazySpend
}

// lazySpend computes a Spend once, when it is first asked for: thousands of
// old proposals are never looked at again.
type LazySpend struct {
	once  sync.Once
	spend *wallet.Spend
	err   error
	final atomic.Pointer[builtTx]
}

// builtTx is a final transaction and the signatures it was built from: it is
// asked for again and again, and the script engine runs once.
type builtTx struct {
	from [32]byte
	tx   *wire.MsgTx
}

// describes makes a proposal sound: it describes a transaction of this wallet.
func (p *Proposal) describes(tx chainhash.Hash) {
	p.Sound, p.TxID, p.signs = true, tx, mapkey.Of2(tx, spendID(p.Body.Inputs))
}

// spendID names what signatures commit to besides the txid: of each input the
// amount, and the script that its branch and index give (BIP143). Proposals of
// one transaction may state others, and only those that state the same share signatures.
func spendID(inputs []event.ProposalInput) [32]byte {
	b := make([]byte, 0, 16*len(inputs))
	for _, i := range inputs {
		b = binary.BigEndian.AppendUint64(b, uint64(i.Amount))
		b = binary.BigEndian.AppendUint32(b, i.Branch)
		b = binary.BigEndian.AppendUint32(b, i.Index)
	}
	return sha256.Sum256(b)
}

// ID returns the proposal's id: that of its entry.
func (p *Proposal) ID() journal.EntryID { return p.Ref.ID }

// Signs names all that a signature on it commits to: the transaction and the
// coins it spends. It is empty while the proposal is not sound.
func (p *Proposal) Signs() string { return p.signs }

// Author returns who proposed.
func (p *Proposal) Author() journal.Author { return p.Ref.Chain.Author }

// Spend returns the transaction, derived by this node from the descriptor.
func (p *Proposal) Spend(a *Active) (*wallet.Spend, error) {
	if a == nil {
		return nil, fmt.Errorf("derive proposal: %w", errNotActive)
	}
	p.spend.once.Do(func() { p.spend.spend, p.spend.err = buildSpend(a.Descriptor, p.Body) })
	return p.spend.spend, p.spend.err
}

// Fee returns inputs less outputs, in satoshis, as the proposal states them.
func (p *Proposal) Fee() int64 {
	var fee int64
	for _, i := range p.Body.Inputs {
		fee += i.Amount
	}
	for _, o := range p.Body.Outputs {
		fee -= o.Amount
	}
	return fee
}

// buildSpend derives the skeleton of a proposal.
func buildSpend(d *wallet.Descriptor, b *event.ProposalCreated) (*wallet.Spend, error) {
	in := make([]wallet.Input, len(b.Inputs))
	for i, x := range b.Inputs {
		in[i] = wallet.Input{OutPoint: x.OutPoint(), Amount: x.Amount, Branch: x.Branch, Index: x.Index}
	}
	out := make([]wallet.Output, len(b.Outputs))
	for i, x := range b.Outputs {
		out[i] = wallet.Output{PkScript: x.PkScript, Amount: x.Amount}
		if x.Change != nil {
			script, err := d.Script(wallet.BranchChange, *x.Change)
			if err != nil {
				return nil, fmt.Errorf("derive change: %w", err)
			}
			out[i].PkScript = script.PkScript
		}
	}
	s, err := wallet.NewSpend(d, in, out, b.LockTime)
	if err != nil {
		return nil, fmt.Errorf("derive transaction: %w", err)
	}
	return s, nil
}

func (s proposalFacts) foldProposalEvent(ref Ref, body event.Body) proposalFacts {
	switch b := body.(type) {
	case *event.ProposalCreated:
		p := &Proposal{Ref: ref, Body: b, spend: &LazySpend{}}
		s.proposals = s.proposals.Set(mapkey.Of(ref.ID), p)
		if s.active == nil || s.backlog.later || !s.mayWrite(p.Author()) {
			return s.wait(p)
		}
		s = s.evaluate(p)
	case *event.ProposalApproved:
		return s.foldSignatures(carrierFact{Ref: ref, Proposal: b.Proposal, Signatures: b.Signatures})
	case *event.SignatureCarried:
		return s.foldSignatures(carrierFact{Ref: ref, Proposal: b.Proposal, Signatures: b.Signatures, Carried: true})
	case *event.ProposalRejected:
		return s.foldVote(voteFact{ref, b.Proposal, true, b.Reason})
	case *event.RejectionWithdrawn:
		return s.foldVote(voteFact{ref, b.Proposal, false, ""})
	case *event.ProposalWithdrawn:
		s.withdrawals = earliest(s.withdrawals, mapkey.Of(b.Proposal), ref)
		s = s.rest(ref, b.Proposal).touch(b.Proposal)
	}
	return s
}

// evaluate derives the transaction of a proposal by a known author, once the
// wallet is active. The signatures that waited for it are due then.
func (s proposalFacts) evaluate(p *Proposal) proposalFacts {
	s.backlog.proposals = s.backlog.proposals.Delete(mapkey.Of2(p.Author(), p.Ref.ID))
	spend, err := p.Spend(s.active)
	if err != nil {
		s.entryFacts = s.entryFacts.asInert(p.Ref, ruleProposal)
return s
	}
	sound := *p
	sound.describes(spend.TxID())
	s.proposals = s.proposals.Set(mapkey.Of(p.Ref.ID), &sound)
	return s.index(&sound).sigsDue(p.Ref.ID).touch(p.Ref.ID)
}

// Proposal returns a proposal by id.
func (s proposalFacts) Proposal(id journal.EntryID) (*Proposal, bool) { return s.proposals.Get(mapkey.Of(id)) }

// alive says whether a proposal has effect: it is sound, and its entry is not
// tainted, or carries a verified signature by the key of another member.
func (s proposalFacts) Alive(p *Proposal) bool {
	if !p.Sound {
		return false
	}
	if !s.tainted(p.Ref) {
		return true
	}
	own, ok := s.active.KeyOf(p.Author())
	if !ok {
		own = -1 // a replacement names it, and it writes for nobody
	}
	for k := range s.active.Members {
		if k != own && s.SignedInputs(p, k) > 0 {
			return true
		}
	}
	return false
}

// Draft returns the proposal that a body would be, written in a chain: it is held
// by nobody yet. It returns an error for one that describes no transaction of the
// wallet.
func (s proposalFacts) Draft(chain journal.ChainKey, b *event.ProposalCreated) (*Proposal, error) {
	p := &Proposal{Ref: Ref{Chain: chain}, Body: b, spend: &LazySpend{}}
	spend, err := p.Spend(s.active)
	if err != nil {
		return nil, err
	}
	p.describes(spend.TxID())
	return p, nil
}

var errNotActive = errors.New("wallet is not active")
