package core_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/core"
)

// flood is a fake of which one method answers without end. taken counts what the
// node took of the largest answer.
type flood struct {
	*fake
	method, begin, again string
	taken                atomic.Int64
}

func (f *flood) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if !bytes.Contains(body, []byte(`"method":"`+f.method+`"`)) {
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.fake.ServeHTTP(w, r)
		return
	}
	n, err := io.WriteString(w, f.begin)
	chunk := strings.Repeat(f.again, 4096/len(f.again)+1)
	sum := int64(n)
	for ; err == nil && sum < 100<<20; sum += int64(n) {
		n, err = io.WriteString(w, chunk)
	}
	f.taken.Store(max(f.taken.Load(), sum))
}

// TestAnswersWithoutEnd: the node stops reading where an answer cannot be right any
// more. Sockets take a few MB that the node never reads.
func TestAnswersWithoutEnd(t *testing.T) {
	const sockets = 12 << 20
	list, id := `{"id":1,"error":null,"result":[`, fmt.Sprintf("%064x", 7)
	for _, c := range []struct {
		name, method, begin, again string
		want                       error
	}{
		{"empty ids", "getrawmempool", list, `"",`, core.ErrGarbage},
		{"numbers for ids", "getrawmempool", list, `1,`, core.ErrGarbage},
		{"one text", "getrawmempool", list + `"`, `aa`, core.ErrTooLarge},
		{"lists in lists", "getrawmempool", list, `[`, core.ErrGarbage},
		{"lists in something else", "getrawmempool", `{"x":`, `[`, core.ErrGarbage},
		{"blanks", "getrawmempool", list, ` `, core.ErrTooLarge},
		{"empty answers in a batch", "getrawtransaction", `[`, `{},`, core.ErrGarbage},
		{"one answer again and again", "getrawtransaction", `[`, `{"id":0,"error":null,"result":"00"},`, core.ErrGarbage},
		{"a long tip", "getblockchaininfo", `{"result":{"chain":"`, `aa`, core.ErrTooLarge},
		{"a long header", "getblockheader", `{"result":"`, `00`, core.ErrTooLarge},
		{"a long block hash", "getblockhash", `{"result":"`, `00`, core.ErrTooLarge},
		{"a long error", "getblockhash", `{"error":{"code":1,"message":"`, `no`, core.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.chain(regtestChain(t, 3))
			f.on("getrawmempool", func([]json.RawMessage) (any, int, string) { return []string{id}, 0, "" })
			l := &flood{fake: f, method: c.method, begin: c.begin, again: c.again}
			s := httptest.NewServer(l)
			t.Cleanup(s.Close)
			b := open(t, core.Config{URL: s.URL, Poll: time.Hour})
			healthy(t, b, c.want.Error())
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			s.Close() // waits for the answer
			if n := l.taken.Load(); n == 0 || n > sockets {
				t.Errorf("took %d bytes, at most %d were expected", n, sockets)
			}
		})
	}
}

// TestALongEstimate: a question that a human asks is bounded as well.
func TestALongEstimate(t *testing.T) {
	f := newFake(t)
	f.chain(regtestChain(t, 3))
	f.on("estimatesmartfee", func([]json.RawMessage) (any, int, string) {
		return map[string]any{"feerate": 0.001, "errors": []string{strings.Repeat("x", 100_000)}}, 0, ""
	})
	f.on("testmempoolaccept", func([]json.RawMessage) (any, int, string) { return make([]struct{}, 50_000), 0, "" })
	b := open(t, core.Config{URL: f.server.URL})
	if _, err := b.FeeRate(t.Context(), 2); !errors.Is(err, core.ErrTooLarge) {
		t.Errorf("estimate: %v", err)
	}
	if err := b.TestAccept(t.Context(), wire.NewMsgTx(2)); !errors.Is(err, core.ErrTooLarge) {
		t.Errorf("test: %v", err)
	}
}

// swapped is a transaction whose witness was swapped for empty items: its id does
// not cover that.
func swapped(t *testing.T, n uint32, items int) (id, text string) {
	t.Helper()
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: n}, nil, make(wire.TxWitness, items)))
	tx.AddTxOut(wire.NewTxOut(1000, []byte{0x51}))
	var buf bytes.Buffer
	if err := tx.Serialize(&buf); err != nil {
		t.Fatal(err)
	}
	return tx.TxHash().String(), hex.EncodeToString(buf.Bytes())
}

// TestPoolCountsWhatIsHeld: twenty transactions of 390 kB, within standard weight,
// would take 187 MB decoded.
func TestPoolCountsWhatIsHeld(t *testing.T) {
	var ids []string
	texts := map[string]string{}
	for i := range 20 {
		id, text := swapped(t, uint32(i), 390_000)
		ids, texts[id] = append(ids, id), text
	}
	heavy, text := swapped(t, 99, 500_000) // not standard
	ids, texts[heavy] = append(ids, heavy), text
	f := newFake(t)
	f.chain(regtestChain(t, 3))
	f.on("getrawmempool", func([]json.RawMessage) (any, int, string) { return ids, 0, "" })
	f.on("getrawtransaction", func(p []json.RawMessage) (any, int, string) { return texts[str(p[0])], 0, "" })
	before := live()
	b := open(t, core.Config{URL: f.server.URL, Poll: time.Hour})
	healthy(t, b, "")
	// What is being read when it is measured, a transaction and its text, is not
	// held for long.
	eventually(t, func() bool { return live()-before <= 20<<20 })
	if n := f.count("getrawtransaction"); n < len(ids) || n > 3*len(ids) {
		t.Errorf("asked for %d transactions %d times", len(ids), n)
	}
	runtime.KeepAlive(b)
}

func live() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
