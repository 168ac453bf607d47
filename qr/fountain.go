package qr

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// xoshiro is xoshiro256**, by which encoder and decoder agree on what is mixed
// into a part (BCR-2024-001, as the reference implementation has it).
type xoshiro [4]uint64

// newXoshiro seeds from bytes.
func newXoshiro(seed []byte) *xoshiro {
	sum := sha256.Sum256(seed)
	var x xoshiro
	for i := range x {
		x[i] = binary.BigEndian.Uint64(sum[8*i:])
	}
	return &x
}

func (x *xoshiro) next() uint64 {
	out := bits.RotateLeft64(x[1]*5, 7) * 9
	t := x[1] << 17
	x[2] ^= x[0]
	x[3] ^= x[1]
	x[1] ^= x[2]
	x[0] ^= x[3]
	x[2] ^= t
	x[3] = bits.RotateLeft64(x[3], 45)
	return out
}

// float returns a number from 0 to below 1 (or 1, by rounding).
func (x *xoshiro) float() float64 { return float64(x.next()) / (1 << 64) }

// below returns a number from 0 to n-1.
func (x *xoshiro) below(n int) int { return min(int(x.float()*float64(n)), n-1) }

// chooseFragments returns which fragments are mixed into a part: the first
// parts are one fragment each, later ones a set that their number decides.
func chooseFragments(seqNum uint32, seqLen int, checksum uint32) []int {
	if seqNum <= uint32(seqLen) {
		return []int{int(seqNum) - 1}
	}
	x := newXoshiro(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, seqNum), checksum))
	degree := chooseDegree(seqLen, x)
	left := make([]int, seqLen)
	for i := range left {
		left[i] = i
	}
	out := make([]int, degree)
	for i := range out {
		at := x.below(len(left))
		out[i] = left[at]
		left = append(left[:at], left[at+1:]...)
	}
	return out
}

// chooseDegree draws how many fragments are mixed: i with a weight of 1/i, by
// the alias method of Walker and Vose, in the order of the reference.
func chooseDegree(seqLen int, x *xoshiro) int {
	weights, aliases := make([]float64, seqLen), make([]int, seqLen)
	sum := 0.0
	for i := range weights {
		weights[i] = 1 / float64(i+1)
		sum += weights[i]
	}
	var small, large []int
	for i := seqLen - 1; i >= 0; i-- {
		weights[i] *= float64(seqLen) / sum
		if weights[i] < 1 {
			small = append(small, i)
		} else {
			large = append(large, i)
		}
	}
	chance := make([]float64, seqLen)
	for len(small) > 0 && len(large) > 0 {
		a, g := small[len(small)-1], large[len(large)-1]
		small, large = small[:len(small)-1], large[:len(large)-1]
		chance[a], aliases[a] = weights[a], g
		weights[g] += weights[a] - 1
		if weights[g] < 1 {
			small = append(small, g)
		} else {
			large = append(large, g)
		}
	}
	for _, i := range append(small, large...) {
		chance[i] = 1
	}
	r1, r2 := x.float(), x.float()
	i := min(int(float64(seqLen)*r1), seqLen-1)
	if r2 < chance[i] {
		return i + 1
	}
	return aliases[i] + 1
}
