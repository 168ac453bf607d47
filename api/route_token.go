package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// TokenInfo is what may be shown of a token.
type TokenInfo struct {
	Token     string       `json:"token" doc:"Its id: 16 hex characters. No part of it is secret."`
	Name      string       `json:"name"`
	Verbs     List[string] `json:"verbs" doc:"What it may do."`
	Wallets   List[string] `json:"wallet_ids" doc:"Ids of the wallets that it is bound to; none for all."`
	MaxAmount *int64       `json:"max_amount" doc:"How many satoshis it and those it made may propose or have signed within 24 hours, fees included; null for no limit of its own."`
	Spent     *int64       `json:"spent" doc:"How many of them count now, to the hour; null where nothing is counted."`
	Until     *time.Time   `json:"until" doc:"When it ends; null for never."`
	Created   time.Time    `json:"created"`
	MadeBy    *string      `json:"made_by" doc:"Id of the token that made it; null for one made on the node's Unix socket."`
	Used      *time.Time   `json:"last_used" doc:"To the hour; null for never."`
}

// CreateToken asks for a token.
type CreateToken struct {
	Name      string     `json:"name" minLength:"1" maxLength:"64"`
	Role      string     `json:"role,omitempty" enum:"read,propose,sign" doc:"A name for verbs."`
	Verbs     []string   `json:"verbs,omitempty" maxItems:"16" nullable:"false" doc:"Verbs, in place of a role or besides."`
	Wallets   []string   `json:"wallets,omitempty" maxItems:"100" nullable:"false" doc:"Ids or names of the wallets that it is bound to; none for all."`
	MaxAmount int64      `json:"max_amount,omitempty" minimum:"0" maximum:"2100000000000000" doc:"How many satoshis it may propose or have signed within 24 hours, fees included; 0 for no limit."`
	Until     *time.Time `json:"until,omitempty" doc:"When it ends; never where left out."`
}

// TokenMade is a token, with its text.
type TokenMade struct {
	TokenInfo
	Secret string `json:"secret" doc:"What to send as the bearer token. It is shown this once and kept nowhere."`
}

// TokenRevoked answers a revocation.
type TokenRevoked struct {
	TokenInfo
	Revoked int `json:"revoked_count" doc:"How many tokens ended: it and all that it made."`
}

// TokenSelf is what the caller may do.
type TokenSelf struct {
	Token     *string      `json:"token" doc:"Id of the caller's token; null on the Unix socket, and for one of the configuration."`
	Name      Text         `json:"name"`
	Verbs     List[string] `json:"verbs"`
	Until     *time.Time   `json:"until" doc:"When it ends; null for never."`
	Wallets   List[string] `json:"wallet_ids" doc:"Ids of the wallets that it is bound to; none for all."`
	MaxAmount *int64       `json:"max_amount" doc:"As of a token in the list; null for no limit of its own."`
	Spent     *int64       `json:"spent" doc:"How much of that counts now; null where nothing is counted."`
}

// TokenPath is the token in a path; exported because the router skips what is not.
type TokenPath struct {
	Token string `path:"token" maxLength:"64" doc:"Token id, or its name."`
}

type createTokenInput struct{ Body CreateToken }

// tokenDesk makes tokens, and ends them.
type tokenDesk struct {
	backend Backend
	book    *access.Book
	log     *slog.Logger
}

func (s tokenDesk) routes(h huma.API) {
	route(h, access.Token, made(post("create-token", "/v1/tokens", "Make a token, which is shown once")), s.create)
	route(h, access.Token, get("list-tokens", "/v1/tokens", "List tokens: all, or those that the caller's made"), func(ctx context.Context, in *PageQuery) (Page[TokenInfo], error) {
		if s.book == nil {
			return Page[TokenInfo]{}, noTokens()
		}
		var items []TokenInfo
		for _, i := range s.book.List(callerOf(ctx).Token) {
			items = append(items, tokenInfo(i))
		}
		return listed(*in, func(x TokenInfo) string { return x.Token }, items, nil)
	})
	route(h, access.Token, post("revoke-token", "/v1/tokens/{token}/revoke", "End a token and all that it made, at once"), func(ctx context.Context, in *TokenPath) (TokenRevoked, error) {
		if s.book == nil {
			return TokenRevoked{}, noTokens()
		}
		i, n, err := s.book.Revoke(ctx, callerOf(ctx).Token, in.Token)
		if err != nil {
			return TokenRevoked{}, tokenError(err, in.Token)
		}
		s.log.Info("token revoked", "token", i.ID, "name", i.Name, "by", callerOf(ctx).Token, "tokens", n)
		return TokenRevoked{tokenInfo(i), n}, nil
	})
	route(h, access.Any, get("show-own-token", "/v1/tokens/self", "Show what the caller may do"), func(ctx context.Context, _ *none) (TokenSelf, error) {
		c := callerOf(ctx)
		out := TokenSelf{Name: Text(c.Name), Until: Moment(c.Until)}
		if c.Token != "" {
			out.Token = &c.Token
			if i, ok := s.book.Show(c.Token); ok {
				of := tokenInfo(i)
				out.Wallets, out.MaxAmount, out.Spent = of.Wallets, of.MaxAmount, of.Spent
			}
		}
		for _, v := range c.Verbs {
			out.Verbs = append(out.Verbs, string(v))
		}
		return out, nil
	})
}

