package ops_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// policyWallet is an active wallet of 2 of some members, in another order than their keys'.
func policyWallet(t *testing.T, names ...string) api.Wallet {
	t.Helper()
	var keys []wallet.Key
	w := api.Wallet{}
	w.Wallet, w.Name = strings.Repeat("ab", 32), "treasury"
	for i, name := range names {
		a, err := wallet.DeriveAccount(make([]byte, 64), wallet.Regtest, wallet.ScriptWSH, uint32(i))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, a.Key())
		fingerprint, peer := fmt.Sprintf("%08x", i), "12D3Koo"+name
		w.Cosigners = append([]api.Cosigner{{Person: api.Person{Name: name, PeerID: &peer, Key: &fingerprint}, XPub: a.Key().XPub}}, w.Cosigners...)
	}
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 2, keys)
	if err != nil {
		t.Fatal(err)
	}
	text := d.String()
	w.Descriptor = &text
	return w
}

// payees are an address and a descriptor of the network that tests are on.
func payees(t *testing.T) (address, descriptor string) {
	t.Helper()
	a, err := wallet.DeriveAccount(make([]byte, 64), wallet.Regtest, wallet.ScriptWSH, 99)
	if err != nil {
		t.Fatal(err)
	}
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 1, []wallet.Key{a.Key()})
	if err != nil {
		t.Fatal(err)
	}
	if address, err = d.Address(0, 0); err != nil {
		t.Fatal(err)
	}
	body := "wpkh(" + a.Key().XPub + "/0/*)"
	sum, err := wallet.DescriptorChecksum(body)
	if err != nil {
		t.Fatal(err)
	}
	return address, body + "#" + sum
}

// The example of the manual is a policy.
func TestPolicyManual(t *testing.T) {
	b, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(b), -1)
	if len(blocks) == 0 {
		t.Fatal("docs/policy.md has no example: this test looks at the wrong text")
	}
	address, descriptor := payees(t)
	w := policyWallet(t, "ana", "boris", "chen", "vault-1", "vault-2")
	for _, block := range blocks {
		text := strings.NewReplacer("bcrt1q…", address, "wpkh(tpub…/0/*)#…", descriptor).Replace(block[1])
		p, err := ops.ReadPolicy("policy.md", []byte(text), w, "regtest")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if len(p.Sentences) == 0 || len(p.Worst) == 0 || len(p.Hash) != 64 {
			t.Errorf("%+v", p)
		}
	}
}

