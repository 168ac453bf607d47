package explore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/test/sim"
	"github.com/quorate/quorate/wallet"
)

// setting is what all worlds of one walk have in common.
type setting struct {
	sim.Ready
	liar   bool // the last member may fork its chain
	memory *memory
}

// left is how much may still happen.
type left struct {
	Propose, Replace, Reject, Withdraw, Crash, Block, Reorg, Fork uint8
}

// node is one member: its machine and what is on its disk.
type node struct {
	m       coordinator.Machine
	disk    disk
	watches uint64
	says    coordinator.Digest
	digest  [32]byte // of all that makes it another world
}

// world is one state of the group.
type world struct {
	*setting
	nodes []node
	chain chain
	left  left
	loose []*journal.Entry // of the liar, on no disk of its own
}

func begin(s *setting, l left) (world, error) {
	s.memory = &memory{was: map[[32]byte]outcome{}}
	w := world{setting: s, chain: chain{base: s.Tip}, left: l}
	for _, m := range s.Members {
		n := node{m: m.Machine}
		for _, e := range m.Entries {
			n.disk.add(e)
		}
		for k, v := range m.Records {
			n.disk.records = n.disk.records.Set(k, v)
		}
		w.nodes = append(w.nodes, n)
	}
	for i := range w.nodes {
		if err := w.restart(i); err != nil {
			return w, err
		}
	}
	return w, nil
}

// clone is a world that may be changed.
func (w world) clone() world {
	w.nodes = slices.Clone(w.nodes)
	return w
}

func (w *world) now() time.Time { return w.Now }

// shell gives a step entropy that depends on where the node's own chain is: the
// same words at the same place are the same entry, whatever else happened first.
func (w *world) shell(i int, t **coordinator.Turn) coordinator.Shell {
	me := w.Members[i]
	return coordinator.Shell{
		Input: func(msg any) (coordinator.Input, error) {
			at := (*t).Machine().State.Chains().Frontier()[journal.ChainKey{Author: me.Self.Identity.Author(), Incarnation: 1}]
			raw := binary.BigEndian.AppendUint64([]byte(me.Name), at.Seq)
			return coordinator.Input{Now: w.now(), Entropy: sha256.Sum256(append(raw, at.ID[:]...)), Msg: msg}, nil
		},
		Sign: func(_ coordinator.Local, spend *wallet.Spend) ([]wallet.Signature, error) {
			return spend.Sign(me.Account)
		},
	}
}

// outcome is what came of a message at a node in some state.
type outcome struct {
	node    node
	effects []coordinator.Effect
	err     error
}

// memory has what came of each message at each node in each state it was in: many
// more worlds differ in what the others did than in what this one did.
type memory struct {
	mu  sync.Mutex
	was map[[32]byte]outcome
}

func (m *memory) get(k [32]byte) (outcome, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.was[k]
	return o, ok
}

func (m *memory) put(k [32]byte, o outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.was[k] = o
}

// do runs a turn of one message. A crash comes after the commit, before anything
// that follows from it.
func (w *world) do(i int, msg any, crash bool) error {
	n := &w.nodes[i]
	k := journal.H("turn", []byte{byte(i)}, n.digest[:], binary.BigEndian.AppendUint64(nil, n.watches), name(msg))
	o, ok := w.memory.get(k)
	if !ok {
		o = w.turn(i, msg)
		w.memory.put(k, o)
	}
	if o.err != nil {
		return o.err
	}
	*n = o.node
	if crash {
		return w.restart(i)
	}
	for _, e := range o.effects {
		if err := w.execute(i, e); err != nil {
			return err
		}
	}
	return nil
}

// name tells messages apart.
func name(msg any) []byte {
	switch x := msg.(type) {
	case coordinator.EntryIn:
		id := x.Entry.ID()
		return append([]byte("entry"), id[:]...)
	case coordinator.ChainIn:
		b := fmt.Appendf(nil, "chain %d %v %v %d", x.Notice.Kind, x.Notice.Block, x.Notice.Prev, x.Notice.Watches)
		for _, tx := range x.Notice.Txs {
			h := tx.WitnessHash()
			b = append(b, h[:]...)
		}
		return b
	}
	return fmt.Appendf(nil, "%T %+v", msg, msg)
}

// turn works out what comes of a message.
func (w *world) turn(i int, msg any) outcome {
	o := outcome{node: w.nodes[i]}
	var t *coordinator.Turn
	t = coordinator.NewTurn(o.node.m, w.shell(i, &t))
	if _, err := t.Take(msg); err != nil {
		return outcome{err: err}
	}
	var early error
	o.err = t.Finish(func(b coordinator.Batch) error { return o.node.disk.Commit(context.Background(), b) },
		func(m coordinator.Machine) { o.node.m = m },
		func(e coordinator.Effect) {
			if p, ok := e.(coordinator.Publish); ok && early == nil && !o.node.disk.holds(p.Entry.ID()) {
				early = violation("%s sends an entry before it is durable", w.Members[i].Name)
			}
			o.effects = append(o.effects, e)
		})
	if o.err = cmp.Or(o.err, early); o.err == nil {
		o.err = o.node.note(w.Members[i].Name)
	}
	return o
}

func (w *world) execute(i int, e coordinator.Effect) error {
	switch x := e.(type) {
	case coordinator.Broadcast:
		return w.broadcast(i, x.Tx)
	case coordinator.Follow:
		return w.follow(i)
	case coordinator.WatchScripts:
		w.nodes[i].watches++
		if err := w.do(i, coordinator.Watched{Call: w.nodes[i].watches}, false); err != nil {
			return err
		}
		return w.caughtUp(i)
	}
	return nil
}

