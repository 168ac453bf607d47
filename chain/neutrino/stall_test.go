package neutrino_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"github.com/quorate/quorate/chain/neutrino"
	"github.com/quorate/quorate/coordinator/port"
	"github.com/quorate/quorate/wallet"
)

// told is a log that passes on the messages.
type told struct {
	slog.Handler
	to chan string
}

func (told) Enabled(context.Context, slog.Level) bool { return true }

func (h told) Handle(_ context.Context, r slog.Record) error {
	select {
	case h.to <- r.Message:
	default:
	}
	return nil
}

// A light client whose peer announces blocks and serves none is started again.
func TestStuckIsStartedAgain(t *testing.T) {
	silent := listen(t, "127.0.0.1:0", func(c net.Conn) {
		const magic = wire.TestNet // regtest's
		greeting := wire.NewMsgVersion(&wire.NetAddress{}, &wire.NetAddress{}, 1, 1000)
		greeting.Services = wire.SFNodeNetwork | wire.SFNodeWitness | wire.SFNodeCF
		greeting.ProtocolVersion = int32(wire.SendHeadersVersion)
		for {
			_, m, _, err := wire.ReadMessageWithEncodingN(c, wire.SendHeadersVersion, magic, wire.WitnessEncoding)
			if err != nil && !errors.Is(err, wire.ErrUnknownMessage) {
				return
			}
			switch m := m.(type) {
			case *wire.MsgVersion:
				_ = wire.WriteMessage(c, greeting, wire.SendHeadersVersion, magic)
				_ = wire.WriteMessage(c, wire.NewMsgVerAck(), wire.SendHeadersVersion, magic)
			case *wire.MsgPing:
				_ = wire.WriteMessage(c, wire.NewMsgPong(m.Nonce), wire.SendHeadersVersion, magic)
			}
		}
	})
	messages := make(chan string, 1000)
	b, err := neutrino.New(neutrino.Config{
		Dir: filepath.Join(t.TempDir(), "n"), Network: wallet.Regtest, Peers: []string{silent},
		Log: slog.New(told{slog.DiscardHandler, messages}),
	}.Stalls(2 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	health(t, b, "what it aims at", func(h port.ChainHealth) bool {
		return h.Target == 1000 && !h.Synced && h.Stage == "block headers" && h.StageHeight == 0
	})
	deadline := time.After(time.Minute)
	for again := 0; again < 2; {
		select {
		case m := <-messages:
			if strings.Contains(m, "started again") {
				again++
			}
		case <-deadline:
			t.Fatal("it was not started again")
		}
	}
	health(t, b, "a peer after that", func(h port.ChainHealth) bool { return h.Peers == 1 })
}
