package formats

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/wallet"
)

// testWallet is a wallet of n made-up keys.
func testWallet(t testing.TB, net wallet.Network, st wallet.ScriptType, k, n int) Wallet {
	t.Helper()
	w := Wallet{Name: "treasury", Born: 1_700_000_000}
	var keys []wallet.Key
	for i := range n {
		seed := sha256.Sum256(binary.BigEndian.AppendUint32([]byte("format test"), uint32(i)))
		a, err := wallet.DeriveAccount(seed[:], net, st, uint32(i))
		if err != nil {
			t.Fatal(err)
		}
		keys, w.KeyNames = append(keys, a.Key()), append(w.KeyNames, fmt.Sprintf("cosigner %d", i+1))
	}
	d, err := wallet.NewMultisig(net, st, k, keys)
	if err != nil {
		t.Fatal(err)
	}
	w.Descriptor = d
	return w
}

// unsorted is the same wallet with multi.
func unsorted(t testing.TB, w Wallet) Wallet {
	t.Helper()
	body, _, _ := strings.Cut(w.Descriptor.String(), "#")
	d, err := wallet.ParseDescriptor(strings.Replace(body, "sortedmulti(", "multi(", 1), w.Descriptor.Network())
	if err != nil {
		t.Fatal(err)
	}
	w.Descriptor = d
	return w
}

// What is written is read as the same wallet, and recognised.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(r, "n")
		k := rapid.IntRange(1, n).Draw(r, "k")
		net := rapid.SampledFrom([]wallet.Network{wallet.Mainnet, wallet.Testnet4, wallet.Signet, wallet.Regtest}).Draw(r, "net")
		st := rapid.SampledFrom([]wallet.ScriptType{wallet.ScriptWSH, wallet.ScriptSHWSH}).Draw(r, "script")
		w := testWallet(t, net, st, k, n)
		w.Name = rapid.String().Draw(r, "name")
		w.KeyNames = rapid.SliceOfN(rapid.String(), 0, n).Draw(r, "names")
		fixed := rapid.Bool().Draw(r, "multi")
		if fixed {
			w = unsorted(t, w)
		}
		for _, f := range All() {
			raw, err := Write(w, f)
			if fixed && (f == Coldcard || f == Caravan || f == Electrum) {
				if !errors.Is(err, ErrUnsorted) {
					r.Fatalf("%s of multi: %v", f, err)
				}
				continue
			}
			if err != nil {
				r.Fatal(err)
			}
			got, as, err := Parse(raw, net)
			if err != nil {
				r.Fatalf("%v\n%s", err, raw)
			}
			if as != f || got.Descriptor.String() != w.Descriptor.String() {
				r.Fatalf("%s: read as %s of %s", raw, as, got.Descriptor)
			}
			windows, _, err := Parse([]byte("\xef\xbb\xbf"+strings.ReplaceAll(string(raw), "\n", "\r\n")), net)
			if err != nil || windows.Descriptor.String() != w.Descriptor.String() {
				r.Fatalf("%s with other line ends: %v", f, err)
			}
			other := wallet.Mainnet
			if net == wallet.Mainnet {
				other = wallet.Signet
			}
			if _, _, err := Parse(raw, other); !errors.Is(err, wallet.ErrWrongNetwork) {
				r.Fatalf("%s on another network: %v", f, err)
			}
		}
	})
}

// The names and the age of a wallet are kept where a format has a place for them.
func TestNamesAreKept(t *testing.T) {
	w := testWallet(t, wallet.Regtest, wallet.ScriptWSH, 2, 3)
	for _, c := range []struct {
		f          Format
		name, keys bool
		born       bool
	}{
		{Core, false, false, true}, {Coldcard, true, false, false}, {Caravan, true, true, false},
		{Electrum, false, true, false}, {Specter, true, false, false},
	} {
		raw, err := Write(w, c.f)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Parse(raw, wallet.Regtest)
		if err != nil {
			t.Fatal(err)
		}
		if (got.Name == w.Name) != c.name || (len(got.KeyNames) == 3 && got.KeyNames[1] == "cosigner 2") != c.keys || (got.Born == w.Born) != c.born {
			t.Errorf("%s: %q %q %d", c.f, got.Name, got.KeyNames, got.Born)
		}
	}
}

