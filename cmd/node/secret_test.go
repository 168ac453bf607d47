package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// A password in an argument can be seen by every user: it is said, and on mainnet
// refused, before anything is made.
func TestPasswordsInArguments(t *testing.T) {
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const warning = "was given in an argument, where other users can see it"
	token := "api.tokens=read:" + strings.Repeat("hunter2", 5)
	for _, c := range []struct {
		network, set string
		status       int
		warns        bool
	}{
		{"regtest", "chain.core.password=hunter2", 0, true},
		{"signet", token, 0, true},
		{"regtest", "chain.core.password=@" + secret, 0, false},
		{"mainnet", "chain.core.password=hunter2", 4, true},
		{"mainnet", token, 4, true},
		{"mainnet", "chain.core.password=@" + secret, 0, false},
	} {
		dir := filepath.Join(t.TempDir(), "n")
		var out, stderr bytes.Buffer
		args := []string{"--json", "--data-dir", dir, "init", "--network", c.network, "--name", "a", "--passphrase-file", pass, "--words-file", filepath.Join(t.TempDir(), "words"), "--set", c.set}
		if strings.HasPrefix(c.set, "chain.core") {
			args = append(args, "--set", "chain.core.user=u")
		}
		got := run(args, nil, strings.NewReader(""), &out, &stderr)
		if got != c.status || strings.Contains(stderr.String(), warning) != c.warns {
			t.Errorf("%s %s: exit status %d, %s", c.network, c.set, got, &stderr)
		}
		if strings.Contains(stderr.String()+out.String(), "hunter2") {
			t.Errorf("%s %s: the secret is repeated", c.network, c.set)
		}
		if refused := c.status != 0; refused {
			if _, err := os.Stat(dir); err == nil || !strings.Contains(out.String(), `"password_in_argument"`) {
				t.Errorf("%s %s: not refused by its name, or something was made: %s", c.network, c.set, &out)
			}
		}
	}
	// The node asks the same of start.
	dir := filepath.Join(t.TempDir(), "n")
	var out, stderr bytes.Buffer
	if got := run([]string{"--data-dir", dir, "init", "--name", "a", "--passphrase-file", pass, "--words-file", filepath.Join(t.TempDir(), "words")}, nil, strings.NewReader(""), &out, &stderr); got != 0 {
		t.Fatal(&stderr)
	}
	out.Reset()
	got := run([]string{"--json", "--data-dir", dir, "start", "--passphrase-file", pass, "--set", "chain.core.user=u", "--set", "chain.core.password=hunter2"}, nil, strings.NewReader(""), &out, &stderr)
	if got != 4 || !strings.Contains(out.String(), `"password_in_argument"`) {
		t.Errorf("start: exit status %d, %s", got, &out)
	}
}

// An invite is a secret too.
func TestInviteInAnArgument(t *testing.T) {
	for _, c := range []struct {
		arg, in string
		warns   bool
	}{{"quorate1invite", "", true}, {"-", "quorate1invite\n", false}} {
		b := apitest.New()
		dir := serveFake(t, b)
		var out, stderr bytes.Buffer
		got := run([]string{"--json", "--data-dir", dir, "wallet", "join", c.arg}, nil, strings.NewReader(c.in), &out, &stderr)
		if got != 0 || strings.Contains(stderr.String(), "where other users can see it") != c.warns || strings.Contains(stderr.String(), "quorate1invite") {
			t.Errorf("%q: exit status %d, %s", c.arg, got, &stderr)
		}
		if n := len(b.Requests()); n != 1 {
			t.Errorf("%q: %d requests", c.arg, n)
		}
	}
}

// serveFake serves a stand-in node, and returns its data directory.
func serveFake(t *testing.T, b api.Backend) string {
	t.Helper()
	dir := t.TempDir()
	serveIn(t, dir, b)
	return dir
}

// serveIn serves a stand-in node in a data directory.
func serveIn(t *testing.T, dir string, b api.Backend) {
	t.Helper()
	s, err := api.NewServer(b, api.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := api.ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.ServeLocal(l) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Shutdown(context.Background()), <-done); err != nil {
			t.Error(err)
		}
	})
}
