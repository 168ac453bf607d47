package coordinator

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/coordinator/event"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/coordinator/mapkey"
	"github.com/quorate/quorate/coordinator/refusal"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/wallet"
)

// Bounds of the question whether somebody is paid twice.
const (
	paidRecently = 144 // confirmations: what is deeper is no longer asked about, after a day
	maxPayments  = 256 // payments to one script that are looked at
	maxPaid      = 8   // payments that a warning lists
	maxStrange   = 512 // payments that no entry tells of and that are looked at
)

// paymentKey is what payments to a script are found by.
func paymentKey(script []byte) [32]byte { return sha256.Sum256(script) }

// payment is what one transaction pays a script, in satoshis.
type payment struct {
	p      *group.Proposal // nil where no entry tells of it
	tx     chainhash.Hash
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
	for k := range mapkey.Under(m.watch.payments, paymentKey(script)) {
		if looked++; looked > maxPayments {
			return out, false
		}
		q, ok := m.State.Lead(k.Second())
		if !ok || q.TxID == p.TxID || m.View.Confirmations(q.TxID) > paidRecently || shares(q) || group.BuriedBy(m.View, q) {
			continue
		}
		if len(out) == maxPaid {
			return out, false
		}
		out = append(out, payment{q, q.TxID, paysTo(q, script)})
	}
	return m.alsoPaid(script, mine, out)
}

// alsoPaid adds what the chain or the mempool shows to be paid out of the wallet's coins, and
// the entries here do not tell of: this node's disk may have gone back, or they be late. Such
// a payment takes the signatures that spend, so there are few of them.
func (m *Machine) alsoPaid(script []byte, mine map[wire.OutPoint]bool, out []payment) ([]payment, bool) {
	looked := 0
	for k := range m.strange.since.All() {
		if looked++; looked > maxStrange {
			break
		}
		id := chainhash.Hash([]byte(k))
		t, ok := m.View.Tx(id)
		_, told := m.State.Lead(id)
		if !ok || told || m.View.Confirmations(id) > paidRecently || slices.ContainsFunc(t.Tx.TxIn, func(i *wire.TxIn) bool { return mine[i.PreviousOutPoint] }) {
			continue
		}
		sum := int64(0)
		for _, o := range t.Tx.TxOut {
			if string(o.PkScript) == string(script) {
				sum += o.Value
			}
		}
		if sum == 0 {
			continue
		}
		if len(out) == maxPaid {
			return out, false
		}
		out = append(out, payment{nil, id, sum})
	}
	return out, true
}

// checkDoublePayment asks whether somebody would be paid again: any output to
// the same script counts, whatever the amount, by another transaction that was
// mined within a day, or that has a released signature and no coin in common
// that would make one of the two impossible. The amounts, and how a payment is
// split, are what the author of a proposal chooses.
func (m *Machine) checkDoublePayment(p *group.Proposal, allow []string) error {
	if slices.Contains(allow, refusal.DoublePayment) {
		return nil
	}
	if q, how := m.watch.occasions.Before(m.State, m.View, p); how != "" {
		return refusal.New(refusal.DoublePayment, "it is made for the same period of a recurring payment as proposal %s, which %s", q.Ref.ID, how).MayOverride()
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

func (m *Machine) paidTwice(p *group.Proposal, script []byte, before []payment, all bool) *refusal.Refusal {
	to, err := wallet.AddressOf(script, wallet.Network(m.State.Genesis().Network))
	if err != nil {
		to = fmt.Sprintf("script %x", script)
	}
	var also []string
	for _, b := range before {
		how := "has signatures that cannot be called back"
		if n := m.View.Confirmations(b.tx); n > 0 {
			how = fmt.Sprintf("has %d confirmations", n)
		}
		if b.p == nil {
			also = append(also, fmt.Sprintf("transaction %v, of which no entry tells, pays it %s and %s", b.tx, display.Amount(b.amount), strings.Replace(how, "has signatures that cannot be called back", "is on its way", 1)))
			continue
		}
		also = append(also, fmt.Sprintf("proposal %s pays it %s and %s", b.p.Ref.ID, display.Amount(b.amount), how))
	}
	if !all {
		also = append(also, "there are more payments to it than are looked at")
	}
	return refusal.New(refusal.DoublePayment, "it pays %s %s, and %s", to, display.Amount(paysTo(p, script)), strings.Join(also, "; ")).MayOverride()
}

// checkReplacement holds BIP125's fee rules against final transactions that p
// would take the coins of; against others they only warn.
func (m *Machine) checkReplacement(x asked) error {
	if slices.Contains(x.allow, refusal.ReplaceFee) {
		return nil
	}
	p := x.p
	spend, err := p.Spend(m.State.Active())
	if err != nil {
		return err
	}
	incremental := x.policy.OrDefault().Incremental
	floor := m.replacedFees(p)
	if least := floor + incremental.Fee(spend.VSize()); floor > 0 && p.Fee() < least {
		// Rounded up to a tenth: a rate that is given again has to do.
		rate := (least*10 + spend.VSize() - 1) / spend.VSize()
		return refusal.New(refusal.ReplaceFee, "a replacement of final transactions with fees of %s must pay a fee of %s at least (BIP125), this one pays %s",
			display.Amount(floor), display.Amount(least), display.Amount(p.Fee())).
			WithHint("give --fee-rate %d.%d or more; if another cosigner's node takes it, repeat with --allow %s", rate/10, rate%10, refusal.ReplaceFee).MayOverride()
	}
	return nil
}

// Leaves returns what a proposal pays to others, in satoshis, without its fee.
func (m *Machine) Leaves(p *group.Proposal) int64 { return leaves(m.View, p) }
