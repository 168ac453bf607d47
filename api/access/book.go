package access

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorate/quorate/api/kept"
)

// Book has the tokens of a node. It is safe for concurrent use.
type Book struct {
	store  kept.Store
	random io.Reader
	now    func() time.Time

	mu     sync.Mutex
	tokens map[string]*entry   // by id
	ids    map[[32]byte]string // by digest
}

// entry is a token in use.
type entry struct {
	record
	gone chan struct{} // closed when it is revoked
}

// Open reads the tokens that a store has, and returns the ids of those that are not good
// for anything: whose record cannot be read, and what those made, since what bounded it
// is not known any more.
func Open(ctx context.Context, s kept.Store, random io.Reader, now func() time.Time) (b *Book, damaged []string, err error) {
	recs, err := s.Load(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load tokens: %w", err)
	}
	b = &Book{store: s, random: random, now: now, tokens: map[string]*entry{}, ids: map[[32]byte]string{}}
	for id, raw := range recs {
		r, err := parseRecord(raw)
		if err != nil {
			damaged = append(damaged, id)
			continue
		}
		b.tokens[id] = &entry{*r, make(chan struct{})}
		b.ids[[32]byte(r.Digest)] = id
	}
	for id := range b.tokens {
		if chain := b.above(id); b.tokens[chain[len(chain)-1]].By != "" {
			damaged = append(damaged, id)
		}
	}
	slices.Sort(damaged)
	b.drop(damaged)
	return b, damaged, nil
}

// Caller is who asks, and what it may.
type Caller struct {
	// Token is the id of its token, "" for who has none of this node's making.
	Token string
	Terms
	// Gone is closed when its token is revoked; nil for never.
	Gone <-chan struct{}
	// Root is the first of the tokens that its token came from, or that itself.
	Root string
}

// Over says whether its token has ended since it was shown.
func (c Caller) Over(now time.Time) bool {
	select {
	case <-c.Gone:
		return true
	default:
		return !c.Until.IsZero() && !c.Until.After(now)
	}
}

// Everything is who may do everything.
func Everything() Caller { return Caller{Terms: Terms{Verbs: append(slices.Clone(verbs), Local)}} }

// May says whether a caller has a verb.
func (c Caller) May(v Verb) bool { return slices.Contains(c.Verbs, v) || v == Any && len(c.Verbs) > 0 }

// Sees says whether a caller may be shown a wallet, by its id.
func (c Caller) Sees(wallet string) bool {
	return len(c.Wallets) == 0 || slices.Contains(c.Wallets, wallet)
}

// Find returns who shows a token; false where there is none, or it has ended. The
// digest is looked up: what time that takes says nothing of a token to who lacks it.
func (b *Book) Find(secret string) (Caller, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, ok := b.ids[Digest(secret)]
	if !ok {
		return Caller{}, false
	}
	e, now := b.tokens[id], b.now()
	if e.over(now) {
		return Caller{}, false
	}
	if at := now.Truncate(time.Hour).Unix(); e.Used < at {
		e.Used = at
		// Where that cannot be saved it is told until a restart: nobody is kept out.
		_ = b.save(context.Background(), map[string]record{id: e.record}, nil)
	}
	chain := b.above(id)
	return Caller{Token: id, Terms: e.terms(), Gone: e.gone, Root: chain[len(chain)-1]}, true
}

func (r *record) over(now time.Time) bool { return r.Until > 0 && r.Until <= now.Unix() }

// Create makes a token for by, the id of one or "" for who may do everything, and
// returns its id and its text, which is kept nowhere.
func (b *Book) Create(ctx context.Context, by string, t Terms) (id, secret string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if t, err = t.check(now); err != nil {
		return "", "", err
	}
	if by != "" {
		e, ok := b.tokens[by]
		if !ok || e.over(now) {
			return "", "", ErrUnknown
		}
		if err := t.within(e.terms()); err != nil {
			return "", "", err
		}
	}
	var over []string
	for id, e := range b.tokens {
		switch {
		case e.over(now):
			over = append(over, id) // and all that it made, which ends with it at the latest
		case e.Name == t.Name:
			return "", "", ErrTaken
		}
	}
	if len(b.tokens)-len(over) >= MaxTokens {
		return "", "", ErrFull
	}
	var name [8]byte
	var random [secretBytes]byte
	for _, p := range [][]byte{name[:], random[:]} {
		if _, err := io.ReadFull(b.random, p); err != nil {
			return "", "", fmt.Errorf("draw a token: %w", err)
		}
	}
	id, secret = hex.EncodeToString(name[:]), writeSecret(random)
	if _, taken := b.tokens[id]; taken {
		return "", "", errors.New("draw a token: its id is drawn already")
	}
	digest := Digest(secret)
	r := record{
		Name: t.Name, Digest: digest[:], Verbs: t.Verbs, Wallets: t.Wallets, MaxAmount: t.MaxAmount,
		Created: now.Unix(), By: by,
	}
	if !t.Until.IsZero() {
		r.Until = t.Until.Unix()
	}
	if err := b.save(ctx, map[string]record{id: r}, over); err != nil {
		return "", "", err
	}
	b.tokens[id], b.ids[digest] = &entry{r, make(chan struct{})}, id
	b.drop(over)
	return id, secret, nil
}

