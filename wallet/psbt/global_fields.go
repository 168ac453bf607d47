package psbt

import (
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// globals is the global map as read, before its parts are checked against the
// version and spread over the packet.
type globals struct {
	tx       *wire.MsgTx
	version  *uint32
	txVer    *uint32
	fallback *uint32
	inputs   *int
	outputs  *int
}

// decodeGlobal reads the global map into the packet. It leaves as many empty
// inputs and outputs as must follow.
func (p *Packet) decodeGlobal(r *reader, f *fields) error {
	var g globals
	for i := range f.records {
		rec := &f.records[i]
		if err := p.decodeGlobalField(r, &g, rec); err != nil {
			return fmt.Errorf("field %#02x: %w", rec.key[0], err)
		}
	}
	if g.version != nil {
		p.Version = *g.version
	}
	switch p.Version {
	case 0:
		return p.applyV0(&g)
	case 2:
		return p.applyV2(&g)
	}
	return fmt.Errorf("%w: %d", ErrVersion, p.Version)
}

func (p *Packet) decodeGlobalField(r *reader, g *globals, rec *record) (err error) {
	data, value := rec.key[1:], rec.value
	switch rec.key[0] {
	case globalUnsignedTx:
		if err = noKeyData(data); err == nil {
			g.tx, err = readTx(r.sub(value), false)
		}
	case globalXPub:
		var x XPub
		if len(data) != len(x.Key) {
			return wrongSize("extended public key", len(data))
		}
		x.Key = [78]byte(data)
		x.Origin, err = decodeOrigin(value)
		p.XPubs = append(p.XPubs, x)
	case globalTxVersion:
		g.txVer, err = decodeUint32(data, value)
	case globalFallbackLockTime:
		g.fallback, err = decodeUint32(data, value)
	case globalInputCount:
		g.inputs, err = decodeCount(r, data, value, "inputs", MaxInputs)
	case globalOutputCount:
		g.outputs, err = decodeCount(r, data, value, "outputs", MaxOutputs)
	case globalTxModifiable:
		if err = noKeyData(data); err != nil {
			return err
		}
		if len(value) != 1 {
			return wrongSize("value", len(value))
		}
		p.Modifiable = new(value[0])
	case globalVersion:
		g.version, err = decodeUint32(data, value)
	case typeProprietary:
		var x Proprietary
		x, err = decodeProprietary(r.sub(data), value)
		p.Proprietary = append(p.Proprietary, x)
	default:
		var x Unknown
		x, err = decodeUnknown(r.sub(rec.key), value)
		p.Unknown = append(p.Unknown, x)
	}
	return err
}

// decodeCount reads a number of maps to follow. Each takes at least one byte of
// what is left of the packet, which is what r holds.
func decodeCount(r *reader, data, value []byte, what string, most int) (*int, error) {
	if err := noKeyData(data); err != nil {
		return nil, err
	}
	v := r.sub(value)
	n, err := v.compact()
	if err != nil {
		return nil, err
	}
	if n > uint64(most) {
		return nil, fmt.Errorf("%w: %d %s, at most %d", ErrTooLarge, n, what, most)
	}
	if n > uint64(len(r.buf)) {
		return nil, fmt.Errorf("%w: no room for %d %s", ErrTruncated, n, what)
	}
	return new(int(n)), v.end()
}

func (p *Packet) applyV0(g *globals) error {
	if g.txVer != nil || g.fallback != nil || g.inputs != nil || g.outputs != nil || p.Modifiable != nil {
		return fmt.Errorf("a field of version 2: %w", ErrForbidden)
	}
	if g.tx == nil {
		return fmt.Errorf("unsigned transaction: %w", ErrMissing)
	}
	return p.setTx(g.tx)
}

func (p *Packet) applyV2(g *globals) error {
	if g.tx != nil {
		return fmt.Errorf("unsigned transaction: %w", ErrForbidden)
	}
	if g.txVer == nil || g.inputs == nil || g.outputs == nil {
		return fmt.Errorf("transaction version or count of inputs or outputs: %w", ErrMissing)
	}
	p.TxVersion = int32(*g.txVer)
	p.FallbackLockTime = g.fallback
	p.Inputs = make([]Input, *g.inputs)
	p.Outputs = make([]Output, *g.outputs)
	return nil
}

// globalFields returns the global map of a valid packet.
func (p *Packet) globalFields() (*fields, error) {
	f := &fields{kind: globalMap}
	if p.Version == 0 {
		tx, err := p.UnsignedTx()
		if err != nil {
			return nil, err
		}
		f.add(globalUnsignedTx, appendTx(nil, tx))
	} else {
		f.addUint32(globalTxVersion, new(uint32(p.TxVersion)))
		f.addUint32(globalFallbackLockTime, p.FallbackLockTime)
		f.add(globalInputCount, appendCompact(nil, uint64(len(p.Inputs))))
		f.add(globalOutputCount, appendCompact(nil, uint64(len(p.Outputs))))
		if p.Modifiable != nil {
			f.add(globalTxModifiable, []byte{*p.Modifiable})
		}
		f.add(globalVersion, binary.LittleEndian.AppendUint32(nil, p.Version))
	}
	for _, x := range p.XPubs {
		f.addKey(key(globalXPub, x.Key[:]), appendOrigin(nil, x.Origin))
	}
	f.addProprietary(p.Proprietary)
	f.addUnknown(p.Unknown)
	return f, nil
}
