package ledger

import "github.com/btcsuite/btcd/wire/v2"

// Picker finds what pays scripts, and what spends what did.
type Picker struct {
	scripts map[string]bool
	outs    map[wire.OutPoint]bool
}

// NewPicker returns one that looks for scripts.
func NewPicker(scripts [][]byte) *Picker {
	p := &Picker{map[string]bool{}, map[wire.OutPoint]bool{}}
	for _, s := range scripts {
		p.scripts[string(s)] = true
	}
	return p
}

// Pick returns those of a block's transactions that are of interest.
func (p *Picker) Pick(txs []*wire.MsgTx) []*wire.MsgTx {
	var out []*wire.MsgTx
	for _, tx := range txs {
		hit := false
		for _, i := range tx.TxIn {
			hit = hit || p.outs[i.PreviousOutPoint]
		}
		for n, o := range tx.TxOut {
			if p.scripts[string(o.PkScript)] {
				hit = true
				p.outs[wire.OutPoint{Hash: tx.TxHash(), Index: uint32(n)}] = true
			}
		}
		if hit {
			out = append(out, tx)
		}
	}
	return out
}
