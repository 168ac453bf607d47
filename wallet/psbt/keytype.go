package psbt

// Field types of the global map (BIP174, BIP370).
const (
	globalUnsignedTx       = 0x00
	globalXPub             = 0x01
	globalTxVersion        = 0x02
	globalFallbackLockTime = 0x03
	globalInputCount       = 0x04
	globalOutputCount      = 0x05
	globalTxModifiable     = 0x06
	globalVersion          = 0xfb
)

// Field types of an input map (BIP174, BIP370, BIP371, BIP373).
const (
	inNonWitnessUTXO     = 0x00
	inWitnessUTXO        = 0x01
	inPartialSig         = 0x02
	inSighashType        = 0x03
	inRedeemScript       = 0x04
	inWitnessScript      = 0x05
	inDerivation         = 0x06
	inFinalScriptSig     = 0x07
	inFinalWitness       = 0x08
	inPorCommitment      = 0x09
	inRIPEMD160          = 0x0a
	inSHA256             = 0x0b
	inHash160            = 0x0c
	inHash256            = 0x0d
	inPrevTxID           = 0x0e
	inOutputIndex        = 0x0f
	inSequence           = 0x10
	inRequiredTime       = 0x11
	inRequiredHeight     = 0x12
	inTapKeySig          = 0x13
	inTapScriptSig       = 0x14
	inTapLeafScript      = 0x15
	inTapDerivation      = 0x16
	inTapInternalKey     = 0x17
	inTapMerkleRoot      = 0x18
	inMuSig2Participants = 0x1a
	inMuSig2PubNonce     = 0x1b
	inMuSig2PartialSig   = 0x1c
)

// Field types of an output map (BIP174, BIP370, BIP371, BIP373).
const (
	outRedeemScript       = 0x00
	outWitnessScript      = 0x01
	outDerivation         = 0x02
	outAmount             = 0x03
	outScript             = 0x04
	outTapInternalKey     = 0x05
	outTapTree            = 0x06
	outTapDerivation      = 0x07
	outMuSig2Participants = 0x08
)

// typeProprietary is the field type of vendors' fields in every map (BIP174).
const typeProprietary = 0xfc

// mapKind tells the three kinds of map apart.
type mapKind int

const (
	globalMap mapKind = iota
	inputMap
	outputMap
)

// String returns the name that errors use.
func (k mapKind) String() string {
	return [...]string{"global", "input", "output"}[k]
}

// rank returns where Bitcoin Core writes fields of a type in a map of kind k.
// Fields of a type it does not know share the last place, ordered by key.
func (k mapKind) rank(typ byte) int {
	order := ""
	switch k {
	case globalMap:
		order = "\x00\x01\x02\x03\x04\x05\x06\xfb\xfc"
	case inputMap:
		order = "\x00\x01\x02\x03\x04\x05\x06\x0a\x0b\x0c\x0d" +
			"\x13\x14\x15\x16\x17\x18\x1a\x1b\x1c" +
			"\x07\x08\x0e\x0f\x10\x11\x12\xfc"
	case outputMap:
		order = "\x00\x01\x02\x03\x04\xfc\x05\x06\x07\x08"
	}
	for i := range len(order) {
		if order[i] == typ {
			return i
		}
	}
	return len(order)
}
