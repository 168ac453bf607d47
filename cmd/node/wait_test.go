package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
)

// answers are what a node says to one wait after the other.
type answers []error

func (a *answers) Wait(ctx context.Context, _, _ string, left time.Duration) (api.Proposal, error) {
	if len(*a) == 0 {
		<-time.After(left)
		return api.Proposal{}, api.TimedOut("timeout", "too late", "")
	}
	err := (*a)[0]
	*a = (*a)[1:]
	return api.Proposal{Proposal: "p"}, err
}

// A wait goes on over a restart of the node, within its time; a node that was never
// there, and a refusal, end it at once.
func TestWaitGoesOnOverARestart(t *testing.T) {
	gone := api.Unreachable("not_running", "no node", "")
	lost := api.Unreachable("not_reachable", "EOF", "")
	stopping := api.Unreachable("stopping", "stops", "")
	refused := api.Refuse("rejected", "no", "")
	for _, c := range []struct {
		name string
		says answers
		code string
		took time.Duration
	}{
		{"at once", answers{nil}, "", 0},
		{"over a restart", answers{stopping, gone, gone, nil}, "", 3 * waitAgain},
		{"over a kill", answers{lost, gone, nil}, "", 2 * waitAgain},
		{"never there", answers{gone, nil}, "not_running", 0},
		{"refused", answers{lost, refused, nil}, "rejected", waitAgain},
		{"too late", answers{lost}, "timeout", time.Minute},
		{"never again", append(answers{lost}, slices.Repeat(answers{gone}, 100)...), "not_running", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, err := waitOver(t.Context(), &c.says, "p", api.StatusFinal, time.Minute)
			var e *api.Error
			if errors.As(err, &e); (c.code == "") != (err == nil) || e != nil && e.Code != c.code {
				t.Errorf("%s: %v", c.name, err)
			}
			if took := time.Since(began); c.took > 0 && took != c.took {
				t.Errorf("%s: took %v", c.name, took)
			}
		})
	}
}
