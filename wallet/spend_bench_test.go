//go:build unix

package wallet

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

// reportCPU adds the processor time of all cores to a benchmark, which other
// work on the machine disturbs less than the time that passes.
func reportCPU(b *testing.B) func() {
	b.Helper()
	used := func() int64 {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return usage.Utime.Nano() + usage.Stime.Nano()
	}
	start := used()
	return func() { b.ReportMetric(float64(used()-start)/float64(b.N), "cpu-ns/op") }
}

// benchSizes are the numbers of 2-of-3 inputs measured.
func benchSizes() []int { return []int{1, 100} }

// BenchmarkSpend is the life of one spend: two cosigners sign every input, the
// signatures are verified, and the transaction is finalized, the script engine
// included. The scripts were derived before, as a wallet that watches its
// addresses has them.
func BenchmarkSpend(b *testing.B) {
	for _, inputs := range benchSizes() {
		b.Run(fmt.Sprint(inputs), func(b *testing.B) {
			g := newTestGroup(b, ScriptWSH, 2, 3)
			in, out := g.testParts(b, inputs)
			g.spend(b, inputs)
			b.ReportAllocs()
			defer reportCPU(b)()
			for b.Loop() {
				s, err := NewSpend(g.d, in, out, 0)
				if err != nil {
					b.Fatal(err)
				}
				sigs := g.sign(b, s, 0, 1)
				cache := NewSigCache(2 * inputs)
				for _, err := range s.VerifyAll(sigs, cache) {
					if err != nil {
						b.Fatal(err)
					}
				}
				if _, err := s.Finalize(sigs, cache); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSpendFloor is the curve operations of BenchmarkSpend alone, on all
// cores: each signature made once (low R, as Core makes them) and verified once.
// With "tried", also those that fail: OP_CHECKMULTISIG goes through the keys from
// the last, and tries each signature against those that did not sign, on
// average 2 of 3 times a 2-of-3 input.
func BenchmarkSpendFloor(b *testing.B) {
	for _, inputs := range benchSizes() {
		b.Run(fmt.Sprint(inputs), func(b *testing.B) { benchFloor(b, inputs, false) })
		b.Run(fmt.Sprintf("%d-tried", inputs), func(b *testing.B) { benchFloor(b, inputs, true) })
	}
}

// benchPair is a signature to be tried against a key.
type benchPair struct{ input, sig, key int }

func benchFloor(b *testing.B, inputs int, tried bool) {
	g := newTestGroup(b, ScriptWSH, 2, 3)
	s := g.spend(b, inputs)
	privs := make([]btcec.ModNScalar, 2*inputs)
	var pairs []benchPair
	for i := range privs {
		who, input := i/inputs, i%inputs
		branches, err := g.accounts[who].branchKeys(g.d.branches[who])
		if err != nil {
			b.Fatal(err)
		}
		if privs[i], err = branches[s.in[input].Branch].child(s.in[input].Index); err != nil {
			b.Fatal(err)
		}
		pairs = append(pairs, benchPair{input, i, who})
	}
	for input, script := range s.scripts {
		// Key 2 does not sign; the signature of the key before it is tried against it.
		if at := slices.Index(script.Order, 2); tried && at > 0 {
			pairs = append(pairs, benchPair{input, script.Order[at-1]*inputs + input, 2})
		}
	}
	sigs := make([]*ecdsa.Signature, len(privs))
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		parallel(len(privs), func(i int) { sigs[i] = signLowR(&privs[i], s.hashes[i%inputs]) })
		parallel(len(pairs), func(i int) {
			p := pairs[i]
			if sigs[p.sig].Verify(s.hashes[p.input][:], s.scripts[p.input].parsed[p.key]) != (p.key < 2) {
				panic("signature verifies by another key than its own")
			}
		})
	}
}

// BenchmarkCurve is the price of one operation of each kind.
func BenchmarkCurve(b *testing.B) {
	g := newTestGroup(b, ScriptWSH, 2, 3)
	s := g.spend(b, 1)
	sig, err := s.Sign(g.accounts[0])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sign", func(b *testing.B) {
		priv, _ := g.accounts[0].scalar()
		var hash [32]byte
		for i := 0; b.Loop(); i++ {
			hash[i%32]++ // low R takes two tries on average: not the same hash each time
			signLowR(&priv, hash)
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if err := s.Verify(sig[0], nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("derive", func(b *testing.B) {
		for i := uint32(0); b.Loop(); i++ {
			if _, _, err := g.d.branches[0][0].child(i); err != nil {
				b.Fatal(err)
			}
		}
	})
}
