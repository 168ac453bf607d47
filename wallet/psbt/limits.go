package psbt

import "fmt"

// Hard limits on what is read and written. A standard transaction is at most
// 100,000 virtual bytes: 41 bytes an input at least, so under 2,500 inputs.
const (
	MaxSize         = 16 << 20 // bytes of a packet in binary
	MaxInputs       = 10_000
	MaxOutputs      = 10_000
	MaxFields       = 10_000 // fields of one map
	MaxKeySize      = 10_000 // bytes of one key; a control block has up to 4,129
	MaxWitnessItems = 10_000 // items of one witness
	MaxPath         = 255    // steps of a path: BIP32 keeps the depth in one byte

	maxText = 2 * MaxSize // bytes of a text: hex

	// maxItems bounds everything that takes more memory than bytes: fields,
	// transaction inputs and outputs, witness items, tree leaves, over the whole
	// packet. The largest is some 100 bytes, so it bounds memory near 100 MiB.
	maxItems = 1 << 20
)

func checkCount(what string, n, most int) error {
	if n > most {
		return fmt.Errorf("%w: %d %s, at most %d", ErrTooLarge, n, what, most)
	}
	return nil
}
