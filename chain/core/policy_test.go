package core_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/coordinator/port"
)

// What the node's mempool takes is known, of each version.
func TestPolicy(t *testing.T) {
	for name, x := range map[string]struct {
		info any
		code int
		want port.Policy
	}{
		"31.99": {map[string]any{
			"loaded": true, "mempoolminfee": 0.000001, "minrelaytxfee": 0.000001, "incrementalrelayfee": 0.000001, "limitclustercount": 64,
		}, 0, port.Policy{MinFeeRate: 100, Incremental: 100, Cluster: 64}},
		"a full mempool": {map[string]any{
			"mempoolminfee": 0.00002345, "minrelaytxfee": 0.000001, "incrementalrelayfee": 0.000001, "limitclustercount": 64,
		}, 0, port.Policy{MinFeeRate: 2345, Incremental: 100, Cluster: 64}},
		"25": {map[string]any{
			"mempoolminfee": 0.00001, "minrelaytxfee": 0.00001, "incrementalrelayfee": 0.00001,
		}, 0, port.Policy{MinFeeRate: 1000, Incremental: 1000}},
		"btcd":      {map[string]any{"size": 0, "bytes": 0}, 0, port.Policy{}},
		"forbidden": {nil, -32601, port.Policy{}},
		"no rate":   {map[string]any{"mempoolminfee": -1, "minrelaytxfee": 7, "limitclustercount": -3}, 0, port.Policy{}},
	} {
		t.Run(name, func(t *testing.T) {
			blocks := regtestChain(t, 3)
			f := newFake(t)
			f.chain(blocks)
			f.on("getmempoolinfo", func([]json.RawMessage) (any, int, string) { return x.info, x.code, "no" })
			b := open(t, core.Config{URL: f.server.URL, Poll: time.Millisecond})
			healthy(t, b, "")
			polls := f.count("getblockchaininfo")
			until(t, "polled on", func() bool { return f.count("getblockchaininfo") > polls+3 })
			if got := b.Health().Policy; got != x.want {
				t.Errorf("it takes %+v, want %+v", got, x.want)
			}
		})
	}
}

// A node that stands still is a problem before its answer is given up.
func TestASilentNodeIsAProblem(t *testing.T) {
	quit := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-quit:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(quit) })
	healthy(t, open(t, core.Config{URL: server.URL}), "has not answered yet")
}

// A full queue is one whatever the status is: before v24 it was 500.
func TestAFullQueueIsNamed(t *testing.T) {
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusInternalServerError} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Work queue depth exceeded", status)
		}))
		t.Cleanup(server.Close)
		healthy(t, open(t, core.Config{URL: server.URL}), "too busy")
	}
}

// What is not in rpcwhitelist is named.
func TestAForbiddenCallIsNamed(t *testing.T) {
	f := newFake(t)
	f.chain(regtestChain(t, 3))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if strings.Contains(string(body), "getrawmempool") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		f.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	healthy(t, open(t, core.Config{URL: server.URL}), "rpcwhitelist): getrawmempool")
}
