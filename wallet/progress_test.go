package wallet

import (
	"bytes"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// Progress counts what was verified, and says final exactly where the keys that
// are complete make a transaction.
func TestProgress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		k := rapid.IntRange(1, n).Draw(t, "k")
		inputs := rapid.IntRange(1, 3).Draw(t, "inputs")
		f := rapid.SampledFrom(Forms()).Draw(t, "form")
		g, s := progressGroup(f.Kind(), k, n, inputs)
		var sigs, whole []Signature
		complete := uint64(0)
		for who := range n {
			all, err := s.Sign(g.accounts[who])
			if err != nil {
				t.Fatal(err)
			}
			held := 0
			for _, sig := range all {
				if rapid.IntRange(0, 4).Draw(t, "held") > 0 {
					sigs = append(sigs, sig)
					held++
				}
			}
			if rapid.Bool().Draw(t, "twice") && held > 0 {
				sigs = append(sigs, sigs[len(sigs)-1])
			}
			if held == inputs {
				complete |= 1 << who
				whole = append(whole, all...)
			}
		}
		p := s.Progress(rapid.Permutation(sigs).Draw(t, "order"))
		have := bits.OnesCount64(complete)
		if p.Completed() != have || p.Final() != (have >= k) || p.Missing() != max(0, k-have) {
			t.Fatalf("%d of %d complete: %d, final %t, missing %d", have, k, p.Completed(), p.Final(), p.Missing())
		}
		if _, err := s.Finalize(whole, nil); p.Final() != (err == nil) {
			t.Fatalf("final %t, finalized: %v", p.Final(), err)
		}
		out := rapid.Uint64().Draw(t, "out")
		left := 0
		for who := range n {
			if p.Complete(who) != (complete>>who&1 == 1) {
				t.Fatalf("key %d complete: %t", who, p.Complete(who))
			}
			distinct := map[uint32]bool{}
			for _, sig := range sigs {
				if int(sig.Key) == who {
					distinct[sig.Input] = true
				}
			}
			if p.Signed(who) != len(distinct) {
				t.Fatalf("key %d signed %d inputs, not %d", who, len(distinct), p.Signed(who))
			}
			if out>>who&1 == 0 || p.Complete(who) {
				left++
			}
		}
		if got := p.Possible(func(key int) bool { return out>>key&1 == 1 }); got != (left >= k) {
			t.Fatalf("possible with %d left of %d: %t", left, k, got)
		}
		if p.Complete(-1) || p.Complete(n) || p.Complete(64) || p.Signed(n) != 0 {
			t.Fatal("a key that is none has signed")
		}
	})
}

// progressGroup is newTestGroup and spend for a property.
func progressGroup(st ScriptType, k, n, inputs int) (testGroup, *Spend) {
	var g testGroup
	var keys []Key
	for i := range n {
		a, err := DeriveAccount(bytes.Repeat([]byte{byte(i + 1)}, 32), Regtest, st, 0)
		if err != nil {
			panic(err)
		}
		g.accounts, keys = append(g.accounts, a), append(keys, a.Key())
	}
	var in []Input
	for i := range inputs {
		in = append(in, Input{OutPoint: testOutPoint(i), Amount: 100_000, Index: uint32(i)})
	}
	var err error
	if g.d, err = NewMultisig(Regtest, st, k, keys); err != nil {
		panic(err)
	}
	s, err := NewSpend(g.d, in, []Output{{PkScript: append([]byte{0, 20}, make([]byte, 20)...), Amount: 50_000}}, 0)
	if err != nil {
		panic(err)
	}
	return g, s
}
