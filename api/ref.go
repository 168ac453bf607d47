package api

import (
	"fmt"
	"strings"
)

// How short an id may be cut.
const (
	// MinRead is enough to look at something.
	MinRead = 6
	// MinAct is needed to act on something: who wants a proposal mistaken for
	// another grinds a short prefix in seconds, 128 bits never.
	MinAct = 32
	// idLength is a whole id: 32 bytes in hex.
	idLength = 64
)

// CheckProposal says whether a string can name a proposal: 6 to 64 lower case
// hex characters, at least 32 where it is acted upon.
func CheckProposal(id string, acts bool) *Error {
	if len(id) > idLength || strings.Trim(id, "0123456789abcdef") != "" {
		return Misuse("bad_id", fmt.Sprintf("%.70q is not a proposal id", id), "`quorate proposals WALLET` lists them")
	}
	if acts && len(id) < MinAct {
		return Misuse("short_id", fmt.Sprintf("proposal id %s is too short to act on", id), fmt.Sprintf("give at least %d of its characters", MinAct))
	}
	if len(id) < MinRead {
		return Misuse("short_id", fmt.Sprintf("proposal id %q is too short", id), fmt.Sprintf("give at least %d of its characters", MinRead))
	}
	return nil
}

// CheckWallet says whether a string can name a wallet.
func CheckWallet(ref string) *Error {
	if ref == "" || len(ref) > 64 || ref == "." || ref == ".." {
		return Misuse("bad_wallet", fmt.Sprintf("%.70q is not a wallet", ref), "`quorate wallet list` lists them")
	}
	return nil
}

// Resolve finds the one id that starts with prefix. It returns a NotFound
// error when there is none, and Usage when there are several; what names the
// things looked for, as "proposal".
func Resolve(what, prefix string, ids []string) (string, error) {
	found := ""
	for _, id := range ids {
		if !strings.HasPrefix(id, prefix) {
			continue
		}
		if found != "" && found != id {
			return "", Misuse("ambiguous_id", fmt.Sprintf("%s id %s is not unique", what, prefix), "give more of its characters")
		}
		found = id
	}
	if found == "" || prefix == "" {
		return "", Missing("unknown_"+what, fmt.Sprintf("%s %s is not known to this node", what, prefix), "")
	}
	return found, nil
}
