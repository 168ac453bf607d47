package robot

import (
	"iter"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// What a robot would have made of what is over, by what is known of it now: for those who try
// out a policy, or look whether a robot told the truth. No robot decides by it.

// Moment says of transactions how they stood at some time.
type Moment struct {
	Known func(chainhash.Hash) bool // somebody had entered it, or the network shown it
	Gone  func(chainhash.Hash) bool // it could never be mined any more
	Open  func(chainhash.Hash) bool // it was known and in no block
}

// KindAt is KindOf at a time that is over.
func KindAt(s group.State, v ledger.View, p *group.Proposal, signedByMe func(chainhash.Hash) bool, at Moment) policy.Kind {
	return kindAt(s, v, p, signedByMe, at)
}

// ZonesOf are the zones of the hours of the rule that is for what facts say, with their
// offsets at the facts' time.
func (c *Compiled) ZonesOf(f *policy.Facts) []policy.Zone {
	if n, ok := policy.Match(c.Policy, f); ok {
		return c.zonesAt(c.Policy.Rules[n].Require.Hours, f.Now)
	}
	return nil
}

// Trial is a ledger of signatures that were never made. It is an immutable value.
type Trial struct{ of Ledger }

// Signed counts a proposal as signed at a time, Unix seconds, and returns what that charges.
func (t Trial) Signed(p *group.Proposal, takes Takes, at int64) (Trial, []meter.Take) {
	var charged []meter.Take
	for _, x := range takes.bySubject() {
		charged = append(charged, meter.Take{Subject: x.Subject, Amount: t.of.book.Charge(coinsAs(takes.coins), x)})
	}
	t.of = t.of.sign(p, takes, at)
	return t, charged
}

// Buried says that a spend of the wallet's coins is six deep, in a block of a median time past.
func (t Trial) Buried(spend chainhash.Hash, coins []wire.OutPoint, at int64) Trial {
	t.of.book = t.of.book.Bury(meter.TxID(spend), coinsAs(coins), at)
	return t
}

// Uses is Ledger.Uses when the newest final block has a median time past, for a robot to which
// the others grant whatever it asks for.
func (t Trial) Uses(p *policy.Policy, n, k int, takes Takes, now int64) []policy.Use {
	l, r := t.of, p.R(n, k)
	l.now = now
	return l.usesBy(p, takes, func(m policy.Meter, _ meter.Subject) (share, pool int64) {
		share, pool = p.Share(m, r)
		return share + pool, 0
	})
}

// Counted yields what a transaction takes that a meter counts.
func (t Takes) Counted(per policy.Per) iter.Seq[meter.Take] { return t.of(per) }

// Counts says whether a meter counts a subject.
func Counts(per policy.Per, s meter.Subject) bool { return perOf(s) == per }

// InitiatorOf is whose initiator a subject is, and RecipientOf which recipient it is by name.
func InitiatorOf(s meter.Subject) (policy.Key, bool) {
	if perOf(s) != policy.PerInitiator {
		return 0, false
	}
	return policy.Key(s[1]), true
}

// RecipientOf is which recipient a subject is, by its name.
func RecipientOf(s meter.Subject) (string, bool) {
	if perOf(s) != policy.PerRecipient {
		return "", false
	}
	return string(s[1:]), true
}
