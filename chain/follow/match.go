package follow

import (
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// maxOutPoints bounds the remembered outputs of watched scripts: 500,000 of
// some 100 bytes are 50 MB. Beyond it, spends are found by their scripts only,
// which is enough for every output type whose spend shows its script.
const maxOutPoints = 500_000

// matcher knows scripts and the outputs that were seen to pay them. It belongs
// to one goroutine.
type matcher struct {
	scripts map[string]struct{}
	outs    map[wire.OutPoint]struct{}
	all     [][]byte // the scripts again, for list
}

func newMatcher() *matcher {
	return &matcher{scripts: map[string]struct{}{}, outs: map[wire.OutPoint]struct{}{}}
}

// add reports whether any of the scripts is new.
func (m *matcher) add(scripts [][]byte) bool {
	before := len(m.scripts)
	for _, s := range scripts {
		if _, known := m.scripts[string(s)]; !known {
			m.scripts[string(s)] = struct{}{}
			m.all = append(m.all, s)
		}
	}
	return len(m.scripts) > before
}

// list returns all scripts. It must not be changed.
func (m *matcher) list() [][]byte { return m.all }

// tx says whether a transaction pays a watched script or spends from one, and
// remembers the outputs that do.
func (m *matcher) tx(tx *wire.MsgTx) bool {
	if len(m.scripts) == 0 {
		return false
	}
	hit := false
	for i, out := range tx.TxOut {
		if _, ok := m.scripts[string(out.PkScript)]; ok {
			hit = true
			if len(m.outs) < maxOutPoints {
				m.outs[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(i)}] = struct{}{}
			}
		}
	}
	for _, in := range tx.TxIn {
		if hit {
			break
		}
		if _, hit = m.outs[in.PreviousOutPoint]; !hit {
			hit = m.spends(in)
		}
	}
	return hit
}

// spends derives the spent script from the input itself, so that a spend is
// found although its output was never streamed (after a restart).
func (m *matcher) spends(in *wire.TxIn) bool {
	s, err := txscript.ComputePkScript(in.SignatureScript, in.Witness)
	if err != nil {
		return false
	}
	_, ok := m.scripts[string(s.Script())]
	return ok
}

// block says which transactions of a block match.
func (m *matcher) block(b *Block) []*wire.MsgTx {
	var hits []*wire.MsgTx
	for _, tx := range b.Txs {
		if m.tx(tx) {
			hits = append(hits, tx)
		}
	}
	return hits
}
