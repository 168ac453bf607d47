package service

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

func TestPerson(t *testing.T) {
	who := journal.NewIdentity([32]byte{1}).Author()
	key := wallet.Key{XPub: "tpub", Fingerprint: [4]byte{0, 0xbb, 0xcc, 0xdd}}
	for name, c := range map[string]struct {
		member group.Member
		want   string
	}{
		"with a node": {group.Member{Name: "bob", Identity: who, Original: who, Key: key}, `{"name":"bob","peer_id":"` + PeerID(who) + `","key":"00bbccdd"}`},
		"hosted":      {group.Member{Name: "Hal", Host: who, Key: key}, `{"name":"Hal","peer_id":null,"key":"00bbccdd"}`},
		"contested":   {group.Member{Name: "bob", Original: who, Key: key}, `{"name":"bob","peer_id":null,"key":"00bbccdd"}`},
		"not known":   {group.Member{Identity: who}, `{"name":"","peer_id":"` + PeerID(who) + `","key":null}`},
	} {
		if got, err := json.Marshal(person(c.member)); err != nil || string(got) != c.want {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}

func TestIncompleteAddresses(t *testing.T) {
	got := incomplete([]ledger.AddressRange{{Branch: wallet.BranchExternal, First: 120, Last: 239}, {Branch: wallet.BranchChange, First: 7, Last: 7}})
	if want := []api.AddressRange{{Branch: "receive", First: 120, Last: 239}, {Branch: "change", First: 7, Last: 7}}; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := incomplete(nil); got != nil {
		t.Errorf("of none: %+v", got)
	}
}
