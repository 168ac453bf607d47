package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/quorate/quorate/api"
)

// servers are the doors of the API.
type servers struct {
	api     *api.Server
	metrics *http.Server // nil where it is not configured
	failed  chan error
	log     *slog.Logger
	// patience is how long requests may take to end at a stop.
	patience time.Duration
}

// shutdown closes the doors. Who is still being answered after the patience is
// cut off: no client keeps the node from closing the rest in order.
func (s *servers) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if s.metrics != nil {
		_ = s.metrics.Close() // a scrape is nothing to wait for
	}
	err := s.api.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("clients of the API were cut off", "error", err)
		return nil
	}
	return err
}

func (n *Node) serve(o RunOptions) (*servers, error) {
	var tokens []api.Token
	for _, t := range o.Config.API.Tokens {
		token, err := api.ParseToken(string(t))
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	if len(tokens) > 0 {
		o.Log.Warn("api.tokens stand in the configuration in plain, and will not be read for ever", "do", "quorate token create")
	}
	book, err := openTokens(context.Background(), n.parts.Store, o.Log)
	if err != nil {
		return nil, api.Fail("not_started", err.Error(), "")
	}
	answers, err := openAnswers(context.Background(), n.parts.Store)
	if err != nil {
		return nil, api.Fail("not_started", err.Error(), "")
	}
	s, err := api.NewServer(n, api.Options{Version: n.parts.Version, Tokens: tokens, Book: book, Answers: answers,
		Live: n.live, Log: o.Log})
	if err != nil {
		return nil, api.Fail("not_started", err.Error(), "")
	}
	local, err := api.ListenLocal(o.DataDir)
	if err != nil {
		return nil, api.Fail("not_started", err.Error(), "")
	}
	// Nothing is served before all that is asked for is listened on.
	var tcp net.Listener
	if o.Config.API.Listen != "" {
		if tcp, err = net.Listen("tcp", o.Config.API.Listen); err != nil {
			return nil, errors.Join(NotListening("the API", o.Config.API.Listen, "api.listen", err), local.Close())
		}
	}
	out := &servers{api: s, failed: make(chan error, 3), log: o.Log, patience: apiStopTime}
	if o.Config.Metrics.Listen != "" {
		if out.metrics, err = n.serveMetrics(o, s, out.failed); err != nil {
			err = errors.Join(err, local.Close())
			if tcp != nil {
				err = errors.Join(err, tcp.Close())
			}
			return nil, err
		}
	}
	go func() { out.failed <- s.ServeLocal(local) }()
	if tcp != nil {
		o.Log.Info("serving the API", "address", tcp.Addr().String())
		go func() { out.failed <- s.ServeTokens(tcp) }()
	}
	return out, nil
}

// shutdown stops the node within stopTime. When that hangs, the log says
// where, and the process ends all the same: everything acknowledged is durable.
func (n *Node) shutdown(o RunOptions, s *servers) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	o.Log.Info("stopping")
	done := make(chan error, 1)
	go func() { done <- errors.Join(s.shutdown(ctx), n.Close()) }()
	select {
	case err := <-done:
		if err != nil {
			return api.Fail("stop", "the node stopped with an error: "+err.Error(), "")
		}
		o.Log.Info("stopped")
		return nil
	case <-time.After(stopTime):
		buf := make([]byte, 1<<20)
		o.Log.Error("the node did not stop in time", "goroutines", string(buf[:runtime.Stack(buf, true)]))
		return api.Fail("stop", "the node did not stop within "+stopTime.String(), "nothing acknowledged is lost")
	}
}
