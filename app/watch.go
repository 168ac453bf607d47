package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/reason"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/service"
)

const (
	// watchEvery is how often the alarms of a node are looked at, besides when
	// something changed.
	watchEvery = 5 * time.Second
	// maxWaiting is how many changes wait to be logged.
	maxWaiting = 1024
)

// Codes of the alarms of a node itself.
const (
	AlarmNotListening = "not_listening"
	AlarmDiskFull     = "disk_full"
	AlarmCrowded      = "connections_crowded"
	AlarmStuck        = "wallet_stuck"
	AlarmClock        = "clock_behind"
	AlarmTogether     = "robots_together"
)

// watch writes down what happens to a node: each alarm when it begins and when it
// ends, and each change of a proposal. It hears the notices of the wallets, and passes
// them on. Beside that it has what is due by a schedule proposed.
type watch struct {
	n       *Node
	changed chan port.Notice
	due     chan struct{}
	stop    context.CancelFunc
	done    sync.WaitGroup
	book    logbook

	mu    sync.Mutex
	since map[string]time.Time // of the node's own alarms
	stand map[string]standing  // what was logged as begun; of the goroutine
}

type standing struct {
	wallet, code, message string
}

func newWatch(n *Node) *watch {
	return &watch{
		n: n, changed: make(chan port.Notice, maxWaiting), due: make(chan struct{}, 1), stop: func() {},
		since: map[string]time.Time{}, stand: map[string]standing{},
	}
}

// Notify implements port.Observer. It never waits.
func (w *watch) Notify(x port.Notice) {
	w.n.hub.Notify(x)
	switch x.Type {
	case "proposal":
		select {
		case w.changed <- x:
		default:
			w.n.parts.Log.Warn("a change of a proposal is not logged: there are too many", "proposal", x.Proposal.String())
		}
	case "alarm", "wallet":
		w.look()
	}
}

// look has the alarms looked at now.
func (w *watch) look() {
	select {
	case w.due <- struct{}{}:
	default:
	}
}

func (w *watch) begin() {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.done.Go(func() { w.run(ctx) })
	w.done.Go(func() { w.n.ProposeDue(ctx) })
}

func (w *watch) end() {
	w.stop()
	w.done.Wait()
}

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	w.alarms()
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-w.changed:
			w.note(ctx, x)
		case <-w.due:
			w.alarms()
		case <-tick.C:
			w.alarms()
		}
	}
}

// note logs what is new of a proposal.
func (w *watch) note(ctx context.Context, x port.Notice) {
	a, ok := w.n.co.Wallet(x.Group)
	if !ok {
		return
	}
	// Contained, as every reader of a wallet is: a fault is logged there.
	a.Read(func(m *coordinator.Machine) {
		if p, err := w.n.Proposal(ctx, x.Proposal.String()); err == nil {
			w.book.note(w.n.parts.Log, m.Name(), p)
			w.n.trace.Note(p)
		}
	})
}

// alarms logs which alarms began and which ended.
func (w *watch) alarms() {
	now := map[string]standing{}
	for _, a := range w.n.alarms() {
		now["/"+a.Code+"/"+a.Message] = standing{"", a.Code, a.Message}
	}
	for _, s := range w.n.Alarms() {
		for n, a := range s.Alarms {
			key := fmt.Sprintf("%s/%s/%s", s.Wallet, a.Code, a.TxID)
			if _, twice := now[key]; twice {
				key = fmt.Sprintf("%s/%d", key, n) // of several members, or addresses
			}
			now[key] = standing{s.Name, a.Code, a.Message}
		}
	}
	began, over := differ(w.stand, now)
	w.stand = now
	for _, s := range began {
		w.n.parts.Log.LogAttrs(context.Background(), slog.LevelWarn, "alarm", s.attrs(true)...)
		if s.wallet == "" {
			x := port.Notice{Type: port.NoticeAlarm, Status: s.code, Detail: s.message}
			if err := w.n.co.Tell(context.Background(), x); err != nil {
				// Where the disk is full it is shown, and in no list of what was.
				w.n.parts.Log.Debug("an alarm of the node is not kept", "error", err)
				w.n.hub.NotifyLive(x)
			}
		}
	}
	for _, s := range over {
		w.n.parts.Log.LogAttrs(context.Background(), slog.LevelInfo, "alarm over", s.attrs(false)...)
	}
}

