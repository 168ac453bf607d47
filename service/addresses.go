package service

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/journal"
)

// Addresses lists the receiving addresses that were handed out or paid, newest first.
func (n *Node) Addresses(_ context.Context, ref string, q api.AddressQuery) (api.Page[api.AddressItem], error) {
	var page api.Page[api.AddressItem]
	a, err := n.actor(ref)
	if err != nil {
		return page, err
	}
	// The cursor is the index of the last one shown.
	below := uint64(1) << 32
	if q.Cursor != "" {
		if below, err = strconv.ParseUint(q.Cursor, 10, 32); err != nil {
			return page, badCursor(q.Cursor)
		}
	}
	m := a.Machine()
	if m.State.Active() == nil {
		return page, api.Refuse(refusal.NotActive, "the wallet is not active: "+m.Missing(), "")
	}
	all, err := m.Handed(time.Now())
	if err != nil {
		return page, n.apiError(err)
	}
	labels, limit := m.State.LabelReader(), pageLimit(q.Limit)
	for _, h := range all {
		if uint64(h.Index) >= below || q.Unused && h.Payments > 0 {
			continue
		}
		if len(page.Items) == limit {
			page.Next = api.Text(strconv.FormatUint(uint64(page.Items[limit-1].Index), 10))
			break
		}
		x := api.AddressItem{
			Address: h.Address, Index: h.Index, Used: h.Payments > 0, PaymentCount: h.Payments, Received: h.Received, Unspent: h.Unspent,
			Label: api.Text(labels.Text(event.AddressTarget(h.Script))),
		}
		if h.By != (journal.Author{}) {
			by := personOf(m, h.By)
			x.HandedOutBy = &by
		}
		page.Items = append(page.Items, x)
	}
	return page, nil
}

func badCursor(cursor string) error {
	return api.Misuse("bad_cursor", fmt.Sprintf("%.80q is not a cursor", cursor), "give what `next` said")
}

// pageLimit is how many items a page holds, of as many as were asked for.
func pageLimit(asked int) int {
	if asked <= 0 || asked > api.MaxPage {
		return api.DefaultPage
	}
	return asked
}
