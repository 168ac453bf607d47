package group

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
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
	signs Signs
	spend *LazySpend
}

// LazySpend computes a Spend once, when it is first asked for: thousands of
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
func (p *Proposal) Signs() Signs { return p.signs }

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
			script, err := d.PkScript(wallet.BranchChange, *x.Change)
			if err != nil {
				return nil, fmt.Errorf("derive change: %w", err)
			}
			out[i].PkScript = script
		}
	}
	s, err := wallet.NewSpend(d, in, out, b.LockTime)
	if err != nil {
		return nil, fmt.Errorf("derive transaction: %w", err)
	}
	return s, nil
}

var errNotActive = errors.New("wallet is not active")

// Replaces says whether p declares to replace q's transaction.
func (p *Proposal) Replaces(q *Proposal) bool {
	for _, t := range p.Body.Replaces {
		if t == q.TxID {
			return true
		}
	}
	return false
}

func SortProposals(ps []*Proposal) {
	sortBy(ps, func(a, b *Proposal) int { return bytes.Compare(a.Ref.ID[:], b.Ref.ID[:]) })
}

func sortBy(ps []*Proposal, less func(a, b *Proposal) int) { slices.SortFunc(ps, less) }

// Expired compares with this node's clock or the median time of the chain
// (BIP113), whichever is later.
func Expired(p *Proposal, v ledger.View, now time.Time) bool {
	return p.Body.Expires != 0 && max(now.Unix(), v.Tip().MedianTime) >= p.Body.Expires
}

// Belies says whether a proposal states of an input what this view knows to be
// otherwise: then no signature on it is valid in the chain.
func Belies(v ledger.View, p *Proposal) bool {
	for _, i := range p.Body.Inputs {
		if o, ok := v.Out(i.OutPoint()); ok && (o.Amount != i.Amount || o.Branch != i.Branch || o.Index != i.Index) {
			return true
		}
	}
	return false
}

// FeeOf returns the fee of a proposal's transaction: by what its inputs hold in
// this view, where it knows them, else by what the proposal says they hold.
func FeeOf(v ledger.View, p *Proposal) int64 {
	fee := p.Fee()
	for _, i := range p.Body.Inputs {
		if o, ok := v.Out(i.OutPoint()); ok {
			fee += o.Amount - i.Amount
		}
	}
	return fee
}

// BuriedBy says whether a proposal can never be mined, by a rival so deep that
// no reorg is expected to revive it.
func BuriedBy(v ledger.View, q *Proposal) bool {
	for _, in := range q.Body.Inputs {
		for by := range v.Rivals(in.OutPoint()) {
			if by != q.TxID && v.Confirmations(by) >= ledger.BuriedDepth {
				return true
			}
		}
	}
	return false
}

// sigKey is where the signature of a key on an input is found, of what a
// proposal signs.
func sigKey(signs Signs, input, key uint32) bySignature {
	b := append(make([]byte, 0, 72), signs...)
	b = binary.BigEndian.AppendUint32(b, input)
	return bySignature(binary.BigEndian.AppendUint32(b, key))
}

// approvalKey is the same for all signatures of a key.
func approvalKey(signs Signs, key uint32) byKey {
	return byKey(binary.BigEndian.AppendUint32(append(make([]byte, 0, 68), signs...), key))
}

// endorserKey is the same for those on a transaction, whatever was stated.
func endorserKey(tx chainhash.Hash, key uint32) byEndorser {
	return byEndorser(binary.BigEndian.AppendUint32(append(make([]byte, 0, 36), tx[:]...), key))
}

// voteKey puts the votes of an author on a proposal in order, the latest first:
// by incarnation and seq, downwards.
func voteKey(proposal journal.EntryID, r Ref) byVote {
	return byVote(mapkey.Of2(proposal, r.Chain.Author)) + byVote([]byte{^r.Chain.Incarnation}) +
		byVote(mapkey.Number(^r.Seq)) + byVote(r.ID[:])
}

func timeKey(r Ref) byTime {
	return byTime(mapkey.Number(^uint64(r.Time))) + byTime(r.ID[:])
}

// placeKey puts entries in order of chain and seq.
func placeKey(r Ref) mapkey.ByPlace { return mapkey.Place(r.Chain, r.Seq, r.ID) }

func statedKey(k uint32) byStated { return byStated(binary.BigEndian.AppendUint32(nil, k)) }

func leaseKey(index uint32, c journal.ChainKey) byLease {
	return leasesOf(index) + byLease(mapkey.Chain(c))
}

func leasesOf(index uint32) byLease {
	return byLease(binary.BigEndian.AppendUint32(make([]byte, 0, 4), index))
}

func signerKey(o wire.OutPoint, signer uint32) bySigner {
	return bySigner(mapkey.Coin(o)) + bySigner(binary.BigEndian.AppendUint32(nil, signer))
}

func changeKey(index uint32) byChange {
	return byChange(binary.BigEndian.AppendUint32(nil, index))
}

func (s proposalFacts) touch(p journal.EntryID, by journal.Author) proposalFacts {
	s.touched = s.touched.and(Touch{p, by})
	return s
}

// Touch says that an entry of an author concerns a proposal.
type Touch struct {
	Proposal journal.EntryID
	By       journal.Author
}

// Touched lists the proposals that changed since the last call of TakeTouched.
func (s proposalFacts) Touched() []Touch { return s.touched.all() }

// Proposal returns a proposal by id.
func (s proposalFacts) Proposal(id journal.EntryID) (*Proposal, bool) {
	return s.proposals.Get(mapkey.Of(id))
}

// AllProposals yields every proposal held, by entry id, whether it has effect or not.
func (s proposalFacts) AllProposals(yield func(*Proposal) bool) {
	for _, p := range s.proposals.All() {
		if !yield(p) {
			return
		}
	}
}

// ProposalsFrom yields the proposals whose id in bytes starts with a prefix, by id.
func (s proposalFacts) ProposalsFrom(prefix mapkey.ByEntry) iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for _, p := range pmap.Prefix(s.proposals, prefix) {
			if !yield(p) {
				return
			}
		}
	}
}

// SignatureHeld says whether a signature on a proposal's input by a key is held.
func (s proposalFacts) SignatureHeld(p *Proposal, input, key uint32) bool {
	_, held := s.sigs.Get(sigKey(p.signs, input, key))
	return held
}

// FirstApproval returns who brought the first signature of a key on what a
// proposal signs.
func (s proposalFacts) FirstApproval(p *Proposal, key uint32) (Approval, bool) {
	return s.approvals.Get(approvalKey(p.signs, key))
}

// Idle says whether nothing waits for its turn to be judged.
func (s proposalFacts) Idle() bool { return s.backlog.turns.Len() == 0 }

// stated yields where a carrier waits in backlog.stating, for each key that it
// states a signature of.
func (c carrierFact) stated() func(yield func(byStated) bool) {
	return func(yield func(byStated) bool) {
		var seen uint32
		at := byStated(mapkey.Of3(c.Ref.Chain.Author, c.Proposal, c.Ref.ID))
		for _, x := range c.Signatures {
			if x.Key >= event.MaxCosigners || seen>>x.Key&1 == 1 {
				continue
			}
			seen |= 1 << x.Key
			if !yield(statedKey(x.Key) + at) {
				return
			}
		}
	}
}
