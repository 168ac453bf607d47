package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
	"github.com/quorate/quorate/api/once"
	"github.com/quorate/quorate/display"
)

// Options of a Server.
type Options struct {
	// Version is shown in the OpenAPI document.
	Version string
	// Tokens are what the TCP listener accepts besides those of the Book.
	Tokens []Token
	// Book has the tokens that the node made; nil for a node that makes none.
	Book *access.Book
	// Answers keeps what requests with a key were answered; nil does each anew.
	Answers *once.Book
	// Live says whether all loops of the node turn; nil says that they do.
	Live func() bool
	// Log takes what goes wrong inside; nil discards it.
	Log *slog.Logger
}

// Server answers the API. Serve it on a Unix socket with ServeLocal and,
// where configured, on TCP with ServeTokens; end it with Shutdown.
type Server struct {
	backend Backend
	log     *slog.Logger
	gate    gate
	limits  limits
	rates   rates
	// last is what comes before the routes: repeats and versions.
	last   http.Handler
	routes *http.ServeMux
	// verbs are those that the routes need, by pattern.
	verbs map[string]access.Verb
	// spec writes the document when it is first asked for.
	spec func() ([]byte, error)

	version string
	live    func() bool
	probe   sync.Mutex // of what the last probe found
	probed  time.Time
	checks  []Probe
	// A value in these for each stream and wait that is open.
	localWatchers, tokenWatchers chan struct{}

	// closing ends streams and waits, so that a shutdown does not wait for them.
	closing   chan struct{}
	closeOnce sync.Once
	mu        sync.Mutex
	servers   []*http.Server
}

// humaConfig leaves out what is not wanted: schema links in bodies, pages that
// load scripts from elsewhere, other formats than JSON.
func humaConfig(version string) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "quorate",
				Version:     version,
				Description: "The local interface of a quorate node. Amounts are satoshis, fee rates satoshis per virtual byte, times RFC 3339 in UTC. Every key of an answer is always there; what is absent is null, and a list never is. In what is sent, a field that is null is one that is left out. What is answered may get more fields, and a list of words more of them: a client takes what it does not know. Names that end in _count are numbers of things.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token": {Type: "http", Scheme: "bearer", Description: "On TCP only; says what its holder may do. The Unix socket needs none."},
				},
			},
			Security: []map[string][]string{{"token": {}}},
			Tags:     tags(),
		},
		Formats:                      map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{errorTransformer},
	}
}

func jsonFormat() huma.Format {
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			enc := json.NewEncoder(display.Writer(w))
			enc.SetEscapeHTML(false)
			return enc.Encode(v)
		},
		Unmarshal: func(data []byte, v any) error {
			d := json.NewDecoder(bytes.NewReader(data))
			return d.Decode(v)
		},
	}
}

// errorTransformer turns the library's own errors into ours. Values that were
// sent are left out: one may be a secret. The decoder repeats numbers.
func errorTransformer(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	ctx.SetHeader("Content-Type", "application/json")
	text := m.Detail
	for i, d := range m.Errors {
		if d == nil || i == 3 {
			break
		}
		if said := d.Message; strings.HasPrefix(said, "json: ") {
			text += "; a value is not of its type, or out of its range"
		} else {
			text += "; " + said
		}
		if d.Location != "" {
			text += " (" + d.Location + ")"
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if m.Status >= http.StatusInternalServerError {
		return Fail("failed", text, ""), nil
	}
	hint := "see /openapi.json for what the request takes"
	if ctx.Context().Value(wordsKey{}) != nil {
		hint = "see what the command takes, with --help"
	}
	return Misuse("bad_request", text, hint), nil
}

func (s *Server) serveSpec(w http.ResponseWriter, _ *http.Request) {
	spec, err := s.OpenAPI()
	if err != nil {
		writeError(w, AsError(err))
		return
	}
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(spec)
}

// OpenAPI returns the OpenAPI 3.1 document.
func (s *Server) OpenAPI() ([]byte, error) {
	spec, err := s.spec()
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	return spec, nil
}

// LocalHandler answers callers with every right: those on the Unix socket.
func (s *Server) LocalHandler() http.Handler {
	return s.guard(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, withCaller(r, access.Everything()))
		})
	})
}

