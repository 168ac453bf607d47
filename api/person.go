package api

import (
	"fmt"
	"strings"
)

// Person is a cosigner of a wallet, wherever one is named.
type Person struct {
	Name   string  `json:"name" doc:"As every screen shows it: with part of the peer id where two look alike; empty where it is not known yet."`
	PeerID *string `json:"peer_id" doc:"Of the cosigner's node as it is now; null for one without a node, and while two devices claim to be it."`
	Key    *string `json:"key" doc:"Fingerprint of the master key, 8 hex characters: another device does not change it. Accounts of one master key share it. Null where the key is not known yet."`
}

// Called returns what to call a person: the name, else the peer id.
func (p Person) Called() string {
	if p.Name == "" && p.PeerID != nil {
		return *p.PeerID
	}
	return p.Name
}

// Called lists what to call persons.
func Called(persons []Person) string {
	names := make([]string, len(persons))
	for i, p := range persons {
		names[i] = p.Called()
	}
	return strings.Join(names, ", ")
}

// Missing says in words whom a restored node waits for.
func (r Restored) Missing() string {
	if len(r.Unsynced) == 0 && r.Unread > 0 {
		by := ""
		if len(r.UnreadBy) > 0 {
			by = " of " + Called(r.UnreadBy)
		}
		return fmt.Sprintf("those who can open %d entries%s that it holds", r.Unread, by)
	}
	return Called(r.Unsynced)
}
