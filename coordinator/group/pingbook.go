package group

import (
	"encoding/binary"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/journal"
	"github.com/quorate/quorate/journal/pmap"
)

type (
	byAsked  string // author | latest first | entry id
	byAnswer string // key | author
)

// pingBook is who asked every key for a signature, and which keys gave one. An answer
// proves itself, whoever brings it and whether its entry is tainted: what it proves is
// that somebody had the key after the question was there. What is later is of the
// question, too: who answers an old one again says nothing new.
//
// Bounds: MaxAsked rounds of each chain, 80 bytes each; and of each key and identity
// one answer, since the key signs through whose node it answers.
type pingBook struct {
	asked   pmap.Map[byAsked, int64]         // by author | latest first | entry id: when, as claimed (Unix milliseconds)
	count   pmap.Map[mapkey.ByChain, int]    // by chain: how many of asked
	answers pmap.Map[byAnswer, answerFact]   // by key | author: its last
	early   pmap.Map[mapkey.ByPlace, answer] // by place: those that came before this node knew the keys
}

// answerFact is the last answer of a key through an identity's node.
type answerFact struct {
	Ref   Ref             `cbor:"1,keyasint"`
	Round journal.EntryID `cbor:"2,keyasint"`
}

type answer struct {
	ref  Ref
	body *event.PingAnswered
}

func askedKey(ref Ref) byAsked {
	return byAsked(ref.Chain.Author[:]) + byAsked(mapkey.NewestFirst(ref.Chain.Incarnation, ref.Seq)) + byAsked(ref.ID[:])
}

// askedOf is the prefix of the keys of a chain.
const askedOf = 33

// refOf is the entry of such a key.
func (k byAsked) ref(time int64) Ref {
	r := Ref{ID: mapkey.Entry(k), Time: time}
	r.Chain = journal.ChainKey{Author: journal.Author([]byte(k[:32])), Incarnation: ^k[32]}
	r.Seq = ^binary.BigEndian.Uint64([]byte(k[33:41]))
	return r
}

func answersOf(key int) byAnswer { return byAnswer(mapkey.Number(uint64(key))) }

type pingKept struct {
	Asked   []record.Pair[int64]      `cbor:"62,keyasint"`
	Answers []record.Pair[answerFact] `cbor:"63,keyasint"`
}

func (b pingBook) kept() pingKept { return pingKept{record.Dump(b.asked), record.Dump(b.answers)} }

func (k pingKept) into(b *pingBook) {
	record.Undump(&b.asked, k.Asked)
	record.Undump(&b.answers, k.Answers)
	for at := range b.asked.All() {
		c := mapkey.Chain(at.ref(0).Chain)
		n, _ := b.count.Get(c)
		b.count = b.count.Set(c, n+1)
	}
}
