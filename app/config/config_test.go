package config

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quorate/quorate/api"
)

var update = flag.Bool("update", false, "write the generated files")

func kindOf(t *testing.T, err error) api.Kind {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *api.Error: %v", err)
	}
	if e.Message == "" || strings.Contains(e.Error(), "\n") {
		t.Errorf("not one line: %q", e.Error())
	}
	return e.Kind
}

// The generated files are current: go test -update writes them.
func TestGenerated(t *testing.T) {
	for path, want := range map[string]string{"config.example.toml": example(), "docs/configuration.md": markdown()} {
		path = filepath.Join("..", "..", path)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(got), want); d != "" {
			t.Errorf("%s is not current, run go test ./app/config -update: %s", path, d)
		}
	}
}

// The table holds every field of Config, once, under the key of its toml tags.
func TestTableIsComplete(t *testing.T) {
	var c Config
	keys := map[any]string{}
	var walk func(v reflect.Value, prefix string)
	walk = func(v reflect.Value, prefix string) {
		for i := range v.NumField() {
			key := prefix + v.Type().Field(i).Tag.Get("toml")
			if v.Field(i).Kind() == reflect.Struct {
				walk(v.Field(i), key+".")
				continue
			}
			keys[v.Field(i).Addr().Interface()] = key
		}
	}
	walk(reflect.ValueOf(&c).Elem(), "")
	for _, o := range options() {
		f := o.field(&c)
		if keys[f] != o.key {
			t.Errorf("option %s is field %q", o.key, keys[f])
		}
		delete(keys, f)
		if o.doc == "" || o.values == "" {
			t.Errorf("%s is not documented", o.key)
		}
	}
	for _, key := range keys {
		t.Errorf("%s is not in the table", key)
	}
}

