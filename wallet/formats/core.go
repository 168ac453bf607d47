package formats

import (
	"encoding/json"
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

// parseCore reads an argument of importdescriptors or an answer of
// listdescriptors, in which the wallet may be one of several descriptors.
func parseCore(raw []byte, net wallet.Network) (Wallet, error) {
	var list struct {
		Name        string            `json:"wallet_name"`
		Descriptors []json.RawMessage `json:"descriptors"`
	}
	into := any(&list)
	var names []string
	if raw[0] == '[' {
		into = &list.Descriptors
	} else if f, err := fieldsOf(raw); err == nil {
		names = f.others("wallet_name", "descriptors")
	}
	if err := decode(raw, into); err != nil {
		return Wallet{}, err
	}
	if len(list.Descriptors) > maxDescriptors {
		return Wallet{}, fmt.Errorf("%w: %d descriptors, at most %d", ErrFormat, len(list.Descriptors), maxDescriptors)
	}
	var born int64
	var g gather
	for i, one := range list.Descriptors {
		var c coreDescriptor
		if err := decode(one, &c); err != nil {
			return Wallet{}, fmt.Errorf("descriptor %d: %w", i+1, err)
		}
		of, err := g.add(asWritten(c.Desc), net)
		if err != nil {
			return Wallet{}, fmt.Errorf("descriptor %d: %w", i+1, err)
		}
		if of == bare {
			return Wallet{}, fmt.Errorf("descriptor %d: %w: its keys have no /0/* or /1/* after them, so that Bitcoin Core has one address for it", i+1, wallet.ErrUnsupported)
		}
		// Where the file says what it is for, it must be that.
		if (of == receive || of == change) && c.Internal != nil && *c.Internal != (of == change) {
			return Wallet{}, fmt.Errorf("descriptor %d: %w: \"internal\" is %t, its path is of the other branch", i+1, ErrFormat, *c.Internal)
		}
		if at, ok := c.Timestamp.(float64); ok && at > 0 && at < 1<<40 && (born == 0 || int64(at) < born) {
			born = int64(at)
		}
		if f, err := fieldsOf(one); err == nil {
			names = append(names, f.others("desc", "active", "internal", "range", "timestamp", "next", "next_index", "label", "watchonly", "keypool", "checksum")...)
		}
	}
	w, err := g.done(false)
	if err != nil {
		return Wallet{}, err
	}
	w.Name, w.Born = clean(list.Name), born
	w.passedOver(names)
	return w, nil
}
