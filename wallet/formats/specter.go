package formats

import (
	"encoding/json"
	"fmt"

	"github.com/quorate/quorate/filetext"
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

// specterFields are of the export, of what others made of it (FullyNoded,
// Specter-DIY, Core's getdescriptorinfo), and of the backups of old versions.
func specterFields() []string {
	return []string{
		"label", "blockheight", "descriptor", "devices", "watching", "type", "birthday", "name", "note", "notes",
		"checksum", "isrange", "issolvable", "hasprivatekeys", "multipath_expansion",
		"alias", "description", "address_type", "recv_descriptor", "change_descriptor", "keys", "sigs_required", "fullpath",
		"last_block", "address_index", "change_index", "keypool", "change_keypool", "pending_psbts", "frozen_utxo", "labels",
		"address", "change_address", "use_descriptors", "old_format_detected", "uid", "manager", "info", "balance",
	}
}

func parseSpecter(raw []byte, net wallet.Network) (Wallet, error) {
	var f struct {
		Label      string `json:"label"`
		Name       string `json:"name"`
		Descriptor string `json:"descriptor"`
		// Of old versions, instead.
		Receive  string  `json:"recv_descriptor"`
		Change   string  `json:"change_descriptor"`
		Required *number `json:"sigs_required"`
	}
	if err := decode(raw, &f); err != nil {
		return Wallet{}, err
	}
	var g gather
	for _, d := range []struct {
		text string
		not  branch
		says string
	}{
		{f.Descriptor, change, "descriptor is of the change branch"},
		{f.Receive, change, "recv_descriptor is of the change branch"},
		{f.Change, receive, "change_descriptor is of the receiving branch"},
	} {
		if d.text == "" {
			continue
		}
		of, err := g.add(asWritten(d.text), net)
		if err != nil {
			return Wallet{}, err
		}
		if of == d.not {
			return Wallet{}, fmt.Errorf("%w: the %s", ErrFormat, d.says)
		}
	}
	w, err := g.done(f.Receive != "" || f.Descriptor != "")
	if err != nil {
		return Wallet{}, err
	}
	if f.Required != nil && int(*f.Required) != w.Descriptor.Threshold() {
		return Wallet{}, fmt.Errorf("%w: sigs_required is %d, the descriptor asks for %d", ErrFormat, *f.Required, w.Descriptor.Threshold())
	}
	if w.Name = clean(f.Label); w.Name == "" {
		w.Name = clean(f.Name)
	}
	if all, err := fieldsOf(raw); err == nil {
		w.passedOver(all.others(specterFields()...))
	}
	return w, nil
}

// parseOtherJSON reads the descriptors that stand anywhere in JSON of a kind
// that is not known.
func parseOtherJSON(raw []byte, net wallet.Network) (Wallet, error) {
	var v any
	if err := decode(raw, &v); err != nil {
		return Wallet{}, err
	}
	var g gather
	var failed error
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth > 12 || failed != nil || len(g.of)+g.others > maxDescriptors {
			return
		}
		switch x := v.(type) {
		case string:
			var found []written
			if found, _, failed = scan(filetext.Plain(x)); failed != nil {
				return
			}
			for _, one := range found {
				if _, failed = g.add(one.text, net); failed != nil {
					return
				}
			}
		case []any:
			for _, y := range x {
				walk(y, depth+1)
			}
		case map[string]any:
			for _, name := range sortedKeys(x) {
				walk(x[name], depth+1)
			}
		}
	}
	walk(v, 0)
	if failed != nil {
		return Wallet{}, failed
	}
	if g.d == nil && g.first == nil {
		return Wallet{}, fmt.Errorf("%w: JSON of another kind", ErrUnknown)
	}
	w, err := g.done(false)
	if err != nil {
		return Wallet{}, err
	}
	var f fields
	if json.Unmarshal(raw, &f) == nil {
		w.passedOver(f.others("desc", "descriptor", "descriptors", "label", "name", "timestamp", "active", "internal", "range"))
	}
	return w, nil
}
