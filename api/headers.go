package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// What requests may say whatever they are about, and which may not.

// keyHeader has a client say that a request is the one that it sent before.
const keyHeader = "Idempotency-Key"

// replayedHeader says that an answer was given before.
const replayedHeader = "Idempotent-Replayed"

// keyless are the routes that change nothing: what they answer is not kept.
var keyless = []string{"POST /v1/backup", "POST /v1/wallets/{wallet}/log/export", "POST /v1/wallets/{wallet}/proposals/preview"}

// keyed says in the document how to have a request done once.
func keyed(op *huma.Operation) {
	longest := 128
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: keyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &longest},
		Description: "A random text of the client's: a request that is sent again with the same within 24 hours is done once and gets the same answer (" + replayedHeader + "), or in_progress. With another request it is refused (idempotency_mismatch). An answer with a secret is given once (already_done).",
	})
}

// maxWait is how long a request may wait for a resource to change.
const maxWait = 5 * time.Minute

// unversioned are the routes that stream, or wait in a way of their own.
var unversioned = []string{"GET /v1/events", "GET /v1/proposals/{proposal}/wait", "GET /openapi.json", "GET /reference", "/"}

// versioned says in the document how to ask for a version.
func versioned(op *huma.Operation) {
	for _, p := range []*huma.Param{
		{Name: "If-None-Match", In: "header", Description: "An ETag: 304 where the answer would be the same."},
		{Name: "wait", In: "query", Description: "With after: how long to wait for another version, as 30s; " + maxWait.String() + " at most. 304 where there was none."},
		{Name: "after", In: "query", Description: "With wait: the ETag of the version that is known."},
	} {
		p.Schema = &huma.Schema{Type: huma.TypeString}
		op.Parameters = append(op.Parameters, p)
	}
}
