package robot

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// An approval is a signature on every input, and an approval of one's own of this very entry.
func TestApproved(t *testing.T) {
	w := newWorld(t, 2, 4, 1)
	hosted := w.all[slices.IndexFunc(w.all, func(p *person) bool { return p.host != nil })]
	var own []*person
	for _, p := range w.all {
		if p.host == nil && p != hosted.host {
			own = append(own, p)
		}
	}
	a, b, host := own[0], own[1], hosted.host
	coins := w.funded(1000, 1000)
	out := []event.ProposalOutput{to(stranger(1), 1500)}
	p := w.propose(a, coins, out)
	again := w.propose(a, coins, out)
	if p.TxID != again.TxID {
		t.Fatal("the same transaction is another")
	}
	expect := func(what string, first, second policy.Keys) {
		t.Helper()
		if f := w.facts(p, anyPolicy()); f.Approved != first {
			t.Errorf("%s: %b approved the first entry, want %b", what, f.Approved, first)
		}
		if f := w.facts(again, anyPolicy()); f.Approved != second {
			t.Errorf("%s: %b approved the second entry, want %b", what, f.Approved, second)
		}
	}
	one := policy.KeysOf(policy.Key(b.key))
	expect("nobody signed", 0, 0)
	w.write(b, &event.ProposalApproved{Proposal: p.Ref.ID, Signatures: w.signatures(b, p, 1)})
	expect("one of two inputs", 0, 0)
	w.carry(a, b, again) // who repeats another's signatures names no entry for it
	expect("another brought it", one, 0)
	via, err := w.approval(b, p).Via(chainhash.Hash{1})
	if err != nil {
		t.Fatal(err)
	}
	w.write(b, &via)
	expect("by pre-approval", 0, 0)
	w.approve(b, again)
	expect("it was said of the second", 0, one)
	w.approve(b, p)
	expect("it was said of both", one, one)

	// Of the hosted one the entry counts to which its host carried it first.
	w.carry(a, hosted, p)
	expect("a stranger carried it", one, one)
	w.carry(host, hosted, again)
	both := one | policy.KeysOf(policy.Key(hosted.key))
	expect("its host carried it", one, both)
	w.carry(host, hosted, p)
	expect("its host carried it to another", one, both)
}

// The lock time is that of the transaction.
func TestLockTimeIsGathered(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	for _, lock := range []uint32{0, 7, 500_000_000} {
		p := w.held(w.write(w.all[0], &event.ProposalCreated{Inputs: w.funded(1000), Outputs: []event.ProposalOutput{to(stranger(1), 900)}, LockTime: lock}))
		if f := w.facts(p, anyPolicy()); f.LockTime != uint64(lock) {
			t.Errorf("lock time %d is %d", lock, f.LockTime)
		}
	}
}

// Whose host forked before it carried a signature approved nothing.
func TestApprovedByAForkedHost(t *testing.T) {
	w := newWorld(t, 2, 4, 1)
	hosted := w.all[slices.IndexFunc(w.all, func(p *person) bool { return p.host != nil })]
	author := w.all[slices.IndexFunc(w.all, func(p *person) bool { return p.host == nil && p != hosted.host })]
	p := w.propose(author, w.funded(1000), []event.ProposalOutput{to(stranger(1), 900)})
	w.forks(hosted.host, &event.ProposalRejected{Proposal: p.Ref.ID}, &event.RejectionWithdrawn{Proposal: p.Ref.ID})
	w.carry(hosted.host, hosted, p)
	if !w.st.Signed(p, hosted.key) {
		t.Fatal("the signature is not held")
	}
	if f := w.facts(p, anyPolicy()); f.Approved != 0 || f.Rejected != 0 {
		t.Errorf("%b approved it, %b are against it", f.Approved, f.Rejected)
	}
}

