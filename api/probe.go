package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Probe is one of the checks by which a node says whether it is ready, or alive.
type Probe struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	// Codes say what is wrong: of the reasons of Status.Check, or of an alarm.
	Codes List[string] `json:"codes"`
}

// Probes are the answer of /livez and /readyz.
type Probes struct {
	OK     bool        `json:"ok"`
	Checks List[Probe] `json:"checks"`
}

// Checks of /readyz.
const (
	probeAnswers = "answers" // the node says how it is
	probeStore   = "store"   // it can write
	probeWallets = "wallets" // each is open, moves, and knows what it signed
	probeChain   = "chain"   // synced
	probeClock   = "clock"   // not behind the chain
	probeNetwork = "network" // it listens where it should
	probeAlarms  = "alarms"  // nothing else stands
)

// ReadyChecks are the checks of /readyz; all but the first may be left out by their names.
func ReadyChecks() []string {
	return []string{probeAnswers, probeStore, probeWallets, probeChain, probeClock, probeNetwork, probeAlarms}
}

// probeOf is the check to which a reason belongs.
func probeOf(code string) string {
	switch code {
	case "chain_problem", "chain_not_synced":
		return probeChain
	case "disk_full":
		return probeStore
	case "wallet_failed", "wallet_stuck", "restored_unsynced":
		return probeWallets
	case "clock_behind":
		return probeClock
	case "not_listening", "connections_crowded":
		return probeNetwork
	}
	return probeAlarms
}

// Ready says by each check whether a node is ready, as far as its status tells.
func (s Status) Ready() []Probe {
	codes := map[string][]string{}
	for _, r := range s.Check() {
		if slices.Contains([]string{"keys_unseen", "recurring_waits", "robot_paused", "charges_outstanding", "policy_parted", "pool_held", "robots_together"}, r.Code) {
			continue // it is of people, and stands until they do something: the node is ready all the same
		}
		of := probeOf(r.Code)
		if !slices.Contains(codes[of], r.Code) {
			codes[of] = append(codes[of], r.Code)
		}
	}
	var out []Probe
	for _, c := range ReadyChecks() {
		out = append(out, Probe{Check: c, OK: len(codes[c]) == 0, Codes: codes[c]})
	}
	return out
}

// Without leaves out checks by their names, and says whether the rest are right. It
// returns Misuse for what is no check.
func Without(checks []Probe, exclude []string) (Probes, error) {
	out := Probes{OK: true}
	for _, x := range exclude {
		if may := ReadyChecks()[1:]; !slices.Contains(may, x) {
			return out, Misuse("bad_check", fmt.Sprintf("%.40q is not a check that may be left out", x), "it is "+strings.Join(may, ", "))
		}
	}
	for _, c := range checks {
		if !slices.Contains(exclude, c.Check) {
			out.Checks = append(out.Checks, c)
			out.OK = out.OK && c.OK
		}
	}
	return out, nil
}

// probeTime bounds what a probe waits for.
const probeTime = 5 * time.Second

// Probes answers orchestrators, also without a token: whether the process answers,
// whether its loops turn, whether the node is ready, and its version. Reasons are given
// by their codes: who has no token learns no name, of wallet or person.
func (s *Server) Probes(next http.Handler) http.Handler {
	text := func(w http.ResponseWriter, line string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Connection", "close")
		// The client may be gone.
		_, _ = fmt.Fprintln(w, line)
	}
	say := func(w http.ResponseWriter, p Probes) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Connection", "close")
		if !p.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(p)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		switch r.URL.Path {
		case "/healthz":
			text(w, "ok")
		case "/version":
			text(w, s.version)
		case "/livez":
			loops := Probe{Check: "loops", OK: s.live == nil || s.live()}
			if !loops.OK {
				loops.Codes = []string{"wallet_stuck"}
			}
			say(w, Probes{OK: loops.OK, Checks: []Probe{loops}})
		case "/readyz":
			p, err := Without(s.ready(r), r.URL.Query()["exclude"])
			if err != nil {
				w.Header().Set("Connection", "close")
				writeError(w, AsError(err))
				return
			}
			say(w, p)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ready asks the node itself at most once a second, whoever asks how often: nobody
// needs a token for it.
func (s *Server) ready(r *http.Request) []Probe {
	s.probe.Lock()
	defer s.probe.Unlock()
	if now := time.Now(); now.Sub(s.probed) >= time.Second {
		ctx, cancel := s.untilClosing(r.Context())
		defer cancel()
		ctx, stop := context.WithTimeout(ctx, probeTime)
		defer stop()
		st, err := s.backend.Status(ctx)
		s.checks = st.Ready()
		if err != nil {
			s.checks = []Probe{{Check: probeAnswers, Codes: []string{"not_answering"}}}
		}
		if r.Context().Err() == nil {
			s.probed = now // what a client that left made fail is no answer for others
		}
	}
	return s.checks
}
