package access

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/api/kept/kepttest"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func book(t testing.TB, m *kepttest.Memory, c *clock) *Book {
	t.Helper()
	b, damaged, err := Open(context.Background(), m, rand.NewChaCha8([32]byte{1}), c.now)
	if err != nil || len(damaged) > 0 {
		t.Fatal(err, damaged)
	}
	return b
}

func fresh(t testing.TB) (*Book, *kepttest.Memory, *clock) {
	m, c := &kepttest.Memory{Records: map[string][]byte{}}, &clock{time.Unix(1_800_000_000, 0)}
	return book(t, m, c), m, c
}

func create(t testing.TB, b *Book, by string, terms Terms) (id, secret string) {
	t.Helper()
	id, secret, err := b.Create(context.Background(), by, terms)
	if err != nil {
		t.Fatal(err)
	}
	return id, secret
}

// What is kept has no text of a token, and a token is found again by it after a start.
func TestOnlyADigestIsKept(t *testing.T) {
	b, m, c := fresh(t)
	terms := Terms{Name: "shop", Verbs: []Verb{Propose, Read, Read}, Wallets: []string{"w2", "w1", "w2"}, MaxAmount: 5, Until: c.at.Add(time.Hour)}
	id, secret := create(t, b, "", terms)
	for k, v := range m.Records {
		if strings.Contains(k+string(v), secret[8:20]) {
			t.Fatalf("the store has the token: %s", v)
		}
	}
	b = book(t, m, c)
	who, ok := b.Find(secret)
	if !ok || who.Token != id || !slices.Equal(who.Verbs, []Verb{Read, Propose}) || !slices.Equal(who.Wallets, []string{"w1", "w2"}) ||
		who.MaxAmount != 5 || !who.Until.Equal(terms.Until) || who.Name != "shop" {
		t.Fatalf("%v %+v", ok, who)
	}
	if i := b.List("")[0]; i.Used.IsZero() || i.ID != id {
		t.Errorf("%+v", i)
	}
	if c.at = terms.Until; true {
		if _, ok := b.Find(secret); ok {
			t.Error("it goes on after its end")
		}
	}
}

// A token that is revoked ends, and so does all that it made, also after a start.
func TestRevoke(t *testing.T) {
	b, m, c := fresh(t)
	ctx := context.Background()
	admin, _ := create(t, b, "", Terms{Name: "admin", Verbs: []Verb{Read, Token}})
	child, _ := create(t, b, admin, Terms{Name: "child", Verbs: []Verb{Read, Token}})
	_, leaf := create(t, b, child, Terms{Name: "leaf", Verbs: []Verb{Read}})
	_, other := create(t, b, "", Terms{Name: "other", Verbs: []Verb{Read}})
	who, _ := b.Find(leaf)
	for _, x := range []struct{ by, ref string }{{child, "admin"}, {child, "child"}, {child, "other"}, {admin, "nobody"}} {
		if _, _, err := b.Revoke(ctx, x.by, x.ref); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s revokes %s: %v", x.by, x.ref, err)
		}
	}
	if n := len(b.List(child)); n != 1 {
		t.Errorf("the child sees %d tokens", n)
	}
	m.Err = errors.New("disk full")
	if _, _, err := b.Revoke(ctx, "", "admin"); !errors.Is(err, m.Err) {
		t.Errorf("revoked without its being durable: %v", err)
	}
	m.Err = nil
	if _, n, err := b.Revoke(ctx, "", "admin"); err != nil || n != 3 {
		t.Fatalf("%d, %v", n, err)
	}
	select {
	case <-who.Gone:
	default:
		t.Error("who holds it is not told")
	}
	for range 2 {
		if _, ok := b.Find(leaf); ok {
			t.Error("what a revoked token made goes on")
		}
		if _, ok := b.Find(other); !ok {
			t.Error("another one ended")
		}
		b = book(t, m, c)
	}
	if _, _, err := b.Create(ctx, admin, Terms{Name: "late", Verbs: []Verb{Read}}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a revoked token makes one: %v", err)
	}
}

