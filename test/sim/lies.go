package sim

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/wallet"
)

// The library of lies.
const (
	LieEquivocate   Kind = "equivocate"          // two entries at one place, each to some
	LieLate         Kind = "equivocate-late"     // a second entry where the others saw one
	LieForge        Kind = "forge"               // in another's name, or damaged
	LieReplay       Kind = "replay"              // another's entry or signatures under its own name
	LieWithhold     Kind = "withhold"            // signs and says nothing
	LieRelease      Kind = "release"             // says what it withheld
	LieClaim        Kind = "false-claim"         // of entries, forks and incarnations
	LieIncarnation  Kind = "false-incarnation"   // begins a later one and cuts the one before
	LieEpoch        Kind = "epoch"               // other secrets to others
	LieRoster       Kind = "roster"              // another roster
	LieOutputs      Kind = "other-outputs"       // signatures that are valid for something else
	LieLease        Kind = "lease-all"           // addresses
	LieTakeCoins    Kind = "take-all-coins"      // by proposing
	LieProposal     Kind = "hostile-proposal"    // change, fee, coins, locktime, replaces
	LieReplacements Kind = "endless-replacement" // of the same coins
	LieFlood        Kind = "flood"
	LieVotes        Kind = "votes" // against, for, and in another's place
	LieNames        Kind = "names" // of entries that are nowhere
	LieSign         Kind = "sign"  // whatever there is, with no guard
	LieMute         Kind = "mute"  // serves nothing
)

func lies() []weighted {
	return []weighted{
		{LieEquivocate, 4}, {LieLate, 3}, {LieForge, 3}, {LieReplay, 3}, {LieWithhold, 2}, {LieRelease, 3}, {LieClaim, 2},
		{LieIncarnation, 2}, {LieEpoch, 3}, {LieRoster, 1}, {LieOutputs, 2}, {LieLease, 1}, {LieTakeCoins, 2}, {LieProposal, 4},
		{LieReplacements, 2}, {LieFlood, 2}, {LieVotes, 3}, {LieNames, 1}, {LieSign, 4}, {LieMute, 1},
	}
}

func (w *world) lie(n *node, a Action) {
	l := n.liar
	if l == nil || !n.up || !n.in {
		return
	}
	w.count("lie " + string(a.Kind))
	w.note("%s lies: %s %v", n.name, a.Kind, a.R)
	l.refresh()
	switch a.Kind {
	case LieEquivocate:
		l.equivocate(a.R, len(l.branches[0]))
	case LieLate:
		l.equivocate(a.R, max(0, len(l.branches[0])-1-int(a.R[3]%6)))
	case LieForge:
		l.forge(a.R)
	case LieReplay:
		l.replay(a.R)
	case LieClaim:
		l.pretend(a.R)
	case LieIncarnation:
		l.incarnate(a.R)
	case LieEpoch:
		l.rekey(a.R)
	case LieRoster:
		l.roster(a.R)
	case LieLease:
		from := a.R[0] % 60
		for i := range 30 {
			l.say(&event.AddressLeased{Index: from + uint32(i)})
		}
	case LieRobot:
		l.lieOfRobots(a.R)
	case LieFlood:
		l.flood(a.R)
	case LieNames:
		l.say(&event.EntriesNamed{Entries: []journal.EntryID{{byte(a.R[0])}, {byte(a.R[1])}}})
		l.say(&event.SignatureCarried{Proposal: journal.EntryID{byte(a.R[0]), 1}, Signatures: []event.PartialSignature{{Bytes: make([]byte, 70)}}})
	case LieAcross:
		l.across(a.R)
	case LieMute:
		who := int(a.R[0]) % len(w.nodes)
		l.mute[who] = true
		w.queue.after(seconds(a.R[1], 200), func() { delete(l.mute, who) })
	case LieSpoil, LieFrame, LieReplace, LieCopies, LieFar, LieLess, LieWaiting, LieLabels, LieRename, LieHide, LieBeyond:
		l.beyond(a)
	default:
		if n.m.State.Active() != nil {
			l.about(a)
		}
	}
}

