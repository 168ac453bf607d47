package ops

import (
	"fmt"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
)

// CheckWords compares the six words that somebody typed with those of this node. A
// word that is none is named as a typing error, before anything is said of an
// impostor. Errors are *api.Error.
func CheckWords(typed, own string) error {
	words := strings.Fields(strings.ToLower(typed))
	if n := len(strings.Fields(own)); len(words) != n {
		return api.Misuse("bad_words", fmt.Sprintf("there are %d words, and %d were typed", n, len(words)), "type them with a space between each two")
	}
	if err := group.CheckWords(words); err != nil {
		return api.Misuse("bad_words", err.Error(), "is it a typing error?")
	}
	for i, own := range strings.Fields(own) {
		if words[i] != own {
			return api.Refuse(refusal.WordsDiffer, fmt.Sprintf("word %d is %q, and this node's is %q", i+1, words[i], own), "if it was not misheard, somebody may sit between you: do not go on")
		}
	}
	return nil
}
