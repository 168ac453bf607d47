package trace

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// server is a collector that answers as it is told.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	answer string
	bodies []otlpRequest
	raw    []string
	heads  []http.Header
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{status: http.StatusOK, answer: "{}"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		var x otlpRequest
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&x); err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" {
			t.Errorf("%s %s: %v: %s", r.Method, r.URL, err, b)
		}
		s.bodies, s.raw, s.heads = append(s.bodies, x), append(s.raw, string(b)), append(s.heads, r.Header.Clone())
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/v1/traces")
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) spans() (out []otlpSpan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bodies {
		for _, r := range b.ResourceSpans {
			for _, x := range r.ScopeSpans {
				out = append(out, x.Spans...)
			}
		}
	}
	return out
}

// list is a processor that keeps what ends.
type list struct{ spans []sdk.ReadOnlySpan }

func (l *list) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (l *list) OnEnd(s sdk.ReadOnlySpan)                   { l.spans = append(l.spans, s) }
func (l *list) Shutdown(context.Context) error             { return nil }
func (l *list) ForceFlush(context.Context) error           { return nil }

var (
	proposal = journal.EntryID{0xc0, 0xff, 0xee}
	began    = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
)

// some are n spans of one proposal.
func some(t *testing.T, n int) []sdk.ReadOnlySpan {
	t.Helper()
	l := &list{}
	s, err := newSpans("test", l)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		s.add(proposal, fmt.Sprintf("span %d", i), began, began.Add(time.Second))
	}
	return l.spans
}

// What a collector is sent is what the protocol has: ids in hex, times as text, one trace
// for one proposal, whose id all nodes know, and the sampled flag on each.
func TestWhatIsSent(t *testing.T) {
	s := newServer(t)
	if n, err := newCollector(s.URL+"/").send(t.Context(), some(t, 2)); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	got := s.spans()
	if len(got) != 2 {
		t.Fatalf("%d spans", len(got))
	}
	h := journal.H("trace", proposal[:])
	for _, x := range got {
		if x.TraceID != hex.EncodeToString(h[:16]) || len(x.SpanID) != 16 || x.Flags != 0x101 || x.Kind != 1 || x.Start != "1777636800000000000" || x.End != "1777636801000000000" {
			t.Errorf("%+v", x)
		}
	}
	if got[0].SpanID == got[1].SpanID || s.heads[0].Get("Content-Type") != "application/json" {
		t.Errorf("%+v %v", got, s.heads)
	}
	resource := s.bodies[0].ResourceSpans[0].Resource.Attributes
	if i := slices.IndexFunc(resource, func(a otlpAttribute) bool {
		return a.Key == "service.name" && a.Value["stringValue"] == "quorate"
	}); i < 0 {
		t.Errorf("%+v", resource)
	}
	if other := ID(journal.EntryID{1}); other == ID(proposal) || !other.IsValid() {
		t.Errorf("another proposal has the trace %s", other)
	}
	for endpoint, want := range map[string]string{
		"http://127.0.0.1:4318": "http://127.0.0.1:4318/v1/traces", "https://x.example/": "https://x.example/v1/traces", "https://x.example/otlp/in": "https://x.example/otlp/in",
	} {
		if got := newCollector(endpoint).url; got != want {
			t.Errorf("%s is asked at %s", endpoint, got)
		}
	}
}

