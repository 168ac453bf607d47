package robot

import (
	"encoding/hex"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
	"github.com/quorate/quorate/wallet"
)

// ceiling is what a robot's operator lays over the policies of a wallet, and what its key
// signed charged by it. Nil is none, and refuses nothing.
type ceiling struct {
	problem  policy.Reason
	compiled *Compiled
	charges  Ledger
}

// Roster is what a reader of a policy knows of an active wallet. A member goes by the name
// that is shown of him, by his peer id, and by the fingerprint of his key.
func Roster(s group.State) policy.Roster {
	a, net := s.Active(), wallet.Network(s.Genesis().Network)
	r := policy.Roster{Threshold: s.Genesis().Threshold, Script: string(a.Descriptor.ScriptType()), Check: wallet.PayeeReader(net)}
	for k, m := range a.Members {
		x := policy.Member{Key: policy.Key(k), Names: []string{m.Called(), hex.EncodeToString(m.Key.Fingerprint[:])}}
		if id := m.ID(); id != "" {
			x.Names = append(x.Names, id)
		}
		r.Members = append(r.Members, x)
	}
	return r
}

// FitCeiling says what is wrong with a ceiling for an active wallet, in which a robot has a key.
func FitCeiling(text []byte, s group.State, key int) error {
	_, err := policy.ParseCeiling(text, Roster(s), policy.Key(key))
	return err
}

// prepared is the ceiling of a wallet, with all charged that was signed before.
func (c *ceiling) prepared(text []byte, w Wallet) *ceiling {
	if len(text) == 0 || c != nil {
		return c
	}
	c = &ceiling{problem: ReasonCeilingUnread}
	p, err := policy.ParseCeiling(text, Roster(w.State), policy.Key(w.Key))
	if err != nil {
		return c
	}
	// It has no hash: nobody votes on it.
	if c.compiled, err = Compile(p, [32]byte{}, wallet.Network(w.State.Genesis().Network), w.View); err != nil {
		return c
	}
	if c.charges, err = Rebuild(w.State, w.View, c.compiled, w.signatures()); err != nil {
		c.compiled, c.problem = nil, ReasonCharges
		return c
	}
	c.problem = ""
	return c
}

// refuses returns the code of its no to what a policy would have signed, or nothing. A verdict
// says no more of it: what it lets through is nobody's but the operator's.
func (c *ceiling) refuses(q Question) []string {
	switch {
	case c == nil:
		return nil
	case c.problem != "":
		return []string{string(c.problem)}
	}
	p := c.compiled.Policy
	q.Compiled, q.Last = c.compiled, Last{}
	q.Uses = func(t Takes) []policy.Use {
		return c.charges.usesBy(p, t, func(m policy.Meter, _ meter.Subject) (share, pool int64) { return m.Limit, 0 })
	}
	f, err := Gather(q)
	if err != nil || policy.Decide(p, &f).Outcome != policy.OutcomeSign {
		return []string{string(ReasonCeiling)}
	}
	return nil
}

// chain takes in what changed in the view.
func (c *ceiling) chain(s group.State, v ledger.View) *ceiling {
	if c == nil || c.compiled == nil {
		return c
	}
	next := *c
	next.compiled, next.charges = c.compiled.Advance(v, v.News()), c.charges.Follow(s, v, v.News())
	return &next
}

// signed charges what the robot's key is about to sign.
func (c *ceiling) signed(s group.State, v ledger.View, p *group.Proposal, initiator policy.Key, at int64) *ceiling {
	if c == nil || c.compiled == nil || c.charges.charges(p.TxID, initiator) {
		return c
	}
	next := *c
	next.charges = c.charges.Signed(s, v, c.compiled, p, initiator, at)
	return &next
}
