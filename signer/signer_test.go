package signer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/signer"
	"github.com/quorate/quorate/wallet"
)

// keys are those of three cosigners; the first is the signer's.
func keys(t testing.TB) []*signer.Local {
	t.Helper()
	var out []*signer.Local
	for i := range 3 {
		out = append(out, signer.NewLocal(bytes.Repeat([]byte{byte(i + 1)}, 64), wallet.Regtest))
	}
	return out
}

func descriptor(t testing.TB, st wallet.ScriptType, cosigners ...*signer.Local) *wallet.Descriptor {
	t.Helper()
	var all []wallet.Key
	for _, c := range cosigners {
		k, err := c.AccountKey(context.Background(), st, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, k)
	}
	d, err := wallet.NewMultisig(wallet.Regtest, st, 2, all)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// spend pays from three coins of a wallet.
func spend(t testing.TB, d *wallet.Descriptor) *wallet.Spend {
	t.Helper()
	var in []wallet.Input
	for i := range 3 {
		in = append(in, wallet.Input{OutPoint: wire.OutPoint{Hash: [32]byte{byte(i + 1)}, Index: uint32(i)}, Amount: 100_000, Branch: uint32(i % 2), Index: uint32(i)})
	}
	addr, err := d.Address(wallet.BranchExternal, 9)
	if err != nil {
		t.Fatal(err)
	}
	script, err := wallet.ParseAddress(addr, wallet.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	s, err := wallet.NewSpend(d, in, []wallet.Output{{PkScript: script, Amount: 299_000}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serve runs a signer process's part of this one, until the test ends or stop.
func serve(t *testing.T, path string, keys *signer.Local, users ...uint32) (stop func()) {
	t.Helper()
	return serveWith(t, path, signer.Options{Keys: keys, Users: users})
}

func serveWith(t *testing.T, path string, o signer.Options) (stop func()) {
	t.Helper()
	o.Network = wallet.Regtest
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l, err := signer.Listen(path, -1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- signer.Serve(ctx, l, o)
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func me() uint32 { return uint32(os.Getuid()) }

// A signer process says what one in the process of the node would say, also
// after it was started anew.
func TestClientIsAsLocal(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "s")
	all := keys(t)
	stop := serve(t, path, all[0], me())
	c := signer.Dial(path, wallet.Regtest)
	defer c.Close()
	for _, st := range []wallet.ScriptType{wallet.ScriptWSH, wallet.ScriptSHWSH} {
		if err := c.Check(ctx); err != nil {
			t.Fatal(err)
		}
		want, err := all[0].AccountKey(ctx, st, 7)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.AccountKey(ctx, st, 7)
		if err != nil || got.String() != want.String() {
			t.Errorf("account key %v, %v; want %v", got, err, want)
		}
		claim := possession(want)
		proof, err := c.SignClaim(ctx, st, 7, claim)
		if err != nil {
			t.Fatal(err)
		}
		if err := want.VerifyHash(claim.Hash(), proof); err != nil {
			t.Errorf("proof: %v", err)
		}
		s := spend(t, descriptor(t, st, all...))
		local, err := all[0].SignSpend(ctx, st, 0, s)
		if err != nil {
			t.Fatal(err)
		}
		remote, err := c.SignSpend(ctx, st, 0, s)
		if err != nil || len(remote) != 3 || !reflect.DeepEqual(local, remote) {
			t.Errorf("signatures %v, %v; want %v", remote, err, local)
		}
		stop()
		if _, err := c.AccountKey(ctx, st, 7); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("without a signer: %v", err)
		}
		stop = serve(t, path, all[0], me())
	}
}

// A transaction of a multisig without the signer's key gets no signature.
func TestForeignSpendIsRefused(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "s")
	all := keys(t)
	serve(t, path, all[0], me())
	c := signer.Dial(path, wallet.Regtest)
	defer c.Close()
	if sigs, err := c.SignSpend(ctx, wallet.ScriptWSH, 0, spend(t, descriptor(t, wallet.ScriptWSH, all[1:]...))); err == nil {
		t.Errorf("signed: %v", sigs)
	}
	if sigs, err := c.SignSpend(ctx, wallet.ScriptWSH, 1, spend(t, descriptor(t, wallet.ScriptWSH, all...))); err == nil {
		t.Errorf("signed by another account: %v", sigs)
	}
}

// Only processes of users that are named are answered.
func TestOtherUsersAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	serve(t, path, keys(t)[0], me()+1)
	c := signer.Dial(path, wallet.Regtest)
	defer c.Close()
	if err := c.Check(context.Background()); err == nil {
		t.Error("another user was answered")
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if fi.Mode().Perm() != 0o600 {
		t.Errorf("socket has mode %o", fi.Mode().Perm())
	}
}

func TestOtherNetworkIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	serve(t, path, keys(t)[0], me())
	c := signer.Dial(path, wallet.Mainnet)
	defer c.Close()
	if err := c.Check(context.Background()); err == nil || !strings.Contains(err.Error(), "regtest") {
		t.Errorf("check: %v", err)
	}
}

// One socket is one signer's; one that was left behind is replaced.
func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stop := serve(t, path, keys(t)[0], me())
	if _, err := signer.Listen(path, -1); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("a second signer: %v", err)
	}
	stop()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	serve(t, path, keys(t)[0], me())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Listen(file, -1); err == nil {
		t.Error("a file was replaced by a socket")
	}
}

func possession(key wallet.Key) port.KeyClaim {
	return port.KeyClaim{Group: [32]byte{1}, Identity: [32]byte{2}, Sealing: [32]byte{3}, Key: key.String()}
}

// The account's key says nothing but that it is with a node, in the words of the
// group: no other key's claim, and none that a new node takes a lost one's place
// unless whoever runs the signer wants it.
func TestSignerSignsClaimsOfItsKeyOnly(t *testing.T) {
	ctx := context.Background()
	all := keys(t)
	own, err := all[0].AccountKey(ctx, wallet.ScriptWSH, 7)
	if err != nil {
		t.Fatal(err)
	}
	other, err := all[0].AccountKey(ctx, wallet.ScriptWSH, 8)
	if err != nil {
		t.Fatal(err)
	}
	replacement := func(key wallet.Key) port.KeyClaim {
		return port.KeyClaim{Group: [32]byte{1}, Identity: [32]byte{2}, Sealing: [32]byte{3}, Replaces: &port.Replaced{
			Account: port.AccountHash([32]byte{1}, key.String()), Position: 1, Old: [32]byte{4},
			Cuts: []port.ReplacedCut{{Incarnation: 1, Seq: 9, Last: [32]byte{5}}},
		}}
	}
	for _, allowed := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "s")
		serveWith(t, path, signer.Options{Keys: all[0], Users: []uint32{me()}, Replacements: allowed})
		c := signer.Dial(path, wallet.Regtest)
		defer c.Close()
		for name, x := range map[string]struct {
			claim port.KeyClaim
			ok    bool
		}{
			"own key":              {possession(own), true},
			"another key":          {possession(other), false},
			"a ping":               {port.KeyClaim{Group: [32]byte{1}, Identity: [32]byte{2}, Key: own.String(), Round: [32]byte{6}}, true},
			"a ping of another":    {port.KeyClaim{Group: [32]byte{1}, Identity: [32]byte{2}, Key: other.String(), Round: [32]byte{6}}, false},
			"a ping and more":      {func() port.KeyClaim { r := replacement(own); r.Round = [32]byte{6}; return r }(), false},
			"no group":             {port.KeyClaim{Identity: [32]byte{2}, Key: own.String()}, false},
			"replacement":          {replacement(own), allowed},
			"another's":            {replacement(other), false},
			"replaces itself":      {func() port.KeyClaim { r := replacement(own); r.Identity = r.Replaces.Old; return r }(), false},
			"replacement of a key": {func() port.KeyClaim { r := replacement(own); r.Key = own.String(); return r }(), false},
		} {
			sig, err := c.SignClaim(ctx, wallet.ScriptWSH, 7, x.claim)
			if x.ok != (err == nil) {
				t.Errorf("replacements %v, %s: %v", allowed, name, err)
			}
			if err == nil && own.VerifyHash(x.claim.Hash(), sig) != nil {
				t.Errorf("%s: not signed what was claimed", name)
			}
			if name == "replacement" && !allowed && (err == nil || !strings.Contains(err.Error(), "--allow-replacement")) {
				t.Errorf("the refusal does not say what to do: %v", err)
			}
		}
	}
}

