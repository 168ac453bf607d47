package leak_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet"
)

// secret is something that nobody outside the group may read, in all the forms
// in which it could be carried.
type secret struct {
	name  string
	forms [][]byte
}

// found returns the names of the secrets that are in any of the texts. It is
// the one search of this package.
func found(texts [][]byte, secrets []secret) []string {
	var out []string
	for _, s := range secrets {
		if slices.ContainsFunc(s.forms, func(f []byte) bool {
			return slices.ContainsFunc(texts, func(t []byte) bool { return bytes.Contains(t, f) })
		}) {
			out = append(out, s.name)
		}
	}
	return out
}

// theNames are those of the secrets that every search looks for.
var theNames = []string{"address", "amount", "descriptor", "note"}

func secretsOf(t testing.TB, descriptor, address string, sat int64, note string) []secret {
	t.Helper()
	d, err := wallet.ParseDescriptor(descriptor, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	keys := secret{name: "descriptor", forms: [][]byte{[]byte(descriptor)}}
	for _, k := range d.Keys() {
		keys.forms = append(keys.forms, []byte(k.XPub), []byte(k.String()))
	}
	script, err := wallet.ParseAddress(address, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	// The script is a version, a length and the program; the address text is
	// its prefix and the program in 5-bit characters.
	where := secret{name: "address", forms: [][]byte{[]byte(address), []byte(strings.ToUpper(address)), script, script[2:], []byte(hex.EncodeToString(script[2:]))}}
	return []secret{keys, where, amountOf(sat), {name: "note", forms: [][]byte{[]byte(note)}}}
}

// amountOf gives the forms of an amount: CBOR, as in a transaction, and text.
func amountOf(sat int64) secret {
	return secret{name: "amount", forms: [][]byte{
		binary.BigEndian.AppendUint64([]byte{0x1b}, uint64(sat)),
		binary.LittleEndian.AppendUint64(nil, uint64(sat)),
		[]byte(strconv.FormatInt(sat, 10)),
		[]byte(display.Group(uint64(sat))),
		[]byte(strconv.FormatFloat(float64(sat)/1e8, 'f', 8, 64)),
	}}
}

// The search finds each form of each secret wherever it is.
func TestSearch(t *testing.T) {
	const descriptor = "wsh(sortedmulti(1,[37ae340f/48h/1h/0h/2h]tpubDEqZ8iWUeFBDXCoseAqBNiJxQp4DddD2CfHq8Ka8bSScMnYmGNz9XVhvQnJg43WK5wEM7bBRuTzA2Ugf6mmr1KU37DBHBuZNW8giXyY3Ccx/<0;1>/*,[b358abec/48h/1h/0h/2h]tpubDEmovLtfy39jKZuhXYWhSbdTkTBpZRqjtZZnCqq1JXxPapFmkZ4sVhogYGWXDgUFMK4WJTdt1nspXUwqm2vmMEtMbi7sByrNW31oGgSiLNu/<0;1>/*))"
	secrets := secretsOf(t, descriptor, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", spent, note)
	for _, s := range secrets {
		for i, f := range s.forms {
			texts := [][]byte{[]byte("before"), append(append([]byte("left"), f...), "right"...)}
			if got := found(texts, secrets); !slices.Contains(got, s.name) {
				t.Errorf("form %d of %s is not found: %v", i, s.name, got)
			}
			texts[1] = slices.Concat([]byte("left"), f[:len(f)-1])
			if got := found(texts, []secret{{s.name, [][]byte{f}}}); len(got) != 0 {
				t.Errorf("a part of form %d of %s counts as all of it", i, s.name)
			}
		}
	}
}
