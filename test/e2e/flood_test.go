package e2e_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"golang.org/x/time/rate"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/p2p/p2ptest"
)

// What a flood by one member may take of a node. The bounds are generous: the
// figures are in the log.
const (
	floodRate       = 10_000    // entries a second, half of them valid
	largeEach       = 128       // one of so many valid ones is of the largest size
	floodRSS        = 512 << 20 // bytes
	floodDisk       = 512 << 20 // bytes, beyond what was there
	floodGoroutines = 2000
	floodFiles      = 512
)

// floodTime is how long the flood goes on.
func floodTime(t testing.TB) time.Duration {
	t.Helper()
	text := os.Getenv("QUORATE_FLOOD")
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("QUORATE_FLOOD: %v", err)
	}
	return d
}

// One member sends 10,000 entries a second, or as many as the machine can: valid ones, some of the largest
// size, and invalid ones, while it opens sync streams as fast as it can. The
// others go on to spend, and no node takes more than its bounds.
func TestFloodByAMember(t *testing.T) {
	var nodes []*node
	for i := range 3 {
		n := newNode(t, string(rune('a'+i)))
		configure(n, "metrics", "listen", `"127.0.0.1:0"`)
		nodes = append(nodes, n.Start())
	}
	a, b, c := nodes[0], nodes[1], nodes[2]
	g := groupOf(t, 2, nodes...).Fund(9_000_000, 9_000_000, 9_000_000, 9_000_000, 9_000_000, 9_000_000, 9_000_000, 9_000_000)
	c.Stop()
	x := &flooder{impostor: impersonate(t, c, g.ID)}
	x.host.SetStreamHandler(p2p.SyncProtocol, x.serveFast)
	x.meet(a, b)
	watch := []*usage{newUsage(t, a), newUsage(t, b)}

	long := floodTime(t)
	ready := x.prepare(int(min(long, 20*time.Second).Seconds() * floodRate / 2))
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	done := x.flood(ctx, ready, a, b)
	spends, slowest := 0, time.Duration(0)
	for ctx.Err() == nil && spends < 8 {
		began := time.Now()
		p := ask[api.Proposed](a, pay(t, 8_000_000+int64(spends)*1000)...)
		b.Reaches(p.Proposal, api.StatusPending)
		ask[api.Proposal](b, "approve", p.Proposal)
		for _, n := range nodes[:2] {
			n.Reaches(p.Proposal, api.StatusFinal, api.StatusBroadcast)
		}
		spends++
		slowest = max(slowest, time.Since(began))
		t.Logf("spend %d was final everywhere after %v", spends, time.Since(began).Round(time.Millisecond))
	}
	<-done
	if spends == 0 {
		t.Error("nothing was spent")
	}
	t.Logf("in %v: %d entries sent (%d of them valid, %d MiB), %d sync streams; %d spends, the slowest in %v",
		long, x.sent.Load(), x.valid.Load(), x.bytes.Load()>>20, x.streams.Load(), spends, slowest.Round(time.Millisecond))
	for _, u := range watch {
		t.Logf("%s counts against C: %v", u.n.Name, rejects(u.n, x.host.ID().String()))
	}
	for _, n := range nodes[:2] {
		world.Eventually(t, n.Name+" takes the rest of the flood later", func() bool { return strings.Contains(n.Log.String(), "beyond its allowance") })
	}
	// It stops, and all is well.
	if err := x.host.Close(); err != nil {
		t.Error(err)
	}
	p := ask[api.Proposed](b, pay(t, 5_000_000, "--note", "after the flood")...)
	a.Reaches(p.Proposal, api.StatusPending)
	ask[api.Proposal](a, "approve", p.Proposal)
	world.Confirmed(t, p.Proposal, a, b)
	world.Eventually(t, "both hold the same entries", func() bool { return watch[0].entries() == watch[1].entries() })
	same(t, a, b, "proposals", walletName)
	// Only now: a busy machine takes most of the flood after its end.
	for _, u := range watch {
		u.check()
	}
	a.Stop()
	b.Stop()
}

// flooder is a member who sends more than anybody can take.
type flooder struct {
	*impostor
	sent, valid, bytes, streams atomic.Int64
}

