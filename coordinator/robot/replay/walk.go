package replay

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/robot"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// maxCompiled is how many policies of one robot are worked out in a page: each may take
// seconds.
const maxCompiled = 8

// walk goes along what the robot of one key wrote, from its first entry on.
type walk struct {
	r        Reader
	key      int
	versions map[event.PolicyVersion]*version

	followed event.PolicyVersion // what it follows; zero for none
	latest   int64               // time of its last verdict in this chain
	said     map[journal.EntryID]said
	shadow   bool // its last verdict is of one that signs nothing
	signed   []robot.Signature
	ever     map[chainhash.Hash]bool // of signed
}

// said is what it said of a proposal before.
type said struct {
	count int
	last  group.Verdict
	sign  bool
}

// version is a policy, worked out, and what the robot signed charged by it; of one that cannot
// be read here, why.
type version struct {
	compiled *robot.Compiled
	charges  robot.Ledger
	leave    map[int]leave // by meter that has a pool
	counted  int           // of walk.signed; -1 where they cannot be worked out
	err      error
}

// leave is what a robot signed with the others' leave, and what is charged without that.
type leave struct {
	txs   map[chainhash.Hash]bool
	alone robot.Ledger
}

// identity goes on to an identity of the key: what it followed and signed stays.
func (w *walk) identity(n int) {
	if w.said = map[journal.EntryID]said{}; n == 0 {
		w.ever = map[chainhash.Hash]bool{}
	}
}

// take takes in an entry, and says what is found of it, where it is a verdict or a signature
// that no verdict goes before.
func (w *walk) take(ref group.Ref, body event.Body) (Found, bool) {
	member := w.r.State.Active().Members[w.key]
	switch b := body.(type) {
	case *event.PolicyAdopted:
		w.followed = b.Version
	case *event.RobotVerdict:
		f := Found{Ref: ref, Member: member, Verdict: *b}
		w.judge(&f)
		s := w.said[b.Proposal]
		s.count++
		s.last, s.sign = group.VerdictOf(ref, b), s.sign || b.Outcome == uint64(policy.OutcomeSign)
		w.said[b.Proposal] = s
		w.latest, w.shadow = max(w.latest, b.Now), b.Shadow
		return f, true
	case *event.ProposalApproved:
		f := Found{Ref: ref, Member: member, Verdict: event.RobotVerdict{Proposal: b.Proposal, Policy: w.followed}, Signed: true}
		unsaid := w.isRobot() && !w.shadow && !w.said[b.Proposal].sign
		w.sign(ref, b.Proposal)
		if unsaid {
			f.Differs = []Difference{{"signature", "signed", "nothing is signed without a verdict that says so"}}
		}
		return f, unsaid
	}
	return Found{}, false
}

// isRobot says whether it follows a policy that has it sign by itself.
func (w *walk) isRobot() bool {
	v := w.version(w.followed)
	return w.followed != (event.PolicyVersion{}) && v.err == nil && v.compiled.Policy.Robots.Has(policy.Key(w.key))
}

// sign notes that it signed a proposal.
func (w *walk) sign(ref group.Ref, id journal.EntryID) {
	p, ok := w.r.State.Proposal(id)
	if !ok || !p.Sound || w.ever[p.TxID] {
		return
	}
	initiator, ok := w.r.State.Active().KeyOf(p.Author())
	if !ok || !w.r.State.Signed(p, w.key) {
		return // what it brought was no signature of its key
	}
	w.ever[p.TxID] = true
	w.signed = append(w.signed, robot.Signature{TxID: p.TxID, Initiator: policy.Key(initiator), At: ref.Time / 1000})
}

// version returns a policy, worked out.
func (w *walk) version(v event.PolicyVersion) *version {
	if x, ok := w.versions[v]; ok {
		return x
	}
	x := &version{}
	if len(w.versions) < maxCompiled {
		w.versions[v] = x
	}
	text, _, held := w.r.State.PolicyText(v)
	if !held {
		x.err = errNotHeld
		return x
	}
	p, err := policy.Decode(text)
	if err == nil {
		err = p.Fits(len(w.r.State.Active().Members), w.r.State.Genesis().Threshold)
	}
	if err == nil && len(w.versions) >= maxCompiled {
		err = errTooMany
	}
	if err == nil {
		x.compiled, err = robot.Compile(p, v, wallet.Network(w.r.State.Genesis().Network), w.r.View)
	}
	if x.err = err; err != nil {
		return x
	}
	if x.charges, err = robot.Rebuild(w.r.State, w.r.View, x.compiled, nil); err != nil {
		x.counted = -1
	}
	x.leave = map[int]leave{}
	for n, m := range p.Meters {
		if m.Pool > 0 {
			x.leave[n] = leave{robot.ByLeave(w.r.State, w.key, v, p, uint64(n)), x.charges}
		}
	}
	return x
}

// used are what the robot has used of a policy's meters at least, by what it signed so far
// and what of that still counts now: it counted then, too. What it had leave for counts in no
// share. False where it cannot be told.
func (w *walk) used(v *version, takes robot.Takes) ([]policy.Use, bool) {
	if v.counted < 0 {
		return nil, false
	}
	for ; v.counted < len(w.signed); v.counted++ {
		x := w.signed[v.counted]
		p, ok := w.r.State.AnyOf(x.TxID)
		if !ok {
			v.counted = -1
			return nil, false
		}
		v.charges = v.charges.Signed(w.r.State, w.r.View, v.compiled, p, x.Initiator, x.At)
		for n, l := range v.leave {
			if !l.txs[x.TxID] {
				l.alone = l.alone.Signed(w.r.State, w.r.View, v.compiled, p, x.Initiator, x.At)
				v.leave[n] = l
			}
		}
	}
	n, k := len(w.r.State.Active().Members), w.r.State.Genesis().Threshold
	out := v.charges.Uses(v.compiled.Policy, n, k, takes)
	for m, l := range v.leave {
		for i, u := range l.alone.Uses(v.compiled.Policy, n, k, takes) {
			if u.Meter == uint64(m) {
				out[i] = u
			}
		}
	}
	return out, true
}
