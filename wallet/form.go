package wallet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/wallet/psbt"
)

// ScriptType names a form: what genesis, a request and a signer's wire say.
type ScriptType string

// The script types.
const (
	// ScriptWSH is P2WSH (BIP141), BIP48 script type 2.
	ScriptWSH ScriptType = "wsh"
	// ScriptSHWSH is P2WSH nested in P2SH, BIP48 script type 1.
	ScriptSHWSH ScriptType = "sh-wsh"
	// DefaultScript is what a wallet is founded with where nobody says otherwise.
	DefaultScript = ScriptWSH
)

// Form is all that depends on the kind of script that a wallet's coins are
// locked with: the script and what an input weighs, the hashes that are signed,
// how a signature is made, checked and put into a witness, what a PSBT says of
// it, the account path, and how other software calls it. Nobody else asks which
// kind it is: they ask the form. A form is a value without state; what it is
// asked about (a Descriptor, a Spend) is handed in.
type Form interface {
	// Kind returns the name of the form.
	Kind() ScriptType
	// AccountStep returns the last step of BIP48's account path, without the
	// hardened bit.
	AccountStep() uint32
	// SLIP132 returns the version that SLIP-132 gives to account public keys of
	// the form, on the main network or on the others.
	SLIP132(mainnet bool) uint32
	// OutputType returns what Coldcard, Caravan and others call the form.
	OutputType() string
	// Multisig says whether the form is plain multisig, k of n keys and nothing
	// else, and whether its keys are sorted at each address (BIP67).
	Multisig() (sorted, plain bool)
	// Bounds returns the limits of a signature.
	Bounds() SignatureBounds

	// expression returns the descriptor, without its checksum, of these key expressions.
	expression(threshold int, keys []string) string
	// inputWeight returns the weight of one input at its worst, in weight units.
	inputWeight(threshold, keys int) int
	// lock makes the scripts out of a script's public keys.
	lock(d *Descriptor, s *Script)
	// scriptSig returns what an input has beside its witness, nil for nothing.
	scriptSig(s *Script) []byte
	// hashType returns the only sighash type that its signatures may have.
	hashType() txscript.SigHashType
	// hashes returns what the signatures of each input are over.
	hashes(s *Spend) ([][32]byte, error)
	// sign signs every input with what an account has to sign with.
	sign(s *Spend, a *AccountKey) ([]Signature, error)
	// verify checks a signature on an input and by a key that the spend has.
	verify(s *Spend, sig Signature, cache *SigCache) error
	// satisfy writes the witness of an input out of its candidates, in order of
	// key and bytes, and executes it.
	satisfy(s *Spend, tx *wire.MsgTx, i int, candidates []Signature, cache *SigCache) error
	// missing returns how many keys are missing to satisfy an input, beside those
	// whose bits are set.
	missing(d *Descriptor, have uint64) int
	// psbtInput and psbtOutput write what a packet says of a coin's script.
	psbtInput(d *Descriptor, s *Script, branch, index uint32, to *psbt.Input)
	psbtOutput(d *Descriptor, s *Script, branch, index uint32, to *psbt.Output)
	// psbtOrigins returns the places that a packet names for an input's script.
	psbtOrigins(in *psbt.Input) []psbt.Origin
	// psbtSignatures returns what signatures a packet holds on an input, unverified.
	psbtSignatures(s *Spend, i int, in *psbt.Input) ([]Signature, error)
}

// Forms returns every form that a wallet can be founded with, the default first.
func Forms() []Form { return []Form{wsh{sorted: true}, wsh{sorted: true, nested: true}} }

// FormOf returns the form of that name, or ErrUnsupported.
func FormOf(st ScriptType) (Form, error) {
	for _, f := range Forms() {
		if f.Kind() == st {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: script type %q", ErrUnsupported, st)
}

// FormCalled returns the form that the functions of a descriptor make, from the
// outermost on, as ("wsh", "sortedmulti"); ok is false for any other.
func FormCalled(functions []string) (form Form, ok bool) {
	for _, f := range slices.Concat(Forms(), []Form{wsh{}, wsh{nested: true}}) {
		begin, _, _ := strings.Cut(f.expression(1, []string{"K"}), "(1,K")
		if slices.Equal(strings.Split(begin, "("), functions) {
			return f, true
		}
	}
	return nil, false
}

// InListedOrder returns a form with its keys in the order of the descriptor at
// every address, not sorted.
func InListedOrder(f Form) Form {
	if w, ok := f.(wsh); ok {
		w.sorted = false
		return w
	}
	return f
}

// readForm narrows a descriptor's expression to one of the forms, and returns
// the expression that holds the threshold and the keys.
func readForm(p *parser, e *expr) (Form, *expr, error) { return readWSH(p, e) }

// maxFormKeys is how many keys a form can tell apart: a bit each.
const maxFormKeys = 64

// SignatureBounds are the limits of a signature.
type SignatureBounds struct {
	// Least and Most are bytes.
	Least, Most int
	// Keys is how many keys there can be: Signature.Key is below it.
	Keys int
}

// WidestBounds returns bounds that no signature of any form exceeds, for what
// is read before its wallet is known.
func WidestBounds() SignatureBounds {
	var out SignatureBounds
	for i, f := range Forms() {
		b := f.Bounds()
		if i == 0 {
			out.Least = b.Least
		}
		out = SignatureBounds{Least: min(out.Least, b.Least), Most: max(out.Most, b.Most), Keys: max(out.Keys, b.Keys)}
	}
	return out
}
