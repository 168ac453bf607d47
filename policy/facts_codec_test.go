package policy

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawFacts draws facts that are in bounds, the largest among them.
func drawFacts(t *rapid.T) *Facts {
	amount := rapid.OneOf(rapid.Int64Range(0, MaxAmount), rapid.Just(int64(MaxAmount)))
	when := rapid.OneOf(rapid.Int64Range(0, mostTime), rapid.Just(int64(mostTime)))
	code := rapid.StringMatching(`[a-z0-9_-]{1,32}`)
	codes := rapid.SliceOfN(code, 0, MaxCodes)
	indexes := func(most, below int) *rapid.Generator[[]uint64] {
		return rapid.Custom(func(t *rapid.T) []uint64 {
			out := rapid.SliceOfNDistinct(rapid.Uint64Range(0, uint64(below-1)), 0, most, rapid.ID).Draw(t, "indexes")
			slices.Sort(out)
			return out
		})
	}
	f := &Facts{
		Robot: Key(rapid.IntRange(0, MaxKeys-1).Draw(t, "robot")), Kind: Kind(rapid.IntRange(1, 9).Draw(t, "kind")),
		Claim: Kind(rapid.IntRange(0, 9).Draw(t, "claim")), Initiator: Key(rapid.IntRange(0, MaxKeys-1).Draw(t, "initiator")),
		Tainted: rapid.Bool().Draw(t, "tainted"), Level: rapid.Uint64Range(0, 255).Draw(t, "level"), Script: code.Draw(t, "script"),
		Inputs: rapid.Uint64Range(1, 1000).Draw(t, "inputs"), Outputs: 1000,
		In: amount.Draw(t, "in"), Own: amount.Draw(t, "own"), Fee: amount.Draw(t, "fee"), VSize: rapid.Int64Range(1, 100_000).Draw(t, "vsize"),
		Confirmations: rapid.Int64Range(0, 1<<31).Draw(t, "confirmations"), Age: when.Draw(t, "age"), Labelled: indexes(MaxRules, MaxRules).Draw(t, "labelled"),
		Approved: Keys(rapid.Uint64().Draw(t, "approved")), Rejected: Keys(rapid.Uint64().Draw(t, "rejected")),
		Refused: codes.Draw(t, "refused"), Hindered: codes.Draw(t, "hindered"), Frozen: rapid.Bool().Draw(t, "frozen"),
		Now: when.Draw(t, "now"), Doubt: rapid.Bool().Draw(t, "doubt"), Height: rapid.Int64Range(0, 1<<31).Draw(t, "height"),
		Fulfilled: when.Draw(t, "fulfilled"), Step: rapid.Uint64Range(0, MaxSteps).Draw(t, "step"), Asked: when.Draw(t, "asked"),
		Heard: rapid.Uint64Range(0, MaxKeys).Draw(t, "heard"), Unready: rapid.StringMatching(`[a-z_]{0,32}`).Draw(t, "unready"),
		LockTime: uint64(rapid.Uint32().Draw(t, "locktime")),
	}
	for i := range rapid.IntRange(0, MaxZones).Draw(t, "zones") {
		f.Zones = append(f.Zones, Zone{fmt.Sprintf("%d%s", i, strings.Repeat("x", maxZoneIn-1)), rapid.Int64Range(-day, day).Draw(t, "offset")})
	}
	seen := map[string]bool{}
	left := int64(MaxAmount)
	for range rapid.IntRange(0, MaxPays).Draw(t, "pays") {
		p := Pay{To: indexes(4, MaxRecipients).Draw(t, "to"), Amount: rapid.Int64Range(0, left).Draw(t, "amount"), Outputs: rapid.Uint64Range(1, 15).Draw(t, "outputs")}
		if s := fmt.Sprint(p.To); !seen[s] {
			seen[s] = true
			left -= p.Amount
			f.Pays = append(f.Pays, p)
		}
	}
	slices.SortFunc(f.Pays, func(a, b Pay) int { return slices.Compare(a.To, b.To) })
	for i := range rapid.IntRange(0, MaxMeters).Draw(t, "meters") {
		f.Uses = append(f.Uses, Use{
			Meter: uint64(i), Charge: amount.Draw(t, "charge"), Used: amount.Draw(t, "used"), Share: amount.Draw(t, "share"), Pool: amount.Draw(t, "pool"),
			Takes: amount.Draw(t, "takes"), Reserved: rapid.Bool().Draw(t, "reserved"), Granted: rapid.Bool().Draw(t, "granted"), Lapsing: when.Draw(t, "lapsing"),
			Later: rapid.Bool().Draw(t, "later"),
		})
	}
	return f
}

