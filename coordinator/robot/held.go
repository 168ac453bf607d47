package robot

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
)

// A signer that held something back is asked again after heldFirst seconds, then after twice
// as long each time, up to heldMost: its operator may have settled what it signed, a window
// may have passed.
const (
	heldFirst = 60
	heldMost  = 3600
	maxHeld   = 4096
)

// heldBack is until when a signer is not asked again, by which policy it was asked, and how
// long that was.
type heldBack struct {
	by          event.PolicyVersion
	until, wait int64
}

// HeldBack notes that the signer's operator does not let a transaction be signed.
func (d Desk) HeldBack(tx chainhash.Hash, now int64) Desk {
	if d.now == nil {
		return d
	}
	k := mapkey.Of(tx)
	x, known := d.held.Get(k)
	if x.wait = min(2*x.wait, heldMost); x.wait == 0 || x.by != d.now.version {
		x.wait = heldFirst
	}
	if !known && d.held.Len() >= maxHeld {
		d.held = pmap.Map[mapkey.ByTx, heldBack]{} // asked again, no more
	}
	d.held = d.held.Set(k, heldBack{d.now.version, now + x.wait, x.wait})
	return d
}

// holds says whether the signer would only say no again. A clock that was set back is no reason
// to wait for longer.
func (d Desk) holds(tx chainhash.Hash, now int64) bool {
	x, ok := d.held.Get(mapkey.Of(tx))
	return ok && x.by == d.now.version && now < x.until && now >= x.until-x.wait
}
