package policy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// offset is how far a zone is east of UTC in the winter of 2026, in seconds.
func offset(at *time.Location) int {
	_, n := time.Unix(1_767_225_600, 0).In(at).Zone()
	return n
}

// A machine whose own zones say something else changes nothing: another process is started
// with such, since Go reads ZONEINFO once.
func TestZonesAreTheProgramsOwn(t *testing.T) {
	const env, berlin, tokyo = "QUORATE_TEST_ZONES", 3600, 9 * 3600
	if os.Getenv(env) == "" {
		dir := t.TempDir()
		all, err := zoneData()
		if err != nil {
			t.Fatal(err)
		}
		b, err := read(all["Asia/Tokyo"])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Europe/Berlin", "Moon/Base"} {
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestZonesAreTheProgramsOwn$", "-test.v")
		cmd.Env = append(os.Environ(), env+"=1", "ZONEINFO="+dir)
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
			t.Fatalf("with other zones: %v\n%s", err, out)
		}
		return
	}
	for _, name := range []string{"Europe/Berlin", "Moon/Base"} {
		if at, err := time.LoadLocation(name); err != nil || offset(at) != tokyo {
			t.Fatalf("the machine's zone %s is not the doctored one: %v, %v", name, at, err)
		}
	}
	if at, err := LoadZone("Europe/Berlin"); err != nil || offset(at) != berlin {
		t.Errorf("Berlin: %v, %v", at, err)
	}
	if at, err := LoadZone("Moon/Base"); err == nil {
		t.Errorf("a zone of this machine alone: %v", at)
	}
	if v := checkHours(place{}, []Hours{{127, 0, 1440, "Moon/Base"}}); v == nil {
		t.Error("a policy names a zone of this machine alone")
	}
}

// Every zone of the file is read, and the file is that of the Go that builds this.
func TestZones(t *testing.T) {
	all, err := zoneData()
	if err != nil || len(all) < 500 {
		t.Fatalf("%d zones, %v", len(all), err)
	}
	for name, f := range all {
		if _, err := LoadZone(name); (err != nil) != f.FileInfo().IsDir() {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "Local", "Europe", "Europe/", "europe/berlin", "Europe/Berlin/", "../UTC", "/UTC", "Mars/Base"} {
		if at, err := LoadZone(name); err == nil {
			t.Errorf("%q is %v", name, at)
		}
	}
	if at, err := LoadZone("UTC"); err != nil || offset(at) != 0 {
		t.Errorf("UTC: %v, %v", at, err)
	}
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("there is no Go to compare with: %v", err)
	}
	b, err := os.ReadFile(filepath.Join(string(bytes.TrimSpace(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("this Go has no zones to compare with: %v", err)
	}
	if !bytes.Equal(b, zoneFile) {
		t.Error("policy/zoneinfo.zip is another one than lib/time/zoneinfo.zip of this Go: copy it")
	}
}
