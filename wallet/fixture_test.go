package wallet

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/wallet/psbt"
)

type fixtureKey struct {
	FP   string
	Path string
	TPub string
	Vpub string
}

// fixtureAccounts derives the accounts of the fixtures from their seeds and
// compares them with Core's keys.
func fixtureAccounts(t *testing.T) []*AccountKey {
	t.Helper()
	var want []fixtureKey
	readShared(t, &want, "fixtures", "keys.json")
	var accounts []*AccountKey
	for i, w := range want {
		seed := bytes.Repeat([]byte{byte(i + 1)}, 32)
		a, err := DeriveAccount(seed, Regtest, ScriptWSH, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, key := a.Key().String(), "["+w.FP+strings.TrimPrefix(w.Path, "m")+"]"+w.TPub; got != key {
			t.Fatalf("account %d is %s, want %s", i, got, key)
		}
		accounts = append(accounts, a)
	}
	return accounts
}

func parseFixture(t *testing.T, text string) *psbt.Packet {
	t.Helper()
	p, err := psbt.ParseText([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCoreFixtures signs what Bitcoin Core signed: each signature and the final
// transaction have the same bytes.
func TestCoreFixtures(t *testing.T) {
	for _, name := range []string{"wsh-1-v0", "wsh-1-v2"} {
		t.Run(name, func(t *testing.T) {
			var f struct {
				Desc, PSBT, Combined, Final string
				Signed                      []string
			}
			readShared(t, &f, "fixtures", name+".json")
			accounts := fixtureAccounts(t)
			d, err := ParseDescriptor(f.Desc, Regtest)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.String(); got != f.Desc && !strings.HasPrefix(got, f.Desc+"#") {
				t.Errorf("descriptor %s, want %s", got, f.Desc)
			}
			unsigned := parseFixture(t, f.PSBT)
			s, err := SpendFromPSBT(d, unsigned)
			if err != nil {
				t.Fatal(err)
			}
			var all []Signature
			signers := 0
			for i, text := range f.Signed {
				want, err := s.SignaturesFromPSBT(parseFixture(t, text))
				if err != nil {
					t.Fatal(err)
				}
				if len(want) != 1 {
					t.Fatalf("signed %d carries %d signatures", i, len(want))
				}
				who := slices.IndexFunc(accounts, func(a *AccountKey) bool { return a.keyIndex(d) == int(want[0].Key) })
				got, err := s.Sign(accounts[who])
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != 1 || got[0].Key != want[0].Key || !bytes.Equal(got[0].Bytes, want[0].Bytes) {
					t.Errorf("signature %d is %+v, Core's is %+v", i, got, want)
				}
				all = append(all, got...)
				signers++
			}
			if signers < 2 {
				t.Fatalf("%d signers", signers)
			}
			combined, err := s.SignaturesFromPSBT(parseFixture(t, f.Combined))
			if err != nil || len(combined) != signers {
				t.Errorf("combined carries %d signatures (%v)", len(combined), err)
			}
			tx, err := s.Finalize(all, nil)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := tx.Serialize(&b); err != nil {
				t.Fatal(err)
			}
			if got := hex.EncodeToString(b.Bytes()); got != f.Final {
				t.Errorf("final transaction\n%s, Core's is\n%s", got, f.Final)
			}
			if tx.TxHash() != s.TxID() {
				t.Error("txid changed")
			}
			// The packet finalized, as automatic signers return it, gives the same.
			unsigned.Inputs[0].FinalWitness = tx.TxIn[0].Witness
			again, err := s.SignaturesFromPSBT(unsigned)
			if err != nil || len(again) != d.Threshold() {
				t.Errorf("final packet carries %d signatures (%v)", len(again), err)
			}
			if tx2, err := s.Finalize(again, nil); err != nil || tx2.WitnessHash() != tx.WitnessHash() {
				t.Errorf("finalized again: %v", err)
			}
		})
	}
}
