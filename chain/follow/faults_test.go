package follow

import "testing"

// What a server says may hold characters of two bytes that a terminal obeys.
func TestOneLineIsPlain(t *testing.T) {
	for said, want := range map[string]string{
		"\u009b2J\u009b1;1HAll is well \u202egninrael\u202c": "\ufffd2J\ufffd1;1HAll is well \ufffdgninrael\ufffd",
		"two\nlines\x7f\x00": "two lines\ufffd\ufffd",
		"no such block":      "no such block",
		"\xff":               "?",
	} {
		if got := OneLine(said); got != want {
			t.Errorf("OneLine(%+q) = %+q, want %+q", said, got, want)
		}
	}
}
