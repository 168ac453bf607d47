package ceiling

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/quorate/quorate/policy"
	"github.com/quorate/quorate/wallet"
)

// Refused says why a ceiling does not let a transaction be signed. It is for whoever runs the
// signer: a node is told only that it was refused.
type Refused struct{ Reasons []policy.Reason }

// Error lists the reasons.
func (r *Refused) Error() string {
	return fmt.Sprintf("the ceiling does not let it be signed: %v", r.Reasons)
}

// Reasons that no policy gives.
const (
	ReasonWallet policy.Reason = "other_wallet"  // its descriptor is none that the operator named
	ReasonAmount policy.Reason = "false_amount"  // a coin had another amount when it was signed for before
	ReasonSpent  policy.Reason = "coin_settled"  // the operator said that a coin of it is spent
	ReasonNoRead policy.Reason = "meter_failing" // what was signed cannot be read or written
)

// Options say what a ceiling is.
type Options struct {
	Policy  *policy.Policy // as Read returns it
	Network wallet.Network
	// Wallets are those in which anything is signed.
	Wallets []*wallet.Descriptor
	File    string // where it keeps what was signed
	Now     func() time.Time
}

// Read reads the file of a ceiling. Errors are as of policy.ParseAlone.
func Read(text []byte, net wallet.Network) (*policy.Policy, error) {
	return policy.ParseAlone(text, wallet.PayeeReader(net))
}

// Ceiling decides about what a signer is asked to sign. It is safe for concurrent use.
type Ceiling struct {
	o       Options
	payees  payees
	wallets map[pin]*wallet.Descriptor

	mu   sync.Mutex
	file *file
	book book
}

// pin is a descriptor's text, in its one form.
type pin string

// Open reads what was signed before, and makes the file where there is none.
func Open(o Options) (*Ceiling, error) {
	c := &Ceiling{o: o, wallets: map[pin]*wallet.Descriptor{}}
	for _, d := range o.Wallets {
		c.wallets[pin(d.String())] = d
	}
	var err error
	if c.payees, err = derive(o.Policy, o.Network); err != nil {
		return nil, err
	}
	if c.file, err = open(o.File); err != nil {
		return nil, err
	}
	c.book = newBook(c.payees)
	if err := c.locked(func() error { return nil }); err != nil {
		return nil, errors.Join(err, c.file.close())
	}
	return c, nil
}

// Close closes the file.
func (c *Ceiling) Close() error { return c.file.close() }

// May says whether a transaction may be signed now: nil, a *Refused, or what hinders. It
// changes nothing. Own are the outputs that are said to be the wallet's, by their indexes; it
// is derived whether they are.
func (c *Ceiling) May(s *wallet.Spend, own []wallet.OwnOutput) error {
	t, err := c.reads(s, own)
	if err != nil {
		return err
	}
	return c.locked(func() error { return c.decide(s, t) })
}

// Sign is May, and where it may be signed, keeps that it is before it calls sign.
func (c *Ceiling) Sign(s *wallet.Spend, own []wallet.OwnOutput, sign func() ([]wallet.Signature, error)) ([]wallet.Signature, error) {
	t, err := c.reads(s, own)
	if err != nil {
		return nil, err
	}
	if err := c.locked(func() error {
		if err := c.decide(s, t); err != nil {
			return err
		}
		if c.book.has(t) {
			return nil // it is on the disk
		}
		return c.append(record{At: c.now(), Signed: &t})
	}); err != nil {
		return nil, err
	}
	return sign()
}

// reads makes of a transaction what is kept of it.
func (c *Ceiling) reads(s *wallet.Spend, own []wallet.OwnOutput) (signed, error) {
	d := c.wallets[pin(s.Descriptor().String())]
	if d == nil {
		return signed{}, &Refused{[]policy.Reason{ReasonWallet}}
	}
	return signedOf(s, d, own)
}

// locked runs something while no other process writes to the file, with all of it read.
func (c *Ceiling) locked(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	unlock, err := c.file.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.file.follow(func(r record) error { return c.book.take(r) }); err != nil {
		return err
	}
	return f()
}

// append keeps a record, and counts it once it is on the disk.
func (c *Ceiling) append(r record) error {
	if err := c.file.append(r); err != nil {
		return err
	}
	return c.book.take(r)
}

// now is this machine's time, and never before the latest that is kept.
func (c *Ceiling) now() int64 { return max(c.o.Now().Unix(), c.book.latest) }

// Settle keeps the operator's word that some transactions are final, and that some coins are
// spent by others, or can never be. What was not signed here is an error; what stands before
// it in the list is kept.
func (c *Ceiling) Settle(what []Settled) error {
	return c.locked(func() error {
		for _, x := range what {
			by, coins, err := c.book.settling(x)
			if err != nil {
				return err
			}
			if c.book.gone[coins[0]] == by {
				continue // said before
			}
			if err := c.append(record{At: c.now(), Settled: &x}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Lying returns what was signed and is not settled, the oldest first.
func (c *Ceiling) Lying() (out []Lying, err error) {
	err = c.locked(func() error {
		out = c.book.lying()
		return nil
	})
	return out, err
}

// Meters returns how much of each meter over all that leaves is used.
func (c *Ceiling) Meters() (out []Meter, err error) {
	err = c.locked(func() error {
		for _, m := range c.o.Policy.Meters {
			x := Meter{Name: m.Name, Limit: m.Limit, Window: m.Window, Per: m.Per}
			for _, of := range c.book.subjects(m.Per) {
				x.Used = max(x.Used, c.book.book.Used(of, m.Window, c.now()))
			}
			out = append(out, x)
		}
		return nil
	})
	return slices.Clip(out), err
}

// Meter is how much of a meter is used; of one for each recipient, by the one with the most.
type Meter struct {
	Name                string
	Limit, Window, Used int64
	Per                 policy.Per
}
