package wallet

// Progress says how far the signing of a spend is: each key, and the whole. It
// is what decides whether a transaction is final, may still become so, and who
// is waited for; nobody counts signatures against a threshold by hand. It rests
// on signatures that were verified, and verifies none.
type Progress struct {
	d        *Descriptor
	signed   []int  // by key: on how many inputs
	complete uint64 // a bit for each key that has signed every input
}

// Progress returns how far a spend of so many inputs is, of each of whose keys
// signed says on how many inputs it has a valid signature.
func (d *Descriptor) Progress(inputs int, signed func(key int) int) Progress {
	p := Progress{d: d, signed: make([]int, len(d.keys))}
	for key := range p.signed {
		p.signed[key] = signed(key)
		if inputs > 0 && p.signed[key] == inputs {
			p.complete |= 1 << key
		}
	}
	return p
}

// Progress returns how far the spend is with these signatures, each of which
// has been verified. Several by one key on one input count as one.
func (s *Spend) Progress(valid []Signature) Progress {
	seen := make(map[[2]uint32]struct{}, len(valid))
	signed := make([]int, len(s.d.keys))
	for _, sig := range valid {
		at := [2]uint32{sig.Input, sig.Key}
		if _, ok := seen[at]; ok || uint64(sig.Input) >= uint64(len(s.in)) || uint64(sig.Key) >= uint64(len(signed)) {
			continue
		}
		seen[at] = struct{}{}
		signed[sig.Key]++
	}
	return s.d.Progress(len(s.in), func(key int) int { return signed[key] })
}

// Signed returns on how many inputs a key has a valid signature.
func (p Progress) Signed(key int) int {
	if key < 0 || key >= len(p.signed) {
		return 0
	}
	return p.signed[key]
}

// Complete says whether a key has a valid signature on every input.
func (p Progress) Complete(key int) bool {
	return key >= 0 && key < maxFormKeys && p.complete>>key&1 == 1
}

// Completed returns how many keys are complete.
func (p Progress) Completed() int {
	n := 0
	for key := range p.signed {
		if p.Complete(key) {
			n++
		}
	}
	return n
}

// Missing returns how many keys must still be complete before the whole can be
// satisfied, at the least; 0 where it can.
func (p Progress) Missing() int { return p.d.form.missing(p.d, p.complete) }

// Final says whether the whole can be satisfied with the keys that are complete.
func (p Progress) Final() bool { return p.Missing() == 0 }

// Possible says whether the whole could be satisfied if every key signed but
// those that are out; what is complete counts even so.
func (p Progress) Possible(out func(key int) bool) bool {
	have := p.complete
	for key := range p.signed {
		if !out(key) {
			have |= 1 << key
		}
	}
	return p.d.form.missing(p.d, have) == 0
}
