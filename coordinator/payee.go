package coordinator

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/ledger"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/journal/pmap"
	"github.com/quorate/quorate/wallet"
)

// Bounds of the question whether somebody is paid twice.
const (
	paidRecently = 144 // confirmations: what is deeper is no longer asked about, after a day
	maxPayments  = 256 // payments to one script that are looked at
	maxPaid      = 8   // payments that a warning lists
)

// paymentKey is where payments to a script are found in an index.
func paymentKey(script []byte) string {
	h := sha256.Sum256(script)
	return string(h[:])
}

// pay keeps whom a living proposal pays: from its first signature on until its
// transaction is a day deep, or can never be mined.
func (s *step) pay(p *group.Proposal, now group.Status) {
	w, v := &s.m.watch, s.m.View
	tx := mapkey.Of(p.TxID)
	known := mapkey.Has(w.paying, tx)
	gone := v.Confirmations(p.TxID) > paidRecently || now == group.StatusDead && group.BuriedBy(v, p)
	if due := now == group.StatusConfirmed || now == group.StatusDead; due && !gone && (known || now == group.StatusConfirmed || s.m.State.Released(p.TxID)) {
		// A block alone changes it later.
		at := v.Tip().Height + ledger.BuriedDepth
		if now == group.StatusConfirmed {
			at = v.Tip().Height + paidRecently - v.Confirmations(p.TxID) + 1
		}
		w.aging = w.aging.Set(string(binary.BigEndian.AppendUint32(nil, uint32(at)))+tx, struct{}{})
	}
	if gone == !known || !known && now != group.StatusConfirmed && !s.m.State.Released(p.TxID) {
		return
	}
	if gone {
		w.paying = w.paying.Delete(tx)
	} else {
		w.paying = w.paying.Set(tx, struct{}{})
	}
	for _, o := range p.Body.Outputs {
		if o.Change != nil {
			continue
		}
		if k := paymentKey(o.PkScript) + tx; gone {
			w.payments = w.payments.Delete(k)
		} else {
			w.payments = w.payments.Set(k, struct{}{})
		}
	}
}

// age looks again at payments that only the height of the chain changes, as many
// as one step may.
func (s *step) age() {
	left := looksEach
	for k := range s.m.watch.aging.All() {
		if int64(mapkey.Uint32(k)) > int64(s.m.View.Tip().Height) || left == 0 {
			return
		}
		left--
		s.m.watch.aging = s.m.watch.aging.Delete(k)
		s.look(chainhash.Hash([]byte(k[4:])))
	}
}

// payment is what one transaction pays a script, in satoshis.
type payment struct {
	p      *group.Proposal
	amount int64
}

// paid returns other payments to a script that are out, or were within a day,
// and that do not exclude p by a coin in common: maxPaid at most. all says
// whether every one was looked at.
func (m *Machine) paid(p *group.Proposal, script []byte) (out []payment, all bool) {
	mine := make(map[wire.OutPoint]bool, len(p.Body.Inputs))
	for _, i := range p.Body.Inputs {
		mine[i.OutPoint()] = true
	}
	shares := func(q *group.Proposal) bool {
		return slices.ContainsFunc(q.Body.Inputs, func(i event.ProposalInput) bool { return mine[i.OutPoint()] })
	}
	looked := 0
	for k := range pmap.Prefix(m.watch.payments, paymentKey(script)) {
		if looked++; looked > maxPayments {
			return out, false
		}
		q, ok := m.State.Lead(chainhash.Hash([]byte(k[32:])))
		if !ok || q.TxID == p.TxID || m.View.Confirmations(q.TxID) > paidRecently || shares(q) || group.BuriedBy(m.View, q) {
			continue
		}
		if len(out) == maxPaid {
			return out, false
		}
		out = append(out, payment{q, paysTo(q, script)})
	}
	return out, true
}

func paysTo(p *group.Proposal, script []byte) int64 {
	var sum int64
	for _, o := range p.Body.Outputs {
		if o.Change == nil && string(o.PkScript) == string(script) {
			sum += o.Amount
		}
	}
	return sum
}

// checkDoublePayment asks whether somebody would be paid again: any output to
// the same script counts, whatever the amount, by another transaction that was
// mined within a day, or that has a released signature and no coin in common
// that would make one of the two impossible. The amounts, and how a payment is
// split, are what the author of a proposal chooses.
func (m *Machine) checkDoublePayment(p *group.Proposal, allow []string) error {
	if slices.Contains(allow, RuleDoublePayment) {
		return nil
	}
	asked := map[string]bool{}
	for _, o := range p.Body.Outputs {
		if o.Change != nil || asked[string(o.PkScript)] || m.View.Owns(o.PkScript) {
			continue
		}
		asked[string(o.PkScript)] = true
		if before, all := m.paid(p, o.PkScript); len(before) > 0 || !all {
			return m.paidTwice(p, o.PkScript, before, all)
		}
	}
	return nil
}

func (m *Machine) paidTwice(p *group.Proposal, script []byte, before []payment, all bool) *Refusal {
	to, err := wallet.AddressOf(script, wallet.Network(m.State.Genesis().Network))
	if err != nil {
		to = fmt.Sprintf("script %x", script)
	}
	var also []string
	for _, b := range before {
		how := "has signatures that cannot be called back"
		if n := m.View.Confirmations(b.p.TxID); n > 0 {
			how = fmt.Sprintf("has %d confirmations", n)
		}
		also = append(also, fmt.Sprintf("proposal %s pays it %d sat and %s", b.p.Ref.ID, b.amount, how))
	}
	if !all {
		also = append(also, "there are more payments to it than are looked at")
	}
	return refuse(RuleDoublePayment, "it pays %s %d sat, and %s", to, paysTo(p, script), strings.Join(also, "; ")).overridable()
}

// leaves returns what a proposal pays to others, in satoshis: not to change, nor
// to an address of the wallet.
func leaves(v ledger.View, p *group.Proposal) int64 {
	var sum int64
	for _, o := range p.Body.Outputs {
		if o.Change == nil && !v.Owns(o.PkScript) {
			sum += o.Amount
		}
	}
	return sum
}
