package ledger

import (
	"fmt"

	"github.com/quorate/quorate/coordinator/record"
	"github.com/quorate/quorate/wallet"
)

// scriptChunk is how many scripts of a branch are stored in one record: they
// are derived once, at 0.1 ms each and more, and then read back at every start.
const scriptChunk = 256

// ScriptRecords returns the records of the chunks that hold indexes from first on.
func (v View) ScriptRecords(d *wallet.Descriptor, branch, first uint32) (map[string][]byte, error) {
	out := map[string][]byte{}
	for from := first - first%scriptChunk; from < v.watched[branch]; from += scriptChunk {
		var chunk []byte
		for i := from; i < min(from+scriptChunk, v.watched[branch]); i++ {
			s, err := d.PkScript(branch, i)
			if err != nil {
				return nil, fmt.Errorf("derive script %d/%d: %w", branch, i, err)
			}
			chunk = append(append(chunk, byte(len(s))), s...)
		}
		out[scriptRecord(branch, from)] = chunk
	}
	return out, nil
}

func scriptRecord(branch, index uint32) string {
	return fmt.Sprintf("%s%d/%08d", RecScripts, branch, index/scriptChunk)
}

// restoreScripts reads the stored scripts back, as far as they go without a gap.
func (v View) restoreScripts(recs map[string][]byte) View {
	var pairs []record.Pair[Place]
	for branch := range v.watched {
		for {
			i := v.watched[branch]
			raw := recs[scriptRecord(uint32(branch), i)]
			for n := uint32(0); n < scriptChunk && len(raw) > 0 && len(raw) > int(raw[0]); n++ {
				size := int(raw[0])
				pairs = append(pairs, record.Pair[Place]{K: raw[1 : 1+size], V: Place{uint32(branch), v.watched[branch]}})
				raw = raw[1+size:]
				v.watched[branch]++
			}
			if v.watched[branch]-i < scriptChunk {
				break
			}
		}
	}
	v.sieve = newSieve()
	for _, p := range pairs {
		v.sieve.add(scriptMark(p.K))
	}
	record.Undump(&v.scripts, pairs)
	return v
}
