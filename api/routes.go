package api

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/time/rate"
)

// NewServer builds the routes over a backend.
func NewServer(b Backend, o Options) (*Server, error) {
	s := &Server{
		backend: b, version: o.Version, log: o.Log, live: o.Live, gate: gate{b, o.Tokens, o.Book}, limits: limits{b, o.Book},
		rates: rates{now: time.Now, buckets: map[bucket]*rate.Limiter{}}, closing: make(chan struct{}),
		localWatchers: make(chan struct{}, maxLocalWatchers), tokenWatchers: make(chan struct{}, maxTokenWatchers),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	h := humago.New(mux, humaConfig(o.Version))
	s.nodeRoutes(h)
	s.walletRoutes(h)
	logRoutes(h, b, streams{s.untilClosing, s.log})
	pingRoutes(h, b)
	robotRoutes(h, b)
	freezeRoutes(h, b)
	policyPastRoutes(h, b)
	policyRoutes(h, b)
	s.proposalRoutes(h)
	s.spendRoutes(h)
	scheduleRoutes(h, b, s.limits.unlimited)
	tokenDesk{b, o.Book, s.log}.routes(h)
	sayNulls(h.OpenAPI().Components.Schemas)
	addExamples(h.OpenAPI(), recorded)
	s.spec = sync.OnceValues(func() ([]byte, error) { return json.Marshal(h.OpenAPI()) })
	s.verbs = verbsOf(h.OpenAPI())
	mux.HandleFunc("GET /openapi.json", s.serveSpec)
	mux.HandleFunc("GET /reference", serveReference(sync.OnceValues(func() ([]byte, error) { return reference(h.OpenAPI()) })))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if other := s.otherMethods(r); len(other) > 0 {
			w.Header().Set("Allow", strings.Join(other, ", "))
			writeError(w, Misuse("wrong_method", fmt.Sprintf("%.80q takes no %.20s", r.URL.Path, r.Method), "it takes "+strings.Join(other, " and ")).as(http.StatusMethodNotAllowed))
			return
		}
		writeError(w, Missing("unknown_route", fmt.Sprintf("there is no %s %.80q", r.Method, r.URL.Path), "see /openapi.json"))
	})
	s.routes = mux
	s.last = versions{b, s.untilClosing, s.watch, func(ctx context.Context, pattern string) bool {
		_, ok := s.rates.take(callerOf(ctx), http.MethodGet, pattern)
		return ok
	}}.guard(mux, repeats{o.Answers, s.log}.guard(mux))
	return s, nil
}
