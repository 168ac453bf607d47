package nodes

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/quorate/quorate/wallet"
)

// Mine mines blocks from the mempool to the faucet.
func (w *World) Mine(t testing.TB, blocks int) {
	t.Helper()
	if _, err := w.Bitcoin.Mine(blocks); err != nil {
		t.Fatal(err)
	}
}

// Deposit pays satoshis to an address from the faucet; the next block confirms it.
func (w *World) Deposit(address string, sat int64) error {
	script, err := wallet.ParseAddress(address, wallet.Regtest)
	if err != nil {
		return err
	}
	_, err = w.Bitcoin.Fund(script, sat)
	return err
}

// PayTo is a Deposit that must succeed.
func (w *World) PayTo(t testing.TB, address string, sat int64) {
	t.Helper()
	if err := w.Deposit(address, sat); err != nil {
		t.Fatal(err)
	}
}

// Outside is an address that belongs to none of the wallets. Each is another
// one: a second payment to one is asked about.
func Outside(t testing.TB) string {
	t.Helper()
	var script [32]byte
	_, _ = rand.Read(script[:]) // it never fails
	a, err := wallet.AddressOf(append([]byte{0, 32}, script[:]...), wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Pay is a `propose` command line that pays satoshis to the outside, with more flags.
func Pay(t testing.TB, sat int64, more ...string) []string {
	t.Helper()
	return append([]string{"propose", WalletName, "--to", fmt.Sprintf("%s=%dsat", Outside(t), sat), "--fee-rate", "2"}, more...)
}
