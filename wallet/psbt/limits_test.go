package psbt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// packet joins maps, each given as its keys and values in turn.
func packet(maps ...[]string) []byte {
	b := []byte(magic)
	for _, m := range maps {
		for _, part := range m {
			b = appendBytes(b, []byte(part))
		}
		b = append(b, 0)
	}
	return b
}

func compact(v uint64) string { return string(appendCompact(nil, v)) }

// global2 is the global map of a version 2 packet.
func global2(inputs, outputs uint64) []string {
	return []string{"\x02", "\x02\x00\x00\x00", "\x04", compact(inputs), "\x05", compact(outputs), "\xfb", "\x02\x00\x00\x00"}
}

// input2 is an input map of a version 2 packet with one more field.
func input2(key, value string) []string {
	return []string{"\x0e", string(make([]byte, 32)), "\x0f", "\x00\x00\x00\x00", key, value}
}

// Counts that promise far more than follows cost next to nothing.
func TestHostileCounts(t *testing.T) {
	huge := []uint64{1 << 16, 4_000_000, math.MaxUint32, math.MaxInt64, math.MaxUint64}
	for _, n := range huge {
		c := compact(n)
		leaf := "\x16" + string(pubKey(1)[1:])
		cases := map[string][]byte{
			"inputs":         packet(global2(n, 0)),
			"outputs":        packet(global2(0, n)),
			"tx inputs":      packet([]string{"\x00", "\x02\x00\x00\x00" + c + string(make([]byte, 100))}),
			"tx outputs":     packet([]string{"\x00", "\x02\x00\x00\x00\x00" + c + string(make([]byte, 100))}),
			"tx script":      packet([]string{"\x00", "\x02\x00\x00\x00\x01" + string(make([]byte, 36)) + c + "\x00\x00"}),
			"witness":        packet(global2(1, 0), input2("\x08", c+"\x00")),
			"witness item":   packet(global2(1, 0), input2("\x08", "\x01"+c+"\x00")),
			"prev inputs":    packet(global2(1, 0), input2("\x00", "\x02\x00\x00\x00"+c+"\x00")),
			"prev witness":   packet(global2(1, 0), input2("\x00", "\x02\x00\x00\x00\x00\x01\x01"+string(make([]byte, 41))+"\x00"+c+"\x00")),
			"leaf hashes":    packet(global2(1, 0), input2(leaf, c+"\x00")),
			"key length":     append([]byte(magic), c...),
			"value length":   append([]byte(magic+"\x01\x77"), c...),
			"identifier":     packet([]string{"\xfc" + c, ""}),
			"tap tree":       packet(global2(0, 1), []string{"\x06", "\x00\xc0" + c}),
			"witness script": packet(global2(1, 0), input2("\x01", string(make([]byte, 8))+c)),
		}
		for name, raw := range cases {
			var err error
			used := allocated(func() { _, err = Parse(raw) })
			if !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s of %d: %v", name, n, err)
			}
			if used > 64<<10 {
				t.Errorf("%s of %d: %d bytes allocated for %d", name, n, used, len(raw))
			}
		}
	}
}

// allocated returns the bytes that f allocates in total.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Packets as large as allowed and made of the smallest parts there are.
func TestHostilePacketsBoundMemory(t *testing.T) {
	unknowns := func(n int) (m []string) {
		for i := range n {
			m = append(m, string(binary.BigEndian.AppendUint16([]byte{0x77}, uint16(i))), "")
		}
		return m
	}
	many := make([][]string, 0, 2001)
	many = append(many, global2(0, 2000))
	for range 2000 {
		many = append(many, append(unknowns(1500), "\x03", string(make([]byte, 8)), "\x04", ""))
	}
	items := make([][]string, 0, 1001)
	items = append(items, global2(1000, 0))
	for i := range 1000 {
		in := input2("\x08", compact(MaxWitnessItems)+string(make([]byte, MaxWitnessItems)))
		in[3] = string(binary.LittleEndian.AppendUint32(nil, uint32(i)))
		items = append(items, in)
	}
	outs := maxItems - 100
	tx := "\x02\x00\x00\x00\x01" + string(make([]byte, minTxIn)) + compact(uint64(outs)) + string(make([]byte, outs*minTxOut+4))
	cases := map[string]struct {
		raw  []byte
		want error
	}{
		"unknown fields": {packet(many...), ErrTooLarge},
		"witness items":  {packet(items...), ErrTooLarge},
		"outputs":        {packet(global2(1, 0), input2("\x00", tx)), ErrUTXO},
	}
	for name, c := range cases {
		raw := c.raw
		if len(raw) < MaxSize/2 || len(raw) > MaxSize {
			t.Fatalf("%s: %d bytes say little", name, len(raw))
		}
		var err error
		used := allocated(func() { _, err = Parse(raw) })
		t.Logf("%s: %d MiB allocated for %d MiB: %v", name, used>>20, len(raw)>>20, err)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if used > 1<<30 {
			t.Errorf("%s: %d MiB allocated", name, used>>20)
		}
	}
}