func TestReadPolicy(t *testing.T) {
	address, descriptor := payees(t)
	w := policyWallet(t, "ana", "boris", "vault")
	const head = "title = \"T\"\nrobots = [\"vault\"]\n"
	text := head + "recipients.a = { addresses = [\"" + strings.ToUpper(address) + "\"], descriptor = \"" + descriptor + "\" }\n"
	p, err := ops.ReadPolicy("p.toml", []byte(text), w, "regtest")
	if err != nil {
		t.Fatal(err)
	}
	typed, err := policy.Decode(p.Canonical)
	if err != nil {
		t.Fatal(err)
	}
	// The last key of the descriptor is the robot's, though it is the first in the list.
	if typed.Robots != policy.KeysOf(2) || typed.Recipients[0].Addresses[0] != address || typed.Recipients[0].Descriptors[0] != descriptor {
		t.Errorf("%+v", typed)
	}
	if h := policy.Hash([32]byte([]byte(strings.Repeat("\xab", 32))), p.Canonical); p.Hash != hex.EncodeToString(h[:]) || p.Title != "T" || !strings.Contains(p.Sentences[0], "vault") {
		t.Errorf("%+v", p)
	}
	// The same in UTF-16, as editors of Windows write it, and by other names.
	var wide []byte
	for _, r := range "\ufeff" + strings.Replace(text, `"vault"`, `"00000002"`, 1) {
		wide = append(wide, byte(r), byte(r>>8))
	}
	if again, err := ops.ReadPolicy("p.toml", wide, w, "regtest"); err != nil || again.Hash != p.Hash {
		t.Errorf("in UTF-16: %v, %s", err, again.Hash)
	}
	// Whose keys another's node enters is told by the node.
	w.Cosigners[0].HostedBy = &w.Cosigners[1].Person
	hosted := "title = \"T\"\nrobots = [\"" + w.Cosigners[0].Name + "\"]"
	if _, err := ops.ReadPolicy("p.toml", []byte(hosted), w, "regtest"); err == nil || !strings.Contains(err.Error(), "p.toml, line 2, column 11: robots: ") || !strings.Contains(err.Error(), "no node of its own") {
		t.Errorf("a hosted robot: %v", err)
	}
	w.Cosigners[0].HostedBy = nil
	for name, c := range map[string]struct{ text, want string }{
		"address of another network":    {head + "recipients.a = { addresses = [\"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4\"] }", "p.toml, line 3, column 31: recipient \"a\", addresses: "},
		"a payee's script":              {head + "recipients.a = { descriptor = \"wsh(pk(02))\" }", "p.toml, line 3, column 31: recipient \"a\", descriptor: "},
		"a descriptor without checksum": {head + "recipients.a = { descriptor = \"" + descriptor[:len(descriptor)-9] + "\" }", "checksum"},
		"a private key":                 {head + "recipients.a = { descriptor = \"wpkh(tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK/0/*)#aaaaaaaa\" }", "line 3"},
	} {
		_, err := ops.ReadPolicy("p.toml", []byte(c.text), w, "regtest")
		var e *api.Error
		if !errors.As(err, &e) || e.Code != "bad_policy" || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Robots follow no policy whose recipients are more than they derive.
func TestReadPolicyBoundsRecipients(t *testing.T) {
	w := policyWallet(t, "ana", "boris", "vault")
	a, err := wallet.DeriveAccount(make([]byte, 64), wallet.Regtest, wallet.ScriptWSH, 99)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("title = \"T\"\nrobots = [\"vault\"]\n")
	for i := range 66 {
		body := fmt.Sprintf("wpkh(%s/%d/*)", a.Key().XPub, i)
		sum, err := wallet.DescriptorChecksum(body)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "recipients.%s = { descriptor = \"%s#%s\", lookahead = 1000 }\n", "r-"+strings.Repeat("x", i+1)[:min(i+1, 60)]+fmt.Sprint(i), body, sum)
	}
	_, err = ops.ReadPolicy("p.toml", []byte(b.String()), w, "regtest")
	if err == nil || !strings.Contains(err.Error(), "at most 65536 keys") {
		t.Error(err)
	}
}

func TestComparePolicies(t *testing.T) {
	w := policyWallet(t, "ana", "boris", "vault")
	read := func(more string) ops.Policy {
		p, err := ops.ReadPolicy("p.toml", []byte("title = \"T\"\nrobots = [\"vault\"]\n"+more), w, "regtest")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	three, five := read(""), read("change_delay = \"5d\"")
	if tighter, found := ops.ComparePolicies(three, five); !tighter || len(found) != 1 || found[0] != (ops.PolicyDifference{Mark: "tighter", Text: "change_delay is 5 days, was 3 days"}) {
		t.Errorf("%v %+v", tighter, found)
	}
	if tighter, _ := ops.ComparePolicies(five, three); tighter {
		t.Error("a shorter delay is tighter")
	}
}

// What is written to begin with is read again, for members whatever they are called.
func TestNewPolicy(t *testing.T) {
	for _, names := range [][]string{{"ana", "boris", "vault"}, {`A "B" \ C`, "Über", "金庫"}} {
		w := policyWallet(t, names...)
		for _, template := range ops.PolicyTemplates() {
			text, err := ops.NewPolicy(template, w, "regtest", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ops.ReadPolicy("p.toml", []byte(text), w, "regtest"); err != nil {
				t.Errorf("%s: %v", template, err)
			}
		}
	}
	var e *api.Error
	if _, err := ops.NewPolicy("x", policyWallet(t, "ana", "vault"), "regtest", nil); !errors.As(err, &e) || e.Code != "bad_template" {
		t.Error(err)
	}
	if _, err := ops.NewPolicy("payroll", api.Wallet{}, "regtest", nil); !errors.As(err, &e) || e.Code != "not_active" {
		t.Error(err)
	}
}