// prepare makes entries ahead, so that sealing them is not what limits the flood.
func (x *flooder) prepare(n int) []*journal.Entry {
	var out []*journal.Entry
	next := x.next
	for i := range n {
		body := x.small()
		if i%largeEach == 0 {
			body = x.large()
		}
		e := x.seal(next, body)
		next = journal.Next{Incarnation: 1, Seq: next.Seq + 1, Prev: e.ID()}
		out = append(out, e)
	}
	return out
}

// flood sends until the context ends; the channel is closed then.
func (x *flooder) flood(ctx context.Context, ready []*journal.Entry, nodes ...*node) <-chan struct{} {
	var wg sync.WaitGroup
	send := func(what func(i uint64) []byte) {
		wg.Go(func() {
			limit := rate.NewLimiter(floodRate/2, floodRate/10)
			for i := uint64(0); limit.Wait(ctx) == nil; i++ {
				raw := what(i)
				x.sent.Add(1)
				x.bytes.Add(int64(len(raw)))
				// A full queue drops it: sync brings what is valid.
				_ = x.topic.Publish(ctx, raw)
			}
		})
	}
	bad := x.seal(x.next, x.small()).Bytes()
	large := append(bytes.Clone(bad), make([]byte, journal.MaxEntrySize-len(bad))...)
	send(func(i uint64) []byte {
		if i < uint64(len(ready)) {
			x.append(ready[i])
			x.valid.Add(1)
			return ready[i].Bytes()
		}
		return x.grow(x.small())
	})
	send(func(i uint64) []byte {
		if i%1024 == 0 {
			return spoiled(large, i)
		}
		return spoiled(bad, i)
	})
	for _, n := range nodes {
		to := addressOf(x.t, n).ID
		wg.Go(func() {
			for ctx.Err() == nil {
				s, err := x.host.NewStream(network.WithNoDial(ctx, "flood"), to, p2p.SyncProtocol)
				if err != nil {
					continue
				}
				x.streams.Add(1)
				_ = s.SetDeadline(time.Now().Add(time.Second))
				_, _ = s.Write(p2ptest.Encode(x.t, x.claim()))
				_ = s.CloseWrite()
				_, _ = io.Copy(io.Discard, s)
				_ = s.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	return done
}

// spoiled is an entry whose signature is wrong, each time another one.
func spoiled(raw []byte, i uint64) []byte {
	out := bytes.Clone(raw)
	binary.BigEndian.PutUint64(out[len(out)-8:], i)
	return out
}

func (x *flooder) grow(body event.Body) []byte {
	x.mu.Lock()
	next := x.next
	x.mu.Unlock()
	e := x.seal(next, body)
	x.append(e)
	x.valid.Add(1)
	return e.Bytes()
}

// small is a proposal over a coin that is not there.
func (x *flooder) small() event.Body {
	p := &event.ProposalCreated{Inputs: []event.ProposalInput{{Amount: 1000}}, Outputs: []event.ProposalOutput{{PkScript: world.Bitcoin.FaucetScript(), Amount: 900}}}
	for i := range 4 {
		binary.BigEndian.PutUint64(p.Inputs[0].TxID[8*i:], rand.Uint64())
	}
	return p
}

// large is one that fills the largest entry.
func (x *flooder) large() event.Body {
	p := x.small().(*event.ProposalCreated)
	p.Inputs[0].Amount, p.Outputs = 10_000_000, nil
	for i := range 900 {
		p.Outputs = append(p.Outputs, event.ProposalOutput{PkScript: world.Bitcoin.FaucetScript(), Amount: int64(1000 + i), Label: strings.Repeat("x", 200)})
	}
	return p
}

func (x *flooder) claim() p2ptest.Frame {
	x.mu.Lock()
	defer x.mu.Unlock()
	return p2ptest.Hello(x.epoch.Group, p2ptest.End(x.chain(x.id), x.next.Seq-1, x.next.Prev))
}

// serveFast answers pulls of its chain as a good node would.
func (x *flooder) serveFast(s network.Stream) {
	defer func() { _ = s.Close() }()
	f, err := p2ptest.ReadFrame(s)
	if err != nil || f.Kind() != p2ptest.KindHello {
		return
	}
	if _, err := s.Write(p2ptest.Encode(x.t, x.claim())); err != nil {
		return
	}
	for {
		f, err := p2ptest.ReadFrame(s)
		if err != nil {
			return
		}
		if _, err := s.Write(p2ptest.Encode(x.t, p2ptest.Frame{1: p2ptest.KindEntries, 8: x.range64(f)})); err != nil {
			return
		}
	}
}

func (x *flooder) range64(f p2ptest.Frame) [][]byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	out, size := [][]byte{}, 0
	asks, _ := f[6].([]any)
	for _, a := range asks {
		ask, _ := a.([]any)
		author, _ := ask[0].([]byte)
		from, _ := ask[2].(uint64)
		limit, _ := ask[3].(uint64)
		if !bytes.Equal(author, author32(x.id)) || len(x.order) == 0 {
			continue
		}
		first := x.order[0].Header().Seq
		for i := from - first; from >= first && i < uint64(len(x.order)) && uint64(len(out)) < limit; i++ {
			raw := x.order[i].Bytes()
			if size += len(raw); size > 1<<20 {
				break
			}
			out = append(out, raw)
		}
	}
	return out
}

// configure sets a key of a section in config.toml.
func configure(n *node, section, key, value string) {
	n.T.Helper()
	path := filepath.Join(n.Dir, "config.toml")
	b, err := os.ReadFile(path)
	if err != nil {
		n.T.Fatal(err)
	}
	line := regexp.MustCompile(`(?ms)^# ?\[` + section + `\]|^\[` + section + `\]`)
	text := line.ReplaceAllString(string(b), "") + "\n[" + section + "]\n" + key + " = " + value + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.T.Fatal(err)
	}
}

// usage watches what a node's process takes.
type usage struct {
	t       testing.TB
	n       *node
	metrics string
	disk    int64
	stop    func()

	mu                           sync.Mutex
	rss, heap, goroutines, files int64
}

func newUsage(t testing.TB, n *node) *usage {
	t.Helper()
	m := regexp.MustCompile(`msg="serving metrics" address=(\S+)`).FindStringSubmatch(n.Log.String())
	if m == nil {
		t.Fatalf("%s serves no metrics", n.Name)
	}
	u := &usage{t: t, n: n, metrics: m[1], disk: size(t, n.Dir)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	u.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			u.look()
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	t.Cleanup(u.stop)
	return u
}

func (u *usage) look() {
	proc := fmt.Sprintf("/proc/%d", u.n.PID())
	status, _ := os.ReadFile(proc + "/status")
	files, _ := os.ReadDir(proc + "/fd")
	text := u.scrape()
	u.mu.Lock()
	defer u.mu.Unlock()
	if m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status); m != nil {
		kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
		u.rss = max(u.rss, kb<<10)
	}
	u.files = max(u.files, int64(len(files)))
	u.heap = max(u.heap, value(text, "go_memstats_heap_inuse_bytes"))
	u.goroutines = max(u.goroutines, value(text, "go_goroutines"))
}

func (u *usage) scrape() string {
	resp, err := http.Get("http://" + u.metrics + "/metrics")
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func value(metrics, name string) int64 {
	m := regexp.MustCompile(`(?m)^` + name + `(?:\{[^}]*\})? (\S+)$`).FindStringSubmatch(metrics)
	if m == nil {
		return 0
	}
	v, _ := strconv.ParseFloat(m[1], 64)
	return int64(v)
}

func (u *usage) entries() int64 { return value(u.scrape(), "quorate_journal_entries") }

func (u *usage) check() {
	u.t.Helper()
	u.stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	grown := size(u.t, u.n.Dir) - u.disk
	u.t.Logf("%s at most: RSS %d MiB, heap %d MiB, %d goroutines, %d files; disk grew by %d MiB; it holds %d entries",
		u.n.Name, u.rss>>20, u.heap>>20, u.goroutines, u.files, grown>>20, u.entries())
	if u.rss == 0 || u.heap == 0 || u.goroutines == 0 || u.files == 0 {
		u.t.Errorf("%s was not measured", u.n.Name)
	}
	if u.rss > floodRSS || u.goroutines > floodGoroutines || u.files > floodFiles || grown > floodDisk {
		u.t.Errorf("%s takes more than its bounds", u.n.Name)
	}
}

// size is what a directory takes on the disk.
func size(t testing.TB, dir string) int64 {
	t.Helper()
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // files come and go
		}
		if fi, err := d.Info(); err == nil {
			sum += fi.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
