package coordinator

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// observer is a node that was restored, or takes a lost one's place, and reads
// what the others hand over. It writes nothing: a node that comes to know entries
// in any order, its own among them, is one that catches up.
type observer struct {
	*peer
	snaps  Snapshots
	blocks int // that its backend has shown
}

// ratifying is a member's node, restored from a backup that was made when it had
// ratified and knew nobody else's ratification yet.
func ratifying(base *circle, n int) backup {
	p := base.peers[n]
	b := p.backup()
	b.Signed = nil
	ends := map[journal.ChainKey]uint64{}
	for _, e := range p.Held {
		if _, ok := p.bodyOf(e).(*event.RosterRatified); !ok {
			continue
		}
		if at, ok := ends[e.Chain()]; !ok || e.Header().Seq < at {
			ends[e.Chain()] = e.Header().Seq
		}
	}
	maps.DeleteFunc(b.Held, func(_ journal.EntryID, e *journal.Entry) bool {
		at, seq := ends[e.Chain()], e.Header().Seq
		if e.Header().Author == p.id() {
			return seq > at
		}
		return seq >= at
	})
	return b
}

// entering is a new device that takes a member's place: it knows the first epoch
// alone, and pins the roster once it sees its key's own ratification.
func entering(t *testing.T, base *circle, n int, device byte) backup {
	c := base.clone(t)
	d := c.peers[n].device(device)
	d.takePlace(c.peers[0], c.peers[n])
	return d.backup()
}

// observe begins with what a backup holds, in another circle.
func (b backup) observe(c *circle) *observer {
	of := *b.of
	of.tb, of.circle, of.clock = c.tb, &circle{tb: c.tb}, &c.clock
	b.of = &of
	o := &observer{peer: b.restore()}
	o.circle = c
	o.snaps = o.m.snaps
	return o
}

// follow takes in the blocks that the backend has shown.
func (o *observer) follow(p *peer) {
	if !p.m.follows {
		return
	}
	for _, n := range p.circle.blocks[:o.blocks] {
		if n.Block.Height > p.m.View.Tip().Height {
			p.must(ChainIn{n})
		}
	}
	p.must(ChainIn{port.ChainNotice{Kind: port.CaughtUp}})
}

// read takes entries one by one, and those again later that do not link yet, that
// nobody wants yet or whose author is not known yet.
func (o *observer) read(rt *rapid.T, order []*journal.Entry, each func()) {
	for moved := true; moved; {
		moved = false
		var later []*journal.Entry
		for _, e := range order {
			if o.m.State.Chains().Has(e.ID()) {
				continue
			}
			_, err := o.do(EntryIn{e})
			var gap *port.GapError
			switch {
			case errors.As(err, &gap), errors.Is(err, port.IgnoreAuthor), errors.Is(err, port.IgnoreUnlinked):
				later = append(later, e)
				continue
			case err != nil:
				rt.Fatalf("%s: entry %s seq %d: %v", o.name, e.ID(), e.Position().Seq, err)
			}
			moved = true
			if n := len(o.circle.blocks); o.blocks < n && rapid.IntRange(0, 3).Draw(rt, "block") == 0 {
				o.blocks++
			}
			o.follow(o.peer)
			each()
		}
		order = later
	}
}

// save stores a snapshot, as an actor does.
func (o *observer) save(rt *rapid.T) {
	batches, next, err := o.snaps.batches(o.m, snapshotPart)
	if err != nil {
		rt.Fatal(err)
	}
	for _, b := range batches {
		o.persist(b)
	}
	o.snaps = next
}

// again is the node started again, from its snapshot or from its entries alone.
func (o *observer) again(rt *rapid.T, snapshot bool) *peer {
	q := *o.peer
	q.Disk = o.Clone()
	if !snapshot {
		delete(q.Kept, recSnapshot)
	}
	m, err := Load(q.tb.Context(), &q.Disk, q.self, q.m.State.Group())
	if err != nil {
		rt.Fatalf("%s: load: %v", q.name, err)
	}
	q.m = m
	q.must(Started{})
	o.follow(&q)
	return &q
}

