package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// A service counts as started once its node answers, not when systemd says that it was
// begun; one whose node never does is an error that says where to look, and so is an
// interrupt.
func TestSetupWaitsForTheNodeOfAService(t *testing.T) {
	code := func(err error) string {
		var e *api.Error
		if !errors.As(err, &e) {
			t.Fatalf("%v", err)
		}
		return e.Code
	}
	empty := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := &cli{dataDir: empty, out: &bytes.Buffer{}, err: &bytes.Buffer{}}
		begun := time.Now()
		err := c.answers(t.Context())
		if code(err) != "not_started" || time.Since(begun) != serviceStart {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		if e := api.AsError(err); !strings.Contains(e.Hint, "journalctl") || !strings.Contains(e.Hint, "disable --now quorate") {
			t.Errorf("the hint is %q", e.Hint)
		}
		gone, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if err := c.answers(gone); code(err) != "interrupted" {
			t.Errorf("interrupted: %v", err)
		}
	})

	// One that answers late is waited for.
	dir := t.TempDir()
	c := &cli{dataDir: dir, out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	if _, err := c.health(t.Context()); err == nil {
		t.Fatal("a node answers already")
	}
	done := make(chan error, 1)
	go func() { done <- c.answers(t.Context()) }()
	serveIn(t, dir, apitest.New())
	if err := <-done; err != nil {
		t.Errorf("a node that answers late: %v", err)
	}
}

// nodeThatRuns is a node that was made and whose directory something answers in, and the
// environment in which systemctl writes down what it is asked.
func nodeThatRuns(t *testing.T) (environ []string, asked, home string) {
	t.Helper()
	home = t.TempDir()
	dir := filepath.Join(home, "n")
	pass := filepath.Join(home, "pass")
	if err := os.WriteFile(pass, []byte(longPassphrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(home, "bin")
	asked = filepath.Join(home, "asked")
	if err := errors.Join(os.Mkdir(bin, 0o700), os.WriteFile(filepath.Join(bin, "systemctl"), []byte("#!/bin/sh\necho \"$*\" >> "+asked+"\n"), 0o700)); err != nil {
		t.Fatal(err)
	}
	environ = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "QUORATE_DATA_DIR=" + dir, "PATH=" + bin + ":" + os.Getenv("PATH")}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	var out, said bytes.Buffer
	if status := run([]string{"init", "--network", "regtest", "--name", "bob", "--no-seed", "--passphrase-file", pass}, environ, strings.NewReader(""), &out, &said); status != 0 {
		t.Fatalf("init: %s%s", &out, &said)
	}
	serveIn(t, dir, apitest.New())
	return environ, asked, home
}

// A node that runs already is not made a service beside itself: nothing is installed. Without
// --service there is nothing to do.
func TestSetupOfANodeThatRuns(t *testing.T) {
	environ, asked, home := nodeThatRuns(t)
	s := onTerminal(t, environ, "setup", "--service")
	s.expect("There is a node in")
	s.expect("not as a service")
	s.ends(4)
	if b, err := os.ReadFile(asked); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("systemctl was asked %s: %v", b, err)
	}
	if left, err := os.ReadDir(filepath.Join(home, "config")); err == nil {
		t.Errorf("it left %v", left)
	}
	s = onTerminal(t, environ, "setup")
	s.expect("There is a node in")
	if text := s.ends(0); strings.Contains(text, "in the background?") {
		t.Errorf("it is asked whether to start what runs:\n%s", text)
	}
}
