package ops

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// standIn is a program that answers as hwi does.
func standIn(t *testing.T, enumerate, signtx string) HWI {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"enumerate": enumerate, "signtx": signtx} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "hwi")
	script := "#!/bin/sh\nfor last; do :; done\nif [ \"$last\" = enumerate ]; then echo \"$@\" >" + dir + "/looked; cat " + dir + "/enumerate; exit; fi\necho \"$@\" >" + dir + "/args\ncat >" + dir + "/in\ncat " + dir + "/signtx\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return HWI{Program: program, Chain: "regtest"}
}

func TestHWIFindsTheDevice(t *testing.T) {
	const list = `[{"type":"trezor","model":"trezor_1","fingerprint":"01020304","needs_pin_sent":false},
		{"type":"coldcard","model":"coldcard","fingerprint":"AABBCCDD"},{"type":"ledger","error":"locked","code":-12}]`
	if name, err := standIn(t, list, "").Device(t.Context(), "aabbccdd"); err != nil || name != "coldcard coldcard" {
		t.Errorf("%q, %v", name, err)
	}
	for code, answer := range map[string]string{
		"wrong_device": list,
		"no_device":    `[]`,
		"hwi_answer":   `Traceback (most recent call last):`,
		"device_error": `{"error":"libusb is missing","code":-13}`,
		"hwi_failed":   ``,
	} {
		if _, err := standIn(t, answer, "").Device(t.Context(), "11111111"); codeOf(t, err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// A device of a test network opens for its own chain alone, and what hwi says of one that
// does not open is passed on.
func TestHWILooksOnTheChain(t *testing.T) {
	const words = "Could not open client or get fingerprint information: -32003 Network type inconsistent with prior usage"
	h := standIn(t, `[{"type":"jade","model":"jade","error":"`+words+`","code":-13},{"type":"trezor","model":"t","needs_pin_sent":true}]`, "")
	_, err := h.Device(t.Context(), "aabbccdd")
	if codeOf(t, err) != "wrong_device" || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "jade (locked)") || !strings.Contains(err.Error(), "trezor t (locked)") {
		t.Errorf("%v", err)
	}
	args, err := os.ReadFile(filepath.Join(filepath.Dir(h.Program), "looked"))
	if err != nil || strings.TrimSpace(string(args)) != "--chain regtest enumerate" {
		t.Errorf("arguments %q: %v", args, err)
	}
}

func TestHWISigns(t *testing.T) {
	h := standIn(t, "", `{"psbt":"cHNidP8B","signed":true}`)
	signed, err := h.Sign(t.Context(), "aabbccdd", "cHNidP8A")
	if err != nil || signed != "cHNidP8B" {
		t.Errorf("%q, %v", signed, err)
	}
	args, err := os.ReadFile(filepath.Join(filepath.Dir(h.Program), "args"))
	if err != nil || strings.TrimSpace(string(args)) != "--chain regtest --fingerprint aabbccdd --stdin" {
		t.Errorf("arguments %q: %v", args, err)
	}
	in, err := os.ReadFile(filepath.Join(filepath.Dir(h.Program), "in"))
	if err != nil || string(in) != "signtx cHNidP8A\n\n" {
		t.Errorf("standard input %q: %v", in, err)
	}
	for code, answer := range map[string]string{
		"device_refused":  `{"error":"signtx canceled","code":-14}`,
		"device_unsigned": `{"psbt":"cHNidP8A","signed":false}`,
		"device_error":    `{"error":"bad tx","code":-5}`,
		"hwi_answer":      `garbage`,
		"hwi_failed":      ``,
	} {
		if _, err := standIn(t, "", answer).Sign(t.Context(), "aabbccdd", "cHNidP8A"); codeOf(t, err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := standIn(t, "", `{"psbt":"&&&"}`).Sign(t.Context(), "aabbccdd", "cHNidP8A"); codeOf(t, err) != "hwi_answer" {
		t.Errorf("no PSBT: %v", err)
	}
	if _, err := (HWI{Program: "/nonexistent/hwi"}).Sign(t.Context(), "aabbccdd", "x"); codeOf(t, err) != "hwi_failed" {
		t.Errorf("no program: %v", err)
	}
}

func TestHWIIsLookedFor(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := FindHWI("regtest"); codeOf(t, err) != "hwi_missing" {
		t.Errorf("%v", err)
	}
}

// A device that is locked has no fingerprint, and is not the one of nobody's key.
func TestHWIWithoutAKey(t *testing.T) {
	h := standIn(t, `[{"type":"trezor","model":"trezor_1","needs_pin_sent":true}]`, "")
	if name, err := h.Device(t.Context(), ""); codeOf(t, err) != "no_key" {
		t.Errorf("%q %v", name, err)
	}
}

// What answers without end is cut off and named.
func TestHWIAnswersTooMuch(t *testing.T) {
	h := HWI{Program: filepath.Join(t.TempDir(), "hwi")}
	if err := os.WriteFile(h.Program, []byte("#!/bin/sh\nexec cat /dev/zero\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Device(t.Context(), "aabbccdd"); codeOf(t, err) != "hwi_answer" {
		t.Errorf("%v", err)
	}
}

// Any answer of hwi is read, or one named error.
func FuzzHWI(f *testing.F) {
	f.Add([]byte(`[{"type":"coldcard","model":"coldcard","fingerprint":"AABBCCDD"}]`))
	f.Add([]byte(`{"psbt":"cHNidP8B","signed":true}`))
	f.Add([]byte(`{"error":"no","code":-14}`))
	f.Fuzz(func(t *testing.T, out []byte) {
		if _, err := matching(out, "aabbccdd"); err != nil && codeOf(t, err) == "" {
			t.Error(err)
		}
		signed, err := signedPSBT(out)
		if err != nil && codeOf(t, err) == "" || err == nil && signed == "" {
			t.Errorf("%q %v", signed, err)
		}
	})
}
