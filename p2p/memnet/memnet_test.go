package memnet_test

import (
	"context"
	"io"
	"testing"

	"go.uber.org/goleak"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p/memnet"
	"github.com/quorate/quorate/p2p/p2ptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryNetwork runs the suite over the in-memory twin.
type memoryNetwork struct{ w *memnet.Network }

func (n memoryNetwork) Node(t testing.TB, id *journal.Identity, d port.Doorman) p2ptest.Peer {
	return n.node(t, id, d)
}

func (n memoryNetwork) node(t testing.TB, id *journal.Identity, d port.Doorman) *memnet.Node {
	t.Helper()
	m, err := memnet.New(n.w, id, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func (n memoryNetwork) Addresses(p2ptest.Peer) []string { return nil }

func (n memoryNetwork) Hostile(t testing.TB, id *journal.Identity) p2ptest.Hostile {
	return &memoryHostile{n.node(t, id, nil)}
}

func linkOf(g p2ptest.Group, members []journal.Author) port.GroupLink {
	return port.GroupLink{Group: g.ID(), Topics: []string{g.Epoch.Topic()}, Members: members}
}

type memoryHostile struct{ m *memnet.Node }

func (h *memoryHostile) Author() journal.Author { return h.m.Author() }

func (h *memoryHostile) Meet(t testing.TB, g p2ptest.Group, to p2ptest.Peer) {
	t.Helper()
	l := linkOf(g, []journal.Author{h.Author(), to.Author()})
	if err := h.m.Attach(context.Background(), l, p2ptest.NewInbox()); err != nil {
		t.Fatal(err)
	}
}

func (h *memoryHostile) Publish(_ testing.TB, topic string, raw []byte) { h.m.PublishRaw(topic, raw) }

func (h *memoryHostile) Open(to p2ptest.Peer) (io.ReadWriteCloser, error) {
	return h.m.OpenRaw(context.Background(), to.Author())
}

func (h *memoryHostile) Serve(f func(io.ReadWriteCloser)) { h.m.ServeRaw(f) }

func TestMemory(t *testing.T) {
	p2ptest.Run(t, func(testing.TB) p2ptest.Network { return memoryNetwork{memnet.NewNetwork()} })
}
