package api

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quorate/quorate/api/access"
)

// MinToken is the least length of a token of the configuration. Tokens are compared,
// not stretched: they must be random.
const MinToken = 32

// Token is a bearer token of the configuration. Only its digest is kept.
type Token struct {
	digest [32]byte
	role   string
	verbs  []access.Verb
}

// ParseToken reads "ROLE:SECRET".
func ParseToken(s string) (Token, error) {
	role, secret, ok := strings.Cut(s, ":")
	if !ok {
		return Token{}, fmt.Errorf("token is not ROLE:SECRET")
	}
	verbs, err := access.RoleVerbs(role)
	if err != nil {
		return Token{}, err
	}
	if len(secret) < MinToken {
		return Token{}, fmt.Errorf("secret of the %s token has fewer than %d characters", role, MinToken)
	}
	return Token{digest: access.Digest(secret), role: role, verbs: verbs}, nil
}

// String hides the token.
func (t Token) String() string { return t.role + " token" }

// gate finds out who asks, and what of.
type gate struct {
	backend interface {
		Wallets(context.Context) ([]WalletItem, error)
		Proposal(context.Context, string) (Proposal, error)
	}
	tokens []Token
	book   *access.Book
}

// who returns the caller that a token stands for. Those of the configuration are all
// compared, each in constant time.
func (s gate) who(secret string) (access.Caller, bool) {
	if s.book != nil {
		if c, ok := s.book.Find(secret); ok {
			return c, true
		}
	}
	var found Token
	digest := access.Digest(secret)
	for _, t := range s.tokens {
		if subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1 && len(t.verbs) > len(found.verbs) {
			found = t
		}
	}
	return access.Caller{Terms: access.Terms{Name: found.role, Verbs: found.verbs}}, len(found.verbs) > 0
}

// authenticate gives every request the right of its bearer token, and answers 401
// where there is none.
func (s gate) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		var c access.Caller
		if ok {
			c, ok = s.who(secret)
		}
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			// Nor does it keep its connection.
			w.Header().Set("Connection", "close")
			e := Refuse("unauthorized", "no valid bearer token was sent", "send one that `quorate token create` made in the Authorization header")
			if strings.HasPrefix(secret, "qrt_") {
				if err := access.CheckSecret(secret); err != nil {
					e.Message = "the bearer token is not whole: " + err.Error()
				} else {
					e.Message = "the bearer token was revoked, has ended, or is of another node"
				}
			}
			refuse(w, r, e.as(http.StatusUnauthorized))
			return
		}
		proven(r)
		next.ServeHTTP(w, withCaller(r, c))
	})
}

// stillGood asks once more whether a caller's token is good, when its body was read:
// that may take a while, and a token that was revoked does nothing more.
func stillGood(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if callerOf(r.Context()).Over(time.Now()) {
			refuse(w, r, Refuse("unauthorized", "the bearer token was revoked, or has ended", "").as(http.StatusUnauthorized))
			return
		}
		next.ServeHTTP(w, r)
	})
}

type callerKey struct{}

func withCaller(r *http.Request, c access.Caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
}

// callerOf is who asks. It may do nothing where nobody said who it is, so that a
// forgotten handler refuses.
func callerOf(ctx context.Context) access.Caller {
	c, _ := ctx.Value(callerKey{}).(access.Caller)
	return c
}

// called is how errors speak of a caller.
func called(c access.Caller) string {
	if c.Token == "" {
		return fmt.Sprintf("a %s token", c.Name)
	}
	return fmt.Sprintf("the token %q", c.Name)
}

// denied is the error for a caller who lacks a right.
func denied(message, hint string) *Error {
	return Refuse("role", message, hint).as(http.StatusForbidden)
}

// checkVerb refuses a caller without the verb that is needed.
func checkVerb(ctx context.Context, need access.Verb) *Error {
	c := callerOf(ctx)
	if c.May(need) {
		return nil
	}
	if need == access.Local {
		return denied(called(c)+" may not do this", "it is done on the machine of the node, through its Unix socket")
	}
	hint := fmt.Sprintf("use a token with the verb %s", need)
	if role := access.RoleWith(need); role != "" {
		hint += fmt.Sprintf(", which the role %s has", role)
	}
	return denied(called(c)+" may not do this", hint)
}

