package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// testKeys are the three keys of a 2-of-3 with their origins.
func testKeys(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, k := range newTestGroup(t, ScriptWSH, 2, 3).d.Keys() {
		out = append(out, k.String())
	}
	return out
}

func TestParseDescriptorForms(t *testing.T) {
	k := testKeys(t)
	list := strings.Join(k, "/<0;1>/*,") + "/<0;1>/*"
	for _, form := range []string{"wsh(sortedmulti(2,%s))", "wsh(multi(2,%s))", "sh(wsh(sortedmulti(2,%s)))", "sh(wsh(multi(2,%s)))"} {
		text := fmt.Sprintf(form, list)
		sum, err := descriptorChecksum(text)
		if err != nil {
			t.Fatal(err)
		}
		want := text + "#" + sum
		apostrophes := fmt.Sprintf(form, strings.NewReplacer("48h/1h/0h/2h", "48'/1h/0'/2'").Replace(list))
		for _, given := range []string{text, want, apostrophes} {
			d, err := ParseDescriptor(given, Regtest)
			if err != nil {
				t.Fatal(err)
			}
			if d.String() != want {
				t.Errorf("%s, want %s", d, want)
			}
			if d.Threshold() != 2 || len(d.Keys()) != 3 || d.Network() != Regtest || (d.ScriptType() == ScriptSHWSH) != strings.HasPrefix(text, "sh(") {
				t.Errorf("%s: threshold %d, %d keys", text, d.Threshold(), len(d.Keys()))
			}
		}
	}
}

