package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/known"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/coordinator/recurring"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// ErrNoGroup is returned by Load for a group of which nothing is stored.
var ErrNoGroup = errors.New("no such wallet is stored")

// Load rebuilds the machine of a group from what is stored: local records,
// the guard, every entry, and the view of the chain.
func Load(ctx context.Context, store port.Store, self *group.Self, id journal.GroupID) (Machine, error) {
	var m Machine
	recs, err := store.Records(ctx, id, "")
	if err != nil {
		return m, fmt.Errorf("read wallet records: %w", err)
	}
	if recs[recLocal] == nil {
		return m, ErrNoGroup
	}
	if err := record.Decode(recs[recLocal], &m.local); err != nil {
		return m, fmt.Errorf("read wallet record: %w", err)
	}
	var pin [32]byte
	copy(pin[:], recs[recPin])
	if m.State, err = group.NewState(self, m.local.Genesis, m.local.Secret, pin); err != nil {
		return m, fmt.Errorf("read wallet record: %w", err)
	}
	m.State = m.local.inPlace(m.State)
	if m.State.Group() != id {
		return m, fmt.Errorf("read wallet record: %w", port.RejectGroup)
	}
	guard, err := store.Guard(ctx)
	if err != nil {
		return m, fmt.Errorf("read sign guard: %w", err)
	}
	m.Guard = NewGuard(guard)
	if m, err = m.loadRestored(recs); err != nil {
		return m, err
	}
	if m, err = m.loadRecords(recs); err != nil {
		return m, err
	}
	if m, err = m.loadEntries(ctx, store, recs); err != nil {
		return m, err
	}
	m.View = m.View.BornAt(m.local.Birthday)
	if m.State.Active() == nil {
		return m, nil
	}
	return m.loadView(recs)
}

// StoredLocal reads what this node keeps of a wallet for itself, without loading it.
func StoredLocal(ctx context.Context, store port.Store, id journal.GroupID) (Local, error) {
	var l Local
	recs, err := store.Records(ctx, id, recLocal)
	if err != nil {
		return l, fmt.Errorf("read wallet records: %w", err)
	}
	if err := record.Decode(recs[recLocal], &l); err != nil {
		return l, fmt.Errorf("read wallet record: %w", err)
	}
	return l, nil
}

func (m Machine) loadRecords(recs map[string][]byte) (Machine, error) {
	for k, v := range recs {
		switch {
		case strings.HasPrefix(k, recInvite):
			var r inviteRecord
			if err := record.Decode(v, &r); err != nil {
				return m, fmt.Errorf("read invite record: %w", err)
			}
			m.invites = m.invites.Set(strings.TrimPrefix(k, recInvite), r)
		case strings.HasPrefix(k, recRequest):
			if len(v) != len(journal.EntryID{}) {
				return m, fmt.Errorf("read request record: %w", refusal.ErrBadRequest)
			}
			m.requests = m.requests.Set(strings.TrimPrefix(k, recRequest), journal.EntryID(v))
		case strings.HasPrefix(k, recContent):
			if len(v) != 32 {
				return m, fmt.Errorf("read request record: %w", refusal.ErrBadRequest)
			}
			m.contents = m.contents.Set(strings.TrimPrefix(k, recContent), [32]byte(v))
		case strings.HasPrefix(k, recGiven):
			g, err := readGiven(v)
			if err != nil {
				return m, err
			}
			m.given = m.given.Set(strings.TrimPrefix(k, recGiven), g)
		case strings.HasPrefix(k, recSchedule):
			sch, err := recurring.ReadRecord(v)
			if err != nil {
				return m, err
			}
			m.schedules = m.schedules.Set(sch.ID.Key(), sch)
		case strings.HasPrefix(k, recPing):
			key, err := strconv.ParseUint(strings.TrimPrefix(k, recPing), 10, 32)
			if err != nil || len(v) != len(journal.EntryID{}) {
				return m, fmt.Errorf("read ping record: %w", refusal.ErrBadRequest)
			}
			m.pings = m.pings.Set(pmap.Num(key), journal.EntryID(v))
		case k == recPaused:
			m.desk.Paused = true
		case k == recUnasked:
			var r unaskedRecord
			if err := record.Decode(v, &r); err != nil {
				return m, fmt.Errorf("read when it signed by itself: %w", err)
			}
			m.unaskedAt = r.At
		case k == recOutbox, strings.HasPrefix(k, recTold):
			var err error
			if m.outbox, err = m.outbox.load(k, v); err != nil {
				return m, err
			}
		case strings.HasPrefix(k, recAlarm):
			id, err := chainhash.NewHashFromStr(strings.TrimPrefix(k, recAlarm))
			if err != nil {
				return m, fmt.Errorf("read alarm record: %w", err)
			}
			var r alarmRecord
			if err := record.Decode(v, &r); err != nil {
				return m, fmt.Errorf("read alarm record: %w", err)
			}
			m.alarmed = m.alarmed.Set(mapkey.Of(*id), r)
		}
	}
	return m, nil
}

// loadEntries folds every stored entry that a snapshot does not cover. They
// were checked when they were stored, and the store checks each id.
func (m Machine) loadEntries(ctx context.Context, store port.Store, recs map[string][]byte) (Machine, error) {
	st := m.State
	m.snaps = snapshotsOf(recs)
	failed, err := failedOf(recs)
	if err != nil {
		return m, err
	}
	if snap, err := joinSnapshot(recs); err == nil {
		var with group.State
		if err := group.Contained(func() (err error) { with, err = st.WithSnapshot(snap); return err }); err == nil {
			st = with
		}
	}
	st = st.JudgeLater(true) // a bounded part of it is judged now, below
	add := func(e *journal.Entry) bool {
		if st.Chains().Has(e.ID()) {
			return true
		}
		take := group.State.Add
		if failed[e.ID()] {
			take = group.State.AddUnread
		}
		next, _, err := take(st, e, true)
		st = next
		return err == nil
	}
	// One side of a fork need not link to what lies before it, and may come
	// first: it is taken again once the other side is there.
	var late []*journal.Entry
	err = store.Walk(ctx, st.Group(), func(e *journal.Entry) error {
		if !add(e) {
			late = append(late, e)
		}
		return nil
	})
	if err != nil {
		return m, fmt.Errorf("read journal: %w", err)
	}
	for moved := true; moved && len(late) > 0; {
		n := len(late)
		late = slices.DeleteFunc(late, add)
		moved = len(late) < n
	}
	if len(late) > 0 {
		return m, fmt.Errorf("read journal: entry %s does not link to its chain", late[0].ID())
	}
	st = st.JudgeLater(false)
	m.State = st.Activated().Work(workAtLoad).Told()
	return m, nil
}

func (m Machine) loadView(recs map[string][]byte) (Machine, error) {
	if recs[ledger.RecView] == nil {
		return m, nil
	}
	v, err := ledger.Restore(recs, m.State.Active().Descriptor)
	if err != nil {
		return m, err
	}
	m.View, m.saved, m.payees = v, v.Watched(), known.Of(v, wallet.Network(m.State.Genesis().Network))
	return m, nil
}

// What a step works off of what waited: one unit is an input or output of a
// proposal that is derived, or a signature that is verified, about 0.2 ms. One
// author may bring 32 MiB at once (see node.Quota): half a million units. They
// take 260 steps, and each author has its turn in each round of them.
const (
	workEach   = 2_000
	workAtLoad = 1 << 16
	workAll    = 1 << 62
)
