package group

import (
	"crypto/sha256"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Alive says whether a proposal has effect: it is sound, and its entry is not
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

// SignedInputs returns on how many inputs a key has a valid signature.
func (s proposalFacts) SignedInputs(p *Proposal, key int) int {
	n, _ := s.props.signed.Get(approvalKey(p.signs, uint32(key)))
	return n
}

// Signed says whether a key has a valid signature on every input.
func (s proposalFacts) Signed(p *Proposal, key int) bool {
	return p.Sound && s.SignedInputs(p, key) == len(p.Body.Inputs)
}

// Final says whether the keys that each have a valid signature on every input
// can satisfy the transaction.
func (s proposalFacts) Final(p *Proposal) bool {
	return s.active != nil && p.Sound && s.progress(p).Final()
}

// progress returns how far the signing of a sound proposal is, once the wallet
// is active.
func (s proposalFacts) progress(p *Proposal) wallet.Progress {
	return s.active.Descriptor.Progress(len(p.Body.Inputs), func(key int) int { return s.SignedInputs(p, key) })
}

// Signatures returns the verified signatures on a proposal's transaction as it
// states it, by input and key.
func (s proposalFacts) Signatures(p *Proposal) []wallet.Signature {
	var out []wallet.Signature
	if !p.Sound {
		return nil
	}
	for k, b := range pmap.Prefix(s.sigs, bySignature(p.signs)) {
		out = append(out, wallet.Signature{
			Input: mapkey.Uint32(k[64:68]), Key: mapkey.Uint32(k[68:72]), Bytes: b,
		})
	}
	return out
}

// FinalTx builds the final transaction and runs every input through the script
// engine; the caller must not change it. It returns wallet.ErrMissingSignatures before the threshold is met.
func (s proposalFacts) FinalTx(p *Proposal) (*wire.MsgTx, error) {
	spend, err := p.Spend(s.active)
	if err != nil {
		return nil, err
	}
	sigs := s.Signatures(p)
	h := sha256.New()
	for _, x := range sigs {
		h.Write([]byte(sigKey(p.signs, x.Input, x.Key)))
		h.Write(x.Bytes)
	}
	from := [32]byte(h.Sum(nil))
	if built := p.spend.final.Load(); built != nil && built.from == from {
		return built.tx, nil
	}
	tx, err := spend.Finalize(sigs, s.self.Verified)
	if err != nil {
		return nil, err
	}
	p.spend.final.Store(&builtTx{from, tx})
	return tx, nil
}

// factStated says whether an untainted entry states a fact of which each chain's
// first statement is kept.
func factStated[K ~string](s proposalFacts, m pmap.Map[K, Ref], fact K) bool {
	for _, r := range pmap.Prefix(m, fact) {
		if !s.tainted(r) {
			return true
		}
	}
	return false
}

// SignedCoin returns the transactions that spend a coin and carry a verified
// signature by this node's key, or that of a cosigner it hosts, whatever became
// of their proposals.
func (s proposalFacts) SignedCoin(o wire.OutPoint) []chainhash.Hash {
	if s.active == nil {
		return nil
	}
	me, ok := s.active.KeyOf(s.Me())
	if !ok {
		return nil
	}
	var out []chainhash.Hash
	for k, m := range s.active.Members {
		if k != me && !s.HostsMember(m) {
			continue
		}
		by := signerKey(o, uint32(k))
		for tx := range pmap.Prefix(s.props.bySigner, by) {
			if id := chainhash.Hash([]byte(tx[len(by):])); !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// SignedCoins returns transactions that spend a coin of p and carry a verified signature
// by a key, so many at most, by coin and txid.
func (s proposalFacts) SignedCoins(p *Proposal, key, most int) (out []chainhash.Hash) {
	seen := map[chainhash.Hash]bool{}
	for _, in := range p.Body.Inputs {
		by := signerKey(in.OutPoint(), uint32(key))
		for k := range pmap.Prefix(s.props.bySigner, by) {
			if len(out) == most {
				return out
			}
			if tx := chainhash.Hash([]byte(k[len(by):])); !seen[tx] {
				seen[tx], out = true, append(out, tx)
			}
		}
	}
	return out
}

// Released says whether any signature on a transaction is known to be out,
// whatever its inputs were stated to be.
func (s proposalFacts) Released(tx chainhash.Hash) bool {
	for range pmap.Prefix(s.sigs, bySignature(mapkey.Of(tx))) {
		return true
	}
	return false
}

// mayOwn says whether an entry is of a key's owner, or of one that is no
// roster's: it took some member's place.
func (s proposalFacts) mayOwn(r Ref, owner journal.Author) bool {
	_, roster := s.active.original(r.Chain.Author)
	return r.Chain.Author == owner || !roster
}
