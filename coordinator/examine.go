package coordinator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// Finding is something wrong with what a node stored of one group.
type Finding struct {
	Code, What, Where string
	// Mend makes it right, where that is safe: what it takes away is made anew.
	Mend *port.Batch
}

// clockSlack is how far ahead of the clock something may claim to be.
const clockSlack = 2 * time.Hour

// Examine looks at what is stored of a group, as a node would at its start, and
// says everything that is wrong instead of the first. recs, entries and guard
// are what the store can still read.
func Examine(ctx context.Context, self *group.Self, id journal.GroupID, recs map[string][]byte, entries []*journal.Entry, guard []port.GuardRecord, now time.Time) []Finding {
	x := &examination{recs: recs, group: id, guard: guard, now: now}
	if recs[recLocal] == nil {
		x.find("wallet_record", "the record that a wallet rests on is missing", recLocal)
		return x.out
	}
	if err := record.Decode(recs[recLocal], &x.m.local); err != nil {
		x.find("wallet_record", "the record that a wallet rests on cannot be read: "+err.Error(), recLocal)
		return x.out
	}
	x.small()
	var pin [32]byte
	if p := recs[recPin]; p != nil && len(p) != len(pin) {
		x.find("pin", fmt.Sprintf("the pinned roster has %d bytes", len(p)), recPin)
	}
	copy(pin[:], recs[recPin])
	st, err := group.NewState(self, x.m.local.Genesis, x.m.local.Secret, pin)
	if err != nil || st.Group() != id {
		x.find("wallet_record", "the wallet's genesis is not that of its group", recLocal)
		return x.out
	}
	x.m.State = x.fold(ctx, st, entries)
	x.derived(st)
	x.standing(entries)
	return x.out
}

type examination struct {
	m     Machine
	recs  map[string][]byte
	group journal.GroupID
	guard []port.GuardRecord
	now   time.Time
	out   []Finding
}

func (x *examination) find(code, what, where string, drop ...string) {
	f := Finding{Code: code, What: what, Where: where}
	if len(drop) > 0 {
		f.Mend = &port.Batch{Group: x.group, Deletes: drop}
	}
	x.out = append(x.out, f)
}

// small reads the records that are one each.
func (x *examination) small() {
	for _, k := range slices.Sorted(keysOf(x.recs)) {
		switch {
		case k == recRestored:
			if _, err := x.m.loadRestored(x.recs); err != nil {
				x.find("restore_record", err.Error(), k)
			}
		case k == recUnasked, strings.HasPrefix(k, recInvite), strings.HasPrefix(k, recRequest), strings.HasPrefix(k, recContent), strings.HasPrefix(k, recGiven), strings.HasPrefix(k, recSchedule), strings.HasPrefix(k, recAlarm):
			if _, err := x.m.loadRecords(map[string][]byte{k: x.recs[k]}); err != nil {
				x.find("local_record", err.Error(), k)
			}
		}
	}
}

