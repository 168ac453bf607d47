package ops

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/app/config"
	"github.com/quorate/quorate/wallet"
)

// bitcoind stands for a Bitcoin Core that knows its cookie and its genesis block alone.
func bitcoind(t *testing.T, network wallet.Network, cookie string) string {
	t.Helper()
	genesis := network.Params().GenesisHash.String()
	var header, block bytes.Buffer
	first := network.Params().GenesisBlock
	if err := errors.Join(first.Header.Serialize(&header), first.Serialize(&block)); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		if user+":"+pass != cookie {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var q struct {
			ID     any
			Method string
		}
		_ = json.NewDecoder(r.Body).Decode(&q) // what is none has no method
		answers := map[string]any{
			"getblockchaininfo": map[string]any{"chain": "x", "blocks": 0, "headers": 0, "bestblockhash": genesis, "initialblockdownload": false, "verificationprogress": 1},
			"getbestblockhash":  genesis, "getblockhash": genesis, "getblockcount": 0,
			"getblock": hex.EncodeToString(block.Bytes()), "getblockheader": hex.EncodeToString(header.Bytes()),
			"getnetworkinfo": map[string]any{"version": 310000, "subversion": "/Satoshi:31.0.0/"},
		}
		out := map[string]any{"id": q.ID, "result": answers[q.Method]}
		if _, ok := answers[q.Method]; !ok {
			w.WriteHeader(http.StatusInternalServerError)
			out["error"] = map[string]any{"code": -32601, "message": "Method not found: " + q.Method}
		}
		_ = json.NewEncoder(w).Encode(out) // the other end says what it got
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// A Bitcoin node is tried as setup finds it: with the cookie that it left, or a password.
func TestTryBitcoin(t *testing.T) {
	const cookie = "__cookie__:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	at := bitcoind(t, wallet.Regtest, cookie)
	file := filepath.Join(t.TempDir(), ".cookie")
	if err := os.WriteFile(file, []byte(cookie), 0o600); err != nil {
		t.Fatal(err)
	}
	height, err := TryBitcoin(t.Context(), "regtest", config.Core{URL: at, CookieFile: file})
	if err != nil || height != 0 {
		t.Errorf("height %d: %v", height, err)
	}
	user, password, _ := strings.Cut(cookie, ":")
	if _, err := TryBitcoin(t.Context(), "regtest", config.Core{URL: at, User: user, Password: config.Secret(password)}); err != nil {
		t.Errorf("with a password: %v", err)
	}
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	for what, c := range map[string]struct {
		network string
		at      config.Core
	}{
		"another password":   {"regtest", config.Core{URL: at, User: user, Password: "x"}},
		"no cookie":          {"regtest", config.Core{URL: at, CookieFile: file + "x"}},
		"another network":    {"signet", config.Core{URL: at, CookieFile: file}},
		"nobody there":       {"regtest", config.Core{URL: strings.TrimPrefix(dead.URL, "http://"), CookieFile: file}},
		"no Bitcoin node":    {"regtest", config.Core{URL: strings.TrimPrefix(httpOnly(t), "http://"), CookieFile: file}},
		"what is no address": {"regtest", config.Core{URL: "::", CookieFile: file}},
	} {
		_, err := TryBitcoin(t.Context(), c.network, c.at)
		if code := codeOf(t, err); code != "bitcoin_unreachable" && code != "bad_chain" {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && (strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: the error is %q", what, err)
		}
	}
}

func httpOnly(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.URL
}

// What Bitcoin Core left in its usual place is found, for the network that is asked for.
func TestLocalBitcoin(t *testing.T) {
	home := t.TempDir()
	if at, ok := LocalBitcoin(home, "regtest"); ok {
		t.Errorf("found where nothing is: %+v", at)
	}
	for _, dir := range []string{".bitcoin/regtest", ".bitcoin", "Library/Application Support/Bitcoin/signet", ".bitcoin/testnet4/.cookie"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{".bitcoin/regtest", ".bitcoin", "Library/Application Support/Bitcoin/signet"} {
		if err := os.WriteFile(filepath.Join(home, dir, ".cookie"), []byte("__cookie__:x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for network, want := range map[string]config.Core{
		"regtest": {URL: "127.0.0.1:18443", CookieFile: filepath.Join(home, ".bitcoin/regtest/.cookie")},
		"mainnet": {URL: "127.0.0.1:8332", CookieFile: filepath.Join(home, ".bitcoin/.cookie")},
		"signet":  {URL: "127.0.0.1:38332", CookieFile: filepath.Join(home, "Library/Application Support/Bitcoin/signet/.cookie")},
	} {
		if at, ok := LocalBitcoin(home, network); !ok || at != want {
			t.Errorf("%s: %+v %v", network, at, ok)
		}
	}
	for _, network := range []string{"testnet4", "testnet3", ""} { // a directory of that name, and networks that are none
		if at, ok := LocalBitcoin(home, network); ok {
			t.Errorf("%q: %+v", network, at)
		}
	}
}