// about are the lies about money.
func (l *liar) about(a Action) {
	r, n := a.R, l.n
	p := l.pick(r[0])
	switch a.Kind {
	case LieTakeCoins, LieProposal:
		l.say(l.hostile(r, a.Kind == LieTakeCoins))
		return
	case LieReplacements:
		l.replacements(r)
		return
	case LieRelease:
		for _, s := range l.withheld {
			l.say(&event.ProposalApproved{Proposal: s.proposal, Signatures: s.sigs})
		}
		l.withheld = nil
		return
	}
	if p == nil {
		return
	}
	spend, err := p.Spend(n.m.State.Active())
	if err != nil {
		return
	}
	switch a.Kind {
	case LieWithhold:
		l.withheld = append(l.withheld, signed{p.ID(), l.sign(spend)})
	case LieSign:
		if r[1]%2 == 0 {
			l.otherAmounts(p, r)
		}
		l.say(&event.ProposalApproved{Proposal: p.ID(), Signatures: l.sign(spend)})
	case LieOutputs:
		if r[2]%2 == 0 {
			l.otherAmounts(p, r)
			return
		}
		outs := spend.Outputs()
		outs[int(r[1])%len(outs)].PkScript = recipient(250)
		other, err := wallet.NewSpend(n.m.State.Active().Descriptor, spend.Inputs(), outs, spend.LockTime())
		if err == nil {
			l.say(&event.ProposalApproved{Proposal: p.ID(), Signatures: l.sign(other)})
		}
	case LieVotes:
		l.say(&event.ProposalRejected{Proposal: p.ID(), Reason: "because"})
		if r[1]%2 == 0 {
			l.say(&event.RejectionWithdrawn{Proposal: p.ID()})
		}
		l.say(&event.ProposalWithdrawn{Proposal: p.ID()})
	}
}

// otherAmounts enters a transaction again with other amounts of its inputs, and
// signs that: the txid is the same, and the signatures fit nothing else.
func (l *liar) otherAmounts(p *group.Proposal, r [4]uint32) {
	b := *p.Body
	b.Inputs = slices.Clone(b.Inputs)
	b.Inputs[int(r[1])%len(b.Inputs)].Amount += int64(1 + r[3]%3)
	spend, err := l.spend(&b)
	if err != nil {
		return
	}
	branch := int(r[1]>>4) % len(l.branches)
	if e := l.write(branch, &b); e != nil {
		l.write(branch, &event.ProposalApproved{Proposal: e.ID(), Signatures: l.sign(spend)})
	}
}

func (l *liar) pick(r uint32) *group.Proposal {
	all := l.n.m.Proposals()
	if len(all) == 0 {
		return nil
	}
	return all[int(r)%min(len(all), 6)]
}

// any is something to say.
func (l *liar) any(r uint32) event.Body {
	if p := l.pick(r); p != nil {
		switch r >> 4 % 6 {
		case 0:
			return &event.ProposalRejected{Proposal: p.ID()}
		case 1:
			return &event.ProposalWithdrawn{Proposal: p.ID()}
		case 2, 3:
			if s, err := p.Spend(l.n.m.State.Active()); err == nil {
				return &event.ProposalApproved{Proposal: p.ID(), Signatures: l.sign(s)}
			}
		case 4:
			return l.hostile([4]uint32{r, r >> 3, r >> 7, 0}, true)
		}
	}
	return &event.AddressLeased{Index: r % 40}
}

// equivocate writes two entries after the first keep of a branch.
func (l *liar) equivocate(r [4]uint32, keep int) {
	from := int(r[0]) % len(l.branches)
	keep = min(keep, len(l.branches[from]))
	b := l.fork(from, keep)
	for i := range l.n.w.nodes {
		if r[1]>>i&1 == 1 {
			l.show[i] = b
		}
	}
	l.write(b, l.any(r[2]))
	if keep == len(l.branches[from]) {
		l.write(from, l.any(r[3]))
	}
	if r[1]>>8%2 == 0 {
		l.write(b, l.any(r[3]>>3))
	}
}

// forge speaks in another's name.
func (l *liar) forge(r [4]uint32) {
	victim := l.n.w.nodes[int(r[0])%len(l.n.w.nodes)]
	k := journal.ChainKey{Author: victim.id(), Incarnation: 1}
	c := l.n.disk.chains[k]
	if victim == l.n || len(c) == 0 {
		return
	}
	everybody := func(int) bool { return true }
	last := c[len(c)-1]
	switch r[1] % 4 {
	case 0: // what comes next
		l.tell(l.dress(last, victim.id(), next(1, c)), everybody)
	case 1: // in place of what is there
		l.tell(l.dress(last, victim.id(), next(1, c[:int(r[2])%len(c)])), everybody)
	case 2:
		l.tell(damage(last, r[2]), everybody)
	case 3: // an incarnation of another
		l.tell(l.dress(last, victim.id(), journal.Next{Incarnation: 2, Seq: 1}), everybody)
	}
}