func TestParseDescriptorErrors(t *testing.T) {
	k := testKeys(t)
	path := "/<0;1>/*"
	two := k[0] + path + "," + k[1] + path
	key2 := len("wsh(sortedmulti(2,") + len(k[0]+path+",")
	origin := strings.Index(k[1], "]") + 1
	var many []string
	for i := range 21 {
		many = append(many, testKey(t, i)+path)
	}
	cases := []struct {
		name, text string
		offset     int
		is         error
		says       string
	}{
		{"empty", "", 0, nil, "want a script expression"},
		{"only a key", k[0], 0, nil, "want a script expression"},
		{"unknown", "foo(" + two + ")", 0, nil, "unknown script expression"},
		{"taproot", "tr(" + k[0] + path + ")", 0, ErrUnsupported, "tr()"},
		{"bare multisig", "sortedmulti(2," + two + ")", 0, ErrUnsupported, "want wsh() or sh(wsh())"},
		{"single key", "wsh(pk(" + k[0] + path + "))", 4, ErrUnsupported, "want sortedmulti() or multi()"},
		{"P2SH only", "sh(sortedmulti(2," + two + "))", 3, ErrUnsupported, "want wsh()"},
		{"nested", "wsh(wsh(sortedmulti(2," + two + ")))", 4, nil, "wsh() cannot stand in wsh()"},
		{"raw", "raw(00)", 0, ErrUnsupported, ""},
		{"not closed", "wsh(sortedmulti(2," + two + ")", 19 + len(two), nil, "ends where ')'"},
		{"text after", "wsh(sortedmulti(2," + two + ")))", 20 + len(two), nil, "text after"},
		{"threshold 0", "wsh(sortedmulti(0," + two + "))", 16, ErrThreshold, "0 of 2"},
		{"threshold 3 of 2", "wsh(sortedmulti(3," + two + "))", 16, ErrThreshold, "3 of 2"},
		{"threshold is no number", "wsh(sortedmulti(k," + two + "))", 16, ErrThreshold, ""},
		{"threshold 300", "wsh(sortedmulti(300," + two + "))", 16, ErrThreshold, ""},
		{"negative threshold", "wsh(sortedmulti(-1," + two + "))", 16, ErrThreshold, ""},
		{"no keys", "wsh(sortedmulti(1))", 17, ErrKeyCount, ""},
		{"21 keys", "wsh(sortedmulti(1," + strings.Join(many, ",") + "))", 18 + len(strings.Join(many[:20], ",")) + 1, ErrKeyCount, "at most 20"},
		{"key twice", "wsh(sortedmulti(2," + two + "," + k[0] + path + "))", 19 + len(two) + origin, ErrDuplicateKey, "byte 41"},
		{"no origin", "wsh(sortedmulti(2," + k[0] + path + "," + k[1][origin:] + path + "))", key2, ErrNoOrigin, ""},
		{"fixed path", "wsh(sortedmulti(2," + k[0] + path + "," + k[1] + "/0/*))", key2 + len(k[1]), ErrUnsupported, "/<0;1>/*"},
		{"no path", "wsh(sortedmulti(2," + k[0] + path + "," + k[1] + "))", key2 + len(k[1]), ErrUnsupported, "/<0;1>/*"},
		{"swapped branches", "wsh(sortedmulti(2," + k[0] + path + "," + k[1] + "/<1;0>/*))", key2 + len(k[1]), ErrUnsupported, "/<0;1>/*"},
		{"three branches", "wsh(sortedmulti(1," + k[0] + "/<0;1;2>/*))", 18 + len(k[0]), ErrUnsupported, "/<0;1>/*"},
		{"hardened wildcard", "wsh(sortedmulti(1," + k[0] + "/<0;1>/*h))", 18 + len(k[0]), ErrUnsupported, "/<0;1>/*"},
		{"private key", "wsh(sortedmulti(1,[4ba43603/48h]" + testTPrv + path + "))", 32, ErrPrivateKey, ""},
		{"mainnet key", "wsh(sortedmulti(1,[4ba43603/48h]" + testXPub + path + "))", 32, ErrWrongNetwork, ""},
		{"damaged key", "wsh(sortedmulti(2," + k[0] + path + "," + k[1][:60] + "1" + k[1][61:] + path + "))", key2 + origin, errExtendedKey, ""},
		{"space", "wsh(sortedmulti(2, " + two + "))", 18, nil, ""},
		{"character", "wsh(sortedmulti(2,\x7f" + two + "))", 18, nil, "invalid character"},
		{"checksum missing", "wsh(sortedmulti(2," + two + "))#", 21 + len(two), ErrChecksum, "0 characters"},
		{"checksum wrong", "wsh(sortedmulti(2," + two + "))#qqqqqqqq", 21 + len(two), ErrChecksum, "does not match"},
		{"too long", strings.Repeat("(", maxDescriptorLen+1), maxDescriptorLen, nil, "too long"},
		{"deep", strings.Repeat("sh(", 100), 3, nil, "cannot stand"},
	}
	for _, c := range cases {
		_, err := ParseDescriptor(c.text, Regtest)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: %v has no position", c.name, err)
			continue
		}
		if syntax.Offset != c.offset || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want byte %d, %v %q", c.name, err, c.offset, c.is, c.says)
		}
	}
	if _, err := ParseDescriptor("", "x"); !errors.Is(err, ErrUnknownNetwork) {
		t.Error(err)
	}
}

// testKey returns one of any number of keys.
func testKey(t *testing.T, i int) string {
	t.Helper()
	a, err := DeriveAccount(make([]byte, 32), Regtest, ScriptWSH, uint32(i))
	if err != nil {
		t.Fatal(err)
	}
	return a.Key().String()
}

