package api

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type newScheduleInput struct {
	WalletPath
	Body NewSchedule
}

type scheduleInput struct {
	WalletPath
	Schedule string `path:"schedule" minLength:"6" maxLength:"32" pattern:"^[0-9a-f]+$" doc:"Its id, or the first characters of it."`
}

func scheduleRoutes(h huma.API, b ScheduleBackend, unlimited func(context.Context) error) {
	route(h, access.Read, get("list-schedules", "/v1/wallets/{wallet}/schedules", "List payments that this node proposes by itself when they are due"), func(ctx context.Context, in *walletList) (Page[Schedule], error) {
		items, err := b.Schedules(ctx, in.Wallet)
		return listed(in.PageQuery, func(x Schedule) string { return x.Schedule }, items, err)
	})
	route(h, access.Propose, made(post("create-schedule", "/v1/wallets/{wallet}/schedules", "Have a payment proposed when it is due: again and again, or once")), func(ctx context.Context, in *newScheduleInput) (Schedule, error) {
		// It would go on to sign after the token ends, or is revoked.
		if c := callerOf(ctx); !in.Body.Unsigned && !c.May(access.Local) {
			return Schedule{}, denied(called(c)+" may not have the node sign later", "send unsigned, or ask at the machine of the node")
		}
		if err := checkSchedule(in.Body); err != nil {
			return Schedule{}, err
		}
		if err := unlimited(ctx); err != nil {
			return Schedule{}, err
		}
		in.Body.RequestID = ownRequest(ctx, in.Body.RequestID)
		return b.Schedule(ctx, in.Wallet, in.Body)
	})
	route(h, access.Propose, post("end-schedule", "/v1/wallets/{wallet}/schedules/{schedule}/end", "End a schedule; what was proposed stays"), func(ctx context.Context, in *scheduleInput) (Schedule, error) {
		// Who may not have the node sign ends nothing that it is to sign.
		if c := callerOf(ctx); !c.May(access.Sign) {
			all, err := b.Schedules(ctx, in.Wallet)
			if err != nil {
				return Schedule{}, err
			}
			for _, x := range all {
				if strings.HasPrefix(x.Schedule, in.Schedule) && !x.Unsigned {
					return Schedule{}, denied(called(c)+" may not end what the node is to sign", "use a token with the verb sign")
				}
			}
		}
		return b.EndSchedule(ctx, in.Wallet, in.Schedule)
	})
	route(h, access.Local, post("start-schedule", "/v1/wallets/{wallet}/schedules/{schedule}/start", "Take a schedule up that the node holds since it was restored"), func(ctx context.Context, in *scheduleInput) (Schedule, error) {
		return b.StartSchedule(ctx, in.Wallet, in.Schedule)
	})
}

// checkSchedule checks what does not need the wallet.
func checkSchedule(r NewSchedule) error {
	if r.Every == "" {
		switch {
		case r.On != "" || r.At != "" || r.Zone != "" || r.Until != nil:
			return Misuse("conflicting", "a day, a time of the day, a zone and an end are of payments that recur", "give how often as well, as 1mo")
		case r.NotBefore == nil && r.Height == 0:
			return Misuse("bad_schedule", "nothing says when it is due", "give how often, or a time or height before which it is not due")
		}
	} else if r.Height > 0 {
		return Misuse("conflicting", "a height is of what is due once", "give a time")
	}
	return checkPropose(Propose{To: r.To, FeeRate: r.FeeRate, TargetBlocks: r.TargetBlocks})
}