// differ are those that are new, and those that are gone.
func differ(before, now map[string]standing) (began, over []standing) {
	for k, s := range now {
		if _, was := before[k]; !was {
			began = append(began, s)
		}
	}
	for k, s := range before {
		if _, is := now[k]; !is {
			over = append(over, s)
		}
	}
	return began, over
}

func (s standing) attrs(detail bool) []slog.Attr {
	out := []slog.Attr{slog.String("kind", s.code)}
	if s.wallet != "" {
		out = append(out, slog.String("wallet", s.wallet))
	}
	if detail {
		out = append(out, slog.String("detail", s.message))
	}
	return out
}

// alarms are those of the node itself.
func (n *Node) alarms() []api.Alarm {
	var out []api.Alarm
	add := func(code, text string) { out = append(out, api.Alarm{Code: code, Message: text}) }
	for _, m := range n.net.NotListening() {
		add(AlarmNotListening, fmt.Sprintf("the node does not listen on %s: %v; it is tried again, and nobody connects there until then", m.Addr, m.Err))
	}
	if free, need, known := n.parts.Store.Space(); known && free < need {
		add(AlarmDiskFull, fmt.Sprintf("the disk of the data directory is full: below %d MiB of free space nothing is written, so the node signs nothing and keeps nothing new: free some space", need>>20))
	}
	if p := n.net.Handshakes().Problem(); p != "" {
		add(AlarmCrowded, p)
	}
	for _, a := range n.co.Stuck(stuckAfter) {
		add(AlarmStuck, fmt.Sprintf("the wallet %s has not come round for more than %v: the disk, the signer or this program hangs", a.Group().String()[:8], stuckAfter))
	}
	if behind := n.clockBehind(time.Now()); behind > 0 {
		add(AlarmClock, fmt.Sprintf("the clock of this machine is more than %v behind the chain: expiries and invites go by it", chainAhead))
	}
	n.together(add)
	w := n.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	since := map[string]time.Time{}
	for i, a := range out {
		key := a.Code + "/" + a.Message
		at, known := w.since[key]
		if !known {
			at = time.Now()
		}
		since[key], out[i].Since = at, api.Time(at)
	}
	w.since = since
	return out
}

// together tells of other robots on this machine.
func (n *Node) together(add func(code, text string)) {
	if n.parts.Robot == robot.Off {
		return
	}
	var here []journal.Author
	for _, p := range n.net.Peers() {
		if p.Here {
			here = append(here, p.Peer)
		}
	}
	for _, a := range n.co.Wallets() {
		a.Read(func(m *coordinator.Machine) {
			active := m.State.Active()
			if active == nil {
				return
			}
			at := func(who journal.Author) bool { return slices.Contains(here, who) }
			for _, name := range robotsTogether(reason.Robots(m.State), active.Members, m.State.Me(), at) {
				add(AlarmTogether, fmt.Sprintf("%s, another robot of the wallet %s, runs on this machine: whoever takes the machine has both keys", name, a.Group().String()[:8]))
			}
		})
	}
}

const (
	// stuckAfter is how long a wallet may be at one thing: its loop comes round every two
	// seconds at least.
	stuckAfter = 10 * time.Second
	// chainAhead is how far ahead of its clock a node takes a block's time for possible.
	chainAhead = 2 * time.Hour
)

// live says whether the loop of each wallet comes round.
func (n *Node) live() bool { return len(n.co.Stuck(stuckAfter)) == 0 }

// clockBehind is how far the median time of the chain is ahead of what the clock allows:
// no block is taken whose time is so far ahead of the clocks of the network.
func (n *Node) clockBehind(now time.Time) time.Duration {
	var most time.Duration
	for _, a := range n.co.Wallets() {
		most = max(most, behindBy(a.Machine().View.Tip().MedianTime, now))
	}
	return most
}

// behindBy is how far a clock is behind the least that a median time, in Unix seconds, allows.
func behindBy(median int64, now time.Time) time.Duration {
	return max(0, time.Unix(median, 0).Sub(now)-chainAhead)
}

// own is how the node itself is.
func (n *Node) own() service.Own {
	o := service.Own{Alarms: n.alarms(), LastBackup: n.lastBackup(context.Background())}
	if free, _, known := n.parts.Store.Space(); known {
		o.DiskFree = &free
	}
	return o
}
