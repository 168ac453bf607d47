// Package corepeer is a Bitcoin peer for tests that treats transactions as Bitcoin
// Core does (net_processing.cpp, node/txdownloadman_impl.cpp), over real sockets: it
// sends no reject, tells of what is new in rounds, gives of its mempool only what was
// there before the last round that counted, and asks for what it was told of and does
// not have. Blocks, filters and the checks of a transaction are those of a btcd node
// behind it.
package corepeer

import (
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/chaintest/btcd"
)

// Rules are those of one version and its settings.
type Rules struct {
	// Lively: every round counts, as up to v30; else one that tells of something new.
	Lively bool
	// Round is the mean time between rounds; 0 for that of inbound peers.
	Round time.Duration
	// Agent is the user agent, "" for that of 31.99.
	Agent string
	// BlocksOnly takes no transactions; Syncing ignores them, as in the first download.
	BlocksOnly, Syncing bool
}

// Times of Bitcoin Core.
const (
	roundEvery = 5 * time.Second
	// Before what an inbound peer told of is asked for, and what was told of by txid.
	inboundDelay, txidDelay = 2 * time.Second, 2 * time.Second
	// inFlight is how long nobody else is asked for what one peer was.
	inFlight = time.Minute
	magic    = wire.TestNet // regtest's
)

// Peer is the fake. It is safe for concurrent use.
type Peer struct {
	// Addr is host:port for Bitcoin peers.
	Addr  string
	node  *btcd.Node
	rules Rules

	mu       sync.Mutex
	conns    map[*conn]bool
	pool     map[chainhash.Hash]entry // by txid
	sequence uint64
	rejects  map[chainhash.Hash]bool // by wtxid; of what has rejected parents by txid too
	orphans  map[chainhash.Hash]bool // by wtxid
	mined    map[chainhash.Hash]bool
	asked    map[chainhash.Hash]time.Time // in flight, and until when
	flight   map[chainhash.Hash]*conn
	next     time.Time // round of the inbound peers
	height   int32
	visits   map[chainhash.Hash]int // by txid: connections over which it was told of or given
}

type entry struct {
	tx       *wire.MsgTx
	sequence uint64
}

// conn is one inbound peer.
type conn struct {
	p      *Peer
	client net.Conn
	write  sync.Mutex

	// Under the peer's mutex.
	ready, relay bool
	last         uint64
	next         time.Time
	known        map[chainhash.Hash]bool
	news         []chainhash.Hash
	told         map[chainhash.Hash]time.Time // what to ask it for, and when
}

// Start serves connections on a loopback address, "127.0.0.1:0" for one that is free,
// until the test ends.
func Start(t testing.TB, node *btcd.Node, addr string, rules Rules) *Peer {
	t.Helper()
	if rules.Round == 0 {
		rules.Round = roundEvery
	}
	if rules.Agent == "" {
		rules.Agent = "/Satoshi:31.99.0/"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("cannot listen on %s: %v", addr, err)
	}
	p := &Peer{
		Addr: l.Addr().String(), node: node, rules: rules, conns: map[*conn]bool{}, pool: map[chainhash.Hash]entry{}, sequence: 1,
		rejects: map[chainhash.Hash]bool{}, orphans: map[chainhash.Hash]bool{}, mined: map[chainhash.Hash]bool{},
		asked: map[chainhash.Hash]time.Time{}, flight: map[chainhash.Hash]*conn{},
		visits: map[chainhash.Hash]int{},
	}
	var wg sync.WaitGroup
	ended := make(chan struct{})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c, ended) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		close(ended)
		wg.Wait()
	})
	return p
}

// Submit is sendrawtransaction of somebody else, or another peer that brings it: it
// returns why it was not taken.
func (p *Peer) Submit(tx *wire.MsgTx) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.take(tx, nil)
}

// Visits is over how many connections a transaction was told of or given, since they
// were last asked for.
func (p *Peer) Visits(id chainhash.Hash) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.visits[id]
	delete(p.visits, id)
	return n
}

// visited notes that a connection is about a transaction; under the peer's mutex.
func (c *conn) visited(id chainhash.Hash) {
	if !c.known[id] {
		c.p.visits[id]++
	}
}

// Has says whether a transaction is in the mempool.
func (p *Peer) Has(id chainhash.Hash) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refresh()
	_, ok := p.pool[id]
	return ok
}

// refresh follows what a block took out of the mempool. A new tip forgets what was refused.
func (p *Peer) refresh() {
	height, err := p.node.Height()
	if err != nil {
		return
	}
	ids, err := p.node.Mempool()
	if err != nil {
		return
	}
	there := map[chainhash.Hash]bool{}
	for _, id := range ids {
		there[id] = true
	}
	for id, e := range p.pool {
		if there[id] {
			continue
		}
		delete(p.pool, id)
		if height != p.height {
			p.mined[id], p.mined[e.tx.WitnessHash()] = true, true
		}
	}
	if height != p.height {
		p.height = height
		clear(p.rejects)
	}
}

// has is AlreadyHaveTx. Of a txid it knows only what is in the mempool, in a block,
// or can be refused without looking at witnesses.
func (p *Peer) has(hash chainhash.Hash) bool {
	_, pooled := p.pool[hash]
	if !pooled {
		for _, e := range p.pool {
			pooled = pooled || e.tx.WitnessHash() == hash
		}
	}
	return pooled || p.orphans[hash] || p.rejects[hash] || p.mined[hash]
}

