package coordinator

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// plain answers what the indexes of proposals answer, by a look at all entries.
type plain struct {
	s     group.State
	facts []plainFact
}

type plainFact struct {
	ref  group.Ref
	body event.Body
}

func (x *plain) read(s group.State, entries []*journal.Entry) {
	x.s, x.facts = s, nil
	for _, e := range entries {
		ep, ok := s.EpochHeld(e.Header().Epoch)
		if !ok || e.Header().Suite == 0 {
			continue
		}
		b, err := journal.Open(ep, e)
		if err != nil {
			continue
		}
		if ev, err := event.Decode(b); err == nil {
			x.facts = append(x.facts, plainFact{group.Ref{ID: e.ID(), Chain: e.Chain(), Seq: e.Position().Seq, Time: ev.Time}, ev.Body})
		}
	}
}

func (x *plain) sound() (out []*group.Proposal) {
	for p := range x.s.AllProposals {
		if p.Sound {
			out = append(out, p)
		}
	}
	return out
}

// brings yields, of each carrier, the signatures that verify.
func (x *plain) brings(yield func(plainFact, *group.Proposal, event.PartialSignature) bool) {
	for _, f := range x.facts {
		var of journal.EntryID
		var sigs []event.PartialSignature
		switch b := f.body.(type) {
		case *event.ProposalApproved:
			of, sigs = b.Proposal, b.Signatures
		case *event.SignatureCarried:
			of, sigs = b.Proposal, b.Signatures
		}
		p, ok := x.s.Proposal(of)
		if !ok || !p.Sound {
			continue
		}
		spend, err := p.Spend(x.s.Active())
		if err != nil {
			continue
		}
		for _, g := range sigs {
			if spend.Verify(wallet.Signature{Input: g.Input, Key: g.Key, Bytes: g.Bytes}, x.s.Self().Verified) == nil && !yield(f, p, g) {
				return
			}
		}
	}
}

func (x *plain) signed(p *group.Proposal, k int) int {
	in := map[uint32]bool{}
	for _, q := range x.brings2() {
		if signsTheSame(q.p, p) && int(q.sig.Key) == k {
			in[q.sig.Input] = true
		}
	}
	return len(in)
}

// signsTheSame says whether a signature on one proposal is one on another.
func signsTheSame(p, q *group.Proposal) bool {
	return p.TxID == q.TxID && slices.EqualFunc(p.Body.Inputs, q.Body.Inputs, func(a, b event.ProposalInput) bool {
		return a.Amount == b.Amount && a.Branch == b.Branch && a.Index == b.Index
	})
}

type plainVote struct {
	ref      group.Ref
	proposal journal.EntryID
	against  bool
	reason   string
}

type plainSig struct {
	f   plainFact
	p   *group.Proposal
	sig event.PartialSignature
}

func (x *plain) brings2() (out []plainSig) {
	x.brings(func(f plainFact, p *group.Proposal, g event.PartialSignature) bool {
		out = append(out, plainSig{f, p, g})
		return true
	})
	return out
}

func (x *plain) final(p *group.Proposal) bool {
	n := 0
	for k := range x.s.Active().Members {
		if x.signed(p, k) == len(p.Body.Inputs) {
			n++
		}
	}
	return n >= x.s.Genesis().Threshold
}

func (x *plain) alive(p *group.Proposal) bool {
	if !tainted(x.s, p.Ref) {
		return true
	}
	own, ok := x.s.Active().KeyOf(p.Author())
	for k := range x.s.Active().Members {
		if (!ok || k != own) && x.signed(p, k) > 0 {
			return true
		}
	}
	return false
}

func shares(p, q *group.Proposal) bool {
	return slices.ContainsFunc(p.Body.Inputs, func(a event.ProposalInput) bool {
		return slices.ContainsFunc(q.Body.Inputs, func(b event.ProposalInput) bool { return a.OutPoint() == b.OutPoint() })
	})
}

