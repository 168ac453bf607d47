package soak_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
)

const (
	sampleEvery = 10 * time.Second
	linksEvery  = 3 * time.Second
	// warm is how old a process is before its memory counts as that of a running node.
	warm = 30 * time.Second
)

// sample is what one node used at one time.
type sample struct {
	At         int64   `json:"at_seconds"`
	Age        int64   `json:"process_age_seconds"`
	RSS        int64   `json:"rss_bytes"`
	Heap       float64 `json:"heap_bytes"`
	Goroutines float64 `json:"goroutines"`
	Files      float64 `json:"open_files"`
	Entries    float64 `json:"entries"`

	statuses map[string]float64 // of proposals
}

// sample measures every node now and then.
func (s *soak) sample(ctx context.Context) {
	every := min(sampleEvery, s.beat)
	lines := min(time.Minute, s.o.long/3)
	next := time.Now().Add(lines)
	for pause(ctx, every) {
		now := map[string]sample{}
		for _, n := range s.nodes {
			if m, ok := s.measure(ctx, n); ok {
				now[n.Name] = m
				s.report.sample(n.Name, m)
			}
		}
		if time.Now().After(next) {
			next = next.Add(lines)
			s.line(ctx, now)
		}
	}
}

func (s *soak) measure(ctx context.Context, n *node) (sample, bool) {
	p := n.process()
	if p == nil || !n.up() {
		return sample{}, false
	}
	m := sample{At: int64(time.Since(s.began).Seconds()), Age: int64(time.Since(p.Began).Seconds()), statuses: map[string]float64{}}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.PID()))
	if fields := strings.Fields(string(raw)); err == nil && len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		m.RSS = pages * int64(os.Getpagesize())
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.metrics+"/metrics", nil)
	if err != nil {
		return m, false
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return m, false // killed or stalled meanwhile
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		switch base, labels, _ := strings.Cut(name, "{"); base {
		case "go_goroutines":
			m.Goroutines = v
		case "go_gc_heap_live_bytes":
			m.Heap = v
		case "process_open_fds":
			m.Files = v
		case "quorate_journal_entries":
			m.Entries = v
		case "quorate_proposals":
			_, status, _ := strings.Cut(labels, `status="`)
			status, _, _ = strings.Cut(status, `"`)
			m.statuses[status] = v
		}
	}
	return m, m.RSS > 0
}

// line prints how it stands, and looks whether the nodes still show what they
// themselves have acknowledged.
func (s *soak) line(ctx context.Context, now map[string]sample) {
	for _, n := range s.nodes {
		if !n.up() {
			continue
		}
		acks := slices.DeleteFunc(s.ledger.all(), func(a ack) bool { return a.Node != n.Name })
		proposals, err := s.proposals(ctx, n)
		if err != nil {
			continue // killed or stalled meanwhile
		}
		for _, l := range s.ledger.lost(acks, proposals) {
			s.lose("%s: %s", n.Name, l)
		}
	}
	most := sample{statuses: map[string]float64{}}
	var rss, routines []int64
	for _, m := range now {
		if m.Entries >= most.Entries {
			most = m
		}
		rss, routines = append(rss, m.RSS>>20), append(routines, int64(m.Goroutines))
	}
	s.say("entries %.0f  pending %.0f  spends %.0f  acks %d  lost %d  repeated %d  restarts %d  cuts %d  stalls %d  reorgs %d  blocks %d  up %d  rss MB %s  goroutines %s  disk MB %d",
		most.Entries, most.statuses["pending"], most.statuses["confirmed"], len(s.ledger.all()), s.report.lostCount(), s.ledger.repeats.Load(),
		s.restarts.Load(), s.cuts.Load(), s.stalls.Load(), s.reorgs.Load(), s.blocks.Load(), len(now), spread(rss), spread(routines), s.disk()>>20)
}

func (s *soak) lose(format string, args ...any) {
	if what := fmt.Sprintf(format, args...); s.report.lose(what) {
		s.fault("lost: %s", what)
	}
}

// proposals reads all of them from a node.
func (s *soak) proposals(ctx context.Context, n *node) ([]api.Proposal, error) {
	var out []api.Proposal
	for cursor := ""; ; {
		page, err := n.Client.Proposals(ctx, s.wallet, api.ProposalQuery{Cursor: cursor, Limit: api.MaxPage})
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if cursor = string(page.Next); cursor == "" {
			return out, nil
		}
	}
}

// spread is the least, the middle and the greatest.
func spread[T cmp.Ordered](v []T) string {
	if len(v) == 0 {
		return "-"
	}
	v = slices.Sorted(slices.Values(v))
	return fmt.Sprintf("%v/%v/%v", v[0], v[len(v)/2], v[len(v)-1])
}

// disk is what the data directories of the nodes take.
func (s *soak) disk() int64 {
	var sum int64
	for _, n := range s.nodes {
		// Files come and go meanwhile.
		_ = filepath.WalkDir(n.Dir, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
			return nil
		})
	}
	return sum
}

// watch notes since when nodes have been seen connected.
func (s *soak) watch(ctx context.Context) {
	for pause(ctx, linksEvery) {
		for _, n := range s.nodes {
			seen := map[string]bool{}
			if n.up() {
				ctx, cancel := context.WithTimeout(ctx, linksEvery)
				peers, err := n.Client.Peers(ctx)
				cancel()
				if err == nil {
					for _, p := range peers {
						seen[p.PeerID] = p.Connected
					}
				}
			}
			s.linksMu.Lock()
			for _, m := range s.nodes {
				key := [2]string{n.Name, m.Name}
				if !seen[m.PeerID] {
					delete(s.links, key)
				} else if s.links[key].IsZero() {
					s.links[key] = time.Now()
				}
			}
			s.linksMu.Unlock()
		}
	}
}

// connected says whether one node had all the time to tell the other what it
// did at one moment before that other acted: the link stood well before, and
// neither was killed, stalled or cut off.
func (s *soak) connected(one, other string, did, acted time.Time) bool {
	const margin = 10 * time.Second
	if acted.Sub(did) < margin {
		return false
	}
	for _, n := range s.nodes {
		if (n.Name == one || n.Name == other) && !n.calmSince(did.Add(-margin)) {
			return false
		}
	}
	s.linksMu.Lock()
	defer s.linksMu.Unlock()
	since := s.links[[2]string{one, other}]
	return !since.IsZero() && since.Before(did.Add(-margin))
}