func keysOf(m map[string][]byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// fold links and folds what is there, and says where a chain is broken.
func (x *examination) fold(ctx context.Context, st group.State, entries []*journal.Entry) group.State {
	slices.SortFunc(entries, func(a, b *journal.Entry) int {
		return cmp.Or(a.Chain().Compare(b.Chain()), cmp.Compare(a.Position().Seq, b.Position().Seq), slices.Compare(a.Bytes(), b.Bytes()))
	})
	add := func(e *journal.Entry) bool {
		next, _, err := st.Add(e, true)
		st = next
		return err == nil
	}
	late := slices.DeleteFunc(slices.Clone(entries), add)
	for moved := true; moved && ctx.Err() == nil; {
		n := len(late)
		late = slices.DeleteFunc(late, add)
		moved = len(late) < n
	}
	broken := map[journal.ChainKey]bool{}
	for _, e := range late {
		if !broken[e.Chain()] {
			broken[e.Chain()] = true
			_, _, err := st.Chains().Add(e, true)
			x.find("chain_broken", fmt.Sprintf("a chain of %s breaks off before seq %d: %v", e.Header().Author, e.Position().Seq, err),
				fmt.Sprintf("incarnation %d, entry %s", e.Header().Incarnation, e.ID()))
		}
	}
	return st.Activated().Work(workAll).Told()
}

// derived compares what can be made anew with what it is made from.
func (x *examination) derived(empty group.State) {
	st := x.m.State
	if x.recs[recSnapshot] != nil {
		with := empty
		snap, err := joinSnapshot(x.recs)
		if err == nil {
			with, err = empty.WithSnapshot(snap)
		}
		switch {
		case errors.Is(err, group.ErrSnapshot) && st.Active() != nil:
			x.find("snapshot_stale", "the snapshot is of no use: it is damaged, or of another version", recSnapshot, recSnapshot)
		case err == nil && !with.Work(workAll).PartOf(st):
			x.find("snapshot_wrong", "the snapshot says something else than the entries", recSnapshot, recSnapshot)
		}
	}
	if x.recs[ledger.RecView] == nil || st.Active() == nil {
		return
	}
	v, err := ledger.Restore(x.recs, st.Active().Descriptor)
	if lead := time.Unix(v.Tip().MedianTime, 0).Sub(x.now); lead > clockSlack {
		x.find("clock_behind", fmt.Sprintf("the clock is %v before the time of the block chain", lead.Round(time.Minute)), fmt.Sprintf("block %d", v.Tip().Height))
	}
	if err != nil {
		drop := []string{ledger.RecView}
		for k := range x.recs {
			if strings.HasPrefix(k, ledger.RecTx) || strings.HasPrefix(k, ledger.RecScripts) {
				drop = append(drop, k)
			}
		}
		x.find("view_damaged", "the view of the chain cannot be read: "+err.Error(), ledger.RecView, drop...)
	}
}

// standing looks at where this node stands: its own chain, what it cannot read,
// its guard and its clock.
func (x *examination) standing(entries []*journal.Entry) {
	st := x.m.State
	mine := journal.ChainKey{Author: st.Me(), Incarnation: x.m.local.Incarnation}
	if f := st.Chains().ForkedAt(mine); f != 0 {
		x.find("own_chain_forked", fmt.Sprintf("this node wrote two entries at seq %d: two copies of it ran", f), fmt.Sprintf("incarnation %d", mine.Incarnation))
	}
	if x.recs[recRestored] == nil && x.m.superseded() {
		x.find("superseded", errSuperseded.Error(), "")
	}
	if st.Succeeded() {
		x.find("replaced", errReplaced.Error(), "")
	}
	if n := st.UnreadCount(); n > 0 {
		x.find("epoch_missing", fmt.Sprintf("%d entries cannot be read: the secret of their epoch is not here yet", n), "")
	}
	// A restored node learns from the others what it signed: its guard counts that too.
	if st.Active() != nil && x.m.local.Incarnation == 1 && x.m.local.Replaces == (journal.Author{}) {
		x.checkGuard()
	}
	var ahead int64
	for p := range st.AllProposals {
		if p.Author() == st.Me() {
			ahead = max(ahead, p.Ref.Time)
		}
	}
	for r := range st.Records {
		if r.Ref.Chain.Author == st.Me() {
			ahead = max(ahead, r.Ref.Time)
		}
	}
	if lead := time.UnixMilli(ahead).Sub(x.now); lead > clockSlack {
		x.find("clock_behind", fmt.Sprintf("this node itself wrote something %v ahead of its clock", lead.Round(time.Minute)), "")
	}
}

// checkGuard asks whether the guard knows every signature of this node that its
// entries show.
func (x *examination) checkGuard() {
	st := x.m.State
	me, ok := st.Active().Index(st.Me())
	if !ok || x.m.External() {
		return
	}
	known := map[port.GuardRecord]bool{}
	for _, r := range x.guard {
		known[r] = true
	}
	for p := range st.AllProposals {
		if !p.Sound || st.SignedInputs(p, me) == 0 {
			continue
		}
		for _, in := range p.Body.Inputs {
			r := port.GuardRecord{OutPoint: in.OutPoint(), TxID: p.TxID}
			if known[r] {
				continue
			}
			known[r] = true
			f := Finding{Code: "guard_incomplete", What: fmt.Sprintf("the sign guard does not know that this node signed transaction %v", p.TxID), Where: in.OutPoint().String()}
			u := port.GuardUpdate{GuardRecord: r}
			for k := range known {
				if k.OutPoint == r.OutPoint {
					u.Known = append(u.Known, k.TxID)
				}
			}
			f.Mend = &port.Batch{Group: x.group, Guard: []port.GuardUpdate{u}}
			x.out = append(x.out, f)
		}
	}
}