// What is written is read again, as it was; what does not fit is refused, and without whom it
// pays and what it charges it always fits.
func TestFactsAreReadAsTheyWereWritten(t *testing.T) {
	var largest int
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		b, err := EncodeFacts(f)
		if err != nil {
			f.Uses, f.Pays = nil, []Pay{{Amount: MaxAmount, Outputs: 1000}}
			if b, err = EncodeFacts(f); err != nil {
				t.Fatalf("it does not fit: %v", err)
			}
		}
		largest = max(largest, len(b))
		g, err := DecodeFacts(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := EncodeFacts(g)
		if err != nil || !slices.Equal(again, b) {
			t.Fatalf("%+v is read as %+v: %v", f, g, err)
		}
	})
	t.Logf("%d bytes at most", largest)
}

// A policy with all meters and facts of every other sort fit, whatever the amounts.
func TestTheLargestFactsFit(t *testing.T) {
	var codes []string
	for i := range MaxCodes {
		codes = append(codes, fmt.Sprintf("%d%s", i, strings.Repeat("x", MaxCode-1)))
	}
	f := Facts{
		Robot: 63, Kind: 9, Claim: 9, Initiator: 63, Tainted: true, Level: 255, Script: codes[0], Inputs: 1000, Outputs: 1000,
		In: MaxAmount, Own: MaxAmount, Fee: MaxAmount, VSize: 100_000, Confirmations: mostCount, Age: mostTime,
		Approved: 1<<64 - 1, Rejected: 1<<64 - 1, Refused: codes, Frozen: true, Now: mostTime, Doubt: true, Height: mostCount,
		Fulfilled: mostTime, Step: MaxSteps, Asked: mostTime, Heard: MaxKeys, Unready: codes[0], LockTime: math.MaxUint32,
		Pays: []Pay{{Amount: MaxAmount, Outputs: 1000}},
	}
	for n := range uint64(MaxRules) {
		f.Labelled = append(f.Labelled, n)
	}
	for i := range MaxZones {
		f.Zones = append(f.Zones, Zone{fmt.Sprintf("%d%s", i, strings.Repeat("x", maxZoneIn-1)), -day})
	}
	for n := range uint64(MaxMeters) {
		f.Uses = append(f.Uses, Use{Meter: n, Charge: MaxAmount, Used: MaxAmount, Share: MaxAmount, Pool: MaxAmount, Takes: MaxAmount, Reserved: true, Granted: true, Lapsing: mostTime, Later: true})
	}
	b, err := EncodeFacts(&f)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of %d", len(b), MaxFacts)
	f.Hindered, f.Uses = codes, nil // what refuses it has no room for meters
	if b, err = EncodeFacts(&f); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of %d", len(b), MaxFacts)
}