// take is ProcessTransaction and what follows.
func (p *Peer) take(tx *wire.MsgTx, from *conn) error {
	p.refresh()
	id, wtxid := tx.TxHash(), tx.WitnessHash()
	delete(p.asked, id)
	if p.has(wtxid) {
		return nil
	}
	sequence := p.sequence
	err := p.node.Send(tx)
	switch {
	case err != nil && strings.Contains(err.Error(), "orphan"):
		var parents []chainhash.Hash
		for _, in := range tx.TxIn {
			parent := in.PreviousOutPoint.Hash
			if p.rejects[parent] {
				p.rejects[id], p.rejects[wtxid] = true, true
				return err
			}
			parents = append(parents, parent)
		}
		p.orphans[wtxid] = true
		p.forget(id)
		for _, parent := range parents {
			if from != nil && !p.has(parent) {
				from.told[parent] = time.Now().Add(inboundDelay + txidDelay)
			}
		}
	case err != nil:
		p.rejects[wtxid] = true
	default:
		p.pool[id] = entry{tx, sequence}
		p.sequence++
		p.forget(id)
		for c := range p.conns {
			if c.relay && !c.next.IsZero() {
				c.news = append(c.news, id)
			}
		}
	}
	return err
}

func (p *Peer) forget(id chainhash.Hash) {
	delete(p.asked, id)
	for c := range p.conns {
		delete(c.told, id)
	}
}

// in takes what the client says, and returns what is for btcd.
func (c *conn) in(m wire.Message) wire.Message {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m := m.(type) {
	case *wire.MsgVersion:
		c.relay = !m.DisableRelayTx
	case *wire.MsgVerAck:
		c.ready = true
	case *wire.MsgWTxIdRelay, *wire.MsgFeeFilter:
		return nil
	case *wire.MsgMemPool: // without NODE_BLOOM
		_ = c.client.Close()
		return nil
	case *wire.MsgTx:
		if p.rules.BlocksOnly {
			_ = c.client.Close()
			return nil
		}
		c.visited(m.TxHash())
		if c.known[m.TxHash()] = true; !p.rules.Syncing {
			_ = p.take(m, c)
		}
		return nil
	case *wire.MsgNotFound:
		for _, v := range m.InvList {
			delete(p.asked, v.Hash)
		}
		return nil
	case *wire.MsgInv:
		return c.announced(m)
	case *wire.MsgGetData:
		return c.request(m)
	}
	return m
}

func (c *conn) announced(m *wire.MsgInv) wire.Message {
	p := c.p
	p.refresh()
	rest := wire.NewMsgInv()
	for _, v := range m.InvList {
		switch {
		case !ofTx(v):
			_ = rest.AddInvVect(v)
		case p.rules.BlocksOnly:
			_ = c.client.Close()
			return nil
		default:
			c.visited(v.Hash)
			if c.known[v.Hash] = true; !p.rules.Syncing && !p.has(v.Hash) {
				c.told[v.Hash] = time.Now().Add(inboundDelay + txidDelay)
			}
		}
	}
	if len(rest.InvList) == 0 {
		return nil
	}
	return rest
}

// request is ProcessGetData and FindTxForGetData.
func (c *conn) request(m *wire.MsgGetData) wire.Message {
	p := c.p
	p.refresh()
	rest, none := wire.NewMsgGetData(), wire.NewMsgNotFound()
	for _, v := range m.InvList {
		if !ofTx(v) {
			_ = rest.AddInvVect(v)
			continue
		}
		if !c.relay {
			continue
		}
		if e, ok := p.pool[v.Hash]; ok && e.sequence < c.last {
			_ = c.send(e.tx)
		} else {
			_ = none.AddInvVect(v)
		}
	}
	if len(none.InvList) > 0 {
		_ = c.send(none)
	}
	if len(rest.InvList) == 0 {
		return nil
	}
	return rest
}

// due is SendMessages: what is to be told and asked for now.
func (c *conn) due() (out []wire.Message) {
	p, now := c.p, time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !c.ready {
		return nil
	}
	if c.next.IsZero() {
		c.next = p.round(now)
		rate := int64(100)
		if p.rules.Syncing {
			rate = 9_170_997 // the largest that it rounds to
		}
		if !p.rules.BlocksOnly {
			out = append(out, wire.NewMsgFeeFilter(rate))
		}
	}
	if c.next.Before(now) {
		c.next = p.round(now)
		inv := wire.NewMsgInv()
		for _, id := range c.news {
			if _, pooled := p.pool[id]; pooled && !c.known[id] {
				c.known[id] = true
				_ = inv.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &id))
			}
		}
		if p.rules.Lively || len(c.news) > 0 {
			c.last = p.sequence
		}
		if c.news = nil; len(inv.InvList) > 0 {
			out = append(out, inv)
		}
	}
	get := wire.NewMsgGetData()
	for id, at := range c.told {
		if at.After(now) || p.asked[id].After(now) {
			continue
		}
		if delete(c.told, id); !p.has(id) {
			p.asked[id], p.flight[id] = now.Add(inFlight), c
			_ = get.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessTx, &id))
		}
	}
	if len(get.InvList) > 0 {
		out = append(out, get)
	}
	return out
}

// round is NextInvToInbounds: all of them share one.
func (p *Peer) round(now time.Time) time.Time {
	if p.next.Before(now) {
		p.next = now.Add(time.Duration(rand.ExpFloat64() * float64(p.rules.Round)))
	}
	return p.next
}

func ofTx(v *wire.InvVect) bool {
	return v.Type == wire.InvTypeTx || v.Type == wire.InvTypeWitnessTx
}
