package p2p

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/journal"
)

// What a book holds of a member besides addresses where it was reached. None of
// it reads as a multiaddr, so a node of an earlier version leaves it out.
const (
	bookMark   = "v2"      // the addresses beside it are such where the member was reached
	bookRecord = "record:" // the signed record, in base64
	bookFrom   = "from:"   // an IP address that the member came from
)

// Bounds on what is read and believed of addresses.
const (
	// maxBook is for the members of all wallets, of whom one has maxMembers at most.
	maxBook = 4096
	// A record's number is the time when it was signed. One that lies further ahead
	// would outdo all that its author signs until then.
	recordAhead = 24 * time.Hour
)

// load reads the book. Addresses of a book of an earlier version may be mere
// hearsay, and are taken as that.
func (d *directory) load() error {
	saved, err := d.book.Load()
	if err != nil {
		return fmt.Errorf("load remembered addresses: %w", err)
	}
	over := 0
	for text, lines := range saved {
		var a journal.Author
		if a.UnmarshalText([]byte(text)) != nil {
			continue // a damaged line costs an address, not the start
		}
		if len(d.m) >= maxBook {
			over++
			continue
		}
		d.read(a, d.at(a), lines)
	}
	if over > 0 {
		d.log.Warn("addresses of some members were not read: there are too many", "left", over, "read", maxBook)
	}
	return nil
}

func (d *directory) read(a journal.Author, w *whereabouts, lines []string) {
	if !slices.Contains(lines, bookMark) {
		w.said = parseAddrs(lines)
		return
	}
	w.worked = parseAddrs(lines)
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, bookFrom); ok {
			if ip, err := netip.ParseAddr(text); err == nil && len(w.from) < maxFrom {
				w.from = append(w.from, ip)
			}
		}
		if text, ok := strings.CutPrefix(line, bookRecord); ok && len(text) <= base64.StdEncoding.EncodedLen(maxRecord) {
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				continue
			}
			if r, err := openRecord(raw); err == nil && r.author == a && r.seq > w.seq && !ahead(r.seq, time.Now()) {
				w.seq, w.record, w.told = r.seq, raw, r.addrs
			}
		}
	}
}

func (w *whereabouts) lines() []string {
	var out []string
	for _, x := range w.worked {
		out = append(out, x.String())
	}
	for _, ip := range w.from {
		out = append(out, bookFrom+ip.String())
	}
	if len(w.record) > 0 {
		out = append(out, bookRecord+base64.StdEncoding.EncodeToString(w.record))
	}
	if len(out) > 0 {
		out = append(out, bookMark)
	}
	return out
}

// came remembers from where a member connected.
func (d *directory) came(a journal.Author, ip netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	if !ip.IsValid() || len(w.from) > 0 && w.from[0] == ip {
		return
	}
	w.from = slices.DeleteFunc(w.from, func(x netip.Addr) bool { return x == ip })
	w.from = slices.Concat([]netip.Addr{ip}, w.from[:min(len(w.from), maxFrom-1)])
	d.saveSoon()
}

// met says whether a member was connected before.
func (d *directory) met(a journal.Author) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.m[a]
	return w != nil && len(w.worked)+len(w.from) > 0
}

// known says whether a member was at an IP address lately, or may be by this
// node's own configuration.
func (d *directory) known(ip netip.Addr) bool {
	at := addrNet(ip)
	if !at.IsValid() {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.m {
		for _, x := range w.from {
			if addrNet(x) == at {
				return true
			}
		}
		for _, list := range [][]ma.Multiaddr{w.worked[:min(len(w.worked), maxFrom)], w.fixed[:min(len(w.fixed), maxFrom)]} {
			for _, x := range list {
				if addrNet(ipOf(x)) == at && !relayed(x) {
					return true
				}
			}
		}
	}
	return false
}

// drop forgets a member that left.
func (d *directory) drop(a journal.Author) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.m[a]; w != nil {
		if w.timer != nil {
			w.timer.Stop()
		}
		delete(d.m, a)
		d.saveSoon()
	}
}

func (d *directory) saveSoon() {
	if d.book != nil && d.timer == nil {
		d.timer = time.AfterFunc(saveDelay, d.save)
	}
}

func (d *directory) save() {
	d.mu.Lock()
	d.timer = nil
	out := map[string][]string{}
	for a, w := range d.m {
		if lines := w.lines(); len(lines) > 0 {
			out[a.String()] = lines
		}
	}
	d.mu.Unlock()
	if err := d.book.Save(out); err != nil {
		d.log.Warn("addresses of members were not saved", "error", err)
	}
}

// close saves what waits to be saved.
func (d *directory) close() {
	d.mu.Lock()
	d.closed = true
	for _, w := range d.m {
		if w.timer != nil {
			w.timer.Stop()
		}
	}
	d.mu.Unlock()
	d.flush()
}

// flush saves what waits to be saved.
func (d *directory) flush() {
	d.mu.Lock()
	waits := d.timer != nil && d.timer.Stop()
	d.mu.Unlock()
	if waits {
		d.save()
	}
}