// replay says what another said, in its own name.
func (l *liar) replay(r [4]uint32) {
	w := l.n.w
	other := w.nodes[int(r[0])%len(w.nodes)]
	c := l.n.disk.chains[journal.ChainKey{Author: other.id(), Incarnation: 1}]
	if len(c) == 0 {
		return
	}
	e := c[int(r[1])%len(c)]
	switch p := l.pick(r[2]); {
	case r[3]%3 == 0 || p == nil:
		l.tell(e, func(int) bool { return true }) // again, as it was
	case r[3]%3 == 1:
		branch := int(r[2]) % len(l.branches)
		e = l.append(branch, l.dress(e, l.n.id(), next(1, l.branches[branch])))
		l.tell(e, func(to int) bool { return l.show[to] == branch })
	default:
		var sigs []event.PartialSignature
		for _, s := range l.n.m.State.Signatures(p) {
			sigs = append(sigs, event.PartialSignature{Input: s.Input, Key: s.Key, Bytes: s.Bytes})
			sigs = append(sigs, event.PartialSignature{Input: s.Input, Key: uint32(r[1]) % uint32(w.plan.N), Bytes: s.Bytes})
		}
		if len(sigs) > 0 {
			l.say(&event.ProposalApproved{Proposal: p.ID(), Signatures: sigs})
			l.say(&event.SignatureCarried{Proposal: p.ID(), Signatures: sigs})
		}
	}
}

// pretend claims to hold what is nowhere.
func (l *liar) pretend(r [4]uint32) {
	w := l.n.w
	victim := w.nodes[int(r[0])%len(w.nodes)]
	author := w.nodes[int(r[1])%len(w.nodes)].id()
	k := journal.ChainKey{Author: author, Incarnation: 1 + uint8(r[2]%3)}
	l.claims[victim.i] = func(c *port.Claim) {
		fake := journal.EntryID{byte(r[3]), 7}
		c.Frontier[k] = journal.Position{Seq: uint64(1 + r[3]%200), ID: fake}
		c.Forks = append(c.Forks, journal.Fork{Chain: k, Seq: 1 + uint64(r[2]%9), A: fake, B: journal.EntryID{byte(r[3]), 8}})
	}
	w.queue.after(seconds(r[2]>>4, 200), func() { delete(l.claims, victim.i) })
}

// incarnate goes on as another incarnation, which cuts the one before.
func (l *liar) incarnate(r [4]uint32) {
	before := l.at
	length := len(l.branches[0])
	if before.Incarnation > 1 {
		length = len(l.later[before])
	}
	if before.Incarnation >= 4 {
		before.Incarnation = 1 // begins one that is there: a fork of its entry 1
	}
	k := journal.ChainKey{Author: l.n.id(), Incarnation: before.Incarnation + 1}
	cut := uint64(max(0, length-int(r[0]%8)))
	e := l.seal(journal.Next{Incarnation: k.Incarnation, Seq: 1}, &event.IncarnationStarted{Seq: cut, Last: journal.EntryID{byte(r[1])}})
	if l.later[k] != nil {
		if e != nil {
			l.made[e.ID()] = e
			l.tell(e, func(int) bool { return true })
		}
		return
	}
	l.grow(k, e)
	l.at = k
}

// rekey makes an epoch that not all can read.
func (l *liar) rekey(r [4]uint32) {
	a := l.n.m.State.Active()
	if a == nil {
		return
	}
	cur, _ := l.n.m.State.Epoch()
	ep := journal.Epoch{Group: l.n.w.group, Number: cur.Number + 1, Parent: cur.ID(), Secret: journal.H("liar", []byte{byte(r[0]), byte(r[1])})}
	if r[0]%7 == 0 {
		ep.Number += uint64(r[1] % 1000)
	}
	body := &event.EpochRotated{Number: ep.Number, Parent: ep.Parent}
	for i, m := range a.Members {
		use := ep
		switch {
		case r[2]>>i&1 == 0:
		case r[0]%3 == 0:
			use.Secret[0]++ // another secret
		case r[0]%3 == 1:
			continue // none
		}
		sealed, err := journal.SealSecret(use, l.n.id(), m.Identity, m.Sealing)
		if err != nil {
			continue
		}
		body.Stanzas = append(body.Stanzas, event.Stanza{To: m.Identity, Sealed: sealed})
	}
	plain, err := event.Encode(event.Event{Time: l.n.clock().UnixMilli(), Body: body})
	if err != nil {
		return
	}
	branch := int(r[3]) % len(l.branches)
	e, err := journal.SealPlain(l.n.self.Identity, l.n.w.group, ep.ID(), next(1, l.branches[branch]), plain, l.nonce())
	if err != nil {
		return
	}
	l.secrets = append(l.secrets, ep)
	l.tell(l.append(branch, e), func(to int) bool { return l.show[to] == branch })
}

