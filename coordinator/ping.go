package coordinator

import (
	"fmt"
	"math"
	"time"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

const (
	// roundEach is how often a node asks, and how often it answers by itself.
	roundEach = 24 * time.Hour
	// answerEach is after how many ticks a node tries again to answer by itself.
	answerEach = 30
)

// Pinged is whose key is to answer: this node's, or that of a cosigner without a node.
func (m *Machine) Pinged(hosted string) (group.Member, error) {
	a := m.State.Active()
	if a == nil {
		return group.Member{}, refusal.New(refusal.NotActive, "the wallet is not active")
	}
	k, ok := a.Index(m.State.Me())
	if !ok {
		return group.Member{}, refusal.New(refusal.NoKey, "this node holds no key of the wallet")
	}
	if hosted == "" {
		return a.Members[k], nil
	}
	for _, x := range a.Members {
		if x.Hosted() && x.Name == hosted {
			return x, nil
		}
	}
	return group.Member{}, refusal.New(refusal.NotHosted, "the wallet has no cosigner without a node named %q", hosted)
}

// Answers says whether a member's key answered a round, or a later one.
func (m *Machine) Answers(x group.Member, round journal.EntryID) bool {
	r, ok := m.State.Round(round)
	last, answered := m.State.Answered(x.Index, math.MaxInt64)
	return ok && answered && last.Time >= r.Time
}

// byDevice says whether a member's key signs elsewhere.
func (m *Machine) byDevice(x group.Member) bool { return x.Hosted() || m.External() }

func (s *step) ping(x Ping) error {
	who, err := s.m.Pinged(x.For)
	if err != nil {
		return err
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	out, err := s.round(x)
	if err != nil {
		return err
	}
	if s.m.byDevice(who) {
		key := pmap.Num(uint64(who.Index))
		s.m.pings = s.m.pings.Set(key, out.Round.ID)
		s.batch.Puts[recPing+fmt.Sprint(who.Index)] = out.Round.ID[:]
	}
	answer(s, x, out)
	return nil
}

// round is the one that is open, or a new one.
func (s *step) round(x Ping) (Pinged, error) {
	st, now := s.m.State, s.now()
	if round, ok := st.LatestRound(now.Add(skew).UnixMilli()); ok && !x.New && near(round, now, RoundLife) {
		return Pinged{Round: round}, nil
	}
	// However often it is told to, a node asks once a day.
	if round, ok := st.LastAsked(st.Me()); ok && near(round, now, roundEach) {
		return Pinged{Round: round}, nil
	}
	if err := s.m.known(event.KindPingAnswered, x.Allow); err != nil {
		return Pinged{}, err
	}
	if st.Asked(s.chainOfMine()) >= group.MaxAsked {
		return Pinged{}, refusal.New(refusal.Pings, "this node asked %d times: the others count no more of one", group.MaxAsked).WithHint("another cosigner can ask")
	}
	e, err := s.write(&event.PingAsked{})
	if err != nil {
		return Pinged{}, err
	}
	round, ok := s.m.State.Round(e.ID())
	if !ok {
		return Pinged{}, fmt.Errorf("%w: a round that was asked for is not there", group.ErrFault)
	}
	return Pinged{Round: round, Asked: true}, nil
}

func (s *step) answerPing(x AnswerPing) error {
	who, err := s.m.Pinged(x.For)
	if err != nil {
		return err
	}
	if err := s.m.notArchived(); err != nil {
		return err
	}
	round, ok := s.m.State.Round(x.Round)
	if !ok {
		return refusal.New(refusal.NotReady, "no such round was asked for").WithHint("`quorate ping` asks for one, and says what is to be signed")
	}
	// What is said again, or late, would put the clock of the key back.
	if last, ok := s.m.State.Answered(who.Index, s.now().Add(skew).UnixMilli()); ok && last.Time >= round.Time {
		answer(s, x, Done{})
		return nil
	}
	b := &event.PingAnswered{Round: x.Round, Key: uint32(who.Index), How: x.How, Proof: x.Proof}
	switch {
	case x.Proof == nil && s.m.byDevice(who):
		return refusal.New(refusal.ExternalKey, "this key signs elsewhere").WithHint("`quorate ping` says what is to be signed")
	case x.Proof == nil:
		claim := event.PingClaim(s.m.State.Group(), s.m.State.Me(), x.Round, who.Key.String())
		s.do(Sign{Claim: &claim, Signed: Signed{Cmd: x}})
		return nil
	}
	if err := s.m.State.CheckAnswer(s.m.State.Me(), b); err != nil {
		return refusal.New(refusal.Proof, "%v", err).WithHint("sign exactly what `quorate ping` prints")
	}
	if _, err := s.write(b); err != nil {
		return err
	}
	answer(s, x, Done{})
	return nil
}

func (x AnswerPing) signed(s *step, got Signed) error {
	x.How, x.Proof = event.ProofOwn, got.Proof
	if len(x.Proof) == 0 {
		return fmt.Errorf("%w: no signature of a ping", refusal.ErrBadRequest)
	}
	return s.answerPing(x)
}

// duePing is the round that this node is to answer by itself: the latest, once a day by
// its own clock and by that of the askers, whatever members write. It is tried again
// after a minute.
func (m Machine) duePing(now time.Time) (Machine, AnswerPing, bool) {
	if m.State.Active() == nil || m.External() || m.local.Archived || m.triedPing != 0 && m.ticks-m.triedPing < answerEach {
		return m, AnswerPing{}, false
	}
	k, ok := m.State.Active().Index(m.State.Me())
	if !ok || !m.written.asOf(now).spare() {
		return m, AnswerPing{}, false
	}
	round, ok := m.State.LatestRound(now.Add(skew).UnixMilli())
	if !ok || !near(round, now, SeenFor) {
		return m, AnswerPing{}, false
	}
	entry, last, ok := m.State.LastAnswer(k, m.State.Me())
	if ok && (near(entry, now, roundEach) || round.Time < last.Time+roundEach.Milliseconds()) {
		return m, AnswerPing{}, false
	}
	m.triedPing = m.ticks
	return m, AnswerPing{Round: round.ID}, true
}

// PingRequest returns what a device has to sign for a round.
func (m *Machine) PingRequest(hosted string, round journal.EntryID) (ProofRequest, error) {
	who, err := m.Pinged(hosted)
	if err != nil {
		return ProofRequest{}, err
	}
	if !m.byDevice(who) {
		return ProofRequest{}, refusal.New(refusal.NotExternal, "this node holds its own key of the wallet, and answers with it")
	}
	by, err := who.Key.ProofKey(wallet.Network(m.State.Genesis().Network))
	if err != nil {
		return ProofRequest{}, err
	}
	claim := event.PingClaim(m.State.Group(), m.State.Me(), round, who.Key.String())
	return ProofRequest{Text: claim.PingText(), Key: who.Key, By: by}, nil
}

// PingRounds are those of which a device's signature may be: the one that was handed out
// for it last, and the latest.
func (m *Machine) PingRounds(hosted string, now time.Time) ([]journal.EntryID, error) {
	who, err := m.Pinged(hosted)
	if err != nil {
		return nil, err
	}
	var out []journal.EntryID
	if id, ok := m.pings.Get(pmap.Num(uint64(who.Index))); ok {
		out = append(out, id)
	}
	if r, ok := m.State.LatestRound(now.Add(skew).UnixMilli()); ok && (len(out) == 0 || out[0] != r.ID) {
		out = append(out, r.ID)
	}
	return out, nil
}
