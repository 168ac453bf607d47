package service

import (
	"encoding/hex"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// person is how the API shows a member, wherever it names one.
func person(m group.Member) api.Person {
	p := api.Person{Name: m.Called()}
	if m.Identity != (journal.Author{}) { // hosted and contested members have none
		id := PeerID(m.Identity)
		p.PeerID = &id
	}
	if m.Key.XPub != "" {
		p.Key = fingerprint(m.Key)
	}
	return p
}

func fingerprint(k wallet.Key) *string {
	text := hex.EncodeToString(k.Fingerprint[:])
	return &text
}

// personOf is the member that an identity writes for; of one who is none only
// the peer id is known.
func personOf(m *coordinator.Machine, a journal.Author) api.Person {
	if x, ok := m.Member(a); ok {
		return person(x)
	}
	return person(group.Member{Identity: a})
}

// awaitingHosted are the cosigners hosted here whose keys are not entered yet.
func awaitingHosted(m *coordinator.Machine) []api.Person {
	var out []api.Person
	for _, name := range m.AwaitingHosted() {
		p := api.Person{Name: name}
		if want, err := m.HostedProofRequest(name); err == nil {
			p.Key = fingerprint(want.Key)
		}
		out = append(out, p)
	}
	return out
}

// incomplete are the addresses of which old payments may not be known yet.
func incomplete(ranges []ledger.AddressRange) []api.AddressRange {
	var out []api.AddressRange
	for _, r := range ranges {
		x := api.AddressRange{Branch: "receive", First: r.First, Last: r.Last}
		if r.Branch == wallet.BranchChange {
			x.Branch = "change"
		}
		out = append(out, x)
	}
	return out
}
