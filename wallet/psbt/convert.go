package psbt

import "fmt"

// ToV2 returns the packet in version 2. Nothing is lost: the lock time becomes
// the fallback, and every sequence number stays explicit. The result shares no
// memory with p.
func (p *Packet) ToV2() (*Packet, error) {
	q, err := p.clone()
	if err != nil {
		return nil, fmt.Errorf("convert psbt to version 2: %w", err)
	}
	q.Version = 2
	return q, nil
}

// ToV0 returns the packet in version 0. The unsigned transaction stays the same;
// version 0 has no place for modifiable flags, nor for how inputs came to a lock
// time. It fails with [ErrLockTime] where there is none. The result shares no
// memory with p.
func (p *Packet) ToV0() (*Packet, error) {
	q, err := p.clone()
	if err != nil {
		return nil, fmt.Errorf("convert psbt to version 0: %w", err)
	}
	lockTime, err := q.LockTime()
	if err != nil {
		return nil, fmt.Errorf("convert psbt to version 0: %w", err)
	}
	q.Version = 0
	q.FallbackLockTime = &lockTime
	q.Modifiable = nil
	for i := range q.Inputs {
		in := &q.Inputs[i]
		in.Sequence = new(in.sequence())
		in.RequiredTime, in.RequiredHeight = nil, nil
	}
	return q, nil
}

// clone copies a valid packet by writing and reading it.
func (p *Packet) clone() (*Packet, error) {
	b, err := p.bytes()
	if err != nil {
		return nil, err
	}
	return parse(b)
}
