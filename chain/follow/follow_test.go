package follow

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"

	"github.com/quorate/quorate/coordinator/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a source whose answers a test writes.
type script struct {
	mu      sync.Mutex
	blocks  []*Block // index is height
	syncing bool
	fail    error
	pool    []*wire.MsgTx
	changed chan struct{}
	onBlock func(height int32) // called before a block is given out
}

func newScript(n int) *script {
	s := &script{changed: make(chan struct{})}
	s.grow(n, 0)
	return s
}

// grow adds blocks; branch makes them differ from others of their height.
func (s *script) grow(n int, branch byte) {
	for range n {
		height := int32(len(s.blocks))
		b := &Block{Ref: port.BlockRef{
			Height: height, Hash: chainhash.Hash{byte(height), byte(height >> 8), branch, 1}, Time: int64(height), MedianTime: int64(height),
		}}
		b.Txs = []*wire.MsgTx{{LockTime: uint32(height), TxOut: []*wire.TxOut{{PkScript: []byte{byte(height), branch}}}}}
		if height > 0 {
			b.Prev = s.blocks[height-1].Ref.Hash
		}
		s.blocks = append(s.blocks, b)
	}
}

func (s *script) change(edit func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *script) Tip(context.Context) (port.BlockRef, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocks[len(s.blocks)-1].Ref, s.syncing, s.fail
}

func (s *script) HashAt(_ context.Context, height int32) (chainhash.Hash, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if height < 0 || int(height) >= len(s.blocks) {
		return chainhash.Hash{}, ErrNoBlock
	}
	return s.blocks[height].Ref.Hash, nil
}

