package core

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is in a cookie file is sent to a server: no other file of the user is.
func TestCookieFileIsACookie(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for name, c := range map[string]struct {
		content string
		ok      bool
	}{
		"of Core":                             {"__cookie__:" + strings.Repeat("0f", 32), true},
		"with its line":                       {"__cookie__:x\n", true},
		"empty":                               {"", false},
		"no password":                         {"__cookie__:", false},
		"user and password of something else": {"root:hunter2\n", false},
		"a URL with a password":               {"https://me:hunter2@git.example\n", false},
		"a key":                               {"-----BEGIN KEY-----\nhunter2: x\n", false},
		"two lines":                           {"__cookie__:x\nhunter2\n", false},
		"far too long":                        {"__cookie__:" + strings.Repeat("hunter2", 100), false},
	} {
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		user, password, err := readCookie(path)
		if c.ok != (err == nil) || c.ok && (user != "__cookie__" || password == "") {
			t.Errorf("%s: %q %v", name, user, err)
		}
		if err != nil && (password != "" || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: the error shows the secret: %v", name, err)
		}
	}
	if _, _, err := readCookie(dir); err == nil {
		t.Error("a directory was read")
	}
	if _, _, err := readCookie(os.DevNull); err == nil {
		t.Error("a device was read")
	}
}

// FuzzCookie: whatever is read can be sent as a user and a password.
func FuzzCookie(f *testing.F) {
	f.Add([]byte("__cookie__:0f"))
	f.Add([]byte("a:b\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		user, password, err := parseCookie(b)
		if err != nil {
			return
		}
		if user != cookieUser || password == "" || len(password) > maxCookie || strings.ContainsAny(password, "\r\n\x00 ") {
			t.Fatalf("%q %q", user, password)
		}
	})
}
