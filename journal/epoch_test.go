package journal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
)

func TestSealOpen(t *testing.T) {
	cipher, plain := sealed(t)
	if err := cipher.Verify(); err != nil {
		t.Error(err)
	}
	if got, err := Open(testEpoch(), cipher); err != nil || string(got) != "event" {
		t.Errorf("%q, %v", got, err)
	}
	got, err := OpenPlain(plain)
	if err != nil || string(got) != "event" {
		t.Errorf("%q, %v", got, err)
	}
	got[0] = 'X'
	if again, _ := OpenPlain(plain); string(again) != "event" {
		t.Error("the event shares the memory of the entry")
	}
	if bytes.Contains(cipher.Bytes(), []byte("event")) {
		t.Error("the event is in the open")
	}
	if _, err := OpenPlain(cipher); !errors.Is(err, ErrSuite) {
		t.Errorf("OpenPlain of a sealed entry: %v", err)
	}
	if _, err := Open(testEpoch(), plain); !errors.Is(err, ErrSuite) {
		t.Errorf("Open of a plain entry: %v", err)
	}
}

func TestSealRefuses(t *testing.T) {
	id, ep := NewIdentity([32]byte{1}), testEpoch()
	for name, at := range map[string]Next{
		"zero":                {},
		"incarnation 65":      {65, 1, EntryID{}},
		"seq 2^63":            {1, 1 << 63, EntryID{1}},
		"first with prev":     {1, 1, EntryID{1}},
		"second without prev": {1, 2, EntryID{}},
	} {
		if _, err := Seal(id, ep, at, []byte{1}, [24]byte{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("Seal %s: %v", name, err)
		}
		if _, err := SealPlain(id, ep.Group, ep.ID(), at, []byte{1}, [24]byte{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("SealPlain %s: %v", name, err)
		}
	}
	for _, event := range [][]byte{nil, make([]byte, MaxEventSize+1)} {
		if _, err := Seal(id, ep, Next{1, 1, EntryID{}}, event, [24]byte{}); !errors.Is(err, ErrEventSize) {
			t.Errorf("event of %d: %v", len(event), err)
		}
	}
}

// An entry opens under the one epoch its header names, and only with the secret
// that the id commits to.
func TestOpenCommitsToTheKey(t *testing.T) {
	e, _ := sealed(t)
	ep := testEpoch()
	for name, other := range map[string]Epoch{
		"secret": {ep.Group, ep.Number, ep.Parent, [32]byte{6}},
		"number": {ep.Group, 4, ep.Parent, ep.Secret},
		"parent": {ep.Group, ep.Number, EpochID{}, ep.Secret},
		"group":  {GroupID{3}, ep.Number, ep.Parent, ep.Secret},
	} {
		if other.ID() == ep.ID() {
			t.Errorf("epoch of another %s has the same id", name)
		}
		if _, err := Open(other, e); !errors.Is(err, ErrWrongEpoch) {
			t.Errorf("epoch of another %s: %v", name, err)
		}
	}
	// The epoch is right and the group beside it in the header is not.
	d, err := Decode(changed(e.Bytes(), offGroup, 9))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ep, d); !errors.Is(err, ErrWrongEpoch) {
		t.Errorf("entry of another group: %v", err)
	}
}

// Everything in the header is authenticated by the body's encryption too, so
// what a member wrote cannot be moved to another place, even signed anew.
func TestHeaderIsAuthenticated(t *testing.T) {
	id := NewIdentity([32]byte{1})
	e, err := Seal(id, testEpoch(), Next{2, 7, EntryID{8}}, []byte("event"), [24]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	for name, i := range map[string]int{
		"incarnation": offIncarnation, "seq": offSeq + 7, "prev": offPrev, "nonce": offNonce,
		"body": headerSize, "end of body": len(e.Bytes()) - signatureSize - 1,
	} {
		d, err := Decode(resigned(t, id, changed(e.Bytes(), i, e.Bytes()[i]^3)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := d.Verify(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := Open(testEpoch(), d); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A member who takes another's body for his own, under his own key and
// signature, has an entry that does not open.
func TestBodyOfAnotherAuthor(t *testing.T) {
	e, _ := sealed(t)
	thief := NewIdentity([32]byte{7})
	raw := bytes.Clone(e.Bytes())
	a := thief.Author()
	copy(raw[offAuthor:], a[:])
	d, err := Decode(resigned(t, thief, raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Verify(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(testEpoch(), d); !errors.Is(err, ErrSealed) {
		t.Errorf("%v", err)
	}
	// Not the header alone keeps it shut: the key is another one as well.
	ep := testEpoch()
	one, err := ep.entryKey(ep.ID(), e.Header().Author)
	if err != nil {
		t.Fatal(err)
	}
	two, err := ep.entryKey(ep.ID(), a)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one, two) {
		t.Error("two authors have one key")
	}
}

// resigned returns an entry with the signature that its bytes now need.
func resigned(t *testing.T, id *Identity, raw []byte) []byte {
	t.Helper()
	raw = bytes.Clone(raw)
	copy(raw[len(raw)-signatureSize:], id.signID(entryID(raw)))
	return raw
}

func TestOpenChecksPadding(t *testing.T) {
	id, ep := NewIdentity([32]byte{1}), testEpoch()
	h := Next{1, 1, EntryID{}}.header(SuiteSealed, ep.Group, ep.ID(), id.Author(), [24]byte{})
	body := changed(make([]byte, 256), 3, 1)
	body[255] = 1 // not a zero
	key, err := ep.entryKey(ep.ID(), id.Author())
	if err != nil {
		t.Fatal(err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		t.Fatal(err)
	}
	head := h.append(nil)
	raw := append(aead.Seal(bytes.Clone(head), h.Nonce[:], body, head), make([]byte, signatureSize)...)
	e, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ep, e); !errors.Is(err, ErrPadding) {
		t.Errorf("%v", err)
	}
	plain := append(append(changed(head, offSuite, 0), body...), make([]byte, signatureSize)...)
	e, err = Decode(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPlain(e); !errors.Is(err, ErrPadding) {
		t.Errorf("%v", err)
	}
}

func TestTopic(t *testing.T) {
	ep := testEpoch()
	topic := ep.Topic()
	if len(topic) != 64 {
		t.Fatalf("topic %q", topic)
	}
	other := ep
	other.Secret[0]++
	if other.Topic() == topic {
		t.Error("two secrets have one topic")
	}
	other = ep
	other.Group[0]++
	if other.Topic() == topic {
		t.Error("two groups have one topic")
	}
}

// The entry as protocol.md tells it, put together from the primitives alone.
func TestEntryFromPrimitives(t *testing.T) {
	e, _ := sealed(t)
	key := ed25519.NewKeyFromSeed(append([]byte{1}, make([]byte, 31)...))
	prefixed := func(what string, parts ...[]byte) []byte {
		b := []byte("quorate/" + what + "/v1")
		for _, p := range parts {
			b = binary.BigEndian.AppendUint64(b, uint64(len(p)))
			b = append(b, p...)
		}
		sum := sha256.Sum256(b)
		return sum[:]
	}
	zeros := func(first byte, n int) []byte { return append([]byte{first}, make([]byte, n-1)...) }
	group, parent, secret := zeros(2, 32), zeros(4, 32), zeros(5, 32)
	epoch := prefixed("epoch", group, []byte{0, 0, 0, 0, 0, 0, 0, 3}, parent, secret)
	author := []byte(key.Public().(ed25519.PublicKey))

	head := bytes.Join([][]byte{
		{1, 1}, group, epoch, author, {1}, {0, 0, 0, 0, 0, 0, 0, 1}, make([]byte, 32), zeros(9, 24),
	}, nil)
	info := "quorate/entry-key/v1" + string(epoch) + string(author)
	k, err := hkdf.Key(sha256.New, secret, group, info, 32)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := chacha20poly1305.NewX(k)
	if err != nil {
		t.Fatal(err)
	}
	padded := append([]byte{0, 0, 0, 5, 'e', 'v', 'e', 'n', 't'}, make([]byte, 256-9)...)
	body := aead.Seal(nil, zeros(9, 24), padded, head)
	id := prefixed("entry", head, body)
	want := bytes.Join([][]byte{head, body, ed25519.Sign(key, id)}, nil)
	if !bytes.Equal(e.Bytes(), want) {
		t.Errorf("entry is\n%x, want\n%x", e.Bytes(), want)
	}
	if got := e.ID(); !bytes.Equal(got[:], id) {
		t.Errorf("id is %s, want %x", got, id)
	}
}
