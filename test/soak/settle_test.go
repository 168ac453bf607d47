package soak_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// view is what a node shows of the wallet and must show as all others do.
type view struct {
	Height     int32
	Entries    float64
	Descriptor string
	Balance    api.Balance
	Coins      []api.Coin
	History    []api.HistoryItem
	Proposals  []api.Proposal

	alarms []api.Alarm
}

func (s *soak) view(ctx context.Context, n *node) (view, error) {
	var v view
	st, err := n.Client.Status(ctx)
	if err != nil {
		return v, err
	}
	if st.Chain.Height != nil {
		v.Height = *st.Chain.Height
	}
	w, err := n.Client.Wallet(ctx, s.wallet)
	if err != nil {
		return v, err
	}
	v.Balance, v.alarms = w.Balance, w.Alarms
	if w.Descriptor != nil {
		v.Descriptor = *w.Descriptor
	}
	if v.Coins, err = n.Client.Coins(ctx, s.wallet); err != nil {
		return v, err
	}
	slices.SortFunc(v.Coins, func(x, y api.Coin) int { return strings.Compare(x.OutPoint, y.OutPoint) })
	for cursor := ""; ; {
		page, err := n.Client.History(ctx, s.wallet, api.HistoryQuery{Cursor: cursor, Limit: api.MaxPage})
		if err != nil {
			return v, err
		}
		v.History = append(v.History, page.Items...)
		if cursor = string(page.Next); cursor == "" {
			break
		}
	}
	if v.Proposals, err = s.proposals(ctx, n); err != nil {
		return v, err
	}
	m, ok := s.measure(ctx, n)
	if !ok {
		return v, fmt.Errorf("no metrics of %s", n.Name)
	}
	v.Entries = m.Entries
	for i := range v.Proposals {
		// What each knows of the others, and what each would warn of, is its own.
		v.Proposals[i].HeldBy, v.Proposals[i].Warnings = nil, nil
	}
	return v, nil
}

// differ says where two views differ first, or "".
func differ(x, y view) string {
	for _, part := range []struct {
		name string
		x, y []any
	}{
		{"height", one(x.Height), one(y.Height)},
		{"number of entries", one(x.Entries), one(y.Entries)},
		{"descriptor", one(x.Descriptor), one(y.Descriptor)},
		{"proposal", list(x.Proposals), list(y.Proposals)},
		{"coin", list(x.Coins), list(y.Coins)},
		{"transaction", list(x.History), list(y.History)},
		{"balance", one(x.Balance), one(y.Balance)},
	} {
		if len(part.x) != len(part.y) {
			return fmt.Sprintf("%d and %d of %s", len(part.x), len(part.y), part.name)
		}
		for i := range part.x {
			if a, b := text(part.x[i]), text(part.y[i]); a != b {
				return fmt.Sprintf("%s: %s\n  and %s", part.name, a, b)
			}
		}
	}
	return ""
}

func one(v any) []any { return []any{v} }

func list[T any](v []T) []any {
	var out []any
	for _, x := range v {
		out = append(out, x)
	}
	return out
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// open counts the proposals that are on their way into a block.
func (v view) open() int {
	n := 0
	for _, p := range v.Proposals {
		if p.Status == api.StatusFinal || p.Status == api.StatusBroadcast {
			n++
		}
	}
	return n
}

// tellEvery is how often a settling that takes long says what it waits for.
const tellEvery = 10 * time.Second

// settle mines until nothing is on its way any more and all nodes show the
// same, and looks whether it is what was acknowledged.
func (s *soak) settle() {
	began := time.Now()
	why, told := "no answer", time.Now()
	var views []view
	s.mine(1)
	same := s.within(func() bool {
		if time.Since(told) > tellEvery {
			told = time.Now()
			s.say("not yet: %.300s", why)
		}
		views = nil
		for _, n := range s.nodes {
			ctx, cancel := context.WithTimeout(s.t.Context(), answerTime)
			v, err := s.view(ctx, n)
			cancel()
			if err != nil {
				why = fmt.Sprintf("%s: %v", n.Name, err)
				return false
			}
			views = append(views, v)
		}
		for i, v := range views {
			if d := differ(views[0], v); d != "" {
				why = fmt.Sprintf("%s and %s differ: %s", s.nodes[0].Name, s.nodes[i].Name, d)
				return false
			}
		}
		if n := views[0].open(); n > 0 {
			why = fmt.Sprintf("%d final proposals are not in a block", n)
			// All nodes are at one height, and have had time to hand them over.
			s.mine(1)
			return false
		}
		return true
	})
	healed := time.Since(began)
	if !same {
		s.fault("at the end: %s", why)
	}
	sum := s.summarize(views)
	sum.HealMillis = healed.Milliseconds()
	for i, v := range views {
		n := s.nodes[i]
		for _, l := range s.ledger.lost(s.ledger.all(), v.Proposals) {
			s.lose("%s does not show the %s", n.Name, l)
		}
		for _, x := range twice(v.Proposals) {
			s.repeat("%s: %s", n.Name, x)
		}
		for _, a := range v.alarms {
			if a.Code == "foreign_spend" {
				s.fault("%s raises an alarm: %s", n.Name, a.Message)
			}
		}
	}
	sum.Paid = s.payments()
	for _, n := range s.nodes {
		n.stop()
	}
	s.stores(&sum)
	s.logs()
	sum.Repeated, sum.Disk = s.ledger.repeats.Load(), s.disk()
	s.print(sum)
}

func (s *soak) summarize(views []view) summary {
	sum := summary{
		Seed: s.o.seed, Commit: s.o.commit, Seconds: int64(time.Since(s.began).Seconds()),
		Cosigners: cosigners, Threshold: threshold, Network: s.o.cuts, Proposals: map[string]int{},
		Acks: len(s.ledger.all()), Kills: s.kills.Load(), Restarts: s.restarts.Load(), Cuts: s.cuts.Load(),
		Stalls: s.stalls.Load(), Reorgs: s.reorgs.Load(), Blocks: s.blocks.Load(),
	}
	if len(views) > 0 {
		sum.Entries = int(views[0].Entries)
		for _, p := range views[0].Proposals {
			sum.Proposals[p.Status]++
		}
		sum.Spends = sum.Proposals[api.StatusConfirmed]
	}
	by := map[string]map[string]bool{}
	for _, a := range s.ledger.all() {
		if a.What == leasing {
			if by[a.Address] == nil {
				by[a.Address] = map[string]bool{}
			}
			by[a.Address][a.Node] = true
		}
	}
	for _, nodes := range by {
		if len(nodes) > 1 {
			sum.Ties++
		}
	}
	return sum
}

// payments walks the chain: each payment was made once at most, and with the
// amount asked for. It returns what was paid in all.
func (s *soak) payments() int64 {
	tip, err := s.world.Bitcoin.Mine(1)
	if err != nil {
		s.fault("mine: %v", err)
		return 0
	}
	times, sum := map[string]int{}, int64(0)
	for hash := tip[0]; ; {
		b, err := s.world.Bitcoin.Block(hash)
		if err != nil {
			s.fault("read the chain: %v", err)
			return 0
		}
		for _, tx := range b.Transactions {
			for _, out := range tx.TxOut {
				address, err := wallet.AddressOf(out.PkScript, wallet.Regtest)
				amount, ours := s.ledger.payments[address]
				if err != nil || !ours {
					continue
				}
				if times[address]++; times[address] > 1 {
					s.repeat("%s was paid %d times", address, times[address])
				}
				if out.Value != amount {
					s.fault("%s was paid %d sat instead of %d", address, out.Value, amount)
				}
				sum += out.Value
			}
		}
		if hash = b.Header.PrevBlock; isZero(hash[:]) {
			return sum
		}
	}
}

func isZero(b []byte) bool {
	return !slices.ContainsFunc(b, func(x byte) bool { return x != 0 })
}

// finish says whether it went well.
func (s *soak) finish() {
	s.report.mu.Lock()
	defer s.report.mu.Unlock()
	if n := len(s.report.faults); n > 0 {
		s.t.Errorf("%d faults", n)
	}
	if s.ledger.repeats.Load() > 0 || len(s.report.lost) > 0 {
		s.t.Error("something was lost or repeated")
	}
}
