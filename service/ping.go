package service

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// Ping asks every key of a wallet for a signature, and answers with this node's.
func (n *Node) Ping(ctx context.Context, ref string, r api.Ping) (api.Pinged, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Pinged{}, err
	}
	got, err := node.Do(ctx, a, coordinator.Ping{For: r.For, New: r.New, Allow: r.Allow})
	if err != nil {
		return api.Pinged{}, n.apiError(err)
	}
	if r.For == "" && !a.Machine().External() {
		if _, err := node.Do(ctx, a, coordinator.AnswerPing{Round: got.Round.ID}); err != nil {
			e := api.AsError(n.apiError(err))
			e.Message = "the round is asked for, and this node's key did not answer: " + e.Message
			return api.Pinged{}, e
		}
	}
	return n.pinged(a, r.For, got.Round.ID, got.Asked)
}

// AnswerPing enters what a device signed.
func (n *Node) AnswerPing(ctx context.Context, ref string, r api.AnswerPing) (api.Pinged, error) {
	a, err := n.actor(ref)
	if err != nil {
		return api.Pinged{}, err
	}
	rounds, err := a.Machine().PingRounds(r.For, time.Now())
	if err != nil {
		return api.Pinged{}, n.apiError(err)
	}
	why := error(refusal.New(refusal.NotReady, "nobody asked for signatures").WithHint("`quorate ping` does, and says what is to be signed"))
	for _, round := range rounds {
		want, err := a.Machine().PingRequest(r.For, round)
		if err != nil {
			return api.Pinged{}, n.apiError(err)
		}
		how, proof, err := readProof(want, r.Signature)
		if err == nil {
			_, err = node.Do(ctx, a, coordinator.AnswerPing{Round: round, For: r.For, How: how, Proof: proof})
		} else {
			err = refusal.New(refusal.Proof, "%v", err).WithHint("sign exactly what `quorate ping` prints, with the key at %s", want.By.PathText())
		}
		if err == nil {
			return n.pinged(a, r.For, round, false)
		}
		// Of several reasons the one that has to do with the round handed out is told.
		if why = err; !refused(err, refusal.Proof) {
			break
		}
	}
	return api.Pinged{}, n.apiError(why)
}

func refused(err error, rule string) bool {
	var r *refusal.Refusal
	return errors.As(err, &r) && r.Rule == rule
}

// pinged says how far a key is with a round.
func (n *Node) pinged(a *node.Actor, hosted string, round journal.EntryID, asked bool) (api.Pinged, error) {
	m := a.Machine()
	r, ok := m.State.Round(round)
	who, err := m.Pinged(hosted)
	if err != nil || !ok {
		return api.Pinged{}, n.apiError(errors.Join(err, fmt.Errorf("round %s is not there", round)))
	}
	out := api.Pinged{
		Wallet: a.Group().String(), WalletName: m.Name(), Cosigner: person(who), Round: hex.EncodeToString(round[:]),
		Asked: api.Time(time.UnixMilli(r.Time)), AskedBy: personOf(m, r.Chain.Author), New: asked,
		Answered: m.Answers(who, round),
	}
	want, err := m.PingRequest(hosted, round)
	if out.Answered || refused(err, refusal.NotExternal) {
		return out, nil
	}
	if err != nil {
		return out, n.apiError(err)
	}
	sign, err := toSign(a, want)
	if err != nil {
		return out, n.apiError(err)
	}
	out.Sign = &sign
	return out, nil
}