// save makes records durable. It is called with the lock held, so that none is older
// than what is in memory.
func (b *Book) save(ctx context.Context, recs map[string]record, deletes []string) error {
	puts := map[string][]byte{}
	for id, r := range recs {
		raw, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("write token: %w", err)
		}
		puts[id] = raw
	}
	if err := b.store.Save(ctx, puts, deletes); err != nil {
		return fmt.Errorf("save tokens: %w", err)
	}
	return nil
}

func (b *Book) drop(ids []string) {
	for _, id := range ids {
		if e, ok := b.tokens[id]; ok {
			close(e.gone)
			delete(b.ids, [32]byte(e.Digest))
			delete(b.tokens, id)
		}
	}
}

// made returns the ids of a token and of all that it made, and those made.
func (b *Book) made(id string) []string {
	out := []string{id}
	for i := 0; i < len(out); i++ {
		for child, e := range b.tokens {
			if e.By == out[i] {
				out = append(out, child)
			}
		}
	}
	return out
}

// find returns the id of a token by that or its name.
func (b *Book) find(ref string) (string, bool) {
	if _, ok := b.tokens[ref]; ok {
		return ref, true
	}
	for id, e := range b.tokens {
		if e.Name == ref {
			return id, true
		}
	}
	return "", false
}

// Revoke ends a token, named by its id or its name, and all that it made, at once and
// for ever, and returns how many that were. Who has a token revokes what that one made.
func (b *Book) Revoke(ctx context.Context, by, ref string) (Info, int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, ok := b.find(ref)
	if !ok || by != "" && (id == by || !slices.Contains(b.made(by), id)) {
		return Info{}, 0, ErrUnknown
	}
	ids := b.made(id)
	if err := b.save(ctx, nil, ids); err != nil {
		return Info{}, 0, err
	}
	out := b.info(id)
	b.drop(ids)
	return out, len(ids), nil
}

func (b *Book) info(id string) Info {
	e := b.tokens[id]
	i := Info{ID: id, Terms: e.terms(), Created: time.Unix(e.Created, 0), By: e.By, Spent: e.Spent.total(b.now())}
	if e.Used > 0 {
		i.Used = time.Unix(e.Used, 0)
	}
	return i
}

// List returns the tokens, the newest first: all, or what a token made.
func (b *Book) List(by string) []Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ids []string
	if by != "" {
		ids = b.made(by)[1:]
	} else {
		for id := range b.tokens {
			ids = append(ids, id)
		}
	}
	out := make([]Info, 0, len(ids))
	for _, id := range ids {
		out = append(out, b.info(id))
	}
	slices.SortFunc(out, func(x, y Info) int {
		if c := y.Created.Compare(x.Created); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	return out
}

// Show returns one token, by its id.
func (b *Book) Show(id string) (Info, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.tokens[id]; !ok {
		return Info{}, false
	}
	return b.info(id), true
}

// above returns a token and those that it came from, itself first.
func (b *Book) above(id string) []string {
	var out []string
	for id != "" && !slices.Contains(out, id) {
		e, ok := b.tokens[id]
		if !ok {
			break
		}
		out = append(out, id)
		id = e.By
	}
	return out
}

// Limited says whether what a token spends is bounded, by its own limit or by one of
// those that it came from.
func (b *Book) Limited(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := b.above(id)
	// One that was revoked meanwhile spends nothing more: Charge says so.
	return len(ids) == 0 || slices.ContainsFunc(ids, func(of string) bool { return b.tokens[of].MaxAmount > 0 })
}

// Charge counts an amount in satoshis against a token and all that it came from, and
// makes that durable, before what it pays for is done: a crash leaves it counted. It
// returns ErrOver, and counts nothing, where any of their limits does not allow it. The
// function it returns takes it back, where what it paid for was refused.
func (b *Book) Charge(ctx context.Context, id string, amount int64) (func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if amount < 0 || amount > maxMoney {
		return nil, fmt.Errorf("%w: %d satoshis", ErrOver, amount)
	}
	at := b.now()
	ids := b.above(id)
	if len(ids) == 0 {
		return nil, ErrUnknown
	}
	for _, of := range ids {
		e := b.tokens[of]
		if left := e.MaxAmount - min(e.Spent.total(at), math.MaxInt64/2); e.MaxAmount > 0 && amount > left {
			return nil, fmt.Errorf("%w: %d satoshis, of %d that are left of %d", ErrOver, amount, max(0, left), e.MaxAmount)
		}
	}
	if err := b.charge(ctx, ids, at, amount); err != nil {
		return nil, err
	}
	var once sync.Once
	return func() {
		once.Do(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			// What cannot be saved stays counted, here as there.
			_ = b.charge(context.WithoutCancel(ctx), b.above(id), at, -amount)
		})
	}, nil
}

func (b *Book) charge(ctx context.Context, ids []string, at time.Time, amount int64) error {
	recs := map[string]record{}
	for _, id := range ids {
		r := b.tokens[id].record
		r.Spent = r.Spent.add(at, b.now(), amount)
		recs[id] = r
	}
	if err := b.save(ctx, recs, nil); err != nil {
		return err
	}
	for id, r := range recs {
		b.tokens[id].record = r
	}
	return nil
}