// A node and a signer of different versions say so.
func TestVersionsThatDiffer(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "s")
	all := keys(t)
	serve(t, path, all[0], me())
	h := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	resp, err := h.Post("http://signer/v1/hash", "application/json", strings.NewReader(`{"script":"wsh","account":0,"hash":""}`))
	if err != nil {
		t.Fatal(err)
	}
	var a struct{ Error string }
	if err := errors.Join(json.NewDecoder(resp.Body).Decode(&a), resp.Body.Close()); err != nil || !strings.Contains(a.Error, "older version") {
		t.Errorf("an older node is told %q, %v", a.Error, err)
	}
	old := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", old)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.NewServeMux()} // it knows no such request
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	c := signer.Dial(old, wallet.Regtest)
	key, err := all[0].AccountKey(ctx, wallet.ScriptWSH, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SignClaim(ctx, wallet.ScriptWSH, 0, possession(key)); err == nil || !strings.Contains(err.Error(), "older version") {
		t.Errorf("of an older signer is said: %v", err)
	}
	c.Close()
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	<-served
}

// Whatever is asked wrongly is refused, and the signer goes on.
func TestBadRequests(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	all := keys(t)
	serve(t, path, all[0], me())
	h := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
	defer h.CloseIdleConnections()
	d := descriptor(t, wallet.ScriptWSH, all...).String()
	for name, q := range map[string]struct{ path, body string }{
		"nothing":         {"/v1/account", ""},
		"no json":         {"/v1/account", "{"},
		"unknown field":   {"/v1/account", `{"script":"wsh","account":0,"seed":true}`},
		"two values":      {"/v1/account", `{"script":"wsh","account":0}{}`},
		"script":          {"/v1/account", `{"script":"tr","account":0}`},
		"account":         {"/v1/account", `{"script":"wsh","account":2147483648}`},
		"any hash":        {"/v1/hash", `{"script":"wsh","account":0,"hash":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}`},
		"no claim":        {"/v1/claim", `{"script":"wsh","account":0}`},
		"short group":     {"/v1/claim", `{"script":"wsh","account":0,"group":"AAAA","identity":"","sealing":"","key":"x"}`},
		"a hash as claim": {"/v1/claim", `{"script":"wsh","account":0,"hash":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="}`},
		"no descriptor":   {"/v1/spend", `{"script":"wsh","account":0,"descriptor":"","psbt":""}`},
		"no psbt":         {"/v1/spend", `{"script":"wsh","account":0,"descriptor":"` + d + `","psbt":"AAAA"}`},
		"too long":        {"/v1/claim", `{"script":"` + strings.Repeat("w", 9<<20) + `"}`},
		"unknown request": {"/v1/seed", `{}`},
	} {
		resp, err := h.Post("http://signer"+q.path, "application/json", strings.NewReader(q.body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var a struct{ Error, Key, Signature, Signatures json.RawMessage }
		known := json.NewDecoder(resp.Body).Decode(&a) == nil
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if resp.StatusCode < 400 || known && (a.Error == nil || a.Key != nil || a.Signature != nil || a.Signatures != nil) {
			t.Errorf("%s: status %d, %+v", name, resp.StatusCode, a)
		}
	}
	c := signer.Dial(path, wallet.Regtest)
	defer c.Close()
	if err := c.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

// A signer that answers with nonsense is not believed.
func TestSignerThatLies(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	all := keys(t)
	s := spend(t, descriptor(t, wallet.ScriptWSH, all...))
	good, err := all[0].SignSpend(ctx, wallet.ScriptWSH, 0, s)
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan any, 1)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(<-answers); err != nil {
			t.Error(err)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	defer func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	c := signer.Dial(path, wallet.Regtest)
	defer c.Close()
	bad := bytes.Clone(good[1].Bytes)
	bad[10] ^= 1
	for name, a := range map[string]any{
		"too few":   map[string]any{"signatures": good[:2]},
		"wrong one": map[string]any{"signatures": []wallet.Signature{good[0], {Input: 1, Key: good[1].Key, Bytes: bad}, good[2]}},
		"no list":   map[string]any{"signatures": "all of them"},
		"unknown":   map[string]any{"signatures": good, "seed": "x"},
	} {
		answers <- a
		if sigs, err := c.SignSpend(ctx, wallet.ScriptWSH, 0, s); err == nil {
			t.Errorf("%s: taken: %v", name, sigs)
		}
	}
	answers <- map[string]any{"key": "tpub"}
	if k, err := c.AccountKey(ctx, wallet.ScriptWSH, 0); err == nil {
		t.Errorf("key %v", k)
	}
	answers <- map[string]any{"signatures": good}
	if _, err := c.SignSpend(ctx, wallet.ScriptWSH, 0, s); err != nil {
		t.Error(err)
	}
}
