package coinselect

import "github.com/btcsuite/btcd/wire/v2"

// The weight of what every transaction has, beside the two counts: version
// and lock time, and the marker and flag of BIP144, which are witness bytes.
const fixedWeight = (4+4)*4 + 2

// outputSize is the serialized size in bytes of an output with this script.
func outputSize(pkScript []byte) int64 {
	return 8 + countSize(len(pkScript)) + int64(len(pkScript))
}

// countSize is the size in bytes of a CompactSize count.
func countSize(n int) int64 { return int64(wire.VarIntSerializeSize(uint64(n))) }

// vsizeOf converts weight units to vbytes, rounding up (BIP141).
func vsizeOf(weight int64) int64 { return (weight + 3) / 4 }

// partFee is the exact share in satoshis, rounded up, that so many weight
// units have in the fee. Unlike Fee it does not round the size up to a whole
// vbyte first: that happens once in a transaction, not once in each part.
func partFee(rate FeeRate, weight int64) int64 {
	if rate <= 0 || weight <= 0 {
		return 0
	}
	return mulDivUp(int64(rate), weight, 4*1000)
}

// txSize states the exact worst-case weight of a transaction of this wallet,
// whose inputs all weigh the same.
type txSize struct {
	input   int64 // weight of one input
	outputs int64 // bytes of the outputs asked for, without their count
	count   int   // number of outputs asked for
	change  int64 // bytes of the change output
}

// weight is that of a transaction with so many inputs, with or without change.
func (s txSize) weight(inputs int, change bool) int64 {
	outputs, count := s.outputs, s.count
	if change {
		outputs += s.change
		count++
	}
	return fixedWeight + 4*(countSize(inputs)+countSize(count)+outputs) + int64(inputs)*s.input
}
