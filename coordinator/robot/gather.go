package robot

import (
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/policy"
)

// Codes of what refuses a proposal here, beside those that the caller has.
const (
	TooManyRecipients = "too_many_recipients" // more than Facts have room for
	TooManyCopies     = "too_many_copies"     // more entries of one transaction than are looked at
	Unknown           = "unknown_coins"       // a coin is not what the entry states, or not known
)

// ErrNotActive is returned for facts of a wallet that is not active, or a proposal that
// describes no transaction of it.
var ErrNotActive = errors.New("no facts: the wallet is not active, or the proposal is not sound")

// Question is what facts are gathered of, and what only the caller knows.
type Question struct {
	State    group.State
	View     ledger.View
	Proposal *group.Proposal
	Compiled *Compiled
	Robot    policy.Key
	// Now and Doubt are as Clock returns them.
	Now   int64
	Doubt bool
	// Heard is how many other members were heard since this robot started; Unready why it has
	// to be silent, or "".
	Heard   uint64
	Unready string
	// Refused and Hindered are the codes of the rules for every cosigner, in order.
	Refused, Hindered []string
	Frozen            bool
	Last              Last
	// Signed says whether this robot's key signed a transaction.
	Signed func(chainhash.Hash) bool
	// Uses is what a transaction that takes so much would charge to the policy's meters:
	// Ledger.Uses. Nil: there are none.
	Uses func(Takes) []policy.Use
}

// Last is what this robot's own last verdict on the proposal says.
type Last struct {
	Fulfilled int64
	Step      uint64
	Asked     int64
}

// Gather returns the facts of a proposal. They pass Check, and fit MaxFacts: of what pays
// more recipients than they have room for they say that alone, and refuse it.
func Gather(q Question) (policy.Facts, error) {
	a, p := q.State.Active(), q.Proposal
	if a == nil || !p.Sound {
		return policy.Facts{}, ErrNotActive
	}
	spend, err := p.Spend(a)
	if err != nil {
		return policy.Facts{}, err
	}
	f := policy.Facts{
		Robot: q.Robot, Kind: KindOf(q.State, q.View, p, q.Signed),
		Script: string(a.Descriptor.ScriptType()), VSize: spend.VSize(),
		Approved: approved(q.State, p), Labelled: labelled(q.State, q.Compiled.Policy, p),
		Frozen: q.Frozen, Now: max(0, q.Now), Doubt: q.Doubt, Height: int64(max(0, q.View.Tip().Height)),
		Fulfilled: q.Last.Fulfilled, Step: q.Last.Step, Asked: q.Last.Asked,
		Heard: q.Heard, Unready: q.Unready, LockTime: uint64(p.Body.LockTime),
	}
	refused := slices.Clone(q.Refused)
	var all bool
	if f.Rejected, all = rejected(q.State, p); !all {
		refused = append(refused, TooManyCopies)
	}
	key, member := a.KeyOf(p.Author())
	if f.Initiator = policy.Key(key); !member || q.State.Tainted(p.Ref.Chain, p.Ref.Seq) {
		f.Initiator, f.Tainted = 0, true
	}
	f.Confirmations, f.Age = depth(q.View, p)
	takes, fits := takesOf(q.View, q.Compiled, p, f.Initiator)
	f.Inputs, f.Outputs = uint64(len(p.Body.Inputs)), uint64(len(p.Body.Outputs))
	f.In, f.Own, f.Fee, f.Pays = takes.in, takes.own, takes.fee, takes.pays
	if takes.unknown {
		refused = append(refused, Unknown)
	}
	if q.Uses != nil {
		f.Uses = q.Uses(takes)
	}
	if !fits || len(f.Uses) > policy.MaxUses {
		f, refused = lessened(f, takes), append(refused, TooManyRecipients)
	}
	f.Refused, f.Hindered = codes(refused), codes(q.Hindered)
	if n, ok := policy.Match(q.Compiled.Policy, &f); ok {
		f.Zones = q.Compiled.zonesAt(q.Compiled.Policy.Rules[n].Require.Hours, f.Now)
	}
	if _, err := policy.EncodeFacts(&f); err == nil {
		return f, nil
	}
	f = lessened(f, takes)
	f.Refused = codes(append(refused, TooManyRecipients))
	if _, err := policy.EncodeFacts(&f); err != nil {
		return policy.Facts{}, fmt.Errorf("facts of proposal %s: %w", p.Ref.ID, err)
	}
	return f, nil
}

// lessened are facts without whom is paid and what is charged for it. They are refused.
func lessened(f policy.Facts, t Takes) policy.Facts {
	f.Uses, f.Pays = nil, nil
	if t.outputs > 0 {
		f.Pays = []policy.Pay{{Amount: t.paid, Outputs: t.outputs}}
	}
	return f
}

// codes are some codes, each once: of more than there is room for the last ones, which say
// the most of all.
func codes(list []string) (out []string) {
	for _, c := range list {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out[max(0, len(out)-policy.MaxCodes):]
}

// depth returns the confirmations of the coin with the fewest, and the age of the youngest,
// by median time past: 0 for what is in no block or not known.
func depth(v ledger.View, p *group.Proposal) (confirmations, age int64) {
	for i, in := range p.Body.Inputs {
		n, old := int64(v.Confirmations(in.TxID)), int64(0)
		if t, ok := v.Tx(in.TxID); ok && t.Block.Height > 0 && t.Block.MedianTime > 0 {
			old = max(0, v.Tip().MedianTime-t.Block.MedianTime)
		}
		if i == 0 {
			confirmations, age = n, old
		}
		confirmations, age = min(confirmations, n), min(age, old)
	}
	return max(0, confirmations), age
}