func (x *plain) replaced(p *group.Proposal) bool {
	for _, q := range x.sound() {
		if q.TxID != p.TxID && slices.Contains(q.Body.Replaces, p.TxID) &&
			(x.s.SameMember(q.Author(), p.Author()) && !tainted(x.s, q.Ref) || x.final(q) && x.alive(q) && shares(p, q)) {
			return true
		}
	}
	return false
}

func (x *plain) withdrawn(p *group.Proposal) bool {
	for _, f := range x.facts {
		if b, ok := f.body.(*event.ProposalWithdrawn); ok && b.Proposal == p.Ref.ID && !tainted(x.s, f.ref) && x.s.SameMember(f.ref.Chain.Author, p.Author()) {
			return true
		}
	}
	return false
}

func (x *plain) against(p *group.Proposal) map[int]string {
	out := map[int]string{}
	for k := range x.s.Active().Members {
		var last *plainVote
		for _, who := range x.s.Active().Identities(k) {
			first := true
			for _, f := range x.facts {
				var v plainVote
				switch b := f.body.(type) {
				case *event.ProposalRejected:
					v = plainVote{f.ref, b.Proposal, true, b.Reason}
				case *event.RejectionWithdrawn:
					v = plainVote{f.ref, b.Proposal, false, ""}
				}
				if v.proposal != p.Ref.ID || f.ref.Chain.Author != who || tainted(x.s, f.ref) {
					continue
				}
				if first || group.Later(v.ref, last.ref) {
					last, first = &v, false
				}
			}
		}
		if last != nil && last.against && x.signed(p, k) < len(p.Body.Inputs) {
			out[k] = last.reason
		}
	}
	return out
}

