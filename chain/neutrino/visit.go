package neutrino

import (
	"context"
	"crypto/rand"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/peer"
	"github.com/btcsuite/btcd/wire/v2"
)

// Times of a visit to one peer.
const (
	// askEvery is how often a peer is asked for the transaction.
	askEvery = 500 * time.Millisecond
	// gives is how often it is handed over: btcd may not be ready for what follows
	// its greeting at once.
	gives = 3
	// controlAfter is how much later a peer is told of what does not exist than of the
	// transaction. Bitcoin Core asks for both after the same time, 2 to 4 s; the rest is
	// for an answer that it waits for from another one whom it asked first.
	controlAfter = 3 * time.Second
)

// catchingUp is the lowest fee rate, in satoshis per 1,000 vbytes, that Bitcoin Core
// asks for while it takes no transactions at all: the largest step below 0.1 BTC.
const catchingUp = 9_000_000

// visit is a connection to one peer, about one transaction.
//
// What a peer has can be asked for, but Bitcoin Core gives only what was in its mempool
// before it last told this very connection of something new: on a quiet network that is
// never. So it is told of the transaction, as of one that this node has, and after it of
// one that does not exist. It asks for whatever it is told of and does not have. Whoever
// asks for the second and not for the first has the first, in its mempool or in a block.
// Whoever asks for the first although it was just given it did not take it.
//
// What was refused is remembered too, and not asked for, but by the hash with witnesses:
// a witness may be spoiled on its way. Here the transaction is told of by its id, which
// Bitcoin Core (since 0.21: node/txdownloadman_impl.cpp, AlreadyHaveTx and
// MempoolRejectedTx) only holds against it where the coins that it spends are not
// standard, or come from what was refused by its id: never those of a wallet here, whose
// transactions have witnesses. Other software (btcd) remembers refusals by id, and says
// why it refuses: it is only asked.
type visit struct {
	tx      *wire.MsgTx
	id      chainhash.Hash
	control chainhash.Hash

	version chan *wire.MsgVersion
	ready   chan struct{}
	shown   chan struct{}
	wanted  chan struct{} // it asks for the transaction
	fooled  chan struct{} // it asks for what does not exist
	refused chan string

	mu       sync.Mutex
	once     map[any]bool
	parents  map[chainhash.Hash]bool
	orphaned bool  // it asks for what the transaction spends
	floor    int64 // the least fee rate it takes, in satoshis per 1,000 vbytes
}

// visit connects to a peer, hands the transaction over if it is to, and finds out
// whether the peer has it. For what it does not say there are words.
func (b *Backend) visit(ctx context.Context, addr string, tx *wire.MsgTx, give bool) (knowledge, string) {
	v := &visit{
		tx: tx, id: tx.TxHash(), version: make(chan *wire.MsgVersion, 1),
		ready: make(chan struct{}), shown: make(chan struct{}), wanted: make(chan struct{}), fooled: make(chan struct{}), refused: make(chan string, 1),
		once: map[any]bool{}, parents: map[chainhash.Hash]bool{},
	}
	for _, in := range tx.TxIn {
		v.parents[in.PreviousOutPoint.Hash] = true
	}
	if _, err := rand.Read(v.control[:]); err != nil {
		return unmet, err.Error()
	}
	p, err := b.greet(ctx, addr, v)
	if err != nil {
		return unmet, err.Error()
	}
	defer p.Disconnect()
	if m := <-v.version; m.DisableRelayTx {
		return unmet, "it takes no transactions (blocksonly)"
	}
	return v.find(ctx, p, give)
}

// greet connects, with transaction relay, and waits for the peer's greeting.
func (b *Backend) greet(ctx context.Context, addr string, v *visit) (*peer.Peer, error) {
	p, err := peer.NewOutboundPeer(&peer.Config{
		UserAgentName: "neutrino", UserAgentVersion: "0.18.0", ChainParams: b.params,
		ProtocolVersion: wire.AddrV2Version, Listeners: v.listeners(), TrickleInterval: askEvery,
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
	p.AssociateConnection(&inspector{
		Conn: c, check: func(*wire.MsgCFilter) error { return nil },
		heavy: func(command string, payload []byte) error { return tooHeavy(command, payload, nil) },
	})
	select {
	case <-v.ready:
		return p, nil
	case <-ctx.Done():
		p.Disconnect()
		return nil, ctx.Err()
	}
}

// listeners react to what the peer says, each a bounded number of times: the library
// queues without a bound what is sent to it.
func (v *visit) listeners() peer.MessageListeners {
	return peer.MessageListeners{
		OnVersion: func(_ *peer.Peer, m *wire.MsgVersion) *wire.MsgReject {
			select {
			case v.version <- m:
			default:
			}
			return nil
		},
		OnVerAck: func(*peer.Peer, *wire.MsgVerAck) { v.close(v.ready) },
		OnTx: func(_ *peer.Peer, m *wire.MsgTx) {
			if m.WitnessHash() == v.tx.WitnessHash() {
				v.close(v.shown)
			}
		},
		OnReject: func(_ *peer.Peer, m *wire.MsgReject) {
			if m.Hash != v.id {
				return
			}
			select {
			case v.refused <- clean(m.Reason):
			default:
			}
		},
		OnFeeFilter: func(_ *peer.Peer, m *wire.MsgFeeFilter) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.floor = m.MinFee
		},
		OnGetData: v.asked,
	}
}

// close closes a channel the first time, and says whether it was that.
func (v *visit) close(c chan struct{}) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.once[c] {
		return false
	}
	v.once[c] = true
	close(c)
	return true
}

