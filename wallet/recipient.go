package wallet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript/v2"
)

// Recipient is somebody else's descriptor, of which the scripts are derived that pay it. It
// is immutable and safe for concurrent use.
type Recipient struct {
	text string
	kind recipientKind
	k    int
	keys []recipientKey // of a tree, the internal key first
	// ranged: there is a script for each index; else one for all.
	ranged bool
}

// recipientKind says what the script is made of the keys.
type recipientKind struct {
	nested bool // in P2SH
	of     string
}

// recipientKey is a public key, or a point of a key tree below which the index is derived.
type recipientKey struct {
	pub  []byte
	node *pubNode
}

// ParseRecipient reads the descriptor of somebody who is paid: pkh, wpkh, sh(wpkh), wsh or
// sh(wsh) of multi or sortedmulti, tr of a key, or of a key and one leaf of multi_a or
// sortedmulti_a. Of a multipath specifier the first path counts, which is that of what is
// received (BIP389). The checksum is wanted: nobody proves that the text is what the payee
// gave. Errors are as ParseDescriptor's.
func ParseRecipient(s string, net Network) (*Recipient, error) {
	if err := checkNetwork(net); err != nil {
		return nil, err
	}
	body, sum, _ := strings.Cut(s, "#")
	if len(s) > maxDescriptorLen || sum == "" {
		return nil, &SyntaxError{"descriptor", len(body), fmt.Errorf("%w is missing, or the text is too long", ErrChecksum)}
	}
	if _, err := splitChecksum(s); err != nil {
		return nil, err
	}
	r := &Recipient{}
	p := &parser{what: "descriptor", s: body}
	var keys []*keyExpr
	var err error
	if strings.HasPrefix(body, "tr(") {
		keys, err = r.readTree(p)
	} else {
		keys, err = r.read(p)
	}
	if err != nil {
		return nil, err
	}
	if p.pos != len(p.s) {
		return nil, p.failAt(p.pos, errors.New("text after the descriptor"))
	}
	for _, e := range keys {
		key, err := e.recipient(p, net)
		if err != nil {
			return nil, err
		}
		r.ranged = r.ranged || key.node != nil // a key that nobody has stands beside those with an index
		r.keys = append(r.keys, key)
	}
	// The same key in other words would be another recipient.
	r.text = strings.ReplaceAll(body, "'", "h")
	if sum, err = descriptorChecksum(r.text); err != nil {
		return nil, err
	}
	r.text += "#" + sum
	_, err = r.PkScript(0)
	return r, err
}

// read narrows an expression to those with an address that people are paid to.
func (r *Recipient) read(p *parser) ([]*keyExpr, error) {
	e, err := p.expr(contextTop)
	if err != nil {
		return nil, err
	}
	if err := p.checkMultipath(e); err != nil {
		return nil, err
	}
	top := e
	if e.fn == "sh" {
		r.kind.nested, e = true, e.sub
	}
	switch {
	case e.sub != nil && e.sub.k > 0:
		e = e.sub
	case e.fn == "pkh" && !r.kind.nested, e.fn == "wpkh":
	default:
		return nil, p.failAt(top.off, fmt.Errorf("%w: want pkh, wpkh, sh(wpkh), tr, or wsh of a multisig", ErrUnsupported))
	}
	r.kind.of, r.k = e.fn, e.k
	return e.keys, nil
}

