package service

import (
	"image"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/quorate/quorate/wallet"
	"github.com/quorate/quorate/wallet/formats"
)

// The page can be printed on one sheet, its code is the descriptor, and names
// from others stay within their line.
func TestPage(t *testing.T) {
	for _, n := range []int{1, 3, 15} {
		var keys []wallet.Key
		w := formats.Wallet{Name: "treasury\nDESCRIPTOR:"}
		for i := range n {
			a, err := wallet.DeriveAccount(make([]byte, 32), wallet.Mainnet, wallet.ScriptWSH, uint32(i))
			if err != nil {
				t.Fatal(err)
			}
			keys, w.KeyNames = append(keys, a.Key()), append(w.KeyNames, "bob\x1b[2J\r\n")
		}
		d, err := wallet.NewMultisig(wallet.Mainnet, wallet.ScriptWSH, 1, keys)
		if err != nil {
			t.Fatal(err)
		}
		w.Descriptor = d
		text, err := page(w)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if len(lines) > 100 {
			t.Errorf("%d keys: %d lines", n, len(lines))
		}
		var code [][]rune
		for _, l := range lines {
			r := []rune(l)
			if len(r) > 110 {
				t.Errorf("%d keys: a line of %d characters: %q", n, len(r), l)
			}
			if strings.ContainsAny(l, "\x1b\r") {
				t.Errorf("%d keys: control characters in %q", n, l)
			}
			if strings.ContainsAny(l, "█▀▄") || len(code) > 0 && strings.TrimSpace(l) == "" && len(r) == len(code[0]) {
				code = append(code, r)
			}
		}
		first, err := d.Address(wallet.BranchExternal, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(lines, ""), d.String()) || !strings.Contains(text, first) {
			t.Errorf("%d keys: the descriptor or its first address is missing", n)
		}
		if len(d.String()) > pageQR {
			if len(code) > 0 || !strings.Contains(text, "too long") {
				t.Errorf("%d keys: a code of %d lines", n, len(code))
			}
			continue
		}
		if got := scanBlocks(t, code); got != d.String() {
			t.Errorf("%d keys: the code says %q", n, got)
		}
	}
}

// scanBlocks reads a code in half blocks, black on white.
func scanBlocks(t *testing.T, rows [][]rune) string {
	t.Helper()
	const scale, border = 3, 4
	img := image.NewGray(image.Rect(0, 0, (len(rows[0])+2*border)*scale, (2*len(rows)+2*border)*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
		x, y := i%img.Stride/scale-border, i/img.Stride/scale-border
		if x < 0 || y < 0 || y/2 >= len(rows) || x >= len(rows[y/2]) {
			continue
		}
		if c := rows[y/2][x]; c == '█' || c == '▀' && y%2 == 0 || c == '▄' && y%2 == 1 {
			img.Pix[i] = 0
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	if err != nil {
		t.Fatal(err)
	}
	return got.GetText()
}
