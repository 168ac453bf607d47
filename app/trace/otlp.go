package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// What goes over the wire: OTLP/HTTP with JSON (opentelemetry-proto 1.x, "OTLP/HTTP", "JSON
// Protobuf encoding": ids in hex, 64-bit numbers as text, enums as numbers).
type (
	otlpRequest struct {
		ResourceSpans []otlpResource `json:"resourceSpans"`
	}
	otlpResource struct {
		Resource   otlpAttributes `json:"resource"`
		ScopeSpans []otlpScope    `json:"scopeSpans"`
	}
	otlpScope struct {
		Scope struct {
			Name string `json:"name"`
		} `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpSpan struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
		Flags   uint32 `json:"flags"`
		Name    string `json:"name"`
		Kind    int    `json:"kind"`
		Start   string `json:"startTimeUnixNano"`
		End     string `json:"endTimeUnixNano"`
		otlpAttributes
	}
	otlpAttributes struct {
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpAttribute struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
	otlpAnswer struct {
		PartialSuccess struct {
			RejectedSpans json.RawMessage `json:"rejectedSpans"`
		} `json:"partialSuccess"`
	}
)

const (
	kindInternal = 1
	// notRemote says that it is known whether a parent is elsewhere, and that it is not.
	notRemote = 0x100
	// maxAnswer is how much of an answer is read.
	maxAnswer = 64 << 10
)

func otlpAttributesOf(kvs []attribute.KeyValue) (out otlpAttributes) {
	for _, kv := range kvs {
		v := map[string]any{"stringValue": kv.Value.String()}
		switch kv.Value.Type() {
		case attribute.BOOL:
			v = map[string]any{"boolValue": kv.Value.AsBool()}
		case attribute.INT64:
			v = map[string]any{"intValue": strconv.FormatInt(kv.Value.AsInt64(), 10)}
		}
		out.Attributes = append(out.Attributes, otlpAttribute{string(kv.Key), v})
	}
	return out
}

// otlpOf is the body of a request with spans of one resource.
func otlpOf(batch []sdk.ReadOnlySpan) ([]byte, error) {
	of := otlpScope{}
	of.Scope.Name = scope
	nano := func(t time.Time) string { return strconv.FormatInt(max(t.UnixNano(), 0), 10) }
	for _, s := range batch {
		c := s.SpanContext()
		of.Spans = append(of.Spans, otlpSpan{
			TraceID: c.TraceID().String(), SpanID: c.SpanID().String(), Flags: notRemote | uint32(c.TraceFlags()), Name: s.Name(), Kind: kindInternal,
			Start: nano(s.StartTime()), End: nano(s.EndTime()), otlpAttributes: otlpAttributesOf(s.Attributes()),
		})
	}
	r := otlpResource{ScopeSpans: []otlpScope{of}}
	if len(batch) > 0 {
		r.Resource = otlpAttributesOf(batch[0].Resource().Attributes())
	}
	b, err := json.Marshal(otlpRequest{[]otlpResource{r}})
	if err != nil {
		return nil, fmt.Errorf("write spans: %w", err)
	}
	return b, nil
}

// errRefused is for spans that the collector will not take, however often they are sent.
var errRefused = errors.New("the collector refuses them")

// collector takes spans over HTTP.
type collector struct {
	url    string
	client *http.Client
}

// newCollector does not follow where an answer leads, and asks no proxy: what is told goes
// to the endpoint of the configuration or nowhere. An endpoint without a path gets the one
// that the protocol names.
func newCollector(endpoint string) *collector {
	if u, err := url.Parse(endpoint); err == nil && strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
		endpoint = u.String()
	}
	return &collector{endpoint, &http.Client{
		Transport:     &http.Transport{MaxIdleConns: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send hands spans over, and says how many of them were not taken.
func (c *collector) send(ctx context.Context, batch []sdk.ReadOnlySpan) (rejected int, err error) {
	body, err := otlpOf(batch)
	if err != nil {
		return 0, errors.Join(errRefused, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, errors.Join(errRefused, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "quorate")
	resp, err := c.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("send spans: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode/100 == 2:
	case slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, resp.StatusCode):
		return 0, fmt.Errorf("send spans: HTTP %d", resp.StatusCode)
	default:
		return 0, fmt.Errorf("%w: HTTP %d", errRefused, resp.StatusCode)
	}
	if err != nil {
		return 0, nil // it took them; what more it says is lost
	}
	var a otlpAnswer
	if json.Unmarshal(answer, &a) != nil {
		return 0, nil
	}
	// A number or, as protobuf has it, its text.
	n, err := strconv.Atoi(string(bytes.Trim(a.PartialSuccess.RejectedSpans, `"`)))
	if err != nil {
		return 0, nil
	}
	return min(max(n, 0), len(batch)), nil
}
