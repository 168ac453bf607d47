package neutrino

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"github.com/btcsuite/btcd/btcutil/v2/gcs"
	"github.com/btcsuite/btcd/btcutil/v2/gcs/builder"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/lightninglabs/neutrino"
	"github.com/lightninglabs/neutrino/banman"
)

// errBadFilter ends the connection to a peer that served a filter that is none.
var errBadFilter = errors.New("the peer served a filter that does not fit its filter header")

// inspector reads along what a peer sends. It looks at filters: the library passes
// over one that does not fit, and goes on asking the same peer. And it looks at
// blocks and transactions before the library decodes them: see heavy.go.
type inspector struct {
	net.Conn
	check func(*wire.MsgCFilter) error
	heavy func(command string, payload []byte) error
	floor func(*wire.MsgFeeFilter) // nil where nobody wants to know

	head []byte // of the message that is coming
	keep []byte // its payload, if it is looked at
	rest uint64 // of its payload, in bytes
	want string // its command, if it is looked at
	bad  error
}

// maxFilter bounds the payload of a message with a filter, in bytes.
const maxFilter = wire.MaxCFilterDataSize + 1 + 32 + 9

// feeFilterSize is the payload of a message with the least fee rate, in bytes (BIP133).
const feeFilterSize = 8

// Read belongs to the one goroutine of the library that reads from the peer.
func (i *inspector) Read(b []byte) (int, error) {
	if i.bad != nil {
		return 0, i.bad
	}
	n, err := i.Conn.Read(b)
	i.feed(b[:n])
	if i.bad != nil {
		return 0, i.bad
	}
	return n, err
}

func (i *inspector) feed(b []byte) {
	for len(b) > 0 && i.bad == nil {
		if len(i.head) < messageHeader {
			n := min(len(b), messageHeader-len(i.head))
			i.head, b = append(i.head, b[:n]...), b[n:]
			if len(i.head) < messageHeader {
				return
			}
			i.rest = uint64(binary.LittleEndian.Uint32(i.head[lengthAt:]))
			if i.want = command(i.head); i.rest > mostKept(i.want) {
				i.want = ""
			}
		}
		n := min(uint64(len(b)), i.rest)
		if i.want != "" {
			i.keep = append(i.keep, b[:n]...)
		}
		i.rest, b = i.rest-n, b[n:]
		if i.rest > 0 {
			return
		}
		i.look()
		if i.head = i.head[:0]; cap(i.keep) > maxFilter {
			i.keep = nil
		} else {
			i.keep = i.keep[:0]
		}
	}
}

// mostKept is how long a payload may be that is looked at. A longer one of a block
// or a transaction the library refuses by itself.
func mostKept(command string) uint64 {
	switch command {
	case wire.CmdCFilter:
		return maxFilter
	case wire.CmdBlock, wire.CmdTx:
		return wire.MaxBlockPayload
	case wire.CmdFeeFilter:
		return feeFilterSize
	}
	return 0
}

// look looks at a payload that is there.
func (i *inspector) look() {
	switch i.want {
	case wire.CmdCFilter:
		var m wire.MsgCFilter
		// What cannot be read the library takes care of.
		if err := m.BtcDecode(bytes.NewReader(i.keep), wire.ProtocolVersion, wire.BaseEncoding); err == nil {
			i.bad = i.check(&m)
		}
	case wire.CmdBlock, wire.CmdTx:
		i.bad = i.heavy(i.want, i.keep)
	case wire.CmdFeeFilter:
		var m wire.MsgFeeFilter
		if err := m.BtcDecode(bytes.NewReader(i.keep), wire.ProtocolVersion, wire.BaseEncoding); err == nil && i.floor != nil {
			i.floor(&m)
		}
	}
}

// checkFilter drops a peer that served a filter which its filter header does not
// commit to.
func (b *Backend) checkFilter(addr string, m *wire.MsgCFilter) error {
	cs, err := b.service()
	if err != nil || fits(cs, m) {
		return nil
	}
	if err := cs.BanPeer(addr, banman.ExceededBanThreshold); err != nil {
		return fmt.Errorf("drop a peer: %w", err)
	}
	b.dropped(addr + " served a filter that does not fit its filter header")
	return errBadFilter
}

// fits says whether a filter is the one its filter header commits to, as far as
// that is known: of a block that has left the chain it is not.
func fits(cs *neutrino.ChainService, m *wire.MsgCFilter) bool {
	height, err := cs.BlockHeaders.HeightFromHash(&m.BlockHash)
	if err != nil || height == 0 || m.FilterType != wire.GCSFilterRegular {
		return true
	}
	prev, err := cs.RegFilterHeaders.FetchHeaderByHeight(height - 1)
	if err != nil {
		return true
	}
	want, err := cs.RegFilterHeaders.FetchHeaderByHeight(height)
	if err != nil {
		return true
	}
	filter, err := gcs.FromNBytes(builder.DefaultP, builder.DefaultM, m.Data)
	if err == nil {
		got, err := builder.MakeHeaderForFilter(filter, *prev)
		if err == nil && got == *want {
			return true
		}
	}
	// The chain may have changed between the questions.
	now, err := cs.BlockHeaders.FetchHeaderByHeight(height)
	return err != nil || now.BlockHash() != m.BlockHash
}
