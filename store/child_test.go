package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/store"
	"github.com/quorate/quorate/store/storetest"
)

// childEnv makes the test binary a process that works on a store and tells on
// standard output what was acknowledged.
const childEnv = "QUORATE_STORE_CHILD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childEnv); mode != "" {
		if err := child(mode, os.Args[len(os.Args)-2], os.Args[len(os.Args)-1]); err != nil {
			fmt.Println("child:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// childCommand runs this binary as a child; wrap is a command to run it under.
func childCommand(t testing.TB, mode, dir, round string, wrap ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrap, self, dir, round)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+mode)
	cmd.Stderr = io.Discard
	return cmd
}

func runChild(t *testing.T, mode, dir string, wrap ...string) string {
	out, _ := childCommand(t, mode, dir, "0", wrap...).Output() // how it ends is in what it says
	return string(out)
}

func child(mode, dir, round string) error {
	tuning := store.Tuning{NoSync: strings.Contains(mode, "nosync"), NoReserve: strings.Contains(mode, "noreserve")}
	failed := make(chan struct{})
	log := slog.New(&untilLogged{Handler: slog.DiscardHandler, what: "error flushing memtable", seen: failed})
	open := func() (*store.Badger, error) { return store.OpenTuned(dir, testKey(), log, tuning) }
	switch mode {
	case "idle":
		return idle(open)
	case "denied":
		return deniedChild(dir, round)
	}
	s, err := open()
	if errors.Is(err, store.ErrLocked) {
		fmt.Println("open: locked")
		return nil
	}
	if err != nil {
		return err
	}
	var r byte
	if _, err := fmt.Sscan(round, &r); err != nil {
		return err
	}
	switch what, _, _ := strings.Cut(mode, "-"); what {
	case "open":
		fmt.Println("open: yes")
	case "endless": // four writers until killed
		var wg sync.WaitGroup
		errs := make(chan error, writers)
		for w := range byte(writers) {
			wg.Go(func() { errs <- commitBatches(s, r, w, 1<<30) })
		}
		return <-errs
	case "some": // one writer, enough for the log to be renewed, and an orderly end
		if err := commitBatches(s, r, 0, 60); err != nil {
			return err
		}
	case "broken":
		return tellBroken(s, commitBatches(s, r, 0, 1<<30))
	case "retried": // until Badger has done again what failed
		err := commitBatches(s, r, 0, 1<<30)
		for grown := manifestGrows(dir); !grown(); {
			runtime.Gosched()
		}
		return tellBroken(s, err)
	case "before": // broken by another failure, when a table cannot be written
		if err := commitBatches(s, r, 0, 4); err != nil {
			return err
		}
		s.Fail(errors.New("first"))
		for range 64 { // fills several tables; each waits for ever once Badger cannot go on
			go func() { _ = s.Set([]byte("fill"), make([]byte, 500_000)) }()
		}
		<-failed
		return nil
	}
	return s.Close()
}

// untilLogged closes seen at the first record of level error that quotes what.
type untilLogged struct {
	slog.Handler
	what string
	seen chan struct{}
	once sync.Once
}

func (h *untilLogged) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (h *untilLogged) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if strings.Contains(a.Value.String(), h.what) {
			h.once.Do(func() { close(h.seen) })
		}
		return true
	})
	return nil
}

// inChild ends a child where a test would fail.
type inChild struct{}

func (inChild) Helper() {}

func (inChild) Fatalf(format string, args ...any) {
	fmt.Printf("child: "+format+"\n", args...)
	os.Exit(3)
}

const writers = 4

// commitBatches commits numbered batches and tells each that is acknowledged.
func commitBatches(s *store.Badger, round, writer byte, last int) error {
	in := &batches{round: round, writer: writer}
	for n := 1; n <= last; n++ {
		if err := s.Commit(context.Background(), in.batch(n)); err != nil {
			return err
		}
		// One write of a short line is whole or not there at all.
		if _, err := os.Stdout.WriteString(fmt.Sprintf("ack %d %d\n", writer, n)); err != nil {
			return err
		}
	}
	return nil
}

