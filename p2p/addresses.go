package p2p

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

var errRecord = errors.New("not a signed peer record")

// Bounds on addresses of one member, and how long a change waits to be saved.
const (
	maxAddresses = 8 // of each kind, but for
	maxSeen      = 4 // those that the local network shows
	maxFrom      = 4 // and where it came from
	saveDelay    = 2 * time.Second

	// A member's signed records are taken so often; the newest waits its turn. A
	// node that starts signs a few, as it finds out where it is.
	recordEvery = 10 * time.Second
	recordBurst = 4
)

// whereabouts is what is known of where a member is. What is less sure never
// takes the place of what is surer.
type whereabouts struct {
	fixed  []ma.Multiaddr // configured, or from an invite
	worked []ma.Multiaddr // reached there before; saved
	from   []netip.Addr   // it came from there; saved
	told   []ma.Multiaddr // the member's signed word, maybe by way of another; saved with the record
	said   []ma.Multiaddr // its own word, unsigned
	seen   []ma.Multiaddr // what somebody in the local network says
	record []byte         // the signed word
	seq    uint64         // of it

	rate    *rate.Limiter // of records
	waiting []byte        // the newest record that came too soon
	waitSeq uint64
	timer   *time.Timer
}

// directory knows where members are, from every source.
type directory struct {
	book port.AddressBook
	log  *slog.Logger
	// news is called when a record that had to wait is taken. It may be nil.
	news func(journal.Author)

	mu     sync.Mutex
	m      map[journal.Author]*whereabouts
	timer  *time.Timer
	closed bool
}

func newDirectory(book port.AddressBook, log *slog.Logger) (*directory, error) {
	d := &directory{book: book, log: log, m: map[journal.Author]*whereabouts{}}
	if book == nil {
		return d, nil
	}
	return d, d.load()
}

// parseAddrs reads what can be read, at most maxAddresses, without /p2p.
func parseAddrs(texts []string) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, t := range texts {
		if a, err := ma.NewMultiaddr(t); err == nil {
			out = append(out, a)
		}
	}
	return tidy(out, maxAddresses)
}

// tidy drops the peer ID at the end, repetitions, and what is over the limit.
func tidy(addrs []ma.Multiaddr, limit int) []ma.Multiaddr {
	var out []ma.Multiaddr
	for _, a := range addrs {
		if a = bare(a); len(a) > 0 && !slices.ContainsFunc(out, a.Equal) && len(out) < limit {
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
	return ma.Unique(slices.Concat(d.sure(a), d.hearsay(a), d.shown(a)))
}

// sure returns the addresses that this node's owner gave, and those where the
// member proved that it is there.
func (d *directory) sure(a journal.Author) []ma.Multiaddr {
	return d.list(a, func(w *whereabouts) []ma.Multiaddr { return slices.Concat(w.fixed, w.worked) })
}

// hearsay returns the addresses that a member itself told.
func (d *directory) hearsay(a journal.Author) []ma.Multiaddr {
	return d.list(a, func(w *whereabouts) []ma.Multiaddr { return slices.Concat(w.told, w.said) })
}

// shown returns the addresses that the local network shows.
func (d *directory) shown(a journal.Author) []ma.Multiaddr {
	return d.list(a, func(w *whereabouts) []ma.Multiaddr { return slices.Clone(w.seen) })
}

func (d *directory) list(a journal.Author, which func(*whereabouts) []ma.Multiaddr) []ma.Multiaddr {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.m[a]; w != nil {
		return ma.Unique(which(w))
	}
	return nil
}

// givenElsewhere says whether this node's owner gave an address of a member that
// is on another machine.
func (d *directory) givenElsewhere() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.m {
		if !loopbackOnly(w.fixed) {
			return true
		}
	}
	return false
}

// given says whether an address is one that this node's owner gave for a member.
func (d *directory) given(addr ma.Multiaddr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.m {
		if slices.ContainsFunc(w.fixed, addr.Equal) {
			return true
		}
	}
	return false
}

// fix adds configured addresses or those of an invite, and says whether any is new.
func (d *directory) fix(a journal.Author, addrs []ma.Multiaddr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.at(a)
	was := w.fixed
	w.fixed = tidy(slices.Concat(was, addrs), maxAddresses)
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
	w.worked = tidy(slices.Concat([]ma.Multiaddr{addr}, w.worked), maxAddresses)
	d.saveSoon()
}
