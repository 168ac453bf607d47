package journal

import "github.com/quorate/quorate/journal/pmap"

// listChunk is how many ids of a list are kept together. Appending copies half
// of that on average: 8 × 32 bytes.
const listChunk = 16

// idList is the ids of a chain from seq 1 on. It is persistent: append and
// until return a new list and leave the old one as it was.
type idList struct {
	n    uint64
	full pmap.Map[pmap.Number, []EntryID] // chunk i: listChunk ids from seq i*listChunk+1
	end  []EntryID                        // those after the full chunks, less than a chunk
}

func (l idList) append(id EntryID) idList {
	end := make([]EntryID, len(l.end)+1)
	copy(end, l.end)
	end[len(l.end)] = id
	if len(end) == listChunk {
		l.full = l.full.Set(pmap.Num(l.n/listChunk), end)
		end = nil
	}
	return idList{n: l.n + 1, full: l.full, end: end}
}

// at returns the id at a seq from 1 to n.
func (l idList) at(seq uint64) EntryID {
	i := seq - 1
	if chunk, ok := l.full.Get(pmap.Num(i / listChunk)); ok {
		return chunk[i%listChunk]
	}
	return l.end[i%listChunk]
}

// last returns the last id and its seq, or the zero Position.
func (l idList) last() Position {
	if l.n == 0 {
		return Position{}
	}
	return Position{l.n, l.at(l.n)}
}

// until returns the list up to a seq of at most n.
func (l idList) until(seq uint64) idList {
	end := l.end
	if first := seq / listChunk; first < l.n/listChunk {
		chunk, _ := l.full.Get(pmap.Num(first))
		end = chunk
		for i := range l.full.From(pmap.Num(first)) {
			l.full = l.full.Delete(i)
		}
	}
	keep := seq % listChunk
	return idList{n: seq, full: l.full, end: end[:keep:keep]}
}
