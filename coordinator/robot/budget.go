package robot

import (
	"cmp"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/policy/meter"
)

// maxReservations is how many reservations of one robot are looked at with which nothing is
// done yet: the first.
const maxReservations = 64

// grantsEach is how many reservations of one robot are granted in a day of blocks.
const grantsEach = 256

// budget is, of the meters that have a pool, what this robot signed by its share alone, and
// what it gave and took leave for. It is made anew when its own words change it, or the chain.
type budget struct {
	shares map[int]Ledger
	pools  map[int]meter.Pool
}

// pooled lists the meters of a policy that have a pool.
func pooled(p *policy.Policy) (out []int) {
	for n, m := range p.Meters {
		if m.Pool > 0 {
			out = append(out, n)
		}
	}
	return out
}

// budgeted works out the budget, where it is not at hand.
func (d Desk) budgeted(w Wallet) Desk {
	now := d.now
	if now.problem != "" || now.budget != nil || w.State.BudgetEntries() == 0 || len(pooled(now.compiled.Policy)) == 0 {
		return d
	}
	b := &budget{shares: map[int]Ledger{}, pools: map[int]meter.Pool{}}
	signed := w.signatures()
	for _, m := range pooled(now.compiled.Policy) {
		by := byLeave(w.State, w.Key, now.version, now.compiled.Policy, uint64(m))
		alone := slices.DeleteFunc(slices.Clone(signed), func(x Signature) bool { return by[x.TxID] })
		l, err := Rebuild(w.State, w.View, now.compiled, alone)
		if err != nil {
			next := *now
			next.problem, d.now = ReasonCharges, &next
			return d
		}
		b.shares[m], b.pools[m] = l, now.charges.onto(w.View, poolOf(w, now, m))
	}
	next := *now
	next.budget, d.now = b, &next
	return d
}

// ByLeave returns the transactions for which a robot ever had leave by the pool of a meter of a
// policy: what was released since, or is tainted now, it may have had then.
func ByLeave(s group.State, key int, v event.PolicyVersion, p *policy.Policy, m uint64) map[chainhash.Hash]bool {
	out := map[chainhash.Hash]bool{}
	for r := range s.ReservedEver(key) {
		if r.Policy == v && slices.Contains(r.Meters, m) && allGranted(s, key, p, r.Ref.ID, false) {
			out[r.TxID] = true
		}
	}
	return out
}

// byLeave returns the transactions that a robot signs by the pool of a meter of a policy, if it
// does. One that not all others gave leave for is in no ledger but its own: if it was signed,
// that was by its share.
func byLeave(s group.State, key int, v event.PolicyVersion, p *policy.Policy, m uint64) map[chainhash.Hash]bool {
	out := map[chainhash.Hash]bool{}
	for r := range s.ReservedBy(key) {
		if r.Policy == v && slices.Contains(r.Meters, m) && allGranted(s, key, p, r.Ref.ID, true) {
			out[r.TxID] = true
		}
	}
	return out
}

// poolOf is what this robot gave and took leave for, in the order in which it wrote it.
func poolOf(w Wallet, now *inForce, m int) meter.Pool {
	type said struct {
		at  group.Ref
		of  group.Reservation
		own bool
	}
	var all []said
	for r := range w.State.ReservedBy(w.Key) {
		all = append(all, said{r.Ref, r, true})
	}
	for at, r := range w.State.GrantsOf(w.Key) {
		if !w.State.ReleasedBudget(r.Ref.ID, r.Ref.Chain.Author) {
			all = append(all, said{at, r, false})
		}
	}
	slices.SortFunc(all, func(a, b said) int {
		return cmp.Or(cmp.Compare(a.at.Chain.Incarnation, b.at.Chain.Incarnation), cmp.Compare(a.at.Seq, b.at.Seq))
	})
	var p meter.Pool
	for _, x := range all {
		r, ok := w.reservation(now, x.of, m)
		switch {
		case !ok:
		case x.own:
			if p = p.Reserve(r); w.signedTx(x.of.TxID) {
				p = p.Use(r.ID)
			} else if w.allGranted(now.compiled.Policy, x.of.Ref.ID) {
				p = p.Settle(r.ID)
			}
		default:
			p = p.Grant(r)
		}
	}
	return p
}

// signedTx says whether this robot's key signed a transaction, or may have.
func (w Wallet) signedTx(tx chainhash.Hash) bool {
	if w.Guarded(tx) {
		return true
	}
	p, ok := w.State.AnyOf(tx)
	return ok && w.State.Signed(p, w.Key)
}

