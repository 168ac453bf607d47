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
	if a.Status != status {
		t.Errorf("`quorate %s`: exit status %d, not %d: %s", a.Line, a.Status, status, a.Err)
	}
	// An invite in an argument is warned of, in a line of its own before it.
	if strings.HasPrefix(a.Err, "warning: the invite was given in an argument") {
		_, a.Err, _ = strings.Cut(a.Err, "\n")
	}
	if strings.Count(a.Err, "\n") != 1 || !strings.HasSuffix(a.Err, "\n") {
		t.Errorf("`quorate %s` wrote not one line on standard error: %q", a.Line, a.Err)
	}
	if err := json.Unmarshal(a.Out, &e); err != nil {
		t.Errorf("`quorate %s` answered %q: %v", a.Line, a.Out, err)
	}
	if e.Error.Code != code || e.Error.Message == "" {
		t.Errorf("`quorate %s` was refused as %q (%s), not as %q", a.Line, e.Error.Code, e.Error.Message, code)
	}
	if !strings.Contains(a.Err, e.Error.Message) {
		t.Errorf("`quorate %s` says %q on standard error, and %q in JSON", a.Line, a.Err, e.Error.Message)
	}
	return e.Error
}
