package core

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// How many bytes an answer may have. What is decoded of one takes at most four
// times as much; what would take more is measured first, or read piece by piece.
const (
	// maxAnswer is for most questions, and for an error: a state of the chain
	// with its list of soft forks has 10 kB.
	maxAnswer = 64 << 10
	// maxBlock is for a block: at most 4 MB, in hex.
	maxBlock = 9_000_000
	// maxFilter is for a block filter in hex. One of a block that is all outputs,
	// 110,000 of them, has 300 kB.
	maxFilter = 2 << 20
	// maxList is for the ids of the mempool, 67 bytes each.
	maxList = poolTxs*67 + maxAnswer
	// maxBatched is for each transaction of the mempool: at most 400,000 bytes, in
	// hex.
	maxBatched = 2*poolWeight + 1_000
)

// mostBytes says how many bytes the answer to a question may have.
func mostBytes(method string) int64 {
	switch method {
	case "getblock":
		return maxBlock
	case "getblockfilter", "getcfilter":
		return maxFilter
	case "getrawmempool":
		return maxList
	}
	return maxAnswer
}

// bounded reads at most left bytes, and remembers why it ended.
type bounded struct {
	r    io.Reader
	left int64
	err  error // other than io.EOF
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	over := b.left == 0
	// One byte more than is allowed tells the end from too much.
	n, err := b.r.Read(p[:min(int64(len(p)), max(b.left, 1))])
	if over && n > 0 {
		b.err = ErrTooLarge
		return 0, b.err
	}
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// explain tells an answer that ended or had too much from one that was read and
// is wrong.
func (b *bounded) explain(ctx context.Context, err error) error {
	switch {
	case err == nil, b.err == nil:
		return err
	case errors.Is(b.err, ErrTooLarge):
		return b.err
	}
	return explain(ctx, b.err)
}

// readAll reads everything, size bytes where that is not negative.
func readAll(r io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return io.ReadAll(r)
	}
	b := make([]byte, size)
	_, err := io.ReadFull(r, b)
	return b, err
}

// pieces decodes JSON value by value from a stream, each of a bounded size: what
// came before is not kept.
type pieces struct {
	dec   *json.Decoder
	leash bounded
	most  int64
}

func newPieces(r io.Reader, most int64) *pieces {
	p := &pieces{leash: bounded{r: r}, most: most}
	p.dec = json.NewDecoder(&p.leash)
	return p
}

// token returns the next token: of a string at most so many bytes as of a value.
func (p *pieces) token() (json.Token, error) {
	p.leash.left = p.most
	t, err := p.dec.Token()
	return t, p.wrong(err)
}

func (p *pieces) value(v any) error {
	p.leash.left = p.most
	return p.wrong(p.dec.Decode(v))
}

// delim reads a delimiter.
func (p *pieces) delim(want json.Delim) error {
	t, err := p.token()
	if err == nil && t != want {
		err = fmt.Errorf("%w: no JSON-RPC answer", ErrGarbage)
	}
	return err
}

// end checks that nothing follows.
func (p *pieces) end() error {
	p.leash.left = p.most
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the answer", ErrGarbage)
	}
	return nil
}

func (p *pieces) wrong(err error) error {
	if err == nil || errors.Is(err, ErrGarbage) || errors.Is(err, ErrTooLarge) {
		return err
	}
	if p.leash.err != nil {
		return p.leash.err
	}
	return fmt.Errorf("%w: no JSON-RPC answer", ErrGarbage)
}

// parseBatch reads n answers, whatever their order, and gives take those that are
// no errors: text in hex, decoded. It stops at the first answer too many.
func parseBatch(r io.Reader, n int, take func(i int, raw []byte) error) error {
	p := newPieces(r, maxBatched)
	if err := p.delim('['); err != nil {
		return err
	}
	seen := make([]bool, n)
	for p.dec.More() {
		var one response
		if err := p.value(&one); err != nil {
			return err
		}
		if one.ID == nil || *one.ID < 0 || *one.ID >= n || seen[*one.ID] {
			return fmt.Errorf("%w: answer to no question", ErrGarbage)
		}
		seen[*one.ID] = true
		if one.Error != nil {
			continue
		}
		var raw []byte
		if err := decodeHex(one.Result, &raw, "a batch"); err != nil {
			return err
		}
		if err := take(*one.ID, raw); err != nil {
			return err
		}
	}
	if err := p.delim(']'); err != nil {
		return err
	}
	return p.end()
}

// listing is what a node says is in its mempool, each once and in its order.
type listing struct {
	ids []chainhash.Hash
	set map[chainhash.Hash]struct{}
	// cut says that there are more than were read.
	cut bool
}

// readList reads an answer that is a list of ids, most of them and then no
// further, without keeping its text.
func readList(r io.Reader, most int) (listing, error) {
	l := listing{set: map[chainhash.Hash]struct{}{}}
	p := newPieces(r, maxAnswer)
	if err := p.delim('{'); err != nil {
		return l, err
	}
	var failed *rpcError
	found := false
	for p.dec.More() {
		name, err := p.token()
		if err != nil {
			return l, err
		}
		switch {
		case name == "result" && !found:
			if found, err = p.ids(&l, most); err != nil || l.cut {
				return l, err
			}
		case name == "result":
			return l, fmt.Errorf("%w: two results", ErrGarbage)
		case name == "error":
			failed = nil
			if err := p.value(&failed); err != nil {
				return l, err
			}
		default:
			var other json.RawMessage
			if err := p.value(&other); err != nil {
				return l, err
			}
		}
	}
	if err := p.delim('}'); err != nil {
		return l, err
	}
	if err := p.end(); err != nil {
		return l, err
	}
	switch {
	case failed != nil:
		return listing{}, failed.refusal()
	case !found:
		return l, fmt.Errorf("%w: neither result nor error", ErrGarbage)
	}
	return l, nil
}

// ids reads the list itself; null, which stands beside an error, is none.
func (p *pieces) ids(l *listing, most int) (found bool, err error) {
	t, err := p.token()
	if err != nil || t == nil {
		return false, err
	}
	if t != json.Delim('[') {
		return false, fmt.Errorf("%w: mempool", ErrGarbage)
	}
	for n := 0; p.dec.More(); n++ {
		if n == most {
			l.cut = true
			return true, nil
		}
		t, err := p.token()
		if err != nil {
			return false, err
		}
		text, ok := t.(string)
		id, err := chainhash.NewHashFromStr(text)
		if !ok || err != nil || len(text) != hex.EncodedLen(chainhash.HashSize) {
			return false, fmt.Errorf("%w: mempool", ErrGarbage)
		}
		if _, twice := l.set[*id]; !twice {
			l.set[*id] = struct{}{}
			l.ids = append(l.ids, *id)
		}
	}
	return true, p.delim(']')
}
