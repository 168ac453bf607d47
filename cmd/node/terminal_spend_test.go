package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/quorate/quorate/api/apitest"
)

// spans are how far away a time was when the test ran.
var spans = regexp.MustCompile(`\((in )?\d+ (year|day|hour|minute)[^)]*\)`)

func sameSpans(text string) string {
	// The stand-in has a label that would move a cursor; there is a test of that.
	return strings.ReplaceAll(spans.ReplaceAllString(text, "(…)"), "rent \uFFFD[31mred", "rent")
}

func proposeSession() session {
	return session{
		name:  "Paying",
		about: "`propose` shows the whole payment and asks. What is then signed is what was shown, or nothing.",
		args:  []string{"propose", "family", "--to", apitest.Address + "=0.01", "--fee-rate", "2"},
		same:  sameSpans,
		play: func(_ *testing.T, s *screen, _ *apitest.Backend) {
			s.answer("Propose this payment and sign it? [yes/no] ", "yes")
		},
	}
}

func pendingSession() session {
	return session{
		name:  "What waits",
		about: "`pending` lists what waits for the user over all wallets, each with the command for it.",
		args:  []string{"pending"},
		same:  sameSpans,
		play:  func(*testing.T, *screen, *apitest.Backend) {},
	}
}

func approveSession() session {
	return session{
		name:  "Approving",
		about: "`approve` takes the only proposal that waits, shows all of it again with what speaks against it, and asks.",
		args:  []string{"approve"},
		same:  sameSpans,
		exit:  4,
		play: func(_ *testing.T, s *screen, node *apitest.Backend) {
			node.SetMe("bob")
			s.answer("Sign this payment? A signature cannot be called back. [yes/no] ", "no")
		},
	}
}
