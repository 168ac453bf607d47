package robot

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// metered is a policy with a meter of each sort, of a whole limit for one robot.
func metered(t *testing.T) *policy.Policy {
	t.Helper()
	p := anyPolicy()
	a, err := wallet.AddressOf(stranger(1), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := wallet.AddressOf(stranger(2), wallet.Regtest)
	p.Recipients = []policy.Recipient{{Name: "acme", Addresses: []string{a}}, {Name: "bolt", Addresses: []string{b}}}
	p.Meters = []policy.Meter{
		{Name: "all", Limit: 100_000, Window: 86400},
		{Name: "each", Limit: 50_000, Window: 86400, Per: policy.PerRecipient},
		{Name: "person", Limit: 40_000, Window: 86400, Per: policy.PerInitiator},
	}
	return p
}

// robot is the person with key 0 and what it signed.
type robot struct {
	w      *world
	c      *Compiled
	l      Ledger
	signed []Signature
}

func newRobot(w *world, p *policy.Policy) *robot {
	w.tb.Helper()
	c, err := Compile(p, [32]byte{}, wallet.Regtest, w.view)
	if err != nil {
		w.tb.Fatal(err)
	}
	r := &robot{w: w, c: c}
	r.l = r.rebuilt()
	return r
}

func (r *robot) rebuilt() Ledger {
	r.w.tb.Helper()
	l, err := Rebuild(r.w.st, r.w.view, r.c, r.signed)
	if err != nil {
		r.w.tb.Fatal(err)
	}
	return l
}

func (r *robot) follow() {
	r.l = r.l.Follow(r.w.st, r.w.view, r.w.view.News())
	r.w.view = r.w.view.Told()
}

func (r *robot) sign(p *group.Proposal) {
	key, _ := r.w.st.Active().KeyOf(p.Author())
	at := int64(len(r.signed) + 1)
	r.w.approve(r.w.all[0], p)
	r.l = r.l.Signed(r.w.st, r.w.view, r.c, p, policy.Key(key), at)
	r.signed = append(r.signed, Signature{p.TxID, policy.Key(key), at})
}

func (r *robot) uses(p *group.Proposal) []policy.Use {
	key, _ := r.w.st.Active().KeyOf(p.Author())
	return r.l.Uses(r.c.Policy, 3, 2, TakesOf(r.w.view, r.c, p, policy.Key(key)))
}

func TestCharges(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	coins := w.funded(60_000, 60_000)
	r := newRobot(w, metered(t))
	pay := func(by int, in []event.ProposalInput, out ...event.ProposalOutput) *group.Proposal {
		return w.propose(w.all[by], in, append(out, change(2, 20_000)))
	}
	expect := func(what string, p *group.Proposal, want ...policy.Use) {
		t.Helper()
		got := r.uses(p)
		for i := range got {
			got[i].Lapsing = 0
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", what, got, want)
		}
	}
	use := func(meter uint64, charge, used, share, takes int64) policy.Use {
		return policy.Use{Meter: meter, Charge: charge, Used: used, Share: share, Takes: takes}
	}
	p := pay(1, coins[:1], to(stranger(1), 30_000), to(stranger(9), 8000))
	expect("nothing is signed", p, use(0, 40_000, 0, 100_000, 40_000), use(1, 30_000, 0, 50_000, 30_000), use(2, 40_000, 0, 40_000, 40_000))
	r.sign(p)
	signed := []policy.Use{use(0, 0, 40_000, 100_000, 40_000), use(1, 0, 30_000, 50_000, 30_000), use(2, 0, 40_000, 40_000, 40_000)}
	expect("it is signed", p, signed...)
	q := pay(2, coins[1:], to(stranger(1), 10_000), to(stranger(2), 20_000))
	expect("another, by another", q, use(0, 40_000, 40_000, 100_000, 40_000), use(1, 10_000, 30_000, 50_000, 10_000), use(1, 20_000, 0, 50_000, 20_000), use(2, 40_000, 0, 40_000, 40_000))
	bump := pay(1, coins[:1], to(stranger(1), 30_000))
	expect("a higher fee on the same coin", bump, signed...)
	both := pay(1, coins, to(stranger(1), 99_000))
	expect("what lies on one of its coins", both, use(0, 60_000, 40_000, 100_000, 100_000), use(1, 69_000, 30_000, 50_000, 99_000), use(2, 60_000, 40_000, 40_000, 100_000))

	// It ends one window after its block, not before.
	w.mine(w.tx(p))
	at := w.view.Tip().MedianTime
	for Final(w.view) < at+86400 {
		w.mine()
		r.follow()
	}
	expect("one window later", p, signed...)
	if got := r.uses(both)[1]; got.Charge != 69_000 || got.Lapsing != 0 {
		t.Errorf("what never fits lapses at %d", got.Lapsing)
	}
	if got := r.uses(pay(1, coins[1:], to(stranger(1), 39_000)))[1]; got.Lapsing != at+86400+1 {
		t.Errorf("it fits at %d, want %d", got.Lapsing, at+86401)
	}
	w.mine()
	r.follow()
	if got := r.uses(q)[0]; got.Used != 0 || got.Charge != 40_000 {
		t.Errorf("after its window %+v", got)
	}
	if !slices.Equal(r.rebuilt().Uses(r.c.Policy, 3, 2, TakesOf(w.view, r.c, q, 2)), r.uses(q)) {
		t.Error("rebuilt it is another")
	}
}

// What another transaction took that this robot did not sign frees the coin; a reorg brings
// the charge back.
func TestChargesOfASpentCoin(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	coins := w.funded(60_000)
	r := newRobot(w, metered(t))
	p := w.propose(w.all[1], coins, []event.ProposalOutput{to(stranger(1), 50_000)})
	r.sign(p)
	back := w.propose(w.all[1], coins, []event.ProposalOutput{change(1, 59_000)}, p)
	used := func() int64 { return r.uses(back)[0].Used }
	w.mine(w.tx(back))
	for range ledger.BuriedDepth - 2 {
		w.mine()
	}
	if r.follow(); used() != 60_000 {
		t.Errorf("five deep %d is used", used())
	}
	w.mine()
	if r.follow(); used() != 0 {
		t.Errorf("six deep %d is used", used())
	}
	w.undo()
	if r.follow(); used() != 60_000 {
		t.Errorf("after a reorg %d is used", used())
	}
	w.mine()
	if r.follow(); used() != 0 {
		t.Errorf("after another block %d is used", used())
	}
}

// What lies on a coin that can never exist is free.
func TestChargesOfACoinThatNeverIs(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	coins := w.funded(60_000)
	deposit, paid := w.deposit(30_000)
	w.see(deposit)
	r := newRobot(w, metered(t))
	// By others' keys alone, and out of a payment that its payer takes back.
	parent := w.propose(w.all[1], coins, []event.ProposalOutput{change(0, 59_000)})
	made := []event.ProposalInput{{TxID: parent.TxID, Amount: 59_000, Branch: wallet.BranchChange}}
	child := w.propose(w.all[1], made, []event.ProposalOutput{to(stranger(1), 58_000)})
	r.sign(child)
	r.sign(w.propose(w.all[1], paid, []event.ProposalOutput{to(stranger(1), 29_000)}))
	used := func() int64 { return r.uses(child)[0].Used }
	if used() != 89_000 {
		t.Fatalf("%d is used", used())
	}
	w.bury(w.tx(w.propose(w.all[1], coins, []event.ProposalOutput{change(1, 58_000)})))
	if r.follow(); used() != 30_000 {
		t.Errorf("what the child rests on is replaced, and %d is used", used())
	}
	rival := deposit.Copy()
	rival.TxOut[0].Value = 29_000
	w.bury(rival)
	if r.follow(); used() != 0 {
		t.Errorf("the deposit is replaced, and %d is used", used())
	}
	w.undo()
	if r.follow(); used() != 30_000 {
		t.Errorf("after a reorg %d is used", used())
	}
}

// What a coin rests on may be known only after it can never be.
func TestChargesOfWhatIsKnownLate(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	deposit, paid := w.deposit(30_000)
	r := newRobot(w, metered(t))
	parent := w.propose(w.all[1], paid, []event.ProposalOutput{change(0, 29_000)})
	made := []event.ProposalInput{{TxID: parent.TxID, Amount: 29_000, Branch: wallet.BranchChange}}
	child := w.propose(w.all[1], made, []event.ProposalOutput{to(stranger(1), 28_000)})
	r.sign(child)
	rival := deposit.Copy()
	rival.TxOut[0].Value = 29_000
	w.bury(rival)
	if r.follow(); r.uses(child)[0].Used != 29_000 {
		t.Errorf("before it is known %+v", r.uses(child)[0])
	}
	w.see(deposit)
	if r.follow(); r.uses(child)[0].Used != 0 {
		t.Errorf("what is known can never be, and %+v", r.uses(child)[0])
	}
}

func TestRebuildLacksWhatWasSigned(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	c, err := Compile(anyPolicy(), [32]byte{}, wallet.Regtest, w.view)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Rebuild(w.st, w.view, c, []Signature{{TxID: chainhash.Hash{1}}}); err == nil {
		t.Error("a robot does not know what it signed, and goes on")
	}
}

// Whoever enters what was signed again, and says that its coins held less, takes nothing off.
func TestRebuildBelievesNobodyOfCoinsItLacks(t *testing.T) {
	w := newWorld(t, 2, 3, 0)
	_, coins := w.deposit(60_000)
	out := []event.ProposalOutput{to(stranger(1), 20_000)}
	p := w.propose(w.all[1], coins, out)
	for n := range int64(8) { // by whichever id comes first
		less := slices.Clone(coins)
		less[0].Amount -= 30_000 + n
		if q := w.propose(w.all[2], less, out); q.TxID != p.TxID {
			t.Fatal("it is another transaction")
		}
	}
	r := newRobot(w, metered(t))
	r.sign(p)
	r.l = r.rebuilt()
	if got := r.uses(p)[0]; got.Used != 60_000 {
		t.Errorf("%d is used", got.Used)
	}
}

// A ledger that followed says what one says that is made anew, whatever was proposed, signed,
// mined and taken back, and in whatever steps.
func TestALedgerFollows(t *testing.T) {
	made, pol := newWorld(t, 2, 3, 0), metered(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := made.clone()
		pool := w.funded(10_000, 20_000, 30_000)
		r := newRobot(w, pol)
		var txs []*wire.MsgTx
		var all []*group.Proposal
		mayMine := func(tx *wire.MsgTx) bool {
			return w.view.Confirmations(tx.TxHash()) == 0 && !slices.ContainsFunc(tx.TxIn, func(in *wire.TxIn) bool {
				_, spent := w.view.SpentBy(in.PreviousOutPoint)
				_, ours := w.view.Out(in.PreviousOutPoint)
				return spent || ours && w.view.Confirmations(in.PreviousOutPoint.Hash) == 0
			})
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 6).Draw(rt, "what") {
			case 0, 1:
				in := []event.ProposalInput{rapid.SampledFrom(pool).Draw(rt, "coin")}
				if more := rapid.SampledFrom(pool).Draw(rt, "more"); more.OutPoint() != in[0].OutPoint() {
					in = append(in, more)
				}
				var sum int64
				for _, x := range in {
					sum += x.Amount
				}
				amount := rapid.Int64Range(1, sum/2).Draw(rt, "amount")
				index := uint32(rapid.IntRange(0, 3).Draw(rt, "change"))
				p := w.propose(w.all[rapid.IntRange(1, 2).Draw(rt, "by")], in, []event.ProposalOutput{
					to(stranger(byte(rapid.IntRange(1, 3).Draw(rt, "to"))), amount), change(index, sum/2),
				})
				all, txs = append(all, p), append(txs, w.tx(p))
				pool = append(pool, event.ProposalInput{TxID: p.TxID, Vout: 1, Amount: sum / 2, Branch: wallet.BranchChange, Index: index})
			case 2:
				if len(all) > 0 {
					r.sign(rapid.SampledFrom(all).Draw(rt, "signed"))
				}
			case 3:
				if len(txs) > 0 {
					w.see(rapid.SampledFrom(txs).Draw(rt, "seen"))
				}
			case 4:
				tx, in := w.deposit(rapid.Int64Range(1000, 9000).Draw(rt, "deposit"))
				rival := tx.Copy()
				rival.TxOut[0].Value--
				txs, pool = append(txs, tx, rival), append(pool, in...)
			case 5:
				for range rapid.IntRange(0, 7).Draw(rt, "back") {
					if len(w.blocks) > 3 {
						w.undo()
						if rapid.Bool().Draw(rt, "told") {
							r.follow()
						}
					}
				}
			default:
				for range rapid.IntRange(1, 8).Draw(rt, "blocks") {
					var in []*wire.MsgTx
					if len(txs) > 0 {
						if tx := rapid.SampledFrom(txs).Draw(rt, "mined"); mayMine(tx) {
							in = append(in, tx)
						}
					}
					w.mine(in...)
				}
			}
			if rapid.Bool().Draw(rt, "follows") {
				r.follow()
			}
		}
		r.follow()
		anew := r.rebuilt()
		for _, p := range all {
			takes := TakesOf(w.view, r.c, p, 1)
			if a, b := r.l.Uses(pol, 3, 2, takes), anew.Uses(pol, 3, 2, takes); !slices.Equal(a, b) {
				rt.Fatalf("of %v\n%+v, made anew\n%+v", p.TxID, a, b)
			}
		}
	})
}
