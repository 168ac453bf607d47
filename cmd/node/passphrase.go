package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/quorate/quorate/api"
)

// maxSecretFile bounds a file with a passphrase or a mnemonic.
const maxSecretFile = 4 << 10

// passphrase gets the passphrase of the keystore: from --passphrase-file,
// QUORATE_PASSPHRASE_FILE, $CREDENTIALS_DIRECTORY/passphrase, or a prompt,
// which asks twice for a new one.
func (c *cli) passphrase(ctx context.Context, file string, isNew bool) ([]byte, error) {
	if file := c.passphraseFile(file); file != "" {
		return readSecret("passphrase", file)
	}
	q := c.prompter()
	if q == nil {
		return nil, api.Misuse("no_passphrase", "no passphrase was given, and there is no terminal to ask on", "use --passphrase-file FILE")
	}
	if isNew {
		return q.twice(ctx, "Passphrase: ")
	}
	return q.secret(ctx, "Passphrase: ")
}

// passphraseFile is where a passphrase is read from, "" for a prompt.
func (c *cli) passphraseFile(file string) string {
	if file == "" {
		file = c.getenv("QUORATE_PASSPHRASE_FILE")
	}
	if dir := c.getenv("CREDENTIALS_DIRECTORY"); file == "" && dir != "" {
		path := filepath.Join(dir, "passphrase")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return file
}

// prompter asks for secrets wherever standard input is a terminal: also where a
// program reads the answer, and where standard error is a log.
func (c *cli) prompter() *asker {
	if f, ok := c.in.(*os.File); ok && isTerminal(f) {
		return &asker{in: f, out: c.err}
	}
	return nil
}

// twice asks for a new secret, which must be typed alike two times.
func (q *asker) twice(ctx context.Context, question string) ([]byte, error) {
	p, err := q.secret(ctx, question)
	if err != nil {
		return nil, err
	}
	again, err := q.secret(ctx, "The same passphrase again: ")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if !bytes.Equal(p, again) {
		return nil, api.Misuse("passphrase_differs", "the two passphrases differ", "try again")
	}
	return p, nil
}

// readSecret reads a small file, without the line end at its end. The error
// names the file and never what is in it.
func readSecret(what, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, api.Misuse("bad_"+what+"_file", fmt.Sprintf("the %s file could not be read: %v", what, err), "give the path of an existing file")
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return nil, api.Misuse("bad_"+what+"_file", fmt.Sprintf("the %s file could not be read: %v", what, err), "")
	}
	if len(b) > maxSecretFile {
		return nil, api.Misuse("bad_"+what+"_file", fmt.Sprintf("the %s file is over %d bytes", what, maxSecretFile), "is it the right file?")
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r")), nil
}
