package sim

import (
	"fmt"
	"math"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

// Lies that go on past every bound, or that say one thing very often.
const (
	LieSpoil   Kind = "spoil-epochs"    // a chain of epochs that one member cannot read
	LieFrame   Kind = "frame"           // says that it cannot read what others rekeyed
	LieReplace Kind = "replace-members" // with no proof, with a bad key, with its own key many times
	LieCopies  Kind = "copies"          // of one transaction
	LieFar     Kind = "far-leases"      // each beyond what is watched
	LieLess    Kind = "claim-less"      // than it holds
	LieWaiting Kind = "waiting"         // signatures for what comes later
	LieLabels  Kind = "labels"
	LiePings   Kind = "pings"
	LieRename  Kind = "rename" // the wallet, where it founded it
	LieHide    Kind = "hide"   // the approval of a node that then loses its disk
	LieBeyond  Kind = "beyond" // its allowance, while others say that they hold it all
)

func capLies() []weighted {
	return []weighted{{LieSpoil, 2}, {LieFrame, 2}, {LieReplace, 3}, {LieCopies, 2}, {LieFar, 2}, {LieLess, 3}, {LieWaiting, 2}, {LieLabels, 2}, {LiePings, 2}, {LieRename, 1}, {LieHide, 2}}
}

// beyond tells the lies of this file.
func (l *liar) beyond(a Action) {
	m := l.n.m
	switch a.Kind {
	case LieLess:
		l.claimLess(a.R)
	case LieRename:
		if b, err := event.EncodeGenesis(m.State.Genesis()); err == nil {
			l.say(&event.GroupCreated{Genesis: b, Name: fmt.Sprint("other ", a.R[0]%7)})
		}
	case LieFrame:
		l.frame(a.R)
	case LieBeyond:
		l.beyondAllowance(a.R)
	}
	if m.State.Active() == nil {
		return
	}
	switch a.Kind {
	case LieHide:
		l.hide(a.R)
	case LieSpoil:
		l.spoil(a.R)
	case LieReplace:
		l.replaceMembers(a.R)
	case LieCopies:
		body := l.hostile(a.R, true)
		for i := range 10 + a.R[0]%50 {
			next := *body
			next.Note = fmt.Sprint("copy ", i)
			l.say(&next)
		}
	case LieFar:
		for i := range 10 + a.R[0]%30 {
			l.say(&event.AddressLeased{Index: 20 + a.R[1]%120 + i})
		}
	case LieWaiting:
		l.waiting(a.R)
	case LiePings:
		l.pings(a.R)
	case LieLabels:
		target := event.TxTarget(chainhash.Hash{byte(a.R[1])})
		if p := l.pick(a.R[1]); p != nil {
			target = event.TxTarget(p.TxID)
		}
		id := target.TxID()
		for i := range 10 + a.R[0]%30 {
			l.say(&event.LabelSet{Target: event.LabelTx, Of: id[:], Text: fmt.Sprint("called ", i)})
		}
	}
}

// claimLess leaves chains out of what it says it holds, and ends of others.
func (l *liar) claimLess(r [4]uint32) {
	w := l.n.w
	victim := w.nodes[int(r[0])%len(w.nodes)]
	l.claims[victim.i] = func(c *port.Claim) {
		for i, x := range w.nodes {
			k := journal.ChainKey{Author: x.id(), Incarnation: 1}
			at, ok := c.Frontier[k]
			if !ok || r[1]>>i&1 == 0 {
				continue
			}
			held := l.n.disk.chains[k]
			seq := int(at.Seq) - 1 - int(r[3]%8)
			if seq < 1 || seq > len(held) || r[1]>>(8+i)&1 == 0 {
				delete(c.Frontier, k)
				continue
			}
			c.Frontier[k] = held[seq-1].Position()
		}
	}
	// And it serves none of it.
	l.mute[victim.i] = r[2]%2 == 0
	w.queue.after(seconds(r[2]>>4, 400), func() {
		delete(l.claims, victim.i)
		delete(l.mute, victim.i)
	})
}

// spoil makes a chain of epochs of which one member gets a damaged stanza.
func (l *liar) spoil(r [4]uint32) {
	w := l.n.w
	victim := w.nodes[int(r[0])%len(w.nodes)].id()
	cur, ok := l.n.m.State.Epoch()
	if !ok {
		return
	}
	ep := cur
	n := []uint32{2, 9, 20, 40}[r[1]%4]
	for i := range n {
		ep = journal.Epoch{Group: w.group, Number: ep.Number + 1, Parent: ep.ID(), Secret: journal.H("spoil", []byte{byte(r[2]), byte(r[2] >> 8), byte(i)})}
		body := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
		for _, m := range l.n.m.State.Active().Members {
			sealed, err := journal.SealSecret(ep, l.n.id(), m.Identity, m.Sealing)
			if err != nil {
				continue // contested, or without a node
			}
			if m.Identity == victim {
				sealed[len(sealed)-1] ^= 1
			}
			body.Stanzas = append(body.Stanzas, event.Stanza{To: m.Identity, Sealed: sealed})
		}
		plain, err := event.Encode(event.Event{Time: l.n.clock().UnixMilli(), Body: body})
		if err != nil {
			return
		}
		e, err := journal.SealPlain(l.n.self.Identity, w.group, ep.ID(), next(1, l.branches[0]), plain, l.nonce())
		if err != nil {
			return
		}
		l.secrets = append(l.secrets, ep)
		l.tell(l.append(0, e), func(to int) bool { return l.show[to] == 0 })
	}
	w.counts["epochs spoiled"] += int(n)
}

// frame says of epochs that it got that it got none.
func (l *liar) frame(r [4]uint32) {
	seen := map[journal.EpochID]bool{}
	for _, x := range l.n.w.nodes {
		for _, e := range l.n.disk.chains[journal.ChainKey{Author: x.id(), Incarnation: 1}] {
			if e.Header().Suite == journal.SuitePlain && x != l.n {
				seen[e.Header().Epoch] = true
			}
		}
	}
	n := 0
	for _, e := range slices.SortedFunc(keysOf(seen), func(a, b journal.EpochID) int { return slices.Compare(a[:], b[:]) }) {
		if n++; n > 12 {
			break
		}
		l.say(&event.StanzaFailed{Epoch: e})
	}
}

func keysOf(m map[journal.EpochID]bool) func(func(journal.EpochID) bool) {
	return func(yield func(journal.EpochID) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// replaceMembers names new identities, for its own key with a proof, for others without.
func (l *liar) replaceMembers(r [4]uint32) {
	a := l.n.m.State.Active()
	own := slices.IndexFunc(a.Members, func(m group.Member) bool { return m.Original == l.n.id() })
	switch r[0] % 4 {
	case 0: // a key that is not there
		l.say(&event.MemberReplaced{Key: uint32(len(a.Members)) + r[1]%uint32(event.MaxCosigners-len(a.Members)), Old: l.n.id(), New: journal.Author{byte(r[2])}, Consent: make([]byte, 64)})
	case 1: // no proof, more often than count
		victim := a.Members[int(r[1])%len(a.Members)]
		for i := range 3 + r[2]%70 {
			l.say(&event.MemberReplaced{Key: uint32(victim.Index), Old: victim.Original, New: journal.Author{byte(i), 9}, Consent: make([]byte, 64)})
		}
	case 2, 3: // its own key, so that it is contested
		if own < 0 || l.n.w.plan.K > len(l.n.w.honest()) {
			return
		}
		c := event.Challenge{Key: uint32(own), Old: l.n.id()}
		for i := range 1 + r[1]%3 {
			self := *l.n.self
			self.Identity = journal.NewIdentity(journal.H("device", []byte{byte(r[2]), byte(i), byte(l.n.i)}))
			x, err := c.Claim(self.Identity, self.Sealing.Public(), l.n.w.group, l.n.key().Prove)
			if err != nil {
				return
			}
			l.say(&event.MemberReplaced{Key: c.Key, Old: c.Old, New: self.Identity.Author(), Sealing: x.Sealing, Cuts: c.Cuts, Proof: x.Proof, Consent: x.Consent})
		}
	}
}

// waiting writes signatures for a proposal, many of them one and the same, and
// then the proposal.
func (l *liar) waiting(r [4]uint32) {
	body := l.hostile(r, true)
	spend, err := l.spend(body)
	if err != nil {
		return
	}
	good := l.sign(spend)
	if len(good) == 0 {
		return
	}
	bad := slices.Clone(good)
	for i := range bad {
		bad[i].Key = (bad[i].Key + 1) % uint32(l.n.w.plan.N)
	}
	// The proposal's id is known before it is told: it is told last.
	l.refresh()
	at := next(1, l.branches[0])
	p := l.seal(at, body)
	if p == nil {
		return
	}
	many := slices.Concat(good, bad, good, bad)
	l.append(0, p)
	for range 2 + r[1]%4 {
		l.write(0, &event.ProposalApproved{Proposal: p.ID(), Signatures: many})
	}
	l.tell(p, func(to int) bool { return l.show[to] == 0 })
}

// pings asks and answers without end: with its own key and in the place of others, and
// what another one answered under its own name.
func (l *liar) pings(r [4]uint32) {
	n := l.n
	for i := range 10 + r[0]%40 {
		asked := l.write(0, &event.PingAsked{})
		if asked == nil {
			return
		}
		claim := event.PingClaim(n.w.group, n.id(), asked.ID(), n.account.Key().String())
		b := &event.PingAnswered{Round: asked.ID(), Key: (r[1] + i) % uint32(n.w.plan.cosigners()), Proof: n.account.SignHash(claim.Hash())}
		l.say(b)
		if i%3 == 0 {
			l.say(b)
		}
	}
	for k := range n.m.State.Active().Members {
		if round, ok := n.m.State.Answered(k, math.MaxInt64); ok {
			l.say(&event.PingAnswered{Round: round.ID, Key: uint32(k), Proof: make([]byte, 71)})
		}
	}
}

// lieOfRobots writes what a bad robot, or somebody who is none, could wish to be true.
func (l *liar) lieOfRobots(r [4]uint32) {
	m := l.n.m
	if m.State.Active() == nil {
		return
	}
	var versions []event.PolicyVersion
	for v := range m.State.Policies {
		versions = append(versions, v)
	}
	if len(versions) == 0 {
		return
	}
	v := versions[int(r[0])%len(versions)]
	var of journal.EntryID
	var tx chainhash.Hash
	if all := m.Proposals(); len(all) > 0 {
		p := all[int(r[1])%len(all)]
		of, tx = p.Ref.ID, p.TxID
	}
	var reserved []journal.EntryID
	for k := range m.State.Active().Members {
		for x := range m.State.ReservedBy(k) {
			reserved = append(reserved, x.Ref.ID)
		}
	}
	switch r[2] % 8 {
	case 0:
		l.say(&event.PolicyAnchored{Version: v, Height: int64(r[3] % 1000), Time: int64(r[3])})
	case 1:
		l.say(&event.PolicyAdopted{Version: v})
	case 2:
		l.say(&event.BudgetReserved{Proposal: of, TxID: tx, Policy: v, Meters: []uint64{uint64(r[3] % 2)}})
	case 3, 4:
		for _, id := range reserved {
			l.say(&event.BudgetGranted{Reservation: id})
		}
	case 5:
		for _, id := range reserved {
			l.say(&event.BudgetReleased{Reservation: id})
		}
	case 6:
		l.say(&event.RobotVerdict{Proposal: of, TxID: tx, Policy: v, Outcome: 1 + uint64(r[3]%4), Rule: 1})
	case 7:
		l.say(&event.PolicyApproved{Version: v})
	}
}
