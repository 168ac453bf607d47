package coordinator

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/port/porttest"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// peer is one cosigner in a test: a machine, and a store that is a batch log.
// Its effects are executed by hand, so that a test decides what happens when.
type peer struct {
	tb      testing.TB
	name    string
	self    *group.Self
	seed    []byte
	account *wallet.AccountKey
	m       Machine
	out     []*journal.Entry // published
	sent    []*wire.MsgTx    // broadcast
	porttest.Disk
	told     []port.Notice
	clock    *time.Time
	drawn    uint64
	failing  bool // the store refuses
	chainAge time.Duration
	policy   port.Policy
	circle   *circle
	spoiled  journal.Epoch // the last that it made for others to fail
	mode     robot.Mode
	ceiling  []byte
	may      func(*wallet.Spend) error // a signer in another process is asked
}

var errDisk = errors.New("no space left on device")

func newPeer(tb testing.TB, name string, n byte, clock *time.Time) *peer {
	tb.Helper()
	seed := sha256.Sum256([]byte{n, 's'})
	id := sha256.Sum256([]byte{n, 'i'})
	sk := sha256.Sum256([]byte{n, 'k'})
	sealing, err := journal.NewSealingKey(sk)
	if err != nil {
		tb.Fatal(err)
	}
	p := &peer{
		tb: tb, name: name, seed: seed[:], clock: clock,
		self: &group.Self{Identity: journal.NewIdentity(id), Sealing: sealing, Verified: wallet.NewSigCache(1 << 14), Fault: func(err error) { panic(err) }},
		Disk: porttest.NewDisk(),
	}
	if p.account, err = wallet.DeriveAccount(p.seed, wallet.Regtest, wallet.ScriptWSH, 0); err != nil {
		tb.Fatal(err)
	}
	return p
}

func (p *peer) id() journal.Author { return p.self.Identity.Author() }

func (p *peer) key() CosignerKey {
	return CosignerKey{Key: p.account.Key(), Prove: p.prove}
}

func (p *peer) input(msg Message) Input {
	p.drawn++
	return Input{Now: *p.clock, Entropy: sha256.Sum256(binary.BigEndian.AppendUint64([]byte(p.name), p.drawn)), ChainAge: p.chainAge, Policy: p.policy, Msg: msg}
}

// do runs a turn of one message. The result is the reply.
func (p *peer) do(msg Message) (any, error) {
	sh := Shell{
		Input: func(msg Message) (Input, error) { return p.input(msg), nil },
		Sign:  func(_ Local, spend *wallet.Spend) ([]wallet.Signature, error) { return spend.Sign(p.account) },
		Claim: func(_ Local, claim event.KeyClaim) ([]byte, error) { return p.account.SignHash(claim.Hash()), nil },
		Fault: func(what string, err error) { p.tb.Errorf("%s: %s: %v", p.name, what, err) },
	}
	if p.may != nil {
		sh.May = func(_ Local, spend *wallet.Spend) error { return p.may(spend) }
		sh.Detached = func(u []port.GuardUpdate) error {
			p.persist(port.Batch{Group: p.m.State.Group(), Guard: u})
			return nil
		}
	}
	t := NewTurn(p.m, sh)
	value, err := t.Take(msg)
	if err != nil {
		return nil, err
	}
	err = t.Finish(func(b port.Batch) error {
		if p.failing {
			return errDisk
		}
		p.persist(b)
		return nil
	}, func(m Machine) { p.m = m }, p.perform)
	if err != nil {
		return nil, err
	}
	return value, nil
}

func (p *peer) must(msg Message) any {
	p.tb.Helper()
	v, err := p.do(msg)
	if err != nil {
		p.tb.Fatalf("%s: %T: %v", p.name, msg, err)
	}
	return v
}

// execute keeps what Found, Enter and their like returned.
func (p *peer) execute(next Machine, effects []Effect) (any, error) {
	var value any
	for _, e := range effects {
		if x, ok := e.(Persist); ok {
			if p.failing {
				return nil, errDisk
			}
			p.persist(x.Batch)
		}
	}
	p.m = next
	for _, e := range effects {
		if x, ok := e.(Reply); ok {
			value = x.Value
		}
		p.perform(e)
	}
	return value, nil
}

func (p *peer) perform(e Effect) {
	switch x := e.(type) {
	case Publish:
		p.out = append(p.out, x.Entry)
	case Broadcast:
		p.sent = append(p.sent, x.Tx)
	case Tell:
		p.told = append(p.told, x.Notice)
	}
}

func (p *peer) persist(b port.Batch) {
	if err := p.Commit(context.Background(), b); err != nil {
		p.tb.Fatalf("%s: %v", p.name, err)
	}
}

