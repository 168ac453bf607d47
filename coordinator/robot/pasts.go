package robot

import (
	"maps"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// past is what is known of a robot from before the policy in force.
type past struct {
	// signed is what its key signed before it said that it follows that policy; of one that said
	// nothing all that is known.
	signed Ledger
	// granted is what it was granted, of one that did not say that it follows that policy; asked
	// says that none was granted without this robot.
	granted Ledger
	asked   bool
}

// withPasts works out what each robot of the line signed, and was granted, before it followed
// the policy in force.
func (l line) withPasts(w Wallet, c *Compiled) (line, error) {
	l.pasts, l.stale = map[int]past{}, false
	robots := l.older | l.last.Robots
	for _, x := range l.left {
		robots |= policy.KeysOf(policy.Key(x.key))
	}
	for k := range w.State.Active().Members {
		if !robots.Has(policy.Key(k)) {
			continue
		}
		before, err := Rebuild(w.State, w.View, c, w.signedBy(k, func(p *group.Proposal) bool { return l.before(w.State, k, p) }, func(chainhash.Hash) bool { return false }))
		if err != nil {
			return l, err
		}
		x := past{signed: before, asked: true}
		if _, ok := l.newest(w.State, k); !ok {
			// Each of the others had to give leave, this robot among them if it was one.
			x.asked = l.askedOf(w.Key, k)
			if x.granted, err = Rebuild(w.State, w.View, c, l.grantedTo(w, k)); err != nil {
				return l, err
			}
		}
		l.pasts[k] = x
	}
	return l, nil
}

// before says whether what a key signed of a proposal was signed before it followed the policy
// in force: where it did not approve it itself, somebody carried it, and that says nothing. Of
// one that is left out, and does not follow that, what it signed as a robot counts: what it
// signs by hand is a human's.
func (l line) before(s group.State, key int, p *group.Proposal) bool {
	at, ok := l.newest(s, key)
	if !ok {
		return l.last.Robots.Has(policy.Key(key)) || byRobot(s, key, p)
	}
	approved, later := false, false
	for _, who := range s.Active().Identities(key) { // the latest one last
		_, ok := s.LastApproval(p, who)
		if approved = approved || ok; ok && !later && (who != at.Chain.Author || s.ApprovedBefore(p, who, at)) {
			return true
		}
		later = later || who == at.Chain.Author
	}
	return !approved
}

// byRobot says whether a key signed a proposal as a robot's: nothing is signed without a verdict.
func byRobot(s group.State, key int, p *group.Proposal) bool {
	return slices.ContainsFunc(s.Active().Identities(key), func(who journal.Author) bool { return s.SignedByVerdict(who, p.Ref.ID) })
}

// askedOf says whether a robot was one in all older terms in which another one was.
func (l line) askedOf(me, other int) bool {
	return !slices.ContainsFunc(l.sets, func(robots policy.Keys) bool { return robots.Has(policy.Key(other)) && !robots.Has(policy.Key(me)) })
}

// grantedTo lists what this robot granted another one by older policies of the line.
func (l line) grantedTo(w Wallet, key int) (out []Signature) {
	for r := range w.State.ReservedBy(key) {
		if _, ok := w.State.GrantedBy(w.Key, r.Ref.ID, false); !ok || r.Policy == l.version || !l.in.has(r.Policy) {
			continue
		}
		p, held := w.State.Proposal(r.Proposal)
		if !held {
			continue // it was when it was granted
		}
		if initiator, member := w.State.Active().KeyOf(p.Author()); member && p.Sound && p.TxID == r.TxID {
			out = append(out, Signature{TxID: r.TxID, Initiator: policy.Key(initiator), At: r.Ref.Time / 1000})
		}
	}
	return out
}

// follow has what was signed before follow the chain.
func (l line) follow(s group.State, v ledger.View) line {
	if l.pasts == nil {
		return l
	}
	pasts := map[int]past{}
	for k, x := range l.pasts {
		x.signed, x.granted = x.signed.Follow(s, v, v.News()), x.granted.Follow(s, v, v.News())
		pasts[k] = x
	}
	l.pasts = pasts
	return l
}

// late takes in what robots signed of a proposal before they followed the policy in force, and
// of which this node hears now.
func (l line) late(s group.State, v ledger.View, c *Compiled, p *group.Proposal, initiator policy.Key) line {
	pasts := l.pasts
	for k, x := range l.pasts {
		signed, charged := s.Signed(p, k) && l.before(s, k, p), x.signed.charges(p.TxID, initiator)
		switch {
		case signed && !charged:
			pasts = maps.Clone(pasts)
			x.signed = x.signed.Signed(s, v, c, p, initiator, 0)
			pasts[k] = x
		case !signed && charged && !l.anyBefore(s, k, p, initiator):
			l.stale = true // it was carried first, and its own entry says now that it came later
		}
	}
	l.pasts = pasts
	return l
}

// anyBefore says whether another entry of a proposal's transaction, of the same initiator,
// counts as signed before. Of many it is not looked further.
func (l line) anyBefore(s group.State, key int, p *group.Proposal, initiator policy.Key) bool {
	looked := 0
	for _, q := range s.ProposalsOf(mapkey.Of(p.TxID), group.ByTxProposal(mapkey.Of(p.TxID))) {
		if looked++; looked > maxCopies {
			return true
		}
		if k, ok := s.Active().KeyOf(q.Author()); ok && policy.Key(k) == initiator && q.Sound && s.Signed(q, key) && l.before(s, key, q) {
			return true
		}
	}
	return false
}
