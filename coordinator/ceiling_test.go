package coordinator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// under lays a ceiling over a robot, as of its start.
func (p *peer) under(ceiling string) {
	p.tb.Helper()
	p.ceiling = []byte(ceiling)
	p.crash()
}

// ceilingOf lets recipients 70 to 89 be paid up to an amount, and a limit in a day.
func (r *robots) ceilingOf(most, limit int64, more string) string {
	return fmt.Sprintf(`title = "Mine"
recipients.payees = { addresses = ["%s"] }
meters.day = { limit = "%dsat", window = "24h" }
[[rules]]
name = "payments"
when = { to = "payees"%s }
require = { amount_max = "%dsat", meters = "day" }
then = "sign"
`, strings.Join(r.addresses(70, 90), `", "`), limit, more, most)
}

// Both must say sign: what the group lets out the ceiling holds back, and says no more than
// that; what the group holds back no ceiling lets out.
func TestACeilingAndAPolicyBothSaySign(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000)
	bot.under(r.ceilingOf(40_000, 70_000, ""))
	r.votes(r.suppliers(50_000))
	r.hear()
	if err := bot.m.CeilingFits(); err != nil {
		t.Fatal(err)
	}
	below := ana.proposes(pay(70, 30_000))
	r.settle()
	if !bot.signed(below) {
		t.Fatalf("below both it says %+v", r.verdict(bot, below))
	}
	above := ana.proposes(pay(71, 45_000))
	r.settle()
	v := r.verdict(bot, above)
	if bot.signed(above) || !outcome(v, policy.OutcomeDeny, "ceiling") || v.Rule != 0 {
		t.Fatalf("above the ceiling it says %+v", v)
	}
	// Whoever decides by its facts again comes to the same.
	p, _ := bot.m.State.Proposal(above)
	said, err := bot.m.verdict(p, bot.input(nil))
	if err != nil {
		t.Fatal(err)
	}
	f, err := policy.DecodeFacts(said.Facts)
	if err != nil {
		t.Fatal(err)
	}
	if again := policy.Decide(r.suppliers(50_000), f); again.Outcome != policy.OutcomeDeny || len(again.Reasons) != 1 || again.Reasons[0] != robot.ReasonCeiling {
		t.Fatalf("its facts say %+v", again)
	}
	agree(t, ana.replayed(t, 1000))
	stranger := ana.proposes(pay(9, 1_000))
	over := ana.proposes(pay(72, 50_001))
	r.settle()
	if bot.signed(stranger) || !outcome(r.verdict(bot, stranger), policy.OutcomeDeny, "no_rule") || bot.signed(over) || !outcome(r.verdict(bot, over), policy.OutcomeDeny, "amount_max") {
		t.Fatalf("of what the group denies it says %+v, %+v", r.verdict(bot, stranger), r.verdict(bot, over))
	}
}

// The ceiling's own meter counts all that the key signed, also before a restart, and before
// there was a ceiling.
func TestACeilingsMeterHoldsOverRestarts(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000, 100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	first := ana.proposes(pay(70, 30_000))
	r.settle()
	if !bot.signed(first) {
		t.Fatalf("%+v", r.verdict(bot, first))
	}
	bot.under(r.ceilingOf(40_000, 55_000, ""))
	r.hear()
	second := ana.proposes(pay(71, 20_000))
	third := ana.proposes(pay(72, 20_000))
	r.hear()
	if !bot.signed(second) {
		t.Fatalf("of what is left it says %+v", r.verdict(bot, second))
	}
	for range 2 {
		if bot.signed(third) || !outcome(r.verdict(bot, third), policy.OutcomeDeny, "ceiling") {
			t.Fatalf("of what is used it says %+v", r.verdict(bot, third))
		}
		bot.crash()
		r.hear()
	}
	bot.under("")
	r.hear()
	if !bot.signed(third) {
		t.Fatalf("without it it says %+v", r.verdict(bot, third))
	}
}

// Where a ceiling does not fit the wallet, its robot signs nothing and says so.
func TestACeilingThatDoesNotFit(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000)
	bot.under(r.ceilingOf(40_000, 70_000, `, initiator = "nobody"`))
	if err := bot.m.CeilingFits(); err == nil || !strings.Contains(err.Error(), `line 6, column`) {
		t.Fatalf("it fits: %v", err)
	}
	r.votes(r.suppliers(50_000))
	r.hear()
	id := ana.proposes(pay(70, 20_000))
	r.settle()
	if bot.signed(id) || !outcome(r.verdict(bot, id), policy.OutcomeDeny, "ceiling_unreadable") {
		t.Fatalf("it says %+v", r.verdict(bot, id))
	}
	if s, _ := bot.m.Robot(); s.Problem != robot.ReasonCeilingUnread {
		t.Fatalf("it shows %+v", s)
	}
	if err := ana.m.CeilingFits(); err != nil {
		t.Fatalf("a human's node: %v", err)
	}
	bot.under(r.ceilingOf(40_000, 70_000, fmt.Sprintf(`, initiator = %q`, ana.name)))
	r.hear()
	if !bot.signed(id) {
		t.Fatalf("once it fits it says %+v", r.verdict(bot, id))
	}
}

// What a signer's own ceiling holds back is denied, leaves nothing behind, and is not asked for
// at each tick; once the signer lets it out it is signed.
func TestASignersCeilingHoldsBack(t *testing.T) {
	r := withRobots(t, 2, 3, 1)
	bot, ana := r.robots[0], r.humans[0]
	r.fund(100_000, 100_000, 100_000)
	r.votes(r.suppliers(50_000))
	r.hear()
	asked, open := 0, false
	bot.may = func(s *wallet.Spend) error {
		asked++
		if len(s.Own()) != 1 {
			t.Errorf("the signer is not told which output is change: %+v", s.Own())
		}
		if !open {
			return fmt.Errorf("the signer refused: %w", port.ErrCeiling)
		}
		return nil
	}
	id := ana.proposes(pay(70, 30_000))
	r.settle()
	if bot.signed(id) || !outcome(r.verdict(bot, id), policy.OutcomeDeny, "ceiling") || asked != 1 {
		t.Fatalf("asked %d times, it says %+v", asked, r.verdict(bot, id))
	}
	if held, err := bot.Disk.Guard(t.Context()); err != nil || len(held) != 0 {
		t.Fatalf("the guard holds what was not signed: %v, %v", held, err)
	}
	if s, _ := bot.m.Robot(); s.Meters[0].Used != 0 {
		t.Fatalf("it is charged: %+v", s.Meters)
	}
	for range 5 {
		r.hear()
	}
	if asked != 1 {
		t.Fatalf("asked %d times in no time", asked)
	}
	for range 20 { // 40 minutes
		r.clock = r.clock.Add(2 * time.Minute)
		r.hear()
	}
	if asked < 4 || asked > 7 {
		t.Fatalf("asked %d times in 40 minutes", asked)
	}
	if _, written, _ := ana.m.State.VerdictBy(bot.id(), id); written != 1 {
		t.Fatalf("%d verdicts", written)
	}
	open = true
	r.clock = r.clock.Add(2 * time.Hour)
	r.hear()
	if !bot.signed(id) {
		t.Fatalf("it says %+v", r.verdict(bot, id))
	}
}
