package core_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorate/quorate/chain/core"
)

// fake is a server that answers as a Bitcoin node would, until told otherwise.
type fake struct {
	t      *testing.T
	server *httptest.Server

	mu      sync.Mutex
	answers map[string]func(params []json.RawMessage) (result any, code int, message string)
	user    string
	calls   map[string]int
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, answers: map[string]func([]json.RawMessage) (any, int, string){}, calls: map[string]int{}}
	f.server = httptest.NewServer(f)
	t.Cleanup(f.server.Close)
	f.on("getrawmempool", func([]json.RawMessage) (any, int, string) { return []string{}, 0, "" })
	return f
}

func (f *fake) on(method string, answer func([]json.RawMessage) (any, int, string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[method] = answer
}

func (f *fake) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	want := f.user
	f.mu.Unlock()
	if user, password, _ := r.BasicAuth(); want != "" && user+":"+password != want {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var req struct {
		ID     int               `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	var reqs []json.RawMessage
	dec := json.NewDecoder(r.Body)
	var body json.RawMessage
	if dec.Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	batch := json.Unmarshal(body, &reqs) == nil
	if !batch {
		reqs = []json.RawMessage{body}
	}
	var out []any
	for _, one := range reqs {
		if json.Unmarshal(one, &req) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		out = append(out, f.answer(req.ID, req.Method, req.Params))
	}
	var reply any = out
	if !batch {
		reply = out[0]
	}
	_ = json.NewEncoder(w).Encode(reply)
}

func (f *fake) answer(id int, method string, params []json.RawMessage) any {
	f.mu.Lock()
	f.calls[method]++
	answer := f.answers[method]
	f.mu.Unlock()
	type failure struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	reply := map[string]any{"id": id, "result": nil, "error": nil}
	if answer == nil {
		reply["error"] = failure{-32601, "Method not found"}
		return reply
	}
	result, code, message := answer(params)
	if code != 0 {
		reply["error"] = failure{code, message}
		return reply
	}
	reply["result"] = result
	return reply
}

// healthy waits until Health shows a problem that holds the text, or none for "".
func healthy(t *testing.T, b *core.Backend, text string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	for {
		h := b.Health()
		if strings.Contains(h.Problem, "\n") {
			t.Fatalf("problem of several lines: %q", h.Problem)
		}
		if (text == "" && h.Problem == "" && h.Synced) || (text != "" && strings.Contains(h.Problem, text)) {
			if text != "" && (h.Since.IsZero() || h.Synced) {
				t.Fatalf("health with a problem: %+v", h)
			}
			return
		}
		select {
		case <-tick.C:
		case <-timeout.C:
			t.Fatalf("health is %+v, want problem %q", h, text)
		}
	}
}
