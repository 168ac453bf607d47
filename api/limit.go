package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/quorate/quorate/api/access"
)

// spender is what of a Backend spends, and says how much.
type spender interface {
	Preview(ctx context.Context, wallet string, r Propose) (Draft, error)
	Propose(ctx context.Context, wallet string, r Propose) (Proposed, error)
	Proposal(ctx context.Context, proposal string) (Proposal, error)
	Approve(ctx context.Context, proposal string, r Approve) (Proposal, error)
	Status(ctx context.Context) (Status, error)
}

// limits count what tokens spend.
type limits struct {
	backend spender
	book    *access.Book
}

// limited says whether what a caller spends is bounded.
func (s limits) limited(c access.Caller) bool {
	return c.Token != "" && s.book != nil && s.book.Limited(c.Token)
}

// charged counts an amount against the limits of a caller, and does what spends it. What
// was refused is not counted; what may have been done is.
func (s limits) charged(ctx context.Context, c access.Caller, amount int64, do func() error) error {
	back, err := s.book.Charge(ctx, c.Token, amount)
	switch {
	case errors.Is(err, access.ErrOver):
		return Refuse("token_limit", err.Error(), "wait until some of it is 24 hours old, or use another token").as(http.StatusForbidden)
	case errors.Is(err, access.ErrUnknown):
		return Refuse("unauthorized", "the token was revoked meanwhile", "").as(http.StatusUnauthorized)
	case err != nil:
		return fmt.Errorf("count what a token spends: %w", err)
	}
	err = do()
	if e := (*Error)(nil); errors.As(err, &e) && !e.Made && (e.Kind == Denied || e.Kind == Usage || e.Kind == NotFound) {
		back()
	}
	return err
}

// drafts is how often a proposal is drafted anew, for a caller who did not draft it,
// since coins moved meanwhile.
const drafts = 3

// propose proposes. For a caller with a limit it drafts first, counts what that
// comes to, and proposes just that or nothing.
func (s limits) propose(ctx context.Context, wallet string, asked Propose) (out Proposed, err error) {
	c := callerOf(ctx)
	if !s.limited(c) {
		return s.backend.Propose(ctx, wallet, asked)
	}
	for range drafts {
		d, err := s.backend.Preview(ctx, wallet, asked)
		if err != nil {
			return out, err
		}
		r := asked
		switch {
		case d.Proposal != nil:
			return s.again(ctx, c, wallet, *d.Proposal, r)
		case d.Draft == nil || r.Draft != "" && r.Draft != *d.Draft:
			return out, changedDraft()
		}
		r.Draft = *d.Draft
		err = s.charged(ctx, c, d.Sends+d.Fee, func() (err error) {
			out, err = s.backend.Propose(ctx, wallet, r)
			return err
		})
		if e := (*Error)(nil); asked.Draft != "" || !errors.As(err, &e) || e.Code != "draft_changed" {
			return out, err
		}
	}
	return out, changedDraft()
}

// again repeats a request that gave a proposal before, which was counted then; not its
// signature, where this node did not give one.
func (s limits) again(ctx context.Context, c access.Caller, wallet, proposal string, r Propose) (out Proposed, err error) {
	if r.Unsigned {
		return s.backend.Propose(ctx, wallet, r)
	}
	p, err := s.backend.Proposal(ctx, proposal)
	if err != nil {
		return out, err
	}
	node, err := s.backend.Status(ctx)
	if err != nil {
		return out, err
	}
	amount := int64(0)
	if !signedBy(p, node.PeerID) {
		amount = p.Fee + sendsOf(p)
	}
	err = s.charged(ctx, c, amount, func() (err error) {
		out, err = s.backend.Propose(ctx, wallet, r)
		return err
	})
	return out, err
}

func sendsOf(p Proposal) (sum int64) {
	for _, o := range p.Outputs {
		if !o.Change {
			sum += o.Amount
		}
	}
	return sum
}

func changedDraft() *Error {
	return Refuse("draft_changed", "what would be proposed changed meanwhile: coins were spent, or came", "try again")
}

// approve signs. For a caller with a limit it counts what goes to others and the
// fee, or the one that it agrees to beforehand; once for each proposal, but for what a
// later agreement adds.
func (s limits) approve(ctx context.Context, proposal string, r Approve) (out Proposal, err error) {
	c := callerOf(ctx)
	if !s.limited(c) {
		return s.backend.Approve(ctx, proposal, r)
	}
	p, err := s.backend.Proposal(ctx, proposal)
	if err != nil {
		return out, err
	}
	node, err := s.backend.Status(ctx)
	if err != nil {
		return out, err
	}
	fee, sends := p.Fee, sendsOf(p)
	if r.BumpTo != nil {
		fee = max(fee, *r.BumpTo)
	}
	if signedBy(p, node.PeerID) {
		fee, sends = fee-p.Fee, 0
	}
	err = s.charged(ctx, c, sends+fee, func() (err error) {
		out, err = s.backend.Approve(ctx, proposal, r)
		return err
	})
	return out, err
}

// signedBy says whether a node signed all of a proposal.
func signedBy(p Proposal, peer string) bool {
	return slices.ContainsFunc(p.Approvals, func(a Approval) bool {
		return a.Cosigner.PeerID != nil && *a.Cosigner.PeerID == peer && a.Signatures == len(p.Inputs)
	})
}

// unlimited refuses a caller with a limit what cannot be counted.
func (s limits) unlimited(ctx context.Context) error {
	if c := callerOf(ctx); s.limited(c) {
		return denied(called(c)+" has a limit, and what this spends cannot be counted", "use a token without one")
	}
	return nil
}