// restart begins from what is on the disk.
func (w *world) restart(i int) error {
	n := &w.nodes[i]
	k := journal.H("restart", []byte{byte(i)}, n.digest[:])
	o, ok := w.memory.get(k)
	if !ok {
		o.node = *n
		var err error
		if o.node.m, err = coordinator.Load(context.Background(), &o.node.disk, w.Members[i].Self, w.Group); err != nil {
			o.err = violation("%s does not start again: %v", w.Members[i].Name, err)
		} else {
			o.node.watches = 0
			o.err = o.node.note(w.Members[i].Name)
		}
		w.memory.put(k, o)
	}
	if o.err != nil {
		return o.err
	}
	*n = o.node
	return w.do(i, coordinator.Started{}, false)
}

// follow shows a node what it has not seen of the chain.
func (w *world) follow(i int) error {
	seen := w.nodes[i].m.View.Tip()
	for _, b := range w.chain.blocks {
		if b.ref.Height > seen.Height {
			if err := w.connect(i, b); err != nil {
				return err
			}
		}
	}
	if err := w.see(i, w.chain.mempool); err != nil {
		return err
	}
	return w.caughtUp(i)
}

func (w *world) connect(i int, b block) error {
	return w.do(i, coordinator.ChainIn{Notice: coordinator.ChainNotice{Kind: coordinator.Connected, Block: b.ref, Prev: b.prev, Txs: b.txs}}, false)
}

func (w *world) see(i int, txs []*wire.MsgTx) error {
	if len(txs) == 0 {
		return nil
	}
	return w.do(i, coordinator.ChainIn{Notice: coordinator.ChainNotice{Kind: coordinator.Seen, Txs: txs}}, false)
}

func (w *world) caughtUp(i int) error {
	return w.do(i, coordinator.ChainIn{Notice: coordinator.ChainNotice{Kind: coordinator.CaughtUp, Watches: w.nodes[i].watches}}, false)
}

// broadcast hands a transaction to the network, which shows it to all.
func (w *world) broadcast(i int, tx *wire.MsgTx) error {
	if err := w.final(i, tx); err != nil {
		return err
	}
	known := w.chain.confirmed(tx.TxHash()) || slices.ContainsFunc(w.chain.mempool, func(x *wire.MsgTx) bool { return x.TxHash() == tx.TxHash() })
	var refused error
	if !known {
		if !w.chain.accept(tx, func(x *wire.MsgTx) int64 { return w.fee(i, x) }) {
			refused = fmt.Errorf("%w: conflict", coordinator.ErrTxRejected)
		}
	}
	if err := w.do(i, coordinator.Broadcasted{TxID: tx.TxHash(), Err: refused}, false); err != nil {
		return err
	}
	if known || refused != nil {
		return nil
	}
	for j := range w.nodes {
		if err := w.see(j, []*wire.MsgTx{tx}); err != nil {
			return err
		}
	}
	return nil
}

// prev is an output that a node knows of.
func (w *world) prev(i int, o wire.OutPoint) (wallet.Output, bool) {
	t, ok := w.nodes[i].m.View.Tx(o.Hash)
	if !ok || int(o.Index) >= len(t.Tx.TxOut) {
		return wallet.Output{}, false
	}
	out := t.Tx.TxOut[o.Index]
	return wallet.Output{PkScript: out.PkScript, Amount: out.Value}, true
}

func (w *world) fee(i int, tx *wire.MsgTx) int64 {
	var fee int64
	for _, in := range tx.TxIn {
		o, _ := w.prev(i, in.PreviousOutPoint)
		fee += o.Amount
	}
	for _, o := range tx.TxOut {
		fee -= o.Value
	}
	return fee
}

// note works out the digest of a node.
func (n *node) note(name string) error {
	d, err := n.m.State.Digest()
	if err != nil {
		return violation("%s: digest: %v", name, err)
	}
	n.says = d
	raw := slices.Concat(d.Entries[:], d.Secrets[:], d.Says[:])
	for k := range n.disk.guard.All() {
		raw = append(raw, k...)
	}
	v := n.m.View
	tip := v.Tip()
	raw = fmt.Appendf(append(raw, tip.Hash[:]...), "synced %v", v.Synced())
	for _, p := range n.m.Proposals() {
		raw = fmt.Appendf(raw, "%x confirmed by %d seen %v", p.TxID, v.Confirmations(p.TxID), slices.Contains(v.Sighted(), p.TxID))
	}
	n.digest = journal.H("node", []byte(name), raw)
	return nil
}

// digest is the same for worlds in which the same can happen.
func (w *world) digest() [32]byte {
	var raw []byte
	for _, n := range w.nodes {
		raw = append(raw, n.digest[:]...)
	}
	tip := w.chain.tip()
	raw = append(raw, tip.Hash[:]...)
	for _, tx := range w.chain.mempool {
		h := tx.TxHash()
		raw = append(raw, h[:]...)
	}
	for _, e := range w.loose {
		id := e.ID()
		raw = append(raw, id[:]...)
	}
	return journal.H("world", raw, fmt.Append(nil, w.left))
}

// broken is a rule that does not hold.
type broken struct{ what string }

func (b *broken) Error() string { return b.what }

func violation(format string, args ...any) error { return &broken{fmt.Sprintf(format, args...)} }
