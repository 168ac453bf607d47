package formats

import (
	"fmt"

	"github.com/quorate/quorate/wallet"
)

// coreDescriptor is one element of importdescriptors and listdescriptors.
type coreDescriptor struct {
	Desc      string `json:"desc"`
	Active    bool   `json:"active"`
	Internal  *bool  `json:"internal,omitempty"`
	Range     any    `json:"range,omitempty"`
	Timestamp any    `json:"timestamp,omitempty"`
	NextIndex *int   `json:"next_index,omitempty"`
}

// coreList is the answer of listdescriptors.
type coreList struct {
	Name        string           `json:"wallet_name"`
	Descriptors []coreDescriptor `json:"descriptors"`
}

// coreRange is how many scripts Core derives at once; it goes on by itself.
const coreRange = 999

// writeCore writes the argument of importdescriptors: both branches by
// themselves, which every version of descriptor wallets takes.
func writeCore(w Wallet) ([]byte, error) {
	in, out, err := Branches(w.Descriptor)
	if err != nil {
		return nil, err
	}
	one := func(desc string, internal bool) coreDescriptor {
		zero := 0
		// A number, not "now": that would leave out what the wallet received before.
		return coreDescriptor{Desc: desc, Active: true, Internal: &internal, Range: []int{0, coreRange}, Timestamp: w.Born, NextIndex: &zero}
	}
	return encode([]coreDescriptor{one(in, false), one(out, true)})
}

// parseCore reads an argument of importdescriptors or an answer of listdescriptors.
func parseCore(raw []byte, net wallet.Network) (Wallet, error) {
	var list coreList
	into := any(&list)
	if raw[0] == '[' {
		into = &list.Descriptors
	}
	if err := decode(raw, into); err != nil {
		return Wallet{}, err
	}
	if len(list.Descriptors) > 100 {
		return Wallet{}, fmt.Errorf("%w: %d descriptors, at most 100", ErrFormat, len(list.Descriptors))
	}
	w := Wallet{Name: clean(list.Name)}
	var g gather
	for i, c := range list.Descriptors {
		of, err := g.add(c.Desc, net)
		if err != nil {
			return Wallet{}, fmt.Errorf("descriptor %d: %w", i+1, err)
		}
		// Where the file says what it is for, it must be that.
		if of != both && c.Internal != nil && *c.Internal != (of == change) {
			return Wallet{}, fmt.Errorf("descriptor %d: %w: \"internal\" is %t, its path is of the other branch", i+1, ErrFormat, *c.Internal)
		}
		if born, ok := c.Timestamp.(float64); ok && born > 0 && born < 1<<40 && (w.Born == 0 || int64(born) < w.Born) {
			w.Born = int64(born)
		}
	}
	var err error
	w.Descriptor, err = g.done()
	return w, err
}
