// Package chainfigures recomputes the figures of docs/chain.md.
package chainfigures

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2/gcs/builder"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/headerfs"
)

const document = "../../docs/chain.md"

// Sizes of messages, from the Bitcoin protocol.
const (
	envelope     = 24                            // magic, command, length, checksum
	inv          = envelope + 1 + 36             // announces one block
	oneHeader    = envelope + 1 + 80 + 1         // headers, with one
	getHeaders   = envelope + 4 + 1 + 32*32 + 32 // a locator of a chain of a million has some 32 hashes
	getCFHeaders = envelope + 1 + 4 + 32
	oneCFHeader  = envelope + 1 + 32 + 32 + 1 + 32 // cfheaders, with one
	ping         = envelope + 8                    // and pong
	pingsADay    = 24 * 60 / 2                     // btcd's peer package pings every two minutes, and so does Core

	daysAMonth = 30
	daysAYear  = 365
)

// params are those of the document's table.
type params struct {
	height, blocksADay, header, filterHeader float64
	filter, scripts, block, peers            float64
	index, filterCache, blockCache, decoded  float64
	own                                      float64
}

var number = regexp.MustCompile(`[0-9][0-9,]*(\.[0-9]+)?`)

func cell(t *testing.T, text, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + ` \| ([^|]*) \|`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s has no parameter %q", document, name)
	}
	return m[1]
}

// amounts are the numbers in a cell, with their units worked in.
func amounts(t *testing.T, s string) []float64 {
	t.Helper()
	var out []float64
	for _, at := range number.FindAllStringIndex(s, -1) {
		v, err := strconv.ParseFloat(strings.ReplaceAll(s[at[0]:at[1]], ",", ""), 64)
		if err != nil {
			t.Fatal(err)
		}
		unit := map[string]float64{"kB": 1e3, "MB": 1e6, "MiB": 1 << 20}[strings.TrimSuffix(strings.Fields(s[at[1]:] + " x")[0], ",")]
		out = append(out, v*max(unit, 1))
	}
	return out
}

func read(t *testing.T, text string) params {
	t.Helper()
	one := func(name string) float64 { return amounts(t, cell(t, text, name))[0] }
	caches := amounts(t, cell(t, text, "caches"))
	return params{
		height: one("height"), blocksADay: one("blocks a day"), header: one("block header"), filterHeader: one("filter header, filter hash"),
		filter: one("filter"), scripts: amounts(t, cell(t, text, "false matches"))[1], block: one("block"), peers: one("peers"),
		index: one("header index"), filterCache: caches[0], blockCache: caches[1], decoded: one("decoded block"), own: one("own blocks"),
	}
}

// falseMatches is how many of some blocks match n scripts that are not in them.
func (p params) falseMatches(n, blocks float64) float64 {
	return blocks * (1 - math.Pow(1-1/p.scripts, n))
}