// bind has a caller who is bound to wallets reach those alone. What its path names is
// looked for among them, and is not there otherwise; and what names neither a wallet
// nor a proposal it may not ask, but for lists that leave out what it does not see.
func (s gate) bind(r *http.Request, pattern string) (*http.Request, *Error) {
	c := callerOf(r.Context())
	_, route, _ := strings.Cut(pattern, " ")
	if len(c.Wallets) == 0 || slices.Contains(leaveOut, pattern) {
		return r, nil
	}
	path := strings.Split(r.URL.EscapedPath(), "/") // as the router sees it
	for i, part := range strings.Split(route, "/") {
		if i >= len(path) || part != "{wallet}" && part != "{proposal}" {
			continue
		}
		find := s.itsWallet
		if part == "{proposal}" {
			find = s.itsProposal
		}
		ref, bad := url.PathUnescape(path[i])
		if bad != nil {
			break
		}
		id, err := find(r.Context(), c, ref)
		if err != nil {
			return nil, err
		}
		path[i] = id
		to, bad := r.URL.Parse(strings.Join(path, "/"))
		if bad != nil {
			break
		}
		to.RawQuery = r.URL.RawQuery
		out := *r
		out.URL = to
		return &out, nil
	}
	return nil, denied(called(c)+" is bound to wallets and may not do this", "use a token that is bound to none")
}

// leaveOut are the routes whose lists leave out what a caller does not see.
var leaveOut = []string{"GET /v1/wallets", "GET /v1/pending", "GET /v1/events", "GET /v1/tokens/self"}

// itsWallet returns the id of one of a caller's wallets, by that, a prefix or its name.
func (s gate) itsWallet(ctx context.Context, c access.Caller, ref string) (string, *Error) {
	all, err := s.backend.Wallets(ctx)
	if err != nil {
		return "", AsError(err)
	}
	found := ""
	for _, w := range all {
		switch {
		case !c.Sees(w.Wallet):
		case w.Wallet == ref || w.Name == ref:
			return w.Wallet, nil
		case len(ref) >= 6 && strings.HasPrefix(w.Wallet, ref):
			if found != "" {
				return "", Misuse("ambiguous_wallet", fmt.Sprintf("%.64q begins the ids of several wallets", ref), "give more of it")
			}
			found = w.Wallet
		}
	}
	if found == "" {
		return "", Missing("unknown_wallet", fmt.Sprintf("the token is bound to no wallet %.64q", ref), "GET /v1/tokens/self says to which it is bound")
	}
	return found, nil
}

func (s gate) itsProposal(ctx context.Context, c access.Caller, ref string) (string, *Error) {
	if err := CheckProposal(ref, false); err != nil {
		return "", AsError(err)
	}
	p, err := s.backend.Proposal(ctx, ref)
	if err == nil && c.Sees(p.Wallet) {
		return ref, nil
	}
	if err != nil && AsError(err).Kind != NotFound {
		return "", AsError(err)
	}
	return "", Missing("unknown_proposal", fmt.Sprintf("no wallet of this token has a proposal %.64q", ref), "")
}

// verbOfRoute is where an operation keeps the verb that it needs.
const verbOfRoute = "verb"

// verbsOf lists the verbs that the routes need, by their patterns.
func verbsOf(doc *huma.OpenAPI) map[string]access.Verb {
	verbs := map[string]access.Verb{}
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op == nil {
				continue
			}
			if v, ok := op.Metadata[verbOfRoute].(access.Verb); ok {
				verbs[op.Method+" "+path] = v
			}
		}
	}
	return verbs
}

// needVerb is checkVerb once more in front of a route, for whatever reaches it
// otherwise than through authorize.
func needVerb(need access.Verb) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if err := checkVerb(ctx.Context(), need); err != nil {
			ctx.SetHeader("Content-Type", "application/json")
			ctx.SetStatus(err.GetStatus())
			b, _ := err.MarshalJSON()
			_, _ = ctx.BodyWriter().Write(b)
			return
		}
		next(ctx)
	}
}

// allowOf returns how the input of an operation names rules to override; nil where it
// does not. It goes by the type, so that no operation is forgotten.
func allowOf[I any]() func(*I) []string {
	body, ok := reflect.TypeFor[I]().FieldByName("Body")
	if !ok || body.Type.Kind() != reflect.Struct {
		return nil
	}
	allow, ok := body.Type.FieldByName("Allow")
	if !ok || allow.Type != reflect.TypeFor[[]string]() {
		return nil
	}
	return func(in *I) []string {
		names, _ := reflect.ValueOf(in).Elem().FieldByIndex(body.Index).FieldByIndex(allow.Index).Interface().([]string)
		return names
	}
}

// checkAllow refuses a caller who overrides rules and may not.
func checkAllow(ctx context.Context, names []string) *Error {
	if len(names) == 0 {
		return nil
	}
	return checkVerb(ctx, access.Allow)
}
