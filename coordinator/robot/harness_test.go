package robot

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// person is a cosigner who writes what it likes.
type person struct {
	self    *group.Self
	account *wallet.AccountKey
	salt    [32]byte
	record  journal.EntryID
	next    journal.Next
	key     int
	host    *person // of one without a node
}

func newPerson(tb testing.TB, n byte) *person {
	tb.Helper()
	of := func(what byte) [32]byte { return sha256.Sum256([]byte{n, what}) }
	sealing, err := journal.NewSealingKey(of('k'))
	if err != nil {
		tb.Fatal(err)
	}
	seed := of('s')
	account, err := wallet.DeriveAccount(seed[:], wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return &person{
		account: account, salt: of('r'), next: journal.Next{Incarnation: 1, Seq: 1},
		self: &group.Self{Identity: journal.NewIdentity(of('i')), Sealing: sealing, Verified: wallet.NewSigCache(1 << 10), Fault: func(err error) { panic(err) }},
	}
}

func (p *person) id() journal.Author { return p.self.Identity.Author() }

// world is a wallet, as one node sees it, and a chain of the test's making.
type world struct {
	tb      testing.TB
	st      group.State
	zero    journal.Epoch
	genesis []byte
	all     []*person // by key
	entries []*journal.Entry
	drawn   uint64

	view   ledger.View
	blocks []port.BlockRef
	minute int64 // of the last block
}

// newWorld is an active wallet of k of n, the last of whose cosigners are hosted by the first.
func newWorld(tb testing.TB, k, n, hosted int) *world {
	tb.Helper()
	w := &world{tb: tb}
	for i := range n {
		w.all = append(w.all, newPerson(tb, byte(i+1)))
	}
	a := w.all[0]
	raw, err := event.EncodeGenesis(event.Genesis{
		Version: 1, Threshold: k, Cosigners: n, Script: "wsh", Network: "regtest",
		Founder: a.id(), SealingKey: a.self.Sealing.Public(), Random: [32]byte{1},
	})
	if err != nil {
		tb.Fatal(err)
	}
	secret := [32]byte{2}
	if w.st, err = group.NewState(a.self, raw, secret, [32]byte{}); err != nil {
		tb.Fatal(err)
	}
	w.genesis, w.zero = raw, journal.Epoch{Group: w.st.Group(), Secret: secret}
	w.write(a, &event.GroupCreated{Genesis: raw, Name: "treasury"})
	for i, p := range w.all {
		if i >= n-hosted {
			p.host = a
			p.record = w.write(a, &event.MemberRecord{Name: string(rune('A' + i)), Key: p.account.Key().String(), How: event.ProofNone, Hosted: true, Commitment: group.Commitment(p.salt)}).ID()
			continue
		}
		if i > 0 {
			w.write(a, &event.MemberAdmitted{Identity: p.id()})
		}
		b := &event.MemberRecord{Name: string(rune('A' + i)), SealingKey: p.self.Sealing.Public(), Key: p.account.Key().String(), Commitment: group.Commitment(p.salt)}
		hash, _ := b.Claim(w.st.Group(), p.id())
		b.Proof = p.account.SignHash(hash)
		p.record = w.write(p, b).ID()
	}
	ids, _ := w.st.Places()
	closed := w.write(a, &event.RosterClosed{Records: ids}).ID()
	for _, p := range w.all {
		w.write(p.node(), &event.RosterRevealed{Roster: closed, Salt: p.salt})
	}
	r, ok := w.st.Roster()
	if !ok || !r.Complete() {
		tb.Fatal("no roster is complete")
	}
	w.st = w.st.Pin(r.Hash)
	for _, p := range w.all {
		b := &event.RosterRatified{Hash: r.Hash}
		if p.host != nil {
			b.Record = &p.record
		}
		w.write(p.node(), b)
	}
	if w.st = w.st.Activated(); w.st.Active() == nil {
		tb.Fatal("the wallet is not active")
	}
	for k, m := range w.st.Active().Members {
		for _, p := range w.all {
			if p.record == m.Record {
				p.key = k
			}
		}
	}
	slices.SortFunc(w.all, func(a, b *person) int { return a.key - b.key })
	w.view, _, err = ledger.View{}.Watch(w.st.Active().Descriptor)
	if err != nil {
		tb.Fatal(err)
	}
	w.minute = 1_767_000_000 / 60
	w.mine()
	return w
}

// clone is the same world for another test: a State and a View are values.
func (w *world) clone() *world {
	out := *w
	out.entries, out.blocks = slices.Clone(w.entries), slices.Clone(w.blocks)
	to := map[*person]*person{}
	out.all = nil
	for _, p := range w.all {
		q := *p
		to[p], out.all = &q, append(out.all, &q)
	}
	for _, p := range out.all {
		p.host = to[p.host]
	}
	return &out
}

// node is who writes for a person.
func (p *person) node() *person {
	if p.host != nil {
		return p.host
	}
	return p
}

// seal makes an entry at a place in a person's chain.
func (w *world) seal(p *person, at journal.Next, body event.Body) *journal.Entry {
	w.tb.Helper()
	w.drawn++
	plain, err := event.Encode(event.Event{Time: int64(w.drawn), Body: body})
	if err != nil {
		w.tb.Fatal(err)
	}
	var nonce [24]byte
	binary.BigEndian.PutUint64(nonce[:], w.drawn)
	e, err := journal.Seal(p.self.Identity, w.zero, at, plain, nonce)
	if err != nil {
		w.tb.Fatal(err)
	}
	return e
}

// write has a person write an entry, and folds it.
func (w *world) write(p *person, body event.Body) *journal.Entry {
	w.tb.Helper()
	e := w.seal(p, p.next, body)
	p.next = journal.Next{Incarnation: p.next.Incarnation, Seq: p.next.Seq + 1, Prev: e.ID()}
	w.fold(e)
	return e
}

func (w *world) fold(e *journal.Entry) {
	w.tb.Helper()
	w.entries = append(w.entries, e)
	st, _, err := w.st.Add(e, true)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.st = st.Derived()
}

// forks has a person's next entry be another one too, so that its chain is tainted from there.
func (w *world) forks(p *person, a, b event.Body) (*journal.Entry, *journal.Entry) {
	w.tb.Helper()
	at := p.next
	first, second := w.seal(p, at, a), w.seal(p, at, b)
	p.next = journal.Next{Incarnation: at.Incarnation, Seq: at.Seq + 1, Prev: first.ID()}
	w.fold(first)
	w.fold(second)
	return first, second
}

// again is the state of who gets the entries in another order.
func (w *world) again(order []*journal.Entry) group.State {
	st, err := group.NewState(w.st.Self(), w.genesis, w.zero.Secret, w.st.Pinned())
	if err != nil {
		w.tb.Fatal(err)
	}
	for len(order) > 0 {
		var later []*journal.Entry
		for _, e := range order {
			next, _, err := st.Add(e, true)
			var gap *journal.MissingError
			if errors.As(err, &gap) {
				later = append(later, e)
				continue
			}
			if err != nil {
				w.tb.Fatal(err)
			}
			st = next.Derived()
		}
		if len(later) == len(order) {
			w.tb.Fatal("entries never link")
		}
		order = later
	}
	for !st.Idle() {
		st = st.Work(1 << 20).Derived()
	}
	return st.Activated()
}

func (w *world) mine(txs ...*wire.MsgTx) {
	w.tb.Helper()
	var prev chainhash.Hash
	if n := len(w.blocks); n > 0 {
		prev = w.blocks[n-1].Hash
	}
	w.drawn++
	w.minute += 10
	b := port.BlockRef{Height: int32(len(w.blocks) + 1), Hash: chainhash.HashH(binary.BigEndian.AppendUint64(prev[:], w.drawn)), Time: 60 * w.minute, MedianTime: 60*w.minute - 3600}
	var err error
	if w.view, _, err = w.view.Connect(b, prev, txs); err != nil {
		w.tb.Fatal(err)
	}
	w.blocks = append(w.blocks, b)
	if w.view, _, err = w.view.Watch(w.st.Active().Descriptor); err != nil {
		w.tb.Fatal(err)
	}
}

// bury mines transactions and five blocks more.
func (w *world) bury(txs ...*wire.MsgTx) {
	w.tb.Helper()
	w.mine(txs...)
	for range ledger.BuriedDepth - 1 {
		w.mine()
	}
}

// undo takes the last block back.
func (w *world) undo() {
	w.tb.Helper()
	n := len(w.blocks) - 1
	var err error
	if w.view, err = w.view.Disconnect(w.blocks[n]); err != nil {
		w.tb.Fatal(err)
	}
	w.blocks = w.blocks[:n]
}

func (w *world) see(tx *wire.MsgTx) { w.view, _ = w.view.See(tx, true) }

// deposit pays the wallet, one output each.
func (w *world) deposit(amounts ...int64) (*wire.MsgTx, []event.ProposalInput) {
	w.tb.Helper()
	w.drawn++
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH(binary.BigEndian.AppendUint64(nil, w.drawn))}})
	var in []event.ProposalInput
	for i, a := range amounts {
		s, err := w.st.Active().Descriptor.PkScript(wallet.BranchExternal, uint32(i))
		if err != nil {
			w.tb.Fatal(err)
		}
		tx.AddTxOut(wire.NewTxOut(a, s))
		in = append(in, event.ProposalInput{Vout: uint32(i), Amount: a, Branch: wallet.BranchExternal, Index: uint32(i)})
	}
	for i := range in {
		in[i].TxID = tx.TxHash()
	}
	return tx, in
}

