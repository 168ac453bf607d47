package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

// BenchmarkCommit commits one entry of the 1 KiB bucket, and writes and syncs
// the same bytes to a file in the same run: what the disk alone takes.
func BenchmarkCommit(b *testing.B) {
	g := storetest.Group(1)
	dir := b.TempDir()
	s := benchOpen(b, filepath.Join(dir, "store"))
	f, err := os.Create(filepath.Join(dir, "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	a := storetest.NewAuthor(b, g, 1, 1)
	var floor time.Duration
	n := 0
	for b.Loop() {
		b.StopTimer()
		e := a.Entry(1000)
		began := time.Now()
		if _, err := f.Write(e.Bytes()); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		floor += time.Since(began)
		n++
		b.StartTimer()
		mustCommit(b, s, port.Batch{Group: g, Entries: []*journal.Entry{e}})
	}
	b.ReportMetric(float64(floor.Nanoseconds())/float64(n), "floor-ns/op")
}

// BenchmarkCommitParallel has 16 writers, each of its own group.
func BenchmarkCommitParallel(b *testing.B) {
	s := benchOpen(b, b.TempDir())
	b.SetParallelism(8)
	next := make(chan byte, 256)
	for w := range 256 {
		next <- byte(w)
	}
	b.RunParallel(func(pb *testing.PB) {
		w := <-next
		g := storetest.Group(w)
		a := storetest.NewAuthor(b, g, w, 1)
		for pb.Next() {
			if err := s.Commit(context.Background(), port.Batch{Group: g, Entries: []*journal.Entry{a.Entry(1000)}}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkWalk10000(b *testing.B) {
	s := benchOpen(b, filled(b))
	for b.Loop() {
		n := 0
		err := s.Walk(b.Context(), storetest.Group(1), func(*journal.Entry) error { n++; return nil })
		if err != nil || n != 10_000 {
			b.Fatalf("%d entries, %v", n, err)
		}
	}
}

func BenchmarkOpen10000(b *testing.B) {
	dir := filled(b)
	for b.Loop() {
		s := benchOpen(b, dir)
		b.StopTimer()
		mustClose(b, s)
		b.StartTimer()
	}
}

// BenchmarkIdleMemory reports what an open and idle store with 10,000 entries
// adds to the resident memory of a process, after all of it was read once.
func BenchmarkIdleMemory(b *testing.B) {
	dir := filled(b)
	var all, own float64
	for b.Loop() {
		cmd := childCommand(b, "idle", dir, "0")
		out, err := cmd.Output()
		if err != nil {
			b.Fatalf("child: %v: %s", err, out)
		}
		var before, after, ownBefore, ownAfter int
		if _, err := fmt.Sscanf(string(out), "resident %d %d own %d %d", &before, &after, &ownBefore, &ownAfter); err != nil {
			b.Skipf("child says %q", out)
		}
		all, own = float64(after-before)/1024, float64(ownAfter-ownBefore)/1024
	}
	b.ReportMetric(all, "resident-MiB")
	// Without the pages of mapped tables and logs, which the system takes back.
	b.ReportMetric(own, "own-MiB")
}

func benchOpen(b *testing.B, dir string) *store.Badger {
	b.Helper()
	s, err := store.Open(dir, testKey(), quiet(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// filled makes a store of 10,000 entries of 1 KiB.
func filled(b *testing.B) string {
	b.Helper()
	g := storetest.Group(1)
	dir := b.TempDir()
	s := benchOpen(b, dir)
	a := storetest.NewAuthor(b, g, 1, 1)
	for range 100 {
		batch := port.Batch{Group: g}
		for range 100 {
			batch.Entries = append(batch.Entries, a.Entry(1000))
		}
		mustCommit(b, s, batch)
	}
	mustClose(b, s)
	return dir
}

// idle opens and walks a store and tells the resident KiB before and after.
func idle(open func() (*store.Badger, error)) error {
	before, ownBefore := resident()
	s, err := open()
	if err != nil {
		return err
	}
	err = s.Walk(context.Background(), storetest.Group(1), func(*journal.Entry) error { return nil })
	if err != nil {
		return err
	}
	after, ownAfter := resident()
	fmt.Println("resident", before, after, "own", ownBefore, ownAfter)
	return s.Close()
}

// resident is VmRSS and RssAnon in KiB, 0 where the system does not tell.
func resident() (all, own int) {
	debug.FreeOSMemory()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, v, _ := strings.Cut(lines.Text(), ":")
		kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(v, "kB")))
		if err != nil {
			continue
		}
		switch name {
		case "VmRSS":
			all = kib
		case "RssAnon":
			own = kib
		}
	}
	return all, own
}
