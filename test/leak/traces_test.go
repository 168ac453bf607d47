package leak_test

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/test/nodes"
)

// collector takes the traces of all nodes, as one that a group shares.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
}

func newCollector(t testing.TB) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bodies = append(c.bodies, b)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(c.Close)
	return c
}

// told are the names of the spans by trace, and by the run of a node that told of them.
func (c *collector) told(t testing.TB) map[string]map[string][]string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]map[string][]string{}
	for _, b := range c.bodies {
		var x struct {
			ResourceSpans []struct {
				Resource struct {
					Attributes []struct {
						Key   string
						Value struct{ StringValue string }
					}
				}
				ScopeSpans []struct {
					Spans []struct {
						TraceID, Name string
						Flags         uint32
					}
				}
			}
		}
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatal(err)
		}
		for _, r := range x.ResourceSpans {
			run := ""
			for _, a := range r.Resource.Attributes {
				if a.Key == "service.instance.id" {
					run = a.Value.StringValue
				}
			}
			for _, s := range r.ScopeSpans {
				for _, span := range s.Spans {
					if span.Flags&1 == 0 {
						t.Errorf("%s is not sampled", span.Name)
					}
					if out[span.TraceID] == nil {
						out[span.TraceID] = map[string][]string{}
					}
					out[span.TraceID][run] = append(out[span.TraceID][run], span.Name)
				}
			}
		}
	}
	return out
}

// all is everything that was told.
func (c *collector) all() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.bodies)
}

// joins waits until what both nodes tell of a proposal is one trace, from the first moment
// to the last.
func (c *collector) joins(t testing.TB, proposal string) {
	t.Helper()
	id, err := hex.DecodeString(proposal)
	if err != nil {
		t.Fatal(err)
	}
	h := journal.H("trace", id)
	trace := hex.EncodeToString(h[:16])
	by := func(first string, more ...string) bool {
		for _, names := range c.told(t)[trace] {
			if slices.Contains(names, first) {
				return !slices.ContainsFunc(more, func(m string) bool { return !slices.Contains(names, m) })
			}
		}
		return false
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("of %s it was told: %v", trace, c.told(t))
		}
	})
	nodes.Eventually(t, patience, "the author's node tells all", func() bool {
		return by("proposal.entered", "approval.sign", "approval.release", "approval.received", "proposal.final", "mempool.seen", "proposal.confirmed")
	})
	nodes.Eventually(t, patience, "the other's does", func() bool {
		return by("proposal.received", "approval.received", "approval.sign", "approval.release", "proposal.final", "proposal.confirmed")
	})
	// Whoever holds the last signature first.
	nodes.Eventually(t, patience, "one tells that it handed the transaction over", func() bool { return by("broadcast.handed") })
	for other := range c.told(t) {
		if other != trace {
			t.Errorf("there is a trace %s of no proposal", other)
		}
	}
	// Names of nodes are single letters here, as those of spans are not.
	if text := string(slices.Concat(c.all()...)); strings.Contains(text, proposal) || strings.Contains(text, "12D3KooW") {
		t.Errorf("spans hold the whole id, or a peer: %s", text)
	}
}
