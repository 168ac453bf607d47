package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
)

// Whoever waits to join tries for as long as it was told to, through a crowd at
// the founder's door as well, and hears in the end what stood in the way.
func TestJoinWaits(t *testing.T) {
	n := &Node{}
	crowded := fmt.Errorf("present the invite: %w", port.ErrNoOpenInvite)
	away := fmt.Errorf("present the invite: %w", port.ErrFounderAway)
	admitted := &node.Actor{}
	for name, c := range map[string]struct {
		wait    bool
		answers []error // and then it is admitted
		lasts   time.Duration
		tries   int
		err     string
	}{
		"a crowd for a minute":      {true, repeat(crowded, 30), time.Hour, 31, ""},
		"away, then a crowd":        {true, append(repeat(away, 9), repeat(crowded, 9)...), time.Hour, 19, ""},
		"no longer than it is told": {true, repeat(crowded, 1000), 61 * time.Second, 31, port.ErrNoOpenInvite.Error()},
		"away for all the time":     {true, repeat(away, 1000), 61 * time.Second, 31, "was not reached"},
		"what no time mends":        {true, []error{port.ErrInviteUsed}, time.Hour, 1, port.ErrInviteUsed.Error()},
		"without waiting":           {false, repeat(crowded, 3), time.Hour, 1, port.ErrNoOpenInvite.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.lasts)
				defer cancel()
				tries := 0
				a, err := n.untilJoined(ctx, c.wait, func() (*node.Actor, error) {
					if tries++; tries <= len(c.answers) {
						return nil, c.answers[tries-1]
					}
					return admitted, nil
				})
				if tries != c.tries {
					t.Errorf("%d tries, want %d", tries, c.tries)
				}
				if c.err == "" && (err != nil || a != admitted) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				var told *api.Error
				if ends := c.tries > 1 && c.err != ""; ends != (errors.As(err, &told) && told.Code == "not_admitted") {
					t.Errorf("got %#v", err)
				}
			})
		})
	}
}

func repeat(err error, n int) (out []error) {
	for range n {
		out = append(out, err)
	}
	return out
}
