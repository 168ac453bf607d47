package p2p

import (
	"bytes"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"

	"github.com/quorate/quorate/journal"
)

// say adds addresses that a member told of itself, unsigned, over a connection
// to it.
func (d *directory) say(a journal.Author, addrs []ma.Multiaddr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	was := w.said
	w.said = tidy(slices.Concat(addrs, was), maxAddresses)
	return !slices.EqualFunc(was, w.said, ma.Multiaddr.Equal)
}

// show takes addresses that somebody in the local network says a member has.
// Nobody signed them: they are dialed last, and never saved.
func (d *directory) show(a journal.Author, addrs []ma.Multiaddr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	was := w.seen
	w.seen = tidy(slices.Concat(addrs, was), maxSeen)
	return !slices.EqualFunc(was, w.seen, ma.Multiaddr.Equal)
}

// opened is a signed peer record.
type opened struct {
	author journal.Author
	seq    uint64
	addrs  []ma.Multiaddr
}

// openRecord checks a signed peer record. It returns errRecord for what nobody
// signed so.
func openRecord(raw []byte) (opened, error) {
	env, rec, err := record.ConsumeEnvelope(raw, peer.PeerRecordEnvelopeDomain)
	if err != nil {
		return opened{}, errRecord
	}
	r, ok := rec.(*peer.PeerRecord)
	if !ok || !r.PeerID.MatchesPublicKey(env.PublicKey) {
		return opened{}, errRecord
	}
	a, err := AuthorOf(r.PeerID)
	if err != nil {
		return opened{}, errRecord
	}
	return opened{a, r.Seq, tidy(r.Addrs, maxAddresses)}, nil
}

// ahead says whether a record's number is of a time that cannot be, as far as this
// node knows.
func ahead(seq uint64, now time.Time) bool {
	return seq > uint64(max(now.Add(recordAhead).UnixNano(), 0))
}

// vouch takes a signed peer record of somebody that allowed accepts, and
// returns whose it is and whether it tells anything new. It returns errRecord
// for what nobody signed so. A record from more than recordAhead in the future is
// left. Of many records of one author only some are taken at once; the newest of
// the others is taken a little later.
func (d *directory) vouch(raw []byte, allowed func(journal.Author) bool) (journal.Author, bool, error) {
	if d.knows(raw) {
		return journal.Author{}, false, nil
	}
	r, err := openRecord(raw)
	if err != nil || !allowed(r.author) || ahead(r.seq, time.Now()) {
		return r.author, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(r.author)
	if r.seq <= w.seq || r.seq <= w.waitSeq {
		return r.author, false, nil
	}
	if w.rate == nil {
		w.rate = rate.NewLimiter(rate.Every(recordEvery), recordBurst)
	}
	if w.timer != nil || !w.rate.Allow() {
		w.waiting, w.waitSeq = slices.Clone(raw), r.seq
		if w.timer == nil && !d.closed {
			w.timer = time.AfterFunc(recordEvery, func() { d.late(r.author, w) })
		}
		return r.author, false, nil
	}
	d.take(w, r, raw)
	return r.author, true, nil
}

// take keeps a record; d.mu is held.
func (d *directory) take(w *whereabouts, r opened, raw []byte) {
	w.seq, w.record, w.told = r.seq, slices.Clone(raw), r.addrs
	d.saveSoon()
}

// late takes the record that had to wait.
func (d *directory) late(a journal.Author, w *whereabouts) {
	d.mu.Lock()
	raw := w.waiting
	w.timer, w.waiting, w.waitSeq = nil, nil, 0
	r, err := openRecord(raw)
	news := err == nil && !d.closed && d.m[a] == w && r.seq > w.seq
	if news {
		_ = w.rate.Allow() // it counts as the others do
		d.take(w, r, raw)
	}
	tell := d.news
	d.mu.Unlock()
	if news && tell != nil {
		tell(a)
	}
}

// knows says whether a record is one that was taken before, or waits.
func (d *directory) knows(raw []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.m {
		if bytes.Equal(w.record, raw) || bytes.Equal(w.waiting, raw) && len(raw) > 0 {
			return true
		}
	}
	return false
}

// record returns the signed addresses of a member, or nil.
func (d *directory) record(a journal.Author) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.m[a]; w != nil {
		return w.record
	}
	return nil
}
