package main

import (
	"io"
	"sync"

	"github.com/schollz/progressbar/v3"

	"github.com/quorate/quorate/api"
)

// syncBar draws the progress of a light client on a terminal, below the log.
type syncBar struct {
	mu    sync.Mutex
	out   io.Writer
	bar   *progressbar.ProgressBar
	stage string
}

// Write lets a line of the log through: the bar is drawn again after it.
func (b *syncBar) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
	}
	return b.out.Write(p)
}

func (b *syncBar) show(s api.ChainStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Sync == nil || s.Sync.Target == 0 {
		b.end()
		return
	}
	if b.bar == nil || b.stage != s.Sync.Stage {
		b.end()
		b.stage = s.Sync.Stage
		b.bar = progressbar.NewOptions(int(s.Sync.Target),
			progressbar.OptionSetWriter(b.out), progressbar.OptionSetDescription(s.Sync.Stage),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("headers"),
			progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
	}
	b.bar.ChangeMax(max(int(s.Sync.Target), 1))
	_ = b.bar.Set(int(s.Sync.Height))
}

func (b *syncBar) end() {
	if b.bar != nil {
		_ = b.bar.Clear()
		b.bar = nil
	}
}
