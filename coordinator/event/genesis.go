package event

import (
	"fmt"
	"math"

	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// maxGenesisBytes holds 20 keys of at most 250 characters, and what else a
// genesis says.
const maxGenesisBytes = 8 << 10

// MaxBirthday bounds a height that somebody names; no chain gets there in 20,000 years.
const MaxBirthday = math.MaxInt32 / 2

// Genesis is the beginning of a group, in plain bytes, and its name:
// group = H("group", genesis).
type Genesis struct {
	Version    uint64         `cbor:"1,keyasint"`
	Threshold  int            `cbor:"2,keyasint"`
	Cosigners  int            `cbor:"3,keyasint"`
	Script     string         `cbor:"4,keyasint"`
	Network    string         `cbor:"5,keyasint"`
	Founder    journal.Author `cbor:"6,keyasint"`
	SealingKey [32]byte       `cbor:"7,keyasint"`
	Random     [32]byte       `cbor:"8,keyasint"`
	// Descriptor is that of a wallet that is older than the group, in canonical
	// form: its keys, their order, all its addresses. Birthday is the height before
	// which it was not paid.
	Descriptor string `cbor:"9,keyasint,omitempty"`
	Birthday   int32  `cbor:"10,keyasint,omitempty"`
}

// EncodeGenesis returns the genesis' bytes, or ErrEvent when a field is out of bounds.
func EncodeGenesis(g Genesis) ([]byte, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	b, err := theCodec.enc.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("encode genesis: %w", err)
	}
	return b, nil
}

// DecodeGenesis reads a genesis, or returns ErrEvent or ErrNewer.
func DecodeGenesis(b []byte) (Genesis, error) {
	var g Genesis
	if len(b) > maxGenesisBytes {
		return g, badEvent("genesis of %d bytes", len(b))
	}
	if err := theCodec.dec.Unmarshal(b, &g); err != nil {
		return g, fmt.Errorf("%w: genesis: %w", ErrEvent, err)
	}
	if g.Version != 1 {
		return g, fmt.Errorf("%w: genesis version %d", ErrNewer, g.Version)
	}
	again, err := EncodeGenesis(g)
	if err != nil {
		return g, err
	}
	if string(again) != string(b) {
		return g, badEvent("genesis is not in canonical form")
	}
	return g, nil
}

func (g Genesis) Check() error {
	if g.Cosigners < 1 || g.Cosigners > MaxCosigners || g.Threshold < 1 || g.Threshold > g.Cosigners {
		return badEvent("threshold %d of %d cosigners", g.Threshold, g.Cosigners)
	}
	if _, err := wallet.FormOf(wallet.ScriptType(g.Script)); err != nil {
		return badEvent("script type %q", g.Script)
	}
	if _, err := wallet.ParseNetwork(g.Network); err != nil {
		return badEvent("network %q", g.Network)
	}
	return g.checkExisting()
}

// GroupID returns the group that a genesis begins.
func GroupID(genesis []byte) journal.GroupID {
	return journal.GroupID(journal.H("group", genesis))
}

// Existing is the descriptor of a wallet that was there before its group; nil
// where there is none.
func (g Genesis) Existing() (*wallet.Descriptor, error) {
	if g.Descriptor == "" {
		return nil, nil
	}
	return wallet.ParseDescriptor(g.Descriptor, wallet.Network(g.Network))
}

func (g Genesis) checkExisting() error {
	d, err := g.Existing()
	switch {
	case err != nil:
		return badEvent("descriptor: %v", err)
	case d == nil && g.Birthday != 0, g.Birthday < 0, g.Birthday > MaxBirthday:
		return badEvent("birthday %d", g.Birthday)
	case d == nil:
		return nil
	case d.String() != g.Descriptor || d.Threshold() != g.Threshold || len(d.Keys()) != g.Cosigners || string(d.ScriptType()) != g.Script:
		return badEvent("the descriptor does not fit the genesis")
	}
	return nil
}
