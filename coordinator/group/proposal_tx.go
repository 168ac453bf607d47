package group

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"github.com/quorate/quorate/coordinator/mapkey"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

// A member may enter one transaction any number of times, with any note,
// expiry and declaration, and any number of transactions that spend one coin.
// So what concerns a transaction is worked out of the first entry of each member
// (see byLine), and of those that approvals name; and of the transactions that
// spend a coin only those with all signatures matter for what is done, which fewer
// than k members cannot make.

// Bounds of what a reader looks at, of what one author may make any number of.
const (
	maxLooked = 256 // proposals of one author that spend one coin, its first
	maxShown  = 100 // conflicts that are listed
)

// anyOf returns some sound proposal of a transaction, with effect or not: all
// have the same inputs and outputs.
func (s State) AnyOf(tx chainhash.Hash) (*Proposal, bool) {
	for k := range pmap.Prefix(s.props.byTx, mapkey.Of(tx)) {
		return s.Proposal(mapkey.Entry(k))
	}
	return nil, false
}

// copiesOf returns the living proposals of a transaction that decide about it,
// the one that stands for it first: those with all signatures, then by how many
// keys endorse them (see rank). Those that a member enters again later are left
// out unless an approval names them, or they are its first with all signatures: so
// there are few of them for each member.
func (s State) CopiesOf(tx chainhash.Hash) []*Proposal { return s.CopiesFor(tx, &Inquiry{}) }

func (s State) CopiesFor(tx chainhash.Hash, q *Inquiry) []*Proposal {
	names := map[journal.EntryID]int{}
	for k := range s.active.Members {
		if id, ok := s.endorsed(tx, k, q); ok {
			names[id]++
		}
	}
	for _, r := range s.byLine(s.props.firsts, mapkey.Of(tx), q) {
		names[r.ID] += 0
	}
	for signs := range pmap.Prefix(s.props.full, mapkey.Of(tx)) {
		for _, r := range s.byLine(s.props.stating, signs, q) {
			names[r.ID] += 0
		}
	}
	q.Asked += len(names)
	var out []*Proposal
	for id := range names {
		if p, ok := s.Proposal(id); ok && s.Alive(p) {
			out = append(out, p)
		}
	}
	sortBy(out, func(p, q *Proposal) int {
		return cmp.Or(s.byFinal(p, q), cmp.Compare(names[q.Ref.ID], names[p.Ref.ID]), s.rank(p, q))
	})
	return out
}