func TestLimits(t *testing.T) {
	if _, err := Parse(make([]byte, MaxSize+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("size: %v", err)
	}
	if _, err := ParseText(bytes.Repeat([]byte("A"), 2*MaxSize+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("size of text: %v", err)
	}
	var many []string
	for i := range MaxFields + 1 {
		many = append(many, string(binary.BigEndian.AppendUint32([]byte{0x77}, uint32(i))), "")
	}
	if _, err := Parse(packet(many)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("fields: %v", err)
	}
	long := []string{"\x77" + string(make([]byte, MaxKeySize)), ""}
	if _, err := Parse(packet(long)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("key: %v", err)
	}
	p := fullPacket(t, 2)
	p.Unknown[0].Value = make([]byte, MaxSize)
	if _, err := p.Bytes(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("written size: %v", err)
	}
	for i := range MaxFields {
		p.Unknown = append(p.Unknown, Unknown{Key: binary.BigEndian.AppendUint32([]byte{0x78}, uint32(i))})
	}
	if _, err := p.Bytes(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("written fields: %v", err)
	}
	tx := wire.NewMsgTx(2)
	tx.TxIn = make([]*wire.TxIn, MaxInputs+1)
	if _, err := New(tx, 2); !errors.Is(err, ErrTooLarge) {
		t.Errorf("inputs: %v", err)
	}
	tx.TxIn, tx.TxOut = nil, make([]*wire.TxOut, MaxOutputs+1)
	if _, err := New(tx, 2); !errors.Is(err, ErrTooLarge) {
		t.Errorf("outputs: %v", err)
	}
}

// What is malformed in ways that no vector shows.
func TestParseRefuses(t *testing.T) {
	raw := mustBytes(t, fullPacket(t, 2))
	for n := range raw { // cut short anywhere
		if _, err := Parse(raw[:n]); err == nil {
			t.Fatalf("accepted when cut at %d", n)
		}
	}
	leaf := "\x16" + string(pubKey(1)[1:])
	cases := map[string]struct {
		want error
		raw  []byte
	}{
		"empty":               {ErrMagic, nil},
		"magic only":          {ErrTruncated, []byte(magic)},
		"trailing byte":       {ErrTrailing, append(bytes.Clone(raw), 0)},
		"long integer":        {ErrMalformed, []byte(magic + "\xfd\x01\x00\x77\x00\x00")},
		"version 1":           {ErrVersion, packet([]string{"\xfb", "\x01\x00\x00\x00"})},
		"version 3":           {ErrVersion, packet([]string{"\xfb", "\x03\x00\x00\x00"})},
		"version size":        {ErrMalformed, packet([]string{"\xfb", "\x02"})},
		"flags size":          {ErrMalformed, packet([]string{"\x06", ""})},
		"flags key":           {ErrMalformed, packet([]string{"\x06\x00", "\x00"})},
		"count trailing":      {ErrTrailing, packet([]string{"\x04", "\x00\x00"})},
		"count key":           {ErrMalformed, packet([]string{"\x04\x00", "\x00"})},
		"xpub size":           {ErrMalformed, packet([]string{"\x01" + string(make([]byte, 77)), "\x00\x00\x00\x00"})},
		"identifier":          {ErrTruncated, packet([]string{"\xfc", ""})},
		"subtype":             {ErrTruncated, packet([]string{"\xfc\x00", ""})},
		"unknown type":        {ErrMalformed, packet([]string{"\xfd\x01\x00", ""})},
		"witness trailing":    {ErrTrailing, packet(global2(1, 0), input2("\x08", "\x00\x00"))},
		"utxo trailing":       {ErrTrailing, packet(global2(1, 0), input2("\x01", string(make([]byte, 10))))},
		"witness-less tx":     {ErrMalformed, packet(global2(1, 0), input2("\x00", "\x02\x00\x00\x00\x00\x01\x01"+string(make([]byte, 41))+"\x00\x00\x00\x00\x00\x00"))},
		"origin size":         {ErrMalformed, packet(global2(1, 0), input2("\x06"+string(pubKey(1)), "\x00\x00\x00"))},
		"origin empty":        {ErrMalformed, packet(global2(1, 0), input2("\x06"+string(pubKey(1)), ""))},
		"tap origin empty":    {ErrMalformed, packet(global2(1, 0), input2(leaf, "\x00"))},
		"tap leaf empty":      {ErrMalformed, packet(global2(1, 0), input2("\x15"+string(make([]byte, 33)), ""))},
		"path":                {ErrTooLarge, packet(global2(1, 0), input2("\x06"+string(pubKey(1)), string(make([]byte, 4*(MaxPath+2)))))},
		"tree key":            {ErrMalformed, packet(global2(0, 1), []string{"\x06\x00", ""})},
		"tree cut":            {ErrTruncated, packet(global2(0, 1), []string{"\x06", "\x00"})},
		"amount size":         {ErrMalformed, packet(global2(0, 1), []string{"\x03", "\x00"})},
		"amount key":          {ErrMalformed, packet(global2(0, 1), []string{"\x03\x00", string(make([]byte, 8))})},
		"missing global sep":  {ErrTruncated, []byte(magic + "\x01\x77\x00")},
		"missing all outputs": {ErrTruncated, packet(global2(0, 0))[:len(packet(global2(0, 0)))-1]},
	}
	for name, c := range cases {
		if _, err := Parse(c.raw); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for _, text := range []string{"", "hello", "70736274ff0", "cHNidP8B$", "\x00\x01"} {
		if _, err := ParseText([]byte(text)); err == nil {
			t.Errorf("text %q accepted", text)
		}
	}
}
