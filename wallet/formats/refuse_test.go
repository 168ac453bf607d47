package formats

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/quorate/quorate/wallet"
)

// Forms of other programs that Write has no use for.
func TestOtherForms(t *testing.T) {
	w := testWallet(t, wallet.Regtest, wallet.ScriptWSH, 2, 3)
	in, out, err := Branches(w.Descriptor)
	if err != nil {
		t.Fatal(err)
	}
	body, sum, _ := strings.Cut(w.Descriptor.String(), "#")
	written := func(f Format) string {
		raw, err := Write(w, f)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	// Electrum appends what changed after it wrote the file.
	patches := strings.TrimSpace(written(Electrum)) + ",\n{\"op\":\"add\",\"path\":\"/addresses/receiving/0\",\"value\":\"x\"},\n"
	shared := written(Coldcard)
	for _, k := range w.Descriptor.Keys() {
		shared = strings.Replace(shared, "Derivation: "+path(k), "", 1)
	}
	withVersions := written(Coldcard)
	for _, k := range w.Descriptor.Keys() {
		z, err := wallet.ToSLIP132(k.XPub, wallet.ScriptWSH)
		if err != nil {
			t.Fatal(err)
		}
		withVersions = strings.Replace(withVersions, k.XPub, z, 1)
	}
	core := func(internal string) string {
		return fmt.Sprintf(`{"wallet_name":"w","descriptors":[{"desc":%q,"timestamp":1500000000,"active":true,"internal":true},{"desc":%q,"timestamp":"now","active":true%s}]}`, out, in, internal)
	}
	for name, c := range map[string]struct {
		text string
		f    Format
	}{
		"no checksum":      {body, Descriptor},
		"receiving alone":  {in, Descriptor},
		"other letters":    {strings.ReplaceAll(body, "h/", "H/"), Descriptor},
		"slanted":          {strings.ReplaceAll(w.Descriptor.String(), "h/", "\u2019/"), Descriptor},
		"quoted":           {"\u201c" + w.Descriptor.String() + "\u201d\r\n", Descriptor},
		"a mail":           {"On Monday Bob wrote:\n> " + w.Descriptor.String()[:76] + "\n> " + w.Descriptor.String()[76:] + "\n\nThanks", Descriptor},
		"flowed":           {wrap(w.Descriptor.String(), 70, " \n"), Descriptor},
		"soft line breaks": {wrap(w.Descriptor.String(), 75, "=\r\n"), Descriptor},
		"wrapped":          {wrap(w.Descriptor.String(), 61, "\n"), Descriptor},
		"HTML":             {strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(w.Descriptor.String()), Descriptor},
		"a chat":           {"```\n" + w.Descriptor.String() + "\n```\n", Descriptor},
		"escaped":          {strings.NewReplacer("*", `\*`, "[", `\[`).Replace(w.Descriptor.String()), Descriptor},
		"UTF-16":           {wide(w.Descriptor.String() + "\r\n"), Descriptor},
		"no width":         {strings.ReplaceAll(w.Descriptor.String(), ",", ",\u200b"), Descriptor},
		"no break":         {strings.ReplaceAll(body, ",", ",\u00a0"), Descriptor},
		"pretty":           {"# Coldcard descriptor export\n# order of keys in the descriptor does not matter, will be sorted before creating script (BIP-67)\n# native segwit - p2wsh\nwsh(sortedmulti(\n\t# 2 of 3 (threshold)\n\t" + strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(body, "wsh(sortedmulti("), "))"), ",", ",\n\t") + "\n))#" + sum, Descriptor},
		"labels":           {"Receive: " + in + "\nChange: " + out, Descriptor},
		"labels, Bitkey":   {"External: " + strings.Split(in, "#")[0] + "\n\nInternal: " + strings.Split(out, "#")[0] + "\n", Descriptor},
		"a name":           {"addwallet The treasury&" + strings.ReplaceAll(body, "/<0;1>/*", "/{0,1}/*"), Descriptor},
		"no ends":          {strings.ReplaceAll(body, "/<0;1>/*", ""), Descriptor},
		"m in origins":     {strings.ReplaceAll(body, "/48h", "/m/48h"), Descriptor},
		"a command":        {"bitcoin-cli importdescriptors \"" + strings.ReplaceAll(core(""), `"`, `\"`) + "\"", Core},
		"an answer":        {`{"result":` + core("") + `,"error":null,"id":1}`, Core},
		"Specter, typed":   {`{"label":"x","descriptor":"` + strings.NewReplacer(",", ",\u00a0 ", "h/", "\u2019/").Replace(in) + `\n"}`, Specter},
		"any JSON":         {`{"wallets":[{"policy":"` + w.Descriptor.String() + `"}]}`, Descriptor},
		"JSON, slanted":    {strings.ReplaceAll(core(""), `"`, "\u201d"), Core},
		"unsorted, sorted": {strings.Replace(written(Coldcard), "Policy", "Sorted: True\nPolicy", 1), Coldcard},
		"Nunchuk, open":    {strings.NewReplacer("/**", "/*", "/0/*,/1/*", "No path restrictions").Replace(written(BSMS)), BSMS},
		"BSMS, no paths":   {strings.Replace(written(BSMS), "/0/*,/1/*\n", "\n", 1), BSMS},
		"BSMS, three":      {strings.Replace(written(BSMS), "/0/*,/1/*\n", "", 1), BSMS},
		"BSMS, blanks":     {strings.Replace(written(BSMS), "/0/*,/1/*", "/0/*, /1/*", 1), BSMS},
		"BSMS, capitals":   {capitals(written(BSMS)), BSMS},
		"two branches":     {in + "\n" + out + "\n", Descriptor},
		"apostrophes":      {strings.ReplaceAll(body, "h/", "'/"), Descriptor},
		"short multipath":  {strings.ReplaceAll(body, "/<0;1>/*", "/**"), Descriptor},
		"older multipath":  {strings.ReplaceAll(body, "/<0;1>/*", "/{0,1}/*"), Descriptor},
		"listdescriptors":  {core(`,"internal":false`), Core},
		"no word of which": {core(""), Core},
		"one multipath":    {fmt.Sprintf(`[{"desc":%q,"active":true,"timestamp":"now"}]`, w.Descriptor), Core},
		"patches":          {patches, Electrum},
		"Zpub":             {withVersions, Coldcard},
		"policy 2/3":       {strings.Replace(written(Coldcard), "2 of 3", "2/3", 1), Coldcard},
		"FullyNoded":       {fmt.Sprintf(`{"descriptor":%q,"blockheight":638325,"label":"x"}`, strings.Split(in, "#")[0]), Specter},
	} {
		got, f, err := Parse([]byte(c.text), wallet.Regtest)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, c.text)
		} else if f != c.f || got.Descriptor.String() != w.Descriptor.String() {
			t.Errorf("%s: read as %s of %s", name, f, got.Descriptor)
		}
	}
}

