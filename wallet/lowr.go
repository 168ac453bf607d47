package wallet

import (
	"encoding/binary"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

// signLowR signs as Bitcoin Core's CKey::Sign does: the RFC6979 nonce, and
// where R has its top bit set, again with a counter as the nonce's extra
// entropy until it has not, which saves a byte.
func signLowR(priv *btcec.ModNScalar, hash [32]byte) *ecdsa.Signature {
	key := priv.Bytes()
	defer func() { key = [32]byte{} }()
	var e btcec.ModNScalar
	e.SetBytes(&hash) // reduced modulo the order, as ECDSA says

	var extra [32]byte
	extraEntropy := []byte(nil) // none on the first try, not zeros
	for counter := uint32(1); ; counter++ {
		for iteration := uint32(0); ; iteration++ {
			r, s, ok := signOnce(priv, &e, btcec.NonceRFC6979(key[:], hash[:], extraEntropy, nil, iteration))
			if !ok {
				continue // never seen: r or s is 0
			}
			if rBytes := r.Bytes(); rBytes[0] >= 0x80 {
				break
			}
			return ecdsa.NewSignature(&r, &s)
		}
		binary.LittleEndian.PutUint32(extra[:], counter)
		extraEntropy = extra[:]
	}
}

// signOnce makes the signature of one nonce, with low S. It stops early, with
// s left 0, where R is high and the signature will not be used.
func signOnce(priv, e, nonce *btcec.ModNScalar) (r, s btcec.ModNScalar, ok bool) {
	defer nonce.Zero()
	var point btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(nonce, &point)
	point.ToAffine()
	x := point.X.Bytes()
	r.SetBytes(x)
	if r.IsZero() {
		return r, s, false
	}
	if rBytes := r.Bytes(); rBytes[0] >= 0x80 {
		return r, s, true
	}
	// s = (e + r*priv) / nonce
	var inverse btcec.ModNScalar
	inverse.InverseValNonConst(nonce)
	s.Mul2(&r, priv).Add(e).Mul(&inverse)
	inverse.Zero()
	if s.IsZero() {
		return r, s, false
	}
	if s.IsOverHalfOrder() {
		s.Negate()
	}
	return r, s, true
}