// Names come from other members: none of them may write a line of its own.
func TestHostileNames(t *testing.T) {
	w := testWallet(t, wallet.Regtest, wallet.ScriptWSH, 2, 2)
	k := w.Descriptor.Keys()[0]
	w.Name = "x\nPolicy: 1 of 2\n" + strings.Repeat("y", 500)
	w.KeyNames = []string{"a\r\n" + "00000000: " + k.XPub, "\u2028b\x1b[2J"}
	for _, f := range All() {
		raw, err := Write(w, f)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Parse(raw, wallet.Regtest)
		if err != nil || got.Descriptor.String() != w.Descriptor.String() {
			t.Errorf("%s: %v\n%s", f, err, raw)
		}
		if strings.ContainsAny(string(raw), "\x1b\r\u2028") {
			t.Errorf("%s holds control characters: %q", f, raw)
		}
	}
}

// FuzzParse holds every parser to no panic, and what it takes to be written
// and read again as the same wallet.
func FuzzParse(f *testing.F) {
	w := testWallet(f, wallet.Regtest, wallet.ScriptSHWSH, 2, 2)
	for _, format := range All() {
		raw, err := Write(w, format)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("Name: x\nPolicy: 1 of 1\nFormat: P2WSH\nSorted: False\n# derivation: m/48'/1'/0'/2'\n00000000: x"))
	f.Add([]byte("addwallet x&wsh(multi(1,\n# one\n[00000000]x\n))\n#aa\naaaaaa"))
	f.Add([]byte("importdescriptors '[{\"desc\":\"wsh()\"}]'"))
	f.Add([]byte(`{"recv_descriptor":"wsh(","a":["sh("]}`))
	f.Add([]byte("BSMS 1.0\n00\n[00000000/48']02\nx\ny"))
	f.Add([]byte(`[{"desc":"wsh("}]`))
	f.Add([]byte(`{"wallet_type":"2of2"},{"path":"/a"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, format, err := Parse(raw, wallet.Regtest)
		if err != nil {
			return
		}
		again, err := Write(got, format)
		if errors.Is(err, ErrUnsorted) {
			again, err = Write(got, Descriptor) // Jade has the text with Sorted: False
		}
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := Parse(again, wallet.Regtest)
		if err != nil || back.Descriptor.String() != got.Descriptor.String() {
			t.Fatalf("%q is %s, and that is read as %v (%v)", raw, got.Descriptor, back.Descriptor, err)
		}
	})
}

// FuzzRecords holds the parsers of BSMS's own records, and of what is encrypted
// of it, to no panic.
func FuzzRecords(f *testing.F) {
	f.Add("BSMS 1.0\n00\n[59865f44/48'/0'/0'/2']026d15412460ba0d881c21837bb999233896085a9ed4e5445bd637c10e579768ba\nSigner 1 key\nH6DXgqkCb353BDPkzppMFpOcdJZlpur0WRetQhIBqSn6DFzoQWBtm+ibP5wERDRNi0bxxev9B+FIvyQWq0s6im4=", "00")
	f.Add("fbdbdb64e6a8231c342131d9f13dcd5a954b4c5021658fa5afcb3fc74dc8270653f4", "a54044308ceac9b7")
	f.Add("BSMS 1.0\nwsh(multi(1,[00000000]x/**))\n/0/*,/1/*\nbc1", "legal winner thank year wave sausage")
	f.Fuzz(func(t *testing.T, text, token string) {
		_, _ = ParseKeyRecord(text)
		_, _ = ParseDescriptorRecord(text)
		_, _ = Decrypt([]byte(text), token)
	})
}