// Each bound, broken once.
func TestFactsOutOfBounds(t *testing.T) {
	good := func() *Facts { return &Facts{Kind: Payment, Script: "wsh", Inputs: 1, Outputs: 9, VSize: 1} }
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Facts){
		"robot":                func(f *Facts) { f.Robot = MaxKeys },
		"no kind":              func(f *Facts) { f.Kind = 0 },
		"kind":                 func(f *Facts) { f.Kind = Sweep + 1 },
		"claim":                func(f *Facts) { f.Claim = Sweep + 1 },
		"initiator":            func(f *Facts) { f.Initiator = MaxKeys },
		"level":                func(f *Facts) { f.Level = 1 << 63 },
		"no script":            func(f *Facts) { f.Script = "" },
		"script":               func(f *Facts) { f.Script = "W S H" },
		"no inputs":            func(f *Facts) { f.Inputs = 0 },
		"no outputs":           func(f *Facts) { f.Outputs = 0 },
		"in":                   func(f *Facts) { f.In = MaxAmount + 1 },
		"own":                  func(f *Facts) { f.Own = -1 },
		"fee":                  func(f *Facts) { f.Fee = -1 },
		"vsize":                func(f *Facts) { f.VSize = 0 },
		"confirmations":        func(f *Facts) { f.Confirmations = -1 },
		"age":                  func(f *Facts) { f.Age = -1 },
		"labelled":             func(f *Facts) { f.Labelled = []uint64{MaxRules} },
		"labelled twice":       func(f *Facts) { f.Labelled = []uint64{1, 1} },
		"refused":              func(f *Facts) { f.Refused = []string{"No code"} },
		"hindered":             func(f *Facts) { f.Hindered = make([]string, 1) },
		"a long code":          func(f *Facts) { f.Refused = []string{strings.Repeat("x", MaxCode+1)} },
		"codes":                func(f *Facts) { f.Refused = slices.Repeat([]string{"x"}, MaxCodes+1) },
		"now":                  func(f *Facts) { f.Now = -1 },
		"height":               func(f *Facts) { f.Height = -1 },
		"fulfilled":            func(f *Facts) { f.Fulfilled = -1 },
		"step":                 func(f *Facts) { f.Step = MaxSteps + 2 },
		"asked":                func(f *Facts) { f.Asked = mostTime + 1 },
		"heard":                func(f *Facts) { f.Heard = MaxKeys + 1 },
		"locktime":             func(f *Facts) { f.LockTime = 1 << 32 },
		"unready":              func(f *Facts) { f.Unready = "?" },
		"zone":                 func(f *Facts) { f.Zones = []Zone{{"", 0}} },
		"offset":               func(f *Facts) { f.Zones = []Zone{{"UTC", day + 1}} },
		"zones out of order":   func(f *Facts) { f.Zones = []Zone{{"b", 0}, {"a", 0}} },
		"zone twice":           func(f *Facts) { f.Zones = []Zone{{"a", 0}, {"a", 1}} },
		"zones":                func(f *Facts) { f.Zones = make([]Zone, MaxZones+1) },
		"pay":                  func(f *Facts) { f.Pays = []Pay{{Amount: -1, Outputs: 1}} },
		"pay of no output":     func(f *Facts) { f.Pays = []Pay{{Amount: 1}} },
		"pay of more outputs":  func(f *Facts) { f.Pays = []Pay{{Amount: 1, Outputs: 5}, {To: []uint64{1}, Outputs: 5}} },
		"pay of more outputs.": func(f *Facts) { f.Pays = []Pay{{Amount: 1, Outputs: 1 << 63}} },
		"pays out of order":    func(f *Facts) { f.Pays = []Pay{{To: []uint64{1}, Outputs: 1}, {Outputs: 1}} },
		"pay twice":            func(f *Facts) { f.Pays = []Pay{{Outputs: 1}, {Outputs: 1}} },
		"recipient":            func(f *Facts) { f.Pays = []Pay{{To: []uint64{MaxRecipients}, Outputs: 1}} },
		"recipients":           func(f *Facts) { f.Pays = []Pay{{To: []uint64{2, 1}, Outputs: 1}} },
		"all pays": func(f *Facts) {
			f.Pays = []Pay{{Amount: MaxAmount, Outputs: 1}, {To: []uint64{1}, Amount: 1, Outputs: 1}}
		},
		"meter":               func(f *Facts) { f.Uses = []Use{{Meter: MaxMeters}} },
		"meters out of order": func(f *Facts) { f.Uses = []Use{{Meter: 1}, {}} },
		"charge":              func(f *Facts) { f.Uses = []Use{{Charge: -1}} },
		"used":                func(f *Facts) { f.Uses = []Use{{Used: MaxAmount + 1}} },
		"share":               func(f *Facts) { f.Uses = []Use{{Share: -1}} },
		"pool":                func(f *Facts) { f.Uses = []Use{{Pool: -1}} },
		"takes":               func(f *Facts) { f.Uses = []Use{{Takes: -1}} },
		"lapsing":             func(f *Facts) { f.Uses = []Use{{Lapsing: -1}} },
		"uses":                func(f *Facts) { f.Uses = make([]Use, MaxUses+1) },
	} {
		f := good()
		spoil(f)
		if err := f.Check(); !errors.Is(err, ErrFacts) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := EncodeFacts(f); err == nil {
			t.Errorf("%s is written", name)
		}
		if b, err := theFacts.enc.Marshal(f); err != nil {
			t.Fatal(err)
		} else if _, err := DecodeFacts(b); !errors.Is(err, ErrFacts) {
			t.Errorf("%s is read: %v", name, err)
		}
	}
}

