package ceiling

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// desk is a ceiling over a wallet of 1 of 1 in a test.
type desk struct {
	*Ceiling
	tb   testing.TB
	o    Options
	d    *wallet.Descriptor
	keys *wallet.AccountKey
	now  int64
}

func account(tb testing.TB, n byte) *wallet.AccountKey {
	tb.Helper()
	a, err := wallet.DeriveAccount(bytes.Repeat([]byte{n}, 64), wallet.Regtest, wallet.ScriptWSH, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func multisig(tb testing.TB, keys ...*wallet.AccountKey) *wallet.Descriptor {
	tb.Helper()
	var all []wallet.Key
	for _, k := range keys {
		all = append(all, k.Key())
	}
	d, err := wallet.NewMultisig(wallet.Regtest, wallet.ScriptWSH, 1, all)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// payee is the script and the address of somebody else.
func payee(tb testing.TB, n byte) ([]byte, string) {
	tb.Helper()
	script := append([]byte{0, 20}, bytes.Repeat([]byte{n}, 20)...)
	a, err := wallet.AddressOf(script, wallet.Regtest)
	if err != nil {
		tb.Fatal(err)
	}
	return script, a
}

// newDesk lets payees 1 and 2 be paid, each up to a limit, and consolidations without one.
func newDesk(tb testing.TB, limit int64) *desk {
	tb.Helper()
	_, one := payee(tb, 1)
	_, two := payee(tb, 2)
	p, err := policy.ParseAlone(fmt.Appendf(nil, `title = "T"
recipients.one = { addresses = [%q] }
recipients.two = { addresses = [%q] }
meters.all = { limit = "%dsat", window = "24h" }
meters.each = { limit = "%dsat", window = "24h", per = "recipient" }
[[rules]]
name = "pay"
when = { to = ["one", "two"] }
require = { meters = ["all", "each"], fee_max = "5000sat", locktime = "none" }
then = "sign"
[[rules]]
name = "own"
when = { kind = "consolidation" }
require = { meters = "all" }
then = "sign"
`, one, two, limit, limit/2), wallet.PayeeReader(wallet.Regtest))
	if err != nil {
		tb.Fatal(err)
	}
	d := &desk{tb: tb, keys: account(tb, 1), now: 1_800_000_000}
	d.d = multisig(tb, d.keys)
	d.o = Options{Policy: p, Network: wallet.Regtest, Wallets: []*wallet.Descriptor{d.d}, File: filepath.Join(tb.TempDir(), "f"), Now: func() time.Time { return time.Unix(d.now, 0) }}
	d.restart()
	return d
}

func (d *desk) restart() {
	d.tb.Helper()
	if d.Ceiling != nil {
		if err := d.Close(); err != nil {
			d.tb.Fatal(err)
		}
	}
	var err error
	if d.Ceiling, err = Open(d.o); err != nil {
		d.tb.Fatal(err)
	}
}

// spend pays an amount to a payee from coins of 100,000 sat each, the rest but 1,000 to itself.
func (d *desk) spend(to byte, amount int64, coins ...byte) *wallet.Spend {
	d.tb.Helper()
	return d.spendFrom(0, to, amount, coins...)
}

// spendFrom is spend with a lock time.
func (d *desk) spendFrom(lock uint32, to byte, amount int64, coins ...byte) *wallet.Spend {
	d.tb.Helper()
	var in []wallet.Input
	for _, c := range coins {
		in = append(in, wallet.Input{OutPoint: wire.OutPoint{Hash: [32]byte{c}}, Amount: 100_000, Index: uint32(c)})
	}
	change, err := d.d.PkScript(wallet.BranchChange, 7)
	if err != nil {
		d.tb.Fatal(err)
	}
	out := []wallet.Output{{PkScript: change, Amount: 100_000*int64(len(coins)) - amount - 1_000}}
	if to > 0 {
		script, _ := payee(d.tb, to)
		out = append(out, wallet.Output{PkScript: script, Amount: amount})
	}
	s, err := wallet.NewSpend(d.d, in, out, lock)
	if err != nil {
		d.tb.Fatal(err)
	}
	return s.WithOwn(wallet.OwnOutput{Output: 0, Branch: wallet.BranchChange, Index: 7})
}

func (d *desk) sign(s *wallet.Spend) error {
	_, err := d.Sign(s, s.Own(), func() ([]wallet.Signature, error) { return s.Sign(d.keys) })
	return err
}

func refused(err error, why ...policy.Reason) bool {
	var r *Refused
	return errors.As(err, &r) && slices.Equal(r.Reasons, why)
}

func TestCeiling(t *testing.T) {
	d := newDesk(t, 100_000)
	for name, x := range map[string]struct {
		s   *wallet.Spend
		why policy.Reason
	}{
		"a stranger":              {d.spend(3, 1_000, 1), policy.ReasonNoRule},
		"a lock time":             {d.spendFrom(1, 1, 1_000, 1), policy.ReasonLockTime},
		"more than one may get":   {d.spend(1, 50_001, 1), policy.ReasonMeterMax},
		"change that is not said": {d.spend(1, 10_000, 1).WithOwn(), policy.ReasonNoRule},
		"change from elsewhere":   {d.spend(1, 10_000, 1).WithOwn(wallet.OwnOutput{Branch: 1, Index: 8}), policy.ReasonNoRule},
		"a payee as change":       {d.spend(3, 10_000, 1).WithOwn(wallet.OwnOutput{Branch: 1, Index: 7}, wallet.OwnOutput{Output: 1, Branch: 1, Index: 7}), policy.ReasonNoRule},
	} {
		if err := d.sign(x.s); !refused(err, x.why) {
			t.Errorf("%s: %v", name, err)
		}
		if err := d.May(x.s, x.s.Own()); !refused(err, x.why) {
			t.Errorf("%s, asked: %v", name, err)
		}
	}
	if err := d.sign(d.spend(1, 10_000, 1).WithOwn(wallet.OwnOutput{Output: 2})); err == nil {
		t.Error("an output that is not there is the wallet's own")
	}
	if all, err := d.Lying(); err != nil || len(all) != 0 {
		t.Fatalf("what was refused is charged: %v, %v", all, err)
	}
	first := d.spend(1, 40_000, 1)
	if err := errors.Join(d.May(first, first.Own()), d.sign(first)); err != nil {
		t.Fatal(err)
	}
	for range 3 { // once
		d.restart()
		if err := d.sign(first); err != nil {
			t.Fatal(err)
		}
	}
	m, err := d.Meters()
	if err != nil || m[0].Used != 41_000 || m[1].Used != 40_000 {
		t.Fatalf("used: %+v, %v", m, err)
	}
	// What replaces it shares what lies there; on another coin it does not.
	if err := d.sign(d.spend(1, 49_000, 1, 2)); err != nil {
		t.Fatal(err)
	}
	if err := d.sign(d.spend(1, 20_000, 3)); !refused(err, policy.ReasonMeterFull) {
		t.Fatal(err)
	}
	if err := d.sign(d.spend(2, 49_001, 3)); !refused(err, policy.ReasonMeterFull) {
		t.Fatal(err)
	}
	if err := d.sign(d.spend(2, 49_000, 3)); err != nil {
		t.Fatal(err)
	}
	if err := d.sign(d.spend(0, 0, 4)); !refused(err, policy.ReasonMeterFull) {
		t.Fatal(err)
	}
}

// What was signed counts however long ago that was, until the operator settles it, and then for
// one window.
func TestSignaturesCountUntilSettled(t *testing.T) {
	d := newDesk(t, 100_000)
	first := d.spend(1, 49_000, 1)
	if err := errors.Join(d.sign(first), d.sign(d.spend(2, 49_000, 2))); err != nil {
		t.Fatal(err)
	}
	d.now += 1000 * 86400
	if err := d.sign(d.spend(1, 1_000, 3)); !refused(err, policy.ReasonMeterFull) {
		t.Fatal(err)
	}
	for _, x := range []Settled{{Tx: [32]byte{9}}, {Tx: [32]byte{9}, Coin: new(uint32)}, {Tx: [32]byte{3}, Coin: new(uint32)}} {
		if err := d.Settle([]Settled{x}); err == nil {
			t.Fatalf("%+v: settled what was not signed", x)
		}
	}
	for range 2 {
		if err := d.Settle([]Settled{{Tx: first.TxID()}}); err != nil {
			t.Fatal(err)
		}
		d.restart()
	}
	if err := d.Settle([]Settled{{Tx: [32]byte{1}, Coin: new(uint32)}}); err == nil {
		t.Fatal("a coin is spent by two")
	}
	if err := d.sign(first); !refused(err, ReasonSpent) {
		t.Fatal(err)
	}
	if err := d.sign(d.spend(1, 1_000, 3)); !refused(err, policy.ReasonMeterFull) {
		t.Fatal(err)
	}
	d.now += 86401
	if err := d.sign(d.spend(1, 1_000, 3)); err != nil {
		t.Fatal(err)
	}
	// A coin that something else spent counts no more at once.
	if err := d.Settle([]Settled{{Tx: [32]byte{2}, Coin: new(uint32)}}); err != nil {
		t.Fatal(err)
	}
	if err := d.sign(d.spend(2, 49_000, 4)); err != nil {
		t.Fatal(err)
	}
	if all, err := d.Lying(); err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	// A clock that goes back takes nothing back.
	d.now = 0
	if m, err := d.Meters(); err != nil || m[0].Used != 52_000 {
		t.Fatalf("%+v, %v", m, err)
	}
}

// A node that was taken over names a wallet of its own with the signer's key in it, or says of
// a coin what suits it: a signature is over the amount of its own coin alone, so that of two
// requests with one false amount each the good halves would pay a fee that neither showed.
func TestANodeThatLies(t *testing.T) {
	d := newDesk(t, 100_000)
	mine := d.spend(1, 10_000, 1)
	thief := multisig(t, d.keys, account(t, 2))
	s, err := wallet.NewSpend(thief, mine.Inputs(), mine.Outputs(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.sign(s.WithOwn(wallet.OwnOutput{Branch: 1, Index: 7})); !refused(err, ReasonWallet) {
		t.Fatalf("another wallet: %v", err)
	}
	script, _ := payee(t, 1)
	claims := func(a, b int64) *wallet.Spend {
		s, err := wallet.NewSpend(d.d, []wallet.Input{{OutPoint: wire.OutPoint{Hash: [32]byte{1}}, Amount: a}, {OutPoint: wire.OutPoint{Hash: [32]byte{2}}, Amount: b}},
			[]wallet.Output{{PkScript: script, Amount: 10_000}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if err := d.sign(claims(10_000, 500)); err != nil {
		t.Fatal(err)
	}
	d.restart()
	if err := d.sign(claims(500, 10_000)); !refused(err, ReasonAmount) {
		t.Fatalf("the other half: %v", err)
	}
}

// However the file is cut off, what is left of it holds, nothing is charged twice, and what was
// whole is not forgotten: this is what kill -9 and a loss of power leave.
func TestCutOff(t *testing.T) {
	d := newDesk(t, 100_000)
	var ends []int
	all := []*wallet.Spend{d.spend(1, 20_000, 1), d.spend(2, 20_000, 2), d.spend(1, 25_000, 3)}
	for _, s := range all {
		ends = append(ends, len(d.bytes()))
		if err := d.sign(s); err != nil {
			t.Fatal(err)
		}
	}
	whole := d.bytes()
	ends = append(ends, len(whole))
	for n := range len(whole) + 1 {
		if err := os.WriteFile(d.o.File, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		d.restart()
		want := 0
		for want < 3 && n >= ends[want+1] {
			want++
		}
		if left, err := d.Lying(); err != nil || len(left) != want {
			t.Fatalf("of %d bytes: %d lie, want %d, %v", n, len(left), want, err)
		}
		for _, s := range all {
			if err := d.sign(s); err != nil {
				t.Fatalf("of %d bytes: %v", n, err)
			}
		}
		if m, err := d.Meters(); err != nil || m[0].Used != 68_000 {
			t.Fatalf("of %d bytes: %+v, %v", n, m, err)
		}
		if !bytes.Equal(d.bytes(), whole) {
			t.Fatalf("of %d bytes: another file", n)
		}
	}
}

func (d *desk) bytes() []byte {
	d.tb.Helper()
	b, err := os.ReadFile(d.o.File)
	if err != nil {
		d.tb.Fatal(err)
	}
	return b
}

// A byte that is another one is found, and then nothing is signed.
func TestDamage(t *testing.T) {
	d := newDesk(t, 100_000)
	for n := byte(1); n < 4; n++ {
		if err := d.sign(d.spend(1, 10_000, n)); err != nil {
			t.Fatal(err)
		}
	}
	whole := d.bytes()
	for n := range len(whole) - 1 {
		b := bytes.Clone(whole)
		b[n] ^= 1
		if err := os.WriteFile(d.o.File, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Open(d.o); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v, %v", n, c, err)
		}
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	if err := os.WriteFile(d.o.File, bytes.Join([][]byte{lines[0], lines[1], lines[3]}, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.o); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a line is missing: %v", err)
	}
	// The same of one that is open.
	if err := os.Truncate(d.o.File, int64(len(lines[0]))); err != nil {
		t.Fatal(err)
	}
	if err := d.sign(d.spend(1, 10_000, 5)); !errors.Is(err, ErrDamaged) {
		t.Fatalf("under it, the file was cut off: %v", err)
	}
}

// What cannot be written is not signed, and nothing more is until it is opened again.
func TestDiskFails(t *testing.T) {
	d := newDesk(t, 100_000)
	f, err := os.Open(d.o.File)
	if err != nil {
		t.Fatal(err)
	}
	d.file.f, f = f, d.file.f // it cannot be written
	for range 2 {
		if err := d.sign(d.spend(1, 10_000, 1)); err == nil || refused(err) {
			t.Fatalf("signed without a disk: %v", err)
		}
	}
	d.file.f, f = f, d.file.f
	if err := errors.Join(f.Close(), d.sign(d.spend(1, 10_000, 1))); err == nil {
		t.Fatal("it goes on with a file of which it does not know what is there")
	}
	d.restart()
	if err := d.sign(d.spend(1, 10_000, 1)); err != nil {
		t.Fatal(err)
	}
}

// FuzzFile: whatever stands in the file, it is read or refused, and what is read can be written.
func FuzzFile(f *testing.F) {
	d := newDesk(f, 100_000)
	s := d.spend(1, 10_000, 1)
	if err := errors.Join(d.sign(s), d.Settle([]Settled{{Tx: s.TxID()}}), d.sign(d.spend(2, 10_000, 2)), d.Settle([]Settled{{Tx: [32]byte{2}, Coin: new(uint32)}})); err != nil {
		f.Fatal(err)
	}
	whole := d.bytes()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(header))
	f.Add([]byte{})
	for _, line := range bytes.Split(whole, []byte("\n")) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var sum [sumLen]byte
		if r, _, err := readLine(sum, b); err == nil {
			if line, _, err := writeLine(sum, r); err != nil || !bytes.Equal(line[:len(line)-1], b) {
				t.Errorf("written again it is %q, %v", line, err)
			}
		}
		o := d.o
		o.File = filepath.Join(t.TempDir(), "f")
		// Past the checksum, too.
		for _, text := range [][]byte{b, fmt.Appendf([]byte(header), "%x %s\n", sumOf(sum, b), b)} {
			if err := os.WriteFile(o.File, text, 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Open(o)
			if err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Errorf("%v", err)
				}
				continue
			}
			if _, err := c.Lying(); err != nil {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