// rank orders proposals that as many keys endorse: those whose author's key signed
// what they state first, then by claimed time and id.
func (x *plain) rank(p, q *group.Proposal) int {
	own := func(p *group.Proposal) int {
		if k, ok := x.s.Active().KeyOf(p.Author()); ok && x.signed(p, k) > 0 {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(own(p), own(q)), cmp.Compare(p.Ref.Time, q.Ref.Time), bytes.Compare(p.Ref.ID[:], q.Ref.ID[:]))
}

// line is the key that an identity writes or wrote for, -1 for none, and its place there.
func (x *plain) line(who journal.Author) (line, place int) {
	k, ok := x.s.Active().KeyOf(who)
	if !ok {
		return -1, 0
	}
	ids := x.s.Active().Identities(k)
	if place = slices.Index(ids, who); place < 0 {
		place = len(ids)
	}
	return k, place
}

// deciding are those that decide, of proposals that state one fact: of the first of
// each chain that live, one of each line.
func (x *plain) deciding(all []*group.Proposal) []*group.Proposal {
	first := map[journal.ChainKey]*group.Proposal{}
	for _, p := range all {
		q := first[p.Ref.Chain]
		if q == nil || p.Ref.Seq < q.Ref.Seq || p.Ref.Seq == q.Ref.Seq && bytes.Compare(p.Ref.ID[:], q.Ref.ID[:]) < 0 {
			first[p.Ref.Chain] = p
		}
	}
	var living []*group.Proposal
	for _, p := range first {
		if x.alive(p) {
			living = append(living, p)
		}
	}
	slices.SortFunc(living, func(p, q *group.Proposal) int {
		if a, b := tainted(x.s, p.Ref), tainted(x.s, q.Ref); a != b {
			if b {
				return -1
			}
			return 1
		}
		_, a := x.line(p.Author())
		_, b := x.line(q.Author())
		return cmp.Or(cmp.Compare(a, b), p.Ref.Chain.Compare(q.Ref.Chain))
	})
	had := map[int]bool{}
	return slices.DeleteFunc(living, func(p *group.Proposal) bool {
		line, _ := x.line(p.Author())
		was := had[line]
		had[line] = true
		return was
	})
}

// lead is the proposal that stands for a transaction.
func (x *plain) lead(tx chainhash.Hash) *group.Proposal {
	type chain = journal.ChainKey
	of := slices.DeleteFunc(x.sound(), func(p *group.Proposal) bool { return p.TxID != tx })
	all := map[journal.EntryID]int{}
	for _, p := range x.deciding(of) {
		all[p.Ref.ID] = 0
	}
	for _, p := range of {
		if x.final(p) {
			same := slices.DeleteFunc(slices.Clone(of), func(q *group.Proposal) bool { return !signsTheSame(p, q) })
			for _, q := range x.deciding(same) {
				all[q.Ref.ID] += 0
			}
		}
	}
	for k := range x.s.Active().Members {
		by := map[chain]plainSig{}
		for _, g := range x.brings2() {
			c := g.f.ref.Chain
			if _, own := g.f.body.(*event.ProposalApproved); !own || g.p.TxID != tx || int(g.sig.Key) != k {
				continue
			}
			if o, ok := x.s.Active().KeyOf(c.Author); !ok || o != k {
				continue
			}
			old, ok := by[c]
			if !ok || g.f.ref.Seq < old.f.ref.Seq || g.f.ref.Seq == old.f.ref.Seq && bytes.Compare(g.p.Ref.ID[:], old.p.Ref.ID[:]) < 0 {
				by[c] = g
			}
		}
		var best *plainSig
		for _, g := range by {
			if tainted(x.s, g.f.ref) {
				continue
			}
			_, place := x.line(g.f.ref.Chain.Author)
			if best != nil {
				if _, old := x.line(best.f.ref.Chain.Author); cmp.Or(cmp.Compare(place, old), g.f.ref.Chain.Compare(best.f.ref.Chain)) > 0 {
					continue
				}
			}
			best = &g
		}
		if best != nil {
			all[best.p.Ref.ID]++
		}
	}
	var lead *group.Proposal
	for id, n := range all {
		p, _ := x.s.Proposal(id)
		if !x.alive(p) {
			continue
		}
		if lead == nil {
			lead = p
			continue
		}
		a, b := x.final(p), x.final(lead)
		if a && !b || a == b && (n > all[lead.Ref.ID] || n == all[lead.Ref.ID] && x.rank(p, lead) < 0) {
			lead = p
		}
	}
	return lead
}

// agrees compares the indexes with a look at all entries.
func (x *plain) agrees(rt *rapid.T) {
	s := x.s
	if s.Active() == nil {
		return
	}
	all := x.sound()
	for _, p := range all {
		for k := range s.Active().Members {
			if got, want := s.SignedInputs(p, k), x.signed(p, k); got != want {
				rt.Fatalf("key %d signed %d inputs of %v, not %d", k, want, p.Ref.ID, got)
			}
		}
		if s.Alive(p) != x.alive(p) || s.Final(p) != x.final(p) || s.Withdrawn(p) != x.withdrawn(p) || s.Replaced(p) != x.replaced(p) {
			rt.Fatalf("proposal %v: alive %v final %v withdrawn %v replaced %v, which is wrong", p.Ref.ID, s.Alive(p), s.Final(p), s.Withdrawn(p), s.Replaced(p))
		}
		if got, want := s.Against(p), x.against(p); len(got) != len(want) {
			rt.Fatalf("proposal %v: against %v, not %v", p.Ref.ID, want, got)
		}
		lead, _ := s.Lead(p.TxID)
		if want := x.lead(p.TxID); lead != want {
			rt.Fatalf("%v stands for %v, not %v", want, p.TxID, lead)
		}
		finals := map[chainhash.Hash]bool{}
		for _, q := range all {
			if lead := x.lead(q.TxID); q.TxID != p.TxID && shares(p, q) && lead != nil && x.final(lead) {
				finals[q.TxID] = true
			}
			declared := slices.ContainsFunc(all, func(c *group.Proposal) bool {
				return c.TxID == p.TxID && q.TxID != p.TxID && !tainted(s, c.Ref) && slices.Contains(c.Body.Replaces, q.TxID)
			})
			if s.Declares(p.TxID, q.TxID) != declared {
				rt.Fatalf("%v declares to replace %v: %v", p.TxID, q.TxID, declared)
			}
		}
		if n := len(s.Finals(p)); n != len(finals) {
			rt.Fatalf("%d final transactions compete with %v, not %d", len(finals), p.TxID, n)
		}
		for _, i := range p.Body.Inputs {
			x.agreesOn(rt, all, i.OutPoint())
		}
	}
	type signature struct {
		signs      group.Signs
		input, key uint32
	}
	of, clean := map[signature]*group.Proposal{}, map[signature]bool{}
	for _, g := range x.brings2() {
		k := signature{g.p.Signs(), g.sig.Input, g.sig.Key}
		of[k], clean[k] = g.p, clean[k] || !tainted(s, g.f.ref)
	}
	for k, want := range clean {
		if s.BroughtCleanly(of[k], k.input, k.key) != want {
			rt.Fatalf("a signature is brought by an untainted entry: %v", want)
		}
	}
	x.waiting(rt)
}

func (x *plain) agreesOn(rt *rapid.T, all []*group.Proposal, coin wire.OutPoint) {
	spend := 0
	signed := map[uint32]map[chainhash.Hash]bool{}
	for _, q := range all {
		if !slices.ContainsFunc(q.Body.Inputs, func(i event.ProposalInput) bool { return i.OutPoint() == coin }) {
			continue
		}
		if x.alive(q) {
			spend++
		}
		for k := range x.s.Active().Members {
			if x.signed(q, k) > 0 {
				if signed[uint32(k)] == nil {
					signed[uint32(k)] = map[chainhash.Hash]bool{}
				}
				signed[uint32(k)][q.TxID] = true
			}
		}
	}
	if n := len(x.s.Spenders(coin)); n != spend {
		rt.Fatalf("%d proposals spend %v, not %d", spend, coin, n)
	}
	me, ok := x.s.Active().KeyOf(x.s.Me())
	if !ok {
		return
	}
	want := map[chainhash.Hash]bool{}
	for k, m := range x.s.Active().Members {
		if k == me || x.s.HostsMember(m) {
			for tx := range signed[uint32(k)] {
				want[tx] = true
			}
		}
	}
	if n := len(x.s.SignedCoin(coin)); n != len(want) {
		rt.Fatalf("this node signed %d transactions on %v, not %d", len(want), coin, n)
	}
}

// waiting compares what waits, where nothing is due.
func (x *plain) waiting(rt *rapid.T) {
	carriers, proposals, stated := 0, 0, 0
	inert := map[journal.EntryID]bool{}
	for _, i := range x.s.Inert() {
		inert[i.Ref.ID] = true
	}
	for _, f := range x.facts {
		var of journal.EntryID
		var sigs []event.PartialSignature
		switch b := f.body.(type) {
		case *event.ProposalApproved:
			of, sigs = b.Proposal, b.Signatures
		case *event.SignatureCarried:
			of, sigs = b.Proposal, b.Signatures
		case *event.ProposalCreated:
			p, _ := x.s.Proposal(f.ref.ID)
			if !p.Sound && !inert[f.ref.ID] {
				proposals++
			}
			continue
		default:
			continue
		}
		if p, ok := x.s.Proposal(of); !ok || !p.Sound {
			carriers++
			keys := map[uint32]bool{}
			for _, x := range sigs {
				keys[x.Key] = true
			}
			stated += len(keys)
		}
	}
	b := x.s.Counts()
	if b["backlog.sigs"] != carriers || b["backlog.stating"] != stated || b["backlog.proposals"] != proposals || b["backlog.turns"]+b["backlog.queued"] != 0 {
		rt.Fatalf("%d carriers, of %d keys, and %d proposals wait, not %d, %d and %d; %d are due", carriers, stated, proposals, b["backlog.sigs"], b["backlog.stating"], b["backlog.proposals"], b["backlog.turns"])
	}
}
