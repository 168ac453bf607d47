package policy

import (
	"fmt"
	"strings"

	"github.com/quorate/quorate/display"
)

// RuleSentence says what one rule says, counted from 0.
func (p *Policy) RuleSentence(i int, names func(Key) string) string {
	w, r := words{p, names}, p.Rules[i]
	text := fmt.Sprintf("Rule %d, %s: %s is ", i+1, quoted(r.Name), w.when(r.When))
	conditions := w.require(r.Require)
	switch {
	case r.Then == Deny:
		return text + "denied."
	case len(conditions) == 0 && r.Then == Sign:
		return text + "signed, whatever it takes."
	case r.Then == Sign:
		text += "signed if "
	case len(conditions) == 0 && r.Else == Ask:
		return text + "not signed before people are asked, whatever it takes: " + w.steps(r) + "."
	case len(conditions) == 0:
		return text + "not signed before people are asked: " + w.steps(r) + "."
	default:
		text += "not signed before people are asked, who are if "
	}
	text += strings.Join(conditions, "; ") + ". "
	if r.Then == Ask {
		text += "Asked are: " + w.steps(r) + ". "
	}
	switch {
	case r.Else == Deny:
		return text + "If any of that can never be, it is denied."
	case r.Then == Ask:
		return text + "If any of that can never be, they are asked all the same."
	}
	return text + "If any of that can never be, people are asked: " + w.steps(r) + "."
}

// kindNames are the kinds in a sentence, Payment first.
func kindNames() []string {
	return []string{
		"a payment", "a bump of what the robot signed, that pays nobody more", "a consolidation of coins", "a cancel", "a child that pays for its parent",
		"a rotation to the named successor", "a recovery", "a refresh", "a sweep",
	}
}

func (w words) when(x When) string {
	text := "anything"
	if len(x.Kinds) < len(kindNames()) {
		var kinds []string
		for _, k := range x.Kinds {
			kinds = append(kinds, kindNames()[k-1])
		}
		text = plainList(kinds, "or")
	}
	if len(x.To) > 0 {
		var to []string
		for _, i := range x.To {
			to = append(to, quoted(w.Recipients[i].Name))
		}
		text += " to " + plainList(to, "or") + " only,"
	}
	if !x.Initiators.Empty() {
		text += " proposed by " + w.who(x.Initiators, "or")
	}
	if x.Labels != nil {
		var any []string
		for _, s := range x.Labels.Any {
			any = append(any, quoted(s))
		}
		text += fmt.Sprintf(" of coins that were all called %s by %s", plainList(any, "or"), w.who(x.Labels.By, "or"))
	}
	if len(x.Scripts) > 0 {
		text += " of a wallet of script " + plainList(x.Scripts, "or")
	}
	return strings.TrimSuffix(text, ",")
}

// require are the conditions of a rule, each a sentence's part.
func (w words) require(x Require) []string {
	out := w.bounds(x)
	for _, a := range x.Approvals {
		text := fmt.Sprintf("%d of %s signed it", a.N, w.who(a.Of, "and"))
		if !x.InitiatorCounts {
			text += ", who proposed it not counted"
		}
		out = append(out, text)
	}
	if x.Delay > 0 {
		out = append(out, fmt.Sprintf("at least %s passed since all else was so, and nobody rejected it", spanWords(x.Delay)))
	}
	return out
}

// bounds are the conditions that stand in a step of ask as well.
func (w words) bounds(x Require) []string {
	var out []string
	if x.AmountMax > 0 || x.AmountMin > 0 {
		out = append(out, amounts(x.AmountMin, x.AmountMax))
	}
	out = append(append(out, w.fits(x.Meters)...), figures(x)...)
	if x.Confirmations > 0 {
		out = append(out, fmt.Sprintf("each coin has at least %s", plural(uint64(x.Confirmations), "confirmation")))
	}
	if x.AgeMin > 0 {
		out = append(out, fmt.Sprintf("each coin is at least %s old", spanWords(x.AgeMin)))
	}
	if len(x.Hours) > 0 {
		out = append(out, "it is "+hoursWords(x.Hours))
	}
	return out
}

// figures are the conditions on fees, and on how large the transaction is.
func figures(x Require) []string {
	var out []string
	var fees []string
	if x.FeeShareMax > 0 {
		fees = append(fees, shareWords(x.FeeShareMax)+" of what goes to others (of the coins, where nothing does)")
	}
	if x.FeeMax > 0 {
		fees = append(fees, display.Amount(x.FeeMax))
	}
	if x.FeeRateMax > 0 {
		fees = append(fees, rateWords(x.FeeRateMax))
	}
	if len(fees) > 0 {
		out = append(out, "the fee is at most "+strings.Join(fees, " and "))
	}
	if x.InputsMax > 0 {
		out = append(out, fmt.Sprintf("it spends at most %s", plural(x.InputsMax, "coin")))
	}
	if x.OutputsMax > 0 {
		out = append(out, fmt.Sprintf("it has at most %s", plural(x.OutputsMax, "output")))
	}
	if x.ChangeShareMax > 0 {
		out = append(out, fmt.Sprintf("at most %s of the coins comes back", shareWords(x.ChangeShareMax)))
	}
	if x.NoLockTime {
		out = append(out, "it has no lock time")
	}
	return out
}

func amounts(least, most int64) string {
	switch {
	case least == 0:
		return "at most " + display.Amount(most) + " goes to others"
	case most == 0:
		return "at least " + display.Amount(least) + " goes to others"
	}
	return fmt.Sprintf("%s to %s goes to others", display.Amount(least), display.Amount(most))
}

func (w words) fits(meters []uint64) []string {
	var out []string
	for _, i := range meters {
		out = append(out, "it fits meter "+quoted(w.Meters[i].Name))
	}
	return out
}

func hoursWords(list []Hours) string {
	var out []string
	for _, h := range list {
		out = append(out, fmt.Sprintf("%s %s to %s in %s", daysWords(h.Days), clock(h.From), clock(h.To), h.Zone))
	}
	return plainList(out, "or")
}

func clock(minutes uint16) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// daysWords shows days of the week, three or more that follow each other as a span.
func daysWords(days uint8) string {
	var out []string
	for d := 0; d < 7; d++ {
		if days&(1<<d) == 0 {
			continue
		}
		end := d
		for end < 6 && days&(1<<(end+1)) != 0 {
			end++
		}
		if end-d < 2 {
			out = append(out, weekdays()[d])
			continue
		}
		out = append(out, weekdays()[d]+"-"+weekdays()[end])
		d = end
	}
	return strings.Join(out, ",")
}

// steps are those of ask, one after the other, and what comes after them.
func (w words) steps(r Rule) string {
	var out []string
	for i, s := range r.Steps {
		first := "first "
		if i > 0 {
			first = "then "
		}
		out = append(out, first+w.step(s, r.Require))
	}
	return strings.Join(out, "; ") + "; then it is denied"
}

func (w words) step(s Step, x Require) string {
	text := fmt.Sprintf("%s for %s", w.who(s.Who, "and"), spanWords(s.Within))
	if s.N == 0 {
		return text + ", without the robot: others go on with their own keys"
	}
	text += fmt.Sprintf(", and if %d of them sign it, the robot does", s.N)
	if s.AmountMax == 0 {
		text += " whatever the amount"
	}
	if len(s.Meters) == 0 {
		text += " outside of all meters"
	}
	x.AmountMax, x.Meters = s.AmountMax, s.Meters
	if bounds := w.bounds(x); len(bounds) > 0 {
		text += ", if " + plainList(bounds, "and")
	}
	return text
}
