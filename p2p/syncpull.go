package p2p

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

var (
	errRefused = errors.New("peer refused to sync the group")
	errShort   = fmt.Errorf("peer served nothing of what it claims: %w", port.RejectFalseClaim)
)

// puller is one session's pull of one group from one peer.
type puller struct {
	s      *syncer
	g      *group
	peer   journal.Author
	st     Stream
	theirs port.Claim
	forks  map[journal.ChainKey]uint64 // theirs

	skip     map[journal.ChainKey]bool   // nothing to be had in this pass
	known    map[journal.ChainKey]bool   // their end of the chain is held here
	diverged map[journal.ChainKey]bool   // their chain is not ours: find where
	from     map[journal.ChainKey]uint64 // last asked from
	rounds   map[journal.ChainKey]int    // batches served, for fairness
	asked    map[journal.EntryID]bool
	ahead    int  // batches to ask for at once
	torn     bool // of these, one came short
	needs    []journal.EntryID
	gained   int
	lied     bool
}

const (
	// maxNeeds bounds what a session asks for by id.
	maxNeeds = 1024
	// maxAhead bounds the batches that are on their way at once.
	maxAhead = 32
)

// session exchanges claims with a peer and pulls what this node lacks.
func (s *syncer) session(ctx context.Context, g *group, peer journal.Author) error {
	st, err := s.net.Open(ctx, peer)
	if err != nil {
		return fmt.Errorf("open sync stream: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = st.Reset() })
	defer stop()
	if err := s.converse(ctx, st, g, peer); err != nil {
		s.refuse(st, peer, err)
		return err
	}
	return st.Close()
}

func (s *syncer) converse(ctx context.Context, st Stream, g *group, peer journal.Author) error {
	if err := s.write(st, claimFrame(kindHello, g.id, g.inbox.Claim(), s.net.Records(g.members))); err != nil {
		return fmt.Errorf("send hello: %w", err)
	}
	hello, err := s.read(st, helloLimit, frameTimeout)
	switch {
	case err != nil:
		return fmt.Errorf("read hello: %w", err)
	case hello.Kind == kindRefused:
		return errRefused
	case hello.Kind != kindHello || journal.GroupID(hello.Group) != g.id:
		return errFrame
	}
	c := hello.claim()
	g.inbox.PeerClaim(peer, c)
	s.net.Heard(g.members, hello.Records)
	key := jobKey{g.id, peer}
	if s.caution(key) {
		return nil
	}
	p := &puller{
		s: s, g: g, peer: peer, st: st, theirs: c, forks: forkOf(c),
		skip:     map[journal.ChainKey]bool{},
		known:    map[journal.ChainKey]bool{},
		diverged: map[journal.ChainKey]bool{},
		from:     map[journal.ChainKey]uint64{},
		rounds:   map[journal.ChainKey]int{},
		asked:    map[journal.EntryID]bool{},
	}
	err = p.run(ctx)
	if p.lied {
		s.lied(key)
	}
	return err
}

// run pulls chains, then looks where chains part, then fetches by id, for as
// long as one of these brings something new: each can make room for another.
func (p *puller) run(ctx context.Context) error {
	for {
		before := p.gained
		if err := p.pullChains(ctx); err != nil {
			return err
		}
		if err := p.findForks(ctx); err != nil {
			return err
		}
		if err := p.fetchIDs(ctx); err != nil {
			return err
		}
		if p.gained == before {
			return nil
		}
		clear(p.skip)
		clear(p.from)
	}
}

// lacks says whether a claim names anything that this node would pull.
func (s *syncer) lacks(g *group, c port.Claim) bool {
	p := &puller{
		s: s, g: g, theirs: c, forks: forkOf(c),
		skip: map[journal.ChainKey]bool{}, known: map[journal.ChainKey]bool{},
		diverged: map[journal.ChainKey]bool{}, asked: map[journal.EntryID]bool{},
	}
	return len(p.missing(s.ctx)) > 0 || len(p.diverged) > 0 || len(p.evidence(s.ctx)) > 0
}

func (p *puller) held(ctx context.Context, id journal.EntryID) bool {
	_, err := p.g.inbox.Entry(ctx, id)
	return err == nil
}

// missing compares their frontier with this node's: what to pull in order. It
// marks chains that part from this node's.
func (p *puller) missing(ctx context.Context) []journal.Pull {
	mine := p.g.inbox.Claim()
	forks := forkOf(mine)
	var out []journal.Pull
	for k, t := range p.theirs.Frontier {
		m := mine.Frontier[k]
		switch {
		case p.skip[k] || p.known[k] || t.ID == m.ID || p.g.flow.deferred(k.Author):
		case t.Seq <= m.Seq:
			if p.held(ctx, t.ID) {
				p.known[k] = true
			} else {
				p.diverged[k] = true
			}
		case forks[k] == 0:
			out = append(out, journal.Pull{Chain: k, From: m.Seq + 1, To: t.Seq})
		}
	}
	// Chains that got least so far go first: a long one never starves others.
	slices.SortFunc(out, func(a, b journal.Pull) int {
		return cmp.Or(cmp.Compare(p.rounds[a.Chain], p.rounds[b.Chain]), a.Chain.Compare(b.Chain))
	})
	return out
}

// pullChains pulls what follows the end of each chain, many chains at a time.
func (p *puller) pullChains(ctx context.Context) error {
	lease := p.s.trusted(jobKey{p.g.id, p.peer})
	for ctx.Err() == nil {
		var chains []journal.ChainKey
		for _, m := range p.missing(ctx) {
			chains = append(chains, m.Chain)
		}
		if len(chains) == 0 {
			return nil
		}
		if !lease {
			if err := p.pullRound(ctx, chains[:min(len(chains), maxAsks)]); err != nil {
				return err
			}
			continue
		}
		taken := p.g.flow.take(chains, maxAsks)
		if len(taken) == 0 {
			if err := p.g.flow.await(ctx); err != nil {
				return err
			}
			continue
		}
		err := p.pullRound(ctx, taken)
		p.g.flow.release(taken)
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// pullRound asks for what follows in some chains, a few batches ahead, and
// takes what comes. Who is far away would be waited for most of the time.
func (p *puller) pullRound(ctx context.Context, chains []journal.ChainKey) error {
	// Others may have pulled since: look again, now that the chains are ours.
	next := map[journal.ChainKey]uint64{}
	for _, m := range p.missing(ctx) {
		if !slices.Contains(chains, m.Chain) {
			continue
		}
		if p.from[m.Chain] == m.From { // asked before, and the chain did not grow
			p.skip[m.Chain] = true
			continue
		}
		p.from[m.Chain] = m.From
		next[m.Chain] = m.From
	}
	if len(next) == 0 {
		return nil
	}
	asks := p.askAhead(next)
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- p.send(asks) }()
	err := p.takeRound(ctx, asks, next)
	if err != nil {
		_ = p.st.Reset()
		<-sent
		return err
	}
	p.pace(time.Since(began))
	return <-sent
}

// askAhead makes the requests of a round: each batch follows on the one before,
// as far as the peer's claim goes.
func (p *puller) askAhead(next map[journal.ChainKey]uint64) []*frame {
	limit := uint64(maxBatch / len(next))
	var out []*frame
	for n := range uint64(max(p.ahead, 1)) {
		f := &frame{Kind: kindPull}
		for k, from := range next {
			if from += n * limit; n == 0 || from <= p.theirs.Frontier[k].Seq {
				f.Asks = append(f.Asks, wireAsk{Author: k.Author[:], Incarnation: uint64(k.Incarnation), Seq: from, Limit: limit})
			}
		}
		if len(f.Asks) == 0 {
			break
		}
		out = append(out, f)
	}
	return out
}

// pace asks for more at once from who is quick to serve it, within the time for
// which chains are leased.
func (p *puller) pace(round time.Duration) {
	switch {
	case p.torn || round > chainLease/2:
		p.ahead = max(p.ahead/2, 1)
	case round < chainLease/4:
		p.ahead = min(max(p.ahead, 1)*2, maxAhead)
	}
	p.torn = false
}

func (p *puller) send(fs []*frame) error {
	for _, f := range fs {
		if err := p.s.write(p.st, f); err != nil {
			return fmt.Errorf("send request: %w", err)
		}
	}
	return nil
}

// takeRound takes the answers to a round. next is the entry due of each chain.
func (p *puller) takeRound(ctx context.Context, asks []*frame, next map[journal.ChainKey]uint64) error {
	for n, f := range asks {
		answer, err := p.answer()
		if err != nil {
			return err
		}
		if err := p.takeBatch(ctx, f, answer, n == 0, next); err != nil {
			return err
		}
	}
	return nil
}

func (p *puller) takeBatch(ctx context.Context, f, answer *frame, first bool, next map[journal.ChainKey]uint64) error {
	entries, bad := checkAll(p.g.id, answer.Entries)
	want, got := map[journal.ChainKey]wireAsk{}, map[journal.ChainKey]uint64{}
	for _, a := range f.Asks {
		if k, ok := chainKey(a.Author, a.Incarnation); ok {
			want[k] = a
		}
	}
	for _, e := range entries {
		k := e.Chain()
		a, ok := want[k]
		if got[k]++; !ok || e.Position().Seq < a.Seq || got[k] > a.Limit {
			return port.RejectUnasked
		}
	}
	// A batch that came short makes those after it useless: they are asked for anew.
	entries = slices.DeleteFunc(entries, func(e *journal.Entry) bool { return want[e.Chain()].Seq != next[e.Chain()] })
	p.take(ctx, entries)
	if bad != nil {
		return bad
	}
	for k, a := range want {
		if a.Seq != next[k] {
			p.torn = true
			continue
		}
		next[k] += got[k]
		switch {
		case got[k] > 0:
			p.rounds[k]++
		case answer.Short:
			delete(p.from, k) // its turn comes
		case first:
			p.skip[k] = true
			if fork := p.forks[k]; fork == 0 || fork > a.Seq {
				p.lied = true
			}
		}
	}
	if answer.Short && len(answer.Entries) == 0 {
		return errShort
	}
	return nil
}

// take hands entries up in order. What cannot be taken ends its chain for now.
func (p *puller) take(ctx context.Context, entries []*journal.Entry) {
	entries = slices.DeleteFunc(entries, func(e *journal.Entry) bool { return p.skip[e.Chain()] })
	grown := false
	for i, err := range deliverRun(ctx, p.g, p.peer, entries) {
		k := entries[i].Chain()
		switch {
		case err == nil:
			grown = true
		case !p.skip[k]:
			p.refused(k, err)
			p.skip[k] = true
		}
	}
	if grown {
		p.gained++
		p.s.changed(p.g.id)
	}
}

func (p *puller) refused(k journal.ChainKey, err error) {
	p.s.tally.count(p.peer, err)
	p.s.resume(p.g.id, err)
	var gap *port.GapError
	if errors.As(err, &gap) && gap.Need != (journal.EntryID{}) {
		p.diverged[k] = true
		if len(p.needs) < maxNeeds {
			p.needs = append(p.needs, gap.Need)
		}
	}
}

// ask sends a request and reads the entries that answer it.
func (p *puller) ask(f *frame) (*frame, error) {
	if err := p.s.write(p.st, f); err != nil {
		return nil, fmt.Errorf("send request: %w", err)
	}
	return p.answer()
}

func (p *puller) answer() (*frame, error) {
	answer, err := p.s.read(p.st, entriesLimit, frameTimeout)
	if err != nil {
		return nil, fmt.Errorf("read batch: %w", err)
	}
	if answer.Kind == kindRefused {
		return nil, errRefused
	}
	if answer.Kind != kindEntries {
		return nil, errFrame
	}
	return answer, nil
}

// checkAll checks entries on all cores. It returns those before the first bad
// one, in order, and its error.
func checkAll(id journal.GroupID, raws [][]byte) ([]*journal.Entry, error) {
	entries := make([]*journal.Entry, len(raws))
	errs := make([]error, len(raws))
	n := min(runtime.GOMAXPROCS(0), len(raws))
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			for i := w; i < len(raws); i += n {
				entries[i], errs[i] = check(id, raws[i])
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return entries[:i], err
		}
	}
	return entries, nil
}
