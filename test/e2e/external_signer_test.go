package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/test/nodes"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

// coldKey is a key that no node has: its seed, its account key at m/48h/1h/0h/2h.
type coldKey struct {
	t       testing.TB
	account *hdkeychain.ExtendedKey
	key     wallet.Key
}

func newColdKey(t testing.TB, n byte) *coldKey {
	t.Helper()
	seed := bytes.Repeat([]byte{n}, 32)
	a, err := wallet.DeriveAccount(seed, wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Zero()
	k, err := hdkeychain.NewMaster(seed, wallet.Regtest.Params())
	if err != nil {
		t.Fatal(err)
	}
	const h = hdkeychain.HardenedKeyStart
	for _, step := range []uint32{h + 48, h + 1, h, h + 2} {
		if k, err = k.Derive(step); err != nil {
			t.Fatal(err)
		}
	}
	return &coldKey{t, k, a.Key()}
}

// slip132 is the private account key with another version of SLIP-132.
func (c *coldKey) slip132(version uint32) string {
	raw := base58.Decode(c.account.String())[:78]
	binary.BigEndian.PutUint32(raw, version)
	return base58.Encode(append(raw, chainhash.DoubleHashB(raw)[:4]...))
}

// sign signs every input of a file that names a key below the account key. It
// knows the file and its own key alone: what an air-gapped device knows.
func (c *coldKey) sign(in, out string) {
	c.t.Helper()
	raw, err := os.ReadFile(in)
	if err != nil {
		c.t.Fatal(err)
	}
	p, err := psbt.ParseText(raw)
	if err != nil {
		c.t.Fatal(err)
	}
	tx, err := p.UnsignedTx()
	if err != nil {
		c.t.Fatal(err)
	}
	prev := map[wire.OutPoint]*wire.TxOut{}
	for i := range p.Inputs {
		// The whole previous transaction is what tells a device the amount.
		if p.Inputs[i].NonWitnessUTXO == nil {
			c.t.Fatalf("input %d comes without its previous transaction", i)
		}
		prev[tx.TxIn[i].PreviousOutPoint] = p.Inputs[i].Spent()
	}
	mid := txscript.NewTxSigHashes(tx, txscript.NewMultiPrevOutFetcher(prev))
	signed := 0
	for i := range p.Inputs {
		input := &p.Inputs[i]
		script := input.WitnessScript
		if script == nil {
			script = input.Spent().PkScript // P2WPKH: the proof of the key
		}
		hash, err := txscript.CalcWitnessSigHash(script, mid, txscript.SigHashAll, tx, i, input.Spent().Value)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, d := range input.Derivations {
			if d.Origin.Fingerprint != c.key.Fingerprint || len(d.Origin.Path) != 6 {
				continue
			}
			k := c.account
			for _, step := range d.Origin.Path[4:] {
				if k, err = k.Derive(step); err != nil {
					c.t.Fatal(err)
				}
			}
			priv, err := k.ECPrivKey()
			if err != nil {
				c.t.Fatal(err)
			}
			sig := append(ecdsa.Sign(priv, hash).Serialize(), byte(txscript.SigHashAll))
			input.PartialSigs = append(input.PartialSigs, psbt.PartialSig{PubKey: d.PubKey, Signature: sig})
			signed++
		}
	}
	if signed != len(p.Inputs) {
		c.t.Fatalf("signed %d of %d inputs", signed, len(p.Inputs))
	}
	raw, err = p.Bytes()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(out, raw, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// electrum is Debian's Electrum, offline, with a home of its own.
type electrum struct {
	t    testing.TB
	home string
}

func newElectrum(t testing.TB) *electrum {
	t.Helper()
	if _, err := exec.LookPath("electrum"); err != nil {
		t.Skip("electrum is not installed (apt-get install --no-install-recommends electrum): no signatures by another wallet")
	}
	return &electrum{t, t.TempDir()}
}

func (e *electrum) run(file string, args ...string) string {
	e.t.Helper()
	cmd := exec.Command("electrum", append([]string{"--regtest", "--offline", "-D", e.home, "-w", file}, args...)...)
	cmd.Env = append(nodes.Environ(), "HOME="+e.home)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		e.t.Fatalf("electrum %s: %v: %s", args[0], err, stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

// SLIP-132 versions of private keys on test networks.
const (
	vprv     = 0x045f18bc // one signature, P2WPKH
	vprvP2WS = 0x02575048 // Vprv: multisig, P2WSH
)

// message signs a text with the account's first address, as its user would
// with a wallet of this one key.
func (e *electrum) message(k *coldKey, text, address string) string {
	e.t.Helper()
	file := filepath.Join(e.home, "one-key")
	e.run(file, "restore", k.slip132(vprv))
	return e.run(file, "signmessage", address, text)
}

// cosigner opens a wallet file that quorate exported, and gives Electrum the
// private key of one cosigner: what restoring a device's seed there does.
func (e *electrum) cosigner(k *coldKey, exported string) string {
	e.t.Helper()
	raw, err := os.ReadFile(exported)
	if err != nil {
		e.t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(raw, &file); err != nil {
		e.t.Fatal(err)
	}
	given := false
	for name, v := range file {
		store, ok := v.(map[string]any)
		if ok && strings.HasPrefix(name, "x") && store["root_fingerprint"] == k.fingerprint() {
			store["xprv"], given = k.slip132(vprvP2WS), true
			store["pw_hash_version"] = 1
		}
	}
	if !given {
		e.t.Fatalf("the exported wallet has no key of %s", k.fingerprint())
	}
	if raw, err = json.Marshal(file); err != nil {
		e.t.Fatal(err)
	}
	path := filepath.Join(e.home, "cosigner")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		e.t.Fatal(err)
	}
	return path
}

func (k *coldKey) fingerprint() string {
	return strings.TrimPrefix(strings.SplitN(k.key.String(), "/", 2)[0], "[")
}

// electrumSigns signs an exported PSBT with Electrum and returns what it prints.
func (e *electrum) electrumSigns(file, exported string) string {
	e.t.Helper()
	raw, err := os.ReadFile(exported)
	if err != nil {
		e.t.Fatal(err)
	}
	signed := e.run(file, "signtransaction", strings.TrimSpace(string(raw)))
	if _, err := base64.StdEncoding.DecodeString(signed); err != nil {
		e.t.Fatalf("Electrum answers %.80q, which is no PSBT", signed)
	}
	return signed
}
