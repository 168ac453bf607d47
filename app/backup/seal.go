package backup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
)

// maxWorkFactor caps the scrypt work (2^n) that a file may ask for: 2^20 takes
// 1 GiB and a few seconds. What is written takes 2^18.
const maxWorkFactor = 20

// Recipients reads age recipients (age1…), native ones only.
func Recipients(texts []string) ([]age.Recipient, error) {
	out, err := age.ParseRecipients(strings.NewReader(strings.Join(texts, "\n")))
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	return out, nil
}

// Passphrase returns a recipient that a passphrase opens. work is the scrypt
// work factor, 0 for age's own choice.
func Passphrase(pass []byte, work int) ([]age.Recipient, error) {
	r, err := age.NewScryptRecipient(string(pass))
	if err != nil {
		return nil, fmt.Errorf("passphrase: %w", err)
	}
	if work > 0 {
		r.SetWorkFactor(work)
	}
	return []age.Recipient{r}, nil
}

// Seal returns a writer whose Close ends the sealed file.
func Seal(w io.Writer, to []age.Recipient) (io.WriteCloser, error) {
	out, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, fmt.Errorf("seal backup: %w", err)
	}
	return out, nil
}

// source remembers whether the file was read to its end: what fails to decrypt
// there was cut off, or is damaged in its last chunk (64 KiB), which age cannot
// tell apart.
type source struct {
	r   io.Reader
	end bool
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.end = s.end || errors.Is(err, io.EOF)
	return n, err
}

// opened is what is inside a sealed file.
type opened struct {
	r    io.Reader
	from *source
}

func (o *opened) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	if err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return n, err
	}
	if o.from.end {
		return n, fmt.Errorf("%w, or its end is damaged", ErrTruncated)
	}
	return n, fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// Unseal opens a sealed file: with the identities (the text of an age identity
// file) where there are any, else with the passphrase. It returns ErrNotBackup,
// ErrTruncated, ErrCorrupt, ErrPassphrase, ErrNeedsIdentity, ErrIdentity or
// ErrWork; reading from it returns ErrTruncated or ErrCorrupt.
func Unseal(r io.Reader, identities string, pass []byte) (io.Reader, error) {
	var ids []age.Identity
	if identities != "" {
		var err error
		if ids, err = age.ParseIdentities(strings.NewReader(identities)); err != nil {
			// The parser's error may quote the secret.
			return nil, fmt.Errorf("%w: the identity file cannot be read", ErrIdentity)
		}
	} else {
		id, err := age.NewScryptIdentity(string(pass))
		if err != nil {
			return nil, ErrPassphrase
		}
		id.SetMaxWorkFactor(maxWorkFactor)
		ids = append(ids, id)
	}
	in := bufio.NewReader(r)
	// Anything else has no business in the parser.
	if b, _ := in.Peek(len(ageMagic)); string(b) != ageMagic[:len(b)] || len(b) == 0 {
		return nil, ErrNotBackup
	}
	from := &source{r: in}
	out, err := age.Decrypt(from, ids...)
	var none *age.NoIdentityMatchError
	switch {
	case err == nil:
		return &opened{out, from}, nil
	case errors.As(err, &none):
		sealed := slices.Contains(none.StanzaTypes, "scrypt")
		switch {
		case identities == "" && sealed:
			return nil, ErrPassphrase
		case identities == "":
			return nil, ErrNeedsIdentity
		}
		return nil, ErrIdentity
	case strings.Contains(err.Error(), "work factor too large"):
		return nil, ErrWork
	}
	if from.end {
		return nil, fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// ageMagic begins every age file.
const ageMagic = "age-encryption.org/v1\n"
