package coordinator

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/psbt"
)

// ErrForeignPSBT is returned for a PSBT that spends no coin of the wallet.
var ErrForeignPSBT = errors.New("the PSBT spends no coin of this wallet")

// PSBT returns a proposal as an unsigned packet of version 0 or 2, with the
// whole previous transactions, and the ids of those that this node does not
// have. They come without witnesses, as Bitcoin Core writes them: a txid does
// not cover those.
func (m *Machine) PSBT(p *group.Proposal, version int) (packet *psbt.Packet, missing []chainhash.Hash, err error) {
	spend, err := p.Spend(m.State.Active())
	if err != nil {
		return nil, nil, err
	}
	prev := map[chainhash.Hash]*wire.MsgTx{}
	for _, in := range p.Body.Inputs {
		if prev[in.TxID] != nil || slices.Contains(missing, in.TxID) {
			continue
		}
		t, ok := m.View.Tx(in.TxID)
		if !ok {
			missing = append(missing, in.TxID)
			continue
		}
		tx := t.Tx.Copy()
		for _, i := range tx.TxIn {
			i.Witness = nil
		}
		prev[in.TxID] = tx
	}
	packet, err = spend.PSBT(version, prev, m.ownOutputs(p)...)
	return packet, missing, err
}

// ownOutputs are those a device may recognise as the wallet's: the change, and
// payments to an address of its own.
func (m *Machine) ownOutputs(p *group.Proposal) []wallet.OwnOutput {
	var out []wallet.OwnOutput
	for i, o := range p.Body.Outputs {
		if o.Change != nil {
			out = append(out, wallet.OwnOutput{Output: i, Branch: wallet.BranchChange, Index: *o.Change})
		} else if at, ok := m.View.Place(o.PkScript); ok {
			out = append(out, wallet.OwnOutput{Output: i, Branch: at.Branch, Index: at.Index})
		}
	}
	return out
}

// MatchPSBT finds the proposal that a signed packet is for and takes the
// signatures out of it, each verified. It returns ErrForeignPSBT for the packet
// of another wallet; any other packet that is not exactly a proposal as this
// node derives it, or holds a signature that is not exactly over it, is a
// Refusal that names the difference.
func (m *Machine) MatchPSBT(packet *psbt.Packet) (*group.Proposal, []wallet.Signature, error) {
	tx, err := packet.UnsignedTx()
	if err != nil {
		return nil, nil, fmt.Errorf("read psbt: %w", err)
	}
	if m.State.Active() == nil {
		return nil, nil, ErrForeignPSBT
	}
	near, ours := m.spending(tx)
	if len(near) == 0 {
		if ours {
			return nil, nil, refusal.New(refusal.NoProposal, "the PSBT spends coins of wallet %q in a transaction that nobody proposed", m.Name()).
				WithHint("propose the payment here, and sign what `psbt export` writes")
		}
		return nil, nil, ErrForeignPSBT
	}
	for _, p := range near {
		spend, err := p.Spend(m.State.Active())
		if err != nil {
			return nil, nil, err
		}
		if spend.Tx().TxHash() != tx.TxHash() {
			continue
		}
		sigs, err := m.signaturesIn(spend, packet)
		return p, sigs, err
	}
	spend, err := near[0].Spend(m.State.Active())
	if err != nil {
		return nil, nil, err
	}
	return nil, nil, refusal.New(refusal.PSBTChanged, "the PSBT is not proposal %s: %s", near[0].Ref.ID.String()[:12], difference(spend.Tx(), tx)).
		WithHint("sign what `psbt export` writes, unchanged; a change has to be proposed")
}

// spending returns the proposals that spend coins of a transaction: those that
// state what this view knows the coins to be before others, then live ones, then
// those that share more coins. ours says whether any coin is the wallet's.
func (m *Machine) spending(tx *wire.MsgTx) (near []*group.Proposal, ours bool) {
	shared, belied := map[*group.Proposal]int{}, map[*group.Proposal]bool{}
	for _, in := range tx.TxIn {
		_, coin := m.View.Out(in.PreviousOutPoint)
		ours = ours || coin
		for _, p := range m.State.Spenders(in.PreviousOutPoint) { // a few of each author
			if shared[p]++; shared[p] == 1 {
				near = append(near, p)
				belied[p] = group.Belies(m.View, p)
			}
		}
	}
	slices.SortStableFunc(near, func(a, b *group.Proposal) int {
		if x, y := belied[a], belied[b]; x != y {
			if x {
				return 1
			}
			return -1
		}
		if x, y := m.State.Withdrawn(a), m.State.Withdrawn(b); x != y {
			if x {
				return 1
			}
			return -1
		}
		if shared[a] != shared[b] {
			return shared[b] - shared[a]
		}
		return bytes.Compare(a.Ref.ID[:], b.Ref.ID[:])
	})
	return near, ours
}

