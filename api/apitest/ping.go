package apitest

import (
	"context"
	"strings"

	"github.com/quorate/quorate/api"
)

// Ping implements api.Backend: this node's key has answered, and that of another is to.
func (b *Backend) Ping(_ context.Context, ref string, r api.Ping) (api.Pinged, error) {
	out := api.Pinged{
		Wallet: WalletID, WalletName: "family", Cosigner: Person("alice"), Round: strings.Repeat("46", 32), Asked: Now(),
		AskedBy: Person("alice"), New: r.New, Answered: true,
	}
	if r.For != "" {
		out.Cosigner, out.AskedBy, out.Answered, out.Sign = Person(r.For), Person("bob"), false, toSign("quorate ping")
	}
	return out, b.wallet("Ping", ref, r)
}

// AnswerPing implements api.Backend.
func (b *Backend) AnswerPing(_ context.Context, ref string, r api.AnswerPing) (api.Pinged, error) {
	return api.Pinged{
		Wallet: WalletID, WalletName: "family", Cosigner: Person("bob"), Round: strings.Repeat("46", 32), Asked: Now(), AskedBy: Person("alice"), Answered: true,
	}, b.wallet("AnswerPing", ref, r)
}
