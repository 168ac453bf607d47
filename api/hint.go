package api

import (
	"context"
	"net/http"
	"regexp"
	"strings"
)

// Hints are written in the words of the command line, which most people use. Who
// speaks HTTP gets the request that does the same.

// requests are what the commands that hints name do over HTTP. What is not here is
// done at the machine of the node, and stays as it is.
var requests = map[string]string{
	"wallet list":    "GET /v1/wallets",
	"wallet show":    "GET /v1/wallets/{wallet}",
	"wallet invite":  "POST /v1/wallets/{wallet}/invites",
	"wallet archive": "POST /v1/wallets/{wallet}/archive",
	"wallet rename":  "POST /v1/wallets/{wallet}/rename",
	"wallet prove":   "POST /v1/wallets/{wallet}/proof",
	"policy list":    "GET /v1/wallets/{wallet}/policies",
	"policy propose": "POST /v1/wallets/{wallet}/policies",
	"pending":        "GET /v1/pending",
	"ping":           "POST /v1/wallets/{wallet}/ping",
	"policy replay":  "GET /v1/wallets/{wallet}/policy/replay",
	"policy explain": "GET /v1/proposals/{proposal}/verdicts",
	"robot status":   "GET /v1/wallets/{wallet}/robot",
	"robot resume":   "POST /v1/wallets/{wallet}/robot/resume",
	"addresses":      "GET /v1/wallets/{wallet}/addresses",
	"proposals":      "GET /v1/wallets/{wallet}/proposals",
	"bump":           `POST /v1/wallets/{wallet}/proposals with "bumps"`,
	"cancel":         `POST /v1/wallets/{wallet}/proposals with "cancels"`,
	"coins":          "GET /v1/wallets/{wallet}/coins",
	"freeze":         "POST /v1/wallets/{wallet}/freeze",
	"unfreeze":       "POST /v1/wallets/{wallet}/unfreeze",
	"coin freeze":    "POST /v1/wallets/{wallet}/coins/{outpoint}/freeze",
	"recurring list": "GET /v1/wallets/{wallet}/schedules",
	"history":        "GET /v1/wallets/{wallet}/history",
	"psbt export":    "POST /v1/proposals/{proposal}/psbt",
	"status":         "GET /v1/status",
	"token create":   "POST /v1/tokens",
	"token list":     "GET /v1/tokens",
}

var (
	command = regexp.MustCompile("`quorate ([a-z]+(?: [a-z]+)?)([^`]*)`")
	allowed = regexp.MustCompile(`--allow ([a-z_]+)`)
	flag    = regexp.MustCompile(`--([a-z]+(?:-[a-z]+)*)`)
)

// inRequests says a hint in the words of HTTP.
func inRequests(hint string) string {
	hint = command.ReplaceAllStringFunc(hint, func(text string) string {
		of := command.FindStringSubmatch(text)
		name, rest := of[1], of[2]
		if first, second, two := strings.Cut(name, " "); two && requests[name] == "" {
			name, rest = first, " "+second+rest
		}
		do, ok := requests[name]
		if !ok {
			return text
		}
		if flags := flag.FindAllString(rest, -1); len(flags) > 0 {
			do += " with " + strings.Join(flags, ", ")
		}
		return "`" + do + "`"
	})
	hint = allowed.ReplaceAllString(hint, `"allow": ["$1"]`)
	// What is left in backticks and was no request is a command, with its own flags.
	parts := strings.Split(hint, "`")
	for i := range parts {
		if strings.HasPrefix(parts[i], "quorate ") {
			continue
		}
		parts[i] = flag.ReplaceAllStringFunc(parts[i], func(f string) string { return strings.ReplaceAll(f[2:], "-", "_") })
	}
	return strings.Join(parts, "`")
}

// wordsHeader says that the answer is for a person at the command line.
const wordsHeader = "Quorate-Words"

type wordsKey struct{}

// withWords keeps in which words a request's answer is.
func withWords(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(wordsHeader) == "command" {
			r = r.WithContext(context.WithValue(r.Context(), wordsKey{}, true))
		}
		next.ServeHTTP(w, r)
	})
}

// spoken is an error with its hint in the words of who asked.
func spoken(ctx context.Context, e *Error) *Error {
	if e == nil || ctx.Value(wordsKey{}) != nil {
		return e
	}
	said := *e
	said.Hint = inRequests(e.Hint)
	return &said
}
