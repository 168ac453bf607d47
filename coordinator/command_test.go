package coordinator

import (
	"errors"
	"testing"

	"github.com/quorate/quorate/coordinator/refusal"
)

// What is no message changes nothing: none at all, signatures that no command asked
// for, and a pointer, which has a message's methods and passes by what asks for its type.
func TestWhatIsNoMessageIsRefused(t *testing.T) {
	a := active(t, 2, 3).peers[0]
	var none *Propose
	for _, msg := range []Message{nil, Signed{}, &Propose{}, none, &Guarded{}, &EntryIn{}} {
		if _, effects, err := Step(a.m, a.input(msg)); !errors.Is(err, refusal.ErrBadRequest) || effects != nil {
			t.Errorf("%T: %v, %d effects", msg, err, len(effects))
		}
	}
}
