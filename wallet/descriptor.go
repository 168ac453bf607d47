package wallet

import (
	"fmt"
	"slices"
)

// The branches of a descriptor, the values of <0;1>.
const (
	BranchExternal uint32 = 0
	BranchChange   uint32 = 1
)

// Descriptor is a wallet: a form, and k of n keys in it. It is immutable and
// safe for concurrent use; it keeps a bounded cache of derived scripts.
type Descriptor struct {
	net       Network
	form      Form
	threshold int
	keys      []Key
	accounts  []*pubNode
	// branches holds each key's external and change node.
	branches [][2]*pubNode
	text     string
	cache    scriptCache
}

// NewMultisig returns the descriptor of threshold of keys in that order, with
// sortedmulti and <0;1>/*. Errors: ErrThreshold, ErrKeyCount, ErrDuplicateKey,
// ErrWrongNetwork, ErrUnknownNetwork, ErrUnsupported (script type), ErrPrivateKey.
func NewMultisig(net Network, st ScriptType, threshold int, keys []Key) (*Descriptor, error) {
	f, err := FormOf(st)
	if err != nil {
		return nil, err
	}
	return NewDescriptor(net, f, threshold, keys)
}

// NewDescriptor is NewMultisig for any form.
func NewDescriptor(net Network, f Form, threshold int, keys []Key) (*Descriptor, error) {
	if err := checkNetwork(net); err != nil {
		return nil, err
	}
	nodes := make([]*pubNode, len(keys))
	for i, k := range keys {
		if len(k.Path) > maxAccountPath {
			return nil, fmt.Errorf("descriptor key %d: %w", i, errPathTooLong)
		}
		node, err := parseAccountOn(k.XPub, net)
		if err != nil {
			return nil, fmt.Errorf("descriptor key %d: %w", i, err)
		}
		nodes[i] = node
	}
	return newDescriptor(net, f, threshold, keys, nodes)
}

// newDescriptor is where every Descriptor is made and the last checks stand.
func newDescriptor(net Network, f Form, threshold int, keys []Key, nodes []*pubNode) (*Descriptor, error) {
	if len(keys) < 1 || len(keys) > MaxKeys {
		return nil, fmt.Errorf("%w: %d, want 1 to %d", ErrKeyCount, len(keys), MaxKeys)
	}
	if threshold < 1 || threshold > len(keys) {
		return nil, fmt.Errorf("%w: %d of %d keys", ErrThreshold, threshold, len(keys))
	}
	d := &Descriptor{net: net, form: f, threshold: threshold, accounts: nodes}
	for i, k := range keys {
		for j := range i {
			// Two chain codes over one public key still are one signer.
			if nodes[j].pub == nodes[i].pub {
				return nil, fmt.Errorf("%w: key %d is key %d", ErrDuplicateKey, i, j)
			}
		}
		var pair [2]*pubNode
		for branch := range pair {
			pub, chain, err := nodes[i].child(uint32(branch))
			if err != nil {
				return nil, fmt.Errorf("derive branch %d of key %d: %w", branch, i, err)
			}
			pair[branch] = newPubNode(pub, chain[:])
		}
		d.keys = append(d.keys, k.clone())
		d.branches = append(d.branches, pair)
	}
	d.cache.max = maxCachedKeys / len(keys)
	d.text = d.format()
	sum, err := descriptorChecksum(d.text)
	if err != nil {
		return nil, err
	}
	d.text += "#" + sum
	return d, nil
}

// ParseDescriptor parses wsh or sh(wsh) of multi or sortedmulti over extended
// public keys with origins, each followed by /<0;1>/*. The checksum may be
// absent, not wrong. Errors are a *SyntaxError that names the position, wrapping
// ErrChecksum, ErrUnsupported, ErrThreshold, ErrKeyCount, ErrDuplicateKey,
// ErrPrivateKey, ErrNoOrigin or ErrWrongNetwork where one of them applies.
func ParseDescriptor(s string, net Network) (*Descriptor, error) {
	if err := checkNetwork(net); err != nil {
		return nil, err
	}
	e, p, err := parseExpr(s)
	if err != nil {
		return nil, err
	}
	f, multi, err := readForm(p, e)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(multi.keys))
	nodes := make([]*pubNode, len(multi.keys))
	for i, key := range multi.keys {
		if keys[i], nodes[i], err = key.account(p, net); err != nil {
			return nil, err
		}
		if !key.walletPath() {
			return nil, p.failAt(key.stepsOff, fmt.Errorf("%w: want /<0;1>/* after the key", ErrUnsupported))
		}
		for j := range i {
			if nodes[j].pub == nodes[i].pub {
				return nil, p.failAt(key.keyOff, fmt.Errorf("%w: the one at byte %d", ErrDuplicateKey, multi.keys[j].keyOff))
			}
		}
	}
	return newDescriptor(net, f, multi.k, keys, nodes)
}

// walletPath says whether the path after the key is /<0;1>/*.
func (e *keyExpr) walletPath() bool {
	return e.wildcard == wildcardNormal && len(e.steps) == 1 &&
		slices.Equal(e.steps[0], []uint32{BranchExternal, BranchChange})
}

func (d *Descriptor) format() string {
	keys := make([]string, len(d.keys))
	for i, k := range d.keys {
		keys[i] = k.String() + "/<0;1>/*"
	}
	return d.form.expression(d.threshold, keys)
}

// String returns the descriptor in canonical form: h as the hardened mark, and
// the checksum.
func (d *Descriptor) String() string { return d.text }

// Threshold returns k, the number of signatures an input needs.
func (d *Descriptor) Threshold() int { return d.threshold }

// Keys returns the keys in the descriptor's order, which key indexes refer to.
func (d *Descriptor) Keys() []Key {
	keys := make([]Key, len(d.keys))
	for i, k := range d.keys {
		keys[i] = k.clone()
	}
	return keys
}

// Form returns what the wallet's coins are locked with.
func (d *Descriptor) Form() Form { return d.form }

// ScriptType returns the name of the form.
func (d *Descriptor) ScriptType() ScriptType { return d.form.Kind() }

// Network returns the network of the keys and addresses.
func (d *Descriptor) Network() Network { return d.net }

// InputWeight returns the weight of one input with its witness at its worst, in
// weight units.
func (d *Descriptor) InputWeight() int { return d.form.inputWeight(d.threshold, len(d.keys)) }
