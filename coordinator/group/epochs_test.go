package group

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
)

// bookOf writes down what the index of epochs says.
func bookOf(s State) string {
	var b strings.Builder
	ep, fits := s.Fitting()
	fmt.Fprintf(&b, "under %d %s %v\n", ep.Number, ep.ID(), fits)
	for k := range s.book.ranked.All() {
		fmt.Fprintf(&b, "ranked %x\n", k)
	}
	for _, who := range s.Members() {
		fmt.Fprintf(&b, "%s may rekey: %v\n", who, s.Active() != nil && s.MayRekey(who))
	}
	for k := range s.epochs.All() {
		fmt.Fprintf(&b, "epoch %x counted %v\n", k, s.counted(journal.EpochID([]byte(k))))
	}
	for k, n := range s.book.asked.All() {
		fmt.Fprintf(&b, "asked %x %d\n", k, n)
	}
	u := UnreadEntries{Most: 1000}
	s.CountUnreadSealed(&u)
	fmt.Fprintf(&b, "unread %d of %d, by its authors %v\n", u.N, s.book.waiting.Len(), slices.Equal(s.UnreadBy(), u.By))
	for k := range s.wants.missing.All() {
		fmt.Fprintf(&b, "missing %x\n", k)
	}
	for k, n := range s.faults.All() {
		if n > 0 {
			fmt.Fprintf(&b, "fault %x %d\n", k, n)
		}
	}
	return b.String()
}

// plainBook says the same by the definition alone, going through everything.
func plainBook(s State) string {
	var b strings.Builder
	obeyed, counted, rekeys := map[epochNode]bool{}, map[journal.EpochID]bool{}, map[journal.Author]bool{}
	var nodes []epochNode
	members := s.Members()
	if s.Active() != nil {
		for _, who := range members {
			n, bad := 0, map[journal.EpochID]bool{}
			for _, f := range plainRekeys(s, who, members) {
				if n++; n > MaxStanzas {
					break
				}
				x := epochNode{f.Epoch, f.Number, f.Parent}
				counted[f.Epoch] = true
				if !s.tainted(f.Ref) {
					nodes = append(nodes, x)
					obeyed[x] = obeyed[x] || len(bad) < MaxSpoiled
				}
				if plainSpoiled(s, f.Epoch, who, members) {
					bad[f.Epoch] = true
				}
			}
			rekeys[who] = n < MaxStanzas && len(bad) < MaxSpoiled
		}
	}
	follows := map[epochNode]bool{}
	for again := true; again; {
		again = false
		for _, x := range nodes {
			ok := x.Number == 1 && x.Parent == s.zero
			for y := range follows {
				ok = ok || y.ID == x.Parent && y.Number+1 == x.Number
			}
			again = again || ok && !follows[x]
			if ok {
				follows[x] = true
			}
		}
	}
	var ranked []byNumber
	var under journal.Epoch
	fits := false
	for x := range follows {
		e, held := s.epochs.Get(mapkey.Of(x.ID))
		if !obeyed[x] || !held || e.Number != x.Number || e.Parent != x.Parent {
			continue
		}
		ranked = append(ranked, x.rank())
		better := e.Number > under.Number
		if id, old := x.ID, under.ID(); e.Number == under.Number {
			better = slices.Compare(id[:], old[:]) < 0
		}
		if !fits || better {
			under, fits = e, true
		}
	}
	slices.Sort(ranked)
	fmt.Fprintf(&b, "under %d %s %v\n", under.Number, under.ID(), fits)
	for _, k := range ranked {
		fmt.Fprintf(&b, "ranked %x\n", k)
	}
	for _, who := range members {
		fmt.Fprintf(&b, "%s may rekey: %v\n", who, rekeys[who])
	}
	for k := range s.epochs.All() {
		fmt.Fprintf(&b, "epoch %x counted %v\n", k, counted[journal.EpochID([]byte(k))])
	}
	asked := map[mapkey.By2[journal.Author, journal.Author]]int{}
	for u := range s.book.users.All() {
		for f := range s.failures.All() {
			if f[:32] == u[:32] {
				asked[mapkey.Of2(u.Second(), f.Second())]++
			}
		}
	}
	for _, k := range sortedKeys(asked) {
		fmt.Fprintf(&b, "asked %x %d\n", k, asked[k])
	}
	unread := 0
	for _, e := range s.sealed.All() {
		if !s.tainted(Ref{Chain: e.Chain(), Seq: e.Header().Seq}) || s.SameMember(e.Header().Author, s.Me()) {
			unread++
		}
	}
	fmt.Fprintf(&b, "unread %d of %d, by its authors true\n", unread, s.sealed.Len())
	missing := map[mapkey.By2[journal.Author, journal.EntryID]]int{}
	miss := func(by journal.Author, id journal.EntryID) {
		if !s.Chains().Has(id) {
			missing[mapkey.Of2(by, id)]++
		}
	}
	for k := range s.named.All() {
		miss(k.Second(), k.First())
	}
	for _, c := range s.carriers.All() {
		miss(c.Ref.Chain.Author, c.Proposal)
	}
	for _, k := range sortedKeys(missing) {
		fmt.Fprintf(&b, "missing %x\n", k)
	}
	faults := map[byRule]int{}
	for _, i := range s.inert.All() {
		faults[byRule(mapkey.Of(i.Ref.Chain.Author))+byRule(i.Rule)]++
	}
	for _, r := range s.unknown.All() {
		faults[byRule(mapkey.Of(r.Chain.Author))+faultNewer]++
	}
	for _, k := range sortedKeys(faults) {
		fmt.Fprintf(&b, "fault %x %d\n", k, faults[k])
	}
	return b.String()
}

