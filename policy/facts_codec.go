package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// What Facts may have at most. With its verdict they fit an entry of 4 KiB.
const (
	MaxFacts  = 3400 // bytes of the canonical form
	MaxPays   = 64   // of different recipients
	MaxCodes  = 8    // refused and hindered, each
	MaxCode   = 32   // bytes of one
	MaxZones  = 6
	MaxUses   = 128
	mostTo    = 512 // recipients named by all pays together
	maxZoneIn = 48  // bytes of a zone's name
	mostTime  = 253402300800
	mostCount = 1 << 32
)

// ErrFacts is returned for bytes that are no facts in canonical form.
var ErrFacts = errors.New("malformed facts")

type factsCodec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

// newFactsCodec is RFC 8949's deterministic encoding, and takes no field that it does not know.
func newFactsCodec() (factsCodec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return factsCodec{}, fmt.Errorf("cbor encoder: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		MaxNestedLevels:   8,
		MaxArrayElements:  4096,
		MaxMapPairs:       4096,
		UTF8:              cbor.UTF8RejectInvalid,
		BignumTag:         cbor.BignumTagForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	if err != nil {
		return factsCodec{}, fmt.Errorf("cbor decoder: %w", err)
	}
	return factsCodec{enc, dec}, nil
}

// theFacts is immutable: its options are constants, which a test builds anew.
var theFacts = func() factsCodec {
	c, _ := newFactsCodec()
	return c
}()

// EncodeFacts returns the canonical form, or ErrFacts where something is out of bounds or
// there is more than MaxFacts of it.
func EncodeFacts(f *Facts) ([]byte, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	b, err := theFacts.enc.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	if len(b) > MaxFacts {
		return nil, badFacts("%d bytes, at most %d", len(b), MaxFacts)
	}
	return b, nil
}

// DecodeFacts reads the canonical form, and nothing else.
func DecodeFacts(b []byte) (*Facts, error) {
	if len(b) > MaxFacts {
		return nil, badFacts("%d bytes, at most %d", len(b), MaxFacts)
	}
	f := &Facts{}
	if err := theFacts.dec.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFacts, err)
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	again, err := theFacts.enc.Marshal(f)
	if err != nil || !bytes.Equal(again, b) {
		return nil, badFacts("not the canonical encoding")
	}
	return f, nil
}

func badFacts(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrFacts}, args...)...)
}

// Check refuses what cannot be said of any transaction, with ErrFacts.
func (f *Facts) Check() error {
	for _, x := range []struct {
		what      string
		n         int64
		from, max int64
	}{
		{"robot", int64(f.Robot), 0, MaxKeys - 1},
		{"kind", int64(f.Kind), int64(Payment), int64(Sweep)},
		{"claim", int64(f.Claim), 0, int64(Sweep)},
		{"initiator", int64(f.Initiator), 0, MaxKeys - 1},
		{"level", asInt(f.Level), 0, 255},
		{"inputs", asInt(f.Inputs), 1, mostCount},
		{"outputs", asInt(f.Outputs), 1, mostCount},
		{"in", f.In, 0, MaxAmount},
		{"own", f.Own, 0, MaxAmount},
		{"fee", f.Fee, 0, MaxAmount},
		{"vsize", f.VSize, 1, mostCount},
		{"confirmations", f.Confirmations, 0, mostCount},
		{"age", f.Age, 0, mostTime},
		{"now", f.Now, 0, mostTime},
		{"height", f.Height, 0, mostCount},
		{"fulfilled", f.Fulfilled, 0, mostTime},
		{"step", asInt(f.Step), 0, MaxSteps + 1},
		{"asked", f.Asked, 0, mostTime},
		{"heard", asInt(f.Heard), 0, MaxKeys},
		{"locktime", asInt(f.LockTime), 0, math.MaxUint32},
	} {
		if x.n < x.from || x.n > x.max {
			return badFacts("%s is %d", x.what, x.n)
		}
	}
	if !isCode(f.Script) || f.Unready != "" && !isCode(f.Unready) {
		return badFacts("the kind of script, or why it is not ready, is no code")
	}
	if !rising(f.Labelled, cmp.Compare[uint64]) || len(f.Labelled) > 0 && f.Labelled[len(f.Labelled)-1] >= MaxRules {
		return badFacts("rules for labels are out of order, or too many")
	}
	for _, codes := range [][]string{f.Refused, f.Hindered} {
		if len(codes) > MaxCodes || slices.ContainsFunc(codes, func(s string) bool { return !isCode(s) }) {
			return badFacts("%d codes, or one is none", len(codes))
		}
	}
	return errors.Join(f.checkPays(), f.checkZones(), f.checkUses())
}

func (f *Facts) checkPays() error {
	if len(f.Pays) > MaxPays || !rising(f.Pays, func(a, b Pay) int { return slices.Compare(a.To, b.To) }) {
		return badFacts("%d pays, or they are out of order", len(f.Pays))
	}
	to := 0
	var outputs uint64
	var sum int64
	for _, x := range f.Pays {
		if !isMoney(x.Amount) || x.Outputs < 1 || x.Outputs > f.Outputs-outputs {
			return badFacts("a pay is out of range")
		}
		if to += len(x.To); !rising(x.To, cmp.Compare[uint64]) || len(x.To) > 0 && x.To[len(x.To)-1] >= MaxRecipients {
			return badFacts("recipients of a pay are out of order, or out of range")
		}
		outputs += x.Outputs
		sum += x.Amount // 64 of 2.1e15 at most: no overflow
	}
	if to > mostTo || !isMoney(sum) {
		return badFacts("pays are out of range")
	}
	return nil
}

func (f *Facts) checkZones() error {
	if len(f.Zones) > MaxZones || !rising(f.Zones, func(a, b Zone) int { return strings.Compare(a.Name, b.Name) }) {
		return badFacts("%d zones, or they are out of order", len(f.Zones))
	}
	for _, z := range f.Zones {
		if z.Name == "" || len(z.Name) > maxZoneIn || z.Offset < -day || z.Offset > day {
			return badFacts("a zone is out of range")
		}
	}
	return nil
}

func (f *Facts) checkUses() error {
	if len(f.Uses) > MaxUses || !slices.IsSortedFunc(f.Uses, func(a, b Use) int { return cmp.Compare(a.Meter, b.Meter) }) {
		return badFacts("%d uses of meters, or they are out of order", len(f.Uses))
	}
	for _, u := range f.Uses {
		if u.Meter >= MaxMeters || !isMoney(u.Charge) || !isMoney(u.Used) || !isMoney(u.Share) || !isMoney(u.Pool) || !isMoney(u.Takes) || u.Lapsing < 0 || u.Lapsing > mostTime {
			return badFacts("the use of a meter is out of range")
		}
	}
	return nil
}

func isMoney(a int64) bool { return a >= 0 && a <= MaxAmount }

// asInt is a count as a number that is compared; beyond all bounds where it has no such form.
func asInt(n uint64) int64 {
	if n > 1<<62 {
		return 1 << 62
	}
	return int64(n)
}

// isCode says whether a text is a code: of small letters, digits, _ and -.
func isCode(s string) bool {
	return s != "" && len(s) <= MaxCode && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// rising says whether each of a list is above the one before.
func rising[T any](list []T, compare func(a, b T) int) bool {
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) >= 0 {
			return false
		}
	}
	return true
}
