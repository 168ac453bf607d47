package api

import (
	"context"
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

type none struct{}

// WalletPath is the wallet in a path; exported because the router skips what is not.
type WalletPath struct {
	Wallet string `path:"wallet" maxLength:"64" doc:"Wallet id, a unique prefix of it (6 characters at least), or its name on this node."`
}

// ProposalPath is the proposal in a path; exported because the router skips what is not.
type ProposalPath struct {
	Proposal string `path:"proposal" maxLength:"64" doc:"Proposal id or a unique prefix: 6 characters to look, 32 to act."`
}

// out wraps a body for the router.
type out[T any] struct {
	Body T
}

// route registers one operation: its verb is checked first, what it overrides next, and whatever error
// the handler returns is answered as an *Error.
func route[I, T any](h huma.API, verb access.Verb, op huma.Operation, handler func(context.Context, *I) (T, error)) {
	describe(h, verb, &op)
	op.Middlewares = append(op.Middlewares, plainStatus)
	if op.Method == http.MethodPost && !takesBody[I]() {
		op.Middlewares = append(op.Middlewares, noBody)
	}
	allow := allowOf[I]()
	huma.Register(h, op, func(ctx context.Context, in *I) (*out[T], error) {
		if allow != nil {
			if err := checkAllow(ctx, allow(in)); err != nil {
				return nil, spoken(ctx, err)
			}
		}
		v, err := handler(ctx, in)
		if err != nil {
			return nil, spoken(ctx, AsError(err))
		}
		unseen(callerOf(ctx), &v)
		return &out[T]{Body: v}, nil
	})
}

// unseen takes out of an answer which wallets are paid that the caller does not see.
func unseen(c access.Caller, answer any) {
	hide := func(outs List[TxOutput]) List[TxOutput] {
		outs = slices.Clone(outs)
		for i := range outs {
			if o := outs[i].OwnedBy; o != nil && !c.Sees(o.Wallet) {
				outs[i].OwnedBy = nil
			}
		}
		return outs
	}
	switch x := answer.(type) {
	case *Proposal:
		x.Outputs = hide(x.Outputs)
	case *Draft:
		x.Outputs = hide(x.Outputs)
	case *Page[Proposal]:
		x.Items = slices.Clone(x.Items)
		for i := range x.Items {
			x.Items[i].Outputs = hide(x.Items[i].Outputs)
		}
	}
}

// describe fills in what all operations share.
func describe(h huma.API, verb access.Verb, op *huma.Operation) {
	op.Metadata = map[string]any{verbOfRoute: verb}
	op.Tags = []string{tagOf(op.Path)}
	op.Middlewares = append(op.Middlewares, needVerb(verb))
	// guardBody has read the body; a deadline here would end the request's context.
	op.BodyReadTimeout = -1
	op.MaxBodyBytes = maxBody
	op.Description += "\n\n" + needs(verb)
	switch pattern := op.Method + " " + op.Path; {
	case op.Method == http.MethodGet && !slices.Contains(unversioned, pattern):
		versioned(op)
	case op.Method == http.MethodPost && !slices.Contains(keyless, pattern):
		keyed(op)
	}
	schema := h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ErrorBody](), true, "")
	content := map[string]*huma.MediaType{"application/json": {Schema: schema}}
	op.Responses = map[string]*huma.Response{}
	for status, text := range map[string]string{
		"400":     "The request is wrong.",
		"401":     "No valid token was sent; over TCP only.",
		"403":     "The token may not do this.",
		"404":     "There is no such thing.",
		"409":     "Refused by a rule; the code names it.",
		"412":     "It is not as it was looked at (If-Match).",
		"413":     "The body is too large.",
		"415":     "The body is no JSON (Content-Type).",
		"428":     "A token has to say which version it looked at (If-Match).",
		"429":     "Too much at once.",
		"503":     "The node cannot answer now.",
		"504":     "It did not come in time.",
		"default": "Failed.",
	} {
		op.Responses[status] = &huma.Response{Description: text, Content: content}
	}
}

// needs says what an operation needs.
func needs(verb access.Verb) string {
	if verb == access.Local {
		return "Only on the Unix socket of the node."
	}
	if verb == access.Any {
		return "Needs any token."
	}
	out := "Needs the verb " + string(verb)
	if role := access.RoleWith(verb); role != "" {
		return out + ", which the role " + role + " has."
	}
	return out + ", which no role has."
}

func get(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary}
}

func post(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary}
}

// listed answers with a page of a whole list.
func listed[T any](q PageQuery, name func(T) string, items []T, err error) (Page[T], error) {
	if err != nil {
		return Page[T]{}, err
	}
	return cut(items, q, name)
}
