// Package access says who may ask a node for what: verbs, the tokens that carry them,
// and how much a token may spend. It knows nothing of HTTP, and nothing of a node.
package access

import (
	"fmt"
	"slices"
	"strings"
)

// Verb is one kind of thing that a caller may do.
type Verb string

// The verbs. None includes another.
const (
	// Read may look.
	Read Verb = "read"
	// Address may lease receiving addresses.
	Address Verb = "address"
	// Propose may make proposals that this node does not sign.
	Propose Verb = "propose"
	// Withdraw may take this node's own proposals back.
	Withdraw Verb = "withdraw"
	// Comment may say something about a proposal.
	Comment Verb = "comment"
	// Label may set labels.
	Label Verb = "label"
	// Freeze may freeze coins; to lift a freeze takes Sign besides. To freeze all spending takes Vote.
	Freeze Verb = "freeze"
	// Vote may reject proposals, and freeze all spending.
	Vote Verb = "vote"
	// Sign may have this node's key sign.
	Sign Verb = "sign"
	// Manage may found, join, ratify, archive and change wallets, and tell peers.
	Manage Verb = "manage"
	// Allow may override rules by name, in what it may do otherwise.
	Allow Verb = "allow"
	// Token may make and revoke tokens that may do less than it may.
	Token Verb = "token"
	// Any is what every token has.
	Any Verb = ""
	// Local is what no token has: that of who reaches the node's Unix socket.
	Local Verb = "local"
)

// verbs are those that a token may have, in the order in which they are shown.
var verbs = []Verb{Read, Address, Propose, Withdraw, Comment, Label, Freeze, Vote, Sign, Manage, Allow, Token}

// Roles are names of sets of verbs. Neither Allow nor Token is in any.
var roles = map[string][]Verb{
	"read":    {Read},
	"propose": {Read, Address, Propose, Withdraw, Comment, Label, Freeze},
	"sign":    {Read, Address, Propose, Withdraw, Comment, Label, Freeze, Vote, Sign, Manage},
}

// RoleVerbs returns the verbs of a role: read, propose or sign.
func RoleVerbs(role string) ([]Verb, error) {
	v, ok := roles[role]
	if !ok {
		return nil, fmt.Errorf("unknown role %.20q: it is read, propose or sign", role)
	}
	return slices.Clone(v), nil
}

// RoleWith is the least role that has a verb, "" where none has.
func RoleWith(v Verb) string {
	for _, role := range []string{"read", "propose", "sign"} {
		if slices.Contains(roles[role], v) {
			return role
		}
	}
	return ""
}

// ParseVerb reads the name of a verb.
func ParseVerb(s string) (Verb, error) {
	if v := Verb(s); slices.Contains(verbs, v) {
		return v, nil
	}
	return "", fmt.Errorf("unknown verb %.20q: it is %s", s, list(verbs))
}

func list(vs []Verb) string {
	var out []string
	for _, v := range vs {
		out = append(out, string(v))
	}
	return strings.Join(out, ", ")
}

// sorted returns verbs in their order, each once.
func sorted(of []Verb) []Verb {
	var out []Verb
	for _, v := range verbs {
		if slices.Contains(of, v) {
			out = append(out, v)
		}
	}
	return out
}

// lacking returns the first of verbs that is not in have, "" for none.
func lacking(have, want []Verb) Verb {
	for _, v := range want {
		if !slices.Contains(have, v) {
			return v
		}
	}
	return ""
}
