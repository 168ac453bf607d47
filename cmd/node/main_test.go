package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/api/apitest"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"quorate": main}) }

// TestScripts runs testdata: the real binary, in a process of its own, where
// needed against a stand-in node on a real socket.
func TestScripts(t *testing.T) {
	t.Cleanup(func() { writeShapes(t) })
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, "DATA="+e.WorkDir+"/data", "P="+apitest.ProposalID, "P31="+apitest.ProposalID[:31], "P32="+apitest.ProposalID[:32],
				"TXID="+apitest.TxID, "ADDR="+apitest.Address, "QUORATE_DATA_DIR="+e.WorkDir+"/data")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "call": call, "fakenode": fakeNode, "fakestatus": fakeStatus, "fakefail": fakeFail, "fakealarm": fakeAlarm, "shape": shape, "oneline": oneLine, "request": request,
		},
	})
}

// status N quorate ARGS… runs the binary and checks its exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = ts.Getenv("WORK"), ts.Stdout(), ts.Stderr(), environ(ts)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	checkStatus(ts, args[0], cmd.ProcessState.ExitCode())
}

// call N quorate ARGS… is status in this process: many times faster, and for
// what does not depend on the working directory.
func call(ts *testscript.TestScript, _ bool, args []string) {
	in := ""
	if f := ts.Getenv("STDIN"); f != "" {
		in = ts.ReadFile(f)
	}
	checkStatus(ts, args[0], run(args[2:], environ(ts), strings.NewReader(in), ts.Stdout(), ts.Stderr()))
}

func checkStatus(ts *testscript.TestScript, want string, got int) {
	n, err := strconv.Atoi(want)
	ts.Check(err)
	if got != n {
		ts.Fatalf("exit status %d, want %d", got, n)
	}
}

func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, k := range []string{"PATH", "HOME", "TMPDIR", "QUORATE_DATA_DIR", "QUORATE_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY", "QUORATE_CHAIN_CORE_URLL"} {
		if v := ts.Getenv(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// fakeNode serves a stand-in node on the data directory.
func fakeNode(ts *testscript.TestScript, _ bool, _ []string) {
	dir := ts.Getenv("DATA")
	ts.Check(os.MkdirAll(dir, 0o700))
	b := apitest.New()
	s, err := api.NewServer(b, api.Options{})
	ts.Check(err)
	l, err := api.ListenLocal(dir)
	ts.Check(err)
	done := make(chan error, 1)
	go func() { done <- s.ServeLocal(l) }()
	nodes.store(ts.Getenv("WORK"), b)
	ts.Defer(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		ts.Check(s.Shutdown(ctx))
		ts.Check(<-done)
	})
}

func fakeStatus(ts *testscript.TestScript, _ bool, args []string) {
	nodes.load(ts).SetStatus(args[0])
}

// fakeFail METHOD KIND CODE makes a method of the stand-in fail.
func fakeFail(ts *testscript.TestScript, _ bool, args []string) {
	kind := slices.Index([]string{"failed", "usage", "not_found", "denied", "unavailable", "timeout"}, args[1])
	if kind < 0 {
		ts.Fatalf("unknown kind %s", args[1])
	}
	nodes.load(ts).Fail(args[0], &api.Error{Kind: api.Kind(kind), Code: args[2], Message: "it did not work", Hint: "do something else"})
}

// fakeAlarm [CODE] makes an alarm stand, or none.
func fakeAlarm(ts *testscript.TestScript, _ bool, args []string) {
	var alarms []api.Alarm
	for _, code := range args {
		alarms = append(alarms, api.Alarm{Code: code, Message: "transaction \x1b[31mx, which nobody proposed", Since: apitest.Now(), TxID: api.Text(apitest.TxID)})
	}
	nodes.load(ts).SetAlarms(alarms...)
}

// request JSON checks the body of the last request that reached the stand-in.
func request(ts *testscript.TestScript, _ bool, args []string) {
	all := nodes.load(ts).Requests()
	if len(all) == 0 {
		ts.Fatalf("no request")
	}
	b, err := json.Marshal(all[len(all)-1])
	ts.Check(err)
	if string(b) != args[0] {
		ts.Fatalf("request %s", b)
	}
}

// shape FILE checks that standard output is exactly one JSON value, with the
// fields and types that FILE lists.
func shape(ts *testscript.TestScript, _ bool, args []string) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	var v any
	ts.Check(d.Decode(&v))
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		ts.Fatalf("more than one JSON value")
	}
	lines := map[string]bool{}
	describe(v, "", lines)
	var got []string
	for l := range lines {
		got = append(got, l)
	}
	slices.Sort(got)
	if *update {
		shapes.Store([2]string{ts.Name(), args[0]}, strings.Join(got, "\n")+"\n")
		return
	}
	want := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		ts.Fatalf("shape of standard output is\n%s", strings.Join(got, "\n"))
	}
}

