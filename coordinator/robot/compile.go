package robot

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// ErrTooMany is returned for a policy whose recipients are more than a robot derives.
var ErrTooMany = errors.New("too many scripts of recipients")

// maxDerived is how many keys are derived for the recipients of a policy, at about 30 µs each.
const maxDerived = 1 << 16

// byScript is a script, as the key of a map.
type byScript string

// source is a descriptor of a recipient, and how far it is derived.
type source struct {
	of      *wallet.Recipient
	who     uint64 // index in Policy.Recipients
	beyond  uint32 // how many indexes past the last one that was paid
	derived uint32
}

// Compiled is a policy with the scripts of its recipients, and the zones of its hours. It is
// immutable: Advance returns another one.
type Compiled struct {
	Policy *policy.Policy
	Hash   [32]byte

	zones   map[string]*time.Location
	sources []source
	scripts pmap.Map[byScript, []target]
	paid    pmap.Map[byScript, struct{}] // by transactions of this wallet
	keys    int                          // derived
	deep    int32
}

// target is a recipient that a script is of, and by which source: -1 for an address.
type target struct {
	who    uint64
	source int
	index  uint32
}

// Compile derives the scripts of a policy's recipients: their addresses, and of each
// descriptor those up to Lookahead past the last one that a transaction of this wallet paid,
// six deep. It returns an error for what is no address or descriptor of the network, and
// ErrTooMany.
func Compile(p *policy.Policy, hash [32]byte, net wallet.Network, view ledger.View) (*Compiled, error) {
	c := &Compiled{Policy: p, Hash: hash, zones: zonesOf(p), deep: -1}
	wanted := 0
	for who, r := range p.Recipients {
		for _, a := range r.Addresses {
			script, err := wallet.ParseAddress(a, net)
			if err != nil {
				return nil, fmt.Errorf("recipient %q: %w", r.Name, err)
			}
			c.add(script, target{who: uint64(who), source: -1})
		}
		for _, text := range r.Descriptors {
			of, err := wallet.ParseRecipient(text, net)
			if err != nil {
				return nil, fmt.Errorf("recipient %q: %w", r.Name, err)
			}
			s := source{of: of, who: uint64(who), beyond: lookahead(r)}
			c.sources = append(c.sources, s)
			if wanted += int(s.beyond) * of.Keys(); wanted > maxDerived {
				return nil, fmt.Errorf("recipient %q: %w", r.Name, ErrTooMany)
			}
		}
	}
	for n, s := range c.sources {
		if err := c.derive(n, s.beyond); err != nil {
			return nil, fmt.Errorf("recipient %q: %w", p.Recipients[s.who].Name, err)
		}
	}
	return c.Advance(view, func(func(chainhash.Hash) bool) {}), nil
}

func lookahead(r policy.Recipient) uint32 {
	if r.Lookahead == 0 {
		return policy.DefaultLookahead
	}
	return uint32(min(r.Lookahead, policy.MaxLookahead))
}

// derive derives a source as far as to an index, and further where what it derives was paid.
func (c *Compiled) derive(n int, until uint32) error {
	s := &c.sources[n]
	if !s.of.Ranged() {
		until = 1
	}
	for ; s.derived < until; s.derived++ {
		if c.keys += s.of.Keys(); c.keys > maxDerived {
			return ErrTooMany
		}
		script, err := s.of.PkScript(s.derived)
		if err != nil {
			return fmt.Errorf("derive a recipient's script: %w", err)
		}
		c.add(script, target{s.who, n, s.derived})
		if _, paid := c.paid.Get(byScript(script)); paid && s.of.Ranged() {
			until = max(until, s.until(s.derived))
		}
	}
	return nil
}

// until is how far a source goes of which an index was paid.
func (s *source) until(paid uint32) uint32 { return min(paid+1+s.beyond, maxIndex) }

// add notes whose a script is, each recipient and source once.
func (c *Compiled) add(script []byte, t target) {
	old, _ := c.scripts.Get(byScript(script))
	if !slices.Contains(old, t) {
		c.scripts = c.scripts.Set(byScript(script), append(slices.Clone(old), t))
	}
}

// To returns the recipients that a script is of, by their indexes, ascending.
func (c *Compiled) To(pkScript []byte) []uint64 {
	of, _ := c.scripts.Get(byScript(pkScript))
	var out []uint64
	for _, t := range of {
		out = append(out, t.who)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Advance takes in the blocks that became six deep since, and transactions that changed. What
// was derived stays, in a reorg too. Where more than a robot derives would be needed, the
// descriptor goes no further, and what is paid to it beyond is a stranger's.
func (c *Compiled) Advance(view ledger.View, changed iter.Seq[chainhash.Hash]) *Compiled {
	ids := slices.Collect(deepSince(view, c.deep, changed))
	if len(ids) == 0 && c.deep == deepest(view) {
		return c
	}
	out := *c
	out.sources = slices.Clone(c.sources)
	for _, id := range ids {
		t, ok := view.Tx(id)
		if !ok || !spends(view, t.Tx) {
			continue
		}
		for _, o := range t.Tx.TxOut {
			out.pays(byScript(o.PkScript))
		}
	}
	out.deep = deepest(view)
	return &out
}

// pays takes in that a transaction of this wallet paid a script.
func (c *Compiled) pays(script byScript) {
	if _, known := c.paid.Get(script); known {
		return
	}
	c.paid = c.paid.Set(script, struct{}{})
	of, _ := c.scripts.Get(script)
	for _, t := range of {
		if t.source >= 0 {
			_ = c.derive(t.source, c.sources[t.source].until(t.index)) // what cannot be derived is nobody's
		}
	}
}

// maxIndex is where the indexes of a descriptor end (BIP32).
const maxIndex = 1 << 31

// spends says whether a transaction spends a coin of the wallet.
func spends(view ledger.View, tx *wire.MsgTx) bool {
	return slices.ContainsFunc(tx.TxIn, func(i *wire.TxIn) bool { _, ours := view.Out(i.PreviousOutPoint); return ours })
}
