package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// deviceKinds are of a new device that takes a lost member's place and is what is
// measured: "new device" before it sees the wallet active, since it lacks the
// founder's ratification, "let in" afterwards, while it is restored. The founder
// writes, or a thief of the device that was lost.
func deviceKinds() map[string]kind {
	waiting := func(_ *circle, i int) event.Body {
		return &event.ProposalApproved{Proposal: journal.EntryID(hash("nowhere", i)), Signatures: wrong(0, 1)}
	}
	carried := func(_ *circle, i int) event.Body {
		return &event.SignatureCarried{Proposal: journal.EntryID(hash("nowhere", i)), Signatures: wrong(0, 1)}
	}
	reveals := func(_ *circle, i int) event.Body {
		return &event.RosterRevealed{Roster: journal.EntryID(hash("roster", i)), Salt: hash("salt", i)}
	}
	hashes := func(_ *circle, i int) event.Body { return &event.RosterRatified{Hash: hash("roster", i)} }
	return map[string]kind{
		"new device: rosters, by the founder":       says(rosters),
		"new device: records, by the founder":       valid,
		"new device: ratifications, by the founder": says(hashes),
		"new device: records, by the thief":         valid,
		"new device: reveals, by the thief":         says(reveals),
		"new device: ratifications, by the thief":   says(hashes),
		"let in: unreadable, by the founder":        unreadable,
		"let in: unreadable, by the thief":          unreadable,
		"let in: waiting, by the founder":           says(waiting),
		"let in: waiting, by the thief":             says(waiting),
		"let in: carried and waiting, by the thief": says(carried),
	}
}

// newDevice makes the group of a kind of deviceKinds.
func newDevice(name string) (*circle, error) {
	g, err := newGroup(false, true)
	if err != nil {
		return nil, err
	}
	lost, by, founder := g.members[0], g.members[1], g.members[2]
	d, err := newMember(3)
	if err != nil {
		return nil, err
	}
	d.account = lost.account
	if err := g.takePlace(d, by, lost); err != nil {
		return nil, err
	}
	var left *journal.Entry
	if strings.HasPrefix(name, "new device") {
		for _, e := range g.written {
			if e.Chain().Author == founder.id() && (left == nil || e.Position().Seq > left.Position().Seq) {
				left = e
			}
		}
	}
	for moved := true; moved; {
		moved = false
		for _, e := range g.written {
			if e == left {
				continue
			}
			before := d.m.State.Entries()
			if _, err := g.step(d, coordinator.EntryIn{Entry: e}); err != nil {
				var gap *port.GapError
				if errors.As(err, &gap) || errors.Is(err, port.IgnoreAuthor) {
					continue // later
				}
				return nil, fmt.Errorf("hand over an entry: %w", err)
			}
			moved = moved || d.m.State.Entries() > before
		}
	}
	if active := d.m.State.Active() != nil; active != (left == nil) {
		return nil, fmt.Errorf("the new device sees an active wallet: %v", active)
	}
	g.members = []*member{d, by, founder}
	if strings.HasSuffix(name, "by the thief") {
		g.members[2] = lost
	}
	at := d.m.State.Chains().Frontier()[journal.ChainKey{Author: g.hostile().id(), Incarnation: 1}]
	g.next = journal.Next{Incarnation: 1, Seq: at.Seq + 1, Prev: at.ID}
	return g, nil
}

// takePlace lets a device in with an invite.
func (g *circle) takePlace(d, by, lost *member) error {
	id := lost.id()
	v, err := g.step(by, coordinator.NewInvite{Replace: &id, Expires: g.now.Add(time.Hour)})
	if err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	inv, ok := v.(port.Invite)
	if !ok {
		return errors.New("no invite came back")
	}
	var claim *event.SuccessionClaim
	for {
		nonce := g.input(nil).Entropy
		v, err := g.step(by, coordinator.Admit{Joiner: d.id(), Nonce: nonce, Proof: inv.Proof(d.id(), nonce), Claim: claim})
		if err != nil {
			return fmt.Errorf("admit: %w", err)
		}
		grant, ok := v.(port.Grant)
		if !ok || grant.Challenge == nil {
			return errors.New("no challenge came back")
		}
		if claim != nil {
			m, effects, err := coordinator.EnterSuccession(d.self, g.input(nil), inv, grant, wallet.Regtest, d.key())
			if err != nil {
				return fmt.Errorf("enter: %w", err)
			}
			d.m = m
			g.written = append(g.written, published(effects)...)
			return nil
		}
		if claim, err = grant.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), inv.Group, d.key().Prove); err != nil {
			return fmt.Errorf("claim: %w", err)
		}
	}
}

// rosters closes the right roster again and again.
func rosters(g *circle, _ int) event.Body {
	r, _ := g.second().m.State.Roster()
	var ids []journal.EntryID
	for _, m := range r.Members {
		ids = append(ids, m.Record)
	}
	return &event.RosterClosed{Records: ids}
}
