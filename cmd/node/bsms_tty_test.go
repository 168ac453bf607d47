package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quorate/quorate/api"
)

// closedBSMS is a record as BIP129 encrypts it.
func closedBSMS(t *testing.T, record, token string) string {
	t.Helper()
	salt, err := hex.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	key, err := pbkdf2.Key(sha512.New, "No SPOF", salt, 2048, 32)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(key)
	mac := hmac.New(sha256.New, sum[:])
	mac.Write([]byte(token + record))
	out := mac.Sum(nil)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(record)
	cipher.NewCTR(block, out[:16]).XORKeyStream(text, text)
	return hex.EncodeToString(append(out, text...))
}

// An encrypted wallet file has its token asked for on a terminal, where it does not show.
func TestTokenOfAnEncryptedRecord(t *testing.T) {
	const (
		record = "wsh(sortedmulti(2,[3f635a63/48h/1h/0h/2h]tpubDFPtPArj4GzBEFHohegg1Xatrc1Fi9oSox5LzuSRX91miwQxuUrEpBxpvDRsmZYJKYFhgdK3UStsjC8JKXfUbMinjFqiEM4uNwzVaCaHpys/<0;1>/*," +
			"[b8688df1/48h/1h/0h/2h]tpubDEfobrrtptRTbKf4gysDhoabneABDTAcdj3Vbn4XwPsLE2pmqpizSPRG6zHsbAMuiSgWmWPsYCLHTKTPpyrGJ5rAoTpKoQNZcxodiPf2tSJ/<0;1>/*))#hgjltrgz"
		token = "a54044308ceac9b7"
	)
	file := filepath.Join(t.TempDir(), "setup.dat")
	if err := os.WriteFile(file, []byte(closedBSMS(t, record, token)), 0o600); err != nil {
		t.Fatal(err)
	}
	line := []string{"wallet", "create", "old", "--from", file, "--birthday", "1", "--no-stay"}
	founded := func(requests []any) (out []api.CreateWallet) {
		for _, r := range requests {
			if x, ok := r.(api.CreateWallet); ok {
				out = append(out, x)
			}
		}
		return out
	}
	b, env := standInNode(t)
	for _, wrong := range []string{"a54044308ceac9b8", "no token", ""} {
		s := onTerminal(t, env, line...)
		s.answer("Token of the encrypted BSMS record: ", wrong)
		s.ends(2)
	}
	if got := founded(b.Requests()); len(got) > 0 {
		t.Fatalf("founded without the token: %+v", got)
	}
	s := onTerminal(t, env, line...)
	s.answer("Token of the encrypted BSMS record: ", token)
	if text := s.ends(0); strings.Contains(text, token) {
		t.Errorf("the token shows:\n%s", text)
	}
	if got := founded(b.Requests()); len(got) != 1 || strings.TrimSpace(got[0].From) != record {
		t.Errorf("asked of the node: %+v", got)
	}
	// Nobody is asked where there is nobody.
	var out, errs bytes.Buffer
	if status := run(append(line, "--json"), env, strings.NewReader(""), &out, &errs); status != 2 || !strings.Contains(out.String(), "token_needed") {
		t.Errorf("exit status %d: %s%s", status, &out, &errs)
	}
}