// manifestGrows tells whether the MANIFEST has become longer.
func manifestGrows(dir string) func() bool {
	size := func() int64 {
		info, err := os.Stat(filepath.Join(dir, "MANIFEST"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	was := size()
	return func() bool { return size() > was }
}

// tellBroken says what a store answers after a failure.
func tellBroken(s *store.Badger, err error) error {
	fmt.Println("commit: broken", errors.Is(err, store.ErrBroken), err)
	_, gerr := s.Guard(context.Background())
	_, rerr := s.Records(context.Background(), journal.GroupID{}, "")
	cerr := s.Commit(context.Background(), port.Batch{Puts: map[string][]byte{"k": nil}})
	for _, err := range []error{gerr, rerr, cerr, s.Close()} {
		fmt.Println("later: broken", errors.Is(err, store.ErrBroken))
	}
	return nil
}

// batches makes the batches of one writer in one round: each has an entry, two
// records and a guard record of its number. Every fifth is large enough to be
// staged, every third helps to fill the log.
type batches struct {
	round, writer byte
	author        *storetest.Author
	made          int
	entries       []*journal.Entry
}

func (in *batches) group() journal.GroupID { return journal.GroupID{'r', in.round, in.writer} }

func (in *batches) coin(n int) uint32 {
	return uint32(in.round)<<24 | uint32(in.writer)<<20 | uint32(n)
}

// entry returns the entry of a number, the same in every process.
func (in *batches) entry(n int) *journal.Entry {
	if in.author == nil {
		in.author = storetest.NewAuthor(inChild{}, in.group(), in.writer, 1)
	}
	for ; in.made < n; in.made++ {
		size := 100
		if (in.made+1)%3 == 0 {
			size = 200_000
		}
		in.entries = append(in.entries, in.author.Entry(size))
	}
	return in.entries[n-1]
}

func (in *batches) batch(n int) port.Batch {
	v := fmt.Appendf(nil, "%d", n)
	if n%5 == 0 {
		v = append(v, make([]byte, 700_000)...)
	}
	return port.Batch{
		Group:   in.group(),
		Entries: []*journal.Entry{in.entry(n)},
		Puts:    map[string][]byte{fmt.Sprintf("a/%d", n): v, fmt.Sprintf("b/%d", n): v[:1], "last": v},
		Deletes: []string{fmt.Sprintf("b/%d", n-1)},
		Guard:   []port.GuardUpdate{storetest.Sign(in.coin(n), in.round)},
		Notices: []port.NoticeRecord{{At: 1, Data: in.notice(n)}},
	}
}

func (in *batches) notice(n int) []byte { return fmt.Appendf(nil, "%d/%d/%d", in.round, in.writer, n) }

// acks are the highest numbers acknowledged, by writer.
type acks [writers]int

// read takes acknowledgements from a child until there are `until`, or its end.
func (a *acks) read(t *testing.T, r *bufio.Reader, until int) int {
	for seen := 0; ; seen++ {
		if seen == until {
			return seen
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return seen
		}
		a.line(t, line)
	}
}

func (a *acks) line(t *testing.T, line string) {
	t.Helper()
	var w, n int
	if _, err := fmt.Sscanf(line, "ack %d %d\n", &w, &n); err != nil {
		t.Fatalf("child says %q", line)
	}
	if n != a[w]+1 {
		t.Fatalf("writer %d: %d acknowledged after %d", w, n, a[w])
	}
	a[w] = n
}

// check compares a store with what a child told of one round: every acknowledged
// batch is there, whole, and at most one more, whole, of each writer. It returns
// what is wrong.
func (a *acks) check(t *testing.T, s *store.Badger, round byte) (wrong []string) {
	return a.compare(t, s, round, 1)
}

// checkAtLeast is for a child that may have told more than was read.
func (a *acks) checkAtLeast(t *testing.T, s *store.Badger) (wrong []string) {
	return a.compare(t, s, 0, 1<<30)
}

func (a *acks) compare(t *testing.T, s *store.Badger, round byte, more int) (wrong []string) {
	guard, err := s.Guard(t.Context())
	if err != nil {
		return []string{err.Error()}
	}
	coins := make(map[uint32]bool)
	for _, r := range guard {
		coins[r.OutPoint.Index] = true
	}
	notices, err := s.Notices(t.Context(), 0, 1<<30)
	if err != nil {
		return []string{err.Error()}
	}
	told := make(map[string]bool)
	for i, n := range notices.Items {
		if n.Number != uint64(i)+1 || told[string(n.Data)] {
			wrong = append(wrong, fmt.Sprintf("notice %d at place %d: %s", n.Number, i, n.Data))
		}
		told[string(n.Data)] = true
	}
	for w, acked := range a {
		in := &batches{round: round, writer: byte(w)}
		held := 0
		err := s.Walk(t.Context(), in.group(), func(e *journal.Entry) error {
			if held++; e.ID() != in.entry(held).ID() {
				return fmt.Errorf("entry %d is another one", held)
			}
			return nil
		})
		if err != nil {
			wrong = append(wrong, err.Error())
		}
		if held < acked || held > acked+more {
			wrong = append(wrong, fmt.Sprintf("writer %d: %d batches are there, %d were acknowledged", w, held, acked))
		}
		records, err := s.Records(t.Context(), in.group(), "")
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		want := 0
		for n := 1; n <= held; n++ {
			want++
			if got := string(records[fmt.Sprintf("a/%d", n)]); got != string(in.batch(n).Puts[fmt.Sprintf("a/%d", n)]) {
				wrong = append(wrong, fmt.Sprintf("writer %d: record of batch %d is missing or torn", w, n))
			}
			if !coins[in.coin(n)] {
				wrong = append(wrong, fmt.Sprintf("writer %d: guard of batch %d is missing", w, n))
			}
			if !told[string(in.notice(n))] {
				wrong = append(wrong, fmt.Sprintf("writer %d: notice of batch %d is missing", w, n))
			}
		}
		if held > 0 {
			want += 2 // b/held and last
		}
		if len(records) != want || coins[in.coin(held+1)] || told[string(in.notice(held+1))] {
			wrong = append(wrong, fmt.Sprintf("writer %d: parts of a batch after %d", w, held))
		}
	}
	return wrong
}