// funded are coins in a block.
func (w *world) funded(amounts ...int64) []event.ProposalInput {
	w.tb.Helper()
	tx, in := w.deposit(amounts...)
	w.mine(tx)
	return in
}

// stranger is a script of nobody here.
func stranger(n byte) []byte {
	s := make([]byte, 22)
	s[1], s[21] = 20, n
	return s
}

func to(script []byte, amount int64) event.ProposalOutput {
	return event.ProposalOutput{PkScript: script, Amount: amount}
}

func change(index uint32, amount int64) event.ProposalOutput {
	return event.ProposalOutput{Change: &index, Amount: amount}
}

// propose has a person enter a transaction.
func (w *world) propose(p *person, in []event.ProposalInput, out []event.ProposalOutput, replaces ...*group.Proposal) *group.Proposal {
	w.tb.Helper()
	b := &event.ProposalCreated{Inputs: in, Outputs: out}
	for _, q := range replaces {
		b.Replaces = append(b.Replaces, q.TxID)
	}
	return w.held(w.write(p, b))
}

func (w *world) held(e *journal.Entry) *group.Proposal {
	w.tb.Helper()
	p, ok := w.st.Proposal(e.ID())
	if !ok || !p.Sound {
		w.tb.Fatal("the proposal is not sound")
	}
	return p
}

