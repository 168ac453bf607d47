package psbt

// Output is one output of a packet (BIP174, BIP370, BIP371, BIP373).
type Output struct {
	Amount int64  // satoshis
	Script []byte // scriptPubKey

	RedeemScript  []byte
	WitnessScript []byte
	Derivations   []Derivation

	TapInternalKey *[32]byte
	TapTree        []TapLeaf
	TapDerivations []TapDerivation

	MuSig2Participants []MuSig2Participants

	Proprietary []Proprietary
	Unknown     []Unknown
}
