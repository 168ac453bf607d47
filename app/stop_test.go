package app

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

// busy is a node that never comes to an end of answering.
type busy struct {
	api.Backend
	asked, release chan struct{}
}

func (b busy) Status(context.Context) (api.Status, error) {
	close(b.asked)
	<-b.release
	return api.Status{}, nil
}

// A client that is still being answered does not use up the time in which the
// node stops: it is cut off, the log says so, and that is no fault of the stop.
func TestAClientThatIsAnsweredDoesNotHoldUpTheStop(t *testing.T) {
	b := busy{Backend: apitest.New(), asked: make(chan struct{}), release: make(chan struct{})}
	defer close(b.release)
	s, err := api.NewServer(b, api.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	l, err := api.ListenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	served, answered := make(chan error, 1), make(chan error, 1)
	go func() { served <- s.ServeLocal(l) }()
	client, err := api.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	go func() {
		_, err := client.Status(t.Context())
		answered <- err
	}()
	<-b.asked
	var log bytes.Buffer
	doors := &servers{api: s, log: slog.New(slog.NewTextHandler(&log, nil)), patience: time.Nanosecond}
	// The stop as a whole has all the time that it could want.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := doors.shutdown(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("stop: %v, its time is over: %v", err, ctx.Err())
	}
	if !strings.Contains(log.String(), "cut off") {
		t.Errorf("the log says %q", log.String())
	}
	if err := <-answered; err == nil {
		t.Error("the client was answered")
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// What the API may take of a stop leaves time for the rest.
func TestTheAPIGetsAPartOfTheStop(t *testing.T) {
	if apiStopTime <= 0 || apiStopTime >= stopTime {
		t.Errorf("%v of %v", apiStopTime, stopTime)
	}
}

// The node says by itself where its stop hangs, before the system kills it.
func TestTheSystemWaitsForTheStop(t *testing.T) {
	unit, err := os.ReadFile("../packaging/quorate.service")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^TimeoutStopSec=(\d+)$`).FindSubmatch(unit)
	if found == nil {
		t.Fatal("the unit does not say how long it waits")
	}
	waits, err := time.ParseDuration(string(found[1]) + "s")
	if err != nil {
		t.Fatal(err)
	}
	if waits <= stopTime {
		t.Errorf("the system waits %v for a stop that may take %v", waits, stopTime)
	}
}

// The watchdog of the unit waits longer than one commit may take, or the system would end
// a node whose disk is slow.
func TestTheWatchdogIsPatient(t *testing.T) {
	unit, err := os.ReadFile("../packaging/quorate.service")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^WatchdogSec=(\d+)$`).FindSubmatch(unit)
	if found == nil || !regexp.MustCompile(`(?m)^Type=notify$`).Match(unit) {
		t.Fatal("the unit hears nothing of the node")
	}
	waits, err := time.ParseDuration(string(found[1]) + "s")
	if err != nil {
		t.Fatal(err)
	}
	// Half of it is what a wallet may be at one thing; a commit may take 30 s.
	if waits/2 < time.Minute {
		t.Errorf("it waits %v", waits)
	}
	if regexp.MustCompile(`(?m)^ConditionPath`).Match(unit) {
		t.Error("a forgotten init skips the unit without a word")
	}
}
