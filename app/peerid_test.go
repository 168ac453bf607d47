package app

import (
	"crypto/rand"
	"testing"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/p2p"
	"github.com/quorate/quorate/service"
)

// What package coordinator puts beside a name, and the API shows, is the peer id
// that libp2p knows.
func TestMemberIDIsThePeerID(t *testing.T) {
	for range 20 {
		var seed [32]byte
		if _, err := rand.Read(seed[:]); err != nil {
			t.Fatal(err)
		}
		who := journal.NewIdentity(seed).Author()
		if got, want := (group.Member{Identity: who}).ID(), peerID(t, who); got != want || want == "" || service.PeerID(who) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := (group.Member{Host: journal.Author{1}}).ID(); got != "" {
		t.Errorf("without a node: %s", got)
	}
}

func peerID(t *testing.T, a journal.Author) string {
	t.Helper()
	id, err := p2p.PeerID(a)
	if err != nil {
		t.Fatal(err)
	}
	return id.String()
}