func TestDefaultsAndExample(t *testing.T) {
	d := Default()
	if err := d.Validate(); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{"example": example(), "file": File(Default()), "empty": ""} {
		c, err := Parse([]byte(text), name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(Default(), c); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestLayers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	write(t, file, "name = \"file\"\nnetwork = \"signet\"\n[log]\nlevel = \"warn\"\nformat=\"json\"\n[chain.core]\nurl=\"1.2.3.4:5\"\n")
	write(t, filepath.Join(dir, "secret"), "hunter2\n")
	l, err := Load(file, []string{"QUORATE_NAME=env", "QUORATE_LOG_LEVEL=debug", "QUORATE_DATA_DIR=x", "QUORATE_MDNS=true", "HOME=/", "odd"},
		[]string{"name=set", "chain.core.user=u", "chain.core.password=@" + filepath.Join(dir, "secret"), "listen=/ip4/127.0.0.1/tcp/0, /ip6/::1/tcp/0"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Name, want.Network, want.MDNS = "set", "signet", true
	want.Log = Log{Level: "debug", Format: "json"}
	want.Chain.Core = Core{URL: "1.2.3.4:5", User: "u", Password: "hunter2"}
	want.Listen = []string{"/ip4/127.0.0.1/tcp/0", "/ip6/::1/tcp/0"}
	if d := cmp.Diff(want, l.Config); d != "" {
		t.Error(d)
	}
	if len(l.Inline) != 0 {
		t.Errorf("inline %v", l.Inline)
	}
	l, err = Load("", nil, []string{"chain.core.user=u", "chain.core.password=hunter2"})
	if err != nil || len(l.Inline) != 1 || l.Inline[0] != "chain.core.password" {
		t.Errorf("%v %v", l.Inline, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Each is refused, with the word that tells the user where.
func TestRefused(t *testing.T) {
	const id = "/p2p/12D3KooWGRUkrRRBnLPzSg9mUyeADa9z1JkrwUMJqXPGXoiwLDyq"
	token := "sign:" + strings.Repeat("x", 32)
	for _, c := range []struct {
		file string
		env  string
		set  []string
		want string
	}{
		{file: "nam = \"x\"", want: "line 1: unknown key nam"},
		{file: "\n\n[chain.core]\nurll = \"x\"", want: "line 4: unknown key chain.core.urll"},
		{file: "[chian]\nx=1", want: "line 1: unknown key chian"},
		{file: "name = \"a\"\nname = \"b\"", want: "line 2"},
		{file: "name = 1", want: "line 1"},
		{file: "name", want: "line 1"},
		{file: "mdns = \"yes\"", want: "line 1"},
		{env: "QUORATE_CHAIN_CORE_URLL=x", want: "QUORATE_CHAIN_CORE_URLL"},
		{env: "QUORATE_MDNS=maybe", want: "QUORATE_MDNS"},
		{env: "QUORATE_NETWORK=testnet3", want: "network"},
		{set: []string{"name"}, want: "--set name"},
		{set: []string{"nam=x"}, want: "--set nam"},
		{set: []string{"mdns=maybe"}, want: "--set mdns"},
		{set: []string{"name=@/nonexistent"}, want: "--set name"},
		{set: []string{"network=main"}, want: "network"},
		{set: []string{"network="}, want: "network"},
		{set: []string{"name=a\x1b[31mb"}, want: "name"},
		{set: []string{"name=" + strings.Repeat("ü", 65)}, want: "name"},
		{set: []string{"listen="}, want: "listen"},
		{set: []string{"listen=127.0.0.1:80"}, want: "listen"},
		{set: []string{"listen=/ip4/127.0.0.1/tcp/0" + id}, want: "listen"},
		{set: []string{"external_addrs=x"}, want: "external_addrs"},
		{set: []string{"bootstrap=/ip4/127.0.0.1/tcp/1"}, want: "bootstrap"},
		{set: []string{"relays=/ip4/127.0.0.1/tcp/1"}, want: "relays"},
		{set: []string{"told_networks=10.0.0.1"}, want: "told_networks"},
		{set: []string{"chain.backend=bitcoind"}, want: "chain.backend"},
		{set: []string{"chain.backend=electrum"}, want: "not in this version"}, {file: "[chain]\nbackend = \"esplora\"", want: "not in this version"},
		{set: []string{"chain.core.cookie_file=~/.bitcoin/.cookie"}, want: "chain.core.cookie_file begins with ~"},
		{set: []string{"signer=~/s"}, want: "signer begins with ~"}, {env: "QUORATE_SIGNER=run/s", want: "signer is a path from nowhere"},
		{file: "[chain.core]\ncookie_file = \".cookie\"", want: "chain.core.cookie_file is a path from nowhere"},
		{set: []string{"chain.backend=core"}, want: "chain.core.url"},
		{set: []string{"chain.core.url=ftp://x:1"}, want: "chain.core.url"},
		{set: []string{"chain.core.url=127.0.0.1"}, want: "chain.core.url"},
		{set: []string{"chain.core.url=http://u:p@127.0.0.1:1"}, want: "chain.core.user"},
		{set: []string{"chain.core.url=127.0.0.1:99999"}, want: "chain.core.url"},
		{set: []string{"chain.core.user=u"}, want: "chain.core.password"},
		{set: []string{"chain.core.password=p"}, want: "chain.core.user"},
		{set: []string{"chain.core.user=u", "chain.core.password=p", "chain.core.cookie_file=c"}, want: "chain.core.cookie_file"},
		{set: []string{"chain.neutrino.peers=x"}, want: "chain.neutrino.peers"},
		{set: []string{"api.listen=0.0.0.0:1", "api.tokens=" + token}, want: "api.listen"},
		{set: []string{"api.listen=:1", "api.tokens=" + token}, want: "api.listen"},
		{set: []string{"api.listen=example.com:1", "api.tokens=" + token}, want: "api.listen"},
		{set: []string{"api.tokens=" + token + ",root:" + token}, want: "api.tokens"},
		{set: []string{"metrics.listen=9090"}, want: "metrics.listen"},
		{set: []string{"metrics.listen=0.0.0.0:9090"}, want: "metrics.public"},
		{set: []string{"metrics.listen=example.com:9090"}, want: "metrics.public"},
		{set: []string{"metrics.listen=0.0.0.0", "metrics.public=true"}, want: "metrics.listen"},
		{set: []string{"traces.endpoint=collector:4318"}, want: "traces.endpoint is not an address"},
		{set: []string{"traces.endpoint=ftp://127.0.0.1"}, want: "traces.endpoint is not an address"},
		{set: []string{"traces.endpoint=https://"}, want: "traces.endpoint is not an address"},
		{set: []string{"traces.endpoint=http://10.0.0.1:4318"}, want: "this machine alone"},
		{set: []string{"traces.endpoint=http://collector:4318"}, want: "this machine alone"},
		{set: []string{"traces.endpoint=http://127.0.0.1.example.com:4318"}, want: "this machine alone"},
		{set: []string{"traces.endpoint=https://x:99999"}, want: "traces.endpoint"},
		{set: []string{"traces.endpoint=https://u:p@x"}, want: "holds a user name"},
		{set: []string{"traces.endpoint=https://x/?key=1"}, want: "traces.endpoint is not an address"},
		{set: []string{"log.level=trace"}, want: "log.level"},
		{set: []string{"log.format=xml"}, want: "log.format"},
	} {
		path := ""
		if c.file != "" {
			path = filepath.Join(t.TempDir(), "config.toml")
			write(t, path, c.file)
		}
		_, err := Load(path, []string{c.env}, c.set)
		if err == nil {
			t.Errorf("%+v is accepted", c)
			continue
		}
		if k := kindOf(t, err); k != api.Usage {
			t.Errorf("%+v: kind %v", c, k)
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v does not say %q", c, err, c.want)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "config.toml"), nil, nil); kindOf(t, err) != api.NotFound {
		t.Errorf("no file: %v", err)
	}
}

func TestAccepted(t *testing.T) {
	const id = "/p2p/12D3KooWGRUkrRRBnLPzSg9mUyeADa9z1JkrwUMJqXPGXoiwLDyq"
	token := "sign:" + strings.Repeat("x", 32)
	for _, set := range [][]string{
		{"network=regtest", "listen=/ip4/127.0.0.1/tcp/0", "chain.backend=core", "chain.core.url=127.0.0.1:18334"},
		{"chain.core.url=https://example.com:8332"}, {"chain.core.url=http://[::1]:8332/"},
		{"chain.core.cookie_file=/c"}, {"bootstrap=/ip4/1.2.3.4/tcp/1" + id}, {"relays=/dns4/example.com/udp/1/quic-v1" + id},
		{"api.listen=127.0.0.1:0", "api.tokens=" + token}, {"api.listen=[::1]:1", "api.tokens=" + token},
		{"api.listen=localhost:1", "api.tokens=" + token}, {"metrics.listen=0.0.0.0:9090", "metrics.public=true"}, {"metrics.listen=127.0.0.1:9090"},
		{"traces.endpoint=http://127.0.0.1:4318"}, {"traces.endpoint=http://[::1]:4318/v1/traces"}, {"traces.endpoint=http://localhost"}, {"traces.endpoint=https://collector.example.com"},
		{"listen=", "relays=/ip4/1.2.3.4/tcp/1" + id}, {"name=Jürgen’s büro"},
	} {
		if _, err := Load("", nil, set); err != nil {
			t.Errorf("%v: %v", set, err)
		}
	}
}

// No secret is ever in an error, a log, or printed.
func TestSecrets(t *testing.T) {
	_, err := Load("", nil, []string{"api.tokens=hunter2"})
	_, err2 := Load("", nil, []string{"chain.core.url=http://u:hunter2@x:1"})
	_, err3 := Parse([]byte("[chain.core]\npassword = \"hunter2\"\npassword = \"hunter2\""), "f")
	c := Default()
	c.Chain.Core.Password = "hunter2"
	c.API.Tokens = []Secret{"hunter2"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "c", c, "p", c.Chain.Core.Password)
	j, jerr := json.Marshal(c)
	if err == nil || err2 == nil || err3 == nil || jerr != nil {
		t.Fatal(err, err2, err3, jerr)
	}
	all := fmt.Sprint(err, err2, err3, c, &c) + fmt.Sprintf("%+v %#v %s %x", c, c, c.Chain.Core.Password, c.API.Tokens) + log.String() + string(j)
	if strings.Contains(all, "hunter2") || strings.Contains(all, fmt.Sprintf("%x", "hunter2")) {
		t.Error(all)
	}
}

// What File writes is read back as it was, whatever the values.
func TestFileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Default()
		text, list := rapid.String(), rapid.SliceOfN(rapid.String(), 0, 4)
		c.Name, c.Network, c.MDNS = text.Draw(t, "name"), text.Draw(t, "network"), rapid.Bool().Draw(t, "mdns")
		c.Listen, c.Bootstrap = list.Draw(t, "listen"), list.Draw(t, "bootstrap")
		c.Chain.Core.Password = Secret(text.Draw(t, "password"))
		for _, s := range list.Draw(t, "tokens") {
			c.API.Tokens = append(c.API.Tokens, Secret(s))
		}
		got, err := Parse([]byte(File(c)), "f")
		if err != nil {
			t.Fatalf("%v\n%s", err, File(c))
		}
		if d := cmp.Diff(c, got); d != "" {
			t.Fatal(d)
		}
	})
}

// FuzzParse parses arbitrary bytes: no panic, and what is accepted and valid
// survives being written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example()))
	f.Add([]byte("name = \"x\"\n[chain]\nbackend=\"core\"\n[chain.core]\nurl=\"1.2.3.4:1\""))
	f.Add([]byte("a.b.c = {x = [1, 2,], y = 1979-05-27T07:32:00Z}"))
	f.Add([]byte("[[listen]]\n"))
	f.Add([]byte("chain = 1\n[chain.core]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b, "f")
		if err != nil {
			if kindOf(t, err) != api.Usage {
				t.Fatal(err)
			}
			return
		}
		if c.Validate() != nil {
			return
		}
		again, err := Parse([]byte(File(c)), "f")
		if err != nil {
			t.Fatal(err)
		}
		if File(again) != File(c) {
			t.Fatal("differs when read again")
		}
	})
}

// A file as editors of Windows write it is the same file.
func TestParseEncodings(t *testing.T) {
	const text = "network = \"regtest\"\nname = \"Ann\"\n"
	wide := "\xff\xfe" + strings.Join(strings.Split(text, ""), "\x00") + "\x00"
	for name, file := range map[string]string{"a mark": "\ufeff" + text, "UTF-16": wide, "line ends": strings.ReplaceAll(text, "\n", "\r\n")} {
		if c, err := Parse([]byte(file), "f"); err != nil || c.Network != "regtest" || c.Name != "Ann" {
			t.Errorf("%s: %q %q, %v", name, c.Network, c.Name, err)
		}
	}
}

// The default ports are the same wherever somebody reads them, and none that other
// programs beside a Bitcoin node have.
func TestPortsAreTheSameEverywhere(t *testing.T) {
	for path, holds := range map[string][]string{
		"README.md":                 {"port " + Port, "/tcp/" + Port, "/udp/" + Port},
		"Dockerfile":                {"EXPOSE " + Port + "/tcp " + Port + "/udp"},
		"docs/packaging.md":         {Port + ":" + Port + "/tcp", Port + ":" + Port + "/udp"},
		"docs/configuration.md":     {"/ip4/0.0.0.0/tcp/" + Port, "/ip6/::/udp/" + Port + "/quic-v1"},
		"config.example.toml":       {"/ip4/0.0.0.0/tcp/" + Port},
		"docs/relay.md":             {"port " + RelayPort, "/tcp/" + RelayPort},
		"docs/cli.md":               {"/ip4/0.0.0.0/tcp/" + RelayPort},
		"packaging/quorate.service": nil,
	} {
		b, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range holds {
			if !strings.Contains(string(b), h) {
				t.Errorf("%s does not say %s", path, h)
			}
		}
		for _, others := range []string{"9735", "9736", "9737", "tcp/4001"} {
			if strings.Contains(string(b), others) {
				t.Errorf("%s names %s, which other programs have", path, others)
			}
		}
	}
}

// A path of --set is made whole where it was given: a service starts elsewhere.
func TestPathsOfACommandLineAreWhole(t *testing.T) {
	for key, of := range map[string]func(Config) string{
		"signer": func(c Config) string { return c.Signer }, "chain.core.cookie_file": func(c Config) string { return c.Chain.Core.CookieFile },
	} {
		c, err := FromSet([]string{key + "=run/x"})
		if err != nil || !filepath.IsAbs(of(c)) || !strings.HasSuffix(of(c), "/run/x") || c.Validate() != nil {
			t.Errorf("%s: %q, %v", key, of(c), err)
		}
	}
}