func (w *world) signatures(p *person, q *group.Proposal, inputs int) (out []event.PartialSignature) {
	w.tb.Helper()
	spend, err := q.Spend(w.st.Active())
	if err != nil {
		w.tb.Fatal(err)
	}
	sigs, err := spend.Sign(p.account)
	if err != nil {
		w.tb.Fatal(err)
	}
	for _, s := range sigs[:inputs] {
		out = append(out, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
	}
	return out
}

func (w *world) approval(p *person, q *group.Proposal) event.ProposalApproved {
	return event.ProposalApproved{Proposal: q.Ref.ID, Signatures: w.signatures(p, q, len(q.Body.Inputs))}
}

func (w *world) approve(p *person, q *group.Proposal) *journal.Entry {
	w.tb.Helper()
	b := w.approval(p, q)
	return w.write(p, &b)
}

func (w *world) carry(host, of *person, q *group.Proposal) {
	w.tb.Helper()
	w.write(host, &event.SignatureCarried{Proposal: q.Ref.ID, Signatures: w.signatures(of, q, len(q.Body.Inputs))})
}

func (w *world) tx(q *group.Proposal) *wire.MsgTx {
	w.tb.Helper()
	spend, err := q.Spend(w.st.Active())
	if err != nil {
		w.tb.Fatal(err)
	}
	return spend.Tx()
}

// question is one of the person with key 0, who signed nothing.
func (w *world) question(q *group.Proposal, p *policy.Policy) Question {
	w.tb.Helper()
	c, err := Compile(p, [32]byte{}, wallet.Regtest, w.view)
	if err != nil {
		w.tb.Fatal(err)
	}
	return Question{State: w.st, View: w.view, Proposal: q, Compiled: c, Now: 60 * w.minute, Signed: func(chainhash.Hash) bool { return false }}
}

func (w *world) facts(q *group.Proposal, p *policy.Policy) policy.Facts {
	w.tb.Helper()
	f, err := Gather(w.question(q, p))
	if err != nil {
		w.tb.Fatal(err)
	}
	return f
}

// anyPolicy is a policy whose only rule signs all payments.
func anyPolicy() *policy.Policy {
	return &policy.Policy{Version: policy.Language, Robots: policy.KeysOf(0), Rules: []policy.Rule{{
		Name: "all", When: policy.When{Kinds: []policy.Kind{policy.Payment}}, Then: policy.Sign, Else: policy.Deny,
	}}}
}