// wrap breaks a text after so many bytes.
func wrap(s string, n int, end string) string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return strings.Join(append(out, s), end)
}

// capitals is a record with its address as codes have it.
func capitals(record string) string {
	at := strings.LastIndex(record, "\nbcrt1")
	return record[:at] + strings.ToUpper(record[at:])
}

// wide is UTF-16 with a byte order mark.
func wide(s string) string {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return string(out)
}

// Each rule of a format, broken once.
func TestRefused(t *testing.T) {
	w := testWallet(t, wallet.Regtest, wallet.ScriptWSH, 2, 3)
	in, out, err := Branches(w.Descriptor)
	if err != nil {
		t.Fatal(err)
	}
	other := testWallet(t, wallet.Regtest, wallet.ScriptWSH, 1, 3).Descriptor.String()
	body, sum, _ := strings.Cut(w.Descriptor.String(), "#")
	xpub := w.Descriptor.Keys()[1].XPub
	edit := func(f Format, from, to string) string {
		raw, err := Write(w, f)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(raw), from, to, 1)
		if changed == string(raw) {
			t.Fatalf("%s has no %q:\n%s", f, from, raw)
		}
		return changed
	}
	const testPrivate = "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK"
	for name, c := range map[string]struct {
		text string
		err  error
		says string
	}{
		"empty":               {" \n", ErrUnknown, "empty"},
		"binary":              {"\x00\x01a", ErrUnknown, "not text"},
		"a poem":              {"O my Luve is like a red, red rose", ErrUnknown, ""},
		"JSON of another":     {`{"a":1}`, ErrUnknown, "another kind"},
		"cut JSON":            {edit(Caravan, "}\n", "")[:200], ErrUnknown, "cut short"},
		"a key":               {w.Descriptor.Keys()[0].String(), ErrOneKey, ""},
		"JSON of one signer":  {`{"xfp":"00000000","p2wsh":"tpub"}`, ErrOneKey, ""},
		"Electrum, encrypted": {"QklFMQPa", ErrEncrypted, "without a password"},
		"wrong checksum":      {body + "#" + strings.Map(func(r rune) rune { return map[bool]rune{true: 'p', false: 'q'}[r == 'q'] }, sum), wallet.ErrChecksum, ""},
		"change alone":        {out, ErrFormat, "the receiving one"},
		"two wallets":         {w.Descriptor.String() + "\n" + other, ErrFormat, "different wallets"},
		"mixed ends":          {strings.Replace(body, "/<0;1>/*", "/0/*", 1), wallet.ErrUnsupported, "different derivations"},
		"taproot":             {"tr(" + xpub + "/<0;1>/*)", wallet.ErrUnsupported, ""},
		"a private key":       {strings.Replace(body, xpub, testPrivate, 1), wallet.ErrPrivateKey, ""},

		"keys in /*":          {strings.ReplaceAll(body, "/<0;1>/*", "/*"), wallet.ErrUnsupported, "Bitcoin Core"},
		"other branches":      {strings.ReplaceAll(body, "/<0;1>/*", "/<2;3>/*"), wallet.ErrUnsupported, "key 1"},
		"reversed branches":   {strings.ReplaceAll(body, "/<0;1>/*", "/<1;0>/*"), wallet.ErrUnsupported, "key 1"},
		"cut short":           {body[:len(body)-40], ErrFormat, "cut short"},
		"miniscript":          {"wsh(and_v(v:pk(" + xpub + "/0/*),older(5)))", wallet.ErrUnsupported, "want sortedmulti() or multi()"},
		"P2SH":                {"sh(sortedmulti(1," + w.Descriptor.Keys()[0].String() + "/0/*))", wallet.ErrUnsupported, "without a witness"},
		"of two branches":     {"Change: " + in, ErrFormat, "other branch"},
		"threshold":           {strings.Replace(body, "multi(2,", "multi(4,", 1), wallet.ErrThreshold, "4 of 3"},
		"Zpub of another":     {strings.Replace(body, xpub, mustSLIP(t, xpub, wallet.ScriptSHWSH), 1), wallet.ErrSLIP132, "key 2"},
		"a mnemonic":          {body + "\nlegal winner thank year wave sausage worth useful legal winner thank yellow", wallet.ErrPrivateKey, "mnemonic"},
		"a mnemonic, numbers": {body + "\n1. legal 2. winner 3. thank 4. year 5. wave 6. sausage 7. worth 8. useful 9. legal 10. winner 11. thank 12. yellow", wallet.ErrPrivateKey, "mnemonic"},

		"BSMS version":    {edit(BSMS, "BSMS 1.0", "BSMS 2.0"), ErrFormat, "BSMS 1.0"},
		"BSMS paths":      {edit(BSMS, "/0/*,/1/*\n", "/2/*,/3/*\n"), wallet.ErrUnsupported, "path restrictions"},
		"BSMS one branch": {edit(BSMS, "/**,", "/0/*,"), wallet.ErrUnsupported, "different derivations"},
		"BSMS no address": {edit(BSMS, "/0/*,/1/*\nb", "/0/*,/1/*\n#b"), ErrFormat, "first address"},
		"BSMS change":     {edit(BSMS, "/0/*,/1/*\n", "No path restrictions\nx\n"), ErrFormat, "after the first address"},
		"BSMS address":    {edit(BSMS, "\nbcrt1q", "\nbcrt1p"), ErrFormat, "first address"},
		"Nunchuk":         {edit(Nunchuk, "sortedmulti(2", "sortedmulti(1"), wallet.ErrChecksum, ""},

		"Core branch":       {edit(Core, `"internal": true`, `"internal": false`), ErrFormat, "internal"},
		"Core trailing":     {edit(Core, "\n]", "\n] x"), ErrFormat, "after the JSON"},
		"Core no element":   {`[{}]`, nil, "descriptor 1"},
		"Core other kind":   {`[{"desc":5}]`, ErrFormat, "kind"},
		"Core single":       {fmt.Sprintf(`[{"desc":%q}]`, strings.ReplaceAll(body, "/<0;1>/*", "")), wallet.ErrUnsupported, "one address"},
		"Core no wallet":    {`[{"desc":"wpkh(` + w.Descriptor.Keys()[0].String() + `/0/*)"}]`, wallet.ErrUnsupported, "no multisig wallet"},
		"Specter threshold": {`{"recv_descriptor":"` + in + `","sigs_required":3}`, ErrFormat, "sigs_required"},
		"Specter on change": {edit(Specter, in, out), ErrFormat, "change branch"},

		"Coldcard policy":     {edit(Coldcard, "Policy: 2 of 3", "Policy: 4 of 3"), wallet.ErrThreshold, "line 4"},
		"Coldcard fewer keys": {edit(Coldcard, "Policy: 2 of 3", "Policy: 2 of 4"), wallet.ErrKeyCount, ""},
		"Coldcard P2SH":       {edit(Coldcard, "Format: P2WSH\n", ""), wallet.ErrUnsupported, "P2SH"},
		"Coldcard path":       {edit(Coldcard, "Derivation: m/48'", "Derivation: m/x"), ErrFormat, "want as m/48'"},
		"Coldcard no path":    {edit(Coldcard, "Derivation: ", "# "), wallet.ErrNoOrigin, "key 1"},
		"Coldcard label":      {edit(Coldcard, "Format:", "Timelock: 5\nFormat:"), wallet.ErrUnsupported, `line 5: unsupported descriptor: "timelock"`},
		"Coldcard Sorted":     {edit(Coldcard, "Format:", "Sorted: maybe\nFormat:"), ErrFormat, "Sorted"},
		"Coldcard two Sorted": {edit(Coldcard, "Format:", "Sorted: True\nSorted: False\nFormat:"), ErrFormat, "otherwise"},
		"Coldcard policies":   {edit(Coldcard, "Format:", "Policy: 1 of 3\nFormat:"), ErrFormat, "otherwise"},
		"Coldcard formats":    {edit(Coldcard, "Format:", "Format: P2SH-P2WSH\nFormat:"), ErrFormat, "otherwise"},
		"Coldcard no label":   {edit(Coldcard, "Format:", "treasury\nFormat:"), ErrFormat, "label: value"},
		"Coldcard with seed":  {edit(Coldcard, "Format:", "seed: a b c\nFormat:"), wallet.ErrPrivateKey, "without"},
		"Coldcard key twice":  {edit(Coldcard, xpub, w.Descriptor.Keys()[0].XPub), wallet.ErrDuplicateKey, ""},
		"Coldcard damaged":    {edit(Coldcard, xpub[20:30], "1111111111"), nil, "key 2"},

		"Caravan network": {edit(Caravan, `"regtest"`, `"mainnet"`), wallet.ErrWrongNetwork, ""},
		"Caravan quorum":  {edit(Caravan, `"totalSigners": 3`, `"totalSigners": 2`), wallet.ErrKeyCount, ""},
		"Caravan type":    {edit(Caravan, "P2WSH", "P2SH"), wallet.ErrUnsupported, ""},
		"Caravan xfp":     {edit(Caravan, `"xfp": "9`, `"xfp": "x`), ErrFormat, "key 1: malformed wallet file: fingerprint"},
		"Caravan order":   {edit(Caravan, `"P2WSH"`, `"P2WSH", "sortedKeys": false`), wallet.ErrUnsupported, `"sortedKeys"`},
		"Caravan key":     {edit(Caravan, `"method"`, `"scriptType": "x", "method"`), wallet.ErrUnsupported, `"scriptType"`},

		"Electrum one signature": {edit(Electrum, "2of3", "standard"), wallet.ErrUnsupported, "no multisig"},
		"Electrum fewer keys":    {edit(Electrum, "2of3", "2of4"), ErrFormat, "key x4"},
		"Electrum more keys":     {edit(Electrum, "2of3", "2of2"), wallet.ErrKeyCount, ""},
		"Electrum P2SH":          {edit(Electrum, mustSLIP(t, xpub, wallet.ScriptWSH), xpub), wallet.ErrUnsupported, "key x2"},
		"Electrum mixed":         {edit(Electrum, mustSLIP(t, xpub, wallet.ScriptWSH), mustSLIP(t, xpub, wallet.ScriptSHWSH)), wallet.ErrSLIP132, "key x2"},
		"Electrum no origin":     {edit(Electrum, `"root_fingerprint": "`, `"x": "`), wallet.ErrNoOrigin, ""},
		"Electrum with a key":    {edit(Electrum, `"xprv": null`, `"xprv": "`+testPrivate+`"`), wallet.ErrPrivateKey, "key x1"},
		"Electrum with a seed":   {edit(Electrum, `"xprv": null`, `"seed": "`+testPrivate+`"`), wallet.ErrPrivateKey, "key x1"},
		"Electrum patched key":   {strings.TrimSpace(edit(Electrum, "cosigner 1", "c")) + `,{"op":"replace","path":"/x1//xpub","value":"x"}`, ErrFormat, "changed"},
	} {
		got, _, err := Parse([]byte(c.text), wallet.Regtest)
		if err == nil {
			t.Errorf("%s: taken as %s\n%s", name, got.Descriptor, c.text)
			continue
		}
		if c.err != nil && !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v that says %q", name, err, c.err, c.says)
		}
		if strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%s: not one clear line: %q", name, err)
		}
		if strings.Contains(err.Error(), testPrivate) {
			t.Errorf("%s: the message repeats a secret", name)
		}
	}
}

