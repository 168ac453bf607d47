package api

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Reason is why a node is not well.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Wallet  Text   `json:"wallet" doc:"The name of the wallet that it is about; null for the node."`
}

// Check says why a node is not well; nothing where it is.
func (s Status) Check() []Reason {
	var out []Reason
	of := func(code, message string) { out = append(out, Reason{Code: code, Message: message}) }
	switch {
	case s.Chain.Backend == "none":
		// It carries messages and signs nothing: as it was set.
	case s.Chain.Problem != "":
		of("chain_problem", string(s.Chain.Problem))
	case !s.Chain.Synced:
		of("chain_not_synced", fmt.Sprintf("the chain is not synced: height %d; the node neither proposes nor signs", s.Chain.Height))
	}
	for _, a := range s.Alarms {
		of(a.Code, a.Message)
	}
	for _, w := range s.Wallets {
		if w.State == "abandoned" || w.State == "archived" {
			continue
		}
		in := func(code, message string) {
			out = append(out, Reason{Code: code, Message: message, Wallet: Text(w.Name)})
		}
		if w.State == "failed" {
			in("wallet_failed", string(w.Problem))
		}
		for _, a := range w.Alarms {
			in(a.Code, a.Message)
		}
		if w.Restored != nil {
			in("restored_unsynced", "not heard from since the restore: "+w.Restored.Missing())
		}
	}
	return out
}

// probeTime bounds what a probe waits for.
const probeTime = 5 * time.Second

// probes answers orchestrators, also without a token: whether the process answers,
// whether the node is well, and its version. Reasons are given by their codes: who has
// no token learns no name, of wallet or person.
func (s *Server) probes(next http.Handler) http.Handler {
	text := func(w http.ResponseWriter, status int, lines ...string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Connection", "close")
		w.WriteHeader(status)
		for _, l := range lines {
			// The client may be gone.
			_, _ = fmt.Fprintln(w, l)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		switch r.URL.Path {
		case "/healthz":
			text(w, http.StatusOK, "ok")
		case "/version":
			text(w, http.StatusOK, s.version)
		case "/readyz":
			codes, ok := s.ready(r)
			if !ok {
				text(w, http.StatusServiceUnavailable, codes...)
				return
			}
			text(w, http.StatusOK, "ok")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ready asks the node itself at most once a second, whoever asks how often: nobody
// needs a token for it.
func (s *Server) ready(r *http.Request) (codes []string, ok bool) {
	s.probe.Lock()
	defer s.probe.Unlock()
	if now := time.Now(); now.Sub(s.probed) >= time.Second {
		ctx, cancel := s.untilClosing(r.Context())
		defer cancel()
		ctx, stop := context.WithTimeout(ctx, probeTime)
		defer stop()
		st, err := s.backend.Status(ctx)
		s.codes = nil
		if err != nil {
			s.codes = []string{"not_answering"}
		}
		for _, x := range st.Check() {
			s.codes = append(s.codes, x.Code)
		}
		if r.Context().Err() == nil {
			s.probed = now // what a client that left made fail is no answer for others
		}
	}
	return s.codes, len(s.codes) == 0
}
