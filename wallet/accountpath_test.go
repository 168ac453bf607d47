package wallet

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestCheckOrigin(t *testing.T) {
	a, err := DeriveAccount(bytes.Repeat([]byte{3}, 32), Regtest, ScriptWSH, 0)
	if err != nil {
		t.Fatal(err)
	}
	good := a.Key()
	if err := good.CheckOrigin(Regtest, ScriptWSH); err != nil {
		t.Errorf("an account key: %v", err)
	}
	path := func(steps ...uint32) Key { k := good; k.Path = steps; return k }
	master := good
	master.XPub = "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp"
	h := uint32(hardened)
	for name, c := range map[string]struct {
		key  Key
		net  Network
		st   ScriptType
		want error
	}{
		"too few steps":       {path(slices.Clone(good.Path[:3])...), Regtest, ScriptWSH, ErrKeyDepth},
		"another last step":   {path(h+48, h+1, h, h+1), Regtest, ScriptWSH, ErrKeyDepth},
		"a master key":        {master, Regtest, ScriptWSH, ErrMasterKey},
		"another script type": {good, Regtest, ScriptSHWSH, ErrKeyDepth},
		"another coin type":   {path(h+48, h, h, h+2), Regtest, ScriptWSH, ErrWrongNetwork},
	} {
		if err := c.key.CheckOrigin(c.net, c.st); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := path(h+45, 1, 2, h+2).CheckOrigin(Regtest, ScriptWSH); err != nil {
		t.Errorf("an origin that is not of BIP48: %v", err)
	}
}
