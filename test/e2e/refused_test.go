package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// refused holds a command line to its exit status and stable code, one line on
// standard error, and one JSON value on standard output.
func refused(t testing.TB, a answer, status int, code string) api.ErrorText {
	t.Helper()
	var e api.ErrorBody
	if a.status != status {
		t.Errorf("`quorate %s`: exit status %d, not %d: %s", a.line, a.status, status, a.err)
	}
	// An invite in an argument is warned of, in a line of its own before it.
	if strings.HasPrefix(a.err, "warning: the invite was given in an argument") {
		_, a.err, _ = strings.Cut(a.err, "\n")
	}
	if strings.Count(a.err, "\n") != 1 || !strings.HasSuffix(a.err, "\n") {
		t.Errorf("`quorate %s` wrote not one line on standard error: %q", a.line, a.err)
	}
	if err := json.Unmarshal(a.out, &e); err != nil {
		t.Errorf("`quorate %s` answered %q: %v", a.line, a.out, err)
	}
	if e.Error.Code != code || e.Error.Message == "" {
		t.Errorf("`quorate %s` was refused as %q (%s), not as %q", a.line, e.Error.Code, e.Error.Message, code)
	}
	if !strings.Contains(a.err, e.Error.Message) {
		t.Errorf("`quorate %s` says %q on standard error, and %q in JSON", a.line, a.err, e.Error.Message)
	}
	return e.Error
}
