package policy

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/journal"
)

// Errors of Decode. A robot that cannot read the policy in force denies.
var (
	// ErrMalformed is returned for bytes that are no valid policy in canonical form.
	ErrMalformed = errors.New("malformed policy")
	// ErrNewer is returned for a policy in a later version of the language.
	ErrNewer = errors.New("policy needs a newer version")
)

type codec struct {
	enc cbor.EncMode
	// dec takes no field that it does not know; head takes any, for the version.
	dec, head cbor.DecMode
}

func newCodec() (codec, error) {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty
	enc, err := options.EncMode()
	if err != nil {
		return codec{}, fmt.Errorf("cbor encoder: %w", err)
	}
	bounds := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  12,
		MaxArrayElements: 4096,
		MaxMapPairs:      4096,
		UTF8:             cbor.UTF8RejectInvalid,
		BignumTag:        cbor.BignumTagForbidden,
	}
	head, err := bounds.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("cbor decoder: %w", err)
	}
	bounds.ExtraReturnErrors = cbor.ExtraDecErrorUnknownField
	dec, err := bounds.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("cbor decoder: %w", err)
	}
	return codec{enc, dec, head}, nil
}

// theCodec is immutable: its options are constants, which a test builds anew.
var theCodec = func() codec {
	c, _ := newCodec()
	return c
}()

// Encode returns the canonical form of a policy.
func Encode(p *Policy) []byte {
	b, err := theCodec.enc.Marshal(p)
	if err != nil {
		return nil // there is no value of the type that has no form
	}
	return b
}

// Decode reads the canonical form, and nothing else: one policy has one form. What it
// returns passes Validate; whether it fits a wallet says Fits.
func Decode(b []byte) (*Policy, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrMalformed, len(b), MaxBytes)
	}
	var head struct {
		Version uint64 `cbor:"1,keyasint"`
	}
	if err := theCodec.head.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if head.Version > Language {
		return nil, fmt.Errorf("%w: it is in version %d of the language, this program reads %d", ErrNewer, head.Version, Language)
	}
	p := &Policy{}
	if err := theCodec.dec.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(Encode(p), b) {
		return nil, fmt.Errorf("%w: not the canonical encoding", ErrMalformed)
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return p, nil
}

// Hash is that of a policy's canonical form, in one group. What a group votes on is a version,
// which also names what it takes the place of: the first one's is this.
func Hash(group [32]byte, canonical []byte) [32]byte {
	return journal.H("policy", group[:], canonical)
}
