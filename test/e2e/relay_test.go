package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/test/nodes"
)

// relay is a running `quorate relay`.
type relay struct {
	*nodes.Daemon
	allow     string // the file of who may use it
	listen    []string
	addresses []string
	peerID    string
	metrics   string
}

// newRelay starts a relay that nobody may use yet. It speaks TCP alone, where the
// end of its process shows at once: QUIC takes up to 30 s to miss a peer.
func newRelay(t testing.TB) *relay {
	t.Helper()
	d := world.Daemon(t, nodes.Config{Name: "relay", Dir: world.TempDir(t, "relay")})
	r := &relay{Daemon: d, allow: filepath.Join(d.Dir, "allowed"), listen: []string{"/ip4/127.0.0.1/tcp/0"}}
	if err := os.WriteFile(r.allow, []byte("# nobody yet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return r.start()
}

func (r *relay) start() *relay {
	r.T.Helper()
	var said struct {
		PeerID    string `json:"peer_id"`
		Addresses []string
		Metrics   string
	}
	line := r.Up("relay", "--json", "--allow-file", r.allow, "--listen", strings.Join(r.listen, ","), "--metrics", "127.0.0.1:0")
	if err := json.Unmarshal(line, &said); err != nil {
		r.T.Fatal(err)
	}
	if r.peerID != "" && said.PeerID != r.peerID {
		r.T.Fatalf("the relay is %s, and was %s", said.PeerID, r.peerID)
	}
	r.peerID, r.addresses, r.metrics, r.listen = said.PeerID, said.Addresses, said.Metrics, nil
	for _, a := range said.Addresses {
		r.listen = append(r.listen, a[:strings.Index(a, "/p2p/")])
	}
	return r
}

// reserved waits until so many nodes have a place at the relay.
func (r *relay) reserved(nodes int) {
	r.T.Helper()
	world.Eventually(r.T, fmt.Sprintf("%d nodes have a place at the relay %s", nodes, r.peerID), func() bool {
		resp, err := http.Get("http://" + r.metrics + "/metrics")
		if err != nil {
			r.T.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			r.T.Fatal(err)
		}
		return strings.Contains(string(b), fmt.Sprintf("\nquorate_relay_reservations %d\n", nodes))
	})
}

// serve names the nodes on the relay's list.
func (r *relay) serve(all ...*node) {
	r.T.Helper()
	text := "[treasury]\n"
	for _, n := range all {
		text += n.Health().PeerID + "  " + n.Name + "\n"
	}
	if err := os.WriteFile(r.allow, []byte(text), 0o600); err != nil {
		r.T.Fatal(err)
	}
	r.Signal(syscall.SIGHUP)
}

// newHidden is a node that listens nowhere: others reach it at relays alone.
func newHidden(t testing.TB, name string, relays ...*relay) *node {
	t.Helper()
	n := newNode(t, name)
	path := filepath.Join(n.Dir, "config.toml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, r := range relays {
		addrs = append(addrs, r.addresses...)
	}
	text := string(b)
	for key, list := range map[string][]string{"listen": {}, "relays": addrs} {
		quoted, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		line := regexp.MustCompile(`(?m)^#? ?` + key + ` = .*$`)
		at := line.FindStringIndex(text) // the first one: api and metrics have a listen of their own
		if at == nil {
			t.Fatalf("config.toml has no %s:\n%s", key, text)
		}
		text = text[:at[0]] + key + " = " + string(quoted) + text[at[1]:]
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return n.Start()
}

// Cosigners who can be reached nowhere meet at relays: the ceremony, a spend,
// the same when one of two relays is killed, and when it is back and the other
// one is.
func TestSpendOverRelays(t *testing.T) {
	one, two := newRelay(t), newRelay(t)
	var nodes []*node
	for i := range 2 {
		nodes = append(nodes, newHidden(t, fmt.Sprintf("hidden-%d", i), one, two))
	}
	for _, r := range []*relay{one, two} {
		r.serve(nodes...)
	}
	for _, r := range []*relay{one, two} {
		r.reserved(2)
	}
	groupOf(t, 2, nodes...).Fund(30_000_000, 30_000_000, 30_000_000)
	a, b := nodes[0], nodes[1]
	spend := func(what string) {
		t.Helper()
		began := time.Now()
		p := ask[api.Proposed](a, pay(t, 20_000_000)...)
		b.Reaches(p.Proposal, api.StatusPending)
		ask[api.Proposal](b, "approve", p.Proposal)
		world.Confirmed(t, p.Proposal, a, b)
		t.Logf("%s: %v", what, time.Since(began).Round(time.Millisecond))
	}
	relayed := func() {
		t.Helper()
		for _, n := range nodes {
			world.Eventually(t, n.Name+" is connected over a relay", func() bool {
				page, err := n.Client.Peers(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				return len(page) == 1 && page[0].Connected && page[0].Relayed
			})
		}
	}
	relayed()
	spend("two relays")
	one.Kill()
	spend("the first relay was killed")
	relayed()
	one.start()
	one.reserved(2)
	two.Kill()
	spend("the second relay was killed, the first is back")
	relayed()
	one.Stop()
	for _, n := range nodes {
		n.Stop()
	}
}
