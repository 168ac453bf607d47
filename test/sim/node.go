package sim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	shell "github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// Times of the shell around a machine: see node.Actor.
const (
	tickEvery = 5 * time.Second
	retryIn   = 2 * time.Second
)

var errDown = errors.New("the node is down")

// ack is something that a node told its user, or a peer, is done: the entries
// that say so must be durable.
type ack struct {
	what  string
	entry journal.EntryID
}

// node is one cosigner: a machine, a disk, and the shell between them, as
// node.Actor is in a process.
type node struct {
	*person
	w    *world
	i    int
	twin *node // the same node, with its other wallet
	m    coordinator.Machine
	disk *disk
	up   bool
	life int // counts starts: what was meant for an earlier one is void
	in   bool
	skew time.Duration
	drew uint64

	link     port.GroupLink
	saying   bool // an announcement is due
	stream   *stream
	blind    bool // its backend does not answer
	armed    *armed
	liar     *liar
	paused   map[int]time.Duration // until when claims of a member are not believed
	lied     map[int]int
	last     *coordinator.Propose
	released []release
	agreedTo map[[32]byte]agreedTo // by txid: bumps that its user agreed to beforehand
	acked    []ack

	kept               *disk // its last backup
	restored, replaced bool
	lost               journal.Author // whom this device replaces
	pass               port.Invite
	invite             [32]byte
	inviter            journal.Author
	stepped            int

	allowances *shell.Quota           // where they are small
	took       map[journal.Author]int // entries in this life
	since      time.Duration          // when this life began
}

// armed is a crash that waits for the next durable write.
type armed struct {
	point int // 0: before it, 1: after it, above: after so many effects
	down  time.Duration
}

func (n *node) honest() bool { return n.liar == nil }

// clock is what the node believes the time to be.
func (n *node) clock() time.Time { return n.w.start.Add(n.w.queue.now + n.skew) }

func (n *node) input(msg coordinator.Message) coordinator.Input {
	n.drew++
	b := binary.BigEndian.AppendUint64([]byte(n.name), n.w.plan.Seed)
	return coordinator.Input{Now: n.clock(), Entropy: sha256.Sum256(binary.BigEndian.AppendUint64(b, n.drew)), Msg: msg}
}

type answer struct {
	value any
	err   error
}

// do runs one message.
func (n *node) do(msg coordinator.Message) (any, error) {
	a := n.turn(msg)
	return a[0].value, a[0].err
}

// turn runs messages that share one commit, as an actor does.
func (n *node) turn(msgs ...coordinator.Message) []answer {
	answers := make([]answer, len(msgs))
	if !n.up {
		for i := range answers {
			answers[i].err = errDown
		}
		return answers
	}
	life := n.life
	t := coordinator.NewTurn(n.m, n.shell())
	for i, msg := range msgs {
		answers[i].value, answers[i].err = n.step(t, msg)
	}
	durable, point, done := false, -1, 0
	err := t.Finish(func(b port.Batch) error {
		if durable = true; n.armed != nil {
			point = n.armed.point
		}
		if point == 0 {
			n.crash(n.armed.down)
			return errDown
		}
		return n.commit(t.Machine(), b, t.Effects())
	}, func(m coordinator.Machine) {
		n.m = m
		if n.honest() && !n.w.lean && n.stepped%readEach == 0 {
			n.readAll()
		}
		if n.honest() && durable && !n.w.lean && n.stepped%reloadEach == 0 {
			n.checkReload()
		}
	}, func(e coordinator.Effect) {
		if done++; point > 0 && done >= point {
			if n.life == life {
				n.crash(n.armed.down)
			}
			return
		}
		n.execute(e)
	})
	if err == nil && point > 0 && n.life == life {
		n.crash(n.armed.down)
	}
	if err == nil && (n.life != life || !n.up) {
		err = errDown
	}
	for i := range answers {
		if err != nil && answers[i].err == nil {
			answers[i] = answer{nil, err}
		}
	}
	return answers
}

// shell is what a turn of this node asks for.
func (n *node) shell() coordinator.Shell {
	return coordinator.Shell{
		Input: func(msg coordinator.Message) (coordinator.Input, error) {
			n.w.steps++
			return n.input(msg), nil
		},
		Sign: func(_ coordinator.Local, spend *wallet.Spend) ([]wallet.Signature, error) {
			return spend.Sign(n.account)
		},
		Claim: func(_ coordinator.Local, claim event.KeyClaim) ([]byte, error) {
			return n.account.SignHash(claim.Hash()), nil
		},
		Fault: func(what string, err error) { n.w.violation("%s: %s made Step panic: %v", n.name, what, err) },
	}
}

