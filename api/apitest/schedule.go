package apitest

import (
	"context"

	"github.com/quorate/quorate/api"
)

// ScheduleID names the schedule of the backend.
const ScheduleID = "00112233445566778899aabbccddeeff"

func schedule(state string) api.Schedule {
	at, amount := Now(), int64(150_000)
	return api.Schedule{
		Schedule: ScheduleID, Wallet: WalletID, To: []api.ScheduledPayee{{Address: Address, Amount: &amount, Label: "rent"}}, Note: api.Text("rent"),
		Expires: 259_200, Every: api.Text("1mo"), Rhythm: "every month on day 1 at 09:00 Europe/Berlin", Created: Now(), NextDue: &at, State: state,
	}
}

// Schedule implements api.Backend.
func (b *Backend) Schedule(_ context.Context, ref string, r api.NewSchedule) (api.Schedule, error) {
	return schedule("waits"), b.wallet("Schedule", ref, r)
}

// Schedules implements api.Backend.
func (b *Backend) Schedules(_ context.Context, ref string) ([]api.Schedule, error) {
	held := schedule("held")
	held.Schedule, held.Problem, held.Missed = "f"+ScheduleID[1:], api.Text("coins"), 2
	return []api.Schedule{schedule("waits"), held}, b.wallet("Schedules", ref, nil)
}

// EndSchedule implements api.Backend.
func (b *Backend) EndSchedule(_ context.Context, ref, id string) (api.Schedule, error) {
	return schedule("waits"), b.wallet("EndSchedule", ref, []any{"end", id})
}

// StartSchedule implements api.Backend.
func (b *Backend) StartSchedule(_ context.Context, ref, id string) (api.Schedule, error) {
	return schedule("waits"), b.wallet("StartSchedule", ref, []any{"start", id})
}
