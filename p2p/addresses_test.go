package p2p

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/journal"
)

func testIdentity(n byte) *journal.Identity {
	return journal.NewIdentity(journal.H("p2p test identity", []byte{n}))
}

func newTestDirectory(t testing.TB, b port.AddressBook) *directory {
	t.Helper()
	d, err := newDirectory(b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// signedRecord is the signed addresses of identity n, signed by identity by.
func signedRecord(t testing.TB, n byte, seq uint64, addrs ...string) []byte {
	t.Helper()
	return signedBy(t, n, n, seq, addrs...)
}

func signedBy(t testing.TB, n, by byte, seq uint64, addrs ...string) []byte {
	t.Helper()
	id, err := PeerID(testIdentity(n).Author())
	if err != nil {
		t.Fatal(err)
	}
	key, err := hostKey(testIdentity(by))
	if err != nil {
		t.Fatal(err)
	}
	r := &peer.PeerRecord{PeerID: id, Seq: seq}
	for _, a := range addrs {
		r.Addrs = append(r.Addrs, ma.StringCast(a))
	}
	env, err := record.Seal(r, key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := env.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVouch(t *testing.T) {
	d := newTestDirectory(t, nil)
	member := testIdentity(1).Author()
	allowed := func(a journal.Author) bool { return a == member }
	for name, raw := range map[string][]byte{
		"no record":         []byte("x"),
		"nothing":           nil,
		"of a non-member":   signedRecord(t, 2, 9, "/ip4/127.0.0.1/tcp/1"),
		"signed by another": signedBy(t, 1, 2, 9, "/ip4/127.0.0.1/tcp/1"),
	} {
		if _, news, err := d.vouch(raw, allowed); news || (err == nil) != (name == "of a non-member") || len(d.of(member)) != 0 {
			t.Errorf("a record was taken: %s", name)
		}
	}
	for _, c := range []struct {
		seq  uint64
		port string
		news bool
		want string
	}{
		{5, "1", true, "1"}, {5, "2", false, "1"}, {4, "3", false, "1"}, {6, "4", true, "4"},
	} {
		raw := signedRecord(t, 1, c.seq, "/ip4/127.0.0.1/tcp/"+c.port)
		if _, news, _ := d.vouch(raw, allowed); news != c.news {
			t.Errorf("seq %d: news %v, want %v", c.seq, news, c.news)
		}
		if got := d.of(member); len(got) != 1 || got[0].String() != "/ip4/127.0.0.1/tcp/"+c.want {
			t.Errorf("after seq %d: %v", c.seq, got)
		}
	}
	raw := signedRecord(t, 1, 6, "/ip4/127.0.0.1/tcp/4")
	if _, news, _ := d.vouch(raw, allowed); news {
		t.Error("the same record is news twice")
	}
	if !bytes.Equal(d.record(member), raw) {
		t.Error("the record is not kept as it was signed")
	}
}

func TestAddressesAreBounded(t *testing.T) {
	d := newTestDirectory(t, nil)
	a := testIdentity(1).Author()
	for i := range 100 {
		addr := ma.StringCast(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", i+1))
		d.fix(a, []ma.Multiaddr{addr})
		d.worked(a, addr)
		d.say(a, []ma.Multiaddr{addr})
	}
	if n := len(d.of(a)); n > 3*maxAddresses {
		t.Errorf("%d addresses are kept", n)
	}
	if got := d.of(a)[0].String(); got != "/ip4/127.0.0.1/tcp/1" {
		t.Errorf("the first configured address is not the first tried: %s", got)
	}
	d.drop(a)
	if len(d.of(a)) != 0 {
		t.Error("a member that left is remembered")
	}
}

func TestParseAddrs(t *testing.T) {
	id, err := PeerID(testIdentity(1).Author())
	if err != nil {
		t.Fatal(err)
	}
	at := "/ip4/127.0.0.1/tcp/1"
	got := parseAddrs([]string{at + "/p2p/" + id.String(), at, "nonsense", "", "/p2p/" + id.String()})
	if len(got) != 1 || got[0].String() != at {
		t.Errorf("%v", got)
	}
}
