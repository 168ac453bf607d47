package ceiling

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
	"github.com/quorate/quorate/wallet"
)

// maxDerived is how many keys are derived for the recipients of a ceiling, at about 30 µs each.
const maxDerived = 1 << 16

// script is an output's, as the key of a map.
type script string

// payees are the recipients of a policy by their scripts. Of a descriptor they are its first
// indexes: how far it was paid a signer cannot know.
type payees struct {
	of    *policy.Policy
	whose map[script][]uint64 // indexes in Policy.Recipients, ascending
}

func derive(p *policy.Policy, net wallet.Network) (payees, error) {
	out := payees{p, map[script][]uint64{}}
	keys := 0
	for who, r := range p.Recipients {
		add := func(s []byte) {
			if of := out.whose[script(s)]; !slices.Contains(of, uint64(who)) {
				out.whose[script(s)] = append(of, uint64(who))
			}
		}
		for _, text := range r.Addresses {
			s, err := wallet.ParseAddress(text, net)
			if err != nil {
				return payees{}, fmt.Errorf("recipient %q: %w", r.Name, err)
			}
			add(s)
		}
		for _, text := range r.Descriptors {
			of, err := wallet.ParseRecipient(text, net)
			if err != nil {
				return payees{}, fmt.Errorf("recipient %q: %w", r.Name, err)
			}
			until := uint32(min(r.Lookahead, policy.MaxLookahead))
			if !of.Ranged() {
				until = 1
			}
			if keys += int(until) * of.Keys(); keys > maxDerived {
				return payees{}, fmt.Errorf("recipient %q: all recipients together have too many scripts", r.Name)
			}
			for i := range until {
				s, err := of.PkScript(i)
				if err != nil {
					return payees{}, fmt.Errorf("recipient %q: %w", r.Name, err)
				}
				add(s)
			}
		}
	}
	return out, nil
}

// signedOf makes of a transaction what is kept of it. An output is the wallet's own where its
// descriptor derives the script at the place that is said.
func signedOf(s *wallet.Spend, d *wallet.Descriptor, own []wallet.OwnOutput) (signed, error) {
	t := signed{Tx: s.TxID()}
	for _, in := range s.Inputs() {
		t.Coins = append(t.Coins, spent{Tx: in.OutPoint.Hash, Index: in.OutPoint.Index, Amount: in.Amount})
	}
	out := s.Outputs()
	mine := make([]bool, len(out))
	for _, o := range own {
		if o.Output < 0 || o.Output >= len(out) {
			return signed{}, fmt.Errorf("own output %d: there is none", o.Output)
		}
		x, err := d.PkScript(o.Branch, o.Index)
		if err != nil {
			return signed{}, fmt.Errorf("own output %d: %w", o.Output, err)
		}
		mine[o.Output] = mine[o.Output] || string(x) == string(out[o.Output].PkScript)
	}
	for i, o := range out {
		if mine[i] {
			t.Own += o.Amount
		} else {
			t.Pays = append(t.Pays, pays{Script: o.PkScript, Amount: o.Amount})
		}
	}
	return t, nil
}

// decide says whether a transaction may be signed now, of which t is what would be kept.
func (c *Ceiling) decide(s *wallet.Spend, t signed) error {
	if why := c.book.against(t); why != "" {
		return &Refused{[]policy.Reason{why}}
	}
	f := c.facts(s, t)
	v := policy.Decide(c.o.Policy, &f)
	switch {
	case v.Outcome == policy.OutcomeSign:
		return nil
	case len(v.Reasons) == 0:
		v.Reasons = []policy.Reason{policy.ReasonRule}
	}
	return &Refused{v.Reasons}
}

// facts are what is known of a transaction here. Everything else a ceiling does not ask for.
func (c *Ceiling) facts(s *wallet.Spend, t signed) policy.Facts {
	f := policy.Facts{
		Kind: policy.Payment, Script: string(s.Descriptor().ScriptType()), VSize: s.VSize(),
		Inputs: uint64(len(t.Coins)), Outputs: uint64(len(s.Outputs())), In: t.in(), Own: t.Own, Fee: s.Fee(), Now: c.now(), LockTime: uint64(s.LockTime()),
	}
	if len(t.Pays) == 0 {
		f.Kind = policy.Consolidation
	}
	for _, x := range t.Pays {
		f.Pays = append(f.Pays, policy.Pay{To: c.payees.whose[script(x.Script)], Amount: x.Amount, Outputs: 1})
	}
	takes := c.payees.takes(t)
	for i, m := range c.o.Policy.Meters {
		for _, of := range takes {
			if (of.Subject == meter.All) != (m.Per == policy.PerGroup) {
				continue
			}
			f.Uses = append(f.Uses, policy.Use{
				Meter: uint64(i), Share: m.Limit, Takes: of.Amount, Charge: c.book.book.Charge(t.coins(), of),
				Used: c.book.book.Used(of.Subject, m.Window, f.Now),
			})
		}
	}
	if n, ok := policy.Match(c.o.Policy, &f); ok {
		f.Zones = zones(c.o.Policy.Rules[n].Require.Hours, f.Now)
	}
	return f
}

// zones are those of some hours, with their offsets at a time. The reader of a policy has seen
// that they are there.
func zones(hours []policy.Hours, now int64) (out []policy.Zone) {
	for _, h := range hours {
		at, err := policy.LoadZone(h.Zone)
		if err != nil || slices.ContainsFunc(out, func(z policy.Zone) bool { return z.Name == h.Zone }) {
			continue
		}
		_, offset := time.Unix(now, 0).In(at).Zone()
		out = append(out, policy.Zone{Name: h.Zone, Offset: int64(offset)})
	}
	slices.SortFunc(out, func(a, b policy.Zone) int { return strings.Compare(a.Name, b.Name) })
	return out
}
