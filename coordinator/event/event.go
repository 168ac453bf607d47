package event

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// Event is the plaintext of an entry.
type Event struct {
	// Time is what the author claims, in Unix milliseconds.
	Time int64
	Body Body
}

// Encode returns the bytes of an event, or ErrEvent when a field is out of bounds.
func Encode(e Event) ([]byte, error) {
	if err := e.Body.Check(); err != nil {
		return nil, err
	}
	body, err := theCodec.enc.Marshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	var fields map[uint64]cbor.RawMessage
	if err := theCodec.dec.Unmarshal(body, &fields); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	if fields[0], err = theCodec.enc.Marshal(uint64(e.Body.Kind())); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	if fields[1], err = theCodec.enc.Marshal(e.Time); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	out, err := theCodec.enc.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	if len(out) > maxEventBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrEvent, len(out), maxEventBytes)
	}
	return out, nil
}

// Decode reads an event. Unknown keys from 128 up are ignored; an unknown
// lower key or kind is ErrNewer; anything else that is not the canonical
// encoding of a valid event is ErrEvent.
func Decode(b []byte) (Event, error) {
	var fields map[uint64]cbor.RawMessage
	if len(b) > maxEventBytes {
		return Event{}, fmt.Errorf("%w: too large", ErrEvent)
	}
	if err := theCodec.dec.Unmarshal(b, &fields); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if err := canonical(b); err != nil {
		return Event{}, err
	}
	var kind uint64
	var ev Event
	if err := theCodec.dec.Unmarshal(fields[0], &kind); err != nil {
		return Event{}, fmt.Errorf("%w: no kind", ErrEvent)
	}
	if err := theCodec.dec.Unmarshal(fields[1], &ev.Time); err != nil || ev.Time < 0 || ev.Time > maxUnixMillis {
		return Event{}, fmt.Errorf("%w: no valid time", ErrEvent)
	}
	ev.Body = NewBody(Kind(kind))
	if ev.Body == nil {
		return Event{}, fmt.Errorf("%w: kind %d", ErrNewer, kind)
	}
	known := bodyKeys(ev.Body)
	own := map[uint64]cbor.RawMessage{}
	for k, v := range fields {
		switch {
		case k < 2:
		case known[k]:
			own[k] = v
		case k < firstIgnorable:
			return Event{}, fmt.Errorf("%w: kind %d with key %d", ErrNewer, kind, k)
		}
	}
	raw, err := theCodec.enc.Marshal(own)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if err := theCodec.dec.Unmarshal(raw, ev.Body); err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if err := ev.Body.Check(); err != nil {
		return Event{}, err
	}
	return ev, nil
}

// canonical compares with a re-encoding: the decoder by itself accepts
// non-minimal integers and unsorted keys.
func canonical(b []byte) error {
	var v any
	if err := theCodec.dec.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("%w: %w", ErrEvent, err)
	}
	again, err := theCodec.enc.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		return fmt.Errorf("%w: not the canonical encoding", ErrEvent)
	}
	return nil
}

func bodyKeys(b Body) map[uint64]bool {
	keys := map[uint64]bool{}
	t := reflect.TypeOf(b).Elem()
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("cbor"), ",")
		if n, err := strconv.ParseUint(tag, 10, 64); err == nil {
			keys[n] = true
		}
	}
	return keys
}

// NewBody returns an empty body of a kind, or nil for one that this version does
// not know. Each file has its kinds, and the bodies of them.
func NewBody(k Kind) Body {
	for _, of := range []func(Kind) Body{groupBody, proposalBody, replaceBody, labelBody, remarkBody, pingBody, policyBody, robotBody, stopBody} {
		if b := of(k); b != nil {
			return b
		}
	}
	return nil
}
