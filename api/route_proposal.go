package api

import (
	"context"
	"math"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type proposalsInput struct {
	WalletPath
	Status string `query:"status" maxLength:"20" doc:"Only those with this status."`
	PageQuery
}

type approveInput struct {
	ProposalPath
	IfMatch
	Body Approve
}

type rejectInput struct {
	ProposalPath
	IfMatch
	Body Reject
}

type commentInput struct {
	ProposalPath
	Body Comment
}

type waitInput struct {
	ProposalPath
	Status  string  `query:"status" enum:"final,broadcast,confirmed" default:"final" doc:"Answer at this status or beyond."`
	Timeout float64 `query:"timeout" minimum:"0" maximum:"86400" default:"60" doc:"Seconds."`
}

func (s *Server) proposalRoutes(h huma.API) {
	b := s.backend
	route(h, access.Propose, made(post("propose", "/v1/wallets/{wallet}/proposals", "Propose a payment and, unless unsigned, approve it")), s.propose)
	route(h, access.Read, get("list-proposals", "/v1/wallets/{wallet}/proposals", "List proposals, newest first"), func(ctx context.Context, in *proposalsInput) (Page[Proposal], error) {
		if in.Status != "" && !knownStatus(in.Status) {
			return Page[Proposal]{}, unknownStatus(in.Status)
		}
		return b.Proposals(ctx, in.Wallet, ProposalQuery{Status: in.Status, Cursor: in.Cursor, Limit: in.Limit})
	})
	route(h, access.Read, get("show-proposal", "/v1/proposals/{proposal}", "Show a proposal"), func(ctx context.Context, in *ProposalPath) (Proposal, error) {
		return withProposal(in, false, func() (Proposal, error) { return b.Proposal(ctx, in.Proposal) })
	})
	route(h, access.Sign, post("approve", "/v1/proposals/{proposal}/approve", "Sign a proposal"), func(ctx context.Context, in *approveInput) (Proposal, error) {
		unless, err := in.unless(ctx)
		if err != nil {
			return Proposal{}, err
		}
		in.Body.Unless = unless
		return withProposal(&in.ProposalPath, true, func() (Proposal, error) { return s.limits.approve(ctx, in.Proposal, in.Body) })
	})
	route(h, access.Vote, post("reject", "/v1/proposals/{proposal}/reject", "Vote against a proposal; a released signature stays in force"), func(ctx context.Context, in *rejectInput) (Proposal, error) {
		unless, err := in.unless(ctx)
		if err != nil {
			return Proposal{}, err
		}
		in.Body.Unless = unless
		return withProposal(&in.ProposalPath, true, func() (Proposal, error) { return b.Reject(ctx, in.Proposal, in.Body) })
	})
	route(h, access.Comment, made(post("comment", "/v1/proposals/{proposal}/comments", "Say something about a proposal to all cosigners")), func(ctx context.Context, in *commentInput) (Proposal, error) {
		in.Body.RequestID = ownRequest(ctx, in.Body.RequestID)
		return withProposal(&in.ProposalPath, true, func() (Proposal, error) { return b.Comment(ctx, in.Proposal, in.Body) })
	})
	route(h, access.Withdraw, post("withdraw", "/v1/proposals/{proposal}/withdraw", "Take back one's own proposal; released signatures stay in force"), func(ctx context.Context, in *ProposalPath) (Proposal, error) {
		return withProposal(in, true, func() (Proposal, error) { return b.Withdraw(ctx, in.Proposal) })
	})
	route(h, access.Read, get("wait", "/v1/proposals/{proposal}/wait", "Answer when a proposal is as far as asked, or can no longer be"), func(ctx context.Context, in *waitInput) (Proposal, error) {
		if math.IsNaN(in.Timeout) { // it is neither below nor above what is allowed
			return Proposal{}, Misuse("bad_request", "the timeout is no number", "give it in seconds")
		}
		ctx, stop := s.untilClosing(ctx)
		defer stop()
		return withProposal(&in.ProposalPath, false, func() (Proposal, error) {
			release, err := s.watch(ctx)
			if err != nil {
				return Proposal{}, err
			}
			defer release()
			return waitFor(ctx, b, in.Proposal, in.Status, time.Duration(in.Timeout*float64(time.Second)))
		})
	})
	route(h, access.Read, get("show-tx", "/v1/proposals/{proposal}/tx", "Show the final transaction"), func(ctx context.Context, in *ProposalPath) (Tx, error) {
		return withProposal(in, false, func() (Tx, error) { return b.Tx(ctx, in.Proposal) })
	})
}

// propose checks what does not need the wallet. A caller who may only propose
// must not make this node sign.
func (s *Server) propose(ctx context.Context, in *proposeInput) (Proposed, error) {
	if c := callerOf(ctx); !in.Body.Unsigned && !c.May(access.Sign) {
		return Proposed{}, denied(called(c)+" may not sign", "send unsigned, or use a token with the verb sign")
	}
	in.Body.RequestID = requestOr(ctx, in.Body.RequestID)
	if err := checkPropose(in.Body); err != nil {
		return Proposed{}, err
	}
	return s.limits.propose(ctx, in.Wallet, in.Body)
}

// withProposal checks the id before the backend is asked.
func withProposal[T any](in *ProposalPath, acts bool, do func() (T, error)) (T, error) {
	if err := CheckProposal(in.Proposal, acts); err != nil {
		var zero T
		return zero, err
	}
	return do()
}
