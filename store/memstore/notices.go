package memstore

import (
	"context"
	"encoding/binary"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/store"
)

func noticeKey(number uint64, alarm bool) string {
	k := binary.BigEndian.AppendUint64([]byte(spaceNotice), number)
	if alarm {
		return string(append(k, 1))
	}
	return string(append(k, 0))
}

func noticeOf(k string, v []byte) port.NumberedNotice {
	n := port.NumberedNotice{Number: binary.BigEndian.Uint64([]byte(k[1:9]))}
	n.Alarm, n.At, n.Data = k[9] == 1, int64(binary.BigEndian.Uint64(v)), append([]byte{}, v[8:]...)
	return n
}

// number numbers the notices of a batch and keeps them; the lock is held.
func (m *Store) number(notices []port.NoticeRecord) {
	for _, n := range notices {
		if m.lastNotice == 0 {
			m.lastNotice = store.FirstNotice(n) - 1
		}
		m.lastNotice++
		m.tree.Set(noticeKey(m.lastNotice, n.Alarm), append(binary.BigEndian.AppendUint64(nil, uint64(n.At)), n.Data...))
	}
}

// Notices returns a part of the outbox; see port.Store.
func (m *Store) Notices(ctx context.Context, after uint64, limit int) (port.Notices, error) {
	m.mu.Lock()
	out := port.Notices{Last: m.lastNotice, Dropped: m.dropped}
	m.mu.Unlock()
	if after >= out.Last {
		_, err := m.copy(ctx)
		return port.Notices{Last: out.Last, Dropped: out.Dropped}, err
	}
	err := m.scan(ctx, spaceNotice, noticeKey(after+1, false), func(k string, v []byte) (bool, error) {
		if len(out.Items) >= limit {
			return false, nil
		}
		if n := noticeOf(k, v); n.Number <= out.Last {
			out.Items = append(out.Items, n)
		}
		return true, nil
	})
	if err != nil {
		return port.Notices{}, err
	}
	// What was dropped while this was read is told as missing.
	m.mu.Lock()
	defer m.mu.Unlock()
	out.Dropped = m.dropped
	return out, nil
}

// TrimNotices drops what is beyond the limits; see port.Store.
func (m *Store) TrimNotices(ctx context.Context, keep port.NoticeLimits) error {
	var all []port.NumberedNotice
	counts := map[bool]int{}
	err := m.scan(ctx, spaceNotice, spaceNotice, func(k string, v []byte) (bool, error) {
		n := noticeOf(k, v)
		all = append(all, n)
		counts[n.Alarm]++
		return true, nil
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	most := map[bool]int{true: keep.Alarms, false: keep.Others}
	young := map[bool]bool{}
	for _, n := range all {
		if counts[n.Alarm] <= most[n.Alarm] && (young[n.Alarm] || n.At >= keep.Since) {
			young[n.Alarm] = true
			continue
		}
		counts[n.Alarm]--
		m.tree.Delete(noticeKey(n.Number, n.Alarm))
		m.dropped = max(m.dropped, n.Number)
	}
	return nil
}
