package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// Reader reads a backup's stream. What it returned counts only once Next has
// returned io.EOF: before that nothing says that the file is whole.
type Reader struct {
	in   *bufio.Reader
	sum  hash.Hash
	head Header
	got  Manifest
}

// NewReader reads the header of a stream. It returns ErrNotBackup, ErrNewer,
// ErrTruncated or ErrCorrupt.
func NewReader(r io.Reader) (*Reader, error) {
	in := &Reader{in: bufio.NewReaderSize(r, 64<<10), sum: sha256.New()}
	k, b, _, err := in.frame()
	if err != nil {
		return nil, err
	}
	if k != kindHeader || json.Unmarshal(b, &in.head) != nil {
		return nil, ErrNotBackup
	}
	if in.head.Version > Version {
		return nil, fmt.Errorf("%w (format %d, this version reads up to %d)", ErrNewer, in.head.Version, Version)
	}
	if in.head.Version < 1 {
		return nil, ErrNotBackup
	}
	return in, nil
}

// Header returns what the backup is of.
func (r *Reader) Header() Header { return r.head }

// Manifest returns what was counted so far.
func (r *Reader) Manifest() Manifest { return r.got }

// Next returns the next item. It returns io.EOF behind the last one, once the
// manifest agrees with everything that came; else ErrTruncated or ErrCorrupt.
func (r *Reader) Next() (Item, error) {
	k, b, sum, err := r.frame()
	if err != nil {
		return Item{}, err
	}
	if k == kindManifest {
		return Item{}, r.finish(b, sum)
	}
	i, err := parse(k, b)
	if err != nil {
		return Item{}, err
	}
	r.got.count(k)
	return i, nil
}

func (r *Reader) finish(b, sum []byte) error {
	var end Manifest
	if json.Unmarshal(b, &end) != nil || !bytes.Equal(end.SHA256, sum) || !end.sameCounts(r.got) || end.Entries > maxItems {
		return fmt.Errorf("%w: its manifest does not agree with what it holds", ErrCorrupt)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it goes on behind its manifest", ErrCorrupt)
	}
	r.got.SHA256, r.got.Signature = end.SHA256, end.Signature
	return io.EOF
}

func parse(k Kind, b []byte) (Item, error) {
	i := Item{Kind: k, Value: b}
	bad := fmt.Errorf("%w: item of kind %d with %d bytes", ErrCorrupt, k, len(b))
	switch k {
	case Keystore, Config, SealedKeystore:
	case Entry:
		if len(b) < 32 {
			return i, bad
		}
		i.Value = b[copy(i.Group[:], b):]
	case Record:
		if len(b) < 34 {
			return i, bad
		}
		b = b[copy(i.Group[:], b):]
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; n > maxKey || n > len(b) {
			return i, bad
		}
		i.Key, i.Value = string(b[:n]), b[n:]
	case Guard:
		if len(b) != 32+4+32 {
			return i, bad
		}
		i.Guard.OutPoint.Hash = chainhash.Hash(b[:32])
		i.Guard.OutPoint.Index = binary.BigEndian.Uint32(b[32:36])
		i.Guard.TxID, i.Value = chainhash.Hash(b[36:]), nil
	default:
		return i, bad
	}
	return i, nil
}

// frame reads one frame; sum is that of everything before it. The payload is
// read as its bytes come, whatever length it claims.
func (r *Reader) frame() (Kind, []byte, []byte, error) {
	sum := r.sum.Sum(nil)
	var head [5]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return 0, nil, nil, readError(err)
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > maxPayload {
		return 0, nil, nil, fmt.Errorf("%w: item of %d bytes", ErrCorrupt, n)
	}
	var b bytes.Buffer
	if got, err := io.CopyN(&b, r.in, int64(n)); err != nil || got != int64(n) {
		return 0, nil, nil, readError(err)
	}
	r.sum.Write(head[:])
	r.sum.Write(b.Bytes())
	return Kind(head[0]), b.Bytes(), sum, nil
}

// readError tells a file that ends early from one that cannot be read.
func readError(err error) error {
	if errors.Is(err, ErrTruncated) || errors.Is(err, ErrCorrupt) {
		return err
	}
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}