func TestNewMultisigErrors(t *testing.T) {
	keys := newTestGroup(t, ScriptWSH, 1, 20).d.Keys()
	cases := []struct {
		name string
		net  Network
		st   ScriptType
		k    int
		keys []Key
		is   error
	}{
		{"unknown network", "x", ScriptWSH, 1, keys[:1], ErrUnknownNetwork},
		{"other network", Mainnet, ScriptWSH, 1, keys[:1], ErrWrongNetwork},
		{"taproot", Regtest, "tr", 1, keys[:1], ErrUnsupported},
		{"no keys", Regtest, ScriptWSH, 1, nil, ErrKeyCount},
		{"21 keys", Regtest, ScriptWSH, 1, append(slices.Clone(keys), keys[0]), ErrKeyCount},
		{"threshold 0", Regtest, ScriptWSH, 0, keys[:2], ErrThreshold},
		{"threshold above", Regtest, ScriptWSH, 3, keys[:2], ErrThreshold},
		{"negative threshold", Regtest, ScriptWSH, -1, keys[:2], ErrThreshold},
		{"key twice", Regtest, ScriptWSH, 1, []Key{keys[0], keys[1], keys[0]}, ErrDuplicateKey},
		{"one key of two origins", Regtest, ScriptWSH, 1, []Key{keys[0], {XPub: keys[0].XPub}}, ErrDuplicateKey},
		{"private key", Regtest, ScriptWSH, 1, []Key{{XPub: testTPrv}}, ErrPrivateKey},
		{"no key", Regtest, ScriptWSH, 1, []Key{{}}, errExtendedKey},
		{"path too long", Regtest, ScriptWSH, 1, []Key{{XPub: keys[0].XPub, Path: make([]uint32, 254)}}, errPathTooLong},
	}
	for _, c := range cases {
		if _, err := NewMultisig(c.net, c.st, c.k, c.keys); !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %v", c.name, err, c.is)
		}
	}
	// The longest paths of all keys still make a descriptor that parses.
	for i := range keys {
		keys[i].Path = make([]uint32, 100)
		for j := range keys[i].Path {
			keys[i].Path[j] = 1<<32 - 1
		}
	}
	d, err := NewMultisig(Regtest, ScriptSHWSH, 20, keys)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseDescriptor(d.String(), Regtest); err != nil || again.String() != d.String() {
		t.Errorf("%d bytes do not parse again: %v", len(d.String()), err)
	}
}

// TestScriptEqualsExpression compares the wallet's derivation with the general
// expansion of the same descriptor, on both branches.
func TestScriptEqualsExpression(t *testing.T) {
	for _, st := range []ScriptType{ScriptWSH, ScriptSHWSH} {
		for _, fn := range []string{"sortedmulti", "multi"} {
			d := newTestGroup(t, st, 2, 5).d
			d, err := ParseDescriptor(strings.Replace(strings.Split(d.String(), "#")[0], "sortedmulti", fn, 1), Regtest)
			if err != nil {
				t.Fatal(err)
			}
			e, _, err := parseExpr(d.String())
			if err != nil {
				t.Fatal(err)
			}
			for _, branch := range []uint32{BranchExternal, BranchChange} {
				for _, index := range []uint32{0, 1, 17, hardened - 1} {
					want, err := e.script(int(branch), index)
					if err != nil {
						t.Fatal(err)
					}
					got, err := d.Script(branch, index)
					if err != nil || !bytes.Equal(got.PkScript, want) {
						t.Fatalf("%s %s %d/%d: %x (%v), want %x", st, fn, branch, index, got.PkScript, err, want)
					}
					checkOrder(t, got, fn == "sortedmulti")
					address, err := d.Address(branch, index)
					if err != nil {
						t.Fatal(err)
					}
					if back, err := ParseAddress(address, Regtest); err != nil || !bytes.Equal(back, want) {
						t.Errorf("address %s pays %x (%v)", address, back, err)
					}
				}
			}
		}
	}
}

// checkOrder checks that Order maps positions in the witness script to keys.
func checkOrder(t *testing.T, s *Script, sorted bool) {
	t.Helper()
	for position, key := range s.Order {
		at := 1 + position*34 + 1
		if !bytes.Equal(s.WitnessScript[at:at+33], s.PubKeys[key]) {
			t.Errorf("position %d does not hold key %d", position, key)
		}
		if position > 0 && sorted && bytes.Compare(s.PubKeys[s.Order[position-1]], s.PubKeys[key]) >= 0 {
			t.Errorf("position %d is out of order", position)
		}
		if !sorted && position != key {
			t.Errorf("multi has key %d at position %d", key, position)
		}
	}
}

func TestScriptErrors(t *testing.T) {
	d := newTestGroup(t, ScriptWSH, 1, 2).d
	for _, at := range [][2]uint32{{2, 0}, {1 << 31, 0}, {0, hardened}, {1, 1<<32 - 1}} {
		if _, err := d.Script(at[0], at[1]); !errors.Is(err, ErrScriptIndex) {
			t.Errorf("%v: %v", at, err)
		}
		if _, err := d.Address(at[0], at[1]); !errors.Is(err, ErrScriptIndex) {
			t.Errorf("%v: %v", at, err)
		}
	}
}

