package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

// Times of effects that reach outside.
const (
	publishTime   = 5 * time.Second
	broadcastTime = 30 * time.Second
	followRetry   = 2 * time.Second
)

// hand asks the backend whether it takes a transaction, where it can tell, and hands it
// over.
func (a *Actor) hand(ctx context.Context, tx *wire.MsgTx) (port.Reach, error) {
	if err := a.ports.Chain.TestAccept(ctx, tx); errors.Is(err, port.ErrTxRejected) {
		return "", err
	}
	return a.ports.Chain.Broadcast(ctx, tx)
}

// execute performs one effect. What fails here is not lost: an entry that was
// not published travels by sync, a transaction is broadcast again.
func (a *Actor) execute(e coordinator.Effect) {
	switch x := e.(type) {
	case coordinator.Publish:
		ctx, cancel := context.WithTimeout(a.ctx, publishTime)
		defer cancel()
		if err := a.ports.Transport.Publish(ctx, x.Entry); err != nil {
			a.ports.Log.Debug("publish failed; the entry will travel by sync", "error", err)
			a.ports.Transport.Sync(a.group, nil)
		}
	case coordinator.Link:
		if err := a.ports.Transport.Attach(a.ctx, x.Link, a); err != nil {
			a.ports.Log.Warn("attach the wallet to the network", "wallet", a.group.String()[:8], "error", err)
		}
	case coordinator.AskSync:
		a.ports.Transport.Sync(a.group, nil)
	case coordinator.Follow:
		a.done.Go(a.follow)
	case coordinator.Refollow:
		a.done.Go(a.refollow)
	case coordinator.WatchScripts:
		// In a goroutine of its own: the stream waits for this actor while it
		// hands over the blocks that are looked at again.
		a.done.Go(func() { a.watch(x) })
	case coordinator.LookBack:
		a.done.Go(func() { a.lookBack(x) })
	case coordinator.Broadcast:
		a.done.Go(func() {
			ctx, cancel := context.WithTimeout(a.ctx, broadcastTime)
			defer cancel()
			reach, err := a.hand(ctx, x.Tx)
			a.tell(coordinator.Broadcasted{TxID: x.Tx.TxHash(), Reach: reach, Err: err})
		})
	case coordinator.Tell:
		// What stands is logged where it is watched, with its end.
		if x.Notice.Type == "alarm" && !a.stands(x.Notice) {
			a.ports.Log.Warn("alarm", "wallet", a.group.String()[:8], "kind", x.Notice.Status, "detail", x.Notice.Detail)
		}
		a.ports.Observer.Notify(x.Notice)
	}
}

// stands says whether an alarm is one of those that last.
func (a *Actor) stands(n port.Notice) bool {
	m := a.Machine()
	return m != nil && slices.ContainsFunc(m.Alarms(), func(x coordinator.Alarm) bool { return x.Kind == n.Status && x.TxID == n.TxID })
}
