package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/quorate/quorate/api"
)

// maxSecretFile bounds a file with a passphrase or a mnemonic.
const maxSecretFile = 4 << 10

// passphrase gets the passphrase of the keystore: from --passphrase-file,
// QUORATE_PASSPHRASE_FILE, $CREDENTIALS_DIRECTORY/passphrase, or a prompt,
// which asks twice for a new one.
func (c *cli) passphrase(file string, isNew bool) ([]byte, error) {
	if file == "" {
		file = c.getenv("QUORATE_PASSPHRASE_FILE")
	}
	if file != "" {
		return readSecret("passphrase", file)
	}
	if dir := c.getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		path := filepath.Join(dir, "passphrase")
		if _, err := os.Stat(path); err == nil {
			return readSecret("passphrase", path)
		}
	}
	f, ok := c.in.(*os.File)
	if !ok || !isTerminal(f) {
		return nil, api.Misuse("no_passphrase", "no passphrase was given, and there is no terminal to ask on", "use --passphrase-file FILE")
	}
	p, err := c.prompt(f, "Passphrase: ")
	if err != nil || !isNew {
		return p, err
	}
	again, err := c.prompt(f, "The same passphrase again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(p, again) {
		return nil, api.Misuse("passphrase_differs", "the two passphrases differ", "try again")
	}
	return p, nil
}

func (c *cli) prompt(f *os.File, text string) ([]byte, error) {
	fmt.Fprint(c.err, text)
	p, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(c.err)
	if err != nil {
		return nil, api.Misuse("no_passphrase", "the passphrase could not be read: "+err.Error(), "use --passphrase-file FILE")
	}
	return p, nil
}

// confirm asks a question on a terminal; whatever is not yes is no.
func (c *cli) confirm(in *os.File, question string) (bool, error) {
	fmt.Fprintf(c.err, "%s [yes/no] ", clean(question))
	// Byte by byte: what follows the line is for whoever asks next.
	var line []byte
	for b := make([]byte, 1); len(line) < 80; line = append(line, b[0]) {
		if _, err := in.Read(b); err != nil {
			return false, api.Misuse("no_answer", "the answer could not be read: "+err.Error(), "")
		}
		if b[0] == '\n' {
			break
		}
	}
	return strings.TrimSpace(string(line)) == "yes", nil
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
