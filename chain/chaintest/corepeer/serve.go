package corepeer

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// serve passes on what has nothing to do with transactions.
func (p *Peer) serve(client net.Conn, ended <-chan struct{}) {
	server, err := net.Dial("tcp", p.node.P2P)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &conn{p: p, client: client, last: 1, known: map[chainhash.Hash]bool{}, told: map[chainhash.Hash]time.Time{}}
	p.mu.Lock()
	p.conns[c] = true
	p.mu.Unlock()
	gone := make(chan struct{})
	var once, wg = sync.Once{}, sync.WaitGroup{}
	end := func() {
		once.Do(func() {
			close(gone)
			_, _ = client.Close(), server.Close()
			p.mu.Lock()
			delete(p.conns, c)
			for id, by := range p.flight {
				if by == c {
					delete(p.asked, id)
				}
			}
			p.mu.Unlock()
		})
	}
	wg.Go(func() {
		defer end()
		for {
			m, err := read(client)
			if err != nil {
				return
			}
			if m = c.in(m); m == nil {
				continue
			}
			if _, err := wire.WriteMessageWithEncodingN(server, m, wire.AddrV2Version, magic, wire.WitnessEncoding); err != nil {
				return
			}
		}
	})
	wg.Go(func() {
		defer end()
		for {
			m, err := read(server)
			if err != nil {
				return
			}
			if m = c.out(m); m != nil && c.send(m) != nil {
				return
			}
			if _, ok := m.(*wire.MsgVersion); ok && c.send(&wire.MsgWTxIdRelay{}) != nil {
				return
			}
		}
	})
	wg.Go(func() {
		defer end()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				for _, m := range c.due() {
					if c.send(m) != nil {
						return
					}
				}
			case <-gone:
				return
			case <-ended:
				return
			}
		}
	})
	wg.Wait()
}

func read(from net.Conn) (wire.Message, error) {
	for {
		_, m, _, err := wire.ReadMessageWithEncodingN(from, wire.AddrV2Version, magic, wire.WitnessEncoding)
		if !errors.Is(err, wire.ErrUnknownMessage) {
			return m, err
		}
	}
}

func (c *conn) send(m wire.Message) error {
	c.write.Lock()
	defer c.write.Unlock()
	_, err := wire.WriteMessageWithEncodingN(c.client, m, wire.AddrV2Version, magic, wire.WitnessEncoding)
	return err
}

// out changes what btcd says; nil is not said.
func (c *conn) out(m wire.Message) wire.Message {
	switch m := m.(type) {
	case *wire.MsgVersion:
		m.UserAgent, m.DisableRelayTx = c.p.rules.Agent, c.p.rules.BlocksOnly
		m.Services &^= wire.SFNodeBloom
	case *wire.MsgInv:
		blocks := wire.NewMsgInv()
		for _, v := range m.InvList {
			if !ofTx(v) {
				_ = blocks.AddInvVect(v)
			}
		}
		if len(blocks.InvList) == 0 {
			return nil
		}
		return blocks
	case *wire.MsgTx, *wire.MsgReject, *wire.MsgFeeFilter:
		return nil
	}
	return m
}
