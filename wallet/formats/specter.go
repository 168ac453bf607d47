package formats

import (
	"fmt"

	"github.com/quorate/quorate/wallet"
)

type specterDevice struct {
	Type  string `json:"type"`
	Label string `json:"label"`
}

// specterFile is the file of Specter Desktop. Its descriptor is of the
// receiving branch; change is on /1/* by agreement.
type specterFile struct {
	Label      string          `json:"label"`
	Height     int             `json:"blockheight"`
	Descriptor string          `json:"descriptor"`
	Devices    []specterDevice `json:"devices,omitempty"`
}

func writeSpecter(w Wallet) ([]byte, error) {
	in, _, err := Branches(w.Descriptor)
	if err != nil {
		return nil, err
	}
	f := specterFile{Label: w.name(), Descriptor: in}
	for i := range w.Descriptor.Keys() {
		f.Devices = append(f.Devices, specterDevice{"other", w.keyName(i)})
	}
	return encode(f)
}

func parseSpecter(raw []byte, net wallet.Network) (Wallet, error) {
	var f struct {
		Label      string `json:"label"`
		Descriptor string `json:"descriptor"`
	}
	if err := decode(raw, &f); err != nil {
		return Wallet{}, err
	}
	d, of, err := parseOne(f.Descriptor, net)
	if err != nil {
		return Wallet{}, err
	}
	if of == change {
		return Wallet{}, fmt.Errorf("%w: the descriptor is of the change branch", ErrFormat)
	}
	return Wallet{Name: clean(f.Label), Descriptor: d}, nil
}
