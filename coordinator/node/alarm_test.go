package node

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/port"
)

type notices []port.Notice

func (n *notices) Notify(x port.Notice) { *n = append(*n, x) }

// Every alarm is in the log: what stands, and what happened once.
func TestEveryAlarmIsLogged(t *testing.T) {
	var log bytes.Buffer
	var told notices
	a := &Actor{ports: Ports{Log: slog.New(slog.NewTextHandler(&log, nil)), Observer: &told}}
	a.execute(coordinator.Tell{Notice: port.Notice{Type: "proposal", Detail: "x"}})
	if log.Len() != 0 {
		t.Errorf("logged %s", &log)
	}
	a.execute(coordinator.Tell{Notice: port.Notice{Type: "alarm", Status: coordinator.AlarmForeignSpend, Detail: "transaction x"}})
	if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "kind=foreign_spend") || !strings.Contains(got, `detail="transaction x"`) {
		t.Errorf("logged %s", got)
	}
	if len(told) != 2 {
		t.Errorf("%d notices", len(told))
	}
}
