package wallet

import (
	"errors"
	"strings"
	"testing"
)

// Whatever takes the name of a form refuses one that is none, by name.
func TestUnknownFormIsRefused(t *testing.T) {
	g := newTestGroup(t, ScriptWSH, 2, 3)
	key := g.d.Keys()[0]
	for _, st := range []ScriptType{"", "tr", "tr-musig", "policy", "WSH", "wsh ", "multi"} {
		for name, err := range map[string]error{
			"FormOf":        second(FormOf(st)),
			"NewMultisig":   second(NewMultisig(Regtest, st, 2, g.d.Keys())),
			"DeriveAccount": second(DeriveAccount(make([]byte, 32), Regtest, st, 0)),
			"CheckOrigin":   key.CheckOrigin(Regtest, st),
			"ToSLIP132":     second(ToSLIP132(key.XPub, st)),
		} {
			if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "script type \""+string(st)+"\"") {
				t.Errorf("%s of %q: %v", name, st, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// No two forms share what tells one from another.
func TestFormsDiffer(t *testing.T) {
	seen := map[any]ScriptType{}
	for _, f := range Forms() {
		for _, x := range []any{f.Kind(), f.AccountStep(), f.SLIP132(true), f.SLIP132(false), f.OutputType()} {
			if other, ok := seen[x]; ok {
				t.Errorf("%s and %s: both %v", f.Kind(), other, x)
			}
			seen[x] = f.Kind()
		}
		if again, err := FormOf(f.Kind()); err != nil || again != f {
			t.Errorf("%s: %v %v", f.Kind(), again, err)
		}
		if b := f.Bounds(); b.Keys > maxFormKeys || b.Least < 1 || b.Most < b.Least {
			t.Errorf("%s: %+v", f.Kind(), b)
		}
		g := newTestGroup(t, f.Kind(), 2, 3)
		if g.d.Form() != f || g.d.ScriptType() != f.Kind() {
			t.Errorf("%s: the descriptor says %s", f.Kind(), g.d.ScriptType())
		}
		fixed, err := ParseDescriptor(strings.Replace(strings.Split(g.d.String(), "#")[0], "sortedmulti", "multi", 1), Regtest)
		if err != nil {
			t.Fatal(err)
		}
		sorted, plain := fixed.Form().Multisig()
		if fixed.ScriptType() != f.Kind() || sorted || !plain {
			t.Errorf("%s with multi: %s, sorted %t, plain %t", f.Kind(), fixed.ScriptType(), sorted, plain)
		}
	}
	if b := WidestBounds(); b != (SignatureBounds{9, 73, MaxKeys}) {
		t.Errorf("bounds of events: %+v", b) // what older nodes take
	}
}
