package api_test

import (
	"context"
	"errors"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
	"github.com/quorate/quorate/api/kept/kepttest"
)

// A request with a key that was done, and whose answer was lost, is known again by the
// backend.
func TestAScheduleIsMadeOnce(t *testing.T) {
	b := &lossy{Backend: apitest.New()}
	h := withAnswers(t, b, &kepttest.Memory{})
	for range 2 {
		send(h, "k1", "/v1/wallets/family/schedules", `{"to":[{"address":"a","amount":1}],"every":"1mo"}`)
	}
	if len(b.made) != 2 || b.made[0].RequestID == "" || b.made[1].RequestID != b.made[0].RequestID {
		t.Errorf("%+v", b.made)
	}
}

type lossy struct {
	*apitest.Backend
	made []api.NewSchedule
}

func (b *lossy) Schedule(_ context.Context, _ string, r api.NewSchedule) (api.Schedule, error) {
	b.made = append(b.made, r)
	return api.Schedule{}, errors.New("wait for the wallet: context canceled")
}
