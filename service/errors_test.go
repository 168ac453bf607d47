package service

import (
	"fmt"
	"testing"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
)

// What the store's guard refuses, for another wallet of the node, is told as what
// the rules refuse: a fault of the disk it is not.
func TestTheStoresGuardIsARefusal(t *testing.T) {
	err := new(Node).apiError(fmt.Errorf("store: sign for outpoint: %w", port.ErrGuardConflict))
	if code := codeOf(t, err); code != refusal.SignGuard {
		t.Errorf("code %s: %v", code, err)
	}
}
