package wallet

import (
	"fmt"
	"testing"
)

// TestSharesScripts: a wallet is the same in any order of its keys and with other
// origins, and another with another threshold, kind or key.
func TestSharesScripts(t *testing.T) {
	var keys [4]string
	for i := range keys {
		keys[i] = testKey(t, i) + "/<0;1>/*"
	}
	parse := func(format string, args ...any) *Descriptor {
		t.Helper()
		d, err := ParseDescriptor(fmt.Sprintf(format, args...), Regtest)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := parse("wsh(sortedmulti(2,%s,%s,%s))", keys[0], keys[1], keys[2])
	elsewhere := "[01020304" + keys[0][len("[01020304"):] // as a file that does not know its fingerprint has it
	for _, same := range []*Descriptor{
		d,
		parse("wsh(sortedmulti(2,%s,%s,%s))", keys[2], keys[0], keys[1]),
		parse("wsh(multi(2,%s,%s,%s))", keys[2], keys[0], keys[1]),
		parse("wsh(sortedmulti(2,%s,%s,%s))", elsewhere, keys[1], keys[2]),
	} {
		if !d.SharesScripts(same) || !same.SharesScripts(d) {
			t.Errorf("%s is not taken for the same", same)
		}
	}
	for _, other := range []*Descriptor{
		parse("wsh(sortedmulti(3,%s,%s,%s))", keys[0], keys[1], keys[2]),
		parse("wsh(sortedmulti(2,%s,%s,%s))", keys[0], keys[1], keys[3]),
		parse("wsh(sortedmulti(2,%s,%s))", keys[0], keys[1]),
		parse("sh(wsh(sortedmulti(2,%s,%s,%s)))", keys[0], keys[1], keys[2]),
	} {
		if d.SharesScripts(other) || other.SharesScripts(d) {
			t.Errorf("%s is taken for the same", other)
		}
	}
}
