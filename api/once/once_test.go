package once

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quorate/quorate/api/kept/kepttest"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

type fataler interface{ Fatal(...any) }

func open(t fataler, m *kepttest.Memory, c *clock) *Book {
	b, err := Open(context.Background(), m, c.now)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fresh(t *testing.T) (*Book, *kepttest.Memory, *clock) {
	m, c := &kepttest.Memory{Records: map[string][]byte{}}, &clock{time.Unix(1_800_000_000, 0)}
	return open(t, m, c), m, c
}

// Whatever clients send, in whatever order, with whatever crashes between: a request that
// ended well is never let go on again while its key is kept, gets its own answer, and no
// other request gets it.
func TestADoneRequestIsNotDoneAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, c := &kepttest.Memory{Records: map[string][]byte{}}, &clock{time.Unix(1_800_000_000, 0)}
		b := open(t, m, c)
		type was struct {
			content [32]byte
			body    string
			at      time.Time
		}
		done, begun, running := map[string]was{}, map[string][32]byte{}, map[string]bool{}
		for i := range rapid.IntRange(1, 60).Draw(t, "n") {
			id := fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "key"))
			content := Content([]byte{byte(rapid.IntRange(0, 1).Draw(t, "content"))})
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0: // a crash: what was running may have been done, or not
				b, running = open(t, m, c), map[string]bool{}
			case 1:
				c.at = c.at.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "hours")) * time.Hour)
			case 2, 3, 4:
				a, err := b.Begin(context.Background(), id, content)
				d, isDone := done[id]
				isDone = isDone && d.at.Add(Keep).After(c.at)
				switch {
				case running[id] && !errors.Is(err, ErrRunning) && !errors.Is(err, ErrMismatch):
					t.Fatalf("two at once: %v", err)
				case running[id]:
				case isDone && d.content != content && !errors.Is(err, ErrMismatch):
					t.Fatalf("another request: %v %v", a, err)
				case isDone && d.content == content && (err != nil || a == nil || string(a.Body) != d.body):
					t.Fatalf("%q, then %v %v", d.body, a, err)
				case !isDone && a != nil:
					t.Fatalf("an answer that nobody gave: %v", a)
				case err == nil && a == nil:
					running[id], begun[id] = true, content
				}
			case 5:
				if !running[id] {
					continue
				}
				delete(running, id)
				body := fmt.Sprint("answer ", i)
				ok, unknown := rapid.Bool().Draw(t, "ok"), rapid.Bool().Draw(t, "unknown")
				status := http.StatusConflict
				if ok {
					status = http.StatusCreated
				}
				if err := b.End(context.Background(), id, Answer{status, []byte(body)}, unknown); err != nil {
					t.Fatal(err)
				}
				if ok && !unknown {
					k := b.keys[id]
					done[id] = was{begun[id], body, time.Unix(k.at, 0)}
				} else {
					delete(done, id)
				}
			}
		}
	})
}

// A key stands for its request for a day, and what is kept is bounded.
func TestKeysAreBounded(t *testing.T) {
	b, m, c := fresh(t)
	ctx := context.Background()
	one := func(i int) error {
		id := ID("shop", fmt.Sprint(i))
		if a, err := b.Begin(ctx, id, Content()); a != nil || err != nil {
			return err
		}
		return b.End(ctx, id, Answer{http.StatusOK, bytes.Repeat([]byte("x"), 4<<10)}, false)
	}
	for i := range MaxKeys {
		if err := one(i); err != nil {
			t.Fatal(err)
		}
	}
	if b.of[callerIn(ID("shop", ""))].bodies > maxBodies || len(m.Records) != MaxKeys {
		t.Errorf("%d bytes of answers, %d records", b.of[callerIn(ID("shop", ""))].bodies, len(m.Records))
	}
	if err := one(MaxKeys); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if a, err := b.Begin(ctx, ID("another", "1"), Content()); a != nil || err != nil {
		t.Errorf("another caller: %v", err)
	}
	if err := b.End(ctx, ID("another", "1"), Answer{}, false); err != nil {
		t.Fatal(err)
	}
	if a, err := b.Begin(ctx, ID("shop", fmt.Sprint(MaxKeys-1)), Content()); err != nil || a == nil || a.Status != http.StatusOK || a.Body != nil {
		t.Errorf("beyond the bound: %v %v", a, err)
	}
	c.at = c.at.Add(Keep)
	for i := range 200 {
		if err := one(MaxKeys + i); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.Records) != 200 {
		t.Errorf("%d records are left", len(m.Records))
	}
	if b = open(t, m, c); b.of[callerIn(ID("shop", ""))].bodies > 200*4<<10 {
		t.Error("answers that are over count")
	}
}

// What cannot be noted is not done, and no two callers share a key.
func TestABeginningIsDurable(t *testing.T) {
	b, m, c := fresh(t)
	m.Err = errors.New("disk full")
	if _, err := b.Begin(context.Background(), "a", Content()); !errors.Is(err, m.Err) {
		t.Fatal(err)
	}
	m.Err = nil
	if a, err := b.Begin(context.Background(), "a", Content()); a != nil || err != nil {
		t.Fatal(a, err)
	}
	if b = open(t, m, c); b.keys["a"].done {
		t.Error("it was not answered")
	}
	if ID("ab", "c") == ID("a", "bc") || Content([]byte("ab"), nil) == Content([]byte("a"), []byte("b")) {
		t.Error("two are one")
	}
	m.Records["b"] = []byte("damaged")
	if b = open(t, m, c); len(b.keys) != 1 || len(m.Records) != 1 {
		t.Errorf("%d keys, %d records", len(b.keys), len(m.Records))
	}
}

// FuzzParse: a record that is read is written the same again.
func FuzzParse(f *testing.F) {
	k := state{at: 1, content: Content()}
	f.Add(k.record(Answer{}))
	f.Add(k.record(Answer{200, nil}))
	f.Add(k.record(Answer{201, []byte("{}")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, a, err := parse(b)
		if err == nil && !bytes.Equal(k.record(a), b) {
			t.Fatalf("%x", b)
		}
	})
}