// Among more entries of one transaction than are looked at, somebody may be against it.
func TestTooManyCopies(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	coins, out := w.funded(1000), []event.ProposalOutput{to(stranger(1), 900)}
	p := w.propose(w.all[1], coins, out)
	for range maxCopies - 1 {
		w.propose(w.all[2], coins, out)
	}
	if f := w.facts(p, anyPolicy()); len(f.Refused) > 0 {
		t.Errorf("refused: %v", f.Refused)
	}
	w.propose(w.all[2], coins, out)
	if f := w.facts(p, anyPolicy()); !slices.Equal(f.Refused, []string{TooManyCopies}) {
		t.Errorf("refused: %v", f.Refused)
	}
}

// A rejection is of the transaction, whichever entry of it it names.
func TestRejected(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	a, b, c := w.all[0], w.all[1], w.all[2]
	coins, out := w.funded(1000), []event.ProposalOutput{to(stranger(1), 900)}
	p := w.propose(a, coins, out)
	q := w.propose(a, coins, out) // the second of its author: it decides nothing else
	other := w.propose(a, coins, []event.ProposalOutput{to(stranger(1), 800)})
	expect := func(what string, want ...*person) {
		t.Helper()
		var keys policy.Keys
		for _, x := range want {
			keys |= policy.KeysOf(policy.Key(x.key))
		}
		if f := w.facts(p, anyPolicy()); f.Rejected != keys {
			t.Errorf("%s: %b are against it, want %b", what, f.Rejected, keys)
		}
	}
	w.write(b, &event.ProposalRejected{Proposal: other.Ref.ID})
	expect("another transaction is rejected")
	w.write(b, &event.ProposalRejected{Proposal: q.Ref.ID})
	expect("another entry of it is", b)
	w.approve(b, q)
	expect("that one is approved", b)
	w.approve(b, p)
	expect("this one is")
	w.write(b, &event.ProposalRejected{Proposal: p.Ref.ID})
	expect("it was rejected after it was signed", b)
	w.write(b, &event.RejectionWithdrawn{Proposal: p.Ref.ID})
	expect("that is taken back")
	w.write(c, &event.ProposalRejected{Proposal: q.Ref.ID})
	w.write(c, &event.ProposalRejected{Proposal: p.Ref.ID})
	w.write(c, &event.RejectionWithdrawn{Proposal: p.Ref.ID})
	expect("one of two is taken back", c)
	w.write(c, &event.RejectionWithdrawn{Proposal: q.Ref.ID})
	expect("both are")
	via, err := w.approval(b, p).Via(chainhash.Hash{1})
	if err != nil {
		t.Fatal(err)
	}
	w.write(b, &event.ProposalRejected{Proposal: p.Ref.ID})
	w.write(b, &via)
	expect("a program approves after a person rejected", b)
}

// Who takes a member's place goes on with its votes, and approves anew.
func TestStandsOfASuccessor(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	a, old := w.all[1], w.all[2]
	p := w.propose(a, w.funded(1000), []event.ProposalOutput{to(stranger(1), 900)})
	w.approve(old, p)
	q := w.propose(a, w.funded(1000), []event.ProposalOutput{to(stranger(1), 900)})
	w.write(old, &event.ProposalRejected{Proposal: q.Ref.ID})
	d := newPerson(t, 99)
	d.account, d.key = old.account, old.key
	b := &event.MemberReplaced{
		Key: uint32(old.key), Old: old.id(), New: d.id(), Sealing: d.self.Sealing.Public(),
		Cuts: []event.ReplacedCut{{Incarnation: 1, Seq: old.next.Seq - 1}},
	}
	id := b.ID(w.st.Group())
	b.Proof, b.Consent = d.account.SignHash(id), d.self.Identity.Sign(event.ConsentTag, id[:])
	w.write(a, b)
	if m := w.st.Active().Members[old.key]; m.Identity != d.id() {
		t.Fatal("it did not take the place")
	}
	one := policy.KeysOf(policy.Key(old.key))
	if f := w.facts(p, anyPolicy()); f.Approved != 0 {
		t.Errorf("%b approved it, by a device that is no member", f.Approved)
	}
	w.approve(d, p)
	if f := w.facts(p, anyPolicy()); f.Approved != one {
		t.Errorf("%b approved it, want %b", f.Approved, one)
	}
	if f := w.facts(q, anyPolicy()); f.Rejected != one {
		t.Errorf("%b are against it, want %b", f.Rejected, one)
	}
	w.approve(d, q)
	if f := w.facts(q, anyPolicy()); f.Rejected != 0 || f.Approved != one {
		t.Errorf("%b are against it, %b approved it, want none and %b", f.Rejected, f.Approved, one)
	}
	w.write(d, &event.ProposalRejected{Proposal: q.Ref.ID})
	w.write(d, &event.RejectionWithdrawn{Proposal: q.Ref.ID})
	if f := w.facts(q, anyPolicy()); f.Rejected != 0 {
		t.Errorf("%b are against it", f.Rejected)
	}
	// The one before has no say any more.
	w.write(old, &event.ProposalRejected{Proposal: q.Ref.ID})
	w.approve(old, q)
	if f := w.facts(q, anyPolicy()); f.Rejected != 0 || f.Approved != one {
		t.Errorf("%b are against it, %b approved it, want none and %b", f.Rejected, f.Approved, one)
	}
	if f := w.facts(w.propose(old, w.funded(1000), []event.ProposalOutput{to(stranger(1), 900)}), anyPolicy()); !f.Tainted {
		t.Error("what a device proposes that was replaced has an initiator")
	}
}

