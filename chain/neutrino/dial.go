package neutrino

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
)

const dialTime = 10 * time.Second

// dialer makes the connections of the light client and remembers why the last
// one failed: the library only tells that there is no peer.
type dialer struct {
	net wire.BitcoinNet

	mu   sync.Mutex
	last string // what went wrong last, in one line
}

func (d *dialer) dial(addr net.Addr) (net.Conn, error) {
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
	d    *dialer
	addr string
	head []byte
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if len(c.head) < 4 {
		c.head = append(c.head, b[:min(n, 4-len(c.head))]...)
		c.look(err)
	}
	return n, err
}

// look belongs to the one goroutine that reads.
func (c *conn) look(err error) {
	switch {
	case len(c.head) == 4 && wire.BitcoinNet(binary.LittleEndian.Uint32(c.head)) != c.d.net:
		c.d.note(c.addr + " is not a Bitcoin node of this network")
	case len(c.head) == 4:
		c.d.note("")
	case err == io.EOF:
		c.d.note(fmt.Sprintf("%s closed the connection at once: it may be of another network", c.addr))
	}
}