func (n *node) commit(m coordinator.Machine, b port.Batch, effects []coordinator.Effect) error {
	if err := n.disk.Commit(context.Background(), b); err != nil {
		if errors.Is(err, port.ErrGuardConflict) && n.honest() {
			n.w.violation("%s: the store's own sign guard had to refuse a signature", n.name)
		}
		return err
	}
	n.w.traced(n, b)
	if n.honest() {
		for _, e := range effects {
			if p, ok := e.(coordinator.Publish); ok {
				n.w.wrote(n, p.Entry, m)
			}
		}
	}
	return nil
}

func (n *node) step(t *coordinator.Turn, msg coordinator.Message) (any, error) {
	before := t.Machine().View.Synced()
	value, err := t.Take(msg)
	if err != nil {
		return nil, err
	}
	if _, ok := msg.(coordinator.EntryIn); ok && n.honest() && before && !t.Machine().View.Synced() {
		n.w.violation("%s: what a member wrote makes it look at the chain anew", n.name)
	}
	n.stepped++
	return value, nil
}

func (n *node) execute(e coordinator.Effect) {
	switch x := e.(type) {
	case coordinator.Publish:
		if n.honest() {
			n.w.published(n, x.Entry)
		}
		n.w.gossip(n, x.Entry)
		n.announce()
	case coordinator.Link:
		n.relink(x.Link)
	case coordinator.AskSync:
		n.w.syncAll(n)
	case coordinator.Follow:
		n.follow(x)
	case coordinator.WatchScripts:
		n.watch(x)
	case coordinator.LookBack:
		n.lookBack(x)
	case coordinator.Broadcast:
		n.broadcast(x.Tx)
	case coordinator.Tell:
		n.w.count("told " + x.Notice.Type)
		if x.Notice.Status == group.AlarmReader {
			n.w.violation("%s: %s", n.name, x.Notice.Detail)
		}
	}
}

// later runs something in this life of the node.
func (n *node) later(d time.Duration, do func()) {
	life := n.life
	n.w.queue.after(d, func() {
		if n.up && n.life == life {
			do()
		}
	})
}

// crash ends the node as kill -9 does; it comes back after a while.
func (n *node) crash(down time.Duration) {
	if !n.up || !n.in {
		return
	}
	n.w.count("crashed")
	n.up, n.stream, n.armed, n.saying = false, nil, nil, false
	n.life++
	if n.twin != nil {
		n.twin.crash(down) // one process
	}
	life := n.life
	n.w.queue.after(down, func() {
		if n.life == life {
			n.restart()
		}
	})
}

// restart reads back what is durable.
func (n *node) restart() {
	if n.up {
		return
	}
	n.life++
	m, err := coordinator.Load(context.Background(), n.disk, n.self, n.w.group)
	if errors.Is(err, coordinator.ErrNoGroup) {
		n.in = false // it died before it was in the group
		n.up = true
		return
	}
	if err != nil {
		n.w.violation("%s: does not start again: %v", n.name, err)
		return
	}
	n.m, n.up, n.link = n.asRobot(m), true, port.GroupLink{}
	n.w.count("restarted")
	n.begin()
}

// begin lets a machine that is durable run.
func (n *node) begin() {
	n.in = true
	n.allow()
	n.startUp()
	n.later(tickEvery, n.tick)
	n.later(30*time.Second, n.resync)
}

func (n *node) startUp() {
	if _, err := n.do(coordinator.Started{}); err != nil && n.up {
		n.later(retryIn, n.startUp)
	}
	n.w.syncAll(n)
}

func (n *node) tick() {
	var online []journal.Author
	for _, x := range n.w.nodes {
		if x != n && n.w.connected(n, x) {
			online = append(online, x.id())
		}
	}
	_, _ = n.do(coordinator.Tick{Online: online})
	n.proposeDue()
	n.later(tickEvery, n.tick)
}

func (n *node) resync() {
	n.w.syncAll(n)
	n.later(time.Minute, n.resync)
}

// asRobot is a machine of this node as it runs.
func (n *node) asRobot(m coordinator.Machine) coordinator.Machine {
	if (n.honest() || n.w.lean) && slices.Contains(n.w.plan.Robots, n.i) {
		return m.AsRobot(robot.Signs, nil)
	}
	return m
}

func (n *node) isRobot() bool { return slices.Contains(n.w.plan.Robots, n.i) }