// A tainted entry has no initiator, though others' signatures keep it alive.
func TestInitiator(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	a, b := w.all[1], w.all[2]
	coins := w.funded(1000)
	body := func(amount int64) *event.ProposalCreated {
		return &event.ProposalCreated{Inputs: coins, Outputs: []event.ProposalOutput{to(stranger(1), amount)}}
	}
	p := w.held(w.write(a, body(900)))
	if f := w.facts(p, anyPolicy()); f.Tainted || f.Initiator != policy.Key(a.key) {
		t.Errorf("%+v", f)
	}
	e, _ := w.forks(a, body(800), body(700))
	q := w.held(e)
	w.approve(b, q)
	if !w.st.Alive(q) {
		t.Fatal("a signature does not keep it alive")
	}
	if f := w.facts(q, anyPolicy()); !f.Tainted || f.Initiator != 0 {
		t.Errorf("a tainted entry has an initiator: %+v", f)
	}
	if f := w.facts(p, anyPolicy()); f.Tainted {
		t.Error("what lies before a fork is tainted")
	}
	// What a tainted entry says of an untainted one counts for nobody.
	w.approve(a, p)
	w.write(a, &event.ProposalRejected{Proposal: p.Ref.ID})
	if f := w.facts(p, anyPolicy()); f.Approved != 0 || f.Rejected != 0 {
		t.Errorf("%b approved it and %b are against it, past a fork", f.Approved, f.Rejected)
	}
}

