package ops

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
)

// HWI asks a USB device through the program hwi (Bitcoin Core's hardware wallet
// interface). It runs where the person is who holds the device, not in the node.
type HWI struct {
	// Program is what to run.
	Program string
	// Chain is hwi's name of the network.
	Chain string
}

// Limits of what hwi is waited for, and of what it may answer.
const (
	hwiLooks  = time.Minute
	hwiSigns  = 15 * time.Minute // a person reads and presses
	maxAnswer = 32 << 20
)

// hwi's code for a person who says no on the device.
const hwiCanceled = -14

// FindHWI looks for hwi on PATH.
func FindHWI(network string) (HWI, error) {
	program, err := exec.LookPath("hwi")
	if err != nil {
		return HWI{}, api.Refuse("hwi_missing", "the program hwi is not installed, or not on PATH", "install it (https://github.com/bitcoin-core/HWI), or use `quorate psbt export` and `psbt import`")
	}
	chain := map[string]string{"mainnet": "main", "testnet4": "testnet4", "signet": "signet", "regtest": "regtest"}[network]
	return HWI{Program: program, Chain: chain}, nil
}

// hwiDevice is one line of `hwi enumerate`.
type hwiDevice struct {
	Type        string `json:"type"`
	Model       string `json:"model"`
	Fingerprint string `json:"fingerprint"`
	NeedsPin    bool   `json:"needs_pin_sent"`
	// NeedsPassphrase: it has one of its own, which is typed at the computer.
	NeedsPassphrase bool   `json:"needs_passphrase_sent"`
	Error           string `json:"error"`
}

// Device finds the device whose master key has a fingerprint (8 hex
// characters), and returns what it calls itself.
func (h HWI) Device(ctx context.Context, fingerprint string) (string, error) {
	if fingerprint == "" {
		// It would be that of any device that is locked.
		return "", api.Refuse("no_key", "this node has no key in the wallet that a device could hold", "")
	}
	ctx, cancel := context.WithTimeout(ctx, hwiLooks)
	defer cancel()
	// A device that was set up for a test network opens for no other.
	out, err := h.run(ctx, "", append(h.chain(), "enumerate")...)
	if err != nil {
		return "", err
	}
	return matching(out, fingerprint)
}

// chain are the arguments that name the network, which hwi takes before a command.
func (h HWI) chain() []string {
	if h.Chain == "" {
		return nil
	}
	return []string{"--chain", h.Chain}
}

// matching reads an answer of `hwi enumerate`.
func matching(out []byte, fingerprint string) (string, error) {
	var devices []hwiDevice
	if err := json.Unmarshal(out, &devices); err != nil {
		return "", hwiError(out)
	}
	var seen []string
	for _, d := range devices {
		name := strings.TrimSpace(d.Type + " " + d.Model)
		switch {
		case strings.EqualFold(d.Fingerprint, fingerprint):
			return name, nil
		case d.Error != "":
			// It knows why; whatever is guessed here sends people elsewhere.
			seen = append(seen, fmt.Sprintf("%s (%.200s)", name, d.Error))
		case d.NeedsPin || d.NeedsPassphrase:
			seen = append(seen, name+" (locked)")
		case d.Fingerprint == "":
			seen = append(seen, name+" (without a fingerprint)")
		default:
			seen = append(seen, name+" "+d.Fingerprint)
		}
	}
	if len(seen) == 0 {
		return "", api.Refuse("no_device", "hwi sees no device", "plug it in and unlock it")
	}
	return "", api.Refuse("wrong_device", fmt.Sprintf("no device holds the key %s of this wallet; hwi sees %.600s", fingerprint, strings.Join(seen, ", ")), "plug in and unlock the right one, with the right passphrase")
}

// Sign has the device sign a PSBT, and returns the signed one in base64.
func (h HWI) Sign(ctx context.Context, fingerprint, psbt string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, hwiSigns)
	defer cancel()
	args := append(h.chain(), "--fingerprint", fingerprint)
	// An argument may have 128 KiB, and everybody on the machine can read it.
	out, err := h.run(ctx, "signtx "+psbt+"\n\n", append(args, "--stdin")...)
	if err != nil {
		return "", err
	}
	return signedPSBT(out)
}

// signedPSBT reads an answer of `hwi signtx`.
func signedPSBT(out []byte) (string, error) {
	var answer struct {
		PSBT   string `json:"psbt"`
		Signed *bool  `json:"signed"`
	}
	if err := json.Unmarshal(out, &answer); err != nil || answer.PSBT == "" {
		return "", hwiError(out)
	}
	if _, err := base64.StdEncoding.DecodeString(answer.PSBT); err != nil {
		return "", api.Fail("hwi_answer", "hwi answered something that is no PSBT", "is it of a version that knows signtx?")
	}
	if answer.Signed != nil && !*answer.Signed {
		return "", api.Refuse("device_unsigned", "the device did not sign", "does it know this multisig wallet? Some have to be given it first (`quorate wallet export`)")
	}
	return answer.PSBT, nil
}

// run returns what hwi prints. Its exit status says nothing that its answer does not.
func (h HWI) run(ctx context.Context, in string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, h.Program, args...)
	cmd.Stdin = strings.NewReader(in)
	cmd.WaitDelay = time.Second
	var out, stderr limited
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, api.TimedOut("hwi_timeout", "the device did not answer in time", "")
	case out.full || stderr.full:
		return nil, api.Fail("hwi_answer", fmt.Sprintf("hwi answered more than %d MiB", maxAnswer>>20), "is it hwi 2 or newer?")
	case err != nil && !errors.As(err, &exit):
		return nil, api.Fail("hwi_failed", "hwi could not be run: "+err.Error(), "")
	case len(bytes.TrimSpace(out.b)) == 0:
		return nil, api.Fail("hwi_failed", fmt.Sprintf("hwi answered nothing: %.300s", lastLine(stderr.b)), "")
	}
	return out.b, nil
}

// hwiError reads {"error","code"}, or says that the answer is none.
func hwiError(out []byte) error {
	var e struct {
		Error string `json:"error"`
		Code  int    `json:"code"`
	}
	if err := json.Unmarshal(out, &e); err != nil || e.Error == "" {
		return api.Fail("hwi_answer", "hwi answered something that is not its JSON", "is it hwi 2 or newer?")
	}
	if e.Code == hwiCanceled {
		return api.Refuse("device_refused", fmt.Sprintf("refused on the device: %.300s", e.Error), "the transaction stays in the sign guard: it may be asked for again")
	}
	return api.Fail("device_error", fmt.Sprintf("the device could not do it: %.300s (code %d)", e.Error, e.Code), "")
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// limited keeps no more than anybody needs to answer.
type limited struct {
	b    []byte
	full bool
}

func (l *limited) Write(p []byte) (int, error) {
	if len(l.b)+len(p) > maxAnswer {
		l.full = true
		return 0, io.ErrShortWrite
	}
	l.b = append(l.b, p...)
	return len(p), nil
}