// crash forgets everything that was not made durable, and starts again.
func (p *peer) crash() {
	p.tb.Helper()
	m, err := Load(p.tb.Context(), &p.Disk, p.self, p.m.State.Group())
	if err != nil {
		p.tb.Fatalf("%s: load: %v", p.name, err)
	}
	p.m = m.AsRobot(p.mode, p.ceiling)
	p.must(Started{})
	for _, n := range p.circle.blocks {
		if n.Block.Height > p.m.View.Tip().Height {
			p.must(ChainIn{n})
		}
	}
	p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
}

// circle is a group of peers and a chain that the test makes up: the rules of
// consensus are not under test here.
type circle struct {
	tb     testing.TB
	peers  []*peer
	clock  time.Time
	height int32
	tip    chainhash.Hash
	blocks []port.ChainNotice
}

func newCircle(tb testing.TB, k, n int) *circle {
	tb.Helper()
	c, invites := founded(tb, k, n, n)
	for i, p := range c.peers[1:] {
		c.join(p, invites[i], p.key())
	}
	return c
}

// founded is a forming circle of n cosigners, of whom the first nodes have a
// node: the founder's entries are made, and nobody has taken an invite.
func founded(tb testing.TB, k, n, nodes int) (*circle, []port.Invite) {
	tb.Helper()
	c := &circle{tb: tb, clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i := range nodes {
		p := newPeer(tb, string(rune('A'+i)), byte(i+1), &c.clock)
		p.circle = c
		c.peers = append(c.peers, p)
	}
	a := c.peers[0]
	m, invites, effects, err := Found(a.self, a.input(nil), event.Genesis{Threshold: k, Cosigners: n, Script: "wsh", Network: "regtest"},
		"treasury", a.name, a.key(), 0, nil, c.clock.Add(time.Hour))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := a.execute(m, effects); err != nil {
		tb.Fatal(err)
	}
	return c, invites
}

// join takes an invite of the first peer.
func (c *circle) join(p *peer, inv port.Invite, ck CosignerKey) {
	c.tb.Helper()
	nonce := [32]byte{p.name[0]}
	grant := c.peers[0].must(Admit{Joiner: p.id(), Nonce: nonce, Proof: inv.Proof(p.id(), nonce)}).(port.Grant)
	m, effects, err := Enter(p.self, p.input(nil), inv, grant, wallet.Regtest, p.name, ck, 0)
	if err != nil {
		c.tb.Fatal(err)
	}
	if _, err := p.execute(m, effects); err != nil {
		c.tb.Fatal(err)
	}
}

// active is a circle whose wallet is ratified by all and caught up. One of each
// size is made, of which tests get copies. They share each peer's Self, whose cache
// of verified signatures begins anew: so they do not run in parallel, and no test
// changes a Self in place.
func active(tb testing.TB, k, n int) *circle {
	tb.Helper()
	made := ratifiedCircles[[2]int{k, n}]
	if made == nil {
		made = ratified(tb, k, n)
		ratifiedCircles[[2]int{k, n}] = made
	}
	c := made.clone(tb)
	for _, p := range c.peers {
		p.self.Verified = wallet.NewSigCache(1 << 14)
	}
	return c
}

var ratifiedCircles = map[[2]int]*circle{}

func ratified(tb testing.TB, k, n int) *circle {
	tb.Helper()
	c := newCircle(tb, k, n)
	c.settle()
	r, ok := c.peers[0].m.State.Roster()
	if !ok || !r.Complete() {
		tb.Fatalf("roster: %v", c.peers[0].m.Missing())
	}
	for _, p := range c.peers {
		p.must(Ratify{Words: r.Words()})
	}
	c.settle()
	for _, p := range c.peers {
		if p.m.State.Active() == nil {
			tb.Fatalf("%s is not active: %s", p.name, p.m.Missing())
		}
		p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
	}
	return c
}

// clone copies a circle: machines are values, so only what is around them is
// copied. A property begins from a wallet that was made once.
func (c *circle) clone(tb testing.TB) *circle {
	n := &circle{tb: tb, clock: c.clock, height: c.height, tip: c.tip, blocks: slices.Clone(c.blocks)}
	for _, p := range c.peers {
		q := *p
		q.tb, q.circle, q.clock = tb, n, &n.clock
		q.out, q.sent, q.told = slices.Clone(p.out), slices.Clone(p.sent), slices.Clone(p.told)
		q.Disk = p.Clone()
		n.peers = append(n.peers, &q)
	}
	return n
}

// settle passes entries on until nobody has news, pulling what is missing.
func (c *circle) settle(among ...*peer) {
	if len(among) == 0 {
		among = c.peers
	}
	for again := true; again; {
		again = false
		for _, from := range among {
			for _, to := range among {
				for _, chain := range from.Chains() {
					for _, e := range chain {
						if to == from || to.m.State.Chains().Has(e.ID()) {
							continue
						}
						if _, err := to.do(EntryIn{e}); err == nil {
							again = true
						}
					}
				}
			}
		}
	}
}

// mine makes a block of these transactions and shows it to the given peers (all).
func (c *circle) mine(txs []*wire.MsgTx, to ...*peer) {
	c.tb.Helper()
	c.height++
	n := port.ChainNotice{Kind: port.Connected, Prev: c.tip, Txs: txs}
	c.tip = chainhash.HashH(binary.BigEndian.AppendUint32(nil, uint32(c.height)))
	n.Block = port.BlockRef{Height: c.height, Hash: c.tip, Time: c.clock.Unix(), MedianTime: c.clock.Unix() - 3600}
	c.blocks = append(c.blocks, n)
	if len(to) == 0 {
		to = c.peers
	}
	for _, p := range to {
		p.must(ChainIn{n})
	}
}

// fund pays the wallet's first addresses, one output each, and buries it.
func (c *circle) fund(amounts ...int64) []wire.OutPoint {
	c.tb.Helper()
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: chainhash.HashH([]byte{byte(c.height), 'f'})}})
	for i, a := range amounts {
		s, err := c.peers[0].m.State.Active().Descriptor.Script(wallet.BranchExternal, uint32(i))
		if err != nil {
			c.tb.Fatal(err)
		}
		tx.AddTxOut(wire.NewTxOut(a, s.PkScript))
	}
	c.mine([]*wire.MsgTx{tx})
	var out []wire.OutPoint
	for i := range amounts {
		out = append(out, wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)})
	}
	return out
}

