package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
)

// relay is a running `quorate relay`.
type relay struct {
	t         testing.TB
	dir       string
	allow     string // the file of who may use it
	listen    []string
	addresses []string
	peerID    string
	metrics   string

	cmd  *exec.Cmd
	done chan struct{}
	log  syncBuffer
}

// newRelay starts a relay that nobody may use yet. It speaks TCP alone, where the
// end of its process shows at once: QUIC takes up to 30 s to miss a peer.
func newRelay(t testing.TB) *relay {
	t.Helper()
	dir, err := os.MkdirTemp(world.dir, "relay-")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, dir: dir, allow: filepath.Join(dir, "allowed"), listen: []string{"/ip4/127.0.0.1/tcp/0"}}
	if err := os.WriteFile(r.allow, []byte("# nobody yet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.kill9()
		if t.Failed() {
			t.Logf("log of the relay %s:\n%s", r.peerID, r.log.String())
		}
	})
	return r.start()
}

func (r *relay) start() *relay {
	r.t.Helper()
	r.cmd = exec.Command(world.binary, "--data-dir", r.dir, "relay", "--json", "--allow-file", r.allow,
		"--listen", strings.Join(r.listen, ","), "--metrics", "127.0.0.1:0")
	r.cmd.Env = environ()
	r.cmd.Stderr = &r.log
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.done = make(chan struct{})
	type ready struct {
		Ready     bool
		PeerID    string `json:"peer_id"`
		Addresses []string
		Metrics   string
	}
	said := make(chan ready, 1)
	go func(cmd *exec.Cmd, done chan struct{}) {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var v ready
			if json.Unmarshal(lines.Bytes(), &v) == nil && v.Ready {
				said <- v
			}
		}
		// How it ended is in ProcessState.
		_ = cmd.Wait()
		close(done)
	}(r.cmd, r.done)
	select {
	case v := <-said:
		if r.peerID != "" && v.PeerID != r.peerID {
			r.t.Fatalf("the relay is %s, and was %s", v.PeerID, r.peerID)
		}
		r.peerID, r.addresses, r.metrics, r.listen = v.PeerID, v.Addresses, v.Metrics, nil
		for _, a := range v.Addresses {
			r.listen = append(r.listen, a[:strings.Index(a, "/p2p/")])
		}
	case <-r.done:
		r.t.Fatalf("the relay ended before it was ready: %v\n%s", r.cmd.ProcessState, r.log.String())
	case <-time.After(patience):
		r.t.Fatal("the relay did not become ready")
	}
	return r
}

func (r *relay) kill9() {
	if r.cmd == nil {
		return
	}
	// It may have ended by itself.
	_ = r.cmd.Process.Kill()
	<-r.done
	r.cmd = nil
}

// stop ends the process in order.
func (r *relay) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	<-r.done
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		r.t.Fatalf("the relay stopped with exit status %d", code)
	}
	r.cmd = nil
}

// reserved waits until so many nodes have a place at the relay.
func (r *relay) reserved(nodes int) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d nodes have a place at the relay %s", nodes, r.peerID), func() bool {
		resp, err := http.Get("http://" + r.metrics + "/metrics")
		if err != nil {
			r.t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			r.t.Fatal(err)
		}
		return strings.Contains(string(b), fmt.Sprintf("\nquorate_relay_reservations %d\n", nodes))
	})
}

// serve names the nodes on the relay's list.
func (r *relay) serve(nodes ...*node) {
	r.t.Helper()
	text := "[treasury]\n"
	for _, n := range nodes {
		text += n.health().PeerID + "  " + n.name + "\n"
	}
	if err := os.WriteFile(r.allow, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
}

// newHidden is a node that listens nowhere: others reach it at relays alone.
func newHidden(t testing.TB, name string, relays ...*relay) *node {
	t.Helper()
	n := newNode(t, name)
	path := filepath.Join(n.dir, "config.toml")
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
	return n.start()
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
	groupOf(t, 2, nodes...).fund(30_000_000, 30_000_000, 30_000_000)
	a, b := nodes[0], nodes[1]
	spend := func(what string) {
		t.Helper()
		began := time.Now()
		p := ask[api.Proposed](a, pay(t, 20_000_000)...)
		b.reaches(p.Proposal, api.StatusPending)
		ask[api.Proposal](b, "approve", p.Proposal)
		confirmed(t, p.Proposal, a, b)
		t.Logf("%s: %v", what, time.Since(began).Round(time.Millisecond))
	}
	relayed := func() {
		t.Helper()
		for _, n := range nodes {
			eventually(t, n.name+" is connected over a relay", func() bool {
				page, err := n.client.Peers(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				return len(page) == 1 && page[0].Connected && page[0].Relayed
			})
		}
	}
	relayed()
	spend("two relays")
	one.kill9()
	spend("the first relay was killed")
	relayed()
	one.start()
	one.reserved(2)
	two.kill9()
	spend("the second relay was killed, the first is back")
	relayed()
	one.stop()
	for _, n := range nodes {
		n.stop()
	}
}
