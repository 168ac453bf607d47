package ops

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/quorate/quorate/wallet"
)

func satOnly(s string) (int64, error) {
	n, ok := strings.CutSuffix(s, "sat")
	if !ok {
		return 0, errors.New("has no unit")
	}
	v, err := strconv.ParseInt(n, 10, 64)
	if err != nil || v < 1 {
		return 0, errors.New("is not an amount")
	}
	return v, nil
}

const (
	payeeA = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	payeeB = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
)

func TestPayeesAreRead(t *testing.T) {
	for name, text := range map[string]string{
		"plain":          payeeA + ",1000sat,rent\n" + payeeB + ",2000sat\n",
		"header":         "label,amount_sat,address\nrent,1000," + payeeA + "\n,2000," + payeeB + "\n",
		"semicolons":     "address;amount;label\r\n" + payeeA + ";1000sat;rent\r\n" + payeeB + ";2000sat;\r\n",
		"tabs":           payeeA + "\t1000sat\trent\n" + payeeB + "\t2000sat\t\n",
		"byte order":     "\ufeffaddress,amount_sat,label\n" + payeeA + ",1000,rent\n" + payeeB + ",2000,\n",
		"UTF-16":         "\xff\xfe" + utf16le("address,amount_sat,label\n"+payeeA+",1000,rent\n"+payeeB+",2000,\n"),
		"quoted":         `"` + payeeA + `","1000sat","rent"` + "\n" + payeeB + ",2000sat",
		"remarks, blank": "# May\n\n" + payeeA + " , 1000sat, rent \n\n" + strings.ToUpper(payeeB) + ",2000sat,\n",
	} {
		got, err := ReadPayees([]byte(text), string(wallet.Regtest), satOnly)
		want := []Payee{{payeeA, 1000, "rent"}, {payeeB, 2000, ""}}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func utf16le(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(0)
	}
	return b.String()
}

// All that is wrong is said at once, with line and column, and nothing is read.
func TestEveryErrorOfAListIsToldWithItsPlace(t *testing.T) {
	text := "address,amount,label\n" +
		payeeA + ",1000sat,ok\n" +
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4,1000sat,another network\n" +
		payeeB + ",1000,no unit\n" +
		payeeB + ",\"1,000sat\",a comma\n" +
		payeeA + ",5sat,twice\n" +
		"nonsense,0sat,\"a\u202eb\"\n" +
		payeeB + ",1sat,x,y\n"
	got, err := ReadPayees([]byte(text), string(wallet.Regtest), satOnly)
	var all *PayeeErrors
	if !errors.As(err, &all) || got != nil {
		t.Fatalf("%v, %v", got, err)
	}
	for _, want := range []string{"line 3, column 1: address", "line 4, column 66: amount \"1000\": has no unit", "line 5, column 66: amount \"1,000sat\"",
		"line 6, column 1: pays the same address as line 2", "line 7, column 1: address \"nonsense\"", "line 7, column 10: amount \"0sat\"", "line 7, column 15: label",
		"line 8, column 73: there is more"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if all.Count != 8 {
		t.Errorf("%d errors:\n%v", all.Count, err)
	}
	many := strings.Repeat("nonsense,1sat\n", 70)
	if _, err := ReadPayees([]byte(many), string(wallet.Regtest), satOnly); !strings.HasSuffix(err.Error(), "and 20 more") {
		t.Errorf("%.200v", err)
	}
}

func TestListsThatAreNone(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "header alone": "address,amount\n", "open quotation mark": payeeA + ",\"1000sat\n", "bytes": "\x00\xff\xfe\x01",
		"no amount column": "address,label\nx,y\n", "a column twice": "address,amount,address\n", "a strange column": "address,amount,iban\n",
		"too long": strings.Repeat("#", MaxPayeesFile+1), "too many": strings.Repeat(payeeA+",1sat\n", MaxPayees+1),
	} {
		if got, err := ReadPayees([]byte(text), string(wallet.Regtest), satOnly); err == nil || got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzPayees(f *testing.F) {
	f.Add([]byte("address,amount_sat,label\n" + payeeA + ",1000,rent\n"))
	f.Add([]byte(payeeA + ";1000sat;\"a;b\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := ReadPayees(raw, string(wallet.Regtest), satOnly)
		if (err == nil) != (len(got) > 0) || len(got) > MaxPayees {
			t.Fatalf("%d payees, %v", len(got), err)
		}
		for _, p := range got {
			if _, err := wallet.ParseAddress(p.Address, wallet.Regtest); err != nil || p.Amount < 1 {
				t.Fatalf("%+v: %v", p, err)
			}
		}
	})
}
