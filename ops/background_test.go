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
	// One that says nothing is not given the words of the one before, and one that
	// says something else than that it is ready is ended.
	o.Program = script(t, "node", "exit 1")
	if err := StartInBackground(t.Context(), o); codeOf(t, err) != "not_started" || strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("%v", err)
	}
	o.Program = script(t, "node", `echo '{"error":{}}'; echo "no peers" >&2; exec sleep 1000`)
	if err := StartInBackground(t.Context(), o); codeOf(t, err) != "not_started" || !strings.Contains(err.Error(), "no peers") {
		t.Errorf("%v", err)
	}
	// Its paths are good where it runs.
	t.Chdir(dir)
	o.DataDir, o.Program = ".", script(t, "node", `echo "$3" > "$3/got"; echo '{"ready":true}'`)
	if err := StartInBackground(t.Context(), o); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "got")); err != nil || string(got) != dir+"\n" {
		t.Errorf("it got %q %v", got, err)
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
	log := filepath.Join(t.TempDir(), "log")
	if _, err := install(`echo "$*" >> ` + log + `; [ "$2" != enable ] || { echo no; echo bus; exit 1; } >&2`); codeOf(t, err) != "no_service" || !strings.Contains(err.Error(), "no bus") {
		t.Errorf("%v", err)
	}
	// What was enabled is no more, so that nothing starts it again and again.
	if b, err := os.ReadFile(log); err != nil || string(b) != "--user daemon-reload\n--user enable --now quorate.service\n--user disable --now quorate.service\n--user daemon-reload\n" {
		t.Errorf("%s %v", b, err)
	}
	if left, err := filepath.Glob(filepath.Join(home, "systemd", "user", "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
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
	other := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", other)
	for _, bad := range []string{"/d\"\nExecStart=/evil", "/d\r", "/d\x1b[31m", "/d\xff", "/d%h", "/d$HOME", `/d\x41`} {
		o.DataDir = bad
		if _, err := install("exit 0"); codeOf(t, err) != "bad_path" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if left, err := os.ReadDir(other); err != nil || len(left) > 0 {
		t.Errorf("a refusal made %v %v", left, err)
	}
	// A unit is read in no directory.
	t.Chdir(other)
	o.DataDir = "n"
	if unit, err = install("exit 0"); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(unit); err != nil || !strings.Contains(string(text), `--data-dir "`+filepath.Join(other, "n")+`"`) {
		t.Errorf("%s %v", text, err)
	}
}
