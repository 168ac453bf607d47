package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
)

// csvHeader are the columns of `history --csv`. Amounts are in bitcoin, with a point
// and all of their eight digits, and without a separator between thousands.
var csvHeader = []string{"date", "payee", "label", "amount", "fee", "balance", "txid", "proposal", "approvers"}

// bookedHistory is the answer of `history --csv`.
type bookedHistory struct {
	Rows    int    `json:"row_count"`
	Format  string `json:"format"`
	Content string `json:"content"`
}

// historyFile fetches all that is in blocks, and who approved it, and writes it down.
func historyFile(ctx context.Context, node *api.Client, wallet string, since, until time.Time) (bookedHistory, error) {
	var history []api.HistoryItem
	proposals := map[string]api.Proposal{}
	for q := (api.HistoryQuery{Limit: api.MaxPage}); ; {
		page, err := node.History(ctx, wallet, q)
		if err != nil {
			return bookedHistory{}, err
		}
		for _, x := range page.Items {
			if x.Time == nil {
				continue // not booked yet
			}
			history = append(history, x)
			if x.Proposal == "" {
				continue
			}
			p, err := node.Proposal(ctx, string(x.Proposal))
			var said *api.Error
			switch {
			case errors.As(err, &said) && said.Kind == api.NotFound:
				// It is tainted by now: the payment is booked without it.
			case err != nil:
				return bookedHistory{}, err
			default:
				proposals[string(x.Proposal)] = p
			}
		}
		if q.Cursor = string(page.Next); page.Next == "" {
			break
		}
	}
	var b bytes.Buffer
	n, err := book(history, proposals).write(&b, since, until)
	return bookedHistory{n, "csv", b.String()}, err
}

// accounts is the history as an accountant books it.
type accounts struct {
	// Rows are oldest first: what was paid in has one, a payment one for each payee.
	rows []booking
}

// booking is one row.
type booking struct {
	at                   time.Time
	payee, label         string
	amount, fee, balance int64
	txid, proposal       string
	approvers            []string
}

// book makes rows of what is in blocks, given newest first, and of the proposals that it
// came from.
func book(history []api.HistoryItem, proposals map[string]api.Proposal) accounts {
	var a accounts
	balance := int64(0)
	add := func(b booking) {
		balance += b.amount - b.fee
		b.balance = balance
		a.rows = append(a.rows, b)
	}
	for _, x := range slices.Backward(history) {
		of := booking{at: *x.Time, txid: x.TxID, proposal: string(x.Proposal), label: string(x.Label)}
		p := proposals[string(x.Proposal)]
		for _, y := range p.Approvals {
			of.approvers = append(of.approvers, y.Cosigner.Called())
		}
		if x.Fee == nil {
			of.amount = x.Amount
			add(of)
			continue
		}
		// The fee stands with the first payee: sums over a column are right.
		of.fee = *x.Fee
		rest := x.Amount + of.fee
		payees := 0
		for _, o := range p.Outputs {
			if o.Change {
				continue
			}
			payees++
			b := of
			b.payee, b.amount = o.Address, -o.Amount
			if o.Label != "" {
				b.label = string(o.Label)
			}
			rest += o.Amount
			add(b)
			of.fee = 0
		}
		// What goes back to the wallet, or, without a proposal, all of it.
		if payees == 0 || rest != 0 {
			if of.amount = rest; payees > 0 || rest == 0 {
				of.payee = "(the wallet itself)"
			}
			add(of)
		}
	}
	return a
}

// write writes the rows within a period, RFC 4180, and returns how many. The balance is
// that of all.
func (a accounts) write(w io.Writer, since, until time.Time) (n int, err error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(csvHeader); err != nil {
		return n, fmt.Errorf("write csv: %w", err)
	}
	for _, b := range a.rows {
		if !since.IsZero() && b.at.Before(since) || !until.IsZero() && !b.at.Before(until) {
			continue
		}
		row := []string{
			b.at.UTC().Format(time.RFC3339), cell(b.payee), cell(b.label), bitcoins(b.amount), bitcoins(b.fee), bitcoins(b.balance),
			cell(b.txid), cell(b.proposal), cell(strings.Join(b.approvers, "; ")),
		}
		n++
		if err := out.Write(row); err != nil {
			return n, fmt.Errorf("write csv: %w", err)
		}
	}
	out.Flush() // an error shows in the next line
	if err := out.Error(); err != nil {
		return n, fmt.Errorf("write csv: %w", err)
	}
	return n, nil
}

// bitcoins is an amount of satoshis in bitcoin.
func bitcoins(sat int64) string {
	sign, abs := "", uint64(sat)
	if sat < 0 {
		sign, abs = "-", -abs
	}
	return fmt.Sprintf("%s%d.%08d", sign, abs/100_000_000, abs%100_000_000)
}

// cell is text that somebody typed, as text: spreadsheets take what begins with one of
// these characters for a formula, in their full-width form too, and what follows blanks
// or a quotation mark (CWE-1236). An apostrophe before it makes it text.
func cell(s string) string {
	s = display.Line(s)
	first := strings.TrimLeft(s, " \u00a0\u3000\"'`")
	if first != "" && strings.ContainsRune("=+-@|%\t\r\n＝＋－＠", []rune(first)[0]) {
		return "'" + s
	}
	return s
}
