package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/quorate/quorate/journal/pmap"
)

// Errors of adding an entry to its chain.
var (
	// ErrUnwanted is returned for an entry at or past a fork that nobody asked
	// for by id.
	ErrUnwanted = errors.New("entry past a fork was not asked for")
	// ErrLink is returned when an entry names as the one before it an entry that
	// is held and is not: another author's, or of another seq.
	ErrLink = errors.New("entry does not follow the one it names")
)

// MissingError says that an entry was not taken because one before it is
// missing: the chain from seq From on, or, where Need is not zero, the entry
// Need. The latter has a seq at which another entry is held, so it will prove a
// fork; it has to be pulled by id.
type MissingError struct {
	From uint64
	Need EntryID
}

func (m *MissingError) Error() string {
	if m.Need != (EntryID{}) {
		return "entry " + m.Need.String() + " is missing"
	}
	return fmt.Sprintf("entries from seq %d on are missing", m.From)
}

// Outcome says what became of an entry that was added.
type Outcome uint8

// The outcomes of Add.
const (
	// Appended: it follows the last entry of its chain.
	Appended Outcome = iota + 1
	// Duplicate: it is held already.
	Duplicate
	// Forked: it proves a fork where none was known, or a lower one.
	Forked
	// Loose: it is kept at or past a fork, where nothing is linked.
	Loose
)

func (o Outcome) String() string {
	switch o {
	case Appended:
		return "appended"
	case Duplicate:
		return "duplicate"
	case Forked:
		return "forked"
	case Loose:
		return "loose"
	}
	return "none"
}

// Chains is which entries of a group are held: for every chain the linked part
// from seq 1 up to its end or its lowest fork, and the loose entries at and past
// the fork. It holds ids, not entries. It is an immutable value and safe for
// concurrent use; the zero value is empty.
//
// Everything it tells is a function of the set of entries that were added, not
// of their order.
type Chains struct {
	chains pmap.Map[string, *chain] // by ChainKey.mapKey
	ids    idIndex                  // every entry held
}

// chain is one chain. It is never modified once it is in a Chains.
type chain struct {
	key    *ChainKey // one for all versions of a chain, so that the index keeps no old version alive
	mapKey string
	linked idList                     // seq 1 to tail.Seq, one entry each
	tail   Position                   // the last linked entry, zero if none
	fork   uint64                     // lowest seq with two entries, 0 if none; else tail.Seq+1
	loose  pmap.Map[string, struct{}] // entries at or past fork, by looseKey
}

// Add returns the chains with an entry. Entries come verified (Entry.Verify).
// Up to the end of a chain an entry has to follow the one before it. A second
// entry at a seq proves a fork and is kept, whatever it follows. At or past the
// lowest fork an entry is kept only if it is wanted, that is, asked for by id.
//
// On an error, which is a *MissingError, ErrUnwanted or ErrLink, and for a
// Duplicate the chains are returned as they were.
func (c Chains) Add(e *Entry, wanted bool) (Chains, Outcome, error) {
	at := e.Position()
	if c.Has(at.ID) {
		return c, Duplicate, nil
	}
	ch := c.chain(e.Chain())
	if ch.fork != 0 && at.Seq >= ch.fork {
		if !wanted {
			return c, 0, ErrUnwanted
		}
		ch.loose = ch.loose.Set(looseKey(at), struct{}{})
		return c.with(&ch, at), Loose, nil
	}
	if at.Seq <= ch.tail.Seq {
		ch.forkAt(at)
		return c.with(&ch, at), Forked, nil
	}
	if next := ch.tail.Seq + 1; at.Seq > next {
		return c, 0, &MissingError{From: next}
	}
	if prev := e.header.Prev; at.Seq > 1 && prev != ch.tail.ID {
		if c.Has(prev) {
			return c, 0, ErrLink
		}
		return c, 0, &MissingError{Need: prev}
	}
	ch.linked = ch.linked.append(at.ID)
	ch.tail = at
	return c.with(&ch, at), Appended, nil
}

// chain returns a copy of a chain, empty if none is held.
func (c Chains) chain(key ChainKey) chain {
	k := key.mapKey()
	if ch, ok := c.chains.Get(k); ok {
		return *ch
	}
	return chain{key: &key, mapKey: k}
}

// with returns the chains with a changed chain and the entry added to it.
func (c Chains) with(ch *chain, at Position) Chains {
	c.chains = c.chains.Set(ch.mapKey, ch)
	c.ids = c.ids.set(&held{at.ID, ch.key, at.Seq})
	return c
}

// Has says whether an entry is held.
func (c Chains) Has(id EntryID) bool {
	return c.ids.get(id) != nil
}

// Locate returns the chain and seq of an entry that is held.
func (c Chains) Locate(id EntryID) (ChainKey, uint64, bool) {
	h := c.ids.get(id)
	if h == nil {
		return ChainKey{}, 0, false
	}
	return *h.chain, h.seq, true
}

// Len returns the number of entries held.
func (c Chains) Len() int { return c.ids.n }

// Next says where the next entry of a chain goes. It is the zero Next, which
// Seal refuses, where nothing can follow: the chain is forked, or full, or its
// incarnation is not within the limits.
func (c Chains) Next(key ChainKey) Next {
	ch := c.chain(key)
	if ch.fork != 0 || ch.tail.Seq == MaxSeq || key.Incarnation < 1 || key.Incarnation > MaxIncarnation {
		return Next{}
	}
	return Next{Incarnation: key.Incarnation, Seq: ch.tail.Seq + 1, Prev: ch.tail.ID}
}

// Compare orders chains by author and incarnation.
func (k ChainKey) Compare(o ChainKey) int { return cmp.Compare(k.mapKey(), o.mapKey()) }

// mapKey is author | incarnation, which sorts as Compare does.
func (k ChainKey) mapKey() string {
	var b [33]byte
	copy(b[:], k.Author[:])
	b[32] = k.Incarnation
	return string(b[:])
}

// looseKey is seq | id, which sorts by seq and then by id.
func looseKey(at Position) string {
	var b [40]byte
	binary.BigEndian.PutUint64(b[:], at.Seq)
	copy(b[8:], at.ID[:])
	return string(b[:])
}

func loosePosition(key string) Position {
	return Position{Seq: binary.BigEndian.Uint64([]byte(key[:8])), ID: EntryID([]byte(key[8:]))}
}
