package policy

import (
	"slices"
	"strings"

	"github.com/quorate/quorate/display"
)

// kindWords are the kinds as they are written, Payment first.
func kindWords() []string {
	return []string{"payment", "bump", "consolidation", "cancel", "cpfp", "rotation", "recover", "refresh", "sweep"}
}

// actionWords are the actions as they are written, Sign first.
func actionWords() []string { return []string{"sign", "ask", "deny"} }

func (r *reader) rules(t *table) {
	n := t.take("rules")
	if n == nil {
		return
	}
	if n.form != isList {
		r.fail(t.at.in("rules"), n.offset, "it is %s: write [[rules]] over each", n.form)
		return
	}
	for i, item := range n.items {
		name := ""
		if f := item.field("name"); f != nil {
			name = f.value.text
		}
		r.p.Rules = append(r.p.Rules, r.rule(item, named("rules", i, "rule", name)))
	}
}

func (r *reader) rule(n *node, at place) Rule {
	t := r.open(n, at)
	x := Rule{Else: Deny}
	t.need("name", "a rule has a name")
	x.Name = t.text("name")
	t.need("then", "say what to do: sign, ask or deny")
	x.Then = Action(t.word("then", actionWords()) + 1)
	if t.n.field("else") != nil {
		x.Else = Action(t.word("else", actionWords()) + 1)
	}
	t.take("else")
	if n := t.take("when"); n != nil {
		x.When = r.when(r.open(n, at.in("when")))
	}
	if len(x.When.Kinds) == 0 {
		x.When.Kinds = []Kind{Payment}
		if x.Then == Deny {
			x.When.Kinds = allKinds()
		}
	}
	if n := t.take("require"); n != nil {
		x.Require = r.require(r.open(n, at.in("require")))
	}
	for i, n := range t.list("ask") {
		x.Steps = append(x.Steps, r.step(r.open(n, at.in("ask").item(i))))
	}
	t.done()
	return x
}

func allKinds() []Kind {
	var all []Kind
	for k := Payment; k <= Sweep; k++ {
		all = append(all, k)
	}
	return all
}

func (r *reader) when(t *table) When {
	w := When{Initiators: t.who("initiator"), To: t.indexes("to", "recipient", namesOf(r.p.Recipients, func(x Recipient) string { return x.Name }))}
	for _, i := range t.indexes("kind", "kind", kindWords()) {
		w.Kinds = append(w.Kinds, Kind(i+1))
	}
	for _, n := range t.texts("script") {
		w.Scripts = append(w.Scripts, n.text)
		if r.roster.Script != "" && n.text != r.roster.Script {
			t.fail(t.at.in("script"), n.offset, "this wallet's script is %s, so it never is %.40q", r.roster.Script, n.text)
		}
	}
	slices.Sort(w.Scripts)
	if n := t.take("coins"); n != nil {
		coins := r.open(n, t.at.in("coins"))
		coins.need("label", "say which labels")
		coins.need("by", "a label is any member's word: say whose counts")
		w.Labels = &Labels{By: coins.who("by")}
		for _, n := range coins.texts("label") {
			if err := display.Check(n.text); err != nil {
				coins.fail(coins.at.in("label"), n.offset, "%v", err)
			}
			w.Labels.Any = append(w.Labels.Any, n.text)
		}
		slices.Sort(w.Labels.Any)
		coins.done()
	}
	t.done()
	return w
}

func (r *reader) require(t *table) Require {
	x := Require{
		AmountMin: bound(t, "amount_min", amount), AmountMax: bound(t, "amount_max", amount),
		FeeRateMax: bound(t, "fee_rate_max", feeRate), InputsMax: t.number("inputs_max", 1), OutputsMax: t.number("outputs_max", 1),
		ChangeShareMax: bound(t, "change_max", share), Confirmations: int64(t.number("confirmations", 1)), AgeMin: bound(t, "age_min", span),
		Meters: t.meters(), InitiatorCounts: t.flag("initiator_counts"), Delay: bound(t, "delay", span),
	}
	if n := t.n.field("locktime"); n != nil {
		t.word("locktime", []string{"none"})
		x.NoLockTime = true
	}
	t.feeMax(&x)
	for i, n := range t.list("approvals") {
		one := r.open(n, t.at.in("approvals").item(i))
		one.need("of", "say whose approvals count")
		one.need("n", "say how many approvals are needed")
		x.Approvals = append(x.Approvals, Approval{Of: one.who("of"), N: one.number("n", 1)})
		one.done()
	}
	for i, n := range t.texts("hours") {
		h, err := hours(n.text)
		if err != nil {
			t.fail(t.at.in("hours"), n.offset, "%v", err)
		}
		t.places[t.at.in("hours").item(i).path] = n.offset
		x.Hours = append(x.Hours, h)
	}
	t.done()
	return x
}

func (t *table) meters() []uint64 {
	return t.indexes("meters", "meter", namesOf(t.p.Meters, func(m Meter) string { return m.Name }))
}

// feeMax reads a share, an amount, or one of each.
func (t *table) feeMax(x *Require) {
	for _, n := range t.list("fee_max") {
		part := strings.HasSuffix(n.text, "%")
		if part && x.FeeShareMax > 0 || !part && x.FeeMax > 0 {
			t.fail(t.at.in("fee_max"), n.offset, "it has one share and one amount at most")
		}
		var err error
		if part {
			x.FeeShareMax, err = quantityOf(n, share)
		} else {
			x.FeeMax, err = quantityOf(n, amount)
		}
		if err != nil {
			t.fail(t.at.in("fee_max"), n.offset, "%v", err)
		} else if part && x.FeeShareMax == 0 {
			t.fail(t.at.in("fee_max"), n.offset, "it is zero, and no transaction is without a fee")
		}
	}
}

func (r *reader) step(t *table) Step {
	t.need("who", "say who is asked")
	t.need("within", "say how long they are asked, as \"24h\"")
	s := Step{Who: t.who("who"), N: t.number("n", 1), Within: bound(t, "within", span), AmountMax: bound(t, "amount_max", amount), Meters: t.meters()}
	t.done()
	return s
}