func recipient(n byte) []byte {
	s := make([]byte, 22)
	s[1], s[21] = 20, n
	return s
}

func pay(n byte, amount int64) Propose {
	return Propose{Outputs: []event.ProposalOutput{{PkScript: recipient(n), Amount: amount}}, FeeRate: 2000}
}

// GoString keeps the report of a failing property readable.
func (p *peer) GoString() string { return p.name }

// viewOf is what a restart makes of a peer's view, less some transactions.
func (p *peer) viewOf(less ...chainhash.Hash) ledger.View {
	p.tb.Helper()
	recs := map[string][]byte{}
	put := func(name string, b []byte, err error) {
		if err != nil {
			p.tb.Fatal(err)
		}
		recs[name] = b
	}
	b, err := p.m.View.Record()
	put(ledger.RecView, b, err)
	for id, t := range p.m.View.Txs() {
		if !slices.Contains(less, id) {
			b, err := t.Record()
			put(ledger.RecTx+id.String(), b, err)
		}
	}
	v, err := ledger.Restore(recs, p.m.State.Active().Descriptor)
	if err != nil {
		p.tb.Fatal(err)
	}
	return v
}

// as is what the device of another identity makes of an active wallet's state.
func as(s group.State, self *group.Self) group.State {
	b, err := s.Snapshot()
	if err != nil {
		panic(err)
	}
	return beginning(s, self, b)
}

// called is an active wallet's state by another name.
func called(s group.State, name string) group.State {
	b, err := s.Snapshot()
	var parts map[int]cbor.RawMessage
	if err == nil {
		err = cbor.Unmarshal(b, &parts)
	}
	if err == nil {
		parts[snapName], err = record.Encode(name)
	}
	if err == nil {
		b, err = record.Encode(parts)
	}
	if err != nil {
		panic(err)
	}
	return beginning(s, s.Self(), b)
}

// beginning is a node of the same wallet that begins with a snapshot.
func beginning(s group.State, self *group.Self, snapshot []byte) group.State {
	genesis, err := event.EncodeGenesis(s.Genesis())
	if err != nil {
		panic(err)
	}
	first, _ := s.FirstEpoch()
	empty, err := group.NewState(self, genesis, first.Secret, s.Pinned())
	if err != nil {
		panic(err)
	}
	if s, err = empty.WithSnapshot(snapshot); err != nil {
		panic(err)
	}
	return s
}

// linked has an entry of a peer's own in its chain that the peer makes nothing of.
func linked(s group.State, e *journal.Entry) (group.State, error) {
	s, _, err := s.AddUnread(e, false)
	return s, err
}

// cutAt returns the last seq of a chain that a later incarnation leaves in effect,
// where it was cut and nothing else taints it.
func cutAt(s group.State, c journal.ChainKey) (seq uint64, cut bool) {
	return s.TaintedFrom(c) - 1, s.Superseded(c)
}

// bodyOf returns what an entry says, or nil where this peer cannot read it.
func (p *peer) bodyOf(e *journal.Entry) event.Body {
	plain, err := journal.OpenPlain(e)
	if ep, held := p.m.State.EpochHeld(e.Header().Epoch); e.Header().Suite != 0 && held {
		plain, err = journal.Open(ep, e)
	}
	if err != nil {
		return nil
	}
	ev, err := event.Decode(plain)
	if err != nil {
		return nil
	}
	return ev.Body
}
