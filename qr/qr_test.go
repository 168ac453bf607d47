package qr

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func kinds() []Kind {
	return []Kind{BBQrPSBT, BBQrTransaction, BBQrJSON, BBQrText, BBQrBinary, URPSBT, URBytes}
}

// payload is n bytes of which runs repeat, as in a PSBT.
func payload(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]byte, n)
	for i := range out {
		if i > 40 && r.IntN(4) > 0 {
			out[i] = out[i-40]
		} else {
			out[i] = byte(r.Uint32())
		}
	}
	return out
}

// Frames fit, use the small alphabet, and make the payload again in any order,
// with repeats; those of a UR also with losses.
func TestSplitAndJoin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		kind := rapid.SampledFrom(kinds()).Draw(r, "kind")
		want := payload(rapid.Uint64().Draw(r, "seed"), rapid.IntRange(1, 6000).Draw(r, "size"))
		size := rapid.SampledFrom([]int{100, 250, TerminalFrame, ImageFrame, MaxFrame}).Draw(r, "frame")
		frames, err := Split(kind, want, size)
		if err != nil {
			r.Fatal(err)
		}
		for _, f := range frames {
			if len(f) > size || strings.Trim(f, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:") != "" {
				r.Fatalf("frame of %d characters, at most %d: %q", len(f), size, f)
			}
		}
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "order"), 2))
		order.Shuffle(len(frames), func(i, k int) { frames[i], frames[k] = frames[k], frames[i] })
		var j Joiner
		done := false
		for i, f := range frames {
			if i%3 == 0 {
				f = " " + strings.ToLower(f) + "\n"
			}
			if done, _, err = j.Add(f); err != nil {
				r.Fatal(err)
			}
			if again, p, err := j.Add(f); err != nil || again != done || done != (p.Have == p.Need) {
				r.Fatalf("the same again: %t %+v %v", again, p, err)
			}
			if done {
				break
			}
			if _, _, err := j.Payload(); !errors.Is(err, ErrIncomplete) {
				r.Fatalf("before all is there: %v", err)
			}
		}
		got, as, err := j.Payload()
		if err != nil || !done || as != kind || !bytes.Equal(got, want) {
			r.Fatalf("%d frames of %s: %t, %s of %d bytes, %v", len(frames), kind, done, as, len(got), err)
		}
	})
}

// With a quarter of the frames lost, a UR is joined from the rest.
func TestURWithLosses(t *testing.T) {
	for seed := range uint64(20) {
		want := payload(seed, 3000)
		frames, err := Split(URPSBT, want, 200)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 3))
		frames = slices.DeleteFunc(frames, func(string) bool { return r.IntN(4) == 0 })
		var j Joiner
		for _, f := range frames {
			if done, _, err := j.Add(f); err != nil {
				t.Fatal(err)
			} else if done {
				break
			}
		}
		if got, kind, err := j.Payload(); err != nil || kind != URPSBT || !bytes.Equal(got, want) {
			t.Errorf("seed %d: %v after %+v of %d frames", seed, err, j.Progress(), len(frames))
		}
	}
}

// The three encodings of BBQr, by hand.
func TestBBQrByHand(t *testing.T) {
	for name, frames := range map[string][]string{
		"hex":    {"B$HU0201" + "6C6F", "B$HU0200" + "48656C"},
		"base32": {"B$2U0100" + "JBSWY3DP"},
		// Deflated by zlib with a window of 1024 bytes.
		"zlib": {"B$ZU0100" + bbqrBase32().EncodeToString([]byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00})},
	} {
		var j Joiner
		for i, f := range frames {
			done, p, err := j.Add(f)
			if err != nil || done != (i == len(frames)-1) || p.Need != len(frames) {
				t.Fatalf("%s: %t %+v %v", name, done, p, err)
			}
		}
		if got, kind, err := j.Payload(); err != nil || kind != BBQrText || string(got) != "Hello" {
			t.Errorf("%s: %q %s %v", name, got, kind, err)
		}
	}
}

