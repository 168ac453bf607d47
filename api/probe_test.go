package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// sick is a backend that says of itself what a test wants.
type sick struct {
	*apitest.Backend
	status api.Status
	err    error
}

func (s *sick) Status(context.Context) (api.Status, error) { return s.status, s.err }

// probed is what a probe answers, without a token.
func probed(t *testing.T, h http.Handler, path string) (int, api.Probes) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	var p api.Probes
	if w.Code != http.StatusBadRequest {
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s: %v: %s", path, err, w.Body)
		}
	}
	return w.Code, p
}

// /readyz says of each check whether it is right, by codes alone, and leaves out what it
// is told to; /livez says whether the loops turn, whatever else is wrong.
func TestProbesSayEachCheck(t *testing.T) {
	well := api.Status{Chain: api.ChainStatus{Backend: "core", Synced: true}}
	for name, x := range map[string]struct {
		change func(*api.Status)
		check  string // the one that is wrong
		code   string
	}{
		"well":          {func(*api.Status) {}, "", ""},
		"chain away":    {func(s *api.Status) { s.Chain.Problem = "gone" }, "chain", "chain_problem"},
		"not synced":    {func(s *api.Status) { s.Chain.Synced = false }, "chain", "chain_not_synced"},
		"no chain":      {func(s *api.Status) { s.Chain = api.ChainStatus{Backend: "none"} }, "", ""},
		"disk full":     {func(s *api.Status) { s.Alarms = []api.Alarm{{Code: "disk_full"}} }, "store", "disk_full"},
		"clock":         {func(s *api.Status) { s.Alarms = []api.Alarm{{Code: "clock_behind"}} }, "clock", "clock_behind"},
		"not listening": {func(s *api.Status) { s.Alarms = []api.Alarm{{Code: "not_listening"}} }, "network", "not_listening"},
		"stuck":         {func(s *api.Status) { s.Alarms = []api.Alarm{{Code: "wallet_stuck"}} }, "wallets", "wallet_stuck"},
		"failed wallet": {func(s *api.Status) { s.Wallets = []api.WalletSummary{{Name: "w", State: "failed"}} }, "wallets", "wallet_failed"},
		"wallet's alarm": {func(s *api.Status) {
			s.Wallets = []api.WalletSummary{{Name: "w", State: "active", Alarms: []api.Alarm{{Code: "foreign_spend"}, {Code: "foreign_spend"}}}}
		}, "alarms", "foreign_spend"},
	} {
		b := &sick{Backend: apitest.New(), status: well}
		x.change(&b.status)
		live := true
		s, err := api.NewServer(b, api.Options{Live: func() bool { return live }})
		if err != nil {
			t.Fatal(err)
		}
		h := s.TokenHandler()
		code, p := probed(t, h, "/readyz")
		if want := map[bool]int{true: 200, false: 503}[x.check == ""]; code != want || p.OK != (want == 200) || len(p.Checks) != len(api.ReadyChecks()) {
			t.Errorf("%s: %d %+v", name, code, p)
		}
		for _, c := range p.Checks {
			if bad := c.Check == x.check; c.OK == bad || bad && !slices.Equal(c.Codes, []string{x.code}) || !bad && len(c.Codes) > 0 {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if x.check != "" {
			if code, p := probed(t, h, "/readyz?exclude="+x.check); code != 200 || !p.OK || len(p.Checks) != len(api.ReadyChecks())-1 {
				t.Errorf("%s, without that check: %d %+v", name, code, p)
			}
			other := "clock"
			if x.check == other {
				other = "chain"
			}
			if code, _ := probed(t, h, "/readyz?exclude="+other); code != 503 {
				t.Errorf("%s, without another check: %d", name, code)
			}
		}
		if code, _ := probed(t, h, "/readyz?exclude=chain&exclude=wether"); code != 400 {
			t.Errorf("%s: a check that is none may be left out: %d", name, code)
		}
		if code, p := probed(t, h, "/livez"); code != 200 || !p.OK {
			t.Errorf("%s: /livez: %d %+v", name, code, p)
		}
		live = false
		if code, p := probed(t, h, "/livez"); code != 503 || p.OK || len(p.Checks) != 1 || p.Checks[0].OK {
			t.Errorf("%s: /livez of a node that hangs: %d %+v", name, code, p)
		}
	}
}

// A node that cannot say how it is is not ready, whatever is left out.
func TestANodeThatDoesNotAnswerIsNotReady(t *testing.T) {
	b := &sick{Backend: apitest.New(), err: api.Fail("failed", "no", "")}
	s, err := api.NewServer(b, api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := probed(t, s.LocalHandler(), "/readyz?exclude=answers"); code != 400 {
		t.Errorf("that it answers may be left out: %d", code)
	}
	if code, p := probed(t, s.LocalHandler(), "/readyz?exclude=chain"); code != 503 || p.OK || len(p.Checks) != 1 || p.Checks[0].Check != "answers" {
		t.Errorf("%d %+v", code, p)
	}
}