func (s *script) Block(_ context.Context, hash chainhash.Hash, height int32) (*Block, error) {
	if s.onBlock != nil {
		s.onBlock(height)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(height) >= len(s.blocks) || s.blocks[height].Ref.Hash != hash {
		return nil, ErrNoBlock
	}
	return s.blocks[height], nil
}

func (s *script) Unconfirmed(mark uint64) ([]*wire.MsgTx, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pool[min(mark, uint64(len(s.pool))):], uint64(len(s.pool))
}

func (s *script) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// begin follows a source, with a channel of what it reports.
func begin(t *testing.T, s *script, opt Options) (*Follower, chan error) {
	t.Helper()
	reports := make(chan error, 100)
	opt.Retry, opt.RetryMax = time.Millisecond, time.Millisecond
	opt.Report = func(err error) {
		select {
		case reports <- err:
		default:
		}
	}
	var set Set
	f, err := set.Start(t.Context(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return f, reports
}

func get[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	select {
	case v := <-c:
		return v
	case <-timeout.C:
		t.Fatal("nothing came in 30 s")
		panic("unreachable")
	}
}

func expect(t *testing.T, f *Follower, kind port.NoticeKind, ref port.BlockRef) port.ChainNotice {
	t.Helper()
	n := get(t, f.Notices())
	if n.Kind != kind || n.Block != ref {
		t.Fatalf("got kind %d for %+v, want kind %d for %+v", n.Kind, n.Block, kind, ref)
	}
	return n
}

func (s *script) ref(height int) port.BlockRef { return s.blocks[height].Ref }

// TestSyncingSourceDisconnectsNothing: a node that starts over does not take
// the history away, and one that is done does.
func TestSyncingSourceDisconnectsNothing(t *testing.T) {
	s := newScript(10)
	known := s.ref(9)
	s.blocks, s.syncing = s.blocks[:4], true
	f, _ := begin(t, s, Options{Known: []port.BlockRef{known}})
	s.change(func() { s.grow(2, 0) })
	// Nor has anybody caught up with a source that has not: the first notice is
	// a block.
	s.change(func() { s.grow(6, 0) })
	expect(t, f, port.Connected, s.ref(10))
	expect(t, f, port.Connected, s.ref(11))
	s.change(func() { s.syncing = false })
	expect(t, f, port.CaughtUp, s.ref(11))
	eleven := s.ref(11)
	s.change(func() { s.blocks, s.syncing = s.blocks[:11], false })
	expect(t, f, port.Disconnected, eleven)
	expect(t, f, port.CaughtUp, s.ref(10))
}

// TestUnlinkedIsReported: blocks that do not build on each other are not
// streamed, and the stream goes on when they do.
func TestUnlinkedIsReported(t *testing.T) {
	s := newScript(5)
	good := s.blocks[3].Prev
	s.blocks[3].Prev = chainhash.Hash{99}
	f, reports := begin(t, s, Options{})
	expect(t, f, port.Connected, s.ref(1))
	expect(t, f, port.Connected, s.ref(2))
	if err := get(t, reports); !errors.Is(err, ErrUnlinked) {
		t.Fatalf("reported %v, want ErrUnlinked", err)
	}
	s.change(func() {
		fixed := *s.blocks[3]
		fixed.Prev = good
		s.blocks[3] = &fixed
	})
	expect(t, f, port.Connected, s.ref(3))
	expect(t, f, port.Connected, s.ref(4))
	for err := get(t, reports); err != nil; err = get(t, reports) {
	}
}

// TestSourceFails: errors are reported and nothing is streamed.
func TestSourceFails(t *testing.T) {
	s := newScript(3)
	down := errors.New("down")
	s.fail = down
	f, reports := begin(t, s, Options{})
	for range 3 {
		if err := get(t, reports); !errors.Is(err, down) {
			t.Fatalf("reported %v", err)
		}
	}
	s.change(func() { s.fail = nil })
	expect(t, f, port.Connected, s.ref(1))
	expect(t, f, port.Connected, s.ref(2))
	expect(t, f, port.CaughtUp, s.ref(2))
	for err := get(t, reports); err != nil; err = get(t, reports) {
	}
}

// TestReorgWhileBlocksAreFetched changes the chain between two questions.
func TestReorgWhileBlocksAreFetched(t *testing.T) {
	s := newScript(6)
	old := append([]*Block(nil), s.blocks...)
	var once sync.Once
	s.onBlock = func(height int32) {
		if height == 4 {
			once.Do(func() { s.change(func() { s.blocks = s.blocks[:3]; s.grow(5, 1) }) })
		}
	}
	f, _ := begin(t, s, Options{})
	for height := 1; height <= 3; height++ {
		expect(t, f, port.Connected, old[height].Ref)
	}
	expect(t, f, port.Disconnected, old[3].Ref)
	for height := 3; height <= 7; height++ {
		expect(t, f, port.Connected, s.ref(height))
	}
	expect(t, f, port.CaughtUp, s.ref(7))
}

// TestRescanDuringReorg: what a rescan finds in a block that has left the chain
// is not streamed.
func TestRescanDuringReorg(t *testing.T) {
	s := newScript(100)
	old := append([]*Block(nil), s.blocks...)
	known := s.ref(99)
	f, _ := begin(t, s, Options{Known: []port.BlockRef{s.ref(97), s.ref(98), known}})
	expect(t, f, port.CaughtUp, known)
	var once sync.Once
	// Set while the follower waits: Watch wakes it after that.
	s.onBlock = func(height int32) {
		// The last block of the scan: 98 has been looked at before.
		if height == 99 {
			once.Do(func() { s.change(func() { s.blocks = s.blocks[:98]; s.grow(4, 1) }) })
		}
	}
	scripts := [][]byte{{20, 0}, {98, 0}, {98, 1}}
	if err := f.Watch(t.Context(), scripts, 5); err != nil {
		t.Fatal(err)
	}
	expect(t, f, port.Disconnected, old[99].Ref)
	expect(t, f, port.Disconnected, old[98].Ref)
	for height := 98; height <= 101; height++ {
		expect(t, f, port.Connected, s.ref(height))
	}
	expect(t, f, port.Rescanned, s.ref(20))
	expect(t, f, port.CaughtUp, s.ref(101))
}

// TestRescanFindsSpendsThatWentBy: a coin whose script was watched too late is
// not told of without its spend, although that came after the script was watched.
func TestRescanFindsSpendsThatWentBy(t *testing.T) {
	witness := []byte{txscript.OP_TRUE}
	program := sha256.Sum256(witness)
	late := append([]byte{0, 32}, program[:]...)
	s := newScript(200)
	pay := &wire.MsgTx{TxOut: []*wire.TxOut{{PkScript: late}}}
	s.blocks[20].Txs = append(s.blocks[20].Txs, pay)
	s.blocks[150].Txs = append(s.blocks[150].Txs, &wire.MsgTx{
		TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: pay.TxHash()}, Witness: wire.TxWitness{witness}}},
	})
	f, _ := begin(t, s, Options{})
	for height := 1; height < 200; height++ {
		expect(t, f, port.Connected, s.ref(height))
		if height == 30 {
			if err := f.Watch(t.Context(), [][]byte{late}, 10); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect(t, f, port.Rescanned, s.ref(20))
	expect(t, f, port.Rescanned, s.ref(150))
	expect(t, f, port.CaughtUp, s.ref(199))
}

// TestRescansJoin: scripts that come to be watched block after block are looked
// for in one scan, and only where they were missed.
func TestRescansJoin(t *testing.T) {
	const blocks, back = 300, 50
	s := newScript(blocks)
	fetched := 0 // read after the last notice
	s.onBlock = func(int32) { fetched++ }
	f, _ := begin(t, s, Options{})
	watch := func(height int) {
		// The script of a block that went by, and that of one to come.
		scripts := [][]byte{{byte(height + 20), byte(0)}}
		if height%100 == 0 {
			scripts = append(scripts, []byte{byte(height - 40), 0})
		}
		if err := f.Watch(t.Context(), scripts, int32(max(1, height-back))); err != nil {
			t.Fatal(err)
		}
	}
	for height := 1; height < blocks; height++ {
		expect(t, f, port.Connected, s.ref(height))
		watch(height)
	}
	var again []int32
	for {
		n := get(t, f.Notices())
		if n.Kind == port.CaughtUp {
			break
		}
		again = append(again, n.Block.Height)
	}
	if !slices.Contains(again, 60) || !slices.Contains(again, 160) {
		t.Errorf("blocks %v came again, want 60 and 160 among them", again)
	}
	if fetched > 3*blocks {
		t.Errorf("%d blocks were fetched for %d", fetched, blocks)
	}
}

// TestUnlinkedRescan: blocks below the known ones are taken only when they lead
// to those.
func TestUnlinkedRescan(t *testing.T) {
	s := newScript(60)
	good := s.blocks[30].Prev
	s.blocks[30].Prev = chainhash.Hash{99}
	f, reports := begin(t, s, Options{Known: []port.BlockRef{s.ref(59)}})
	expect(t, f, port.CaughtUp, s.ref(59))
	if err := f.Watch(t.Context(), [][]byte{{20, 0}, {40, 0}}, 5); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := get(t, reports); !errors.Is(err, ErrUnlinked) {
			t.Fatalf("reported %v, want ErrUnlinked", err)
		}
	}
	select {
	case n := <-f.Notices():
		t.Fatalf("got a notice of kind %d", n.Kind)
	default:
	}
	s.change(func() {
		fixed := *s.blocks[30]
		fixed.Prev = good
		s.blocks[30] = &fixed
	})
	expect(t, f, port.Rescanned, s.ref(20))
	expect(t, f, port.Rescanned, s.ref(40))
	expect(t, f, port.CaughtUp, s.ref(59))
}

// TestSparseKnown accepts known blocks with gaps between them.
func TestSparseKnown(t *testing.T) {
	s := newScript(50)
	known := []port.BlockRef{s.ref(10), s.ref(30), {Height: 40, Hash: chainhash.Hash{7}}}
	f, _ := begin(t, s, Options{Known: known})
	expect(t, f, port.Disconnected, known[2])
	for height := 31; height < 50; height++ {
		expect(t, f, port.Connected, s.ref(height))
	}
	expect(t, f, port.CaughtUp, s.ref(49))
	if err := f.Watch(t.Context(), [][]byte{{20, 0}, {10, 0}, {35, 0}}, 5); err != nil {
		t.Fatal(err)
	}
	for _, height := range []int{10, 20, 35} {
		expect(t, f, port.Rescanned, s.ref(height))
	}
	expect(t, f, port.CaughtUp, s.ref(49))
}

// TestStaleMempool: a view of the mempool from before a block does not bring
// its transactions back, and a reorg does.
func TestStaleMempool(t *testing.T) {
	s := newScript(3)
	mine := []byte{3, 0}
	f, _ := begin(t, s, Options{Known: []port.BlockRef{s.ref(2)}, Scripts: [][]byte{mine}})
	expect(t, f, port.CaughtUp, s.ref(2))
	s.change(func() {
		s.grow(1, 0)
		s.pool = append(s.pool, s.blocks[3].Txs[0])
	})
	expect(t, f, port.Connected, s.ref(3))
	expect(t, f, port.CaughtUp, s.ref(3))
	three := s.ref(3)
	s.change(func() { s.blocks = s.blocks[:3] })
	expect(t, f, port.Disconnected, three)
	if n := expect(t, f, port.Seen, s.ref(2)); len(n.Txs) != 1 {
		t.Errorf("saw %d transactions", len(n.Txs))
	}
	expect(t, f, port.CaughtUp, s.ref(2))
}

func TestSetEndsFollowers(t *testing.T) {
	var set Set
	s := newScript(30)
	f, err := set.Start(t.Context(), s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	set.Close()
	for range f.Notices() {
	}
	if err := f.Watch(t.Context(), nil, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("Watch: got %v, want ErrClosed", err)
	}
	if _, err := set.Start(t.Context(), s, Options{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Start: got %v, want ErrClosed", err)
	}
}

// TestMatchSpends finds spends by the spent script alone, for each way in which
// the wallet's coins are spent.
func TestMatchSpends(t *testing.T) {
	witness := []byte{txscript.OP_TRUE}
	program := sha256.Sum256(witness)
	wsh := append([]byte{0, 32}, program[:]...)
	push := append([]byte{34}, wsh...)
	hash := address.Hash160(wsh)
	shwsh := append(append([]byte{txscript.OP_HASH160, 20}, hash...), txscript.OP_EQUAL)
	for name, c := range map[string]struct {
		script []byte
		in     *wire.TxIn
	}{
		"wsh":    {wsh, &wire.TxIn{Witness: wire.TxWitness{{}, {1}, witness}}},
		"sh-wsh": {shwsh, &wire.TxIn{SignatureScript: push, Witness: wire.TxWitness{{}, {1}, witness}}},
	} {
		m := newMatcher()
		tx := &wire.MsgTx{TxIn: []*wire.TxIn{c.in}, TxOut: []*wire.TxOut{{PkScript: []byte{1}}}}
		if m.add([][]byte{{9}}); m.tx(tx) {
			t.Errorf("%s: matches before its script is watched", name)
		}
		if m.add([][]byte{c.script}); !m.tx(tx) {
			t.Errorf("%s: spend is not found", name)
		}
	}
	// An output whose spend does not show its script is remembered instead.
	m := newMatcher()
	m.add([][]byte{{0x51}})
	pay := &wire.MsgTx{TxOut: []*wire.TxOut{{PkScript: []byte{0x52}}, {PkScript: []byte{0x51}}}}
	if !m.tx(pay) {
		t.Fatal("payment is not found")
	}
	spend := &wire.MsgTx{TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: pay.TxHash(), Index: 1}}}}
	other := &wire.MsgTx{TxIn: []*wire.TxIn{{PreviousOutPoint: wire.OutPoint{Hash: pay.TxHash(), Index: 0}}}}
	if !m.tx(spend) || m.tx(other) {
		t.Error("spends are confused")
	}
}
