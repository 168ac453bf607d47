package coordinator

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// says is a message of tests: the machine writes an event.
type says struct{ body event.Body }

func (x says) run(s *step) error {
	_, err := s.write(x.body)
	return err
}

// robots is a circle whose last peers are robots.
type robots struct {
	*circle
	humans, robots []*peer
}

// withRobots makes a wallet of k of n keys, of which the last m are robots'.
func withRobots(t testing.TB, k, n, m int) *robots {
	t.Helper()
	c := active(t, k, n)
	r := &robots{circle: c, humans: c.peers[:n-m], robots: c.peers[n-m:]}
	for _, p := range r.robots {
		p.mode = robot.Signs
		p.m = p.m.AsRobot(robot.Signs, nil)
	}
	return r
}

// keyOf is the index of a peer's key.
func (r *robots) keyOf(p *peer) policy.Key {
	k, ok := r.peers[0].m.State.Active().KeyOf(p.id())
	if !ok {
		r.tb.Fatal("no key")
	}
	return policy.Key(k)
}

func (r *robots) keysOf(of ...*peer) (out policy.Keys) {
	for _, p := range of {
		out |= policy.KeysOf(r.keyOf(p))
	}
	return out
}

// payeeAddress is the address of recipient(n).
func payeeAddress(t testing.TB, n byte) string {
	t.Helper()
	a, err := wallet.AddressOf(recipient(n), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// addresses are those of some recipients, ascending.
func (r *robots) addresses(from, to byte) (out []string) {
	for n := from; n < to; n++ {
		out = append(out, payeeAddress(r.tb, n))
	}
	slices.Sort(out)
	return out
}

// suppliers lets any human have recipients 70 to 89 paid up to an amount, once another one approves.
func (r *robots) suppliers(most int64) *policy.Policy {
	return &policy.Policy{
		Version: policy.Language, Title: "Suppliers", ChangeDelay: 3600, Robots: r.keysOf(r.robots...), Tolerate: uint64(len(r.robots)), StartQuorum: 1,
		Groups:     []policy.Group{{Name: "humans", Keys: r.keysOf(r.humans...)}},
		Recipients: []policy.Recipient{{Name: "acme", Addresses: r.addresses(70, 90)}},
		Meters:     []policy.Meter{{Name: "daily", Limit: 3 * most, Window: 86400}},
		Rules: []policy.Rule{{
			Name: "suppliers", Then: policy.Sign, Else: policy.Deny,
			When:    policy.When{Kinds: []policy.Kind{policy.Payment}, Initiators: policy.Who{Groups: []uint64{0}}, To: []uint64{0}},
			Require: policy.Require{AmountMax: most, Meters: []uint64{0}},
		}},
	}
}

// proposes puts a policy to the vote of the humans.
func (r *robots) votes(p *policy.Policy, parents ...event.PolicyVersion) event.PolicyVersion {
	r.tb.Helper()
	b := &event.PolicyProposed{Bytes: policy.Encode(p), Parents: parents}
	v := b.Version(r.humans[0].m.State.Group())
	r.humans[0].must(says{b})
	r.settle()
	for _, h := range r.humans[:r.humans[0].m.State.Genesis().Threshold] {
		h.must(says{&event.PolicyApproved{Version: v}})
	}
	r.settle()
	return v
}

// hear has everybody tell everybody what it holds, and lets a tick pass.
func (r *robots) hear() {
	r.tb.Helper()
	for range 3 {
		r.settle()
		for _, to := range r.peers {
			for _, from := range r.peers {
				if to != from {
					to.must(ClaimIn{from.id(), port.Claim{Frontier: from.m.State.Chains().Frontier()}})
				}
			}
		}
		for _, p := range r.peers {
			p.must(Tick{})
		}
	}
	r.settle()
}

func (r *robots) verdict(of *peer, proposal journal.EntryID) group.Verdict {
	r.tb.Helper()
	v, _, ok := r.peers[0].m.State.VerdictBy(of.id(), proposal)
	if !ok {
		r.tb.Fatalf("%s said nothing of the proposal", of.name)
	}
	return v
}

func (p *peer) proposes(x Propose) journal.EntryID {
	p.tb.Helper()
	return p.must(x).(Proposed).Proposal
}

func (p *peer) signed(proposal journal.EntryID) bool {
	q, ok := p.m.State.Proposal(proposal)
	k, _ := p.m.State.Active().Index(p.m.State.Me())
	return ok && p.m.State.Signed(q, k)
}

func outcome(v group.Verdict, o policy.Outcome, reasons ...string) bool {
	return v.Outcome == uint64(o) && slices.Equal(v.Reasons, reasons)
}

// A robot of 2 of 3 signs what its policy lets it sign, within the step that brings the
// proposal, and denies what is above the limit, saying why.
func TestARobotSigns(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000)
	before := ana.proposes(pay(70, 20_000))
	r.hear()
	if bot.signed(before) {
		t.Fatal("it signed without a policy")
	}
	v := r.votes(r.suppliers(50_000))
	r.hear()
	if got, _, ok := ana.m.State.PolicyAdopted(int(r.keyOf(bot))); !ok || got != v {
		t.Fatal("the robot does not follow what the group agreed on")
	}
	if !bot.signed(before) {
		t.Fatalf("it did not sign what waited for a policy: %+v", r.verdict(bot, before))
	}

	id := ana.proposes(pay(71, 40_000))
	r.settle()
	if !bot.signed(id) || !outcome(r.verdict(bot, id), policy.OutcomeSign) {
		t.Fatalf("it did not sign a payment below the limit: %+v", r.verdict(bot, id))
	}
	above := ana.proposes(pay(72, 50_001))
	other := ana.proposes(pay(9, 1_000))
	r.settle()
	if bot.signed(above) || !outcome(r.verdict(bot, above), policy.OutcomeDeny, "amount_max") {
		t.Fatalf("above the limit it says %+v", r.verdict(bot, above))
	}
	if bot.signed(other) || !outcome(r.verdict(bot, other), policy.OutcomeDeny, "no_rule") {
		t.Fatalf("of a payment to a stranger it says %+v", r.verdict(bot, other))
	}
}

// Nobody has a robot's key sign by a command.
func TestARobotTakesNoOrders(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	id := ana.proposes(pay(8, 20_000))
	r.settle()
	for name, cmd := range map[string]Message{
		"approve":                 Approve{Proposal: id},
		"approve, all overridden": Approve{Proposal: id, Allow: []string{refusal.RobotSigns}},
		"propose":                 pay(9, 1_000),
	} {
		if _, err := bot.do(cmd); refusalCode(err) != refusal.RobotSigns {
			t.Errorf("%s: %v", name, err)
		}
	}
	unsigned := pay(9, 1_000)
	unsigned.Unsigned = true
	bot.must(unsigned)
	if q, _ := bot.m.State.Proposal(id); bot.m.Guard.ever(q.TxID) {
		t.Fatal("its key signed")
	}
}

// A meter counts what was signed until it is mined and its window is over, and what was
// replaced or withdrawn all the same.
func TestARobotsMeter(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000, 100_000)
	p := r.suppliers(50_000)
	p.Meters[0].Limit = 100_000
	r.votes(p)
	r.hear()
	var ids []journal.EntryID
	for n := range 3 {
		id := ana.proposes(pay(70+byte(n), 45_000))
		r.settle()
		ids = append(ids, id)
	}
	if !bot.signed(ids[0]) || !bot.signed(ids[1]) || bot.signed(ids[2]) {
		t.Fatal("two payments fit the meter, and the third does not")
	}
	if v := r.verdict(bot, ids[2]); !outcome(v, policy.OutcomeWait, "meter_full") {
		t.Fatalf("of the third it says %+v", v)
	}
	// Neither a restart nor time without blocks empties it.
	r.clock = r.clock.Add(48 * time.Hour)
	bot.crash()
	r.hear()
	if bot.signed(ids[2]) {
		t.Fatal("what was signed and is not mined counted no more")
	}
	for _, id := range ids[:2] {
		q, _ := ana.m.State.Proposal(id)
		tx, err := theTx(ana.m.State, ana.m.View, q)
		if err != nil {
			t.Fatal(err)
		}
		r.mine(nil)
		r.mine([]*wire.MsgTx{tx})
	}
	for range 6 {
		r.mine(nil)
	}
	r.hear()
	if bot.signed(ids[2]) {
		t.Fatal("what was mined a minute ago counted no more")
	}
	r.clock = r.clock.Add(25 * time.Hour)
	for range 8 {
		r.mine(nil)
	}
	r.hear()
	if !bot.signed(ids[2]) {
		t.Fatalf("what was mined before the window still counts: %+v", r.verdict(bot, ids[2]))
	}
}

func claimOf(p *peer) port.Claim { return port.Claim{Frontier: p.m.State.Chains().Frontier()} }