// figures are the rows of the document's second table.
func (p params) figures() [][3]string {
	headers, filters := p.height*p.header, p.height*p.filterHeader
	disk := headers + filters + p.index
	blockHeadersIn := p.height * (p.header + 1) // each comes with a count of transactions
	checkpoints := p.peers * math.Floor(p.height/wire.CFCheckptInterval) * p.filterHeader
	perBlock := p.peers * (inv + getHeaders + oneHeader + getCFHeaders + oneCFHeader)
	pings := p.peers * 4 * ping * pingsADay // both sides ask and answer
	day := p.blocksADay*(p.filter+perBlock) + pings
	month := daysAMonth * day
	memory := p.filterCache + p.decoded*p.blockCache + 3*p.decoded*4e6
	rows := [][3]string{
		{"disk: block headers", "height × 80 B", size(headers)},
		{"disk: filter headers", "height × 32 B", size(filters)},
		{"disk: in all", "both, and the header index; it grows by " + size(daysAYear*p.blocksADay*disk/p.height) + " a year", size(disk)},
		{"memory", fmt.Sprintf("24 MiB of filters, 6 MiB of blocks × %[1]g as they are kept decoded, three blocks of at most 4 MB × %[1]g on their way; the header index is a mapped file besides", p.decoded), size(memory)},
		{"first sync: block headers", "height × 81 B, from one peer", size(blockHeadersIn)},
		{"first sync: filter headers", "height × 32 B, from one peer, and a checkpoint for each 1,000 from 8", size(filters + checkpoints)},
		{"first sync of a new wallet", "both, and 144 filters", size(blockHeadersIn + filters + checkpoints + 144*p.filter)},
		{"each start", "the checkpoints again, from 8 peers", size(checkpoints)},
		{"a day: filters", "144 × 24 kB", size(p.blocksADay * p.filter)},
		{"a day: announcements, headers, filter headers", "144 × 8 peers × " + whole(perBlock/p.peers) + " B, both ways", size(p.blocksADay * perBlock)},
		{"a day: pings", "8 peers × 720 × 4 × 32 B", size(pings)},
		{"a day, nothing happening", "the three", size(day)},
		{"a month, nothing happening", "30 days", size(month)},
		{"each block with a transaction of yours", "1 block", size(p.block)},
	}
	for _, years := range []float64{1, 2, 5} {
		blocks := years * daysAYear * p.blocksADay
		own := years * p.own * p.block
		for _, n := range []float64{40, 2040} {
			wrong := p.falseMatches(n, blocks)
			rows = append(rows, [3]string{
				fmt.Sprintf("restored, born %s ago, %s scripts", plural(years, "year"), whole(n)),
				fmt.Sprintf("%s filters: %s; %.1f false matches: %s; %s own blocks: %s", whole(blocks), size(blocks*p.filter), wrong, size(wrong*p.block), whole(years*p.own), size(own)),
				size(blocks*p.filter + wrong*p.block + own),
			})
		}
	}
	return rows
}

func plural(n float64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return whole(n) + " " + unit + "s"
}

func size(n float64) string {
	switch {
	case n >= 1e10:
		return fmt.Sprintf("%.0f GB", n/1e9)
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", n/1e9)
	case n >= 1e7:
		return fmt.Sprintf("%.0f MB", n/1e6)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
	return fmt.Sprintf("%.0f kB", n/1e3)
}

// whole writes thousands with commas.
func whole(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// TestFigures: the second table follows from the first.
func TestFigures(t *testing.T) {
	raw, err := os.ReadFile(filepath.FromSlash(document))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	p := read(t, text)
	want := p.figures()
	_, table, ok := strings.Cut(text, "| figure | computed | result |\n|---|---|---|\n")
	if !ok {
		t.Fatal("there is no table of figures")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	have := strings.Split(strings.TrimSpace(table), "\n")
	if len(have) != len(want) {
		t.Errorf("%d figures, want %d", len(have), len(want))
	}
	for i, row := range want {
		line := "| " + strings.Join(row[:], " | ") + " |"
		if i >= len(have) || have[i] != line {
			t.Errorf("row %d should be\n%s", i+1, line)
		}
	}
}

// TestParameters: what the document takes from the code is what the code has.
func TestParameters(t *testing.T) {
	raw, err := os.ReadFile(filepath.FromSlash(document))
	if err != nil {
		t.Fatal(err)
	}
	p := read(t, string(raw))
	source, err := os.ReadFile("../../chain/neutrino/config.go")
	if err != nil {
		t.Fatal(err)
	}
	constant := func(name string) float64 {
		m := regexp.MustCompile(`(?m)^\s*` + name + `\s*= ([0-9]+) << 20$`).FindSubmatch(source)
		if m == nil {
			t.Fatalf("%s is not in chain/neutrino/config.go", name)
		}
		v, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		return float64(v) * (1 << 20)
	}
	for name, c := range map[string]struct{ have, want float64 }{
		"block header":  {p.header, headerfs.BlockHeaderSize},
		"filter header": {p.filterHeader, headerfs.RegularFilterHeaderSize},
		"false matches": {p.scripts, float64(builder.DefaultM)},
		"peers":         {p.peers, float64(neutrino.TargetOutbound)},
		"filter cache":  {p.filterCache, constant("filterCache")},
		"block cache":   {p.blockCache, constant("blockCache")},
		// The blocks of the two sources of which the later ones follow.
		"filter": {p.filter, math.Round((10.289143823e9-2_628_728_815*float64(620_832-480_000)/(620_832-481_824))/(940_000-620_832)/1e3) * 1e3},
	} {
		if c.have != c.want {
			t.Errorf("%s: the document says %v, want %v", name, c.have, c.want)
		}
	}
}