// reservation is what a reservation takes of a meter, as this robot works it out; false where
// it is of another policy or meter, or of a proposal that is not held or is of nobody.
func (w Wallet) reservation(now *inForce, r group.Reservation, m int) (meter.Reservation, bool) {
	p, ok := w.State.Proposal(r.Proposal)
	if !ok || !p.Sound || p.TxID != r.TxID || r.Policy != now.version || !slices.Contains(r.Meters, uint64(m)) {
		return meter.Reservation{}, false
	}
	key, member := w.State.Active().KeyOf(p.Author())
	if !member {
		return meter.Reservation{}, false
	}
	t := TakesOf(w.View, now.compiled, p, policy.Key(key))
	out := meter.Reservation{ID: meter.ReservationID(r.Ref.ID), Signed: meter.Signed{Tx: meter.TxID(r.TxID), Coins: coinsAs(t.coins), At: r.Ref.Time / 1000}}
	for of := range t.of(now.compiled.Policy.Meters[m].Per) {
		out.Takes = append(out.Takes, of)
	}
	return out, true
}

// allGranted says whether each other robot of a policy gave leave by a reservation.
func (w Wallet) allGranted(p *policy.Policy, id journal.EntryID) bool {
	return allGranted(w.State, w.Key, p, id, true)
}

func allGranted(s group.State, key int, p *policy.Policy, id journal.EntryID, untainted bool) bool {
	for k := range s.Active().Members {
		if _, ok := s.GrantedBy(k, id, untainted); k != key && p.Robots.Has(policy.Key(k)) && !ok {
			return false
		}
	}
	return true
}

// onto tells a pool what the chain did, as this ledger was told.
func (l Ledger) onto(v ledger.View, p meter.Pool) meter.Pool {
	for k := range l.buried.All() {
		id := chainhash.Hash([]byte(k))
		t, ok := v.Tx(id)
		if !ok {
			continue
		}
		at := t.Block.MedianTime
		if at <= 0 {
			at = l.now
		}
		if coins := l.ours(v, t.Tx); len(coins) > 0 {
			p = p.Bury(meter.TxID(id), coins, at)
		}
	}
	for k, void := range l.charged.All() {
		if void {
			p = p.Void(meter.Coin([]byte(k)))
		}
	}
	return p
}

// own returns the reservation that this robot has for a proposal by the policy in force.
func (d Desk) own(w Wallet, proposal journal.EntryID) (group.Reservation, bool) {
	for r := range w.State.ReservedBy(w.Key) {
		if r.Proposal == proposal && r.Policy == d.now.version {
			return r, true
		}
	}
	return group.Reservation{}, false
}

// pooledUse says of a use of a meter what its pool has to do with it.
func (d Desk) pooledUse(w Wallet, x policy.Use, of meter.Subject, p *group.Proposal) policy.Use {
	m := d.now.compiled.Policy.Meters[x.Meter]
	if m.Pool == 0 {
		return x
	}
	x.Pool = d.now.line.pool(w.State, m, of, d.now.charges.now)
	if r, ok := d.own(w, p.Ref.ID); ok && slices.Contains(r.Meters, x.Meter) {
		x.Reserved, x.Granted = true, w.allGranted(d.now.compiled.Policy, r.Ref.ID)
	}
	return x
}

// BudgetMove is what a robot has to say next of the pools: one of the three.
type BudgetMove struct {
	Grant, Release   journal.EntryID
	Grants, Releases bool
	To               journal.Author // whom it grants
}

// Budget returns what a prepared robot says next of the pools, if anything: that it releases
// what it cannot use any more or what blocks another's; or that it grants what fits.
func (d Desk) Budget(w Wallet, live func(*group.Proposal) bool) (BudgetMove, bool) {
	if d.now == nil || d.now.problem != "" || d.now.budget == nil || !d.now.line.moved(w.State) {
		return BudgetMove{}, false
	}
	n := 0
	for r := range w.State.ReservedBy(w.Key) {
		if w.signedTx(r.TxID) {
			continue
		}
		if n++; n > maxReservations {
			break
		}
		p, ok := w.State.Proposal(r.Proposal)
		if !ok || r.Policy != d.now.version || !live(p) || d.blocked(w, r) {
			return BudgetMove{Release: r.Ref.ID, Releases: true}, true
		}
	}
	for r := range d.waiting(w) {
		if d.fits(w, r) {
			return BudgetMove{Grant: r.Ref.ID, Grants: true, To: r.Ref.Chain.Author}, true
		}
	}
	return BudgetMove{}, false
}