func TestOtherEncodingsOfFacts(t *testing.T) {
	f := &Facts{Kind: Payment, Script: "wsh", Inputs: 1, Outputs: 9, VSize: 1}
	b, err := EncodeFacts(f)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[int]any{}
	if err := theFacts.dec.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for name, add := range map[int]any{14: []any{}, 22: false, 34: 1, 5: false} {
		other := map[int]any{name: add}
		for k, v := range fields {
			other[k] = v
		}
		c, err := theFacts.enc.Marshal(other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeFacts(c); !errors.Is(err, ErrFacts) {
			t.Errorf("with field %d: %v", name, err)
		}
	}
	for _, c := range [][]byte{nil, b[:len(b)-1], append(slices.Clone(b), 0), make([]byte, MaxFacts+1)} {
		if _, err := DecodeFacts(c); !errors.Is(err, ErrFacts) {
			t.Errorf("%d bytes: %v", len(c), err)
		}
	}
	c, _ := newFactsCodec()
	if reflect.TypeOf(c) != reflect.TypeOf(theFacts) || theFacts.enc == nil || theFacts.dec == nil {
		t.Error("there is no codec")
	}
}

// What is read is canonical, and decided about without a fault.
func FuzzFacts(f *testing.F) {
	b, err := EncodeFacts(&Facts{
		Kind: Payment, Script: "wsh", Inputs: 1, Outputs: 9, VSize: 1, Refused: []string{"dust"}, Labelled: []uint64{1},
		Pays: []Pay{{Amount: 5, Outputs: 1}, {To: []uint64{0}, Amount: 7, Outputs: 2}}, Uses: []Use{{Charge: 1, Used: 2, Share: 3, Takes: 4}}, Zones: []Zone{{"UTC", 0}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	p := &Policy{Version: Language, Meters: []Meter{{Limit: 5}}, Recipients: []Recipient{{Name: "a"}}, Rules: []Rule{{
		When: When{Kinds: []Kind{Payment, Bump}}, Then: Sign, Else: Deny,
		Require: Require{AmountMax: 50, Meters: []uint64{0}, FeeShareMax: 5, FeeRateMax: 7, Delay: 3, Hours: []Hours{{Days: 127, To: 1440, Zone: "UTC"}}},
	}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := DecodeFacts(b)
		if err != nil {
			return
		}
		again, err := EncodeFacts(x)
		if err != nil || !slices.Equal(again, b) {
			t.Fatalf("%x is written as %x: %v", b, again, err)
		}
		if v := Decide(p, x); v.Outcome < OutcomeSign || v.Outcome > OutcomeDeny {
			t.Fatalf("%+v", v)
		}
	})
}
