package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type pingInput struct {
	WalletPath
	Body Ping
}

type answerPingInput struct {
	WalletPath
	Body AnswerPing
}

func pingRoutes(h huma.API, b PingBackend) {
	op := post("ping-wallet", "/v1/wallets/{wallet}/ping", "Have every key show that somebody holds it")
	op.Description = "Asks for a signature of every key that moves nothing, or joins the round of the last 7 days. This node's key answers at once, other nodes' keys by themselves; of a key that a device holds the answer says what has to be signed."
	route(h, access.Sign, op, func(ctx context.Context, in *pingInput) (Pinged, error) {
		return b.Ping(ctx, in.Wallet, in.Body)
	})
	route(h, access.Sign, post("answer-ping", "/v1/wallets/{wallet}/ping/answer", "Enter what a device signed for a ping"), func(ctx context.Context, in *answerPingInput) (Pinged, error) {
		return b.AnswerPing(ctx, in.Wallet, in.Body)
	})
}