// TestScriptCacheIsBounded and gives callers copies only.
func TestScriptCacheIsBounded(t *testing.T) {
	d := newTestGroup(t, ScriptWSH, 1, 2).d
	d.cache.max = 3
	first, err := d.Script(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	first.PkScript[0], first.PubKeys[0][0], first.Order[0], first.WitnessScript[0] = 9, 9, 9, 9
	for i := range uint32(10) {
		a, err := d.Script(0, i%5)
		if err != nil {
			t.Fatal(err)
		}
		if a.PkScript[0] == 9 || a.PubKeys[0][0] == 9 || a.Order[0] == 9 || a.WitnessScript[0] == 9 {
			t.Fatal("a caller changed the cache")
		}
		if len(d.cache.scripts) > 3 || len(d.cache.ring) > 3 {
			t.Fatalf("%d scripts cached", len(d.cache.scripts))
		}
	}
	if d.cache.get(scriptPosition{0, 4}) == nil || d.cache.get(scriptPosition{0, 1}) != nil {
		t.Error("not the last ones are kept")
	}
}

func TestInputWeight(t *testing.T) {
	for _, c := range []struct {
		st      ScriptType
		k, n    int
		want    int
		comment string
	}{
		{ScriptWSH, 2, 3, 418, "164 + 1+1+2*73+1+105"},
		{ScriptSHWSH, 2, 3, 558, "35 more bytes of scriptSig"},
		{ScriptWSH, 1, 1, 277, "164 + 1+1+73+1+37"},
		{ScriptWSH, 20, 20, 164 + 2 + 20*73 + 3 + 685, "numbers of two bytes, length of three"},
	} {
		if got := newTestGroup(t, c.st, c.k, c.n).d.InputWeight(); got != c.want {
			t.Errorf("%s %d of %d: %d, want %d (%s)", c.st, c.k, c.n, got, c.want, c.comment)
		}
	}
}

func TestNetworks(t *testing.T) {
	for name, coin := range map[string]uint32{"mainnet": 0, "testnet4": 1, "signet": 1, "regtest": 1} {
		n, err := ParseNetwork(name)
		if err != nil || n.Params() == nil || n.CoinType() != coin || n.Params().HDCoinType != coin {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "testnet", "Mainnet", "testnet3"} {
		if _, err := ParseNetwork(name); !errors.Is(err, ErrUnknownNetwork) {
			t.Errorf("%q: %v", name, err)
		}
		if Network(name).Params() != nil {
			t.Errorf("%q has parameters", name)
		}
	}
}

// FuzzParseDescriptor: every error has a position within the text, and what
// parses prints a form that parses to itself.
func FuzzParseDescriptor(f *testing.F) {
	k := testKeys(f)
	f.Add(fmt.Sprintf("wsh(sortedmulti(2,%s/<0;1>/*,%s/<0;1>/*))", k[0], k[1]))
	f.Add(fmt.Sprintf("sh(wsh(multi(1,%s/<0;1>/*)))#12345678", k[0]))
	f.Add("sh(multi(1," + testHex + "," + testXPub + "/<1;2h;3>/4'/*h))")
	f.Add("wsh(pkh([deadbeef/1h]L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1))")
	f.Add("raw(deadbeef)#89f8spxm")
	f.Fuzz(func(t *testing.T, s string) {
		checkSyntax := func(err error) {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(s) {
				t.Fatalf("no position in %v", err)
			}
		}
		if d, err := ParseDescriptor(s, Regtest); err != nil {
			checkSyntax(err)
		} else if again, err := ParseDescriptor(d.String(), Regtest); err != nil || again.String() != d.String() {
			t.Fatalf("%s parses as %s (%v)", d, again, err)
		}
		e, _, err := parseExpr(s)
		if err != nil {
			checkSyntax(err)
			return
		}
		again, _, err := parseExpr(e.String())
		if err != nil || again.String() != e.String() {
			t.Fatalf("%s parses as %s (%v)", e, again, err)
		}
		for path := range e.multipath() {
			a, errA := e.script(path, 1)
			b, errB := e.on(path).script(0, 1)
			if (errA == nil) != (errB == nil) || !bytes.Equal(a, b) {
				t.Fatalf("path %d of %s: %x (%v), %x (%v)", path, e, a, errA, b, errB)
			}
		}
	})
}
