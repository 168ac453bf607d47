package neutrino

import (
	"bytes"
	"encoding/binary"
	"net"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
)

// gate passes on what the library writes to a peer, but for questions about filter
// headers while too few peers are connected: the library would believe the only one
// that answers, store what it says, and drop the honest ones that come later and
// differ. A question that is not sent is asked again by the library.
type gate struct {
	net.Conn
	open func() bool
	held []byte // of a message of which the rest is to come
}

// The header of a message: magic, command, length, checksum.
const (
	commandAt, lengthAt = 4, 16
	messageHeader       = wire.MessageHeaderSize
)

// Write belongs to the one goroutine of the library that writes to the peer.
func (g *gate) Write(b []byte) (int, error) {
	g.held = append(g.held, b...)
	for len(g.held) >= messageHeader {
		length := uint64(binary.LittleEndian.Uint32(g.held[lengthAt:])) + messageHeader
		if uint64(len(g.held)) < length {
			break
		}
		if m := g.held[:length]; !filterHeaders(m) || g.open() {
			if _, err := g.Conn.Write(m); err != nil {
				return 0, err
			}
		}
		g.held = g.held[length:]
	}
	if len(g.held) == 0 {
		g.held = nil
	}
	return len(b), nil
}

// filterHeaders says whether a message asks for filter headers.
func filterHeaders(message []byte) bool {
	c := command(message)
	return c == wire.CmdGetCFHeaders || c == wire.CmdGetCFCheckpt
}

func command(message []byte) string {
	return string(bytes.TrimRight(message[commandAt:lengthAt], "\x00"))
}

// connect dials a peer for the library.
func (b *Backend) connect(addr net.Addr) (net.Conn, error) {
	c, err := b.dial.dial(addr)
	if err != nil {
		return nil, err
	}
	look := &inspector{
		Conn:  c,
		check: func(m *wire.MsgCFilter) error { return b.checkFilter(addr.String(), m) },
		heavy: func(command string, payload []byte) error { return b.checkHeavy(addr.String(), command, payload) },
		floor: func(m *wire.MsgFeeFilter) { b.floors.set(addr.String(), m.MinFee) },
	}
	return &gate{Conn: look, open: b.comparing}, nil
}

// comparing says whether enough peers are connected, and have been for so long
// that a question which is put now was put to them all.
func (b *Backend) comparing() bool {
	need := b.cfg.need()
	if need == 1 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now.peers >= need && time.Since(b.now.enough) > pollEvery
}
