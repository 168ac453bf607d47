package app

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/signer/ceiling"
	"github.com/quorate/quorate/wallet"
)

// signedFile is where a signer with a ceiling keeps what it signed, in its data directory.
const signedFile = "ceiling.log"

// maxWallets bounds the file of the wallets that a signer signs in.
const maxWallets = 1 << 20

// openCeiling opens what the operator of a signer lays over it, or returns nil where that is
// nothing.
func openCeiling(o SignerOptions, net wallet.Network) (*ceiling.Ceiling, error) {
	kept := filepath.Join(o.DataDir, signedFile)
	if o.Ceiling == "" && o.Wallets == "" {
		if _, err := os.Lstat(kept); !errors.Is(err, fs.ErrNotExist) {
			o.Log.Warn("this signer had a ceiling and is started without one: what it signs now is not counted", "file", kept)
		}
		return nil, nil
	}
	if o.Ceiling == "" || o.Wallets == "" {
		return nil, api.Misuse("bad_config", "--ceiling and --wallets go together: a node that is taken over would name a wallet of its own", "write the descriptors of the wallets that this signer signs in into a file, one a line")
	}
	text, err := readBounded(o.Ceiling, maxCeiling)
	if err != nil {
		return nil, api.Misuse("bad_config", "--ceiling: "+err.Error(), "")
	}
	p, err := ceiling.Read(text, net)
	if err != nil {
		return nil, api.Misuse("bad_config", fmt.Sprintf("--ceiling: %s: %v", o.Ceiling, err), "docs/signer.md says what a ceiling has")
	}
	wallets, err := readWallets(o.Wallets, net)
	if err != nil {
		return nil, err
	}
	c, err := ceiling.Open(ceiling.Options{Policy: p, Network: net, Wallets: wallets, File: kept, Now: time.Now})
	if err != nil {
		return nil, api.Fail("not_started", "the signer did not start: "+err.Error(), "")
	}
	logMeters(o.Log, c)
	return c, nil
}

func logMeters(log *slog.Logger, c *ceiling.Ceiling) {
	all, err := c.Meters()
	if err != nil {
		log.Warn("the meters of the ceiling cannot be read", "error", err)
	}
	for _, m := range all {
		if full := m.Used >= m.Limit; full {
			log.Warn("a meter of the ceiling is full: `quorate signer settle` lists what was signed", "meter", m.Name)
		}
	}
}

func readWallets(path string, net wallet.Network) (out []*wallet.Descriptor, err error) {
	text, err := readBounded(path, maxWallets)
	if err != nil {
		return nil, api.Misuse("bad_config", "--wallets: "+err.Error(), "")
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		d, err := wallet.ParseDescriptor(line, net)
		if err != nil {
			return nil, api.Misuse("bad_config", fmt.Sprintf("--wallets: %s: line %d: %v", path, n, err), "each line is the descriptor of a wallet, as `quorate wallet show` shows it")
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, api.Misuse("bad_config", "--wallets: "+path+" holds no descriptor", "each line is the descriptor of a wallet, as `quorate wallet show` shows it")
	}
	return out, nil
}

// Outstanding is a transaction that a signer signed and that is not settled.
type Outstanding struct {
	TxID  string   `json:"txid"`
	Coins []string `json:"coins"`
	Takes int64    `json:"takes"` // satoshis that do not go to the wallet's own scripts, with the fee
}

// SettleSigned keeps the word of a signer's operator on transactions (by their ids) and coins
// (TXID:N) of what it signed, and returns what is outstanding. Errors are *api.Error.
func SettleSigned(dataDir string, what []string) ([]Outstanding, error) {
	var said []ceiling.Settled
	for _, text := range what {
		x, err := parseSettled(text)
		if err != nil {
			return nil, err
		}
		said = append(said, x)
	}
	kept := filepath.Join(dataDir, signedFile)
	if _, err := os.Lstat(kept); err != nil {
		return nil, api.Fail("failed", "no signer with a ceiling was run here: "+err.Error(), "see --data-dir")
	}
	c, err := ceiling.Open(ceiling.Options{Policy: &policy.Policy{}, File: kept, Now: time.Now})
	if err != nil {
		return nil, api.Fail("failed", err.Error(), "")
	}
	defer func() { _ = c.Close() }()
	if err := c.Settle(said); err != nil {
		return nil, api.Fail("failed", err.Error(), "what stands before it in the list is settled")
	}
	all, err := c.Lying()
	if err != nil {
		return nil, api.Fail("failed", err.Error(), "")
	}
	out := []Outstanding{}
	for _, x := range all {
		one := Outstanding{TxID: x.Tx.String(), Takes: x.Takes}
		for _, o := range x.Coins {
			one.Coins = append(one.Coins, o.String())
		}
		out = append(out, one)
	}
	return out, nil
}

func parseSettled(text string) (x ceiling.Settled, err error) {
	id, coin, isCoin := strings.Cut(text, ":")
	bad := api.Misuse("bad_id", fmt.Sprintf("%.100q is neither the id of a transaction nor a coin, TXID:N", text), "`quorate signer settle` lists them")
	if len(id) != 2*chainhash.HashSize || chainhash.Decode(&x.Tx, id) != nil {
		return x, bad
	}
	if isCoin {
		n, err := strconv.ParseUint(coin, 10, 32)
		if err != nil {
			return x, bad
		}
		index := uint32(n)
		x.Coin = &index
	}
	return x, nil
}
