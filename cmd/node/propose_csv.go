package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/ops"
)

// payees reads a list of payees, all of it, before anything is asked for. It returns the
// requests that it takes: one, or with split as many as it has parts.
func (c *cli) payees(ctx context.Context, node *api.Client, path string, r api.Propose, feeFrom []string, split bool) ([]api.Propose, error) {
	raw, err := c.readFile(path, ops.MaxPayeesFile)
	if err != nil {
		return nil, err
	}
	status, err := node.Status(ctx)
	if err != nil {
		return nil, err
	}
	list, err := ops.ReadPayees(raw, status.Network, parseAmount)
	if err != nil {
		var all *ops.PayeeErrors
		if errors.As(err, &all) {
			for _, line := range strings.Split(all.Error(), "\n") {
				c.note("%s", clean(line))
			}
			err = fmt.Errorf("%d errors, each told above", all.Count)
		}
		return nil, api.Misuse("bad_list", fmt.Sprintf("the list of payees is not read: %v; nothing was proposed", err),
			"each line is ADDRESS,AMOUNT,LABEL; the first may name the columns: address, amount_btc or amount_sat, label")
	}
	count := (len(list) + ops.MaxPayeesOfOne - 1) / ops.MaxPayeesOfOne
	if count > 1 && !split {
		return nil, api.Refuse("too_many_payees", fmt.Sprintf("the list names %d payees, and one transaction pays %d at most", len(list), ops.MaxPayeesOfOne),
			fmt.Sprintf("--split proposes it in %d parts of up to %d, in the order of the list", count, ops.MaxPayeesOfOne))
	}
	of := sha256.Sum256(raw)
	var out []api.Propose
	to := make([]api.Recipient, len(list))
	for i, p := range list {
		to[i] = api.Recipient{Address: p.Address, Amount: p.Amount, Label: p.Label}
	}
	if err := payFee(to, feeFrom); err != nil {
		return nil, err
	}
	for n := range count {
		part := r
		part.To = to[n*ops.MaxPayeesOfOne : min(len(list), (n+1)*ops.MaxPayeesOfOne)]
		switch {
		case part.RequestID == "":
			part.RequestID = fmt.Sprintf("csv-%s-%d", hex.EncodeToString(of[:16]), n+1)
		case count > 1:
			part.RequestID = fmt.Sprintf("%s-%d", r.RequestID, n+1)
		}
		out = append(out, part)
	}
	return out, nil
}

// parts is the answer of a list that was proposed in parts.
type parts struct {
	Items api.List[api.Proposed] `json:"items"`
}

// proposeList proposes what a list of payees takes. What was proposed before is named with
// its date, and not proposed again.
func (c *cli) proposeList(ctx context.Context, node *api.Client, wallet string, f *proposeFlags, r api.Propose) error {
	requests, err := c.payees(ctx, node, f.csv, r, f.feeFrom, f.split)
	if err != nil {
		return err
	}
	var made parts
	for n, x := range requests {
		if len(requests) > 1 {
			c.note("Part %d of %d: %d payees.", n+1, len(requests), len(x.To))
		}
		d, err := node.Preview(ctx, wallet, x)
		if err != nil {
			return err
		}
		if f.dryRun {
			if err := answer(c, d, showDraft); err != nil {
				return err
			}
			continue
		}
		if d.Proposal != nil {
			before, err := node.Proposal(ctx, *d.Proposal)
			if err != nil {
				return err
			}
			c.note("This list was proposed before, %s, and is %s. To pay it again, give it a --request-id.", when(before.Created), before.Status)
		}
		p, err := c.propose(ctx, node, wallet, x, f.yes)
		if err != nil {
			return err
		}
		if len(requests) == 1 {
			return c.answerProposed(ctx, node, p, x)
		}
		made.Items = append(made.Items, p)
	}
	if f.dryRun {
		return nil
	}
	return answer(c, made, func(w io.Writer, all parts) {
		for _, p := range all.Items {
			showProposed(w, p)
		}
	})
}
