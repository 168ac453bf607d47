package psbt

// Origin says where a key came from: the fingerprint of the master key and the
// path from it, hardened steps with the top bit set (BIP32).
type Origin struct {
	Fingerprint [4]byte
	Path        []uint32
}

// XPub is a global extended public key with its origin: the 78 bytes of BIP32
// without checksum. The path must be as long as the depth in the key (BIP174).
type XPub struct {
	Key    [78]byte
	Origin Origin
}

// Derivation is a public key (33 or 65 bytes) and its origin (BIP174).
type Derivation struct {
	PubKey []byte
	Origin Origin
}

// PartialSig is an ECDSA signature in DER with its sighash byte, by the public
// key (33 or 65 bytes) (BIP174).
type PartialSig struct {
	PubKey    []byte
	Signature []byte
}

// Preimage is a preimage and the hash it gives: 20 bytes for RIPEMD160 and
// HASH160, 32 for SHA256 and HASH256 (BIP174).
type Preimage struct {
	Hash     []byte
	Preimage []byte
}

// TapScriptSig is a Schnorr signature (64 bytes, or 65 with a sighash byte) by
// an x-only key for one leaf (BIP371).
type TapScriptSig struct {
	PubKey    [32]byte
	LeafHash  [32]byte
	Signature []byte
}

// TapLeafScript is a leaf with the control block that proves it (BIP371).
type TapLeafScript struct {
	ControlBlock []byte
	Script       []byte
	LeafVersion  byte
}

// TapDerivation is an x-only key, the leaves it is in, in ascending order and
// each once, and its origin (BIP371). No leaf means the internal key.
type TapDerivation struct {
	PubKey     [32]byte
	LeafHashes [][32]byte
	Origin     Origin
}

// TapLeaf is one leaf of an output's taproot tree, in depth-first order
// (BIP371).
type TapLeaf struct {
	Depth       byte
	LeafVersion byte
	Script      []byte
}

// MuSig2Participants is an aggregate key and its participants in the order of
// aggregation, all compressed (BIP373).
type MuSig2Participants struct {
	Aggregate    [33]byte
	Participants [][33]byte
}

// MuSig2PubNonce is one participant's public nonce. LeafHash is nil on the key
// path (BIP373).
type MuSig2PubNonce struct {
	Participant [33]byte
	Aggregate   [33]byte
	LeafHash    *[32]byte
	Nonce       [66]byte
}

// MuSig2PartialSig is one participant's partial signature. LeafHash is nil on
// the key path (BIP373).
type MuSig2PartialSig struct {
	Participant [33]byte
	Aggregate   [33]byte
	LeafHash    *[32]byte
	Signature   [32]byte
}

// Proprietary is a field in a vendor's own space (BIP174, type 0xfc).
type Proprietary struct {
	Identifier []byte
	Subtype    uint64
	Key        []byte
	Value      []byte
}

// Unknown is a field of a type this package does not know. Key holds the type
// too.
type Unknown struct {
	Key   []byte
	Value []byte
}
