package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/btcsuite/btcd/btcec/v2"
)

// ErrScriptIndex is returned for a branch other than 0 and 1, or a hardened index.
var ErrScriptIndex = errors.New("no script at this branch and index")

// maxCachedKeys bounds the derived keys a descriptor caches. With about 200
// bytes a key (point, serialization, its part of the script) that is 8 MB.
const maxCachedKeys = 40_000

// Script is what a descriptor derives at one branch and index.
type Script struct {
	// PkScript is the output script.
	PkScript []byte
	// RedeemScript is the P2SH script, nil where there is none.
	RedeemScript []byte
	// WitnessScript is the multisig script.
	WitnessScript []byte
	// PubKeys are compressed, by the descriptor's key index.
	PubKeys [][]byte
	// Order maps positions in the witness script to key indexes.
	Order []int

	parsed []*btcec.PublicKey // by key index
}

// scriptPosition is the key of scriptCache.
type scriptPosition struct{ branch, index uint32 }

// scriptCache keeps the scripts derived last, at most max of them.
type scriptCache struct {
	mu      sync.RWMutex
	max     int
	scripts map[scriptPosition]*Script
	ring    []scriptPosition // in order of insertion, from next on once full
	next    int
}

func (c *scriptCache) get(at scriptPosition) *Script {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.scripts[at]
}

func (c *scriptCache) put(at scriptPosition, s *Script) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.scripts[at]; ok {
		return
	}
	if c.scripts == nil {
		c.scripts = make(map[scriptPosition]*Script)
	}
	if len(c.ring) < c.max {
		c.ring = append(c.ring, at)
	} else {
		delete(c.scripts, c.ring[c.next])
		c.ring[c.next] = at
		c.next = (c.next + 1) % c.max
	}
	c.scripts[at] = s
}

// Script derives the scripts and keys at a branch (0 or 1) and index (below
// 2^31), or returns ErrScriptIndex. The caller may change what it returns.
func (d *Descriptor) Script(branch, index uint32) (*Script, error) {
	s, err := d.script(branch, index)
	if err != nil {
		return nil, err
	}
	pubs := make([][]byte, len(s.PubKeys))
	for i, pub := range s.PubKeys {
		pubs[i] = bytes.Clone(pub)
	}
	return &Script{
		PkScript:      bytes.Clone(s.PkScript),
		RedeemScript:  bytes.Clone(s.RedeemScript),
		WitnessScript: bytes.Clone(s.WitnessScript),
		PubKeys:       pubs,
		Order:         slices.Clone(s.Order),
		parsed:        s.parsed,
	}, nil
}

// script is Script without the copy: its result is shared and must not be changed.
func (d *Descriptor) script(branch, index uint32) (*Script, error) {
	if branch > BranchChange || index >= hardened {
		return nil, fmt.Errorf("%w: %d/%d", ErrScriptIndex, branch, index)
	}
	at := scriptPosition{branch, index}
	if s := d.cache.get(at); s != nil {
		return s, nil
	}
	s := &Script{
		PubKeys: make([][]byte, len(d.keys)),
		parsed:  make([]*btcec.PublicKey, len(d.keys)),
	}
	for i := range d.keys {
		pub, _, err := d.branches[i][branch].child(index)
		if err != nil {
			return nil, fmt.Errorf("derive key %d at %d/%d: %w", i, branch, index, err)
		}
		s.PubKeys[i], s.parsed[i] = pub.SerializeCompressed(), pub
	}
	d.form.lock(d, s)
	d.cache.put(at, s)
	return s, nil
}

// PkScript returns the output script at a branch and index alone, or
// ErrScriptIndex. The caller may change what it returns.
func (d *Descriptor) PkScript(branch, index uint32) ([]byte, error) {
	s, err := d.script(branch, index)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(s.PkScript), nil
}

// SharesScripts says whether two wallets are one, whatever their descriptors look
// like: of the same keys, threshold and kind. They may differ in the order of the
// keys, as multi and sortedmulti do, and have some of their scripts in common then.
func (d *Descriptor) SharesScripts(o *Descriptor) bool {
	if d.net != o.net || d.ScriptType() != o.ScriptType() || d.threshold != o.threshold || len(d.keys) != len(o.keys) {
		return false
	}
	a, errA := d.accountPublicKeys()
	b, errB := o.accountPublicKeys()
	return errA == nil && errB == nil && slices.Equal(a, b)
}

// accountPublicKeys are the keys' public keys, sorted.
func (d *Descriptor) accountPublicKeys() ([]string, error) {
	var out []string
	for _, k := range d.Keys() {
		b, err := k.AccountPublicKey()
		if err != nil {
			return nil, err
		}
		out = append(out, string(b))
	}
	slices.Sort(out)
	return out, nil
}

// Address returns the address at a branch and index, or ErrScriptIndex.
func (d *Descriptor) Address(branch, index uint32) (string, error) {
	s, err := d.script(branch, index)
	if err != nil {
		return "", err
	}
	return AddressOf(s.PkScript, d.net)
}