func sortedKeys[K ~string](m map[K]int) []K {
	var out []K
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// plainRekeys are an author's rekeys to exactly the members, in its order.
func plainRekeys(s State, who journal.Author, members []journal.Author) []rekeyFact {
	var out []rekeyFact
	for _, f := range s.rekeys.All() {
		same := f.Ref.Chain.Author == who
		for _, m := range members {
			same = same && slices.Contains(f.To, m)
		}
		for _, to := range f.To {
			same = same && slices.Contains(members, to)
		}
		if same {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b rekeyFact) int { return strings.Compare(string(placeOf(a.Ref)), string(placeOf(b.Ref))) })
	return out
}

func plainSpoiled(s State, epoch journal.EpochID, by journal.Author, members []journal.Author) bool {
	failed := 0
	for _, f := range s.failures.All() {
		who := f.Ref.Chain.Author
		if f.Epoch != epoch || who == by || !slices.Contains(members, who) {
			continue
		}
		failed++
		for _, r := range s.rekeys.All() {
			third := r.Ref.Chain.Author
			if r.Epoch == epoch && slices.Contains(r.To, who) && third != by && third != who && slices.Contains(members, third) {
				return true
			}
		}
	}
	return failed > 0 && failed == len(members)-1
}

// The index says what the definition says, after each entry, in any order, with
// forks, cuts, replaced members, epochs spoiled, failed, and sealed again late;
// and a snapshot gives it back.
func TestTheIndexOfEpochsIsTheDefinition(t *testing.T) {
	slow(t)
	g, base := nodesOf(t, 2, 3)
	rapid.Check(t, func(rt *rapid.T) {
		var members []*node
		for _, p := range base {
			members = append(members, p.clone())
		}
		set := map[journal.EntryID]*journal.Entry{}
		old := members[2].st
		device := members[2].as(20)
		all := append(slices.Clone(members), device)
		first, _ := members[0].st.Epoch()
		known := []journal.Epoch{first}
		ids := []journal.EntryID{{1}}
		who := func(what string) *node { return rapid.SampledFrom(all).Draw(rt, what) }
		some := func(what string) []*node {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 3, func(p *node) string { return p.name }).Draw(rt, what)
		}
		for range rapid.IntRange(1, 18).Draw(rt, "actions") {
			p := who("who")
			before, incarnation := p.st, p.incarnation
			if _, err := p.next(); err != nil {
				continue
			}
			act := func() {
				ep := rapid.SampledFrom(known).Draw(rt, "epoch")
				switch rapid.IntRange(0, 9).Draw(rt, "act") {
				case 0, 1, 2:
					to := members
					if rapid.IntRange(0, 2).Draw(rt, "other set") == 0 {
						to = some("to")
					}
					for range rapid.SampledFrom([]int{1, 1, 4}).Draw(rt, "epochs") {
						if ep = p.epochAfter(ep); rapid.IntRange(0, 5).Draw(rt, "jump") == 0 {
							ep.Number++
						}
						if len(to) > 0 {
							p.rekey(ep, to, some("spoiled"))
							known = append(known, ep)
						}
					}
				case 3:
					for range 3 {
						_, _ = p.write(&event.StanzaFailed{Epoch: rapid.SampledFrom(known).Draw(rt, "failed").ID()})
					}
				case 4, 5:
					for range 3 {
						p.rekey(rapid.SampledFrom(known).Draw(rt, "again"), []*node{who("to")}, nil)
					}
				case 6:
					e := p.under(ep, rapid.SampledFrom([]event.Body{&event.AddressLeased{Index: 3}, payment(), &event.EntriesNamed{Entries: []journal.EntryID{{7}, ids[0]}}}).Draw(rt, "body"))
					ids = append(ids, e.ID())
				case 7:
					_, _ = p.write(&event.ProposalApproved{Proposal: rapid.SampledFrom(ids).Draw(rt, "proposal"), Signatures: []event.PartialSignature{{Bytes: make([]byte, 70)}}})
				case 8:
					members[2].restored(old)
				case 9:
					_, _ = p.write(device.replacing(members[2], rapid.IntRange(0, 9).Draw(rt, "cut")))
				}
			}
			act()
			if rapid.IntRange(0, 4).Draw(rt, "fork") == 0 {
				p.st, p.incarnation = before, incarnation
				act()
			}
		}
		for _, p := range all {
			for id, e := range p.held {
				set[id] = e
			}
		}
		var entries []*journal.Entry
		for _, e := range set {
			entries = append(entries, e)
		}
		slices.SortFunc(entries, func(a, b *journal.Entry) int {
			return strings.Compare(string(waitingKey(a)), string(waitingKey(b)))
		})
		observer := members[rapid.IntRange(0, 2).Draw(rt, "observer")]
		var ends []string
		for range 2 {
			st, err := NewState(observer.self, g.genesis, g.zero.Secret, observer.st.Pinned())
			if err != nil {
				rt.Fatal(err)
			}
			for order := rapid.Permutation(entries).Draw(rt, "order"); len(order) > 0; {
				var later []*journal.Entry
				for _, e := range order {
					next, _, err := st.Add(e, true)
					if err != nil {
						later = append(later, e)
						continue
					}
					st = next.activate().Derived().Work(1 << 62)
					if got, want := bookOf(st), plainBook(st); got != want {
						rt.Fatalf("the index differs from the definition:\n%s", diff(want, got))
					}
				}
				if len(later) == len(order) {
					rt.Fatalf("%d entries never link", len(later))
				}
				order = later
			}
			if st.Active() == nil {
				rt.Fatal("not active")
			}
			st = st.Work(1 << 62).Derived() // what is due does not hang on the order
			if got, want := bookOf(throughSnapshot(rt, g, st)), bookOf(st); got != want {
				rt.Fatalf("the snapshot holds another index:\n%s", diff(want, got))
			}
			ends = append(ends, bookOf(st))
		}
		if ends[0] != ends[1] {
			rt.Fatalf("another order gave another index:\n%s", diff(ends[0], ends[1]))
		}
	})
}

