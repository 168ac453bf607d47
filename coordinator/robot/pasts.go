package robot

import (
	"maps"
	"math"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
)

// past is what is known of a robot from before the policy in force.
type past struct {
	// of is the version that it says that it follows, and from where on; until then it signed
	// signed. following is false where it says nothing.
	of        event.PolicyVersion
	cut       group.Ref
	following bool
	signed    Ledger
	// robotly is what it signed as a robot at any time, of one that the policy leaves out.
	robotly Ledger
	// granted is what it was granted, of one that did not say that it follows that policy, or that
	// it leaves out; asked says that none was granted without this robot.
	granted Ledger
	asked   bool
}

// withPasts works out what each robot of the line signed, and was granted, before it followed
// what it follows.
func (l line) withPasts(w Wallet, c *Compiled) (line, error) {
	l.pasts = map[int]past{}
	robots := l.older | l.last.Robots
	for _, x := range l.left {
		robots |= policy.KeysOf(policy.Key(x.key))
	}
	for k := range w.State.Active().Members {
		if !robots.Has(policy.Key(k)) {
			continue
		}
		x := past{asked: true}
		x.of, _, x.following = w.State.PolicyAdopted(k)
		x.cut, _ = w.State.PolicyFirst(k, x.of)
		of := func(counts func(*group.Proposal) bool) (Ledger, error) {
			return Rebuild(w.State, w.View, c, w.signedBy(k, counts, func(chainhash.Hash) bool { return false }))
		}
		var err error
		if x.signed, err = of(func(p *group.Proposal) bool { return x.before(w.State, k, p) }); err != nil {
			return l, err
		}
		if !l.last.Robots.Has(policy.Key(k)) {
			if x.robotly, err = of(func(p *group.Proposal) bool { return byRobot(w.State, k, p) }); err != nil {
				return l, err
			}
		}
		if x.of != l.version || !l.last.Robots.Has(policy.Key(k)) {
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

// before says whether a key signed a proposal before it followed what it follows, by its own
// word. What others carried of it says nothing of when, and what it approves of another entry of
// a transaction later, or says once more that it follows, changes nothing: nobody, itself
// neither, makes what it signs now a thing of the past that others count.
func (x past) before(s group.State, key int, p *group.Proposal) bool {
	if !x.following || !s.Signed(p, key) {
		return false
	}
	for _, who := range s.Active().Identities(key) { // the latest one last
		if who == x.cut.Chain.Author {
			return s.ApprovedBefore(p, who, x.cut)
		}
		if _, ok := s.LastApproval(p, who); ok {
			return true
		}
	}
	return false
}

// unheld says whether a robot approved before that what is not held here.
func (x past) unheld(s group.State, key int) bool {
	if !x.following {
		return false
	}
	for _, who := range s.Active().Identities(key) {
		if who == x.cut.Chain.Author {
			return s.UnheldApproval(key, who, x.cut)
		}
		if s.UnheldApproval(key, who, everywhere(who)) {
			return true
		}
	}
	return false
}

// everywhere is a place behind all that an identity writes.
func everywhere(who journal.Author) group.Ref {
	return group.Ref{Chain: journal.ChainKey{Author: who, Incarnation: math.MaxUint8}, Seq: math.MaxUint64}
}

// unheldEver says whether a key approved, at any time, what is not held here.
func unheldEver(s group.State, key int) bool {
	return slices.ContainsFunc(s.Active().Identities(key), func(who journal.Author) bool { return s.UnheldApproval(key, who, everywhere(who)) })
}

// outdated says whether a robot follows another version than when its past was worked out.
func (l line) outdated(s group.State) bool {
	for k, x := range l.pasts {
		if v, _, ok := s.PolicyAdopted(k); ok != x.following || v != x.of {
			return true
		}
	}
	return false
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
		x.signed, x.granted, x.robotly = x.signed.Follow(s, v, v.News()), x.granted.Follow(s, v, v.News()), x.robotly.Follow(s, v, v.News())
		pasts[k] = x
	}
	l.pasts = pasts
	return l
}

// late takes in what robots signed of a proposal, and of which this node hears now.
func (l line) late(s group.State, v ledger.View, c *Compiled, p *group.Proposal, initiator policy.Key) line {
	pasts := l.pasts
	for k, x := range l.pasts {
		before := !x.signed.charges(p.TxID, initiator) && x.before(s, k, p)
		robotly := !l.last.Robots.Has(policy.Key(k)) && !x.robotly.charges(p.TxID, initiator) && s.Signed(p, k) && byRobot(s, k, p)
		if !before && !robotly {
			continue
		}
		if before {
			x.signed = x.signed.Signed(s, v, c, p, initiator, 0)
		}
		if robotly {
			x.robotly = x.robotly.Signed(s, v, c, p, initiator, 0)
		}
		pasts = maps.Clone(pasts)
		pasts[k] = x
	}
	l.pasts = pasts
	return l
}
