package coinselect

import "github.com/btcsuite/btcd/txscript/v2"

// Shape of scripts, as script/script.h and script/script.cpp in Core have it.
const (
	minWitnessProgram   = 4  // version, push, two bytes of program
	maxWitnessProgram   = 42 // version, push, forty bytes of program
	dustInputVBytes     = 32 + 4 + 1 + 107 + 4
	dustWitnessInVBytes = 32 + 4 + 1 + 107/4 + 4
)

// DustLimit is the least amount in satoshis that an output with this script
// may carry: Core's GetDustThreshold (policy/policy.cpp), the cost at rate of
// the output and of a typical input that spends it. A script that can never
// be spent has none. A rate of zero or less means DustRelayFeeRate, the rate
// nodes relay by.
func DustLimit(pkScript []byte, rate FeeRate) int64 {
	if unspendable(pkScript) {
		return 0
	}
	if rate <= 0 {
		rate = DustRelayFeeRate
	}
	size := outputSize(pkScript)
	if isWitnessProgram(pkScript) {
		size += dustWitnessInVBytes
	} else {
		size += dustInputVBytes
	}
	return rate.Fee(size)
}

// unspendable says whether no input can ever satisfy the script.
func unspendable(pkScript []byte) bool {
	return len(pkScript) > maxPkScript || len(pkScript) > 0 && pkScript[0] == txscript.OP_RETURN
}

// isWitnessProgram recognises an output of any witness version (BIP141).
func isWitnessProgram(pkScript []byte) bool {
	if len(pkScript) < minWitnessProgram || len(pkScript) > maxWitnessProgram {
		return false
	}
	version := pkScript[0]
	return (version == 0 || version >= txscript.OP_1 && version <= txscript.OP_16) && int(pkScript[1]) == len(pkScript)-2
}
