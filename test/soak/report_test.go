package soak_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// report is what a run came to. It is safe for concurrent use.
type report struct {
	mu      sync.Mutex
	faults  []string
	lost    []string
	counts  map[string]int
	samples map[string][]sample
}

func newReport() *report {
	return &report{counts: map[string]int{}, samples: map[string][]sample{}}
}

func (r *report) fault(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, what)
}

// lose notes a loss, and says whether it is a new one.
func (r *report) lose(what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.lost, what) {
		return false
	}
	r.lost = append(r.lost, what)
	return true
}

func (r *report) lostCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lost)
}

func (r *report) count(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[what]++
}

func (r *report) sample(node string, m sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples[node] = append(r.samples[node], m)
}

// summary is the report for machines.
type summary struct {
	Seed       uint64              `json:"seed"`
	Commit     string              `json:"commit"`
	Seconds    int64               `json:"seconds"`
	Cosigners  int                 `json:"cosigners"`
	Threshold  int                 `json:"threshold"`
	Network    bool                `json:"network_was_cut"`
	Entries    int                 `json:"entries"`
	Proposals  map[string]int      `json:"proposals"`
	Spends     int                 `json:"spends"`
	Paid       int64               `json:"paid_sat"`
	Acks       int                 `json:"acknowledged"`
	Lost       []string            `json:"lost"`
	Repeated   int64               `json:"repeated"`
	Ties       int                 `json:"address_ties"`
	Kills      int64               `json:"kills"`
	Restarts   int64               `json:"restarts"`
	Cuts       int64               `json:"cuts"`
	Stalls     int64               `json:"stalls"`
	Reorgs     int64               `json:"reorgs"`
	Blocks     int64               `json:"blocks"`
	HealMillis int64               `json:"heal_ms"`
	Disk       int64               `json:"disk_bytes"`
	Commands   map[string]int      `json:"commands"`
	Memory     map[string]usage    `json:"memory"`
	Samples    map[string][]sample `json:"samples"`
	Faults     []string            `json:"faults"`
}

// usage is what one node used: least, middle and greatest; and the middle of
// the first and of the last quarter of its longest life.
type usage struct {
	RSS        [3]int64   `json:"rss_bytes"`
	Heap       [3]float64 `json:"heap_bytes"`
	Goroutines [3]float64 `json:"goroutines"`
	Files      [3]float64 `json:"open_files"`
	Life       int64      `json:"longest_life_seconds"`
	Early      int64      `json:"early_rss_bytes"`
	Late       int64      `json:"late_rss_bytes"`
	EarlyHeap  float64    `json:"early_heap_bytes"`
	LateHeap   float64    `json:"late_heap_bytes"`
	EarlyCount float64    `json:"early_entries"`
	LateCount  float64    `json:"late_entries"`
}

func usageOf(samples []sample) usage {
	var u usage
	var life, longest []sample
	var warmed []sample
	for i, m := range samples {
		if i > 0 && m.Age < samples[i-1].Age {
			life = nil
		}
		if m.Age < int64(warm.Seconds()) {
			continue
		}
		warmed, life = append(warmed, m), append(life, m)
		if len(life) > len(longest) {
			longest = life
		}
	}
	if len(warmed) == 0 {
		return u
	}
	rss := func(m sample) float64 { return float64(m.RSS) }
	heap := func(m sample) float64 { return m.Heap }
	for i, v := range three(warmed, rss) {
		u.RSS[i] = int64(v)
	}
	u.Heap = three(warmed, heap)
	u.Goroutines = three(warmed, func(m sample) float64 { return m.Goroutines })
	u.Files = three(warmed, func(m sample) float64 { return m.Files })
	quarter := (len(longest) + 3) / 4
	first, last := longest[:quarter], longest[len(longest)-quarter:]
	u.Life = longest[len(longest)-1].Age
	u.Early, u.Late = int64(three(first, rss)[1]), int64(three(last, rss)[1])
	u.EarlyHeap, u.LateHeap = three(first, heap)[1], three(last, heap)[1]
	entries := func(m sample) float64 { return m.Entries }
	u.EarlyCount, u.LateCount = three(first, entries)[1], three(last, entries)[1]
	return u
}

func three(samples []sample, of func(sample) float64) [3]float64 {
	var v []float64
	for _, m := range samples {
		v = append(v, of(m))
	}
	slices.Sort(v)
	return [3]float64{v[0], v[len(v)/2], v[len(v)-1]}
}

// print shows the summary to people, and writes it for machines.
func (s *soak) print(sum summary) {
	s.report.mu.Lock()
	sum.Faults, sum.Lost, sum.Commands = s.report.faults, s.report.lost, s.report.counts
	sum.Samples, sum.Memory = s.report.samples, map[string]usage{}
	s.report.mu.Unlock()
	for name, samples := range sum.Samples {
		sum.Memory[name] = usageOf(samples)
	}
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("ran", "%v, seed %d, built from %s", (time.Duration(sum.Seconds) * time.Second), sum.Seed, sum.Commit)
	line("entries", "%d", sum.Entries)
	line("proposals", "%v", sum.Proposals)
	line("spends", "%d confirmed, %d sat", sum.Spends, sum.Paid)
	line("acknowledged", "%d", sum.Acks)
	line("lost", "%d", len(sum.Lost))
	line("repeated", "%d (%d addresses handed out by two nodes that were apart)", sum.Repeated, sum.Ties)
	line("faults made", "%d kills, %d restarts, %d cuts, %d stalls, %d reorgs in %d blocks", sum.Kills, sum.Restarts, sum.Cuts, sum.Stalls, sum.Reorgs, sum.Blocks)
	line("healed in", "%v", time.Duration(sum.HealMillis)*time.Millisecond)
	line("disk", "%d MB", sum.Disk>>20)
	for _, n := range s.nodes {
		u := sum.Memory[n.Name]
		if u.Life == 0 {
			continue
		}
		line(n.Name, "%s: rss MB %d/%d/%d, goroutines %.0f/%.0f/%.0f, files %.0f/%.0f/%.0f; in its longest life of %v rss %d MB -> %d MB, live heap %.1f MB -> %.1f MB, entries %.0f -> %.0f",
			n.backend, u.RSS[0]>>20, u.RSS[1]>>20, u.RSS[2]>>20, u.Goroutines[0], u.Goroutines[1], u.Goroutines[2], u.Files[0], u.Files[1], u.Files[2],
			time.Duration(u.Life)*time.Second, u.Early>>20, u.Late>>20, u.EarlyHeap/(1<<20), u.LateHeap/(1<<20), u.EarlyCount, u.LateCount)
	}
	var names []string
	for name := range sum.Commands {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		line("", "%6d  %s", sum.Commands[name], name)
	}
	for _, f := range sum.Faults {
		line("FAULT", "%s", f)
	}
	fmt.Print("\n", b.String())
	if s.o.summary == "" {
		return
	}
	raw, err := json.MarshalIndent(sum, "", " ")
	if err == nil {
		err = os.WriteFile(s.o.summary, append(raw, '\n'), 0o600)
	}
	if err != nil {
		s.t.Errorf("write summary: %v", err)
	}
}