// What is deflated never refers further back than a device's window: what
// repeats after more than that does not get smaller.
func TestDeflateWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	once := make([]byte, 1500)
	for i := range once {
		once[i] = byte(r.Uint32())
	}
	out, err := deflate(append(slices.Clone(once), once...))
	if err != nil || len(out) < 3000 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	near, err := deflate(bytes.Repeat([]byte("0123456789"), 300))
	if err != nil || len(near) > 200 {
		t.Errorf("%d bytes, %v", len(near), err)
	}
	if back, err := inflate(near); err != nil || len(back) != 3000 {
		t.Errorf("%d bytes back, %v", len(back), err)
	}
}

// Each rule of a frame, broken once; what is refused changes nothing.
func TestRefusedFrames(t *testing.T) {
	bb, err := Split(BBQrPSBT, payload(1, 900), 250)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Split(BBQrPSBT, payload(2, 900), 250)
	if err != nil {
		t.Fatal(err)
	}
	long, err := Split(BBQrPSBT, payload(1, 9000), 250)
	if err != nil {
		t.Fatal(err)
	}
	ur, err := Split(URPSBT, payload(1, 900), 250)
	if err != nil {
		t.Fatal(err)
	}
	urOther, err := Split(URPSBT, payload(2, 900), 250)
	if err != nil {
		t.Fatal(err)
	}
	bytesUR, err := Split(URBytes, payload(1, 900), 250)
	if err != nil {
		t.Fatal(err)
	}
	single, err := Split(URPSBT, payload(1, 9), 250)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		before, frame string
		err           error
	}{
		"text":                 {"", "bitcoin:bc1q", ErrFrame},
		"too long":             {"", "B$2P0100" + strings.Repeat("A", MaxFrame), ErrFrame},
		"BBQr cut short":       {"", "B$2P0100", ErrFrame},
		"BBQr encoding":        {"", "B$QP0100AAAAAAAA", ErrFrame},
		"BBQr file type":       {"", "B$2Q0100AAAAAAAA", ErrFrame},
		"BBQr count":           {"", "B$2P0000AAAAAAAA", ErrFrame},
		"BBQr part":            {"", "B$2P0202AAAAAAAA", ErrFrame},
		"BBQr numbers":         {"", "B$2P0-00AAAAAAAA", ErrFrame},
		"BBQr base32":          {"", "B$2P0100AAAAAAA1", ErrFrame},
		"BBQr hex":             {"", "B$HP0100AAZZ", ErrFrame},
		"BBQr within a byte":   {"", bb[0][:len(bb[0])-1], ErrFrame},
		"BBQr another count":   {bb[0], long[1], ErrOtherMessage},
		"BBQr another payload": {bb[0], other[0], ErrOtherMessage},
		"BBQr another size":    {bb[0], bb[1][:len(bb[1])-8], ErrOtherMessage},
		"BBQr damaged zlib":    {"", "B$ZP0100AAAAAAAA", ErrDamaged},
		"BBQr after UR":        {ur[0], bb[0], ErrOtherMessage},
		"UR after BBQr":        {bb[0], ur[0], ErrOtherMessage},
		"UR type":              {"", strings.Replace(ur[0], "CRYPTO-PSBT", "CRYPTO-SEED", 1), ErrFrame},
		"UR damaged":           {"", ur[0][:len(ur[0])-2] + "AE", ErrFrame},
		"UR cut short":         {"", ur[0][:len(ur[0])-1], ErrFrame},
		"UR no byteword":       {"", ur[0][:len(ur[0])-2] + "XX", ErrFrame},
		"UR number":            {"", strings.Replace(ur[0], "/1-", "/2-", 1), ErrFrame},
		"UR slashes":           {"", ur[0] + "/AE", ErrFrame},
		"UR another payload":   {ur[0], urOther[1], ErrOtherMessage},
		"UR another type":      {ur[0], bytesUR[1], ErrOtherMessage},
		"UR whole after part":  {ur[0], single[0], ErrOtherMessage},
		"UR part after whole":  {single[0], ur[0], ErrOtherMessage},
		"UR no byte string":    {"", "UR:BYTES/LSADAOAXJYGONESW", ErrDamaged},
	} {
		var j Joiner
		if c.before != "" {
			if _, _, err := j.Add(c.before); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		before := j.Progress()
		done, p, err := j.Add(c.frame)
		if done || !errors.Is(err, c.err) || p != before {
			t.Errorf("%s: %t %+v %v, want %v", name, done, p, err, c.err)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || len(err.Error()) > 200) {
			t.Errorf("%s: not one clear line: %q", name, err)
		}
	}
}

