package core

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// cookieUser is the name that Bitcoin Core writes into its cookie file.
	cookieUser = "__cookie__"
	// maxCookie bounds the file; Core writes 75 bytes.
	maxCookie = 512
)

// errCookie is what is said of every file that is no cookie, whatever is in it.
var errCookie = errors.New("cookie file is none that Bitcoin Core wrote: it has one short line, " + cookieUser + ":PASSWORD")

// readCookie reads Bitcoin Core's cookie file. What is in it is sent to the
// server, so a file that is not one line of the form that Core writes is
// refused: a wrong path must not hand over some other secret of the user.
func readCookie(path string) (user, password string, err error) {
	// Looked at before it is opened: opening a pipe would wait for a writer.
	if fi, err := os.Stat(path); err != nil {
		return "", "", fmt.Errorf("read cookie file (is the node running?): %w", err)
	} else if !fi.Mode().IsRegular() {
		return "", "", errCookie
	}
	f, err := os.Open(path)
	if err != nil {
		return "", "", fmt.Errorf("read cookie file (is the node running?): %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxCookie+1))
	if err != nil {
		return "", "", fmt.Errorf("read cookie file: %w", err)
	}
	return parseCookie(raw)
}

func parseCookie(raw []byte) (user, password string, err error) {
	if len(raw) > maxCookie {
		return "", "", errCookie
	}
	password, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), cookieUser+":")
	if !ok || password == "" || strings.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", "", errCookie
	}
	return cookieUser, password, nil
}
