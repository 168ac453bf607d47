package formats

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quorate/quorate/wallet"
)

// The 2-of-3 of most inputs: its first address with the keys sorted, and in the
// order in which they are listed; and another, 2 of 2.
const (
	sortedFirst = "bcrt1qd7qaq363jw7j8g3da7dwez3hndpx8mwpex3gve9mnyxxs8j83a7qvq45ut"
	listedFirst = "bcrt1qwch6rk9mjg5raj2yfwxr8vgvuuvylh0y0f5092u6trwqt5c62q2qud5pus"
	ownFirst    = "bcrt1qmefzlcvqyj4v4j2nels5n9lp5hfz5tz0t0998yvec72jx6sd47wqntgzv5"
)

func trialInput(t testing.TB, elem ...string) []byte {
	t.Helper()
	dir := os.Getenv("QUORATE_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	raw, err := os.ReadFile(filepath.Join(append([]string{dir, "trials", "wallets", "inputs"}, elem...)...))
	if err != nil {
		t.Skip("no inputs of trials: set QUORATE_SHARED to the folder that holds them")
	}
	return raw
}

// Files that other software writes, or that people have made of them: read as
// the wallet that they are of, or refused by what is wrong with them.
func TestFilesOfOtherWallets(t *testing.T) {
	var none []string
	for name, c := range map[string]struct {
		format Format
		first  string
		warns  []string
		err    error
		says   string
	}{
		"bare-star.txt":              {err: wallet.ErrUnsupported, says: "Bitcoin Core takes other addresses"}, // on purpose
		"bitkey-nocs.txt":            {Descriptor, sortedFirst, none, nil, ""},
		"bitkey.txt":                 {Descriptor, sortedFirst, none, nil, ""},
		"bluewallet-all-custom.txt":  {Coldcard, sortedFirst, []string{WarnOrigin, WarnOrigin}, nil, ""},
		"bluewallet-mixed.txt":       {Coldcard, sortedFirst, []string{WarnOrigin}, nil, ""},
		"bluewallet-seed.txt":        {err: wallet.ErrPrivateKey, says: "holds a mnemonic"},
		"bsms-3step.bsms":            {BSMS, sortedFirst, []string{WarnOrigin, WarnOrigin, WarnOrigin}, nil, ""},
		"bsms-encrypted.dat":         {err: ErrEncrypted, says: "--token"},
		"bsms-sparrow.bsms":          {Nunchuk, sortedFirst, none, nil, ""},
		"bsms-upper-address.bsms":    {BSMS, sortedFirst, none, nil, ""},
		"caravan-new.json":           {Caravan, sortedFirst, none, nil, ""},
		"caravan-path-no-m.json":     {Caravan, sortedFirst, none, nil, ""},
		"caravan-string-quorum.json": {Caravan, sortedFirst, none, nil, ""},
		"caravan-underscore.json":    {Caravan, "", none, nil, ""},
		"casa-like.desc":             {Descriptor, ownFirst, []string{WarnOrigin}, nil, ""},
		"cc-comment-tail.txt":        {Coldcard, sortedFirst, none, nil, ""},
		"cc-derivation-noM.txt":      {Coldcard, sortedFirst, none, nil, ""},
		"cc-global-after.txt":        {Coldcard, sortedFirst, none, nil, ""},
		"cc-h.txt":                   {Coldcard, sortedFirst, none, nil, ""},
		"cc-noformat.txt":            {err: wallet.ErrUnsupported, says: "P2SH"},
		"coldcard-core.txt":          {Core, sortedFirst, none, nil, ""},
		"core-default.json":          {Core, sortedFirst, []string{WarnOther}, nil, ""},
		"core-multipath.json":        {Core, sortedFirst, none, nil, ""},
		"core.json":                  {Core, sortedFirst, none, nil, ""},
		"desc-json.json":             {Descriptor, sortedFirst, none, nil, ""},
		"jade-sorted-false.txt":      {Coldcard, listedFirst, none, nil, ""},
		"jade-sorted-true.txt":       {Coldcard, sortedFirst, none, nil, ""},
		"labelled.txt":               {Descriptor, sortedFirst, none, nil, ""},
		"labelled2.txt":              {Descriptor, sortedFirst, none, nil, ""},
		"m-origin.txt":               {Descriptor, sortedFirst, none, nil, ""},
		"multi.desc":                 {Descriptor, listedFirst, none, nil, ""},
		"nofp.txt":                   {err: wallet.ErrNoOrigin, says: "key 1"},
		"nunchuk-real-nocs.bsms":     {BSMS, sortedFirst, none, nil, ""},
		"nunchuk-real.bsms":          {Nunchuk, sortedFirst, none, nil, ""},
		"own.desc":                   {Descriptor, ownFirst, none, nil, ""},
		"quoted.txt":                 {Descriptor, sortedFirst, none, nil, ""},
		"ranged-23.txt":              {err: wallet.ErrUnsupported, says: `"/<2;3>/*"`},
		"receive-only.txt":           {Descriptor, sortedFirst, []string{WarnBranches}, nil, ""},
		"samefp.txt":                 {Descriptor, sortedFirst, none, nil, ""},
		"slip132-coldcard.txt":       {Coldcard, sortedFirst, none, nil, ""},
		"slip132-specter.json":       {Specter, sortedFirst, none, nil, ""},
		"slip132.desc":               {Descriptor, sortedFirst, none, nil, ""},
		"smartquote.txt":             {Descriptor, sortedFirst, none, nil, ""},
		"sparrow-specter.json":       {Specter, sortedFirst, none, nil, ""},
		"sparrow.txt":                {Sparrow, sortedFirst, none, nil, ""},
		"specter-diy-addwallet.txt":  {Descriptor, sortedFirst, []string{WarnBranches}, nil, ""},
		"specter-diy-namedesc.txt":   {Descriptor, sortedFirst, none, nil, ""},
		"specter-diy.json":           {Specter, sortedFirst, none, nil, ""},
		"specter-old-backup.json":    {Specter, sortedFirst, none, nil, ""},
		"upperH.txt":                 {Descriptor, sortedFirst, none, nil, ""},
		"upperfp.txt":                {Descriptor, sortedFirst, none, nil, ""},
		"zerofp.txt":                 {Descriptor, sortedFirst, none, nil, ""},
	} {
		w, f, err := Parse(trialInput(t, "wallets", name), wallet.Regtest)
		if c.err != nil {
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %v that says %q", name, err, c.err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		first, err := w.Descriptor.Address(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if f != c.format || c.first != "" && first != c.first {
			t.Errorf("%s: read as %s, first address %s", name, f, first)
		}
		var codes []string
		for _, x := range w.Warnings {
			codes = append(codes, x.Code)
		}
		if !slices.Equal(codes, c.warns) {
			t.Errorf("%s: warnings %v, want %v: %v", name, codes, c.warns, w.Warnings)
		}
	}
}
