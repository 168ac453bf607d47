package p2p

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/quorate/quorate/journal"
)

type memoryBook struct{ m map[string][]string }

func (b *memoryBook) Load() (map[string][]string, error)   { return b.m, nil }
func (b *memoryBook) Save(m map[string][]string) (_ error) { b.m = m; return nil }

func anybody(journal.Author) bool { return true }

func addrTexts(addrs []ma.Multiaddr) (out []string) {
	for _, a := range addrs {
		out = append(out, a.String())
	}
	return out
}

// What nobody signed takes the place of nothing that was signed or that worked,
// is tried last, and is not saved.
func TestTheLocalNetworkDisplacesNothing(t *testing.T) {
	book := &memoryBook{}
	d := newTestDirectory(t, book)
	a := testIdentity(2).Author()
	at := func(from, n int) (out []ma.Multiaddr) {
		for i := range n {
			out = append(out, ma.StringCast(fmt.Sprintf("/ip4/192.0.2.1/tcp/%d", from+i)))
		}
		return out
	}
	worked, signed, said, shown := at(2000, maxAddresses), at(3000, maxAddresses), at(4000, maxAddresses), at(5000, maxAddresses)
	for _, x := range slices.Backward(worked) {
		d.worked(a, x)
	}
	if _, news, err := d.vouch(signedRecord(t, 2, 7, addrTexts(signed)...), anybody); err != nil || !news {
		t.Fatal(news, err)
	}
	d.say(a, said)
	for i := range 100 {
		d.show(a, at(6000+i, maxAddresses))
	}
	d.show(a, shown)
	want := slices.Concat(addrTexts(worked), addrTexts(signed), addrTexts(said), addrTexts(shown)[:maxSeen])
	if got := addrTexts(d.of(a)); !slices.Equal(got, want) {
		t.Errorf("known:\n%v, want\n%v", got, want)
	}
	d.came(a, netip.MustParseAddr("192.0.2.77"))
	d.close()
	if text := strings.Join(book.m[a.String()], " "); strings.Contains(text, "/tcp/4") || strings.Contains(text, "/tcp/5") || strings.Contains(text, "/tcp/6") {
		t.Errorf("saved what nobody signed: %s", text)
	}
	d = newTestDirectory(t, book)
	if got := addrTexts(d.sure(a)); !slices.Equal(got, addrTexts(worked)) {
		t.Errorf("after a restart it worked at %v", got)
	}
	if got := addrTexts(d.hearsay(a)); !slices.Equal(got, addrTexts(signed)) {
		t.Errorf("after a restart it told %v", got)
	}
	if !d.known(netip.MustParseAddr("192.0.2.77")) || !d.known(netip.MustParseAddr("192.0.2.1")) || d.known(netip.MustParseAddr("192.0.2.78")) || !d.met(a) {
		t.Error("after a restart it is not known where the member was")
	}
}

// What is to be backed up is in the book at once, and not written for nothing.
func TestTheBookIsWrittenWhenItIsAsked(t *testing.T) {
	book := &memoryBook{}
	d := newTestDirectory(t, book)
	a := testIdentity(2).Author()
	if _, _, err := d.vouch(signedRecord(t, 2, 9, "/ip4/192.0.2.1/tcp/2009"), anybody); err != nil {
		t.Fatal(err)
	}
	(&Node{dir: d}).SaveAddresses()
	if text := strings.Join(book.m[a.String()], " "); !strings.Contains(text, "record:") {
		t.Errorf("the book holds %q", text)
	}
	book.m = nil
	d.flush()
	if book.m != nil {
		t.Error("written again without news")
	}
}