func noTokens() *Error {
	return Unreachable("no_tokens", "this node makes no tokens", "")
}

func tokenInfo(i access.Info) TokenInfo {
	out := TokenInfo{
		Token: i.ID, Name: i.Name, Wallets: i.Wallets, Until: Moment(i.Until), Created: Time(i.Created), Used: Moment(i.Used),
	}
	for _, v := range i.Verbs {
		out.Verbs = append(out.Verbs, string(v))
	}
	if i.MaxAmount > 0 {
		out.MaxAmount = &i.MaxAmount
	}
	if i.MaxAmount > 0 || i.Spent > 0 {
		out.Spent = &i.Spent
	}
	if i.By != "" {
		out.MadeBy = &i.By
	}
	return out
}

func (s tokenDesk) create(ctx context.Context, in *createTokenInput) (TokenMade, error) {
	r, c := in.Body, callerOf(ctx)
	if s.book == nil {
		return TokenMade{}, noTokens()
	}
	terms := access.Terms{Name: r.Name, MaxAmount: r.MaxAmount}
	if r.Until != nil {
		if terms.Until = *r.Until; terms.Until.Unix() <= 0 {
			return TokenMade{}, Misuse("bad_token", "its end is over already", "leave until out for a token that does not end")
		}
	}
	if r.Wallets != nil && len(r.Wallets) == 0 {
		return TokenMade{}, Misuse("bad_token", "it is to be bound to wallets, and none is named", "name some, or leave wallets out for all")
	}
	if r.Role != "" {
		verbs, err := access.RoleVerbs(r.Role)
		if err != nil {
			return TokenMade{}, Misuse("bad_token", err.Error(), "")
		}
		terms.Verbs = verbs
	}
	for _, name := range r.Verbs {
		v, err := access.ParseVerb(name)
		if err != nil {
			return TokenMade{}, Misuse("bad_token", err.Error(), "")
		}
		terms.Verbs = append(terms.Verbs, v)
	}
	for _, ref := range r.Wallets {
		w, err := s.backend.Wallet(ctx, ref)
		if err != nil {
			return TokenMade{}, err
		}
		terms.Wallets = append(terms.Wallets, w.Wallet)
	}
	id, secret, err := s.book.Create(ctx, c.Token, terms)
	if err != nil {
		return TokenMade{}, tokenError(err, r.Name)
	}
	i, ok := s.book.Show(id)
	if !ok {
		return TokenMade{}, tokenError(access.ErrUnknown, r.Name)
	}
	s.log.Info("token created", "token", id, "name", r.Name, "by", c.Token)
	return TokenMade{tokenInfo(i), secret}, nil
}

// tokenError says what is wrong with a token in the words of the API.
func tokenError(err error, name string) error {
	switch {
	case errors.Is(err, access.ErrTerms):
		return Misuse("bad_token", err.Error(), "")
	case errors.Is(err, access.ErrMore):
		return denied(err.Error(), "make it on the node's Unix socket, or with another token")
	case errors.Is(err, access.ErrTaken):
		return Refuse("name_taken", fmt.Sprintf("there is a token with the name %.64q", name), "choose another, or revoke that one")
	case errors.Is(err, access.ErrFull):
		return Refuse("too_many_tokens", err.Error(), "revoke some")
	case errors.Is(err, access.ErrUnknown):
		return Missing("unknown_token", fmt.Sprintf("there is no token %.64q", name), "`quorate token list` lists them")
	}
	return err
}

// CreateToken makes a token.
func (c *Client) CreateToken(ctx context.Context, r CreateToken) (TokenMade, error) {
	return send[TokenMade](ctx, c, path("tokens"), r)
}

// Tokens lists the tokens.
func (c *Client) Tokens(ctx context.Context) ([]TokenInfo, error) {
	return whole[TokenInfo](ctx, c, path("tokens"))
}

// RevokeToken ends a token, and all that it made.
func (c *Client) RevokeToken(ctx context.Context, ref string) (TokenRevoked, error) {
	if ref == "" || len(ref) > 64 || ref == "." || ref == ".." {
		return TokenRevoked{}, Misuse("bad_token", fmt.Sprintf("%.70q is no token", ref), "`quorate token list` lists them")
	}
	return send[TokenRevoked](ctx, c, path("tokens", ref, "revoke"), nil)
}
