package follow

import (
	"crypto/sha256"

	"github.com/btcsuite/btcd/chainhash/v2"
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
	shows   kinds    // of the scripts
	wsh     [2 + sha256.Size]byte
}

// kinds are output types whose spends show the script that was paid. The rest,
// P2TR above all, are known by their outputs alone.
type kinds uint8

const (
	kindPKH kinds = 1 << iota
	kindSH        // with what is nested in it
	kindWPKH
	kindWSH
)

// kindOf returns zero for a script that no spend shows.
func kindOf(script []byte) kinds {
	switch {
	case txscript.IsPayToWitnessScriptHash(script):
		return kindWSH
	case txscript.IsPayToWitnessPubKeyHash(script):
		return kindWPKH
	case txscript.IsPayToScriptHash(script):
		return kindSH
	case txscript.IsPayToPubKeyHash(script):
		return kindPKH
	}
	return 0
}

// spendable says which kinds an input may spend, by its shape alone.
func spendable(in *wire.TxIn) kinds {
	switch n := len(in.Witness); {
	case len(in.SignatureScript) > 0:
		return kindPKH | kindSH
	case n == 0:
		return 0
	case n == 2 && len(in.Witness[1]) == 33: // a signature and a public key
		return kindWPKH
	}
	return kindWSH
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
			m.shows |= kindOf(s)
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
	return m.look(tx, nil)
}

// look is tx. It adds the marks of all scripts that it comes across to marks,
// where that is not nil.
func (m *matcher) look(tx *wire.MsgTx, marks *[]uint32) bool {
	hit := false
	var id chainhash.Hash
	for i, out := range tx.TxOut {
		if marks != nil {
			*marks = append(*marks, scriptMark(out.PkScript))
		}
		if _, ok := m.scripts[string(out.PkScript)]; !ok {
			continue
		}
		if !hit {
			hit, id = true, tx.TxHash()
		}
		if len(m.outs) < maxOutPoints {
			m.outs[wire.OutPoint{Hash: id, Index: uint32(i)}] = struct{}{}
		}
	}
	for _, in := range tx.TxIn {
		if hit && marks == nil {
			break
		}
		if _, ok := m.outs[in.PreviousOutPoint]; ok {
			if hit = true; marks == nil {
				break
			}
		}
		script := m.spent(in)
		if script == nil {
			continue
		}
		if marks != nil {
			*marks = append(*marks, scriptMark(script))
		}
		if _, ok := m.scripts[string(script)]; ok {
			hit = true
		}
	}
	return hit
}

// spent derives the spent script from the input itself, so that a spend is
// found although its output was never streamed (after a restart). Hashing is
// most of the work of a scan: only what may lead to a watched script is hashed,
// else the answer is nil. It is valid until the next call.
func (m *matcher) spent(in *wire.TxIn) []byte {
	may := spendable(in) & m.shows
	if may == 0 {
		return nil
	}
	if may == kindWSH { // without the allocations of the general way
		hash := sha256.Sum256(in.Witness[len(in.Witness)-1])
		m.wsh[0], m.wsh[1] = txscript.OP_0, txscript.OP_DATA_32
		copy(m.wsh[2:], hash[:])
		return m.wsh[:]
	}
	s, err := txscript.ComputePkScript(in.SignatureScript, in.Witness)
	if err != nil {
		return nil
	}
	return s.Script()
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
