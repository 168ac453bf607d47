package ops

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/wallet/formats"
)

// maxLabel is the longest label that a wallet keeps, in bytes.
const maxLabel = 256

// MaxLabelFile bounds a file of labels, in bytes.
const MaxLabelFile = formats.MaxLabelFile

// LabelFile is what a file of labels (BIP329) has for one wallet.
type LabelFile struct {
	Labels []api.SetLabel
	Lines  int      // all there are that are not empty
	Odd    int      // that are no labels
	Other  int      // of types that are not kept: inputs, keys, and those of later versions
	Empty  int      // without a label
	Origin int      // transactions that the file says are another wallet's
	Again  int      // that a later line of the file replaces
	Cut    int      // shortened, or cleaned of control characters
	Frozen []string // outputs that are not to be spent, as TXID:VOUT, each once
	Idle   int      // that say otherwise whether an output may be spent, which changes nothing
}

// ReadLabelFile reads a file of labels for a wallet. Errors are *api.Error,
// "not_labels" for a file in which nothing is one.
func ReadLabelFile(content []byte, w api.Wallet) (LabelFile, error) {
	labels, err := formats.ReadLabels(content)
	if errors.Is(err, formats.ErrNoLabels) {
		return LabelFile{}, api.Misuse("not_labels", "import: "+err.Error(), "give JSON lines of BIP329, one object a line; nothing was changed")
	}
	if err != nil {
		return LabelFile{}, api.Misuse("bad_labels", "import: "+err.Error(), "give JSON lines of BIP329, one object a line; nothing was changed")
	}
	var f LabelFile
	for range formats.LabelLines(content) {
		f.Lines++
	}
	f.Odd = f.Lines - len(labels)
	at, frozen := map[[2]string]int{}, map[string]bool{}
	for _, l := range labels {
		if l.Spendable != nil {
			ref := strings.ToLower(l.Ref)
			switch {
			case *l.Spendable || l.Type != formats.LabelOutput:
				f.Idle++ // what a cosigner froze is not lifted on the way
			case len(ref) <= 80 && !frozen[ref]:
				frozen[ref] = true
				f.Frozen = append(f.Frozen, ref)
			}
		}
		switch {
		case l.Type != formats.LabelTx && l.Type != formats.LabelAddress && l.Type != formats.LabelOutput:
			f.Other++
			continue
		case l.Text == nil:
			f.Empty++
			continue
		case l.Origin != "" && !sameOrigin(l.Origin, w):
			f.Origin++
			continue
		}
		ref := l.Ref
		if l.Type != formats.LabelAddress || ref == strings.ToUpper(ref) {
			ref = strings.ToLower(ref) // one form of hex and of bech32
		}
		text, cut := formats.CutLabel(*l.Text, maxLabel)
		if cut {
			f.Cut++
		}
		if len(ref) > 128 {
			ref = ref[:128] // nothing that is the wallet's is as long
		}
		x := api.SetLabel{Ref: ref, Label: text}
		k := [2]string{l.Type, ref}
		if i, ok := at[k]; ok {
			// So that the same file gives the same labels every time.
			f.Labels[i] = x
			f.Again++
			continue
		}
		at[k] = len(f.Labels)
		f.Labels = append(f.Labels, x)
	}
	return f, nil
}

// sameOrigin says whether an origin names the keys of a wallet, in any order.
func sameOrigin(origin string, w api.Wallet) bool {
	var mine []string
	for _, c := range w.Cosigners {
		if c.Key != nil {
			mine = append(mine, strings.TrimSuffix(fmt.Sprintf("%s/%s", *c.Key, c.Path), "/"))
		}
	}
	theirs := formats.OriginKeys(origin)
	slices.Sort(mine)
	slices.Sort(theirs)
	return slices.Equal(mine, theirs)
}

// WriteLabelFile writes labels, and which coins are frozen, as BIP329 has them.
func WriteLabelFile(labels []api.Label, coins []api.Coin) ([]byte, error) {
	frozen := map[string]bool{}
	for _, c := range coins {
		if c.Frozen != nil {
			frozen[c.OutPoint] = true
		}
	}
	out := make([]formats.Label, len(labels), len(labels)+len(frozen))
	for i := range labels {
		out[i] = formats.Label{Type: labels[i].Type, Ref: labels[i].Ref, Text: &labels[i].Label}
		if labels[i].Type == formats.LabelOutput && frozen[labels[i].Ref] {
			out[i].Spendable = new(false)
			delete(frozen, labels[i].Ref)
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(frozen)) {
		out = append(out, formats.Label{Type: formats.LabelOutput, Ref: ref, Spendable: new(false)})
	}
	b, err := formats.WriteLabels(out)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return b, nil
}
