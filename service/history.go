package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/refusal"
)

// alarms are those that stand in a wallet.
func alarms(m *coordinator.Machine) []api.Alarm {
	var out []api.Alarm
	for _, a := range m.AlarmsAt(time.Now()) {
		x := api.Alarm{Code: a.Kind, Message: a.Text, Since: api.Time(a.Since)}
		if a.TxID != (chainhash.Hash{}) {
			x.TxID = api.Text(a.TxID.String())
		}
		out = append(out, x)
	}
	return out
}

// History lists what moved a wallet's coins, newest first.
func (n *Node) History(_ context.Context, ref string, q api.HistoryQuery) (api.Page[api.HistoryItem], error) {
	var page api.Page[api.HistoryItem]
	a, err := n.actor(ref)
	if err != nil {
		return page, err
	}
	after, err := parsePlace(q.Cursor)
	if err != nil {
		return page, err
	}
	limit := q.Limit
	if limit <= 0 || limit > api.MaxPage {
		limit = api.DefaultPage
	}
	m := a.Machine()
	if m.State.Active() == nil {
		return page, api.Refuse(refusal.NotActive, "the wallet is not active: "+m.Missing(), "")
	}
	items, more := m.History(after, limit, period(q))
	labels := m.State.LabelReader()
	for _, i := range items {
		x := api.HistoryItem{TxID: i.TxID.String(), Amount: i.Amount, Fee: i.Fee, Height: api.Known(i.Block.Height)}
		if label, by := labels.OfTx(i.TxID); label != "" {
			who := personOf(m, by)
			x.Label = api.Text(label)
			x.LabelBy = &who
		}
		if i.Block.Height > 0 {
			t := api.Time(time.Unix(i.Block.Time, 0))
			x.Time = &t
		}
		if i.Proposal != ([32]byte{}) {
			x.Proposal = api.Text(i.Proposal.String())
		}
		for _, p := range i.Paid {
			x.Payees = append(x.Payees, api.Payee{Address: n.addressText(p.PkScript), Amount: p.Amount, Label: api.Text(p.Label)})
		}
		page.Items = append(page.Items, x)
	}
	if more {
		last := items[len(items)-1]
		page.Next = api.Text(fmt.Sprintf("%d-%v", last.Block.Height, last.TxID))
	}
	return page, nil
}

func period(q api.HistoryQuery) coordinator.Period {
	var p coordinator.Period
	if !q.Since.IsZero() {
		p.Since = q.Since.Unix()
	}
	if !q.Until.IsZero() {
		p.Until = q.Until.Unix()
	}
	return p
}

// parsePlace reads a cursor: height and txid of the last item shown.
func parsePlace(cursor string) (*ledger.HistoryPos, error) {
	if cursor == "" {
		return nil, nil
	}
	height, txid, _ := strings.Cut(cursor, "-")
	h, err := strconv.ParseInt(height, 10, 32)
	var id *chainhash.Hash
	if err == nil && h >= 0 && len(txid) == 2*chainhash.HashSize {
		id, err = chainhash.NewHashFromStr(txid)
	}
	if err != nil || id == nil {
		return nil, api.Misuse("bad_cursor", fmt.Sprintf("%.80q is not a cursor", cursor), "give what `next` said")
	}
	return &ledger.HistoryPos{Height: int32(h), TxID: *id}, nil
}
