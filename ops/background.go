package ops

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/keystore"
)

// BackgroundOptions say which node to start apart from the terminal.
type BackgroundOptions struct {
	// Program is the path of this program.
	Program    string
	DataDir    string
	Passphrase []byte
	Environ    []string
}

// logName is the log of a node in the background, in its data directory.
const logName = "quorate.log"

// logTail is how much of the log is looked at for why a node did not start.
const logTail = 4 << 10

// StartInBackground starts a node that outlives the terminal, and returns when it is
// ready. The passphrase goes through a pipe: it is in no file and no argument. Errors
// are *api.Error.
func StartInBackground(ctx context.Context, o BackgroundOptions) error {
	// The node runs in another directory than this command.
	if err := o.absolute(); err != nil {
		return api.Fail("not_started", err.Error(), "start it with `quorate start`")
	}
	path := filepath.Join(o.DataDir, logName)
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return api.Fail("not_started", "the log could not be written: "+err.Error(), "start it with `quorate start`")
	}
	defer func() { _ = log.Close() }() // the node has its own
	// What an earlier node wrote says nothing of this one.
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return api.Fail("not_started", "the log could not be written: "+err.Error(), "start it with `quorate start`")
	}
	from, secret, err := os.Pipe()
	if err != nil {
		return api.Fail("not_started", err.Error(), "start it with `quorate start`")
	}
	defer func() { _ = from.Close() }()
	// Not of ctx: the node is to outlive this command.
	cmd := exec.Command(o.Program, "--json", "--data-dir", o.DataDir, "start", "--passphrase-file", "/dev/fd/3")
	cmd.Env, cmd.Dir, cmd.Stderr, cmd.ExtraFiles = o.Environ, "/", log, []*os.File{from}
	cmd.SysProcAttr = apart()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return api.Fail("not_started", errors.Join(err, secret.Close()).Error(), "start it with `quorate start`")
	}
	line := append(bytes.Clone(o.Passphrase), '\n')
	_, err = secret.Write(line)
	clear(line)
	if err = errors.Join(err, secret.Close()); err != nil {
		return api.Fail("not_started", errors.Join(err, cmd.Process.Kill(), cmd.Wait()).Error(), "start it with `quorate start`")
	}
	ready := make(chan bool, 1)
	go func() {
		b, _ := io.ReadAll(io.LimitReader(untilLine{out}, logTail))
		ready <- bytes.Contains(b, []byte(`"ready":true`))
	}()
	select {
	case ok := <-ready:
		if ok {
			return cmd.Process.Release()
		}
		end(cmd) // its log says why
		return api.Fail("not_started", "the node did not start: "+logEnd(path, before), "its log is "+path)
	case <-ctx.Done():
		return api.Fail("interrupted", "interrupted while the node started", "`quorate status` says whether it runs")
	}
}

// absolute makes the paths good in every directory.
func (o *BackgroundOptions) absolute() (err error) {
	if o.DataDir, err = filepath.Abs(o.DataDir); err == nil {
		o.Program, err = filepath.Abs(o.Program)
	}
	return err
}

// endTime is how long a node that will not be ready may take to say why and end.
const endTime = 2 * time.Second

// end has a node end that will not be ready: mostly it does by itself.
func end(cmd *exec.Cmd) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // the status says no more than the log
	}()
	select {
	case <-done:
		return
	case <-time.After(endTime):
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		_ = cmd.Process.Kill() // where there are no signals
	}
	<-done
}

// untilLine reads to the end of one line.
type untilLine struct{ r io.Reader }

func (u untilLine) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if bytes.IndexByte(b[:n], '\n') >= 0 {
		err = io.EOF
	}
	return n, err
}

// logEnd is the last line of a log, of what was written from a place on.
func logEnd(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	if fi, err := f.Stat(); err == nil {
		if fi.Size() < from {
			from = 0 // it is another one than before: that was put aside
		}
		from = max(from, fi.Size()-logTail)
	}
	b, err := io.ReadAll(io.NewSectionReader(f, from, logTail))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return cmp.Or(lines[len(lines)-1], "it ended without a word")
}

// unitName is the systemd unit of a user's node.
const unitName = "quorate.service"

// systemctlTime is how long systemd may take for one command.
const systemctlTime = 30 * time.Second

// InstallService writes a systemd unit of this user and starts it. The service reads
// the passphrase from a file of mode 0600 in the user's configuration: whoever reads
// that and the data directory has the keys. It returns the path of the unit; errors
// are *api.Error.
func InstallService(ctx context.Context, o BackgroundOptions) (string, error) {
	base, err := os.UserConfigDir()
	if err != nil {
		return "", api.Fail("no_service", err.Error(), "set HOME")
	}
	if err := o.absolute(); err != nil {
		return "", api.Fail("no_service", err.Error(), "")
	}
	unit := filepath.Join(base, "systemd", "user", unitName)
	secret := filepath.Join(base, "quorate", "passphrase")
	for _, s := range []string{o.Program, o.DataDir, secret} {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\"\\%$") || strings.ContainsFunc(s, unicode.IsControl) {
			return "", api.Refuse("bad_path", fmt.Sprintf("the path %q has characters that a unit gives another meaning", s), "use a path of plain characters")
		}
	}
	for _, path := range []string{unit, secret} {
		if _, err := os.Lstat(path); err == nil {
			return "", api.Refuse("exists", path+" exists already", "is there a service already? see `systemctl --user status quorate`")
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return "", api.Fail("no_service", err.Error(), "")
		}
	}
	line := append(bytes.Clone(o.Passphrase), '\n')
	err = keystore.WriteFile(secret, line)
	clear(line)
	if err != nil {
		return "", api.Fail("no_service", err.Error(), "")
	}
	text := fmt.Sprintf(`# Written by quorate setup --service. See docs/packaging.md for one of the whole machine.
[Unit]
Description=One cosigner's node of a shared Bitcoin wallet

[Service]
Type=exec
ExecStart="%s" --data-dir "%s" start --passphrase-file "%s"
UMask=0077
Restart=on-failure
RestartSec=10
TimeoutStopSec=30
LimitCORE=0
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`, o.Program, o.DataDir, secret)
	err = keystore.WriteFile(unit, []byte(text))
	for _, args := range [][]string{{"daemon-reload"}, {"enable", "--now", unitName}} {
		if err == nil {
			err = systemctl(ctx, o.Environ, args...)
		}
	}
	if err != nil {
		return "", api.Fail("no_service", uninstall(o.Environ, unit, secret, err), "start it with `quorate start`, or see docs/packaging.md for a service of the whole machine")
	}
	return unit, nil
}

// uninstall takes back what was made of a service that could not be started, and says
// what was wrong. Enabled, it would be started again and again without its passphrase.
func uninstall(environ []string, unit, secret string, why error) string {
	// Also where the user interrupts.
	ctx := context.Background()
	if _, err := os.Lstat(unit); err == nil {
		// Where systemd does not answer, there is nothing to take back.
		_ = systemctl(ctx, environ, "disable", "--now", unitName)
	}
	text := why.Error()
	for _, path := range []string{secret, unit} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			text += "; " + err.Error()
		}
	}
	_ = systemctl(ctx, environ, "daemon-reload") // it forgets the unit
	return text
}

func systemctl(ctx context.Context, environ []string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, systemctlTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "systemctl", append([]string{"--user"}, args...)...)
	cmd.Env = environ
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl --user %s: %w: %.200s", args[0], err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}
