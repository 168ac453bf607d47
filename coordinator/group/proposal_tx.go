package group

import (
	"bytes"
	"cmp"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
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

// AnyOf returns some sound proposal of a transaction, with effect or not: all
// have the same inputs and outputs.
func (s proposalFacts) AnyOf(tx chainhash.Hash) (*Proposal, bool) {
	for k := range mapkey.Under(s.props.byTx, tx) {
		return s.Proposal(mapkey.Entry(k))
	}
	return nil, false
}

// CopiesOf returns the living proposals of a transaction that decide about it,
// the one that stands for it first: those with all signatures, then by how many
// keys endorse them (see rank). Those that a member enters again later are left
// out unless an approval names them, or they are its first with all signatures: so
// there are few of them for each member.
func (s proposalFacts) CopiesOf(tx chainhash.Hash) []*Proposal { return s.CopiesFor(tx, &Inquiry{}) }

func (s proposalFacts) CopiesFor(tx chainhash.Hash, q *Inquiry) []*Proposal {
	names := map[journal.EntryID]int{}
	for k := range s.active.Members {
		if id, ok := s.endorsed(tx, k, q); ok {
			names[id]++
		}
	}
	for _, r := range byLine(s, s.props.firsts, byFirst(tx[:]), q) {
		names[r.ID] += 0
	}
	for signs := range mapkey.Under(s.props.full, tx) {
		for _, r := range byLine(s, s.props.stating, bySigned(signs), q) {
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
func (s proposalFacts) byFinal(p, q *Proposal) int {
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
func (s proposalFacts) rank(p, q *Proposal) int {
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
func (s proposalFacts) authorSigned(p *Proposal) bool {
	k, ok := s.active.KeyOf(p.Author())
	return ok && s.SignedInputs(p, k) > 0
}

// Lead returns the living proposal that stands for a transaction: the one that
// the signatures of most keys were given for. Who enters the transaction again
// later can bring no other's key along.
func (s proposalFacts) Lead(tx chainhash.Hash) (*Proposal, bool) { return s.leadFor(tx, &Inquiry{}) }

func (s proposalFacts) leadFor(tx chainhash.Hash, q *Inquiry) (*Proposal, bool) {
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
func (s proposalFacts) endorsed(tx chainhash.Hash, key int, q *Inquiry) (journal.EntryID, bool) {
	of := endorserKey(tx, uint32(key))
	for _, who := range s.active.Identities(key) {
		for k, e := range pmap.Prefix(s.props.endorsed, of+byEndorser(who[:])) {
			q.Asked++
			if !s.tainted(Ref{Chain: mapkey.ChainOf(k[len(of):]), Seq: e.Seq}) {
				return e.Proposal, true
			}
		}
	}
	return journal.EntryID{}, false
}

// Spenders returns the living proposals that spend a coin: of each author the
// first maxLooked.
func (s proposalFacts) Spenders(o wire.OutPoint) []*Proposal {
	var out []*Proposal
	fewOfEach(s.props.byCoin, byCoinPlace(mapkey.Coin(o)), func(id journal.EntryID) bool {
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
func (s proposalFacts) transactions(o wire.OutPoint) func(yield func(*Proposal) bool) {
	return func(yield func(*Proposal) bool) {
		for k := range pmap.Prefix(s.props.spending, mapkey.ByCoinTx(mapkey.Coin(o))) {
			if p, ok := s.Lead(chainhash.Hash([]byte(k[36:]))); ok && !yield(p) {
				return
			}
		}
	}
}

// Finals returns the other final transactions that spend a coin of p, each once.
func (s proposalFacts) Finals(p *Proposal) []*Proposal { return s.finalsFor(p, &Inquiry{}) }

func (s proposalFacts) finalsFor(p *Proposal, q *Inquiry) []*Proposal {
	var out []*Proposal
	seen := map[chainhash.Hash]bool{p.TxID: true}
	for _, i := range p.Body.Inputs {
		for k := range pmap.Prefix(s.props.final, mapkey.ByCoinTx(mapkey.Coin(i.OutPoint()))) {
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

// ConflictsOf returns the other transactions that spend a coin of p, final ones
// first, each by the proposal that stands for it, and maxShown at most.
func (s proposalFacts) ConflictsOf(p *Proposal) []*Proposal {
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

// Declares says whether an untainted proposal of a transaction declares that
// it replaces another.
func (s proposalFacts) Declares(tx, replaced chainhash.Hash) bool {
	return factStated(s, s.props.declared, byDeclared(mapkey.Of2(tx, replaced)))
}

// Replacements returns living proposals that declare to replace p: the first of
// each member.
func (s proposalFacts) Replacements(p *Proposal) []*Proposal {
	var out []*Proposal
	for _, r := range byLine(s, s.props.replacer, byReplaced(p.TxID[:]), &Inquiry{}) {
		if q, ok := s.Proposal(r.ID); ok && s.Alive(q) {
			out = append(out, q)
		}
	}
	SortProposals(out)
	return out
}

// TakesChange says whether a change index is taken by a proposal that passes,
// of the first of each author.
func (s proposalFacts) TakesChange(index uint32, taken func(*Proposal) bool) bool {
	found := false
	fewOfEach(s.props.byChange, changeKey(index), func(id journal.EntryID) bool {
		p, ok := s.Proposal(id)
		found = ok && s.Alive(p) && taken(p)
		return !found
	})
	return found
}

// FullySigned returns of how many keys the entries hold verified signatures on
// every input of a transaction, as this view knows what its inputs hold, and
// whether they satisfy it.
func (s proposalFacts) FullySigned(v ledger.View, tx chainhash.Hash) (most int, final bool) {
	count := func(p *Proposal) {
		of := s.progress(p)
		most, final = max(most, of.Completed()), final || of.Final()
	}
	for signs := range mapkey.Under(s.props.full, tx) {
		for _, r := range pmap.Prefix(s.props.stating, bySigned(signs)) {
			if p, _ := s.Proposal(r.ID); !Belies(v, p) {
				count(p)
			}
			break
		}
	}
	if s.active == nil || most > 0 {
		return most, final
	}
	for _, p := range s.CopiesOf(tx) {
		if !Belies(v, p) {
			count(p)
		}
	}
	return most, final
}

// Buried says of a proposed transaction what Guard.buried says of a signed one.
func (s proposalFacts) Buried(v ledger.View, tx chainhash.Hash) bool {
	q, ok := s.AnyOf(tx)
	return ok && BuriedBy(v, q)
}

// earliest keeps, of the entries of one chain that state a fact, the first.
func earliest[K ~string](m pmap.Map[K, Ref], fact K, r Ref) pmap.Map[K, Ref] {
	k := fact + K(mapkey.Chain(r.Chain))
	if old, ok := m.Get(k); ok && (old.Seq < r.Seq || old.Seq == r.Seq && string(old.ID[:]) <= string(r.ID[:])) {
		return m
	}
	return m.Set(k, r)
}

// index makes a sound proposal findable.
func (s proposalFacts) index(p *Proposal) proposalFacts {
	x, at := &s.props, placeKey(p.Ref)
	x.byTx = x.byTx.Set(mapkey.Of2(p.TxID, p.Ref.ID), struct{}{})
	x.byTime = x.byTime.Set(timeKey(p.Ref), struct{}{})
	x.firsts = earliest(x.firsts, byFirst(p.TxID[:]), p.Ref)
	x.stating = earliest(x.stating, bySigned(p.signs), p.Ref)
	for _, i := range p.Body.Inputs {
		coin := mapkey.Coin(i.OutPoint())
		x.byCoin = x.byCoin.Set(byCoinPlace(coin)+byCoinPlace(at), struct{}{})
		if k := mapkey.ByCoinTx(coin) + mapkey.ByCoinTx(p.TxID[:]); !mapkey.Has(x.spending, k) {
			x.spending = x.spending.Set(k, struct{}{})
		}
	}
	for _, o := range p.Body.Outputs {
		if o.Change != nil {
			x.byChange = x.byChange.Set(changeKey(*o.Change)+byChange(at), struct{}{})
		}
	}
	for _, t := range p.Body.Replaces {
		if t == p.TxID {
			continue
		}
		x.declared = earliest(x.declared, byDeclared(mapkey.Of2(p.TxID, t)), p.Ref)
		x.replacer = earliest(x.replacer, byReplaced(t[:]), p.Ref)
	}
	x.rests = x.rests.Set(at, p.Ref.ID)
	return s
}

// rest notes that an entry says something of a proposal.
func (s proposalFacts) rest(r Ref, proposal journal.EntryID) proposalFacts {
	s.props.rests = s.props.rests.Set(placeKey(r), proposal)
	return s
}

// credited notes that a key's signature on an input is held now, for the first
// time if it is new, brought by an entry.
func (s proposalFacts) credited(p *Proposal, input, signer uint32, c carrierFact, isNew bool) proposalFacts {
	x := &s.props
	k := byBringer(sigKey(p.signs, input, signer)) + byBringer(mapkey.Chain(c.Ref.Chain))
	if old, ok := x.brought.Get(k); !ok || c.Ref.Seq < old {
		x.brought = x.brought.Set(k, c.Ref.Seq)
	}
	if !c.Carried {
		e := endorsement{c.Ref.Seq, c.Proposal}
		k := endorserKey(p.TxID, signer) + byEndorser(mapkey.Chain(c.Ref.Chain))
		old, ok := x.endorsed.Get(k)
		if !ok || e.Seq < old.Seq || e.Seq == old.Seq && string(e.Proposal[:]) < string(old.Proposal[:]) {
			x.endorsed = x.endorsed.Set(k, e)
		}
	}
	if !isNew {
		return s
	}
	of := approvalKey(p.signs, signer)
	n, _ := x.signed.Get(of)
	x.signed = x.signed.Set(of, n+1)
	return s.signedNow(p, signer, n+1)
}

// signedNow notes that a key signed so many inputs of a proposal. That it signed
// the transaction at all holds whatever the inputs were stated to be.
func (s proposalFacts) signedNow(p *Proposal, signer uint32, inputs int) proposalFacts {
	x := &s.props
	if inputs == 1 {
		for _, i := range p.Body.Inputs {
			x.bySigner = x.bySigner.Set(signerKey(i.OutPoint(), signer)+bySigner(p.TxID[:]), struct{}{})
		}
	}
	if inputs == len(p.Body.Inputs) && s.Final(p) && !mapkey.Has(x.full, p.signs) {
		x.full = x.full.Set(p.signs, struct{}{})
		for _, i := range p.Body.Inputs {
			x.final = x.final.Set(mapkey.CoinTx(i.OutPoint(), p.TxID), struct{}{})
		}
	}
	return s
}

// fewOfEach looks at the first maxLooked proposals of each author in an index
// by prefix | chain | seq | proposal, until look says no.
func fewOfEach[K ~string](m pmap.Map[K, struct{}], prefix K, look func(journal.EntryID) bool) {
	for from, more := prefix, true; more; {
		n, who := 0, K("")
		more = false
		for k := range pmap.PrefixFrom(m, prefix, from) {
			a := k[len(prefix) : len(prefix)+32]
			if n > 0 && a != who || n == maxLooked {
				from, more = mapkey.After(prefix+who), true
				break
			}
			who = a
			if n++; !look(mapkey.Entry(k)) {
				return
			}
		}
	}
}
