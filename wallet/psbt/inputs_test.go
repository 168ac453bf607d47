package psbt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Packets and transactions as other software writes them, and what people made
// of them on the way.
func TestPacketsOfOthers(t *testing.T) {
	read := func(name string) []byte {
		raw, err := os.ReadFile(filepath.Join(sharedDir(t), "trials", "wallets", "inputs", "psbt", name))
		if err != nil {
			t.Skip("no inputs of trials: set QUORATE_SHARED to the folder that holds them")
		}
		return raw
	}
	y, err := ParseText(read("y.b64"))
	if err != nil {
		t.Fatal(err)
	}
	want := mustBytes(t, y)
	for _, name := range []string{"y-bom.b64", "y-json.json", "y-nopad.b64", "y-upper.hex", "y-wrap64.b64", "y-wrap76crlf.b64", "y.hex-wrap", "y.psbt", "y-nl.psbt"} {
		if p, err := ParseText(read(name)); err != nil || string(mustBytes(t, p)) != string(want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, inputs := range map[string]int{
		"both.b64": 2, "caravan-v2.b64": 2, "final-trimmed.b64": 2, "final.b64": 2, "hw-caravan-v2.b64": 1, "hw-scure-v0.b64": 1, "hw-scure-v2.b64": 1,
		"scure-v0.b64": 2, "scure-v2.b64": 2, "unsigned.b64": 2, "x.b64": 2, "y-fp0.b64": 2, "y-highs.b64": 2, "y-noxpub.b64": 2, "y-one-input.b64": 2,
		"y-shortpath.b64": 2, "y-sighash0.b64": 2, "y-sighash1.b64": 2, "y-trimmed.b64": 2, "y-unknown.b64": 2, "y-xpub-vpub.b64": 2,
	} {
		if p, err := ParseSigned(read(name)); err != nil || len(p.Inputs) != inputs {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, says := range map[string]string{
		"meta.json": "neither base64, hex nor binary", "two-lines.txt": "several psbts", // on purpose: which one is meant?
		"y-nosighash.b64": "sighash", "y-xpub-depth.b64": "depth", "y-xpub-dup.b64": "duplicate", // as BIP174 has it
	} {
		if _, err := ParseSigned(read(name)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, says)
		}
	}
	// What the last signer writes, if not a packet.
	final, err := ParseText(read("final.b64"))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := final.UnsignedTx()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"final.txhex": read("final.txhex"), "final.txn": read("final.txn"), "final-upper.txhex": read("final-upper.txhex"),
		"JSON of Core": []byte(`{"hex":"` + strings.TrimSpace(string(read("final.txhex"))) + `","complete":true}`),
		"a line end":   append(read("final.txn"), '\r', '\n'),
	} {
		p, err := ParseSigned(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := p.UnsignedTx()
		if err != nil || got.TxHash() != tx.TxHash() {
			t.Errorf("%s: another transaction (%v)", name, err)
		}
		for i := range p.Inputs {
			if len(p.Inputs[i].FinalWitness) != len(final.Inputs[i].FinalWitness) {
				t.Errorf("%s: input %d has another witness", name, i)
			}
		}
		if _, err := ParseText(text); !errors.Is(err, ErrMagic) {
			t.Errorf("%s, as a packet: %v", name, err)
		}
	}
}

// FuzzParseSigned holds what is read of any text to being a packet that is
// written and read again.
func FuzzParseSigned(f *testing.F) {
	f.Add([]byte("020000000001017b1eabe0209b1fe794124575ef807057c77ada2138ae4fa8d6c4de0398a14f3f0000000000ffffffff0100e1f5050000000000010100000000"))
	f.Add([]byte(`{"psbt":"cHNidP8BAAoCAAAAAAAAAAAAAA==","hex":"0200"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseSigned(text)
		if err != nil {
			return
		}
		raw, err := p.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseText(raw); err != nil {
			t.Fatal(err)
		}
	})
}