func mustSLIP(t *testing.T, xpub string, st wallet.ScriptType) string {
	t.Helper()
	s, err := wallet.ToSLIP132(xpub, st)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Beyond the limits, nothing is looked at.
func TestLimits(t *testing.T) {
	for name, raw := range map[string]string{
		"a file":     strings.Repeat(" ", MaxSize) + "x",
		"a text":     "# " + strings.Repeat("x", maxTextSize),
		"many descs": "[" + strings.Repeat(`{"desc":""},`, 101) + "{}]",
	} {
		if _, _, err := Parse([]byte(raw), wallet.Regtest); !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := testWallet(t, wallet.Regtest, wallet.ScriptWSH, 2, wallet.MaxKeys)
	for _, f := range []Format{Coldcard, Caravan} {
		raw, err := Write(w, f)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Parse(raw, wallet.Regtest); err != nil {
			t.Errorf("%s of %d keys: %v", f, wallet.MaxKeys, err)
		}
	}
	keys := make([]map[string]string, wallet.MaxKeys+1)
	raw, err := json.Marshal(map[string]any{"addressType": "P2WSH", "quorum": map[string]int{"requiredSigners": 1, "totalSigners": len(keys)}, "extendedPublicKeys": keys})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Parse(raw, wallet.Regtest); !errors.Is(err, wallet.ErrKeyCount) {
		t.Errorf("%d keys: %v", len(keys), err)
	}
}
