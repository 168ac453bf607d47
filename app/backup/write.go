package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"
)

// Writer writes a backup's stream. Close ends it; a stream that was not closed
// is truncated to whoever reads it.
type Writer struct {
	out *bufio.Writer
	sum hash.Hash
	end Manifest
}

// NewWriter begins a stream with its header.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	return newWriter(w, h, plainVersion)
}

// NewSealedWriter is NewWriter for a backup with a SealedKeystore.
func NewSealedWriter(w io.Writer, h Header) (*Writer, error) {
	return newWriter(w, h, Version)
}

func newWriter(w io.Writer, h Header, version int) (*Writer, error) {
	h.Version = version
	b, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("write backup header: %w", err)
	}
	out := &Writer{out: bufio.NewWriterSize(w, 64<<10), sum: sha256.New()}
	return out, out.frame(kindHeader, b)
}

// Add writes an item.
func (w *Writer) Add(i Item) error {
	var head []byte
	switch i.Kind {
	case Keystore, Config, SealedKeystore:
	case Entry:
		head = i.Group[:]
	case Record:
		if len(i.Key) > maxKey {
			return fmt.Errorf("write backup: record key of %d bytes", len(i.Key))
		}
		head = binary.BigEndian.AppendUint16(append([]byte(nil), i.Group[:]...), uint16(len(i.Key)))
		head = append(head, i.Key...)
	case Guard:
		head = append(append([]byte(nil), i.Guard.OutPoint.Hash[:]...), 0, 0, 0, 0)
		binary.BigEndian.PutUint32(head[32:], i.Guard.OutPoint.Index)
		head = append(head, i.Guard.TxID[:]...)
	default:
		return fmt.Errorf("write backup: item of kind %d", i.Kind)
	}
	w.end.count(i.Kind)
	return w.frame(i.Kind, head, i.Value)
}

// Close writes the manifest and what is buffered; it does not close what it writes to.
func (w *Writer) Close() (Manifest, error) { return w.CloseSigned(nil) }

// CloseSigned is Close with a manifest that is signed (see Signer).
func (w *Writer) CloseSigned(sign func(sum []byte) []byte) (Manifest, error) {
	w.end.SHA256 = w.sum.Sum(nil)
	if sign != nil {
		w.end.Signature = sign(w.end.SHA256)
	}
	b, err := json.Marshal(w.end)
	if err != nil {
		return w.end, fmt.Errorf("write manifest: %w", err)
	}
	if err := w.frame(kindManifest, b); err != nil {
		return w.end, err
	}
	if err := w.out.Flush(); err != nil {
		return w.end, fmt.Errorf("write backup: %w", err)
	}
	return w.end, nil
}

func (w *Writer) frame(k Kind, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n > maxPayload {
		return fmt.Errorf("write backup: item of %d bytes", n)
	}
	head := binary.BigEndian.AppendUint32([]byte{byte(k)}, uint32(n))
	for _, p := range append([][]byte{head}, parts...) {
		if _, err := w.sum.Write(p); err != nil {
			return fmt.Errorf("write backup: %w", err)
		}
		if _, err := w.out.Write(p); err != nil {
			return fmt.Errorf("write backup: %w", err)
		}
	}
	return nil
}
