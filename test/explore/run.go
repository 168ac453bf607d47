package explore

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// run is a turn that is on its way.
type run struct {
	*setting
	from    *node
	next    *node
	text    string // what its entries are
	guarded bool   // the guard was made durable ahead of the commit
	commits bool   // a commit was asked for
	kept    bool   // the machine was handed on
	shown   bool   // an effect was
	effects []effect
	told    []port.Notice
	broken  error
}

// shell gives a step entropy that depends on where the node's own chain is: the
// same words at the same place are the same entry, whatever else happened first.
func (r *run) shell(t **coordinator.Turn) coordinator.Shell {
	me := r.Members[r.from.member]
	out := coordinator.Shell{
		Input: func(msg coordinator.Message) (coordinator.Input, error) {
			at := (*t).Machine().State.Chains().Frontier()[r.self(r.from.member)]
			raw := binary.BigEndian.AppendUint64([]byte(me.Name), at.Seq)
			return coordinator.Input{Now: r.Now, Entropy: sha256.Sum256(append(raw, at.ID[:]...)), Msg: msg}, nil
		},
		Sign: func(_ coordinator.Local, spend *wallet.Spend) ([]wallet.Signature, error) {
			if r.apart && !r.next.disk.guards(spend.TxID()) {
				r.broken = violation("%s has a signer in another process sign what its guard does not hold", me.Name)
			}
			return spend.Sign(me.Account)
		},
		Claim: func(_ coordinator.Local, claim event.KeyClaim) ([]byte, error) {
			return me.Account.SignHash(claim.Hash()), nil
		},
		Fault: func(what string, err error) { r.broken = violation("%s: a fault in %s: %v", me.Name, what, err) },
	}
	if r.apart {
		out.Detached = r.guardFirst
	}
	return out
}

// guardFirst does what an actor does before it asks a signer in another process.
func (r *run) guardFirst(updates []port.GuardUpdate) error {
	if err := r.next.disk.Commit(context.Background(), port.Batch{Group: r.Group, Guard: updates}); err != nil {
		return fmt.Errorf("guard first: %w", err)
	}
	now, _, err := coordinator.Step(r.next.m, coordinator.Input{Now: r.Now, Msg: coordinator.Guarded{Updates: updates}})
	if err != nil {
		return fmt.Errorf("guard first: %w", err)
	}
	r.next.m, r.guarded = now, true
	return nil
}

func (r *run) commit(b port.Batch, killed bool) error {
	if r.kept || r.shown {
		r.broken = violation("%s shows or sends what is not durable yet", r.Members[r.from.member].Name)
	}
	r.commits = true
	if killed {
		return errKilled
	}
	return r.next.disk.Commit(context.Background(), b)
}

func (r *run) keep(m coordinator.Machine) { r.next.m, r.kept = m, true }

func (r *run) execute(e coordinator.Effect) {
	r.shown = true
	switch x := e.(type) {
	case coordinator.Publish:
		if !r.next.disk.holds(x.Entry.ID()) && r.broken == nil {
			r.broken = violation("%s sends an entry before that is durable", r.Members[r.from.member].Name)
		}
	case coordinator.Broadcast:
		// What it broadcasts it knows by the machine that was handed on.
		n := *r.next
		r.look(&n, r.text)
		t, err := r.number(r.Members[r.from.member].Name, &n, x.Tx)
		if r.broken == nil && r.honest(r.from.member) {
			r.broken = err
		}
		if err == nil {
			r.effects = append(r.effects, effect{broadcast: true, tx: t})
		}
	case coordinator.Follow:
		r.effects = append(r.effects, effect{follow: true})
	case coordinator.WatchScripts:
		r.effects = append(r.effects, effect{watch: true, from: x.From})
	case coordinator.Tell:
		r.told = append(r.told, x.Notice)
	}
}