// waiting yields the reservations of other robots that this one did not grant.
func (d Desk) waiting(w Wallet) func(yield func(group.Reservation) bool) {
	return func(yield func(group.Reservation) bool) {
		for k := range w.State.Active().Members {
			if k == w.Key || !d.now.compiled.Policy.Robots.Has(policy.Key(k)) {
				continue
			}
			n := 0
			for r := range w.State.ReservedBy(k) {
				if _, done := w.State.GrantedBy(w.Key, r.Ref.ID, false); done || r.Policy != d.now.version {
					continue
				}
				if n++; n > maxReservations || d.today(saysGrant, r.Ref.Chain.Author, d.now.charges.now) >= grantsEach {
					break
				}
				if !yield(r) {
					return
				}
			}
		}
	}
}

// fits says whether a reservation may be granted: of each meter that it names.
func (d Desk) fits(w Wallet, r group.Reservation) bool {
	for _, n := range r.Meters {
		if n >= uint64(len(d.now.compiled.Policy.Meters)) {
			return false
		}
		m := d.now.compiled.Policy.Meters[n]
		x, ok := w.reservation(d.now, r, int(n))
		if !ok || m.Pool == 0 {
			return false
		}
		for _, t := range x.Takes {
			one := x
			one.Takes = []meter.Take{t}
			if !d.now.budget.pools[int(n)].MayGrant(one, d.now.line.pool(w.State, m, t.Subject, d.now.charges.now), m.Window, d.now.charges.now) {
				return false
			}
		}
	}
	return true
}

// blocked says whether a reservation of this robot is in the way of another's that goes first.
func (d Desk) blocked(w Wallet, own group.Reservation) bool {
	for _, n := range own.Meters {
		if n >= uint64(len(d.now.compiled.Policy.Meters)) {
			return true
		}
		var others []meter.Reservation
		for r := range d.waiting(w) {
			if x, ok := w.reservation(d.now, r, int(n)); ok {
				others = append(others, x)
			}
		}
		m := d.now.compiled.Policy.Meters[n]
		pool := d.now.line.pool(w.State, m, meter.All, d.now.charges.now)
		if d.now.budget.pools[int(n)].Blocked(meter.ReservationID(own.Ref.ID), others, pool, m.Window, d.now.charges.now) {
			return true
		}
	}
	return false
}

// MayReserve says whether a robot asks for leave to sign a proposal by the pools of some
// meters: it did not ask yet, and its own pool has room.
func (d Desk) MayReserve(w Wallet, p *group.Proposal, meters []uint64) bool {
	if d.now == nil || d.now.problem != "" || !d.now.line.moved(w.State) {
		return false
	}
	n := 0
	for r := range w.State.ReservedBy(w.Key) {
		if r.Policy == d.now.version && !w.signedTx(r.TxID) {
			n++
		}
	}
	if _, asked := d.own(w, p.Ref.ID); asked || n >= maxReservations {
		return false
	}
	r := group.Reservation{Proposal: p.Ref.ID, TxID: p.TxID, Policy: d.now.version, Meters: meters}
	if d.now.budget == nil {
		next := *d.now
		next.budget, d.now = &budget{pools: map[int]meter.Pool{}}, &next
	}
	return d.fits(w, r)
}

// Outgrown returns the reservation of a robot for a proposal that does not name all the meters
// whose pools it needs by now: it is released, so that another one names them.
func (d Desk) Outgrown(w Wallet, p *group.Proposal, meters []uint64) (journal.EntryID, bool) {
	if d.now == nil || d.now.problem != "" || w.signedTx(p.TxID) {
		return journal.EntryID{}, false
	}
	r, ok := d.own(w, p.Ref.ID)
	return r.Ref.ID, ok && slices.ContainsFunc(meters, func(m uint64) bool { return !slices.Contains(r.Meters, m) })
}

// Counted notes how many entries there are of leave: where there are others than before, what
// they come to is worked out anew. It is called with each tick, so that nobody has it done more
// often.
func (d Desk) Counted(entries int) Desk {
	if d.entries == entries {
		return d
	}
	d = d.Spoke()
	d.entries = entries
	return d
}

// Granted notes that this robot gave another one leave, of whom so many a day are given it.
func (d Desk) Granted(to journal.Author) Desk {
	if d.now == nil {
		return d
	}
	return d.counted(saysGrant, to, d.now.charges.now)
}

// Spoke notes that this robot said something of the pools.
func (d Desk) Spoke() Desk {
	if d.now != nil && d.now.budget != nil {
		next := *d.now
		next.budget, d.now = nil, &next
	}
	return d
}

// Robots says whether something holds of each robot of the policy in force.
func (d Desk) Robots(holds func(key int) bool) bool {
	if d.now == nil || d.now.compiled == nil {
		return false
	}
	for k := range policy.MaxKeys {
		if d.now.compiled.Policy.Robots.Has(policy.Key(k)) && !holds(k) {
			return false
		}
	}
	return true
}
