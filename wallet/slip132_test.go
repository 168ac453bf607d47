package wallet

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2/base58"
)

// The letters that SLIP-132 gives, over the network and the script type.
func TestSLIP132(t *testing.T) {
	for prefix, c := range map[string]struct {
		net Network
		st  ScriptType
	}{
		"Zpub": {Mainnet, ScriptWSH}, "Ypub": {Mainnet, ScriptSHWSH},
		"Vpub": {Regtest, ScriptWSH}, "Upub": {Signet, ScriptSHWSH},
	} {
		a, err := DeriveAccount(make([]byte, 32), c.net, c.st, 0)
		if err != nil {
			t.Fatal(err)
		}
		want := a.Key()
		text, err := ToSLIP132(want.XPub, c.st)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, prefix) {
			t.Errorf("%s %s: %s, want %s…", c.net, c.st, text, prefix)
		}
		xpub, st, err := FromSLIP132(text)
		if err != nil || xpub != want.XPub || st != c.st {
			t.Errorf("%s back: %s %s %v", text, xpub, st, err)
		}
		origin := strings.TrimSuffix(want.String(), want.XPub)
		for _, mark := range []string{"h", "H", "'"} {
			got, err := ParseKeyFor(strings.ReplaceAll(origin, "h", mark)+text, c.net, c.st)
			if err != nil || got.String() != want.String() {
				t.Errorf("%s with %s: %s %v", prefix, mark, got, err)
			}
		}
		other := map[ScriptType]ScriptType{ScriptWSH: ScriptSHWSH, ScriptSHWSH: ScriptWSH}[c.st]
		if _, err := ParseKeyFor(origin+text, c.net, other); !errors.Is(err, ErrSLIP132) {
			t.Errorf("%s for %s: %v", prefix, other, err)
		}
		if _, err := ParseKeyFor(origin+want.XPub, c.net, other); err != nil {
			t.Errorf("an xpub says nothing of the script: %v", err)
		}
		private := binary.BigEndian.AppendUint32(nil, map[string]uint32{"Zpub": 0x02aa7a99, "Ypub": 0x0295b005, "Vpub": 0x02575048, "Upub": 0x024285b5}[prefix])
		private = append(private, base58.Decode(text)[4:]...)
		if _, _, err := FromSLIP132(base58.Encode(private)); !errors.Is(err, ErrPrivateKey) {
			t.Errorf("private %s: %v", prefix, err)
		}
	}
}

// What descriptors may hold is BIP380's affair: neither of the two.
func TestDescriptorsStayStrict(t *testing.T) {
	for _, key := range []string{"[4ba43603/48h]" + testVpub, "[4ba43603/48H]" + testTPub} {
		if _, err := ParseDescriptor("wsh(sortedmulti(1,"+key+"/<0;1>/*))", Regtest); err == nil {
			t.Errorf("taken: %s", key)
		}
	}
}
