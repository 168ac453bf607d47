package event

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Kind says what an event is. Numbers are never reused.
type Kind uint64

// Limits of an event. maxEventBytes is the largest bucket of an entry (256 KiB)
// less its length prefix.
const (
	maxEventBytes  = 256<<10 - 4
	maxEventItems  = 8192
	firstIgnorable = 128
	MaxTextBytes   = 1024
	MaxLabelBytes  = 256
	MaxNameBytes   = 64
	MaxTxInputs    = 1000
	maxTxOutputs   = 1000
	MaxReplaces    = 64
	maxProofLen    = 73
)

// Errors of event decoding. An event with either is inert: stored, passed on,
// and without effect.
var (
	// ErrEvent is returned for bytes that are no valid event.
	ErrEvent = errors.New("malformed event")
	// ErrNewer is returned for an event of a kind or with a field that this version does not know.
	ErrNewer = errors.New("event needs a newer version")
)

// Body is one kind of event.
type Body interface {
	// Kind says which.
	Kind() Kind
	// Check returns ErrEvent or ErrNewer where a field is out of bounds.
	Check() error
}

// maxUnixMillis is the year 10000: beyond it RFC 3339 has no form.
const maxUnixMillis = 253402300800000

func badEvent(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrEvent}, args...)...)
}

// The codec is RFC 8949 core deterministic encoding. Keys 0 and 1 of every
// event are its kind and its claimed time; a body's own fields start at 2.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return codec{}, fmt.Errorf("cbor encoder: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  8,
		MaxArrayElements: maxEventItems,
		MaxMapPairs:      maxEventItems,
		UTF8:             cbor.UTF8RejectInvalid,
		BignumTag:        cbor.BignumTagForbidden,
		IntDec:           cbor.IntDecConvertNone,
	}.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("cbor decoder: %w", err)
	}
	return codec{enc, dec}, nil
}

// theCodec is immutable: its options are constants, which a test builds anew.
var theCodec = func() codec {
	c, _ := newCodec()
	return c
}()
