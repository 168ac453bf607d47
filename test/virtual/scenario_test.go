package virtual_test

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"

	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

func TestLateJoiner(t *testing.T) {
	inVirtualTime(t, 5, func(m *members) {
		m.start(0, 1, 2, 3)
		m.met(0, 1, 2, 3)
		for i := range 4 {
			m.write(i, 250)
		}
		m.all("four hold what they wrote", 0, 1, 2, 3)
		m.start(4)
		m.all("the late one holds it", 4)
		m.write(4, 1)
		m.all("all hold what the late one writes", upTo(5)...)
	})
}

// Everybody writes during a cut of one second, which ends no connection.
func TestCutOfASecond(t *testing.T) {
	inVirtualTime(t, 5, func(m *members) {
		m.start(upTo(5)...)
		m.met(upTo(5)...)
		m.cut(func(a, b int) bool { return a < 2 != (b < 2) })
		for i := range 5 {
			m.write(i, 10)
		}
		pass(time.Second)
		if held := m.in[0].Len(); held == m.total {
			t.Error("the cut carries entries")
		}
		m.heal()
		m.all("all hold the same again", upTo(5)...)
	})
}

// A cut that outlives every connection, and two sides that go on.
func TestCutOfTenMinutes(t *testing.T) {
	inVirtualTime(t, 5, func(m *members) {
		m.start(upTo(5)...)
		m.met(upTo(5)...)
		m.cut(func(a, b int) bool { return a < 2 != (b < 2) })
		pass(5 * time.Minute)
		for i := range 5 {
			m.write(i, 10)
		}
		pass(5 * time.Minute)
		if m.in[0].Len() != 20 || m.in[4].Len() != 30 {
			t.Errorf("the sides hold %d and %d entries", m.in[0].Len(), m.in[4].Len())
		}
		m.heal()
		m.all("all hold the same again", upTo(5)...)
	})
}

// One is off for three weeks, in which the others write much and are off too
// for most of the time.
func TestThreeWeeksOff(t *testing.T) {
	inVirtualTime(t, 3, func(m *members) {
		m.start(0, 1, 2)
		m.met(0, 1, 2)
		m.write(2, 1)
		m.all("all hold the first entry", 0, 1, 2)
		m.stop(2)
		for range 3 {
			m.stop(0)
			m.stop(1)
			pass(7 * 24 * time.Hour)
			for i := range 2 {
				m.out[i].Fill(t, m.in[i], 1600)
				m.total += 1600
			}
			m.start(0, 1)
			m.all("two are back and hold the same", 0, 1)
		}
		m.start(2)
		m.all("the third has caught up", 2)
	})
}

// No member reaches another but by way of a relay.
func TestRelayOnly(t *testing.T) {
	inVirtualTime(t, 4, func(m *members) {
		const at = 100
		allowed := p2p.RelayGroups{}
		for _, a := range m.link.Members {
			id, err := p2p.PeerID(a)
			if err != nil {
				t.Fatal(err)
			}
			allowed[""] = append(allowed[""], id.String())
		}
		r, err := p2p.NewRelay(p2p.RelayConfig{
			Identity: p2ptest.Identity(at + 1), Listen: []string{m.address(at)}, Allow: allowed,
			ExtraOptions: []libp2p.Option{m.place(fast)},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}()
		m.cut(func(a, b int) bool { return a != at && b != at })
		delete(m.link.Hints, m.link.Members[0])
		for i, a := range m.link.Members {
			id, err := p2p.PeerID(a)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				m.link.Hints[a] = []string{r.Addresses()[0] + "/p2p-circuit/p2p/" + id.String()}
			}
		}
		for i := range 4 {
			m.startWith(i, fast, r.Addresses())
		}
		m.met(upTo(4)...)
		for i, n := range m.nodes {
			for _, s := range n.Peers() {
				if !s.Relayed {
					t.Errorf("member %d reaches another without the relay: %+v", i, s)
				}
			}
		}
		for i := range 4 {
			m.write(i, 100)
		}
		m.all("all hold what all wrote", upTo(4)...)
	})
}

func TestTwentyMembers(t *testing.T) {
	inVirtualTime(t, 20, func(m *members) {
		m.start(upTo(20)...)
		m.met(upTo(20)...)
		for i := range 20 {
			m.write(i, 5)
		}
		m.all("all hold what all wrote", upTo(20)...)
	})
}

// One writes so much at once that pubsub loses a part.
func TestBurst(t *testing.T) {
	inVirtualTime(t, 5, func(m *members) {
		m.start(upTo(5)...)
		m.met(upTo(5)...)
		m.write(0, 5000)
		m.write(1, 1)
		m.all("all hold it", upTo(5)...)
	})
}

// One member has hardly any bandwidth: it makes nobody wait but itself.
func TestSlowMember(t *testing.T) {
	inVirtualTime(t, 5, func(m *members) {
		m.start(0, 1, 2, 3)
		m.startWith(4, 64_000, nil)
		m.met(upTo(5)...)
		for i := range 4 {
			m.write(i, 250)
		}
		m.all("the others hold what they wrote", 0, 1, 2, 3)
		m.all("the slow one holds it", 4)
		m.write(4, 1)
		m.all("all hold what the slow one writes", upTo(5)...)
	})
}
