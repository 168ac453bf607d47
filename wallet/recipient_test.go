package wallet

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
)

var (
	wifKey  = regexp.MustCompile(`\b[5KL][1-9A-HJ-NP-Za-km-z]{50,51}\b`)
	xprvKey = regexp.MustCompile(`xprv[1-9A-HJ-NP-Za-km-z]+`)
)

// published is a descriptor of the vectors with its private keys' public ones, and a checksum.
func published(t *testing.T, s string) string {
	t.Helper()
	body, _, _ := strings.Cut(s, "#")
	body = wifKey.ReplaceAllStringFunc(body, func(s string) string {
		w, err := btcutil.DecodeWIF(s)
		if err != nil {
			return s
		}
		return hex.EncodeToString(w.SerializePubKey())
	})
	body = xprvKey.ReplaceAllStringFunc(body, func(s string) string {
		k, err := hdkeychain.NewKeyFromString(s)
		if err != nil {
			return s
		}
		if k, err = k.Neuter(); err != nil {
			return s
		}
		return k.String()
	})
	return withSum(t, body)
}

func withSum(t *testing.T, body string) string {
	t.Helper()
	sum, err := DescriptorChecksum(body)
	if err != nil {
		return body
	}
	return body + "#" + sum
}

// Every vector of what a recipient may have gives its scripts; every other is refused.
func TestRecipientsOfTheVectors(t *testing.T) {
	taken := map[string]int{}
	for bip, n := range map[string]int{"bip-0381": 21, "bip-0382": 23, "bip-0383": 13, "bip-0386": 0, "bip-0387": 0} {
		var file struct{ Vectors []descriptorVector }
		if n > 0 {
			file.Vectors = readDescriptorVectors(t, bip, n)
		} else {
			readShared(t, &file, "vectors", bip+".json")
		}
		for i, v := range file.Vectors {
			r, err := ParseRecipient(published(t, v.Descriptor), Mainnet)
			switch {
			case err == nil && !v.Valid:
				t.Errorf("%s %d (%s): taken", bip, i, v.Comment)
			case err != nil && v.Valid && !errors.Is(err, ErrUnsupported) && !errors.Is(err, errDerive):
				t.Errorf("%s %d: %v", bip, i, err)
			}
			if err != nil {
				continue
			}
			taken[bip]++
			for index, want := range v.Expands {
				got, err := r.PkScript(uint32(index))
				if err != nil || hex.EncodeToString(got) != want {
					t.Errorf("%s %d: script %d is %x (%v), want %s", bip, i, index, got, err, want)
				}
			}
		}
	}
	for _, bip := range []string{"bip-0381", "bip-0382", "bip-0383", "bip-0386", "bip-0387"} {
		if taken[bip] == 0 {
			t.Errorf("no vector of %s is taken", bip)
		}
	}
	t.Log(taken)
}

func TestRecipientsThatAreRefused(t *testing.T) {
	const (
		xpub = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
		xprv = "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U"
	)
	for _, c := range []struct {
		text string
		want error
	}{
		{"pk(" + xpub + "/0/*)", ErrUnsupported},
		{"sh(pkh(" + xpub + "/0/*))", ErrUnsupported},
		{"wsh(pkh(" + xpub + "/0/*))", ErrUnsupported},
		{"multi(1," + xpub + "/0/*)", ErrUnsupported},
		{"sh(multi(1," + xpub + "/0/*))", ErrUnsupported},
		{"raw(00)", ErrUnsupported},
		{"wpkh(" + xprv + "/0/*)", ErrPrivateKey},
		{"wpkh(" + xpub + "/0h/*)", errDerive},
		{"wpkh(" + xpub + "/0/*h)", errDerive},
		{"tr(" + xpub + "/0/*,pk(" + xpub + "/1/*))", ErrUnsupported},
		{"tr(" + xpub + "/0/*,{pk(" + xpub + "/1/*),pk(" + xpub + "/2/*)})", ErrUnsupported},
		{"tr(" + xpub + "/0/*,multi_a(2," + xpub + "/1/*))", ErrThreshold},
		{"tr(" + xpub + "/0/*,multi_a(1))", ErrKeyCount},
	} {
		if _, err := ParseRecipient(withSum(t, c.text), Mainnet); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.text, err, c.want)
		}
	}
	good := "wpkh([00000000/84'/0'/0']" + xpub + "/<0;1>/*)"
	if _, err := ParseRecipient(good, Mainnet); !errors.Is(err, ErrChecksum) {
		t.Errorf("without a checksum: %v", err)
	}
	if _, err := ParseRecipient(withSum(t, good), Regtest); !errors.Is(err, ErrWrongNetwork) {
		t.Errorf("of another network: %v", err)
	}
	r, err := ParseRecipient(withSum(t, good), Mainnet)
	if err != nil || !r.Ranged() || r.String() != withSum(t, strings.ReplaceAll(good, "'", "h")) {
		t.Fatalf("%v: %v", r, err)
	}
	received, err := ParseRecipient(withSum(t, "wpkh("+xpub+"/0/*)"), Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.PkScript(7)
	b, _ := received.PkScript(7)
	if string(a) != string(b) {
		t.Error("of the paths of a multipath the first is not what is received")
	}
	if _, err := r.PkScript(hardened); !errors.Is(err, ErrScriptIndex) {
		t.Errorf("beyond the last index: %v", err)
	}
}

func FuzzParseRecipient(f *testing.F) {
	f.Add("wpkh(xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/0/*)")
	f.Add("tr(50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0,multi_a(1,669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0))")
	f.Add("tr(50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0,multi_a") // it ends there
	f.Fuzz(func(t *testing.T, s string) {
		for _, net := range []Network{Mainnet, Regtest} {
			r, err := ParseRecipient(withSum(t, s), net)
			if err != nil {
				continue
			}
			again, err := ParseRecipient(r.String(), net)
			if err != nil || again.String() != r.String() {
				t.Fatalf("%q is %q, which reads as %v: %v", s, r, again, err)
			}
			if script, err := r.PkScript(0); err != nil {
				t.Fatal(err)
			} else if _, err := AddressOf(script, net); err != nil {
				t.Fatalf("%x: %v", script, err)
			}
		}
	})
}