func TestTerms(t *testing.T) {
	b, m, c := fresh(t)
	until := c.at.Add(time.Hour)
	admin, _ := create(t, b, "", Terms{Name: "admin", Verbs: []Verb{Read, Sign, Token}, MaxAmount: 100, Until: until})
	ok := Terms{Name: "x", Verbs: []Verb{Read}, MaxAmount: 100, Until: until}
	for name, x := range map[string]struct {
		by   string
		make func(*Terms)
		want error
	}{
		"no name":               {"", func(t *Terms) { t.Name = "" }, ErrTerms},
		"a long name":           {"", func(t *Terms) { t.Name = strings.Repeat("x", 65) }, ErrTerms},
		"a name in two lines":   {"", func(t *Terms) { t.Name = "a\nb" }, ErrTerms},
		"not UTF-8":             {"", func(t *Terms) { t.Name = "\xff" }, ErrTerms},
		"no verb":               {"", func(t *Terms) { t.Verbs = nil }, ErrTerms},
		"an unknown verb":       {"", func(t *Terms) { t.Verbs = []Verb{"root"} }, ErrTerms},
		"the local one":         {"", func(t *Terms) { t.Verbs = []Verb{Local} }, ErrTerms},
		"signing blindly":       {"", func(t *Terms) { t.Verbs = []Verb{Sign} }, ErrTerms},
		"below nothing":         {"", func(t *Terms) { t.MaxAmount = -1 }, ErrTerms},
		"more than there is":    {"", func(t *Terms) { t.MaxAmount = maxMoney + 1 }, ErrTerms},
		"an end that is over":   {"", func(x *Terms) { x.Until = c.at }, ErrTerms},
		"a bound token's child": {"", func(t *Terms) { t.Verbs, t.Wallets = []Verb{Read, Token}, []string{"w"} }, ErrTerms},
		"a name that is taken":  {"", func(t *Terms) { t.Name = "admin" }, ErrTaken},
		"another verb":          {admin, func(t *Terms) { t.Verbs = []Verb{Read, Vote} }, ErrMore},
		"a higher limit":        {admin, func(t *Terms) { t.MaxAmount = 101 }, ErrMore},
		"no limit":              {admin, func(t *Terms) { t.MaxAmount = 0 }, ErrMore},
		"a later end":           {admin, func(t *Terms) { t.Until = until.Add(time.Second) }, ErrMore},
		"no end":                {admin, func(t *Terms) { t.Until = time.Time{} }, ErrMore},
	} {
		terms := ok
		x.make(&terms)
		if _, _, err := b.Create(context.Background(), x.by, terms); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
	if len(m.Records) != 1 {
		t.Errorf("%d tokens are kept", len(m.Records))
	}
	if _, _, err := b.Create(context.Background(), admin, ok); err != nil {
		t.Error(err)
	}
}

// A node keeps so many; those that ended make room.
func TestTokensAreBounded(t *testing.T) {
	b, _, c := fresh(t)
	for i := range MaxTokens {
		create(t, b, "", Terms{Name: string(rune('a'+i%26)) + strings.Repeat("x", i/26), Verbs: []Verb{Read}, Until: c.at.Add(time.Hour)})
	}
	if _, _, err := b.Create(context.Background(), "", Terms{Name: "one more", Verbs: []Verb{Read}}); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	c.at = c.at.Add(time.Hour)
	create(t, b, "", Terms{Name: "one more", Verbs: []Verb{Read}})
	if n := len(b.List("")); n != 1 {
		t.Errorf("%d are left", n)
	}
}

// Whatever is charged, taken back and waited for: within 24 hours no token spends
// more than its limit, nor do all those that it made, and a restart changes nothing.
func TestNoTokenSpendsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, c := &kepttest.Memory{Records: map[string][]byte{}}, &clock{time.Unix(1_800_000_000, 0)}
		open := func() *Book {
			b, _, err := Open(context.Background(), m, rand.NewChaCha8([32]byte{2}), c.now)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		b := open()
		var ids []string
		limits := []int64{100, 60, 100, 0}
		for i, by := range []int{-1, 0, 0, -1} {
			maker := ""
			if by >= 0 {
				maker = ids[by]
			}
			id, _, err := b.Create(context.Background(), maker, Terms{Name: string(rune('a' + i)), Verbs: []Verb{Read, Token}, MaxAmount: limits[i]})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		type payment struct {
			at     time.Time
			amount int64
			by     int
		}
		var paid []payment
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			c.at = c.at.Add(time.Duration(rapid.IntRange(0, 20*60).Draw(t, "minutes")) * time.Minute)
			who := rapid.IntRange(0, 3).Draw(t, "who")
			amount := rapid.Int64Range(0, 70).Draw(t, "amount")
			back, err := b.Charge(context.Background(), ids[who], amount)
			switch {
			case err != nil && !errors.Is(err, ErrOver):
				t.Fatal(err)
			case err != nil && who == 3:
				t.Fatalf("an unlimited one is refused: %v", err)
			case err != nil:
				continue
			case rapid.Bool().Draw(t, "refused"):
				back()
				back()
			default:
				paid = append(paid, payment{c.at, amount, who})
			}
			if rapid.Bool().Draw(t, "restart") {
				b = open()
			}
			for i, limit := range limits[:3] {
				var sum int64
				for _, p := range paid {
					if p.at.Add(Window).After(c.at) && (p.by == i || i == 0 && p.by < 3) {
						sum += p.amount
					}
				}
				if sum > limit {
					t.Fatalf("token %d spent %d of %d", i, sum, limit)
				}
			}
		}
		c.at = c.at.Add(Window + time.Hour)
		if _, err := b.Charge(context.Background(), ids[1], 60); err != nil {
			t.Fatalf("a day later: %v", err)
		}
	})
}

