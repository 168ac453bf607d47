package ops

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// script writes a program that stands for another one.
func script(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// A node in the background gets the passphrase through a pipe, and is there when it
// says that it is ready; one that ends before has said why in its log.
func TestStartInBackground(t *testing.T) {
	dir := t.TempDir()
	o := BackgroundOptions{
		DataDir: dir, Passphrase: []byte("correct horse battery"), Environ: os.Environ(),
		Program: script(t, "node", `read pass < "$6"; echo "$pass|$*" > "$3/got"; echo '{"ready":true}'`),
	}
	if err := StartInBackground(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "got"))
	if want := "correct horse battery|--json --data-dir " + dir + " start --passphrase-file /dev/fd/3\n"; err != nil || string(got) != want {
		t.Errorf("%q %v", got, err)
	}
	o.Program = script(t, "node", `echo "first" >&2; echo "the port is taken" >&2; exit 1`)
	err = StartInBackground(t.Context(), o)
	if codeOf(t, err) != "not_started" || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("%v", err)
	}
	if fi, err := os.Stat(filepath.Join(dir, logName)); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the log: %v", err)
	}
}

// A service has its unit and its passphrase, or neither.
func TestInstallService(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	asked := filepath.Join(t.TempDir(), "asked")
	o := BackgroundOptions{DataDir: "/d", Program: "/p/quorate", Passphrase: []byte("correct horse battery")}
	install := func(text string) (string, error) {
		t.Setenv("PATH", filepath.Dir(script(t, "systemctl", text))+":"+os.Getenv("PATH"))
		o.Environ = os.Environ()
		return InstallService(t.Context(), o)
	}
	secret := filepath.Join(home, "quorate", "passphrase")
	if _, err := install("echo no bus >&2; exit 1"); codeOf(t, err) != "no_service" || !strings.Contains(err.Error(), "no bus") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(secret); err == nil {
		t.Error("the passphrase is left")
	}
	unit, err := install(`echo "$*" >> ` + asked)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(unit)
	if err != nil || !strings.Contains(string(text), `ExecStart="/p/quorate" --data-dir "/d" start --passphrase-file "`+secret+`"`) || strings.Contains(string(text), "horse") {
		t.Errorf("%s %v", text, err)
	}
	if b, err := os.ReadFile(asked); err != nil || string(b) != "--user daemon-reload\n--user enable --now quorate.service\n" {
		t.Errorf("%s %v", b, err)
	}
	if fi, err := os.Stat(secret); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the passphrase: %v", err)
	}
	if _, err := install("exit 0"); codeOf(t, err) != "exists" {
		t.Errorf("a second time: %v", err)
	}
	if _, err := os.Stat(secret); err != nil {
		t.Error("what was there is gone")
	}
	o.DataDir = "/d\"\nExecStart=/evil"
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if _, err := install("exit 0"); codeOf(t, err) != "bad_path" {
		t.Errorf("%v", err)
	}
}
