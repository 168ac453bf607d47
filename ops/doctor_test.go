package ops

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/store/storetest"
)

// lived is a stopped node that had a wallet, and some entries in it.
func lived(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "n")
	o := initOptions(dir)
	o.Config.Listen, o.Config.Chain.Backend = []string{"/ip4/127.0.0.1/tcp/0"}, "none"
	if _, err := Init(o); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- app.Run(ctx, app.RunOptions{DataDir: dir, Config: o.Config, Passphrase: testPass, Log: slog.New(slog.DiscardHandler), Ready: func() { close(ready) }})
	}()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	client, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.CreateWallet(ctx, api.CreateWallet{Name: "mine", Threshold: 1, Cosigners: 1}); err != nil {
		t.Fatal(err)
	}
	w, err := client.Wallet(ctx, "mine")
	if err != nil || w.Words == nil {
		t.Fatalf("%+v %v", w, err)
	}
	if _, err := client.RatifyWallet(ctx, "mine", api.RatifyWallet{Words: *w.Words}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := client.NewAddress(ctx, "mine", api.NewAddress{}); err != nil {
			t.Fatal(err)
		}
	}
	// Of a running node it looks at the files, and asks.
	for _, pass := range [][]byte{testPass, nil} {
		x, err := Doctor(ctx, DoctorOptions{DataDir: dir, Passphrase: pass, Now: time.Now(), Log: slog.New(slog.DiscardHandler)})
		if err != nil || len(x.Items) != 0 {
			t.Errorf("a healthy running node: %+v %v", x, err)
		}
		looked(t, x, map[string]string{
			"files": api.LookFine, "history": api.LookFine, "space": api.LookFine, "listeners": api.LookFine, "broadcasts": api.LookFine, "alarms": api.LookFine,
			"keystore": map[bool]string{true: api.LookFine, false: api.LookNone}[pass != nil], "chain": api.LookNone,
		})
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return dir
}

// looked checks what was looked at: each part has one verdict, one that was not looked at
// says why, and where something is wrong some part says so.
func looked(t *testing.T, x api.Examination, want map[string]string) {
	t.Helper()
	got, wrong := map[string]string{}, false
	for _, l := range x.Looks {
		if was, twice := got[l.Look]; twice {
			t.Errorf("%s is %s and %s", l.Look, was, l.Verdict)
		}
		got[l.Look] = l.Verdict
		wrong = wrong || l.Verdict != api.LookFine
		if l.Verdict == api.LookNone && l.Note == "" {
			t.Errorf("%s was not looked at, and nothing says why", l.Look)
		}
	}
	if len(x.Items) > 0 && !wrong {
		t.Errorf("every look is fine: %+v", x)
	}
	for _, part := range []string{"files", "configuration", "keystore", "store", "space", "history", "clock", "chain", "listeners", "broadcasts", "alarms"} {
		if got[part] == "" {
			t.Errorf("nothing is said of %s", part)
		}
	}
	for part, verdict := range want {
		if got[part] != verdict {
			t.Errorf("%s is %s, not %s", part, got[part], verdict)
		}
	}
}

