package e2e_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/keystore"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/wallet"
)

// stranger is a libp2p host without any check of its own. It speaks pubsub and
// the sync protocol from their description.
type stranger struct {
	t    testing.TB
	id   *journal.Identity
	host host.Host
	ps   *pubsub.PubSub
}

func newStranger(t testing.TB, id *journal.Identity) *stranger {
	t.Helper()
	seed := id.Seed()
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	h, err := libp2p.New(libp2p.Identity(key), libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	quiet := slog.New(slog.DiscardHandler)
	ps, err := pubsub.NewGossipSub(ctx, h, pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(), pubsub.WithFloodPublish(true), pubsub.WithMaxMessageSize(4<<20),
		pubsub.WithLogger(quiet), pubsub.WithRPCLogger(quiet),
		pubsub.WithMessageIdFn(func(m *pb.Message) string {
			sum := sha256.Sum256(m.GetData())
			return string(sum[:])
		}))
	if err != nil {
		t.Fatal(err)
	}
	return &stranger{t: t, id: id, host: h, ps: ps}
}

// addressOf is where a running node says that it is reached.
func addressOf(t testing.TB, n *node) peer.AddrInfo {
	t.Helper()
	s, err := n.Client.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var addrs []ma.Multiaddr
	for _, a := range s.Addresses {
		addrs = append(addrs, ma.StringCast(a))
	}
	infos, err := peer.AddrInfosFromP2pAddrs(addrs...)
	if err != nil || len(infos) != 1 {
		t.Fatalf("addresses of %s: %v, %v", n.Name, s.Addresses, err)
	}
	return infos[0]
}

// impostor is cosigner C after its owner turned: it has all of C's secrets and
// keeps none of the rules.
type impostor struct {
	*stranger
	secrets keystore.Content
	machine coordinator.Machine // as C's node left it
	epoch   journal.Epoch
	account *wallet.AccountKey
	topic   *pubsub.Topic

	mu    sync.Mutex
	next  journal.Next
	mine  map[journal.EntryID]*journal.Entry // what it wrote
	order []*journal.Entry                   // of these, its one chain
	lie   []byte                             // served once, instead of the next entry asked for
}

// impersonate opens the data directory of a node that was stopped.
func impersonate(t testing.TB, n *node, hex string) *impostor {
	t.Helper()
	content, err := keystore.Open(filepath.Join(n.Dir, "keystore"), []byte("correct horse battery staple"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(n.Dir, "db"), content.DatabaseKey[:], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var id journal.GroupID
	if err := id.UnmarshalText([]byte(hex)); err != nil {
		t.Fatal(err)
	}
	sealing, err := journal.NewSealingKey(content.SealingSeed)
	if err != nil {
		t.Fatal(err)
	}
	self := &group.Self{Identity: journal.NewIdentity(content.IdentitySeed), Sealing: sealing, Verified: wallet.NewSigCache(1024)}
	x := &impostor{secrets: content, mine: map[journal.EntryID]*journal.Entry{}}
	if x.machine, err = coordinator.Load(context.Background(), db, self, id); err != nil {
		t.Fatal(err)
	}
	ok := false
	if x.epoch, ok = x.machine.State.Epoch(); !ok || x.epoch.Number == 0 {
		t.Fatalf("C holds no current epoch: %v", x.epoch)
	}
	seed, err := wallet.MnemonicSeed(content.Mnemonic, "")
	if err != nil {
		t.Fatal(err)
	}
	if x.account, err = wallet.DeriveAccount(seed, wallet.Regtest, wallet.ScriptWSH, 0); err != nil {
		t.Fatal(err)
	}
	x.next = x.machine.State.Chains().Next(x.chain(self.Identity))
	x.stranger = newStranger(t, self.Identity)
	x.host.SetStreamHandler(p2p.SyncProtocol, func(s network.Stream) {
		defer func() { _ = s.Close() }()
		x.serve(s)
	})
	return x
}

func (x *impostor) chain(id *journal.Identity) journal.ChainKey {
	return journal.ChainKey{Author: id.Author(), Incarnation: 1}
}

// meet connects to nodes and waits until they are on the topic.
func (x *impostor) meet(nodes ...*node) {
	x.t.Helper()
	var err error
	if x.topic == nil {
		if x.topic, err = x.ps.Join(x.epoch.Topic()); err != nil {
			x.t.Fatal(err)
		}
		if _, err = x.topic.Subscribe(); err != nil {
			x.t.Fatal(err)
		}
	}
	for _, n := range nodes {
		to := addressOf(x.t, n)
		world.Eventually(x.t, n.Name+" lets C in", func() bool {
			return x.host.Connect(context.Background(), to) == nil
		})
	}
	world.Eventually(x.t, "the others are on the topic", func() bool { return len(x.topic.ListPeers()) == len(nodes) })
}

// publish sends any bytes on the topic of the group.
func (x *impostor) publish(raw []byte) {
	x.t.Helper()
	if err := x.topic.Publish(context.Background(), raw); err != nil {
		x.t.Fatal(err)
	}
}

// seal makes an entry of C's at a place of its chain.
func (x *impostor) seal(at journal.Next, body event.Body) *journal.Entry {
	x.t.Helper()
	event, err := event.Encode(event.Event{Time: 1, Body: body})
	if err != nil {
		x.t.Fatal(err)
	}
	return x.sealBytes(at, event)
}

func (x *impostor) sealBytes(at journal.Next, event []byte) *journal.Entry {
	x.t.Helper()
	var nonce [24]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		x.t.Fatal(err)
	}
	e, err := journal.Seal(x.id, x.epoch, at, event, nonce)
	if err != nil {
		x.t.Fatal(err)
	}
	return e
}

// write seals the next entry of the chain, and publishes it.
func (x *impostor) write(body event.Body) *journal.Entry {
	x.t.Helper()
	e := x.seal(x.next, body)
	x.append(e)
	x.publish(e.Bytes())
	return e
}

func (x *impostor) append(e *journal.Entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mine[e.ID()] = e
	x.order = append(x.order, e)
	x.next = journal.Next{Incarnation: 1, Seq: e.Header().Seq + 1, Prev: e.ID()}
}

// serve answers a sync stream: with what C wrote, or with the lie.
func (x *impostor) serve(s io.ReadWriter) {
	f, err := p2ptest.ReadFrame(s)
	if err != nil || f.Kind() != p2ptest.KindHello {
		return
	}
	if _, err := s.Write(p2ptest.Encode(x.t, x.hello())); err != nil {
		return
	}
	for {
		f, err := p2ptest.ReadFrame(s)
		if err != nil {
			return
		}
		if _, err := s.Write(p2ptest.Encode(x.t, p2ptest.Frame{1: p2ptest.KindEntries, 8: x.answer(f)})); err != nil {
			return
		}
	}
}

// hello claims what C wrote, and one entry more while there is a lie to serve.
func (x *impostor) hello() p2ptest.Frame {
	x.mu.Lock()
	defer x.mu.Unlock()
	at := journal.Position{Seq: x.next.Seq - 1, ID: x.next.Prev}
	if x.lie != nil {
		at = journal.Position{Seq: x.next.Seq, ID: sha256.Sum256(x.lie)}
	}
	return p2ptest.Hello(x.epoch.Group, p2ptest.End(x.chain(x.id), at.Seq, at.ID))
}

func (x *impostor) answer(f p2ptest.Frame) [][]byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := [][]byte{}
	asks, _ := f[6].([]any)
	for _, a := range asks {
		ask, _ := a.([]any)
		author, _ := ask[0].([]byte)
		from, _ := ask[2].(uint64)
		limit, _ := ask[3].(uint64)
		if string(author) != string(author32(x.id)) {
			continue
		}
		for _, e := range x.order {
			if e.Header().Seq >= from && uint64(len(out)) < limit {
				out = append(out, e.Bytes())
			}
		}
		if x.lie != nil && from == x.next.Seq {
			out, x.lie = append(out, x.lie), nil
		}
	}
	ids, _ := f[7].([]any)
	for _, i := range ids {
		id, _ := i.([]byte)
		if e, ok := x.mine[journal.EntryID(id)]; ok {
			out = append(out, e.Bytes())
		}
	}
	return out
}

func author32(id *journal.Identity) []byte {
	a := id.Author()
	return a[:]
}

// tell sends a hello to a node, which then syncs with C by itself, and gets bytes by it.
func (x *impostor) serveLie(to *node, raw []byte) {
	x.t.Helper()
	x.mu.Lock()
	x.lie = raw
	x.mu.Unlock()
	x.send(to, p2ptest.Encode(x.t, x.hello()))
}

// send writes bytes on a new sync stream.
func (x *impostor) send(to *node, b []byte) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := x.host.NewStream(ctx, addressOf(x.t, to).ID, p2p.SyncProtocol)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		x.t.Fatal(err)
	}
	if _, err := s.Write(b); err != nil {
		x.t.Fatal(err)
	}
}

// rejects is what a node counted against a peer.
func rejects(n *node, peerID string) map[string]uint64 {
	n.T.Helper()
	for _, p := range ask[api.Page[api.Peer]](n, "peers").Items {
		if p.PeerID == peerID {
			return p.Rejects
		}
	}
	n.T.Fatalf("%s does not list peer %s", n.Name, peerID)
	return nil
}

// counted waits until nodes have counted a rule against C, so many times at least.
func (x *impostor) counted(rule string, atLeast uint64, nodes ...*node) {
	x.t.Helper()
	for _, n := range nodes {
		world.Eventually(x.t, n.Name+" counts "+rule, func() bool { return rejects(n, x.host.ID().String())[rule] >= atLeast })
	}
}

// names joins the names of a proposal's approvers.
func names(p api.Proposal) string {
	var out []string
	for _, a := range p.Approvals {
		out = append(out, a.Cosigner.Name)
	}
	return strings.Join(out, " ")
}