func TestFigures(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	old := w.funded(50_000)
	w.mine()
	young := w.funded(60_000)
	w.mine()
	own, err := w.st.Active().Descriptor.PkScript(wallet.BranchExternal, 7)
	if err != nil {
		t.Fatal(err)
	}
	pol := anyPolicy()
	address := func(n byte) string {
		a, err := wallet.AddressOf(stranger(n), wallet.Regtest)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	pol.Recipients = []policy.Recipient{
		{Name: "acme", Addresses: []string{address(1), address(2)}},
		{Name: "both", Addresses: []string{address(2)}},
	}
	p := w.propose(w.all[1], append(old, young...), []event.ProposalOutput{
		to(stranger(1), 1000), to(stranger(2), 2000), to(stranger(9), 4000), to(stranger(1), 8000), to(own, 16_000), to(stranger(8), 500), change(3, 32_000),
	})
	f := w.facts(p, pol)
	want := []policy.Pay{
		{Amount: 4500, Outputs: 2}, {To: []uint64{0}, Amount: 9000, Outputs: 2}, {To: []uint64{0, 1}, Amount: 2000, Outputs: 1},
	}
	if !slices.EqualFunc(f.Pays, want, func(a, b policy.Pay) bool {
		return slices.Equal(a.To, b.To) && a.Amount == b.Amount && a.Outputs == b.Outputs
	}) {
		t.Errorf("pays %v, want %v", f.Pays, want)
	}
	spend, _ := p.Spend(w.st.Active())
	if f.In != 110_000 || f.Own != 48_000 || f.Fee != 46_500 || f.Inputs != 2 || f.Outputs != 7 || f.VSize != spend.VSize() || f.Script != "wsh" {
		t.Errorf("%+v", f)
	}
	if f.Confirmations != 2 || f.Age != 600 {
		t.Errorf("%d confirmations and %d seconds old, want 2 and 600", f.Confirmations, f.Age)
	}
	if len(f.Refused) > 0 || f.Kind != policy.Payment || f.Height != int64(w.view.Tip().Height) {
		t.Errorf("%+v", f)
	}
	tx, coins := w.deposit(1000)
	q := w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 900)})
	if f := w.facts(q, pol); f.Confirmations != 0 || f.Age != 0 || !slices.Equal(f.Refused, []string{Unknown}) {
		t.Errorf("a coin that is not known: %+v", f)
	}
	w.see(tx)
	if f := w.facts(q, pol); f.Confirmations != 0 || f.Age != 0 || len(f.Refused) > 0 {
		t.Errorf("a coin in no block: %+v", f)
	}
	coins[0].Amount = 5000
	q = w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 900)})
	if f := w.facts(q, pol); f.Fee != 100 || !slices.Equal(f.Refused, []string{Unknown}) {
		t.Errorf("an entry that belies its coin: %+v", f)
	}
}

// Of whom there is no room for, the facts say that alone.
func TestTooManyRecipients(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	coins := w.funded(50_000_000)
	pol := anyPolicy()
	var out []event.ProposalOutput
	for n := range byte(policy.MaxPays + 1) {
		a, _ := wallet.AddressOf(stranger(n), wallet.Regtest)
		pol.Recipients = append(pol.Recipients, policy.Recipient{Name: "r" + string('0'+rune(n)), Addresses: []string{a}})
		out = append(out, to(stranger(n), 1000))
	}
	p := w.propose(w.all[1], coins, out[:policy.MaxPays])
	if f := w.facts(p, pol); len(f.Pays) != policy.MaxPays || len(f.Refused) > 0 {
		t.Errorf("%d pays, refused %v", len(f.Pays), f.Refused)
	}
	p = w.propose(w.all[1], coins, out)
	f := w.facts(p, pol)
	if len(f.Pays) != 1 || f.Pays[0].Amount != 65_000 || f.Pays[0].Outputs != 65 || !slices.Equal(f.Refused, []string{TooManyRecipients}) {
		t.Errorf("pays %v, refused %v", f.Pays, f.Refused)
	}
	if v := policy.Decide(pol, &f); v.Outcome != policy.OutcomeDeny {
		t.Errorf("it is %v", v)
	}
	// Nor is there for what it would charge to very many meters.
	q := w.question(w.propose(w.all[1], coins, out[:policy.MaxPays]), pol)
	q.Uses = func(Takes) (uses []policy.Use) {
		for range policy.MaxUses {
			uses = append(uses, policy.Use{Charge: policy.MaxAmount, Used: policy.MaxAmount, Share: policy.MaxAmount, Pool: policy.MaxAmount, Takes: policy.MaxAmount})
		}
		return uses
	}
	if f, err := Gather(q); err != nil || len(f.Uses) != 0 || !slices.Equal(f.Refused, []string{TooManyRecipients}) {
		t.Errorf("%+v, %v", f, err)
	}
}

