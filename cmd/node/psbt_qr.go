package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/filetext"
	"github.com/quorate/quorate/ops"
	"github.com/quorate/quorate/qr"
)

// frameTime is how long a code stands on a terminal: cameras of devices need
// about a third of a second.
const frameTime = 350 * time.Millisecond

// checkForm holds the options of a form together, before anything is done.
func checkForm(c *cli, format, file, pngs, svgs string) error {
	switch format {
	case "bbqr", "ur":
		return nil
	case "base64", "binary":
	default:
		return api.Misuse("bad_format", fmt.Sprintf("format %.20q is not known", format), "it is base64, binary, bbqr or ur")
	}
	if pngs != "" || svgs != "" {
		return api.Misuse("bad_format", "only QR codes are written as pictures", "give --format bbqr or --format ur")
	}
	if format == "binary" && file == "" && !c.json && isTerminal(c.out) {
		return api.Misuse("bad_format", "binary is not for a terminal", "name a file with -o")
	}
	return nil
}

// frames splits the PSBT where its form is one of QR codes: large codes for
// pictures and files, small ones for a terminal.
func (v *exportedFile) frames(large bool) error {
	kind := map[string]qr.Kind{"bbqr": qr.BBQrPSBT, "ur": qr.URPSBT}[v.Format]
	if kind == "" {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(v.PSBT)
	if err != nil {
		return api.Fail("bad_answer", "the node's answer is not a PSBT", "is the node of another version?")
	}
	size := qr.TerminalFrame
	if large {
		size = qr.ImageFrame
	}
	if v.Frames, err = qr.Split(kind, raw, size); err != nil {
		return api.Fail("too_large", "the PSBT does not go into QR codes: "+err.Error(), "write it to a file instead: --format binary -o FILE")
	}
	return nil
}

// pictures writes each frame as a picture into new directories.
func (v *exportedFile) pictures(pngs, svgs string) error {
	const scale = 6 // pixels a module
	write := func(dir, kind string, draw func(frame string) ([]byte, error)) error {
		if dir == "" {
			return nil
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			return api.Fail("not_written", "the directory could not be made: "+err.Error(), "")
		}
		for i, f := range v.Frames {
			b, err := draw(f)
			if err != nil {
				return api.Fail("not_written", "the QR code could not be drawn: "+err.Error(), "")
			}
			name := filepath.Join(dir, fmt.Sprintf("%03d.%s", i+1, kind))
			if err := writeFile(name, b); err != nil {
				return err
			}
			v.Files = append(v.Files, name)
		}
		return nil
	}
	if err := write(pngs, "png", func(f string) ([]byte, error) { return qr.PNG(f, scale) }); err != nil {
		return err
	}
	return write(svgs, "svg", func(f string) ([]byte, error) { s, err := qr.SVG(f); return []byte(s), err })
}

// animate shows codes one after the other until it is ended.
func (c *cli) animate(ctx context.Context, w io.Writer, frames []string) {
	tick := time.NewTicker(frameTime)
	defer tick.Stop()
	for n := 0; ; n++ {
		code, err := qr.Terminal(frames[n%len(frames)])
		if err != nil {
			c.note("the QR code could not be drawn: %v", err)
			return
		}
		fmt.Fprintf(w, "\x1b[H\x1b[2J%s\n%d of %d; Ctrl-C ends\n", code, n%len(frames)+1, len(frames))
		if len(frames) == 1 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// maxPicture bounds a PNG.
const maxPicture = 8 << 20

// readPictures reads the PSBT of which a directory has the QR codes, each in a PNG.
func (c *cli) readPictures(dir string) ([]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, api.Misuse("bad_qr", "the pictures could not be listed: "+err.Error(), "")
	}
	var names []string
	for _, e := range entries {
		if strings.EqualFold(filepath.Ext(e.Name()), ".png") {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	if len(names) == 0 {
		return nil, api.Misuse("bad_qr", fmt.Sprintf("there are no PNG files in %.200s", dir), "name a file, or a directory with pictures of QR codes")
	}
	if len(names) > maxFrames {
		return nil, api.Misuse("bad_qr", fmt.Sprintf("there are more than %d pictures in %.200s", maxFrames, dir), "leave only those of one PSBT there")
	}
	var frames bytes.Buffer
	for _, name := range names {
		b, e := c.readFile(name, maxPicture)
		if e != nil {
			return nil, api.Misuse("bad_qr", fmt.Sprintf("the picture %.200s could not be read: %v", name, e), "")
		}
		if b, e = scanned(name, b); e != nil {
			return nil, e
		}
		frames.Write(b)
		frames.WriteByte('\n')
	}
	return joined(frames.Bytes())
}

// scanned is the text of the QR code where the content is a picture; what is none
// comes back as it is.
func scanned(name string, content []byte) ([]byte, error) {
	if !qr.IsPNG(content) {
		return content, nil
	}
	text, err := qr.ScanPNG(content)
	if err != nil {
		return nil, api.Misuse("bad_qr", fmt.Sprintf("%.200s: %v", name, err), "show the code whole, straight and sharp")
	}
	return []byte(text), nil
}

// maxFrames is how many frames are read: each of a UR in thousands of parts is work.
const maxFrames = 1 << 14

// framesOf is the text of frames of QR codes, or of what looks like some; "" for
// anything else.
func framesOf(content []byte) string {
	begins := func(text string) bool {
		text = strings.ToUpper(text)
		return strings.HasPrefix(text, "B$") || strings.HasPrefix(text, "UR:") || oldFrame.MatchString(text)
	}
	head, _ := filetext.Text(content[:min(len(content), 1<<12)&^1])
	if !begins(strings.TrimLeft(filetext.Plain(head), " \t\n\"'`>")) && !begins(strings.TrimSpace(string(content[:min(len(content), 64)]))) {
		return ""
	}
	text, ok := filetext.Text(content)
	if !ok {
		return string(content)
	}
	return filetext.Unwrap(text)
}

// oldFrame is a frame of Specter's first form, "p1of3 …".
var oldFrame = regexp.MustCompile(`^P[0-9]{1,3}OF[0-9]{1,3} `)

// joined puts frames of QR codes together, one a line in any order; what is
// none comes back as it is.
func joined(content []byte) ([]byte, error) {
	text := framesOf(content)
	if text == "" {
		return content, nil
	}
	if oldFrame.MatchString(strings.ToUpper(text)) {
		return nil, api.Misuse("bad_qr", "QR frames of the form \"p1of3\" are not read", "choose BBQr or UR (crypto-psbt) on the device")
	}
	var j qr.Joiner
	var done bool
	frames := 0
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 2*qr.MaxFrame)
	for lines.Scan() && !done {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if frames++; frames > maxFrames {
			return nil, api.Misuse("bad_qr", fmt.Sprintf("the QR frames could not be read: there are more than %d", maxFrames), "scan only those of one PSBT")
		}
		var err error
		if done, _, err = j.Add(lines.Text()); err != nil {
			return nil, api.Misuse("bad_qr", "the QR frames could not be read: "+err.Error(), "scan all of them again")
		}
	}
	if err := lines.Err(); err != nil {
		return nil, api.Misuse("bad_qr", "the QR frames could not be read: "+err.Error(), "scan all of them again")
	}
	b, kind, err := j.Payload()
	if err != nil {
		return nil, api.Misuse("bad_qr", "the QR frames could not be read: "+err.Error(), "scan the missing ones too, in any order")
	}
	if kind != qr.BBQrPSBT && kind != qr.URPSBT && kind != qr.URBytes {
		// A transaction, a text or a file: what it is of, its content says.
		if _, err := ops.SlimPSBT(b); err != nil {
			return nil, api.Misuse("bad_qr", "the QR frames hold no PSBT and no transaction", "export what was signed on the device")
		}
	}
	return b, nil
}
