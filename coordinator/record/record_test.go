package record

import (
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/quorate/quorate/journal/pmap"
)

// The package's encoder ignores the error of its options: there is none.
func TestEncoderOptions(t *testing.T) {
	if _, err := cbor.CoreDetEncOptions().EncMode(); err != nil {
		t.Fatal(err)
	}
}

func TestAMapComesBack(t *testing.T) {
	m := pmap.Map[string, uint32]{}.Set("b", 2).Set("a", 1)
	b, err := Encode(Dump(m))
	if err != nil {
		t.Fatal(err)
	}
	var ps []Pair[uint32]
	if err := Decode(b, &ps); err != nil {
		t.Fatal(err)
	}
	var back pmap.Map[string, uint32]
	Undump(&back, ps)
	if got := Dump(back); !reflect.DeepEqual(got, Dump(m)) {
		t.Errorf("%v, want %v", got, Dump(m))
	}
}

func TestWhatIsNoRecord(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing": nil, "cut short": {0x82, 1}, "a key twice": {0xa2, 1, 1, 1, 2}, "indefinite length": {0x9f, 0xff}, "a tag": {0xc1, 1},
	} {
		var v any
		if err := Decode(b, &v); err == nil {
			t.Errorf("%s is read as %v", name, v)
		}
	}
}
