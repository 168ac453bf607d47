package formats

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"github.com/quorate/quorate/filetext"
	"github.com/quorate/quorate/wallet"
)

// document is a file before anybody knows whose it is: text, or JSON.
type document struct {
	// text is without what was done to it on its way.
	text string
	// json is the first JSON value that the file holds, and all that follows it;
	// nil where it is text.
	json []byte
	// fields are of that value, where it is an object.
	fields fields
}

// list says whether the document is a JSON list.
func (d document) list() bool { return d.json != nil && d.json[0] == '[' }

// has says whether the document is a JSON object with one of these fields.
func (d document) has(names ...string) bool {
	for _, n := range names {
		if _, ok := d.fields[n]; ok {
			return true
		}
	}
	return false
}

// readDocument reads the bytes of a file. Errors: ErrUnknown.
func readDocument(raw []byte) (document, error) {
	if len(raw) > MaxSize {
		return document{}, fmt.Errorf("%w: above %d MiB", ErrUnknown, MaxSize>>20)
	}
	text, ok := filetext.Text(raw)
	if !ok {
		return document{}, fmt.Errorf("%w: it is not text", ErrUnknown)
	}
	if text = strings.TrimSpace(text); text == "" {
		return document{}, fmt.Errorf("%w: it is empty", ErrUnknown)
	}
	if begun(text) {
		return openJSON(text)
	}
	if len(text) > maxTextSize {
		return document{}, fmt.Errorf("%w: a text above %d KiB", ErrUnknown, maxTextSize>>10)
	}
	text = filetext.Unwrap(text)
	if text == "" {
		return document{}, fmt.Errorf("%w: it is empty", ErrUnknown)
	}
	if inner := command(text); inner != "" {
		return openJSON(inner)
	}
	return document{text: text}, nil
}

var (
	jsonBegin  = regexp.MustCompile(`^(?:\{|\[\s*\{)`)
	jsonInside = regexp.MustCompile(`\[\s*\{|\{\s*\\?"`)
)

// begun says whether a text begins as JSON. A key begins with [ too, with its
// fingerprint right after.
func begun(text string) bool { return jsonBegin.MatchString(text) }

// command returns the JSON that stands in a command, such as importdescriptors,
// with its quotation marks as a shell takes them; or in a text otherwise.
func command(text string) string {
	if begun(text) {
		return text
	}
	if !strings.Contains(text, "importdescriptors") && !strings.Contains(text, "importmulti") && !strings.Contains(text, `"desc"`) && !strings.Contains(text, `"descriptor"`) {
		return ""
	}
	at := jsonInside.FindStringIndex(text)
	if at == nil {
		return ""
	}
	inner := text[at[0]:]
	if end := strings.LastIndexAny(inner, "]}"); end >= 0 {
		inner = inner[:end+1]
	}
	if strings.Contains(inner, `\"`) {
		inner = strings.ReplaceAll(inner, `\"`, `"`)
	}
	return inner
}

// openJSON reads the first JSON value of a text: what follows it in a file of
// Electrum are changes.
func openJSON(text string) (document, error) {
	var first json.RawMessage
	var failed error
	for _, try := range []func(string) string{func(s string) string { return s }, filetext.Plain, filetext.Unwrap} {
		text := try(text)
		err := json.NewDecoder(strings.NewReader(text)).Decode(&first)
		if err != nil {
			if failed == nil {
				failed = err
			}
			continue
		}
		d := document{text: text, json: []byte(text)}
		d.fields, _ = fieldsOf(first) // none where it is a list
		if answer := d.fields["result"]; answer != nil && (d.has("error") || d.has("id") || d.has("jsonrpc")) && begun(strings.TrimSpace(string(answer))) {
			return openJSON(strings.TrimSpace(string(answer))) // of a node, with what RPC puts around it
		}
		return d, nil
	}
	return document{}, fmt.Errorf("%w: %w", ErrUnknown, jsonError(failed))
}

var privateKey = regexp.MustCompile(`\b[xtyzuvYZUV]prv[1-9A-HJ-NP-Za-km-z]{100,}`)

// private refuses a file with a private key or a mnemonic in it, wherever it is:
// ErrPrivateKey.
func (d document) private() error {
	if privateKey.MatchString(d.text) {
		return fmt.Errorf("%w: the file holds an extended private key: export it without", wallet.ErrPrivateKey)
	}
	if hasMnemonic(d.text) {
		return fmt.Errorf("%w: the file holds a mnemonic: export it without", wallet.ErrPrivateKey)
	}
	return nil
}

// hasMnemonic says whether a text has as many words of BIP39 in a row as the
// shortest mnemonic, with nothing between them but what people put there.
func hasMnemonic(text string) bool {
	const shortest, between = 12, " \t\n,.)0123456789\"'"
	run, word := 0, 0 // where the word at hand began, after a 1
	for i := 0; i <= len(text); i++ {
		if i < len(text) && (text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z') {
			if word == 0 {
				word = i + 1
			}
			continue
		}
		if word > 0 {
			if _, ok := bip39.GetWordIndex(strings.ToLower(text[word-1 : i])); !ok {
				run = 0
			} else if run++; run == shortest {
				return true
			}
			word = 0
		}
		if i < len(text) && strings.IndexByte(between, text[i]) < 0 {
			run = 0
		}
	}
	return false
}