// After a restart nobody can hand over an older record than the newest.
func TestTheNewestRecordSurvivesARestart(t *testing.T) {
	book := &memoryBook{}
	d := newTestDirectory(t, book)
	a, raw := testIdentity(2).Author(), signedRecord(t, 2, 9, "/ip4/192.0.2.1/tcp/2009")
	if _, news, err := d.vouch(raw, anybody); err != nil || !news {
		t.Fatal(news, err)
	}
	d.close()
	d = newTestDirectory(t, book)
	if !bytes.Equal(d.record(a), raw) {
		t.Error("the signed record is gone")
	}
	for seq := range uint64(10) {
		if _, news, _ := d.vouch(signedRecord(t, 2, seq, "/ip4/192.0.2.1/tcp/2000"), anybody); news {
			t.Fatalf("an old record is news: %d", seq)
		}
	}
	if got := addrTexts(d.of(a)); !slices.Equal(got, []string{"/ip4/192.0.2.1/tcp/2009"}) {
		t.Errorf("known: %v", got)
	}
	// Damage, and another's record, cost what is damaged.
	lines := slices.Clone(book.m[a.String()])
	for i, l := range lines {
		if strings.HasPrefix(l, bookRecord) {
			lines[i] = l[:len(l)-8]
		}
	}
	other := testIdentity(3).Author()
	book.m = map[string][]string{a.String(): append(lines, "/ip4/192.0.2.1/tcp/2010", bookFrom+"x"), other.String(): d.m[a].lines()}
	d = newTestDirectory(t, book)
	if len(d.record(a)) > 0 || len(d.record(other)) > 0 || len(d.sure(a)) != 1 {
		t.Errorf("read from a damaged book: %v, %v", d.m[a], d.m[other])
	}
}

// In a book of an earlier version nobody knows what worked and what was told.
func TestOldBookIsHearsay(t *testing.T) {
	a := testIdentity(2).Author()
	d := newTestDirectory(t, &memoryBook{map[string][]string{a.String(): {"/ip4/192.0.2.1/tcp/2000", "nonsense"}}})
	if len(d.sure(a)) != 0 || len(d.hearsay(a)) != 1 || d.met(a) {
		t.Errorf("sure %v, hearsay %v", d.sure(a), d.hearsay(a))
	}
}

// Of a flood of records of one author a few are taken, and then one every ten
// seconds: the newest.
func TestRecordsAreTakenAtTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDirectory(t, nil)
		defer d.close()
		a := testIdentity(2).Author()
		var told atomic.Int64
		d.news = func(journal.Author) { told.Add(1) }
		seq := uint64(0)
		flood := func(n int) (taken int) {
			for range n {
				seq++
				_, news, err := d.vouch(signedRecord(t, 2, seq, fmt.Sprintf("/ip4/192.0.2.1/tcp/%d", 2000+seq)), anybody)
				if err != nil {
					t.Fatal(err)
				}
				if news {
					taken++
				}
			}
			return taken
		}
		newest := func() {
			t.Helper()
			if got := addrTexts(d.of(a)); len(got) != 1 || got[0] != fmt.Sprintf("/ip4/192.0.2.1/tcp/%d", 2000+seq) {
				t.Errorf("the newest is lost: %v of %d", got, seq)
			}
		}
		if n := flood(50); n != recordBurst || told.Load() != 0 {
			t.Errorf("%d records were taken at once, want %d", n, recordBurst)
		}
		pass(recordEvery)
		if told.Load() != 1 {
			t.Errorf("told %d times of the one that waited", told.Load())
		}
		newest()
		for range 30 { // a record a second
			pass(time.Second)
			flood(1)
		}
		if told.Load() > 1+30/10 {
			t.Errorf("%d of 30 were taken in half a minute", told.Load()-1)
		}
		pass(recordEvery)
		newest()
		// Another's are not held up by it.
		if _, news, err := d.vouch(signedRecord(t, 3, 1, "/ip4/192.0.2.1/tcp/1"), anybody); err != nil || !news {
			t.Error("one author holds up another")
		}
		flood(50)
		d.drop(a)
		was := told.Load()
		pass(time.Minute)
		if told.Load() != was || len(d.of(a)) != 0 {
			t.Error("a member that left comes back by a record that waited")
		}
	})
}

