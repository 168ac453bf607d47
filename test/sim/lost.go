package sim

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// backup keeps what a backup holds: all but what can be made anew.
func (n *node) backup() {
	if !n.up || !n.in || n.m.State.Active() == nil || n.restored || n.replaced {
		return
	}
	for _, x := range n.wallets() {
		x.kept = x.disk.clone()
		x.kept.guard = n.wallets()[0].kept.guard // one of the whole node
		for name := range x.kept.records {
			if coordinator.Rebuilt(name) {
				delete(x.kept.records, name)
			}
		}
	}
	n.w.count("backups")
}

// restore puts the backup in the place of what the node had, once in a run: a
// second one, from before the first, could not know of the incarnation between.
func (n *node) restore(down time.Duration) {
	if n.kept == nil || n.restored || n.replaced || !n.up || !n.in {
		return
	}
	// The backup does not know who let another device take a place since, and
	// those do not know it unless somebody who kept a place tells both.
	known := false
	for _, x := range n.w.honest() {
		known = known || x != n && !x.replaced
	}
	for _, x := range n.w.honest() {
		if x.replaced && !known {
			return
		}
	}
	// What it did for a new device went with its disk where nobody else heard of it:
	// that one's owner asks for another invite and begins with an empty directory.
	for _, x := range n.w.honest() {
		heard := slices.ContainsFunc(n.w.honest(), func(y *node) bool {
			return y != n && y != x && slices.Contains(y.m.State.Members(), x.id())
		})
		if x.replaced && x.inviter == n.id() && !(x.in && heard) {
			return
		}
	}
	n.w.count("nodes restored")
	n.w.note("%s is restored", n.name)
	for _, x := range n.wallets() {
		b, err := coordinator.MarkRestored(x.w.group, x.clock())
		if err != nil {
			x.w.violation("%s: mark as restored: %v", x.name, err)
			return
		}
		x.restored = true
		x.disk = x.kept
		x.forget()
		x.kept = nil
		x.disk.times = 0
		if err := x.disk.Commit(x.w.context(), b); err != nil {
			x.w.violation("%s: mark as restored: %v", x.name, err)
			return
		}
	}
	n.crash(down)
}

// forget takes back what was promised of entries that are on no disk any more of
// somebody honest: they went with the disk of this node.
func (n *node) forget() {
	gone := func(a ack) bool {
		return !slices.ContainsFunc(n.w.honest(), func(x *node) bool { return x.disk.entries[a.entry] != nil })
	}
	for _, x := range n.w.honest() {
		x.acked = slices.DeleteFunc(x.acked, gone)
	}
	// What it held past a liar's fork links to nothing, and need not come back.
	n.acked = slices.DeleteFunc(n.acked, func(a ack) bool {
		for _, x := range n.w.honest() {
			if e := x.disk.entries[a.entry]; e != nil {
				return !slices.ContainsFunc(n.w.honest(), func(y *node) bool { return y.id() == e.Header().Author })
			}
		}
		return true
	})
}

// lose lets another device of the same seed take the node's place.
func (n *node) lose() {
	if n.restored || n.replaced || !n.up || !n.in || n.m.State.Active() == nil || n.disk.times > 0 || len(n.w.honest()) < 2 {
		return // nobody honest would let it in
	}
	// Where all whom somebody knows were replaced while it was away, it hears of
	// nobody any more: it takes an invite as a new device does (docs/backup.md).
	for _, x := range n.w.honest() {
		for _, y := range n.w.honest() {
			if x.replaced && y != x && !slices.Contains(y.link.Members, x.id()) {
				return
			}
		}
	}
	// Nor while somebody honest is not back yet: the only one with the history may
	// go, or the one who takes the claim, and the other would begin once more with
	// an invite of another member and a device that nobody has heard of.
	for _, x := range n.w.honest() {
		if x != n && (!x.in || x.m.State.Active() == nil) {
			return
		}
	}
	n.w.count("devices lost")
	n.w.note("%s is lost", n.name)
	n.replaced = true
	n.up, n.in, n.stream, n.armed, n.saying = false, false, nil, nil, false
	n.life++
	n.disk = newDisk()
	n.forget()
	n.lost = n.id()
	n.w.queue.after(20*time.Second, n.takePlace)
}

// device is the same person with another identity.
func (p *person) device() (*person, error) {
	secret := func(what string) [32]byte { return sha256.Sum256([]byte(what + p.name)) }
	sealing, err := journal.NewSealingKey(secret("sealing"))
	if err != nil {
		return nil, err
	}
	self := *p.self
	self.Identity, self.Sealing = journal.NewIdentity(secret("identity")), sealing
	return &person{name: p.name, self: &self, account: p.account}, nil
}

// takePlace asks an honest member to let the new device in, until one does.
func (n *node) takePlace() {
	w := n.w
	again := func() { w.queue.after(15*time.Second, n.takePlace) }
	if n.in || w.stop() {
		return
	}
	var by *node
	for _, x := range w.honest() {
		if n.inviter != (journal.Author{}) && x.id() != n.inviter {
			continue // whoever took the claim answers it again
		}
		if x != n && x.up && x.in && x.m.State.Active() != nil && x.disk.times == 0 {
			by = x
			break
		}
	}
	if by == nil {
		again()
		return
	}
	d, err := n.device()
	if err != nil {
		w.violation("%s: another device: %v", n.name, err)
		return
	}
	if n.invite == (port.Invite{}.Secret) || n.inviter != by.id() {
		lost := n.lost
		allow := []string{refusal.MemberOnline}
		if by.restored && len(w.nodes) == 2 {
			// Nobody is left whom it could catch up with, as its owner sees.
			allow = append(allow, refusal.Restored)
		}
		v, err := by.do(coordinator.NewInvite{Replace: &lost, Expires: by.clock().Add(coordinator.InviteLife), Allow: allow})
		inv, ok := v.(port.Invite)
		if err != nil || !ok {
			w.note("%s does not invite: %v", by.name, err)
			again()
			return
		}
		n.pass, n.invite, n.inviter = inv, inv.Secret, by.id()
	}
	m, effects, err := n.enterAs(d, by)
	if err != nil {
		w.note("%s is not let in: %v", n.name, err)
		if errors.Is(err, port.ErrInviteExpired) {
			n.inviter = journal.Author{}
		}
		again()
		return
	}
	n.person = d
	if !n.enter(m, effects) {
		again()
		return
	}
	w.count("devices that took a place")
}

// enterAs presents the invite, answers the challenge, and begins.
func (n *node) enterAs(d *person, by *node) (coordinator.Machine, []coordinator.Effect, error) {
	var none coordinator.Machine
	nonce := n.input(nil).Entropy
	admit := coordinator.Admit{Joiner: d.id(), Nonce: nonce, Proof: n.pass.Proof(d.id(), nonce)}
	v, err := by.do(admit)
	if err != nil {
		return none, nil, err
	}
	g, ok := v.(port.Grant)
	if !ok || g.Challenge == nil {
		return none, nil, errors.New("no challenge came back")
	}
	if admit.Claim, err = g.Challenge.Claim(d.self.Identity, d.self.Sealing.Public(), n.w.group, d.key().Prove); err != nil {
		return none, nil, err
	}
	if v, err = by.do(admit); err != nil {
		return none, nil, err
	}
	if g, ok = v.(port.Grant); !ok {
		return none, nil, errors.New("no grant came back")
	}
	return coordinator.EnterSuccession(d.self, n.input(nil), n.pass, g, wallet.Regtest, d.key())
}