// readTree reads tr() of a key, and of one leaf that is a multisig (BIP386, BIP387).
func (r *Recipient) readTree(p *parser) ([]*keyExpr, error) {
	p.pos = len("tr(")
	key, err := p.treeKey()
	if err != nil {
		return nil, err
	}
	keys := []*keyExpr{key}
	r.kind.of = "tr"
	if p.accept(',') {
		at := p.pos
		if r.kind.of = p.until("("); r.kind.of != "multi_a" && r.kind.of != "sortedmulti_a" {
			return nil, p.failAt(at, fmt.Errorf("%w: want multi_a() or sortedmulti_a()", ErrUnsupported))
		}
		if err := p.expect('('); err != nil {
			return nil, err
		}
		at = p.pos
		k, err := strconv.ParseUint(p.until(",()"), 10, 8)
		if err != nil {
			return nil, p.failAt(at, fmt.Errorf("%w: not a number", ErrThreshold))
		}
		r.k = int(k)
		for p.accept(',') {
			if key, err = p.treeKey(); err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
		switch n := len(keys) - 1; {
		case n < 1 || n > MaxKeys:
			return nil, p.failAt(at, fmt.Errorf("%w: %d", ErrKeyCount, n))
		case r.k < 1 || r.k > n:
			return nil, p.failAt(at, fmt.Errorf("%w: %d of %d keys", ErrThreshold, r.k, n))
		}
		if err := p.expect(')'); err != nil {
			return nil, err
		}
	}
	if err := p.expect(')'); err != nil {
		return nil, err
	}
	return keys, p.checkMultipath(&expr{keys: keys})
}

// treeKey parses a key of a tree, which may have its 32 bytes alone (BIP386).
func (p *parser) treeKey() (*keyExpr, error) {
	at := p.pos
	if x, err := hex.DecodeString(p.until("/,()[]{}<>")); err == nil && len(x) == schnorr.PubKeyBytesLen {
		if _, err := schnorr.ParsePubKey(x); err != nil {
			return nil, p.failAt(at, errors.New("not a point on the curve"))
		}
		return &keyExpr{off: at, keyOff: at, pub: append([]byte{2}, x...)}, nil
	}
	p.pos = at
	key, err := p.keyExpr()
	if err != nil {
		return nil, err
	}
	return key, p.checkCompressed(key, true)
}

// recipient derives of a key expression all but the index.
func (e *keyExpr) recipient(p *parser, net Network) (recipientKey, error) {
	if e.private {
		return recipientKey{}, p.failAt(e.keyOff, ErrPrivateKey)
	}
	if e.ext == nil {
		return recipientKey{pub: e.pub}, nil
	}
	node, err := parseAccountOn(e.text, net)
	if err != nil {
		return recipientKey{}, p.failAt(e.keyOff, err)
	}
	for _, step := range e.steps {
		pub, chain, err := node.child(step[0])
		if err != nil {
			return recipientKey{}, p.failAt(e.stepsOff, err)
		}
		node = newPubNode(pub, chain[:])
	}
	switch e.wildcard {
	case wildcardNone:
		return recipientKey{pub: node.pub[:]}, nil
	case wildcardHardened:
		return recipientKey{}, p.failAt(e.stepsOff, fmt.Errorf("%w: hardened from a public key", errDerive))
	}
	return recipientKey{node: node}, nil
}

// String returns the descriptor in canonical form, with its checksum.
func (r *Recipient) String() string { return r.text }

// Ranged says whether there is a script for each index, or one alone.
func (r *Recipient) Ranged() bool { return r.ranged }

// Keys returns how many keys are derived for a script.
func (r *Recipient) Keys() int { return len(r.keys) }

// PkScript returns the script at an index below 2^31, or ErrScriptIndex.
func (r *Recipient) PkScript(index uint32) ([]byte, error) {
	if index >= hardened {
		return nil, fmt.Errorf("%w: %d", ErrScriptIndex, index)
	}
	pubs := make([][]byte, len(r.keys))
	for i, k := range r.keys {
		if pubs[i] = k.pub; k.node == nil {
			continue
		}
		pub, _, err := k.node.child(index)
		if err != nil {
			return nil, fmt.Errorf("derive key %d at %d: %w", i, index, err)
		}
		pubs[i] = pub.SerializeCompressed()
	}
	var s []byte
	switch r.kind.of {
	case "pkh":
		s = append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, address.Hash160(pubs[0])...)
		s = append(s, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
	case "wpkh":
		s = append([]byte{txscript.OP_0, 20}, address.Hash160(pubs[0])...)
	case "multi", "sortedmulti":
		if r.kind.of == "sortedmulti" {
			slices.SortFunc(pubs, bytes.Compare) // BIP67
		}
		s = scriptWSH(multisigScript(r.k, pubs))
	default:
		return r.tree(pubs)
	}
	if r.kind.nested {
		s = scriptSH(s)
	}
	return s, nil
}

// tree is the script of an internal key, and of a leaf of the others.
func (r *Recipient) tree(pubs [][]byte) ([]byte, error) {
	internal, err := btcec.ParsePubKey(pubs[0])
	if err != nil {
		return nil, fmt.Errorf("internal key: %w", err)
	}
	if r.kind.of == "tr" {
		return txscript.PayToTaprootScript(txscript.ComputeTaprootKeyNoScript(internal))
	}
	leaf := make([][]byte, 0, len(pubs)-1)
	for _, pub := range pubs[1:] {
		leaf = append(leaf, pub[1:]) // 32 bytes, without the sign (BIP340)
	}
	if r.kind.of == "sortedmulti_a" {
		slices.SortFunc(leaf, bytes.Compare)
	}
	var s []byte
	for i, x := range leaf {
		op := byte(txscript.OP_CHECKSIGADD)
		if i == 0 {
			op = txscript.OP_CHECKSIG
		}
		s = append(pushKey(s, x), op)
	}
	s = append(pushNumber(s, r.k), txscript.OP_NUMEQUAL)
	root := txscript.NewBaseTapLeaf(s).TapHash()
	return txscript.PayToTaprootScript(txscript.ComputeTaprootOutputKey(internal, root[:]))
}
