// Package trace tells a collector of traces (OpenTelemetry) what becomes of proposals: when
// each was entered, signed, final, handed over, seen and mined. Whoever knows a proposal
// knows its trace, so that what all cosigners' nodes tell of it is one trace, and nothing
// of that is on the wire between them. No span holds an amount, an address, a name, a label
// or a key.
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/quorate/quorate/journal"
)

// ID is the trace of everything that concerns a proposal.
func ID(proposal journal.EntryID) trace.TraceID {
	h := journal.H("trace", proposal[:])
	return trace.TraceID(h[:16])
}

// spans makes spans of what happened, and hands them to a queue.
type spans struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// scope is who made a span.
const scope = "github.com/quorate/quorate/app/trace"

// newSpans returns what makes spans in the name of one run of a node, which has a random
// name: two nodes are told apart, and neither is known by it.
func newSpans(version string, to sdk.SpanProcessor) (*spans, error) {
	var run [8]byte
	if _, err := rand.Read(run[:]); err != nil {
		return nil, fmt.Errorf("read entropy: %w", err)
	}
	p := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), sdk.WithIDGenerator(ids{}), sdk.WithSpanProcessor(to),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "quorate"), attribute.String("service.version", version),
			attribute.String("service.instance.id", hex.EncodeToString(run[:])),
		)),
	)
	return &spans{p, p.Tracer(scope)}, nil
}

// add tells of something that concerns a proposal and took from one time to another.
func (s *spans) add(proposal journal.EntryID, name string, from, to time.Time, attrs ...attribute.KeyValue) {
	ctx := context.WithValue(context.Background(), idKey{}, ID(proposal))
	attrs = append(attrs, attribute.String("quorate.proposal", proposal.String()[:12]))
	_, span := s.tracer.Start(ctx, name, trace.WithTimestamp(from), trace.WithAttributes(attrs...))
	span.End(trace.WithTimestamp(to))
}

type idKey struct{}

// ids give a span the trace that is asked for, and an id of its own.
type ids struct{}

// NewIDs implements sdk.IDGenerator.
func (g ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, _ := ctx.Value(idKey{}).(trace.TraceID)
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements sdk.IDGenerator.
func (ids) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for !id.IsValid() {
		_, _ = rand.Read(id[:]) // it does not fail: the program would end
	}
	return id
}
