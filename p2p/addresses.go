package p2p

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/journal"
)

// AddressBook keeps, across restarts, where members were last reached. Keys are
// authors in hexadecimal, values multiaddrs without /p2p.
type AddressBook interface {
	// Load returns what was saved last, or nothing.
	Load() (map[string][]string, error)
	// Save replaces what is kept.
	Save(map[string][]string) error
}

var errRecord = errors.New("not a signed peer record")

// Bounds on addresses of one member, and how long a change waits to be saved.
const (
	maxAddresses = 8 // of each kind
	saveDelay    = 2 * time.Second
)

// whereabouts is what is known of where a member is.
type whereabouts struct {
	fixed  []ma.Multiaddr // configured, or from an invite
	worked []ma.Multiaddr // reached there before; saved
	told   []ma.Multiaddr // the member's own word, maybe by way of another
	record []byte         // that word, signed
	seq    uint64         // of that word
}

// directory knows where members are, from every source.
type directory struct {
	book AddressBook
	log  *slog.Logger

	mu    sync.Mutex
	m     map[journal.Author]*whereabouts
	timer *time.Timer
}

func newDirectory(book AddressBook, log *slog.Logger) (*directory, error) {
	d := &directory{book: book, log: log, m: map[journal.Author]*whereabouts{}}
	if book == nil {
		return d, nil
	}
	saved, err := book.Load()
	if err != nil {
		return nil, fmt.Errorf("load remembered addresses: %w", err)
	}
	for text, addrs := range saved {
		var a journal.Author
		if a.UnmarshalText([]byte(text)) != nil || len(d.m) >= maxMembers {
			continue // a damaged line costs an address, not the start
		}
		d.at(a).worked = parseAddrs(addrs)
	}
	return d, nil
}

// parseAddrs reads what can be read, at most maxAddresses, without /p2p.
func parseAddrs(texts []string) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, t := range texts {
		if a, err := ma.NewMultiaddr(t); err == nil {
			out = append(out, a)
		}
	}
	return tidy(out)
}

// tidy drops the peer ID at the end, repetitions, and what is over the limit.
func tidy(addrs []ma.Multiaddr) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, a := range addrs {
		if bare, last := ma.SplitLast(a); last != nil && last.Protocol().Code == ma.P_P2P {
			a = bare
		}
		if len(a) > 0 && !slices.ContainsFunc(out, a.Equal) && len(out) < maxAddresses {
			out = append(out, a)
		}
	}
	return out
}

func (d *directory) at(a journal.Author) *whereabouts {
	w := d.m[a]
	if w == nil {
		w = &whereabouts{}
		d.m[a] = w
	}
	return w
}

// of returns every address known of a member, the surest first.
func (d *directory) of(a journal.Author) []ma.Multiaddr {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.m[a]
	if w == nil {
		return nil
	}
	return ma.Unique(slices.Concat(w.fixed, w.worked, w.told))
}

// fix adds configured addresses or those of an invite, and says whether any is new.
func (d *directory) fix(a journal.Author, addrs []ma.Multiaddr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	was := w.fixed
	w.fixed = tidy(slices.Concat(was, addrs))
	return len(w.fixed) > len(was)
}

// worked remembers where a member was reached.
func (d *directory) worked(a journal.Author, addr ma.Multiaddr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	if len(w.worked) > 0 && w.worked[0].Equal(addr) {
		return
	}
	w.worked = tidy(slices.Concat([]ma.Multiaddr{addr}, w.worked))
	d.saveSoon()
}

// tell adds addresses that a member told of itself unsigned, or that were seen.
func (d *directory) tell(a journal.Author, addrs []ma.Multiaddr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	was := w.told
	w.told = tidy(slices.Concat(addrs, was))
	return !slices.EqualFunc(was, w.told, ma.Multiaddr.Equal)
}

// vouch takes a signed peer record of somebody that allowed accepts, and
// returns whose it is and whether it tells anything new. It returns errRecord
// for what nobody signed so.
func (d *directory) vouch(raw []byte, allowed func(journal.Author) bool) (journal.Author, bool, error) {
	var a journal.Author
	if d.knows(raw) {
		return a, false, nil
	}
	env, rec, err := record.ConsumeEnvelope(raw, peer.PeerRecordEnvelopeDomain)
	if err != nil {
		return a, false, errRecord
	}
	r, ok := rec.(*peer.PeerRecord)
	if !ok || !r.PeerID.MatchesPublicKey(env.PublicKey) {
		return a, false, errRecord
	}
	if a, err = AuthorOf(r.PeerID); err != nil {
		return a, false, errRecord
	}
	if !allowed(a) {
		return a, false, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	if r.Seq <= w.seq {
		return a, false, nil
	}
	w.seq, w.record, w.told = r.Seq, slices.Clone(raw), tidy(r.Addrs)
	d.saveSoon()
	return a, true, nil
}

// knows says whether a record is one that was taken before.
func (d *directory) knows(raw []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.m {
		if bytes.Equal(w.record, raw) {
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

// drop forgets a member that left.
func (d *directory) drop(a journal.Author) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.m[a] != nil {
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
		var addrs []string
		for _, x := range tidy(slices.Concat(w.worked, w.told)) {
			addrs = append(addrs, x.String())
		}
		if len(addrs) > 0 {
			out[a.String()] = addrs
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
	waits := d.timer != nil && d.timer.Stop()
	d.mu.Unlock()
	if waits {
		d.save()
	}
}