// payment is a proposal of some coin of the wallet's.
func payment() *event.ProposalCreated {
	script := make([]byte, 22)
	script[1], script[21] = 20, 1
	return &event.ProposalCreated{
		Inputs:  []event.ProposalInput{{TxID: chainhash.Hash{1}, Amount: 500_000}},
		Outputs: []event.ProposalOutput{{PkScript: script, Amount: 499_000}},
	}
}

// What counts is decided by the set of entries: the first rekeys in the order
// of the author's chain, in whatever order they come.
func TestTheFirstRekeysCountWhateverComesFirst(t *testing.T) {
	_, nodes := nodesOf(t, 2, 3)
	a, b, evil := nodes[0].st, nodes[1].st, nodes[2]
	last, _ := evil.st.Epoch()
	var es []*journal.Entry
	for range MaxStanzas + 30 {
		last = evil.epochAfter(last)
		es = append(es, evil.rekey(last, nodes, nil))
	}
	for _, e := range es {
		a = a.fold(e).Derived()
	}
	for _, e := range slices.Backward(es) {
		b = b.fold(e).Derived()
	}
	for name, st := range map[string]State{"forwards": a, "backwards": b} {
		if got, _ := st.Epoch(); got.ID() != es[MaxStanzas-1].Header().Epoch {
			t.Errorf("%s: epoch %d is written under", name, got.Number)
		}
		if st.MayRekey(evil.id()) {
			t.Errorf("%s: its next one would count", name)
		}
	}
}
