package neutrino

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/port"
)

// Times and numbers of handing a transaction over.
const (
	// handTo is how many peers get a transaction; one more is asked for it.
	handTo = 3
	// seenTime is how long it may take until a peer is known to have it.
	seenTime = 20 * time.Second
	// otherTime is how long a peer that was not given it is waited for, once one
	// that was is known to hold it.
	otherTime = 5 * time.Second
)

// Broadcast hands a transaction to some peers, each over a connection of its own, and
// asks another one for it. It returns port.ReachShown when that one has it,
// port.ReachHeld when only peers that were given it are known to hold it,
// port.ErrTxRejected when every one that was refused it, and port.ErrNotSeen when
// nobody is known to have it yet: the network may take it all the same.
func (b *Backend) Broadcast(ctx context.Context, tx *wire.MsgTx) (port.Reach, error) {
	// One that is on its way is not sent twice at a time.
	reach, err, _ := b.asking.Do("send"+tx.WitnessHash().String(), func() (any, error) { return b.broadcast(ctx, tx) })
	if err != nil {
		return "", err
	}
	return reach.(port.Reach), nil
}

func (b *Backend) broadcast(ctx context.Context, tx *wire.MsgTx) (port.Reach, error) {
	cs, err := b.service()
	if err != nil {
		return "", err
	}
	var addrs []string
	for _, p := range cs.Peers() {
		if p.Connected() {
			addrs = append(addrs, p.Addr())
		}
	}
	if len(addrs) == 0 {
		return "", b.noPeers()
	}
	rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	h := &handoff{b: b, tx: tx, addrs: addrs}
	ctx, cancel := context.WithTimeout(ctx, seenTime)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	givers := min(handTo, max(1, len(addrs)-1))
	answers := make(chan answer, givers+1)
	left := givers
	// Each in a goroutine: a peer that does not answer keeps nobody waiting.
	for range givers {
		wg.Go(func() { answers <- h.meetOne(ctx, true) })
	}
	if len(addrs) > givers {
		left++
		wg.Go(func() { answers <- h.meetOne(ctx, false) })
	} else {
		h.other = true
	}
	var enough <-chan time.Time
	for left > 0 {
		if h.other && h.held > 0 || h.shown {
			break
		}
		if h.held > 0 && enough == nil {
			enough = time.After(otherTime)
		}
		select {
		case a := <-answers:
			h.take(a)
			left--
			continue
		case <-enough:
		case <-ctx.Done():
		}
		break
	}
	cancel() // each that is left says at once what it knows
	for ; left > 0; left-- {
		h.take(<-answers)
	}
	return h.outcome()
}

// handoff is one transaction on its way. What is below belongs to the goroutine that
// counts the answers.
type handoff struct {
	b  *Backend
	tx *wire.MsgTx

	mu    sync.Mutex
	addrs []string // of peers nobody met yet

	other   bool // the peer that was not given it has answered, or there is none
	shown   bool // that one has it
	given   int
	held    int
	refused []string
	silent  []string
}

// answer is what one peer has to say of a transaction.
type answer struct {
	given bool
	known knowledge
	// why is there for what is refused, and where nothing is known.
	why string
}

// knowledge is what a visit showed.
type knowledge int

const (
	unmet   knowledge = iota // nobody was met
	unknown                  // nothing is known
	has                      // the peer has the transaction
	refuses                  // it was given it, and did not take it
)

// meetOne visits peers until there was one to talk to.
func (h *handoff) meetOne(ctx context.Context, give bool) answer {
	last := answer{given: give, why: "no other Bitcoin peer is connected"}
	for {
		h.mu.Lock()
		if len(h.addrs) == 0 {
			h.mu.Unlock()
			return last
		}
		addr := h.addrs[0]
		h.addrs = h.addrs[1:]
		h.mu.Unlock()
		known, why := h.b.visit(ctx, addr, h.tx, give)
		if why != "" {
			why = addr + ": " + why
		}
		last = answer{given: give, known: known, why: why}
		if known != unmet || ctx.Err() != nil {
			return last
		}
	}
}

func (h *handoff) take(a answer) {
	if !a.given {
		h.other, h.shown = true, a.known == has
		return
	}
	if a.known != unmet {
		h.given++
	}
	switch a.known {
	case has:
		h.held++
	case refuses:
		h.refused = append(h.refused, a.why)
	default:
		h.silent = append(h.silent, a.why)
	}
}

// outcome weighs the answers. What more peers refused than hold is not said to be in
// the network by those alone.
func (h *handoff) outcome() (port.Reach, error) {
	switch {
	case h.shown:
		return port.ReachShown, nil
	case h.held > 0 && h.held >= len(h.refused):
		return port.ReachHeld, nil
	case h.given == 0 && len(h.silent) > 0:
		return "", errors.New("hand the transaction over: " + first(h.silent))
	case h.given > 0 && len(h.refused) == h.given:
		return "", fmt.Errorf("%w: %s", port.ErrTxRejected, first(h.refused))
	case len(h.refused) > 0:
		return "", fmt.Errorf("%w: of %d Bitcoin peers that got it %d hold it and %d refused it: %s",
			port.ErrNotSeen, h.given, h.held, len(h.refused), first(h.refused))
	case len(h.silent) > 0:
		return "", fmt.Errorf("%w: handed to %d Bitcoin peers; %s", port.ErrNotSeen, h.given, first(h.silent))
	}
	return "", fmt.Errorf("%w: handed to Bitcoin peers", port.ErrNotSeen)
}

// first is the same one each time, whoever answered first.
func first(words []string) string {
	sort.Strings(words)
	return words[0]
}

// alreadyHeld knows the words of btcd for a transaction that it has.
func alreadyHeld(why string) bool {
	return strings.Contains(why, "already have transaction") || strings.Contains(why, "already exists")
}

// clean makes what a peer says fit for one line of text.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 200)]
}