// examined are the codes of what the doctor finds.
func examined(t *testing.T, dir string, mend bool, now time.Time) ([]string, []Ailment) {
	t.Helper()
	x, err := Doctor(t.Context(), DoctorOptions{DataDir: dir, Passphrase: testPass, Mend: mend, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	found := x.Items
	looked(t, x, map[string]string{"chain": api.LookNone, "listeners": api.LookNone})
	var codes []string
	for _, a := range found {
		if a.What == "" || a.Do == "" || strings.Contains(a.What+a.Do, "\n") {
			t.Errorf("%+v", a)
		}
		if !slices.Contains(codes, a.Code) {
			codes = append(codes, a.Code)
		}
	}
	return codes, found
}

func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "n")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(to, func(p string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Chmod(p, 0o700)
		}
		return os.Chmod(p, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// Each planted damage is found and named, a healthy node has none, and what is
// mended is healthy again.
func TestDoctorFindsWhatIsPlanted(t *testing.T) {
	healthy := lived(t)
	if codes, found := examined(t, healthy, false, time.Now()); len(codes) != 0 {
		t.Fatalf("a healthy node: %+v", found)
	}
	c, err := app.Unlock(healthy, "regtest", testPass)
	if err != nil {
		t.Fatal(err)
	}
	key := c.DatabaseKey
	flip := func(v []byte) []byte { b := bytes.Clone(v); b[len(b)/2] ^= 1; return b }
	flipFile := func(name string) func(string) error {
		return func(dir string) error {
			p := filepath.Join(dir, name)
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			return os.WriteFile(p, flip(b), 0o600)
		}
	}
	// plant changes the first value whose key is of a space and holds a text.
	plant := func(space byte, text string, how func([]byte) []byte) func(string) error {
		return func(dir string) error {
			hit := false
			n, err := storetest.Plant(filepath.Join(dir, app.StoreName), key[:], func(k, v []byte) ([]byte, bool) {
				if hit || k[0] != space || !bytes.Contains(k, []byte(text)) {
					return nil, false
				}
				hit = true
				return how(v), true
			})
			if err == nil && n != 1 {
				err = fmt.Errorf("%d values were changed", n)
			}
			return err
		}
	}
	// put commits a record as the node would, so that its checksum is right.
	put := func(name string, value []byte) func(string) error {
		return func(dir string) error {
			db := openStore(t, dir)
			var group string
			for k := range contents0(t, db) {
				if g, ok := strings.CutPrefix(k, "group/"); ok {
					group = g
				}
			}
			return errorsJoin(db.Commit(t.Context(), batchOf(group, name, value)), db.Close())
		}
	}
	drop := func([]byte) []byte { return nil }
	later := time.Now().Add(-200 * time.Hour)
	for name, x := range map[string]struct {
		plant func(dir string) error
		want  string
		mends bool
		now   time.Time
	}{
		"keystore missing":          {func(d string) error { return os.Remove(filepath.Join(d, app.KeystoreName)) }, "keystore_missing", false, time.Time{}},
		"keystore: a flipped byte":  {flipFile(app.KeystoreName), "keystore_corrupt", false, time.Time{}},
		"keystore: wrong mode":      {func(d string) error { return os.Chmod(filepath.Join(d, app.KeystoreName), 0o644) }, "keystore_permissions", true, time.Time{}},
		"configuration missing":     {func(d string) error { return os.Remove(app.ConfigPath(d)) }, "config_missing", false, time.Time{}},
		"configuration: garbage":    {func(d string) error { return os.WriteFile(app.ConfigPath(d), []byte("{"), 0o600) }, "config_bad", false, time.Time{}},
		"configuration: mode":       {func(d string) error { return os.Chmod(app.ConfigPath(d), 0o644) }, "config_permissions", true, time.Time{}},
		"configuration: network":    {func(d string) error { return swap(app.ConfigPath(d), "regtest", "signet") }, "wrong_network", false, time.Time{}},
		"data directory: mode":      {func(d string) error { return os.Chmod(d, 0o755) }, "data_dir_permissions", true, time.Time{}},
		"a file left over":          {func(d string) error { return os.WriteFile(filepath.Join(d, "keystore.AB.tmp"), nil, 0o600) }, "leftover", true, time.Time{}},
		"an unfinished restore":     {unfinished, "restore_unfinished", false, time.Time{}},
		"a wrong clock":             {func(string) error { return nil }, "clock_behind", false, later},
		"store missing":             {func(d string) error { return os.RemoveAll(filepath.Join(d, app.StoreName)) }, "store_missing", false, time.Time{}},
		"store: a file is missing":  {func(d string) error { return os.Remove(filepath.Join(d, app.StoreName, "MANIFEST")) }, "store_corrupt", false, time.Time{}},
		"store: its keys are gone":  {func(d string) error { return os.Remove(filepath.Join(d, app.StoreName, "KEYREGISTRY")) }, "store_corrupt", false, time.Time{}},
		"store: a truncated table":  {truncateTable, "store_corrupt", false, time.Time{}},
		"entry: a flipped byte":     {plant('e', "", flip), "entry_damaged", false, time.Time{}},
		"entry missing":             {plant('e', "", drop), "chain_broken", false, time.Time{}},
		"journal truncated":         {lastEntry(key[:]), "entry_count", false, time.Time{}},
		"index: a flipped byte":     {plant('i', "", flip), "entry_index", false, time.Time{}},
		"index: an entry missing":   {plant('i', "", drop), "entry_index", false, time.Time{}},
		"count: a flipped byte":     {plant('n', "", func(v []byte) []byte { b := bytes.Clone(v); b[7] ^= 4; return b }), "entry_count", false, time.Time{}},
		"guard: its count":          {signedThen(t, plant('m', "", flip8)), "store_corrupt", false, time.Time{}},
		"guard: a record missing":   {signedThen(t, plant('g', "", drop)), "store_corrupt", false, time.Time{}},
		"wallet record: flipped":    {plant('r', "local", flip), "record_damaged", false, time.Time{}},
		"wallet record: garbage":    {put("local", []byte{1}), "wallet_record", false, time.Time{}},
		"wallet record: missing":    {plant('r', "local", drop), "wallet_record", false, time.Time{}},
		"pin: cut short":            {put("pin", []byte{1}), "pin", false, time.Time{}},
		"invite: garbage":           {put("invite/00", []byte{0xff}), "local_record", false, time.Time{}},
		"restore record: garbage":   {put("restored", []byte{0xff}), "restore_record", false, time.Time{}},
		"snapshot: garbage":         {put("snapshot", []byte("stale")), "snapshot_stale", true, time.Time{}},
		"view: garbage":             {put("view", []byte("stale")), "view_damaged", true, time.Time{}},
		"view: a flipped byte":      {plant('r', "view", flip), "view_damaged", true, time.Time{}},
		"list of wallets: an entry": {plant('r', "group/", drop), "wallet_unlisted", false, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyTree(t, healthy)
			if err := x.plant(dir); err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			if !x.now.IsZero() {
				now = x.now
			}
			codes, found := examined(t, dir, false, now)
			if !slices.Contains(codes, x.want) {
				t.Fatalf("%s was not found: %+v", x.want, found)
			}
			_, found = examined(t, dir, true, now)
			for _, a := range found {
				if a.Code == x.want && a.Mended != x.mends {
					t.Errorf("mended %v: %+v", a.Mended, a)
				}
			}
			if x.mends {
				if codes, found := examined(t, dir, false, now); len(codes) != 0 {
					t.Errorf("after it was mended: %+v", found)
				}
			}
		})
	}
	if codes, found := examined(t, healthy, false, time.Now()); len(codes) != 0 {
		t.Errorf("the healthy node was changed: %+v", found)
	}
}
