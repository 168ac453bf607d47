package formats

import (
	"fmt"
	"slices"

	"github.com/quorate/quorate/wallet"
)

// Write returns the wallet in a format. The same wallet gives the same bytes.
// Errors: ErrUnsorted, wallet.ErrUnsupported, or a format that is none.
func Write(w Wallet, f Format) ([]byte, error) {
	if w.Descriptor == nil {
		return nil, fmt.Errorf("write %s: no descriptor", f)
	}
	if slices.Contains([]Format{Coldcard, Caravan, Electrum}, f) {
		if err := plain(w.Descriptor.Form()); err != nil {
			return nil, fmt.Errorf("write %s: %w", f, err)
		}
	}
	var out []byte
	var err error
	switch f {
	case Descriptor:
		out = []byte(w.Descriptor.String() + "\n")
	case BSMS:
		out, err = writeBSMS(w, false)
	case Nunchuk:
		out, err = writeBSMS(w, true)
	case Core:
		out, err = writeCore(w)
	case Coldcard:
		out = writeColdcard(w)
	case Sparrow:
		out, err = writeSparrow(w)
	case Caravan:
		out, err = writeCaravan(w)
	case Electrum:
		out, err = writeElectrum(w)
	case Specter:
		out, err = writeSpecter(w)
	default:
		return nil, fmt.Errorf("write wallet: unknown format %q", clean(string(f)))
	}
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", f, err)
	}
	return out, nil
}

// plain holds a wallet to what some formats have a place for: plain multisig
// with sorted keys.
func plain(f wallet.Form) error {
	switch sorted, plain := f.Multisig(); {
	case !plain:
		return fmt.Errorf("%w: the format has no place for script type %q", wallet.ErrUnsupported, f.Kind())
	case !sorted:
		return ErrUnsorted
	}
	return nil
}
