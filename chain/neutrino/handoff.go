package neutrino

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/peer"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// Times and numbers of handing a transaction over.
const (
	// handTo is how many peers get a transaction; one more is asked for it.
	handTo = 3
	// seenTime is how long it may take until a peer has it: Bitcoin Core tells
	// a new connection of its mempool only after some seconds.
	seenTime = 20 * time.Second
	askEvery = 500 * time.Millisecond
)

// Broadcast hands a transaction to some peers, each over a connection of its
// own, and asks another one for it (or, if there is but one, the same over
// another connection). It returns nil when that one has it,
// port.ErrTxRejected when every peer that said something refused it, and
// port.ErrNotSeen when none has it yet: the network may take it all the same.
func (b *Backend) Broadcast(ctx context.Context, tx *wire.MsgTx) error {
	// One that is on its way is not sent twice at a time.
	_, err, _ := b.asking.Do("send"+tx.WitnessHash().String(), func() (any, error) { return nil, b.broadcast(ctx, tx) })
	return err
}

func (b *Backend) broadcast(ctx context.Context, tx *wire.MsgTx) error {
	cs, err := b.service()
	if err != nil {
		return err
	}
	var addrs []string
	for _, p := range cs.Peers() {
		if p.Connected() {
			addrs = append(addrs, p.Addr())
		}
	}
	if len(addrs) == 0 {
		return b.noPeers()
	}
	rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	ctx, cancel := context.WithTimeout(ctx, seenTime)
	defer cancel()
	h := &handoff{id: tx.TxHash(), wtxid: tx.WitnessHash(), seen: make(chan struct{}), refused: map[string]string{}}
	defer h.close()
	// Each in a goroutine: a peer that does not answer keeps nobody waiting.
	asked, given := addrs[0], addrs[min(1, len(addrs)-1):]
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { b.ask(ctx, h, asked) })
	for _, addr := range given[:min(handTo, len(given))] {
		wg.Go(func() { b.give(ctx, h, addr, tx) })
	}
	settled := make(chan struct{})
	go func() {
		wg.Wait()
		close(settled)
	}()
	select {
	case <-h.seen:
		return nil
	case <-ctx.Done():
	case <-settled:
		select {
		case <-h.seen:
			return nil
		default:
		}
	}
	return h.outcome()
}

// handoff is one transaction on its way.
type handoff struct {
	id, wtxid chainhash.Hash

	mu      sync.Mutex
	once    sync.Once
	seen    chan struct{}
	given   int
	refused map[string]string // by peer
	failed  string
	peers   []*peer.Peer
}

func (h *handoff) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.peers {
		p.Disconnect()
	}
}

func (h *handoff) outcome() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.given > 0 && len(h.refused) == h.given {
		for addr, why := range h.refused {
			return fmt.Errorf("%w: %s says: %s", port.ErrTxRejected, addr, why)
		}
	}
	if h.given == 0 && h.failed != "" {
		return errors.New("hand the transaction over: " + h.failed)
	}
	return fmt.Errorf("%w: handed to %d Bitcoin peers", port.ErrNotSeen, h.given)
}

// meet connects to a peer, with transaction relay, and waits for its greeting.
func (b *Backend) meet(ctx context.Context, h *handoff, addr string, l peer.MessageListeners) (*peer.Peer, error) {
	ready := make(chan struct{})
	var once sync.Once
	l.OnVerAck = func(*peer.Peer, *wire.MsgVerAck) { once.Do(func() { close(ready) }) }
	p, err := peer.NewOutboundPeer(&peer.Config{
		UserAgentName: "neutrino", UserAgentVersion: "0.18.0", ChainParams: b.params,
		ProtocolVersion: wire.AddrV2Version, Listeners: l, TrickleInterval: askEvery,
		// Without it a node would read the transaction as one without witnesses.
		Services: wire.SFNodeWitness,
	}, addr)
	if err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.peers = append(h.peers, p)
	h.mu.Unlock()
	p.AssociateConnection(&inspector{
		Conn: c, check: func(*wire.MsgCFilter) error { return nil },
		heavy: func(command string, payload []byte) error { return tooHeavy(command, payload, nil) },
	})
	select {
	case <-ready:
		return p, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// give sends the transaction and waits for a refusal, which not every peer
// sends. It sends it again until it is seen: a peer may not be ready for what
// follows its greeting at once.
func (b *Backend) give(ctx context.Context, h *handoff, addr string, tx *wire.MsgTx) {
	refused := make(chan string, 1)
	p, err := b.meet(ctx, h, addr, peer.MessageListeners{
		OnReject: func(_ *peer.Peer, m *wire.MsgReject) {
			if m.Hash != h.id {
				return
			}
			select {
			case refused <- clean(m.Reason):
			default:
			}
		},
	})
	h.mu.Lock()
	if err != nil {
		h.failed = err.Error()
		h.mu.Unlock()
		return
	}
	h.given++
	h.mu.Unlock()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		p.QueueMessageWithEncoding(tx, nil, wire.WitnessEncoding)
		select {
		case why := <-refused:
			if alreadyHeld(why) {
				return // its own word, and it got it from us: another one has to show it
			}
			h.mu.Lock()
			h.refused[addr] = why
			h.mu.Unlock()
			return
		case <-h.seen:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ask asks a peer for the transaction until it has it. It does not react to what
// the peer announces: the library queues without a bound what is sent to it.
func (b *Backend) ask(ctx context.Context, h *handoff, addr string) {
	p, err := b.meet(ctx, h, addr, peer.MessageListeners{
		OnTx: func(_ *peer.Peer, m *wire.MsgTx) {
			if m.WitnessHash() == h.wtxid {
				h.once.Do(func() { close(h.seen) })
			}
		},
	})
	if err != nil {
		h.mu.Lock()
		h.failed = err.Error()
		h.mu.Unlock()
		return
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		p.QueueMessage(h.question(), nil)
		select {
		case <-h.seen:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if h.settled() {
			return
		}
	}
}

// settled says whether every peer that got it refused it.
func (h *handoff) settled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.given > 0 && len(h.refused) == h.given
}

func (h *handoff) question() *wire.MsgGetData {
	m := wire.NewMsgGetDataSizeHint(1)
	_ = m.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessTx, &h.id))
	return m
}

// alreadyHeld knows the words of btcd for a transaction that it has.
func alreadyHeld(why string) bool {
	return strings.Contains(why, "already have transaction") || strings.Contains(why, "already exists")
}

// clean makes what a peer says fit for one line of text.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 200)]
}
