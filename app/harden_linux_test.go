package app

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// A secret that was moved lies in a page that the kernel neither swaps nor dumps,
// where it says that it does so, and is wiped where it was.
func TestASecretIsLocked(t *testing.T) {
	was := []byte("correct horse battery staple")
	secret, err := locked(was)
	if err != nil {
		t.Skip(err) // the system does not allow it, and the node says so
	}
	defer unlocked(secret)
	if string(secret) != "correct horse battery staple" || strings.Trim(string(was), "\x00") != "" {
		t.Fatalf("moved %q, left %q", secret, was)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = f.Close() }()
	at, in := uint64(uintptr(unsafe.Pointer(&secret[0]))), false
	for s := bufio.NewScanner(f); s.Scan(); {
		var from, to uint64
		if n, _ := fmt.Sscanf(s.Text(), "%x-%x ", &from, &to); n == 2 {
			in = from <= at && at < to
		}
		if flags, ok := strings.CutPrefix(s.Text(), "VmFlags:"); ok && in {
			for _, want := range []string{"lo", "dd"} {
				if !strings.Contains(flags+" ", " "+want+" ") {
					t.Errorf("the page of the secret is not %q: %s", want, flags)
				}
			}
			return
		}
	}
	t.Error("the secret is in no page")
}
