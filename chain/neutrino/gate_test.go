package neutrino

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet"
)

// written takes what is written to a connection.
type written struct {
	net.Conn
	bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) { return w.Buffer.Write(b) }
func (w *written) Read(b []byte) (int, error)  { return w.Buffer.Read(b) }

// Whatever pieces messages are written in, all pass that do not ask for filter
// headers, in order and unchanged; those that do pass while the gate is open.
func TestGate(t *testing.T) {
	var all, few bytes.Buffer
	for i, m := range []wire.Message{
		wire.NewMsgGetCFHeaders(wire.GCSFilterRegular, 1, &chainhash.Hash{1}), wire.NewMsgVerAck(), wire.NewMsgPing(1),
		wire.NewMsgGetCFCheckpt(wire.GCSFilterRegular, &chainhash.Hash{2}), wire.NewMsgGetCFCheckpt(wire.GCSFilterRegular, &chainhash.Hash{3}),
		wire.NewMsgGetCFilters(wire.GCSFilterRegular, 2, &chainhash.Hash{}), wire.NewMsgGetCFHeaders(wire.GCSFilterRegular, 3, &chainhash.Hash{4}),
		wire.NewMsgPing(2),
	} {
		var one bytes.Buffer
		if err := wire.WriteMessage(&one, m, wire.ProtocolVersion, chaincfg.RegressionNetParams.Net); err != nil {
			t.Fatal(err)
		}
		all.Write(one.Bytes())
		if i == 1 || i == 2 || i == 5 || i == 7 {
			few.Write(one.Bytes())
		}
	}
	for piece := 1; piece <= all.Len(); piece++ {
		for open, want := range map[bool][]byte{true: all.Bytes(), false: few.Bytes()} {
			var got written
			g := &gate{Conn: &got, open: func() bool { return open }}
			for in := bytes.NewBuffer(bytes.Clone(all.Bytes())); in.Len() > 0; {
				b := in.Next(piece)
				if n, err := g.Write(b); err != nil || n != len(b) {
					t.Fatalf("Write: %d of %d, %v", n, len(b), err)
				}
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Fatalf("in pieces of %d, open %v: %d bytes passed, want %d", piece, open, got.Len(), len(want))
			}
		}
	}
}

func TestComparing(t *testing.T) {
	b := &Backend{cfg: Config{Network: wallet.Signet}}
	now := time.Now()
	for name, c := range map[string]struct {
		peers  int
		enough time.Time
		want   bool
	}{
		"nobody":   {0, time.Time{}, false},
		"one":      {1, time.Time{}, false},
		"two now":  {2, now, false},
		"two":      {2, now.Add(-time.Minute), true},
		"one left": {1, now.Add(-time.Minute), false},
	} {
		b.now.peers, b.now.enough = c.peers, c.enough
		if got := b.comparing(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !(&Backend{cfg: Config{Network: wallet.Regtest}}).comparing() {
		t.Error("where one peer is enough, nothing is held back")
	}
}

// What is wrong decides whether connections or headers are had anew.
func TestJudge(t *testing.T) {
	const stall = time.Minute
	now := time.Now()
	long, short := now.Add(-2*stall), now.Add(-stall/2)
	block := chainhash.Hash{1}
	for name, c := range map[string]struct {
		change func(b *Backend)
		want   remedy
	}{
		"all is well":              {func(*Backend) {}, fine},
		"nobody, for a while":      {func(b *Backend) { b.now.peers, b.now.alone = 0, short }, fine},
		"nobody, for long":         {func(b *Backend) { b.now.peers, b.now.alone = 0, long }, restart},
		"headers do not come":      {func(b *Backend) { b.now.target, b.now.moved = 200, long }, restart},
		"filter headers do not":    {func(b *Backend) { b.now.height, b.now.moved, b.now.grown = 90, long, long }, restart},
		"they come, if slowly":     {func(b *Backend) { b.now.height, b.now.moved, b.now.grown = 90, short, short }, fine},
		"no network, in the midst": {func(b *Backend) { b.now.height, b.now.peers, b.now.alone, b.now.grown = 90, 0, long, long }, restart},
		"nor after a restart": {func(b *Backend) {
			b.now.height, b.now.moved, b.now.grown = 90, long, long
			b.began = attempt{height: 90, stuck: true}
		}, forget},
		"after a restart they came": {func(b *Backend) {
			b.now.height, b.now.moved, b.now.grown = 90, long, long
			b.began = attempt{height: 80, stuck: true}
		}, restart},
		"nor after a restart, and no network": {func(b *Backend) {
			b.now.height, b.now.peers, b.now.alone, b.now.grown = 90, 0, long, long
			b.began = attempt{height: 90, stuck: true}
		}, restart},
		"peers were dropped for theirs": {func(b *Backend) {
			b.now.height, b.now.peers, b.now.grown = 90, 0, long
			b.refused = short
		}, forget},
		"a peer was dropped, others served": {func(b *Backend) { b.now.height, b.refused, b.now.grown = 90, long, short }, fine},
		"twice in a day": {func(b *Backend) {
			b.now.height, b.now.peers, b.now.grown, b.now.alone = 90, 0, long, long
			b.refused, b.forgot = short, now.Add(-time.Hour)
		}, restart},
		"a filter is missing":                     {func(b *Backend) { b.unserved[block] = missing{now.Add(-5 * stall), now} }, fine},
		"a filter is missing for long":            {func(b *Backend) { b.unserved[block] = missing{now.Add(-7 * stall), now} }, forget},
		"a filter was missing once":               {func(b *Backend) { b.unserved[block] = missing{now.Add(-9 * stall), now.Add(-9 * stall)} }, fine},
		"a filter is missing where nobody can be": {func(b *Backend) { b.now.peers, b.unserved[block] = 1, missing{now.Add(-7 * stall), now} }, fine},
	} {
		t.Run(name, func(t *testing.T) {
			b := &Backend{cfg: Config{Network: wallet.Signet, stall: stall}, unserved: map[chainhash.Hash]missing{}}
			b.now = state{height: 100, headers: 100, target: 100, peers: 2, moved: now, grown: now, alone: now}
			c.change(b)
			if got := b.judge(now); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if got := b.judge(now.Add(time.Second)); got != fine {
				t.Errorf("a second later: %v", got)
			}
		})
	}
}
