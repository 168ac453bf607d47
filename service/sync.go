package service

import (
	"context"
	"reflect"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator/port"
)

// chainStatus is what the API says of a chain backend.
func chainStatus(h port.ChainHealth) api.ChainStatus {
	s := api.ChainStatus{
		Backend: h.Backend, Synced: h.Synced,
		Problem: api.Text(h.Problem), Note: api.Text(h.Note), Peers: api.Known(h.Peers), Blind: h.Blind,
	}
	// Regtest begins at height 0.
	if h.Synced || h.Height > 0 {
		s.Height = &h.Height
	}
	if h.Synced || h.Target > 0 {
		s.Target = &h.Target
	}
	if h.Problem != "" && !h.Since.IsZero() {
		s.Since = api.Known(api.Time(h.Since))
	}
	if h.Stage != "" {
		s.Sync = &api.ChainSync{Stage: h.Stage, Height: h.StageHeight, Target: h.Target, Rate: h.Rate, SecondsLeft: api.Known(int64(h.Left.Seconds()))}
	}
	return s
}

// syncEvery is how often progress is told while the chain is being synced.
const syncEvery = time.Second

// WatchSync tells of the backend's progress and of its problems as they begin
// and end: in the event stream, and to progress while the first sync lasts.
func (n *Node) WatchSync(ctx context.Context, progress func(api.ChainStatus)) {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	var last api.ChainStatus
	for {
		s := chainStatus(n.parts.Chain.Health())
		news := s.Problem != last.Problem || s.Synced != last.Synced || s.Note != last.Note ||
			(s.Sync != nil && !reflect.DeepEqual(s.Sync, last.Sync))
		if news {
			n.hub.send(api.Event{Live: true, Type: "sync", Time: api.Time(time.Now()), Chain: &s})
		}
		last = s
		if progress != nil {
			progress(s)
			if s.Synced {
				progress = nil
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