// A coin's label is what one of some members says of the output: what others say, of it or
// of its transaction, does not matter.
func TestLabelled(t *testing.T) {
	w := newWorld(t, 2, 4, 0)
	coins := w.funded(1000, 1000)
	p := w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 1500)})
	pol := anyPolicy()
	pol.Groups = []policy.Group{{Name: "finance", Keys: policy.KeysOf(1, 2)}}
	labels := &policy.Labels{Any: []string{"ops", "payroll"}, By: policy.Who{Groups: []uint64{0}}}
	pol.Rules = append(pol.Rules, policy.Rule{When: policy.When{Labels: labels}})
	expect := func(what string, want ...uint64) {
		t.Helper()
		if f := w.facts(p, pol); !slices.Equal(f.Labelled, want) {
			t.Errorf("%s: %v, want %v", what, f.Labelled, want)
		}
	}
	says := func(key, coin int, text string, instead ...journal.EntryID) journal.EntryID {
		of := event.OutputTarget(coins[coin].OutPoint())
		return w.write(w.all[key], &event.LabelSet{Target: event.LabelOutput, Of: of.Bytes(), Text: text, Supersedes: instead}).ID()
	}
	expect("nobody says so")
	first := says(1, 0, "ops")
	expect("of one coin")
	says(3, 1, "ops")
	expect("a stranger of the other")
	of := event.TxTarget(coins[1].TxID)
	w.write(w.all[2], &event.LabelSet{Target: event.LabelTx, Of: of.Bytes(), Text: "ops"})
	expect("of its transaction")
	says(2, 1, "payroll")
	expect("of both", 1)
	says(3, 0, "no", first)
	expect("a stranger in its place", 1)
	says(1, 0, "no", first)
	expect("it says otherwise")
	says(2, 0, "ops")
	expect("another one says so", 1)
}

// Facts are a function of the set of entries, in whatever order they come.
func TestFactsAreOfTheSetOfEntries(t *testing.T) {
	made := newWorld(t, 2, 4, 1)
	rapid.Check(t, func(rt *rapid.T) {
		w := made.clone()
		coins := w.funded(5000, 7000)
		whole := len(w.entries)
		pol := anyPolicy()
		pol.Rules = append(pol.Rules, policy.Rule{When: policy.When{Labels: &policy.Labels{Any: []string{"x"}, By: policy.Who{Keys: 15}}}})
		var all []journal.EntryID
		for range rapid.IntRange(3, 12).Draw(rt, "entries") {
			p := w.all[rapid.IntRange(0, 3).Draw(rt, "by")]
			by := p.node()
			if len(all) == 0 {
				all = append(all, w.propose(by, coins, []event.ProposalOutput{to(stranger(1), 4000)}).Ref.ID)
				continue
			}
			q, _ := w.st.Proposal(rapid.SampledFrom(all).Draw(rt, "of"))
			switch rapid.IntRange(0, 6).Draw(rt, "what") {
			case 0:
				amount := rapid.SampledFrom([]int64{4000, 4000, 3000}).Draw(rt, "amount")
				all = append(all, w.propose(by, coins, []event.ProposalOutput{to(stranger(1), amount)}, q).Ref.ID)
			case 1:
				w.carry(by, p, q)
			case 2:
				w.write(by, &event.ProposalRejected{Proposal: q.Ref.ID})
			case 3:
				w.write(by, &event.RejectionWithdrawn{Proposal: q.Ref.ID})
			case 4:
				w.write(by, &event.LabelSet{Target: event.LabelOutput, Of: event.OutputTarget(coins[0].OutPoint()).Bytes(), Text: "x"})
			case 5:
				w.forks(by, &event.ProposalRejected{Proposal: q.Ref.ID}, &event.RejectionWithdrawn{Proposal: q.Ref.ID})
			default:
				if p.host == nil {
					w.approve(p, q)
				}
			}
		}
		order := append(slices.Clone(w.entries[:whole]), rapid.Permutation(w.entries[whole:]).Draw(rt, "order")...)
		other := w.again(order)
		for _, id := range all {
			p, _ := w.st.Proposal(id)
			q := w.question(p, pol)
			f, err := Gather(q)
			if err != nil {
				rt.Fatal(err)
			}
			q.State = other
			q.Proposal, _ = other.Proposal(id)
			g, err := Gather(q)
			if err != nil {
				rt.Fatal(err)
			}
			a, _ := policy.EncodeFacts(&f)
			b, _ := policy.EncodeFacts(&g)
			if !slices.Equal(a, b) {
				rt.Fatalf("in another order the facts are\n%+v\nand not\n%+v", g, f)
			}
		}
	})
}