// difference names the first thing in which a transaction is not the one proposed.
func difference(want, got *wire.MsgTx) string {
	switch {
	case got.Version != want.Version:
		return fmt.Sprintf("its transaction version is %d, proposed is %d", got.Version, want.Version)
	case len(got.TxIn) != len(want.TxIn):
		return fmt.Sprintf("it has %d inputs, proposed are %d", len(got.TxIn), len(want.TxIn))
	case len(got.TxOut) != len(want.TxOut):
		return fmt.Sprintf("it has %d outputs, proposed are %d", len(got.TxOut), len(want.TxOut))
	case got.LockTime != want.LockTime:
		return fmt.Sprintf("its locktime is %d, proposed is %d", got.LockTime, want.LockTime)
	}
	for i, in := range want.TxIn {
		if got.TxIn[i].PreviousOutPoint != in.PreviousOutPoint {
			return fmt.Sprintf("input %d spends %v, proposed is %v", i, got.TxIn[i].PreviousOutPoint, in.PreviousOutPoint)
		}
		if got.TxIn[i].Sequence != in.Sequence {
			return fmt.Sprintf("input %d has sequence %08x, proposed is %08x", i, got.TxIn[i].Sequence, in.Sequence)
		}
	}
	for i, out := range want.TxOut {
		if !bytes.Equal(got.TxOut[i].PkScript, out.PkScript) {
			return fmt.Sprintf("output %d pays another address", i)
		}
		if got.TxOut[i].Value != out.Value {
			return fmt.Sprintf("output %d pays %s, proposed is %s", i, display.Amount(got.TxOut[i].Value), display.Amount(out.Value))
		}
	}
	return "it differs"
}

// signaturesIn takes the signatures out of a packet of this very transaction.
func (m *Machine) signaturesIn(spend *wallet.Spend, packet *psbt.Packet) ([]wallet.Signature, error) {
	want, err := spend.PSBT(int(packet.Version), nil)
	if err != nil {
		return nil, err
	}
	for i := range packet.Inputs {
		if t := packet.Inputs[i].SighashType; t != nil && *t != spend.HashType() {
			return nil, refusal.New(refusal.PSBTChanged, "input %d asks for sighash type %s: only %s is taken", i, sighashName(*t), sighashName(spend.HashType()))
		}
		if err := sameInput(i, &want.Inputs[i], &packet.Inputs[i]); err != nil {
			return nil, err
		}
	}
	sigs, err := spend.SignaturesFromPSBT(packet)
	if errors.Is(err, wallet.ErrSignatureKey) {
		return nil, refusal.New(refusal.PSBTSignature, "a signature in the PSBT is by a key that is not of wallet %q", m.Name())
	}
	if err != nil {
		return nil, refusal.New(refusal.PSBTSignature, "%v", err)
	}
	for i := range packet.Inputs {
		if len(packet.Inputs[i].FinalWitness) == 0 {
			continue
		}
		if !slices.ContainsFunc(sigs, func(s wallet.Signature) bool { return int(s.Input) == i }) {
			return nil, refusal.New(refusal.PSBTSignature, "input %d is finished, but by no valid signature of the wallet's keys", i)
		}
	}
	for n, err := range spend.VerifyAll(sigs, m.State.Self().Verified) {
		if err == nil {
			continue
		}
		name := m.State.Active().Members[sigs[n].Key].Called()
		if errors.Is(err, wallet.ErrSignatureHashType) {
			last := sigs[n].Bytes[len(sigs[n].Bytes)-1]
			return nil, refusal.New(refusal.PSBTChanged, "the signature of %q on input %d has sighash type %s: only %s is taken",
				name, sigs[n].Input, sighashName(uint32(last)), sighashName(spend.HashType()))
		}
		return nil, refusal.New(refusal.PSBTSignature, "the signature of %q on input %d is not over the proposal: %v", name, sigs[n].Input, err)
	}
	if len(sigs) == 0 {
		return nil, refusal.New(refusal.PSBTUnsigned, "the PSBT holds no signature").WithHint("sign it on the device first")
	}
	return sigs, nil
}

// sameInput holds what a packet says about an input to what this node derives.
func sameInput(i int, want, got *psbt.Input) error {
	if o := got.Spent(); o != nil {
		switch {
		case o.Value != want.WitnessUTXO.Value:
			return refusal.New(refusal.PSBTChanged, "input %d is said to hold %s, proposed is %s: the fee differs", i, display.Amount(o.Value), display.Amount(want.WitnessUTXO.Value))
		case !bytes.Equal(o.PkScript, want.WitnessUTXO.PkScript):
			return refusal.New(refusal.PSBTChanged, "input %d is said to be of another address", i)
		}
	}
	if got.WitnessUTXO != nil && got.WitnessUTXO.Value != want.WitnessUTXO.Value {
		return refusal.New(refusal.PSBTChanged, "input %d is said to hold %s, proposed is %s: the fee differs", i, display.Amount(got.WitnessUTXO.Value), display.Amount(want.WitnessUTXO.Value))
	}
	if got.WitnessScript != nil && !bytes.Equal(got.WitnessScript, want.WitnessScript) ||
		got.RedeemScript != nil && !bytes.Equal(got.RedeemScript, want.RedeemScript) {
		return refusal.New(refusal.PSBTChanged, "input %d has another script", i)
	}
	return nil
}

func sighashName(t uint32) string {
	name := map[uint32]string{0: "0", 1: "ALL", 2: "NONE", 3: "SINGLE"}[t&^uint32(txscript.SigHashAnyOneCanPay)]
	if name == "" {
		return fmt.Sprintf("%#02x", t)
	}
	if t&uint32(txscript.SigHashAnyOneCanPay) != 0 {
		name += "|ANYONECANPAY"
	}
	return name
}
