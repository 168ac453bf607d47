package neutrino

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
	"golang.org/x/time/rate"
)

const (
	dialTime = 10 * time.Second
	// dialRate is how many connections are begun in a second, after dialBurst at once.
	dialRate, dialBurst = 4, 16
)

func newDialer(ctx context.Context, net wire.BitcoinNet) *dialer {
	return &dialer{net: net, limit: rate.NewLimiter(dialRate, dialBurst), ctx: ctx}
}

// dialer makes the connections of the light client and remembers why the last
// one failed: the library only tells that there is no peer.
type dialer struct {
	net wire.BitcoinNet
	// The library connects again at once to whoever accepts and hangs up, such as
	// the gateway of a hotel.
	limit *rate.Limiter
	ctx   context.Context // of the backend: ends the wait

	mu   sync.Mutex
	last string // what went wrong last, in one line
}

func (d *dialer) dial(addr net.Addr) (net.Conn, error) {
	if err := d.limit.Wait(d.ctx); err != nil {
		return nil, err
	}
	c, err := net.DialTimeout(addr.Network(), addr.String(), dialTime)
	if err != nil {
		d.note(err.Error())
		return nil, err
	}
	return &conn{Conn: c, d: d, addr: addr.String()}, nil
}

func (d *dialer) note(problem string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = problem
}

func (d *dialer) problem() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// conn looks at the first bytes that a peer sends: the magic of its network.
type conn struct {
	net.Conn
	d     *dialer
	addr  string
	head  []byte
	heard atomic.Bool // it said something
}

// Close tells of a peer that said nothing before it, or we, went away.
func (c *conn) Close() error {
	if !c.heard.Load() {
		c.d.note(c.addr + " closed the connection or said nothing: is it a Bitcoin node of this network?")
	}
	return c.Conn.Close()
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if len(c.head) < 4 {
		c.head = append(c.head, b[:min(n, 4-len(c.head))]...)
		c.look()
	}
	return n, err
}

// look belongs to the one goroutine that reads.
func (c *conn) look() {
	c.heard.Store(len(c.head) > 0)
	switch {
	case len(c.head) < 4:
	case wire.BitcoinNet(binary.LittleEndian.Uint32(c.head)) != c.d.net:
		c.d.note(c.addr + " is not a Bitcoin node of this network")
	default:
		c.d.note("")
	}
}