// shapes are those seen, by script and file, where they are to be written anew.
var shapes sync.Map

func writeShapes(t *testing.T) {
	shapes.Range(func(k, v any) bool {
		at, _ := k.([2]string)
		text, _ := v.(string)
		name := filepath.Join("testdata", at[0]+".txtar")
		script, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range script.Files {
			if script.Files[i].Name == at[1] {
				script.Files[i].Data = []byte(text)
			}
		}
		if err := os.WriteFile(name, txtar.Format(script), 0o600); err != nil {
			t.Fatal(err)
		}
		return true
	})
}

func describe(v any, path string, lines map[string]bool) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			describe(e, path+"."+k, lines)
		}
	case []any:
		lines[path+" list"] = true
		for _, e := range x {
			describe(e, path+"[]", lines)
		}
	case string:
		if _, err := time.Parse("2006-01-02T15:04:05Z", x); err == nil {
			lines[path+" time"] = true
			return
		}
		lines[path+" string"] = true
	case json.Number:
		if _, err := x.Int64(); err == nil {
			lines[path+" integer"] = true
			return
		}
		lines[path+" number"] = true
	default:
		lines[fmt.Sprintf("%s %v", path, x)] = true
	}
}

// oneLine checks that standard error is one line.
func oneLine(ts *testscript.TestScript, _ bool, _ []string) {
	if s := ts.ReadFile("stderr"); strings.Count(s, "\n") != 1 || !strings.HasSuffix(s, "\n") {
		ts.Fatalf("standard error is %q", s)
	}
}

// Text from elsewhere cannot move the cursor or turn the reading direction.
// What --json prints is free of control characters, too, and the same JSON.
func TestJSONIsPlain(t *testing.T) {
	var b bytes.Buffer
	said := "All \u009b2J is \u202egninrael\u202c, Bob\u200b"
	if err := (&cli{out: &b}).encode(map[string]string{"problem": said}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.ContainsAny(got, "\u009b\u202e\u202c\u200b") {
		t.Errorf("%+q", got)
	}
	var back map[string]string
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["problem"] != said {
		t.Errorf("%+q, %v", back, err)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"rent \x1b[31mred": "rent \ufffd[31mred", "a\nb\tc": "a b c", "\u202eevil": "\ufffdevil", "Jürgen ✓": "Jürgen ✓", "\xff": "\ufffd",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// An output that fails is an error, not silence.
func TestOutputFails(t *testing.T) {
	for _, args := range [][]string{{"wallet", "list"}, {"wallet", "list", "--json"}} {
		var stderr bytes.Buffer
		dir := t.TempDir()
		s, err := api.NewServer(apitest.New(), api.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := api.ListenLocal(dir)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.ServeLocal(l) }()
		c := &cli{in: strings.NewReader(""), out: full{}, err: &stderr, environ: []string{"QUORATE_DATA_DIR=" + dir}}
		if got := c.execute(t.Context(), args); got != 1 || !strings.Contains(stderr.String(), "standard output failed") {
			t.Errorf("%v: exit status %d, %s", args, got, &stderr)
		}
		if err := errors.Join(s.Shutdown(t.Context()), <-done); err != nil {
			t.Error(err)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }
