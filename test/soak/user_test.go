package soak_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet"
)

// answerTime is how long a user waits for an answer of a node.
const answerTime = 15 * time.Second

// user does what comes to the mind of a node's owner.
func (s *soak) user(ctx context.Context, n *node, r *rand.Rand) {
	for pause(ctx, about(r, s.beat/4)) {
		if n.up() {
			s.act(ctx, n, r)
		}
	}
}

func (s *soak) act(ctx context.Context, n *node, r *rand.Rand) {
	if req, ok := s.ledger.unanswered(n.Name); ok && r.IntN(2) == 0 {
		s.propose(ctx, n, req)
		return
	}
	switch x := r.IntN(100); {
	case x < 68:
		s.vote(ctx, n, r)
	case x < 80:
		s.propose(ctx, n, s.ledger.request(n.Name, func(id int) request { return payment(id, r) }))
	case x < 84:
		s.replace(ctx, n, r)
	case x < 86:
		s.withdraw(ctx, n, r)
	case x < 94:
		s.lease(ctx, n, r, r.IntN(10) < 8)
	default:
		s.look(ctx, n)
	}
}

// payment is a request to pay an amount to an address that is used once.
func payment(id int, r *rand.Rand) request {
	script := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("pay"), uint64(id)))
	address, err := wallet.AddressOf(append([]byte{0, 32}, script[:]...), wallet.Regtest)
	if err != nil {
		panic(err) // a script of that form has an address
	}
	q := request{Payment: id, Body: api.Propose{
		To:      []api.Recipient{{Address: address, Amount: 10_000 + r.Int64N(300_000)}},
		FeeRate: 1 + float64(r.IntN(10)), Note: "payment", Unsigned: r.IntN(5) == 0,
	}}
	if r.IntN(3) == 0 {
		q.Body.Expires = 20 + r.Int64N(200)
	}
	return q
}

func (s *soak) propose(ctx context.Context, n *node, q request) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	p, err := n.Client.Propose(ctx, s.wallet, q.Body)
	switch s.outcome(n, "propose", err) {
	case done:
		if was := s.ledger.proposed(n.Name, q, p); was != "" {
			s.repeat("%s: request %s gave %s, and before that %s", n.Name, q.Body.RequestID, p.Proposal, was)
		}
	case refused:
		s.ledger.refused(q)
	}
}

// some picks a proposal of a status, as the node shows it, that will do.
func (s *soak) some(ctx context.Context, n *node, r *rand.Rand, status string, do func(api.Proposal) bool) (api.Proposal, bool) {
	page, err := n.Client.Proposals(ctx, s.wallet, api.ProposalQuery{Status: status, Limit: 25})
	if s.outcome(n, "look", err) != done {
		return api.Proposal{}, false
	}
	fit := slices.DeleteFunc(page.Items, func(p api.Proposal) bool { return !do(p) })
	if len(fit) == 0 {
		return api.Proposal{}, false
	}
	return fit[r.IntN(len(fit))], true
}

func anyOf(api.Proposal) bool { return true }

func (s *soak) vote(ctx context.Context, n *node, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	p, ok := s.some(ctx, n, r, api.StatusPending, func(p api.Proposal) bool {
		return !slices.ContainsFunc(p.Approvals, func(a api.Approval) bool { return a.Cosigner.Name == n.Name })
	})
	if !ok {
		return
	}
	if r.IntN(10) == 0 {
		_, err := n.Client.Reject(ctx, p.Proposal, api.Reject{Reason: "no"})
		if s.outcome(n, "reject", err) == done {
			s.ledger.note(ack{What: rejection, Node: n.Name, Proposal: p.Proposal})
		}
		return
	}
	s.ledger.tries(n.Name, p.Proposal)
	after, err := n.Client.Approve(ctx, p.Proposal, api.Approve{})
	// What has enough signatures meanwhile gets no further one, and the answer says so: by the
	// signatures, or since the network has it though the last one has not come here yet.
	enough := (after.Signed >= after.Threshold || after.Status == api.StatusBroadcast || after.Status == api.StatusConfirmed) && !slices.ContainsFunc(after.Approvals, func(x api.Approval) bool { return x.Cosigner.Name == n.Name })
	if s.outcome(n, "approve", err) == done && !enough {
		s.ledger.note(ack{What: approval, Node: n.Name, Proposal: p.Proposal, Inputs: len(p.Inputs)})
	}
}

func (s *soak) withdraw(ctx context.Context, n *node, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	p, ok := s.some(ctx, n, r, api.StatusPending, func(p api.Proposal) bool { return p.Author.Name == n.Name })
	if !ok {
		return
	}
	_, err := n.Client.Withdraw(ctx, p.Proposal)
	if s.outcome(n, "withdraw", err) == done {
		s.ledger.note(ack{What: withdrawal, Node: n.Name, Proposal: p.Proposal})
	}
}

// replace proposes a payment again, for a higher fee.
func (s *soak) replace(ctx context.Context, n *node, r *rand.Rand) {
	look, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	p, ok := s.some(look, n, r, []string{api.StatusPending, api.StatusFinal, api.StatusBroadcast}[r.IntN(3)], anyOf)
	if !ok {
		return
	}
	for _, o := range p.Outputs {
		if o.Change {
			continue
		}
		s.propose(ctx, n, s.ledger.request(n.Name, func(int) request {
			return request{Body: api.Propose{
				To:      []api.Recipient{{Address: o.Address, Amount: o.Amount}},
				FeeRate: p.FeeRate*1.5 + 2, Note: "again", Replaces: []string{p.Proposal},
			}}
		}))
		return
	}
}

// lease asks for an address and, if told so, pays to it.
func (s *soak) lease(ctx context.Context, n *node, r *rand.Rand, pay bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	asked := time.Now()
	a, err := n.Client.NewAddress(ctx, s.wallet, api.NewAddress{})
	if s.outcome(n, "address", err) != done {
		return
	}
	for _, before := range s.ledger.leased(ack{What: leasing, Node: n.Name, Index: a.Index, Address: a.Address}) {
		if before.Node == n.Name {
			s.repeat("%s leased %s twice", n.Name, a.Address)
		} else if s.connected(n.Name, before.Node, before.At, asked) {
			s.repeat("%s and %s were connected and leased %s both", n.Name, before.Node, a.Address)
		}
	}
	if pay {
		s.fund(a.Address, 50_000+r.Int64N(2_000_000))
	}
}

// look reads what a person would look at.
func (s *soak) look(ctx context.Context, n *node) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, err := n.Client.Coins(ctx, s.wallet)
	s.outcome(n, "look", err)
	_, err = n.Client.History(ctx, s.wallet, api.HistoryQuery{Limit: 20})
	s.outcome(n, "look", err)
}

// What became of a command.
type outcome uint8

const (
	done    outcome = iota
	refused         // by a rule
	unknown         // no answer: it may have happened or not
	failed
)

func (s *soak) outcome(n *node, what string, err error) outcome {
	var e *api.Error
	switch {
	case err == nil:
		s.report.count(what)
		return done
	case !errors.As(err, &e):
		s.fault("%s: %s: %v", n.Name, what, err)
		return failed
	case e.Kind == api.Denied:
		s.report.count(fmt.Sprintf("%s refused: %s", what, e.Code))
		return refused
	case e.Kind == api.Unavailable, e.Kind == api.Timeout, e.Code == "canceled", e.Code == "bad_answer":
		s.report.count(what + " unanswered")
		return unknown
	}
	if e.Kind == api.NotFound || e.Kind == api.Usage {
		s.fault("%s: %s: %v", n.Name, what, err) // of what it showed before
	}
	// A node that is being killed may still say that it fails.
	s.report.count(fmt.Sprintf("%s failed: %s: %s", what, e.Code, e.Message))
	return failed
}

func (s *soak) repeat(format string, args ...any) {
	s.ledger.repeats.Add(1)
	s.fault("repeated: "+format, args...)
}