// What cannot be made durable is not allowed.
func TestAChargeIsDurable(t *testing.T) {
	b, m, c := fresh(t)
	id, _ := create(t, b, "", Terms{Name: "x", Verbs: []Verb{Read}, MaxAmount: 10})
	m.Err = errors.New("disk full")
	if _, err := b.Charge(context.Background(), id, 10); !errors.Is(err, m.Err) {
		t.Fatal(err)
	}
	m.Err = nil
	if _, err := b.Charge(context.Background(), id, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := book(t, m, c).Charge(context.Background(), id, 1); !errors.Is(err, ErrOver) {
		t.Errorf("after a crash: %v", err)
	}
	for _, n := range []int64{-1, maxMoney + 1} {
		if _, err := b.Charge(context.Background(), id, n); !errors.Is(err, ErrOver) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// A token whose record was damaged ends, and so does what it made: its limit is not known.
func TestADamagedTokenEnds(t *testing.T) {
	b, m, c := fresh(t)
	boss, _ := create(t, b, "", Terms{Name: "boss", Verbs: []Verb{Read, Token}, MaxAmount: 10})
	child, secret := create(t, b, boss, Terms{Name: "child", Verbs: []Verb{Read}, MaxAmount: 10})
	_, other := create(t, b, "", Terms{Name: "other", Verbs: []Verb{Read}})
	m.Records[boss] = m.Records[boss][1:]
	b, damaged, err := Open(context.Background(), m, nil, c.now)
	if want := slices.Sorted(slices.Values([]string{boss, child})); err != nil || !slices.Equal(damaged, want) {
		t.Fatal(err, damaged)
	}
	if _, ok := b.Find(secret); ok {
		t.Error("the child goes on")
	}
	if _, ok := b.Find(other); !ok {
		t.Error("another one ended")
	}
	m.Err = errors.New("no disk")
	if _, _, err := Open(context.Background(), m, nil, c.now); !errors.Is(err, m.Err) {
		t.Error(err)
	}
}

func TestSecret(t *testing.T) {
	s := writeSecret([32]byte{1, 2, 3})
	if err := CheckSecret(s); err != nil {
		t.Fatal(err)
	}
	for i := range s {
		b := []byte(s)
		if b[i]++; CheckSecret(string(b)) == nil {
			t.Errorf("%s passes", b)
		}
	}
	for _, bad := range []string{"", "qrt_", s[:len(s)-1], s + "a", strings.ToUpper(s), " " + s} {
		if CheckSecret(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func FuzzCheckSecret(f *testing.F) {
	f.Add(writeSecret([32]byte{7}))
	f.Add("qrt_")
	f.Fuzz(func(t *testing.T, s string) {
		if err := CheckSecret(s); err == nil && (len(s) != len(writeSecret([32]byte{})) || !strings.HasPrefix(s, secretPrefix)) {
			t.Fatal(s)
		} else if err != nil && len(s) > 20 && strings.Contains(err.Error(), s) {
			t.Fatal("the error repeats it")
		}
	})
}

// FuzzRecord: a record that can be read is written the same again.
func FuzzRecord(f *testing.F) {
	b, m, _ := fresh(f)
	create(f, b, "", Terms{Name: "x", Verbs: []Verb{Read}, Wallets: []string{"w"}, MaxAmount: 10})
	for _, r := range m.Records {
		f.Add(r)
	}
	f.Add([]byte(`{"name":"x","verbs":["root"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := parseRecord(raw)
		if err != nil {
			return
		}
		m := &kepttest.Memory{Records: map[string][]byte{"a": raw}}
		b, damaged, err := Open(context.Background(), m, bytes.NewReader(nil), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if r.By != "" {
			if len(damaged) != 1 {
				t.Fatal("what it came from is not there")
			}
			return
		}
		if i := b.List("")[0]; !slices.Equal(i.Verbs, r.Verbs) {
			t.Fatalf("%+v", i)
		}
		_, _ = b.Charge(context.Background(), "a", 1)
	})
}