// What a collector answers decides whether spans are sent again, dropped, or were taken.
func TestWhatIsAnswered(t *testing.T) {
	for _, c := range []struct {
		status   int
		answer   string
		rejected int
		again    bool
		refused  bool
	}{
		{200, `{}`, 0, false, false},
		{200, ``, 0, false, false},
		{200, `not JSON`, 0, false, false},
		{202, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"one"}}`, 1, false, false},
		{200, `{"partialSuccess":{"rejectedSpans":2}}`, 2, false, false},
		{200, `{"partialSuccess":{"rejectedSpans":"-5"}}`, 0, false, false},
		{200, `{"partialSuccess":{"rejectedSpans":"99999999999"}}`, 3, false, false},
		{200, strings.Repeat(" ", 1<<20), 0, false, false},
		{429, ``, 0, true, false}, {502, ``, 0, true, false}, {503, ``, 0, true, false}, {504, ``, 0, true, false},
		{400, ``, 0, false, true}, {401, ``, 0, false, true}, {404, ``, 0, false, true}, {413, ``, 0, false, true}, {500, ``, 0, false, true},
		{302, ``, 0, false, true}, {307, ``, 0, false, true}, // it is not gone to
	} {
		s := newServer(t)
		s.status, s.answer = c.status, c.answer
		n, err := newCollector(s.URL).send(t.Context(), some(t, 3))
		if n != c.rejected || (err != nil) != (c.again || c.refused) || errors.Is(err, errRefused) != c.refused || len(s.raw) != 1 {
			t.Errorf("%d %.60q: %d rejected, %v, asked %d times", c.status, c.answer, n, err, len(s.raw))
		}
	}
}

// until waits for something that goroutines bring about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// A collector that is away is tried again, with more and more time between; meanwhile as
// many spans as fit are kept, and the rest is dropped and counted. When it is back it gets
// what was kept. Whoever adds one never waits.
func TestACollectorThatIsAway(t *testing.T) {
	var mu sync.Mutex
	away, tries, got := true, 0, 0
	send := func(_ context.Context, batch []sdk.ReadOnlySpan) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if tries++; away {
			return 0, errors.New("nobody is there")
		}
		got += len(batch)
		return 0, nil
	}
	var log bytes.Buffer
	q := newQueue(send, time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)))
	one := some(t, 1)[0]
	q.OnEnd(one)
	until(t, "it is tried", func() bool { mu.Lock(); defer mu.Unlock(); return tries > 1 })
	const more = 3 * maxQueued
	for range more {
		q.OnEnd(one)
	}
	kept := uint64(maxQueued + maxBatch)
	if d := q.dropped.Load(); d < more-kept || q.sent.Load() != 0 {
		t.Errorf("%d are dropped, %d sent", d, q.sent.Load())
	}
	mu.Lock()
	away = false
	mu.Unlock()
	until(t, "what was kept is sent", func() bool { return q.sent.Load()+q.dropped.Load() == more+1 })
	if sent := q.sent.Load(); sent < maxQueued || sent > kept+1 || uint64(got) != sent {
		t.Errorf("%d are sent, %d arrived", sent, got)
	}
	if err := q.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "away"); n != 1 {
		t.Errorf("it is said %d times: %s", n, &log)
	}
}

// One that refuses is not asked again for the same.
func TestACollectorThatRefuses(t *testing.T) {
	s := newServer(t)
	s.status = http.StatusUnauthorized
	q := newQueue(newCollector(s.URL).send, time.Millisecond, quiet())
	for _, x := range some(t, 5) {
		q.OnEnd(x)
	}
	until(t, "they are dropped", func() bool { return q.dropped.Load() == 5 })
	if err := q.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// The end of a node sends what is there, and waits for a collector that hangs no longer
// than a second or so, whatever waits.
func TestTheEndDoesNotHang(t *testing.T) {
	s := newServer(t)
	b, err := Open(Options{Endpoint: s.URL, Version: "test", Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	b.spans.add(proposal, "last", began, began)
	b.Close()
	b.Close()
	if sent, dropped := b.Counts(); sent != 1 || dropped != 0 || len(s.spans()) != 1 {
		t.Errorf("%d sent, %d dropped, %d arrived", sent, dropped, len(s.spans()))
	}
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hangs.Close()
	defer close(release)
	if b, err = Open(Options{Endpoint: hangs.URL, Version: "test", Log: quiet()}); err != nil {
		t.Fatal(err)
	}
	for range maxQueued {
		b.spans.add(proposal, "late", began, began)
	}
	from := time.Now()
	b.Close()
	if took := time.Since(from); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if sent, dropped := b.Counts(); sent != 0 || dropped != maxQueued {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
}

// Where nothing is configured nothing is done, and nothing stands in between.
func TestOff(t *testing.T) {
	b, err := Open(Options{})
	if b != nil || err != nil {
		t.Fatal(b, err)
	}
	b.Note(api.Proposal{})
	b.Signed("", began, began, nil)
	b.Handed("", "node", began, began)
	b.Close()
	if sent, dropped := b.Counts(); sent+dropped != 0 {
		t.Error(sent, dropped)
	}
	if b.Signer(nil) != nil || b.Chain(nil) != nil {
		t.Error("it stands in between")
	}
}
