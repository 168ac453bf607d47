package api

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"syscall"
)

// Kind says what sort of failure an Error is. It decides the HTTP status and
// the exit status of the command line.
type Kind uint8

// The kinds of errors, with the exit status each gives.
const (
	Failed      Kind = iota // 1: it was tried and did not work
	Usage                   // 2: the request itself is wrong
	NotFound                // 3: there is no such wallet, proposal, route
	Denied                  // 4: a rule refuses it; the code names the rule
	Unavailable             // 5: the node is not running or not reachable
	Timeout                 // 6: it did not come in time
)

// ExitStatus is the exit status of a command that ends with this kind of error.
func (k Kind) ExitStatus() int { return int(k) + 1 }

// Error is the one error type that crosses the API. Code is stable and meant
// for programs; for Denied it is the name of the rule, which is also what
// `allow` takes where the rule can be overridden. Message says what was tried
// and why it failed, Hint what to do; neither ever holds a secret.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Hint    string
	// Status is the HTTP status, where it is not the one of the kind.
	Status int
	// Made says that something was done before it failed.
	Made bool
}

// Fail returns an Error of kind Failed.
func Fail(code, message, hint string) *Error {
	return &Error{Kind: Failed, Code: code, Message: message, Hint: hint}
}

// Misuse returns an Error of kind Usage.
func Misuse(code, message, hint string) *Error {
	return &Error{Kind: Usage, Code: code, Message: message, Hint: hint}
}

// Missing returns an Error of kind NotFound.
func Missing(code, message, hint string) *Error {
	return &Error{Kind: NotFound, Code: code, Message: message, Hint: hint}
}

// Refuse returns an Error of kind Denied; rule is the name of the rule that refuses.
func Refuse(rule, message, hint string) *Error {
	return &Error{Kind: Denied, Code: rule, Message: message, Hint: hint}
}

// as gives an error an HTTP status of its own.
func (e *Error) as(status int) *Error {
	e.Status = status
	return e
}

// Unreachable returns an Error of kind Unavailable.
func Unreachable(code, message, hint string) *Error {
	return &Error{Kind: Unavailable, Code: code, Message: message, Hint: hint}
}

// TimedOut returns an Error of kind Timeout.
func TimedOut(code, message, hint string) *Error {
	return &Error{Kind: Timeout, Code: code, Message: message, Hint: hint}
}

// Error is one line: what was tried, why it failed, what to do.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}

// GetStatus is the HTTP status of the error.
func (e *Error) GetStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	switch e.Kind {
	case Usage:
		return http.StatusBadRequest
	case NotFound:
		return http.StatusNotFound
	case Denied:
		return http.StatusConflict
	case Unavailable:
		return http.StatusServiceUnavailable
	case Timeout:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// kindOf is the inverse of GetStatus, lenient towards statuses that a proxy or
// the HTTP library itself may answer with.
func kindOf(status int) Kind {
	switch status {
	case http.StatusNotFound:
		return NotFound
	case http.StatusConflict, http.StatusUnauthorized, http.StatusForbidden:
		return Denied
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return Unavailable
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return Timeout
	}
	if status >= 400 && status < 500 {
		return Usage
	}
	return Failed
}

// ErrorBody is an Error as it goes over the wire and to standard output.
type ErrorBody struct {
	Error ErrorText `json:"error"`
}

// ErrorText is the inside of an ErrorBody.
type ErrorText struct {
	Code    string `json:"code" doc:"Stable name of the error; for a refusal, of the rule."`
	Message string `json:"message" doc:"What was tried and why it failed, in one line."`
	Hint    Text   `json:"hint" doc:"What to do about it; null where there is nothing to say."`
}

// Body returns the wire form of the error.
func (e *Error) Body() ErrorBody {
	return ErrorBody{Error: ErrorText{Code: e.Code, Message: e.Message, Hint: Text(e.Hint)}}
}

// MarshalJSON writes {"error":{"code","message","hint"}}.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.Body()) }

// AsError turns any error into an *Error. One that is none yet becomes a
// failure; what the operating system refuses (see System) and an ended context are
// recognized. nil gives nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut("timeout", err.Error(), "")
	case errors.Is(err, context.Canceled):
		return Fail("canceled", "stopped before it was done", "")
	}
	if e := System("it was not done", err); e != nil {
		return e
	}
	return Fail("failed", err.Error(), "")
}

// refusal is what the operating system says, in words, and what helps.
type refusal struct {
	errno             syscall.Errno
	code, words, hint string
}

// refusals are those that are told apart. None of them says anything about what is
// stored.
func refusals() []refusal {
	const denied = "`ls -ln` shows whose it is: run the command as its owner, `sudo -u OWNER quorate …`"
	return []refusal{
		{syscall.EACCES, "permission_denied", "permission denied", denied},
		{syscall.EPERM, "permission_denied", "the system does not permit it", denied},
		{syscall.EROFS, "read_only", "the file system is read-only", "mount it writable, `mount -o remount,rw MOUNTPOINT`; a disk with errors becomes read-only by itself: `dmesg` says so"},
		{syscall.ENOSPC, "disk_full", "the disk is full", "free some space: `df -h` shows where"},
		{syscall.EDQUOT, "disk_full", "the quota of this user is used up", "free some space, or raise it: `quota` shows it"},
		{syscall.EMFILE, "too_many_open_files", "this process may open no more files", "raise its limit: `ulimit -n 65536`, or LimitNOFILE= in a systemd unit"},
		{syscall.ENFILE, "too_many_open_files", "the machine has too many files open", "end what holds them (`lsof`), or raise the limit: `sysctl fs.file-max`"},
		{syscall.EIO, "disk_error", "the disk could not be read or written", "copy the data directory to another disk before anything else; `dmesg` says what the disk told"},
		{syscall.ENOLCK, "no_locks", "the file system gives no locks", "move the data directory to a disk of this machine"},
	}
}

// System says what the operating system refused, in words of its own, and what helps:
// permission_denied, read_only, disk_full, too_many_open_files, disk_error or no_locks.
// what is what was not done. It returns nil for any other error.
func System(what string, err error) *Error {
	for _, r := range refusals() {
		if !errors.Is(err, r.errno) {
			continue
		}
		text := what + ": " + r.words
		var at *fs.PathError
		if errors.As(err, &at) {
			text += " (" + at.Path + ")"
		}
		return Fail(r.code, text, r.hint)
	}
	return nil
}
