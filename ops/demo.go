package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// DemoOptions say what the demo shows.
type DemoOptions struct {
	Cosigners, Threshold, Spends int
	// Robot has the last of three cosigners be a robot, by a policy that the others vote in, and
	// shows what it does about three payments. It goes with 2 of 3 and one spend.
	Robot bool
	// Out is where the story goes; nil tells none.
	Out io.Writer
	Log *slog.Logger
}

// DemoResult is what the demo came to.
type DemoResult struct {
	Network   string       `json:"network"`
	Cosigners int          `json:"cosigners"`
	Threshold int          `json:"threshold"`
	Words     string       `json:"words"`
	Nodes     []api.Person `json:"nodes"`
	Spends    []DemoSpend  `json:"spends"`
	// Robot is nil where none of them was one.
	Robot *DemoRobot `json:"robot"`
}

// DemoSpend is one transaction. Identical says that every node holds the same
// bytes, Confirmed that every node sees it mined.
type DemoSpend struct {
	TxID      string      `json:"txid"`
	WTxID     string      `json:"wtxid"`
	Identical bool        `json:"identical"`
	Confirmed bool        `json:"confirmed"`
	Latency   DemoLatency `json:"latency_ms"`
}

// DemoLatency is in milliseconds: the proposal with its first signatures, all
// further approvals, from the proposal until the last node holds the final
// transaction, and from the block until the last node shows it confirmed.
type DemoLatency struct {
	Propose         float64 `json:"propose"`
	Approve         float64 `json:"approve"`
	FinalEverywhere float64 `json:"final_everywhere"`
	Confirmed       float64 `json:"confirmed"`
}

// Demo shows the main job from beginning to end and leaves nothing behind. It
// returns an *api.Error of kind Usage for impossible options.
func Demo(ctx context.Context, o DemoOptions) (res DemoResult, err error) {
	if o.Cosigners < 1 || o.Cosigners > 20 || o.Threshold < 1 || o.Threshold > o.Cosigners || o.Spends < 1 || o.Spends > 100 {
		return res, api.Misuse("bad_demo", "demo: give 1 to 20 cosigners, a threshold of 1 up to their number, and 1 to 100 spends", "")
	}
	if o.Robot && (o.Cosigners != 3 || o.Threshold != 2 || o.Spends != 1) {
		return res, api.Misuse("bad_demo", "demo: with a robot it shows 2 of 3 cosigners, and payments of its own", "")
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &demo{opts: o}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.start(ctx); err != nil {
		return res, err
	}
	res = DemoResult{Network: string(wallet.Regtest), Cosigners: o.Cosigners, Threshold: o.Threshold}
	w, err := d.ceremony(ctx)
	if err != nil {
		return res, err
	}
	res.Words = *w.Words
	for _, n := range d.nodes {
		id := n.PeerID()
		for _, c := range w.Cosigners {
			if c.PeerID != nil && *c.PeerID == id {
				res.Nodes = append(res.Nodes, c.Person)
			}
		}
	}
	if err := d.fund(ctx, w.Wallet); err != nil {
		return res, err
	}
	if o.Robot {
		res.Spends, res.Robot, err = d.robot(ctx, w)
		if err == nil {
			d.table(res)
		}
		return res, err
	}
	for i := range o.Spends {
		s, err := d.spend(ctx, w.Wallet, i)
		if err != nil {
			return res, err
		}
		res.Spends = append(res.Spends, s)
	}
	d.table(res)
	return res, nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.opts.Out, format+"\n", args...) }
