package service

import (
	"fmt"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/node"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// What the store's guard refuses, for another wallet of the node, is told as what
// the rules refuse: a fault of the disk it is not.
func TestTheStoresGuardIsARefusal(t *testing.T) {
	err := new(Node).apiError(fmt.Errorf("store: sign for outpoint: %w", port.ErrGuardConflict))
	if code := codeOf(t, err); code != refusal.SignGuard {
		t.Errorf("code %s: %v", code, err)
	}
}

// That a proposal was made is told, beside why it was not signed.
func TestWhatWasMadeIsTold(t *testing.T) {
	id := journal.EntryID{1}
	err := new(Node).apiError(fmt.Errorf("propose: %w", &node.MadeError{Proposal: id, Err: refusal.New(refusal.CoinFrozen, "it is frozen")}))
	e := api.AsError(err)
	if e.Code != refusal.CoinFrozen || e.Kind != api.Denied || !e.Made || !strings.Contains(e.Message, id.String()) || !strings.Contains(e.Message, "it is frozen") {
		t.Errorf("%+v", e)
	}
}