// asked says that what the peer asks for is not here: whether it was handed over
// before or not, it is not handed over for the question.
func (v *visit) asked(p *peer.Peer, m *wire.MsgGetData) {
	none := wire.NewMsgNotFound()
	for _, i := range m.InvList {
		if i.Type != wire.InvTypeTx && i.Type != wire.InvTypeWitnessTx {
			continue
		}
		switch i.Hash {
		case v.id:
			if v.close(v.wanted) {
				_ = none.AddInvVect(i)
			}
		case v.control:
			if v.close(v.fooled) {
				_ = none.AddInvVect(i)
			}
		default:
			v.mu.Lock()
			v.orphaned = v.orphaned || v.parents[i.Hash]
			v.mu.Unlock()
		}
	}
	if len(none.InvList) > 0 {
		p.QueueMessage(none, nil)
	}
}

// find asks, and tells, until it is known whether the peer has the transaction.
func (v *visit) find(ctx context.Context, p *peer.Peer, give bool) (knowledge, string) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	probe := asksForWhatItLacks(p) && v.tx.HasWitness()
	left := 0
	if give {
		if left = gives; probe {
			left = 1
		}
	}
	var control <-chan time.Time
	if probe {
		control = time.After(controlAfter)
	}
	gone := make(chan struct{})
	go func() {
		p.WaitForDisconnect()
		close(gone)
	}()
	refused, wanted, fooled := v.refused, v.wanted, v.fooled
	for n := 0; ; n++ {
		if n < left {
			p.QueueMessageWithEncoding(v.tx, nil, wire.WitnessEncoding)
		}
		if n == 0 && probe {
			v.announce(p, v.id) // after the transaction itself: it is looked at first
		}
		v.ask(p)
	wait:
		select {
		case <-v.shown:
			return has, ""
		case why := <-refused:
			if alreadyHeld(why) {
				left, refused = 0, nil // it may have it from another one: it has to show it
				break wait
			}
			return refuses, "says: " + why
		case <-wanted:
			if !give {
				// It may come to have it, and then show it.
				wanted, fooled, control = nil, nil, nil
				break wait
			}
			return refuses, v.notTaken()
		case <-fooled:
			select {
			case <-v.wanted:
				fooled = nil // both were asked for
				break wait
			default:
			}
			if v.incomplete() {
				return unknown, v.notTaken()
			}
			return has, ""
		case <-control:
			v.announce(p, v.control)
			control = nil
			break wait
		case <-gone:
			return unknown, "it ended the connection"
		case <-ctx.Done():
			return unknown, v.silence(p)
		case <-tick.C:
		}
	}
}

// asksForWhatItLacks says whether a peer is Bitcoin Core, or made of it, of a version
// that remembers refusals by the hash with witnesses.
func asksForWhatItLacks(p *peer.Peer) bool {
	return strings.HasPrefix(p.UserAgent(), "/Satoshi:") && p.ProtocolVersion() >= wire.AddrV2Version
}

func (v *visit) announce(p *peer.Peer, id chainhash.Hash) {
	m := wire.NewMsgInvSizeHint(1)
	_ = m.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &id))
	p.QueueMessage(m, nil)
}

func (v *visit) ask(p *peer.Peer) {
	m := wire.NewMsgGetDataSizeHint(1)
	_ = m.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessTx, &v.id))
	p.QueueMessage(m, nil)
}

func (v *visit) incomplete() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.orphaned
}

// notTaken is why a peer that was given the transaction does not have it, as far as
// that shows.
func (v *visit) notTaken() string {
	if v.incomplete() {
		return "it does not know what the transaction spends, or holds it for spent"
	}
	return "it did not take the transaction (too low a fee, a coin that is spent, or another rule of its own; it does not say)"
}

// silence is why nothing is known of a peer.
func (v *visit) silence(p *peer.Peer) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.floor >= catchingUp:
		return "it takes no transactions yet: it fetches the chain"
	case clean(p.UserAgent()) == "":
		return "it does not say whether it has it"
	}
	return "it (" + clean(p.UserAgent()) + ") does not say whether it has it"
}