// TokenHandler answers callers with the right of their bearer token.
func (s *Server) TokenHandler() http.Handler {
	return s.guard(s.gate.authenticate)
}

// guard is what every request passes, outermost first: panics become errors,
// browsers of other origins are refused, who finds out who asks, the role that
// the route needs is asked for, and only then the body is read and checked.
func (s *Server) guard(who func(http.Handler) http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, Refuse("cross_origin", "the request comes from another origin", "").as(http.StatusForbidden))
	}))
	return s.recoverPanics(withWords(cross.Handler(s.Probes(who(tidy(s.authorize(guardBody(stillGood(s.last)))))))))
}

// authorize refuses who may not use the route that is asked for, before
// anything of the body is read. Of what is no route no body is read at all.
func (s *Server) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := s.routes.Handler(r)
		need, ok := s.verbs[pattern]
		if wait, calm := s.rates.take(callerOf(r.Context()), r.Method, pattern); !calm {
			refuse(w, r, tooMany(w, wait))
			return
		}
		if !ok {
			s.routes.ServeHTTP(w, r)
			return
		}
		if err := checkVerb(r.Context(), need); err != nil {
			refuse(w, r, err)
			return
		}
		bound, err := s.gate.bind(r, pattern)
		if err != nil {
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, bound)
	})
}

func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if r.Context().Err() != nil {
				// The library panics when it cannot write to a client that left.
				return
			}
			s.log.Error("request panicked", "method", r.Method, "route", r.Pattern, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			writeError(w, Fail("internal", "the node failed inside on this request", "see its log"))
		}()
		next.ServeHTTP(w, r)
	})
}

// ServeLocal answers on a listener whose callers have every right. It returns
// nil after Shutdown.
func (s *Server) ServeLocal(l net.Listener) error { return s.serve(l, s.LocalHandler()) }

// ServeTokens answers on a listener whose callers need a bearer token. It
// returns nil after Shutdown.
func (s *Server) ServeTokens(l net.Listener) error {
	return s.serve(&boundedListener{Listener: l, open: map[*boundedConn]bool{}}, s.TokenHandler())
}

func (s *Server) serve(l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(logWriter{s.log}, "", 0),
		ConnContext:       withConn,
		ConnState:         connState,
	}
	// No ReadTimeout or WriteTimeout: a stream and a wait last. Bodies and
	// events have deadlines of their own.
	s.mu.Lock()
	select {
	case <-s.closing:
		s.mu.Unlock()
		return l.Close()
	default:
	}
	s.servers = append(s.servers, srv)
	s.mu.Unlock()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve API on %s: %w", l.Addr(), err)
	}
	return nil
}

// logWriter passes on what the HTTP library has to say, such as a failed accept.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(b []byte) (int, error) {
	w.log.Debug("http", "msg", strings.TrimSpace(string(b)))
	return len(b), nil
}

// Shutdown stops listening, ends streams and waits, lets other requests finish
// until ctx ends, and cuts off what is left then.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closeOnce.Do(func() { close(s.closing) })
	servers := s.servers
	s.mu.Unlock()
	var errs []error
	for _, srv := range servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, err, srv.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("stop API: %w", err)
	}
	return nil
}

// untilClosing is ctx, ended also by Shutdown, and with the token of who asks.
func (s *Server) untilClosing(ctx context.Context) (context.Context, context.CancelFunc) {
	c := callerOf(ctx)
	ctx, cancel := context.WithCancel(ctx)
	if !c.Until.IsZero() {
		ends := time.AfterFunc(time.Until(c.Until), cancel)
		context.AfterFunc(ctx, func() { ends.Stop() })
	}
	go func() {
		select {
		case <-s.closing:
			cancel()
		case <-c.Gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