// FuzzBook reads any lines: no panic, and what is read is saved and read again
// as it was.
func FuzzBook(f *testing.F) {
	f.Add("v2\nrecord:AAAA\nfrom:192.0.2.1\n/ip4/192.0.2.1/tcp/1")
	f.Add("/ip4/192.0.2.1/tcp/1\n/dns4/x/tcp/1/p2p-circuit")
	f.Fuzz(func(t *testing.T, text string) {
		a := testIdentity(2).Author()
		read := func(lines []string) *whereabouts {
			return newTestDirectory(t, &memoryBook{map[string][]string{a.String(): lines}}).m[a]
		}
		w := read(strings.Split(text, "\n"))
		again := read(w.lines())
		if !slices.Equal(w.lines(), again.lines()) {
			t.Errorf("%q, then %q", w.lines(), again.lines())
		}
		r := testRules(t, false)
		for _, x := range slices.Concat(w.worked, w.said, w.told) {
			if r.told(x) && r.near(x) && ipOf(x).IsLoopback() {
				t.Errorf("%v leads here", x)
			}
		}
	})
}

// The book is of all wallets: more than one group may have are kept, and what is
// left out is told.
func TestBookHoldsTheMembersOfAllWallets(t *testing.T) {
	for _, many := range []int{maxMembers + 72, maxBook, maxBook + 1} {
		b := &memoryBook{map[string][]string{"damaged": {"/ip4/192.0.2.1/tcp/4001"}}}
		for n := range many {
			b.m[journal.Author{byte(n), byte(n >> 8), byte(n >> 16)}.String()] = []string{"/ip4/192.0.2.1/tcp/4001", bookMark}
		}
		var log bytes.Buffer
		d, err := newDirectory(b, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		d.save()
		if want := min(many, maxBook); len(b.m) != want {
			t.Errorf("of %d members %d are in the book after a start, want %d", many, len(b.m), want)
		}
		if told := strings.Contains(log.String(), "left=1"); told != (many > maxBook) || !told && log.Len() > 0 {
			t.Errorf("%d members: the log says %q", many, log.String())
		}
	}
}

// A record from a time far ahead does not outdo those that its author signs
// later, neither when it comes nor from the book.
func TestRecordsFromTheFutureAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := testIdentity(2).Author()
		at := func(d time.Duration) uint64 { return uint64(time.Now().Add(d).UnixNano()) }
		record := func(seq uint64, port int) []byte {
			return signedRecord(t, 2, seq, fmt.Sprintf("/ip4/192.0.2.1/tcp/%d", port))
		}
		book := &memoryBook{}
		d := newTestDirectory(t, book)
		for i, seq := range []uint64{at(recordAhead + 1), at(1000 * recordAhead), 1<<64 - 1} {
			if _, news, err := d.vouch(record(seq, 2000+i), anybody); news || err != nil {
				t.Errorf("a record of number %d: news %v, %v", seq, news, err)
			}
		}
		good := record(at(recordAhead), 3000)
		if _, news, err := d.vouch(good, anybody); !news || err != nil {
			t.Errorf("a record of a clock a day ahead: news %v, %v", news, err)
		}
		if got := addrTexts(d.of(a)); !slices.Equal(got, []string{"/ip4/192.0.2.1/tcp/3000"}) {
			t.Errorf("known: %v", got)
		}
		d.close()
		if d = newTestDirectory(t, book); !bytes.Equal(d.record(a), good) {
			t.Error("a good record is not read from the book")
		}
		far := record(at(recordAhead+time.Second), 2000)
		book.m = map[string][]string{a.String(): (&whereabouts{record: far}).lines()}
		if d = newTestDirectory(t, book); len(d.record(a)) > 0 || len(d.of(a)) > 0 {
			t.Error("a record from the future is read from the book")
		}
		if _, news, err := d.vouch(record(at(0), 4000), anybody); !news || err != nil {
			t.Errorf("the author's next record: news %v, %v", news, err)
		}
	})
}
