package app

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/kept"
	"github.com/quorate/quorate/api/kept/kepttest"
	"github.com/quorate/quorate/app/backup"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store"
)

func asks(t *testing.T, secret, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// A token outlives a restart, and one that was revoked is gone for good: a backup has none,
// so that none comes back with it.
func TestTokensOutliveARestart(t *testing.T) {
	dir, c := bare(t)
	c.API.Listen = freePort(t)
	status := "http://" + c.API.Listen + "/v1/status"
	client, _, stop := running(t, dir, c)
	if code := asks(t, strings.Repeat("x", api.MinToken), status); code != http.StatusUnauthorized {
		t.Errorf("without any token: HTTP %d", code)
	}
	kept, err := client.CreateToken(t.Context(), api.CreateToken{Name: "kept", Role: "read"})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := client.CreateToken(t.Context(), api.CreateToken{Name: "gone", Role: "read"})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := asks(t, kept.Secret, status), asks(t, gone.Secret, status); a != http.StatusOK || b != http.StatusOK {
		t.Fatalf("HTTP %d and %d", a, b)
	}
	if _, err := client.RevokeToken(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := client.Backup(t.Context(), &raw); err != nil {
		t.Fatal(err)
	}
	in, err := backup.NewReader(&raw)
	if err != nil {
		t.Fatal(err)
	}
	for {
		i, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(i.Key, recTokens) {
			t.Errorf("the backup has %s", i.Key)
		}
	}
	for range 2 {
		if a, b := asks(t, kept.Secret, status), asks(t, gone.Secret, status); a != http.StatusOK || b != http.StatusUnauthorized {
			t.Errorf("HTTP %d and %d", a, b)
		}
		stop()
		client, _, stop = running(t, dir, c)
	}
	all, err := client.Tokens(t.Context())
	if err != nil || len(all) != 1 || all[0].Name != "kept" || all[0].Used == nil {
		t.Errorf("%v %+v", err, all)
	}
	stop()
}

// The API's records are kept as its tests take them to be, beside others of the node, and
// what one part keeps is nothing to the other.
func TestRecordsOfTheAPI(t *testing.T) {
	dir := t.TempDir()
	open := func() *store.Badger {
		db, err := store.Open(dir, make([]byte, 32), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	db := open()
	defer func() { _ = db.Close() }()
	if err := db.Commit(t.Context(), port.Batch{Puts: map[string][]byte{recPorts: {9}, recAnswers + "a": {9}}}); err != nil {
		t.Fatal(err)
	}
	kepttest.Conform(t, apiStore{db, recTokens}, func() kept.Store {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open()
		return apiStore{db, recTokens}
	})
	if all, err := (apiStore{db, recAnswers}).Load(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
}