// roster closes another roster, shown to some.
func (l *liar) roster(r [4]uint32) {
	if l.n.m.State.Active() == nil && r[1]%2 == 0 {
		l.seatSybil(r)
		return
	}
	var ids []journal.EntryID
	for _, c := range l.n.m.Cosigners() {
		ids = append(ids, c.Record)
	}
	if len(ids) == 0 {
		return
	}
	slices.Reverse(ids)
	b := l.fork(0, len(l.branches[0]))
	for i := range l.n.w.nodes {
		if r[0]>>i&1 == 1 {
			l.show[i] = b
		}
	}
	l.write(b, &event.RosterClosed{Records: ids})
	l.write(0, &event.RosterClosed{Records: ids})
}

// flood sends much that is of no use.
func (l *liar) flood(r [4]uint32) {
	for i := range 20 + int(r[0]%40) {
		branch := int(r[1]) % len(l.branches)
		e := l.sealRaw(next(1, l.branches[branch]), []byte{byte(i), byte(r[2]), 3})
		if e != nil && r[3]%3 == 0 {
			e = damage(e, uint32(i)) // invalid
			l.tell(e, func(int) bool { return true })
			continue
		}
		l.tell(l.append(branch, e), func(to int) bool { return l.show[to] == branch })
	}
}

// hostile drafts a proposal that should harm whoever signs it.
func (l *liar) hostile(r [4]uint32, plausible bool) *event.ProposalCreated {
	m, now := l.n.m, l.n.clock()
	b := &event.ProposalCreated{Note: "rent"}
	var in int64
	for i, c := range coordinator.Coins(m.State, m.View, now) {
		if plausible || r[0]>>i&1 == 1 {
			b.Inputs = append(b.Inputs, event.ProposalInput{TxID: c.OutPoint.Hash, Vout: c.OutPoint.Index, Amount: c.Amount, Branch: c.Branch, Index: c.Index})
			in += c.Amount
		}
	}
	if len(b.Inputs) == 0 {
		b.Inputs = []event.ProposalInput{{TxID: chainhash.Hash{byte(r[1])}, Amount: 70_000}}
		in = 70_000
	}
	fee, change := int64(2000), r[1]%19
	if !plausible {
		switch r[2] % 6 {
		case 0:
			change = 20 + r[1]%1000
		case 1:
			fee = in / 2
		case 2:
			b.LockTime = 500_000 + r[1]
		case 3:
			b.Inputs[0].Amount += 50_000
			in += 50_000
		case 4:
			b.Inputs[0].Index++
		case 5:
			for _, p := range m.Proposals() {
				if len(b.Replaces) < 60 {
					b.Replaces = append(b.Replaces, p.TxID)
				}
			}
		}
	}
	pay := (in - fee) / 2
	b.Outputs = []event.ProposalOutput{{PkScript: recipient(251), Amount: max(1, pay)}, {Change: &change, Amount: max(1, in-fee-pay)}}
	if r[3]%4 == 0 {
		b.Expires = now.Add(time.Minute).Unix()
	}
	return b
}

// replacements proposes the same coins again and again.
func (l *liar) replacements(r [4]uint32) {
	p := l.pick(r[0])
	if p == nil {
		return
	}
	body := *p.Body
	txs := []chainhash.Hash{p.TxID}
	for i := range 3 + int(r[1]%5) {
		next := body
		next.Outputs = slices.Clone(body.Outputs)
		next.Outputs[0].Amount = max(1, next.Outputs[0].Amount-int64(500*(i+1)))
		next.Replaces = slices.Clone(txs)
		l.say(&next)
		spend, err := l.spend(&next)
		if err != nil {
			return
		}
		txs = append(txs, spend.TxID())
	}
}

func (l *liar) spend(b *event.ProposalCreated) (*wallet.Spend, error) {
	return spendOf(l.n.m.State.Active(), b)
}

// spendOf is the transaction that a proposal describes.
func spendOf(a *group.Active, b *event.ProposalCreated) (*wallet.Spend, error) {
	var in []wallet.Input
	for _, x := range b.Inputs {
		in = append(in, wallet.Input{OutPoint: x.OutPoint(), Amount: x.Amount, Branch: x.Branch, Index: x.Index})
	}
	var out []wallet.Output
	for _, x := range b.Outputs {
		o := wallet.Output{PkScript: x.PkScript, Amount: x.Amount}
		if x.Change != nil {
			s, err := a.Descriptor.Script(wallet.BranchChange, *x.Change)
			if err != nil {
				return nil, err
			}
			o.PkScript = s.PkScript
		}
		out = append(out, o)
	}
	return wallet.NewSpend(a.Descriptor, in, out, b.LockTime)
}
