package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/display"
	"github.com/quorate/quorate/filetext"
)

// maxFile bounds a configuration file and a value read from a file.
const maxFile = 256 << 10

// Loaded is a configuration and what is to be said about it.
type Loaded struct {
	Config
	// Inline are the keys whose secret stood in a --set argument, where other
	// users of the machine can see it.
	Inline []string
}

// Load reads the layers: defaults, the file at path (unless path is empty),
// the environment ("KEY=value" strings), and --set arguments ("key=value", or
// "key=@FILE"). The result is checked. Errors are *api.Error of kind Usage, but
// for a file that is not there: NotFound.
func Load(path string, environ, set []string) (Loaded, error) {
	l := Loaded{Config: Default()}
	if path != "" {
		b, err := readFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return Loaded{}, api.Missing("not_initialized", "there is no "+path, "make a node with `quorate init`")
		}
		if e := api.System("the configuration was not read", err); e != nil {
			return Loaded{}, e
		}
		if err != nil {
			return Loaded{}, bad(fmt.Sprintf("read %s: %v", path, err), "")
		}
		if l.Config, err = Parse(b, filepath.Base(path)); err != nil {
			return Loaded{}, err
		}
	}
	if err := l.environment(environ); err != nil {
		return Loaded{}, err
	}
	for _, s := range set {
		if err := l.set(s); err != nil {
			return Loaded{}, err
		}
	}
	if err := l.Validate(); err != nil {
		return Loaded{}, err
	}
	return l, nil
}

// Parse reads a file over the defaults. A key that is not known is an error
// that names its line; name is the file's, for errors. The values are not
// checked: a later layer may change them.
func Parse(b []byte, name string) (Config, error) {
	c := Default()
	if text, ok := filetext.Text(b); ok {
		b = []byte(text) // editors of Windows write marks and UTF-16
	}
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	err := d.Decode(&c)
	var unknown *toml.StrictMissingError
	var syntax *toml.DecodeError
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &unknown) && len(unknown.Errors) > 0:
		e := unknown.Errors[0]
		line, _ := e.Position()
		return Config{}, bad(fmt.Sprintf("%s, line %d: unknown key %s%s", name, line, strings.Join(e.Key(), "."), meant(strings.Join(e.Key(), "."))), "docs/configuration.md lists the keys")
	case errors.As(err, &syntax):
		// The message names types, never values.
		line, _ := syntax.Position()
		return Config{}, bad(fmt.Sprintf("%s, line %d: %s", name, line, oneLine(strings.TrimPrefix(syntax.Error(), "toml: "))), "docs/configuration.md lists the keys and what they take")
	default:
		return Config{}, bad(fmt.Sprintf("%s: %s", name, oneLine(err.Error())), "")
	}
}

// Keys returns the keys that there are.
func Keys() []string {
	var keys []string
	for _, o := range options() {
		keys = append(keys, o.key)
	}
	return keys
}

// meant asks whether a key was meant that is written much like one.
func meant(key string) string {
	if k := display.Nearest(key, Keys()); k != "" {
		return "; did you mean " + k + "?"
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func bad(message, hint string) *api.Error { return api.Misuse("bad_config", message, hint) }

// environment applies the QUORATE_… variables. A variable of one of the
// sections that is not a key is an error; others may belong to something else.
func (l *Loaded) environment(environ []string) error {
	given := make(map[string]string, len(environ))
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok {
			given[k] = v
		}
	}
	for _, o := range options() {
		v, ok := given[o.env()]
		if !ok {
			continue
		}
		delete(given, o.env())
		if err := o.set(&l.Config, v); err != nil {
			return bad(o.env()+" "+err.Error(), "")
		}
	}
	for _, e := range environ {
		k, _, _ := strings.Cut(e, "=")
		if _, left := given[k]; !left {
			continue
		}
		for _, section := range []string{"QUORATE_CHAIN_", "QUORATE_API_", "QUORATE_LOG_", "QUORATE_METRICS_"} {
			if strings.HasPrefix(k, section) {
				return bad("environment variable "+k+" is no key", "docs/configuration.md lists the keys")
			}
		}
	}
	return nil
}

// set applies one --set argument.
func (l *Loaded) set(arg string) error {
	key, value, ok := strings.Cut(arg, "=")
	if !ok {
		return bad(fmt.Sprintf("--set %.60s has no value", key), "write --set KEY=VALUE")
	}
	for _, o := range options() {
		if o.key != key {
			continue
		}
		if file, ok := strings.CutPrefix(value, "@"); ok {
			b, err := readFile(file)
			if err != nil {
				return bad(fmt.Sprintf("--set %s: %v", key, err), "")
			}
			value = strings.TrimRight(string(b), "\r\n")
		} else if o.secret() && value != "" {
			l.Inline = append(l.Inline, key)
		}
		if value, err := o.fromHere(value); err != nil {
			return bad("--set "+key+": "+err.Error(), "write the whole path, from / on")
		} else if err := o.set(&l.Config, value); err != nil {
			return bad("--set "+key+" "+err.Error(), "")
		}
		return nil
	}
	return bad(fmt.Sprintf("--set %.60s: unknown key%s", key, meant(key)), "docs/configuration.md lists the keys")
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s is over %d bytes", path, maxFile)
	}
	return b, err
}

// FromSet is the defaults with only --set arguments over them, unchecked: what
// a new node's file holds. The environment is not in it.
func FromSet(set []string) (Config, error) {
	l := Loaded{Config: Default()}
	for _, s := range set {
		if err := l.set(s); err != nil {
			return Config{}, err
		}
	}
	return l.Config, nil
}
