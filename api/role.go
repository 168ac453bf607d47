package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Role is what a caller may do. Each includes the ones before it.
type Role uint8

// The roles.
const (
	RoleNone Role = iota
	// RoleRead may look.
	RoleRead
	// RolePropose may also lease addresses, make unsigned proposals and withdraw them.
	RolePropose
	// RoleSign may do everything but read the store's content.
	RoleSign
	// RoleLocal may do everything. It is that of the Unix socket, and of no token.
	RoleLocal
)

// ParseRole reads the name of a role.
func ParseRole(s string) (Role, error) {
	switch s {
	case "read":
		return RoleRead, nil
	case "propose":
		return RolePropose, nil
	case "sign":
		return RoleSign, nil
	}
	return RoleNone, fmt.Errorf("unknown role %.20q: it is read, propose or sign", s)
}

// String is the name of the role.
func (r Role) String() string {
	switch r {
	case RoleRead:
		return "read"
	case RolePropose:
		return "propose"
	case RoleSign:
		return "sign"
	case RoleLocal:
		return "local"
	}
	return "none"
}

// MinToken is the least length of a token. Tokens are compared, not stretched:
// they must be random.
const MinToken = 32

// Token is a bearer token for the TCP listener. Only its digest is kept.
type Token struct {
	digest [32]byte
	role   Role
}

// ParseToken reads "ROLE:SECRET".
func ParseToken(s string) (Token, error) {
	name, secret, ok := strings.Cut(s, ":")
	if !ok {
		return Token{}, fmt.Errorf("token is not ROLE:SECRET")
	}
	role, err := ParseRole(name)
	if err != nil {
		return Token{}, err
	}
	if len(secret) < MinToken {
		return Token{}, fmt.Errorf("secret of the %s token has fewer than %d characters", role, MinToken)
	}
	return Token{digest: sha256.Sum256([]byte(secret)), role: role}, nil
}

// String hides the token.
func (t Token) String() string { return t.role.String() + " token" }

// authenticate gives every request the role of its bearer token, and answers
// 401 where there is none. Every token is compared, each in constant time.
func authenticate(tokens []Token, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role := RoleNone
		if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			digest := sha256.Sum256([]byte(secret))
			for _, t := range tokens {
				if subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1 {
					role = max(role, t.role)
				}
			}
		}
		if role == RoleNone {
			w.Header().Set("WWW-Authenticate", "Bearer")
			// Nor does it keep its connection.
			w.Header().Set("Connection", "close")
			e := Refuse("unauthorized", "no valid bearer token was sent", "send one of api.tokens in the Authorization header")
			refuse(w, r, e.as(http.StatusUnauthorized))
			return
		}
		proven(r)
		next.ServeHTTP(w, withRole(r, role))
	})
}

type roleKey struct{}

func withRole(r *http.Request, role Role) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), roleKey{}, role))
}

// roleOf is the role of the caller; RoleNone where nobody set one, so that a
// forgotten handler refuses.
func roleOf(ctx context.Context) Role {
	role, _ := ctx.Value(roleKey{}).(Role)
	return role
}

// checkRole refuses a caller whose role is below the one needed.
func checkRole(ctx context.Context, need Role) *Error {
	if have := roleOf(ctx); have < need {
		hint := fmt.Sprintf("use a token with the role %s", need)
		if need == RoleLocal {
			hint = "it is done on the machine of the node, through its Unix socket"
		}
		return Refuse("role", fmt.Sprintf("a %s token may not do this", have), hint).as(http.StatusForbidden)
	}
	return nil
}

// roleOfRoute is where an operation keeps the role that it needs.
const roleOfRoute = "role"

// rolesOf lists the roles that the routes need, by their patterns.
func rolesOf(doc *huma.OpenAPI) map[string]Role {
	roles := map[string]Role{}
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post} {
			if op == nil {
				continue
			}
			if role, ok := op.Metadata[roleOfRoute].(Role); ok {
				roles[op.Method+" "+path] = role
			}
		}
	}
	return roles
}

// needRole is checkRole once more in front of a route, for whatever reaches it
// otherwise than through authorize.
func needRole(need Role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if err := checkRole(ctx.Context(), need); err != nil {
			ctx.SetHeader("Content-Type", "application/json")
			ctx.SetStatus(err.GetStatus())
			b, _ := err.MarshalJSON()
			_, _ = ctx.BodyWriter().Write(b)
			return
		}
		next(ctx)
	}
}