// loadedSaysTheSame compares what the node answers with what it would if it were
// started again now.
func (o *observer) loadedSaysTheSame(rt *rapid.T) {
	if got := stale(&o.m, *o.clock); got != "" {
		rt.Fatalf("%s told other statuses than those that stand:\n%s", o.name, got)
	}
	live := answersOf(&o.m, *o.clock)
	for _, snapshot := range []bool{false, true} {
		if snapshot && o.Kept[recSnapshot] == nil {
			continue
		}
		q := o.again(rt, snapshot)
		got := answersOf(&q.m, *o.clock)
		if a, b := live.ours.String()+live.mine.String(), got.ours.String()+got.mine.String(); a != b {
			rt.Fatalf("%s answers otherwise once it is started again (snapshot %v):\n%s", o.name, snapshot, diff(a, b))
		}
		if mustDigest(rt, o.m.State) != mustDigest(rt, q.m.State) {
			rt.Fatalf("%s makes another state once it is started again (snapshot %v):\n%s", o.name, snapshot, diff(canon(o.m.State), canon(q.m.State)))
		}
	}
}

// eachBase is a wallet, and what nodes of it begin from that know little of it.
type eachBase struct {
	circle *circle
	hosted *device
	starts []backup
}

func eachBases(t *testing.T) []eachBase {
	hosting, d := activeHosting(t, 2, 3)
	ext, key := externalGroup(t)
	ext.peers[2].account = key.account // its new devices may be proved, or approved
	bases := []eachBase{{circle: hosting, hosted: d}, {circle: ext}, {circle: active(t, 2, 3)}}
	for i := range bases {
		b := &bases[i]
		b.starts = []backup{ratifying(b.circle, 0), ratifying(b.circle, 1), entering(t, b.circle, 2, 20)}
		b.circle.fund(500_000, 600_000, 700_000)
	}
	return bases
}

func flat(chains [][]*journal.Entry) []*journal.Entry { return slices.Concat(chains...) }

// After each entry that a node takes, in any order, from before it is active on,
// it answers whatever can be asked as it does when it is started again; and two
// nodes of other members, who hold and can read the same, answer the same.
func TestAfterEachEntryALoadedNodeAnswersTheSame(t *testing.T) {
	bases := eachBases(t)
	rapid.Check(t, func(rt *rapid.T) {
		base := bases[rapid.IntRange(0, len(bases)-1).Draw(rt, "wallet")]
		starts := base.starts
		c, all := wildHistory(t, rt, base.circle, base.hosted)
		first := rapid.IntRange(0, len(starts)-1).Draw(rt, "observer")
		o := starts[first].observe(c)
		o.read(rt, rapid.Permutation(all).Draw(rt, "order"), func() {
			if o.m.State.Active() != nil && rapid.IntRange(0, 3).Draw(rt, "snapshot") == 0 {
				o.save(rt)
			}
			o.loadedSaysTheSame(rt)
		})
		// Another one, whose keys are others, and at the end both hold what either does.
		x := starts[(first+rapid.IntRange(1, len(starts)-1).Draw(rt, "other observer"))%len(starts)].observe(c)
		x.read(rt, rapid.Permutation(all).Draw(rt, "other order"), func() {})
		o.read(rt, flat(x.Chains()), func() {}) // what was of no use to it before
		x.read(rt, flat(o.Chains()), func() {})
		for _, p := range []*observer{o, x} {
			p.blocks = len(c.blocks)
			p.follow(p.peer)
		}
		a, b := mustDigest(rt, o.m.State), mustDigest(rt, x.m.State)
		if o.m.State.Active() == nil || a.Entries != b.Entries || a.Secrets != b.Secrets {
			return
		}
		if a.Says != b.Says {
			rt.Fatalf("%s and %s make other states of one set:\n%s", o.name, x.name, diff(canon(o.m.State), canon(x.m.State)))
		}
		if a, b := answersOf(&o.m, *o.clock).ours.String(), answersOf(&x.m, *x.clock).ours.String(); a != b {
			rt.Fatalf("%s and %s answer otherwise of one set:\n%s", o.name, x.name, diff(a, b))
		}
	})
}
