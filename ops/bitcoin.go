package ops

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/chain/core"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/wallet"
)

// tryTime is how long a Bitcoin node may take for one answer.
const tryTime = 10 * time.Second

// TryBitcoin asks a Bitcoin Core or btcd for its best block, and returns the height
// of that. A node of another network is an error. Errors are *api.Error.
func TryBitcoin(ctx context.Context, network string, c config.Core) (int32, error) {
	b, err := core.New(core.Config{
		URL: c.URL, User: c.User, Password: string(c.Password), CookieFile: c.CookieFile,
		NoLongPoll: true, Network: wallet.Network(network), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return 0, api.Misuse("bad_chain", err.Error(), "")
	}
	defer func() { _ = b.Close() }() // nothing is kept of it
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	tip, err := b.Tip(ctx)
	if err != nil {
		return 0, api.Fail("bitcoin_unreachable", err.Error(), "")
	}
	return tip.Height, nil
}

// LocalBitcoin is where a Bitcoin Core of this machine and user answers by default;
// false where it left no cookie.
func LocalBitcoin(home, network string) (config.Core, bool) {
	at := map[string]struct {
		dir  string
		port int
	}{"mainnet": {"", 8332}, "testnet4": {"testnet4", 48332}, "signet": {"signet", 38332}, "regtest": {"regtest", 18443}}[network]
	for _, base := range []string{".bitcoin", filepath.Join("Library", "Application Support", "Bitcoin")} {
		cookie := filepath.Join(home, base, at.dir, ".cookie")
		if fi, err := os.Stat(cookie); err == nil && fi.Mode().IsRegular() && at.port != 0 {
			return config.Core{URL: fmt.Sprintf("127.0.0.1:%d", at.port), CookieFile: cookie}, true
		}
	}
	return config.Core{}, false
}

// CheckName refuses what can be no name of a cosigner. Errors are *api.Error.
func CheckName(name string) error {
	if err := coordinator.CheckName(name); err != nil {
		return api.Misuse("bad_name", err.Error(), "")
	}
	return nil
}
