package psbt

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

const magic = "psbt\xff"

// Parse reads a packet in binary, of version 0 or 2, and validates it; see
// [Packet.Validate]. It does not keep raw. The errors are those of this package.
func Parse(raw []byte) (*Packet, error) {
	p, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse psbt: %w", err)
	}
	return p, nil
}

func parse(raw []byte) (*Packet, error) {
	if err := checkCount("bytes", len(raw), MaxSize); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(raw, []byte(magic)) {
		return nil, ErrMagic
	}
	r := newReader(bytes.Clone(raw[len(magic):]))
	global, err := readFields(r, globalMap)
	if err != nil {
		return nil, fmt.Errorf("global map: %w", err)
	}
	p := new(Packet)
	if err := p.decodeGlobal(r, global); err != nil {
		return nil, fmt.Errorf("global map: %w", err)
	}
	for i := range p.Inputs {
		f, err := readFields(r, inputMap)
		if err == nil {
			err = p.Inputs[i].decodeInput(r, f, p.Version)
		}
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	for i := range p.Outputs {
		f, err := readFields(r, outputMap)
		if err == nil {
			err = p.Outputs[i].decodeOutput(r, f, p.Version)
		}
		if err != nil {
			return nil, fmt.Errorf("output %d: %w", i, err)
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return p, p.Validate()
}

// Bytes returns the packet in binary, in canonical order. It validates the
// packet first, so that what it writes can be read; see [Packet.Validate].
func (p *Packet) Bytes() ([]byte, error) {
	b, err := p.bytes()
	if err != nil {
		return nil, fmt.Errorf("write psbt: %w", err)
	}
	return b, nil
}

func (p *Packet) bytes() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	maps, err := p.maps()
	if err != nil {
		return nil, err
	}
	b := []byte(magic)
	for i, f := range maps {
		if b, err = f.append(b); err != nil {
			return nil, fmt.Errorf("map %d: %w", i, err)
		}
	}
	return b, checkCount("bytes", len(b), MaxSize)
}

// maps returns the fields of the packet: global map, inputs, outputs.
func (p *Packet) maps() ([]*fields, error) {
	global, err := p.globalFields()
	if err != nil {
		return nil, err
	}
	maps := make([]*fields, 0, 1+len(p.Inputs)+len(p.Outputs))
	maps = append(maps, global)
	for i := range p.Inputs {
		maps = append(maps, p.Inputs[i].fields(p.Version))
	}
	for i := range p.Outputs {
		maps = append(maps, p.Outputs[i].fields(p.Version))
	}
	return maps, nil
}

// Base64 returns the packet in base64, the usual text form.
func (p *Packet) Base64() (string, error) {
	b, err := p.Bytes()
	return base64.StdEncoding.EncodeToString(b), err
}