// A part with a right checksum of its own and a wrong fragment is found out at
// the end, and the joiner begins anew.
func TestForgedPart(t *testing.T) {
	want := payload(3, 900)
	frames, err := Split(URPSBT, want, 250)
	if err != nil {
		t.Fatal(err)
	}
	_, p, _, err := parseUR(frames[0])
	if err != nil {
		t.Fatal(err)
	}
	p.data[3] ^= 1
	body := appendHead(nil, cborArray, 5)
	for _, n := range []uint64{uint64(p.number), uint64(p.count), uint64(p.length), uint64(p.checksum)} {
		body = appendHead(body, cborUint, n)
	}
	body = append(appendHead(body, cborBytes, uint64(len(p.data))), p.data...)
	forged := fmt.Sprintf("UR:CRYPTO-PSBT/%d-%d/%s", p.number, p.count, encodeWords(body))
	var j Joiner
	for i, f := range append([]string{forged}, frames[1:p.count]...) {
		_, _, err = j.Add(f)
		if (err != nil) != (i == p.count-1) {
			t.Fatalf("part %d: %v", i+1, err)
		}
	}
	if !errors.Is(err, ErrDamaged) || j.Progress() != (Progress{}) {
		t.Fatalf("%v, %+v", err, j.Progress())
	}
	for _, f := range frames[:p.count] {
		if _, _, err := j.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if got, _, err := j.Payload(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("after that: %v", err)
	}
}

func TestSplitLimits(t *testing.T) {
	for name, err := range map[string]error{
		"nothing":   second(Split(URPSBT, nil, 250)),
		"kind":      second(Split("x", []byte("a"), 250)),
		"frame":     second(Split(URPSBT, []byte("a"), minFrame-1)),
		"too large": second(Split(URPSBT, make([]byte, MaxPayload+1), MaxFrame)),
		"UR parts":  second(Split(URPSBT, payload(1, 1<<20), minFrame)),
		"BBQr":      second(Split(BBQrPSBT, payload(1, 1<<20), minFrame)),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	// A small frame that grows beyond all bounds is stopped.
	bomb, err := deflate(make([]byte, MaxPayload+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inflate(bomb); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a bomb: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func fuzzSeeds(f *testing.F) {
	for _, k := range kinds() {
		for _, size := range []int{100, MaxFrame} {
			frames, err := Split(k, payload(1, 300), size)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(frames[0], frames[len(frames)-1])
		}
	}
	f.Add(urSingle, urParts()[12])
}

// FuzzJoin holds both decoders to no panic, bounded answers, and to the same
// answer for the same frames again.
func FuzzJoin(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, a, b string) {
		var j Joiner
		for _, s := range []string{a, b, a} {
			done, p, err := j.Add(s)
			if p.Have < 0 || p.Have > p.Need || done && (err != nil || p.Have != p.Need) {
				t.Fatalf("%t %+v %v", done, p, err)
			}
		}
		got, kind, err := j.Payload()
		if err != nil {
			return
		}
		if len(got) > MaxPayload {
			t.Fatalf("%d bytes", len(got))
		}
		if len(got) == 0 {
			return
		}
		frames, err := Split(kind, got, MaxFrame)
		if err != nil {
			t.Fatal(err)
		}
		var again Joiner
		for _, s := range frames {
			if _, _, err := again.Add(s); err != nil {
				t.Fatal(err)
			}
		}
		if back, _, err := again.Payload(); err != nil || !bytes.Equal(back, got) {
			t.Fatalf("%x became %x %v", got, back, err)
		}
	})
}
