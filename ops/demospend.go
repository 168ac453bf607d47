package ops

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app"
	"github.com/quorate/quorate/wallet"
)

// demoRecipient is an address of somebody outside, another one each round: a
// second payment to one is asked about.
func demoRecipient(round int) (string, error) {
	script := sha256.Sum256(fmt.Append(nil, "recipient ", round))
	return wallet.AddressOf(append([]byte{0, 32}, script[:]...), wallet.Regtest) // P2WSH
}

// spend sends to somebody outside: the first node proposes, the next ones approve.
func (d *demo) spend(ctx context.Context, id string, round int) (DemoSpend, error) {
	var s DemoSpend
	to, err := demoRecipient(round)
	if err != nil {
		return s, fmt.Errorf("demo: %w", err)
	}
	author := round % len(d.nodes)
	begin := time.Now()
	p, err := d.nodes[author].Propose(ctx, id, api.Propose{
		To: []api.Recipient{{Address: to, Amount: 10_000_000 + int64(round)}}, FeeRate: 5, Note: fmt.Sprintf("spend %d", round+1),
	})
	if err != nil {
		return s, fmt.Errorf("demo: %s proposes: %w", d.names[author], err)
	}
	s.Latency.Propose = millis(begin)
	d.say("\n%s proposes to send 0.1 btc to %s, and signs first (proposal %.12s…).", d.names[author], to, p.Proposal)
	if err := d.approvals(ctx, p.Proposal, author, &s); err != nil {
		return s, err
	}
	return d.mined(ctx, p.Proposal, begin, s)
}

// mined waits until a proposal that has its signatures is on every node, mines it, and compares.
func (d *demo) mined(ctx context.Context, proposal string, begin time.Time, s DemoSpend) (DemoSpend, error) {
	if err := d.until(ctx, "the final transaction on every node", func(n *app.Node) (bool, error) {
		_, err := n.Tx(ctx, proposal)
		return err == nil, notFinal(err)
	}); err != nil {
		return s, err
	}
	s.Latency.FinalEverywhere = millis(begin)
	if err := d.until(ctx, "the transaction in the mempool", func(n *app.Node) (bool, error) {
		x, err := n.Proposal(ctx, proposal)
		return x.Status == api.StatusBroadcast || x.Status == api.StatusConfirmed, err
	}); err != nil {
		return s, err
	}
	d.say("  final on every node, and broadcast; a block is mined")
	begin = time.Now()
	if _, err := d.chain.Mine(1, d.chain.FaucetScript()); err != nil {
		return s, fmt.Errorf("demo: mine: %w", err)
	}
	err := d.until(ctx, "the confirmation on every node", func(n *app.Node) (bool, error) {
		x, err := n.Proposal(ctx, proposal)
		return x.Status == api.StatusConfirmed, err
	})
	if err != nil {
		return s, err
	}
	s.Latency.Confirmed = millis(begin)
	s.Confirmed = true
	return d.compare(ctx, proposal, s)
}

// approvals lets as many cosigners after the author approve as are needed.
func (d *demo) approvals(ctx context.Context, proposal string, author int, s *DemoSpend) error {
	begin := time.Now()
	for k := 1; k < d.opts.Threshold; k++ {
		i := (author + k) % len(d.nodes)
		n := d.nodes[i]
		if err := d.untilOn(ctx, n, "the proposal on "+d.names[i], func(n *app.Node) (bool, error) {
			_, err := n.Proposal(ctx, proposal)
			var missing *api.Error
			if errors.As(err, &missing) && missing.Kind == api.NotFound {
				err = nil
				return false, nil
			}
			return err == nil, err
		}); err != nil {
			return err
		}
		if _, err := n.Approve(ctx, proposal, api.Approve{}); err != nil {
			return fmt.Errorf("demo: %s approves: %w", d.names[i], err)
		}
		d.say("  %s checks it against its own view of the chain, and signs", d.names[i])
	}
	s.Latency.Approve = millis(begin)
	return nil
}

// compare holds the transaction of every node against that of the first.
func (d *demo) compare(ctx context.Context, proposal string, s DemoSpend) (DemoSpend, error) {
	s.Identical = true
	var first string
	for _, n := range d.nodes {
		tx, err := n.Tx(ctx, proposal)
		if err != nil {
			return s, err
		}
		if _, err := hex.DecodeString(tx.Hex); err != nil {
			return s, fmt.Errorf("demo: %w", err)
		}
		if first == "" {
			first, s.TxID, s.WTxID = tx.Hex, tx.TxID, tx.WTxID
		}
		s.Identical = s.Identical && tx.Hex == first
	}
	if !s.Identical {
		return s, errors.New("demo: the nodes hold different transactions")
	}
	d.say("  confirmed: all %d nodes hold the same bytes of transaction %s", len(d.nodes), s.TxID)
	return s, nil
}

func (d *demo) table(r DemoResult) {
	d.say("\n%-6s %-12s %12s %12s %18s %12s", "spend", "transaction", "propose", "approve", "final everywhere", "confirmed")
	for i, s := range r.Spends {
		l := s.Latency
		d.say("%-6d %.10s… %9.1f ms %9.1f ms %15.1f ms %9.1f ms", i+1, s.TxID, l.Propose, l.Approve, l.FinalEverywhere, l.Confirmed)
	}
}

func notFinal(err error) error {
	var e *api.Error
	if errors.As(err, &e) && (e.Code == "not_final" || e.Kind == api.NotFound) {
		return nil
	}
	return err
}

func millis(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