// byFinal puts a proposal with all signatures before one without: of those that
// state other amounts, only what their coins hold gets the signatures of k keys.
func (s State) byFinal(p, q *Proposal) int {
	a, b := mapkey.Has(s.props.full, p.signs), mapkey.Has(s.props.full, q.signs)
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// rank puts proposals of one transaction that as many keys endorse in order: one
// whose author's key signed the transaction first, then by claimed time and id.
func (s State) rank(p, q *Proposal) int {
	if a, b := s.authorSigned(p), s.authorSigned(q); a != b {
		if a {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(p.Ref.Time, q.Ref.Time), bytes.Compare(p.Ref.ID[:], q.Ref.ID[:]))
}

// authorSigned says whether the key of a proposal's author signed its
// transaction as the proposal states it.
func (s State) authorSigned(p *Proposal) bool {
	k, ok := s.active.KeyOf(p.Author())
	return ok && s.SignedInputs(p, k) > 0
}

// lead returns the living proposal that stands for a transaction: the one that
// the signatures of most keys were given for. Who enters the transaction again
// later can bring no other's key along.
func (s State) Lead(tx chainhash.Hash) (*Proposal, bool) { return s.leadFor(tx, &Inquiry{}) }

func (s State) leadFor(tx chainhash.Hash, q *Inquiry) (*Proposal, bool) {
	if s.active == nil {
		return nil, false
	}
	if all := s.CopiesFor(tx, q); len(all) > 0 {
		return all[0], true
	}
	return nil, false
}

// endorsed returns the proposal that a key's owner gave its signatures on a
// transaction for: the one that the first untainted approval of its identities
// names. Others may repeat its signatures; theirs are not looked at.
func (s State) endorsed(tx chainhash.Hash, key int, q *Inquiry) (journal.EntryID, bool) {
	of := approvalKey(string(tx[:]), uint32(key))
	for _, who := range s.active.Identities(key) {
		for k, e := range pmap.Prefix(s.props.endorsed, of+string(who[:])) {
			q.Asked++
			if !s.tainted(Ref{Chain: mapkey.ChainOf(k[len(of):]), Seq: e.Seq}) {
				return e.Proposal, true
			}
		}
	}
	return journal.EntryID{}, false
}

// spenders returns the living proposals that spend a coin: of each author the
// first maxLooked.
func (s State) Spenders(o wire.OutPoint) []*Proposal {
	var out []*Proposal
	fewOfEach(s.props.byCoin, mapkey.Coin(o), func(id journal.EntryID) bool {
		if p, ok := s.Proposal(id); ok && s.Alive(p) {
			out = append(out, p)
		}
		return true
	})
	SortProposals(out)
	return out
}

// transactions yields the transactions that spend a coin, and the proposal that
// stands for each, by txid.
func (s State) transactions(o wire.OutPoint) func(yield func(*Proposal) bool) {
	return func(yield func(*Proposal) bool) {
		for k := range pmap.Prefix(s.props.spending, mapkey.Coin(o)) {
			if p, ok := s.Lead(chainhash.Hash([]byte(k[36:]))); ok && !yield(p) {
				return
			}
		}
	}
}

// finals returns the other final transactions that spend a coin of p, each once.
func (s State) Finals(p *Proposal) []*Proposal { return s.finalsFor(p, &Inquiry{}) }

func (s State) finalsFor(p *Proposal, q *Inquiry) []*Proposal {
	var out []*Proposal
	seen := map[chainhash.Hash]bool{p.TxID: true}
	for _, i := range p.Body.Inputs {
		for k := range pmap.Prefix(s.props.final, mapkey.Coin(i.OutPoint())) {
			tx := chainhash.Hash([]byte(k[36:]))
			if seen[tx] {
				continue
			}
			seen[tx] = true
			if rival, ok := s.leadFor(tx, q); ok && s.Final(rival) {
				out = append(out, rival)
			}
		}
	}
	return out
}

// conflicts returns the other transactions that spend a coin of p, final ones
// first, each by the proposal that stands for it, and maxShown at most.
func (s State) ConflictsOf(p *Proposal) []*Proposal {
	out := s.Finals(p)
	SortProposals(out)
	seen := map[chainhash.Hash]bool{p.TxID: true}
	for _, q := range out {
		seen[q.TxID] = true
	}
	out = out[:min(len(out), maxShown)]
	for _, i := range p.Body.Inputs {
		for q := range s.transactions(i.OutPoint()) {
			if len(out) == maxShown {
				return out
			}
			if !seen[q.TxID] {
				seen[q.TxID] = true
				out = append(out, q)
			}
		}
	}
	return out
}

// declares says whether an untainted proposal of a transaction declares that
// it replaces another.
func (s State) declares(tx, replaced chainhash.Hash) bool {
	return s.stated(s.props.declared, mapkey.Of2(tx, replaced))
}

// Declares says whether an untainted proposal of a transaction declares that it
// replaces another.
func (s State) Declares(tx, replaced chainhash.Hash) bool { return s.declares(tx, replaced) }

// replacements returns living proposals that declare to replace p: the first of
// each member.
func (s State) Replacements(p *Proposal) []*Proposal {
	var out []*Proposal
	for _, r := range s.byLine(s.props.replacer, mapkey.Of(p.TxID), &Inquiry{}) {
		if q, ok := s.Proposal(r.ID); ok && s.Alive(q) {
			out = append(out, q)
		}
	}
	SortProposals(out)
	return out
}

// takesChange says whether a change index is taken by a proposal that passes,
// of the first of each author.
func (s State) TakesChange(index uint32, taken func(*Proposal) bool) bool {
	found := false
	fewOfEach(s.props.byChange, string(binary.BigEndian.AppendUint32(nil, index)), func(id journal.EntryID) bool {
		p, ok := s.Proposal(id)
		found = ok && s.Alive(p) && taken(p)
		return !found
	})
	return found
}
