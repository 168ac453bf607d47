package psbt

// Flags of [Packet.Modifiable] (BIP370).
const (
	InputsModifiable  uint8 = 1 << 0 // inputs may be added and removed
	OutputsModifiable uint8 = 1 << 1 // outputs may be added and removed
	HasSighashSingle  uint8 = 1 << 2 // a signature ties an input to its output's place
)

// Signed updates the modifiable flags of a version 2 packet after a signature
// with the sighash type was added (BIP370). Without flags there is nothing to
// take back, so only SIGHASH_SINGLE brings them about. In version 0 it does
// nothing.
func (p *Packet) Signed(sighash uint32) {
	base, anyoneCanPay := sighash&0x1f, sighash&0x80 != 0
	const none, single = 2, 3
	if p.Version != 2 || p.Modifiable == nil && base != single {
		return
	}
	var flags uint8
	if p.Modifiable != nil {
		flags = *p.Modifiable
	}
	if !anyoneCanPay {
		flags &^= InputsModifiable
	}
	if base != none {
		flags &^= OutputsModifiable
	}
	if base == single {
		flags |= HasSighashSingle
	}
	p.Modifiable = &flags
}

// combineModifiable joins flags: what one packet no longer allows is no longer
// allowed, and a SIGHASH_SINGLE signature in one is one in the result. Absent
// flags allow nothing.
func combineModifiable(a, b uint8) uint8 {
	return a&b&^HasSighashSingle | (a|b)&HasSighashSingle
}
