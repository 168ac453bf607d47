package coordinator

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
)

// NoticeMore is the Type of a notice that says how many others were left out.
const NoticeMore = "more"

// noticeRecord is a notice as the outbox holds it. Keys keep their meaning.
type noticeRecord struct {
	Type     string          `cbor:"1,keyasint"`
	Group    journal.GroupID `cbor:"2,keyasint"`
	Proposal journal.EntryID `cbor:"3,keyasint"`
	TxID     chainhash.Hash  `cbor:"4,keyasint"`
	Status   string          `cbor:"5,keyasint"`
	Height   int32           `cbor:"6,keyasint"`
	Detail   string          `cbor:"7,keyasint"`
	By       journal.Author  `cbor:"8,keyasint"`
}

// EncodeNotice returns a notice as the outbox holds it.
func EncodeNotice(n port.Notice) (port.NoticeRecord, error) {
	b, err := record.Encode(noticeRecord{n.Type, n.Group, n.Proposal, n.TxID, n.Status, n.Height, n.Detail, n.By})
	if err != nil {
		return port.NoticeRecord{}, fmt.Errorf("encode notice: %w", err)
	}
	alarm := n.Type == port.NoticeAlarm || n.Type == NoticeMore && n.Status == port.NoticeAlarm
	return port.NoticeRecord{Alarm: alarm, At: max(0, n.Time.UnixMilli()), Data: b}, nil
}

// DecodeNotice reads a notice of the outbox.
func DecodeNotice(r port.NoticeRecord) (port.Notice, error) {
	var n noticeRecord
	if err := record.Decode(r.Data, &n); err != nil {
		return port.Notice{}, fmt.Errorf("read notice: %w", err)
	}
	return port.Notice{Type: n.Type, Group: n.Group, Proposal: n.Proposal, TxID: n.TxID, Status: n.Status, Height: n.Height,
		Detail: n.Detail, Time: time.UnixMilli(r.At).UTC(), By: n.By}, nil
}
