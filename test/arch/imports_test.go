package arch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pkg is what the rules look at. Imports are those of files that are no tests.
type pkg struct {
	ImportPath                 string
	Imports, TestImports, Deps []string
}

// room is the one that a package is in: its path within the module, or the
// first part of that where it is no room by itself.
func (p pkg) room() string { return roomOf(p.ImportPath) }

func roomOf(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	all := rooms()
	for {
		up := strings.LastIndex(rest, "/")
		if _, own := all[rest]; own || up < 0 {
			return rest
		}
		rest = rest[:up]
	}
}

// room says where the arrows of a room lead: which rooms its packages, and
// their tests, may import besides their own, and what its packages may not
// import from elsewhere. A name with a slash at its end is a prefix. A room
// within another is a row of its own; a package is of the nearest room around it.
type room struct {
	below  []string
	banned []string
}

// Groups of packages from elsewhere.
var (
	network  = []string{"net", "net/"}
	system   = []string{"os", "os/", "syscall", "golang.org/x/sys/"}
	chance   = []string{"time", "crypto/rand", "math/rand"} // clock and entropy; seeded math/rand/v2 is none
	peers    = []string{"github.com/libp2p/"}
	database = []string{"github.com/dgraph-io/"}
	bitcoin  = []string{"github.com/btcsuite/", "github.com/btcsuite/btcd"}
	web      = []string{"net/http", "net/http/", "github.com/danielgtaylor/huma/"}
)

func rooms() map[string]room {
	floor := []string{"audit", "filetext", "coordinator/node", "coordinator/reason", "coordinator/robot", "policy", "coordinator", "coordinator/frozen", "coordinator/group", "coordinator/refusal", "coordinator/mapkey", "coordinator/port", "coordinator/ledger", "coordinator/known", "coordinator/event", "coordinator/record", "journal", "wallet", "display"}
	deciding := slices.Concat(network, system, []string{"crypto/rand", "math/rand"}, peers, database)
	return map[string]room{
		"filetext":            {nil, slices.Concat(network, system, chance, peers, database, web, bitcoin)},
		"policy":              {[]string{"journal", "display"}, slices.Concat(network, system, []string{"crypto/rand", "math/rand"}, peers, database, web, bitcoin)},
		"policy/meter":        {[]string{"journal"}, slices.Concat(network, system, chance, peers, database, web, bitcoin)},
		"display":             {nil, slices.Concat(network, system, chance, peers, database, web, bitcoin)},
		"wallet":              {[]string{"display", "filetext"}, slices.Concat(network, system, chance, peers, database, web)},
		"qr":                  {nil, slices.Concat(network, system, chance, peers, database, web, bitcoin)},
		"journal":             {nil, slices.Concat(network, system, chance, peers, database, web, bitcoin)},
		"audit":               {[]string{"coordinator/group", "coordinator/ledger", "coordinator/port", "coordinator/event", "journal", "wallet", "display"}, slices.Concat(deciding, web)},
		"coordinator/robot":   {[]string{"coordinator/group", "coordinator/refusal", "coordinator/mapkey", "coordinator/port", "coordinator/ledger", "coordinator/event", "journal", "wallet", "policy", "policy/meter"}, slices.Concat(deciding, web)},
		"coordinator/reason":  {[]string{"coordinator/robot", "coordinator/group", "coordinator/refusal", "coordinator/event", "policy", "display"}, slices.Concat(deciding, web)},
		"coordinator/node":    {[]string{"coordinator", "coordinator/robot", "coordinator/group", "coordinator/refusal", "coordinator/mapkey", "coordinator/port", "coordinator/ledger", "coordinator/event", "coordinator/record", "journal", "wallet", "display"}, deciding},
		"coordinator":         {[]string{"coordinator/robot", "policy", "coordinator/frozen", "coordinator/group", "coordinator/refusal", "coordinator/known", "coordinator/mapkey", "coordinator/port", "coordinator/ledger", "coordinator/event", "coordinator/record", "journal", "wallet", "display"}, deciding},
		"coordinator/group":   {[]string{"coordinator/ledger", "coordinator/mapkey", "coordinator/port", "coordinator/event", "coordinator/record", "journal", "wallet", "display"}, slices.Concat(deciding, web)},
		"coordinator/refusal": {nil, slices.Concat(deciding, web, bitcoin, []string{"time"})},
		"coordinator/mapkey":  {[]string{"journal"}, slices.Concat(deciding, web, []string{"time"})},
		"coordinator/event":   {[]string{"journal", "wallet"}, slices.Concat(deciding, web, []string{"time"})},
		"coordinator/ledger":  {[]string{"coordinator/mapkey", "coordinator/port", "coordinator/record", "journal", "wallet"}, slices.Concat(deciding, web)},
		"coordinator/frozen":  {[]string{"coordinator/group", "coordinator/refusal", "coordinator/event", "journal", "display"}, slices.Concat(deciding, web, bitcoin)},
		"coordinator/known":   {[]string{"coordinator/ledger", "coordinator/mapkey", "journal", "wallet"}, slices.Concat(deciding, web, []string{"time"})},
		"coordinator/port":    {[]string{"coordinator/event", "journal", "wallet"}, slices.Concat(deciding, web)},
		"coordinator/record":  {[]string{"journal"}, slices.Concat(deciding, web, bitcoin, []string{"time"})},
		"store":               {[]string{"coordinator/port", "journal"}, slices.Concat(network, peers, web)},
		"store/memstore":      {[]string{"store", "coordinator/port", "journal"}, slices.Concat(network, system, chance, peers, web, bitcoin)},
		"p2p":                 {[]string{"coordinator/port", "journal"}, slices.Concat(database, web, bitcoin)},
		"p2p/memnet":          {[]string{"p2p", "coordinator/port", "journal"}, slices.Concat(system, peers, database, web, bitcoin)},
		"chain":               {[]string{"coordinator/port", "wallet", "display"}, slices.Concat(peers, database)},
		"api":                 {[]string{"display"}, slices.Concat(peers, database, bitcoin)},
		"signer":              {[]string{"signer/ceiling", "coordinator/port", "wallet", "display"}, slices.Concat(peers, database)},
		"signer/ceiling":      {[]string{"policy", "policy/meter", "wallet"}, slices.Concat(network, []string{"crypto/rand", "math/rand"}, peers, database, web)},
		"service":             {append([]string{"api", "qr", "policy", "coordinator/robot"}, floor...), slices.Concat(network, system, peers, database, web)},
		"app":                 {append([]string{"service", "api", "p2p", "store", "chain", "signer", "signer/ceiling", "policy"}, floor...), nil},
		"ops":                 {append([]string{"app", "service", "api", "policy", "p2p", "store", "chain"}, floor...), nil},
		"cmd":                 {[]string{"app", "ops", "api", "qr", "display", "filetext"}, slices.Concat(peers, database, bitcoin)},
		"test":                {append([]string{"app", "ops", "service", "policy", "qr", "api", "p2p", "p2p/memnet", "store", "store/memstore", "chain", "signer"}, floor...), nil},
	}
}

// neverLinked is what must not be in a room even by way of others.
func neverLinked() map[string][]string {
	return map[string][]string{
		"audit":               slices.Concat(peers, database),
		"service":             slices.Concat(peers, database),
		"coordinator/ledger":  slices.Concat(peers, database),
		"coordinator/frozen":  slices.Concat(peers, database),
		"coordinator/known":   slices.Concat(peers, database),
		"coordinator/port":    slices.Concat(peers, database),
		"coordinator/event":   slices.Concat(peers, database),
		"coordinator/record":  slices.Concat(peers, database, bitcoin),
		"coordinator/group":   slices.Concat(peers, database),
		"coordinator/refusal": slices.Concat(peers, database, bitcoin),
		"coordinator/mapkey":  slices.Concat(peers, database),
		"wallet":              slices.Concat(peers, database),
		"journal":             slices.Concat(peers, database, bitcoin),
		"policy":              slices.Concat(peers, database, bitcoin),
		"policy/meter":        slices.Concat(peers, database, bitcoin),
		"coordinator/reason":  slices.Concat(peers, database),
		"coordinator/robot":   slices.Concat(peers, database),
		"coordinator/node":    slices.Concat(peers, database),
		"coordinator":         slices.Concat(peers, database),
		"api":                 slices.Concat(peers, database),
		"chain":               slices.Concat(peers, database),
		"signer":              slices.Concat(peers, database),
		"signer/ceiling":      slices.Concat(peers, database),
		"store":               peers,
		"store/memstore":      peers,
		"p2p":                 database,
		"p2p/memnet":          database,
	}
}

// support are packages for tests: nothing that is shipped imports them.
func support(importPath string) bool {
	return within(importPath, "api/apitest", "api/kept/kepttest", "audit/audittest", "app/apptest", "chain/chaintest", "coordinator/port/porttest", "p2p/p2ptest", "store/storetest", "test")
}

// twin are rooms that stand in for others in tests: nothing that is shipped
// imports them either, and they keep to what their room may know.
func twin(importPath string) bool { return within(importPath, "store/memstore", "p2p/memnet") }

func within(importPath string, paths ...string) bool {
	return slices.ContainsFunc(paths, func(s string) bool {
		p := module + "/" + s
		return importPath == p || strings.HasPrefix(importPath, p+"/")
	})
}

// alone are packages that import nothing else of the project, their own room
// included, but how a file becomes text.
func alone() []string { return []string{"wallet/psbt", "wallet/coinselect", "journal/pmap"} }

// arrows returns every breach of the import rules.
func arrows(pkgs []pkg) []string {
	var out []string
	all := rooms()
	for _, p := range pkgs {
		r, ok := all[p.room()]
		if !ok {
			out = append(out, fmt.Sprintf("%s: there is no room %q", p.ImportPath, p.room()))
			continue
		}
		for _, i := range slices.Concat(p.Imports, p.TestImports) {
			if to := roomOf(i); strings.HasPrefix(i, module) && to != p.room() && !slices.Contains(r.below, to) {
				out = append(out, fmt.Sprintf("%s imports %s: no arrow leads from %s to %q", p.ImportPath, i, p.room(), to))
			}
		}
		if support(p.ImportPath) {
			continue
		}
		for _, i := range p.Imports {
			if slices.Contains(alone(), strings.TrimPrefix(p.ImportPath, module+"/")) && strings.HasPrefix(i, module) && i != module+"/filetext" {
				out = append(out, fmt.Sprintf("%s imports %s: it knows nothing else of the project", p.ImportPath, i))
			}
			if matches(r.banned, i) {
				out = append(out, fmt.Sprintf("%s imports %s, which %s must not know", p.ImportPath, i, p.room()))
			}
			if support(i) || twin(i) || i == "testing" {
				out = append(out, fmt.Sprintf("%s imports %s, which is for tests", p.ImportPath, i))
			}
		}
	}
	return out
}

// linked returns what must not be linked into a package.
func (p pkg) linked() []string {
	var out []string
	if support(p.ImportPath) {
		return nil
	}
	for _, d := range p.Deps {
		if matches(neverLinked()[p.room()], d) {
			out = append(out, fmt.Sprintf("%s is linked with %s, which %s must not know", p.ImportPath, d, p.room()))
		}
	}
	return out
}

func matches(list []string, importPath string) bool {
	return slices.ContainsFunc(list, func(b string) bool {
		return b == importPath || (strings.HasSuffix(b, "/") && strings.HasPrefix(importPath, b))
	})
}

// Each rule, broken once.
func TestArrowsAreHeld(t *testing.T) {
	q := func(s string) string { return module + "/" + s }
	for _, c := range []struct {
		from, to string
		want     int
	}{
		{"cmd/node", q("app"), 0},
		{"cmd/node", q("api"), 0},
		{"cmd/node", q("app/config"), 0},
		{"cmd/node", q("coordinator"), 1},
		{"cmd/node", q("wallet"), 1},
		{"cmd/node", q("store"), 1},
		{"cmd/node", "github.com/libp2p/go-libp2p", 1},
		{"cmd/node", "github.com/btcsuite/btcd/wire/v2", 1},
		{"app", q("store"), 0},
		{"app", q("p2p"), 0},
		{"app", q("chain/core"), 0},
		{"app", q("cmd/node"), 1},
		{"app", q("service"), 0},
		{"app", q("ops"), 1},
		{"app", q("qr"), 1},
		{"ops", q("app"), 0},
		{"ops", q("app/backup"), 0},
		{"ops", q("service"), 0},
		{"ops", q("chain/devnet"), 0},
		{"ops", q("signer"), 1},
		{"ops", q("cmd/node"), 1},
		{"cmd/node", q("ops"), 0},
		{"cmd/node", q("service"), 1},
		{"service", q("coordinator"), 0},
		{"service", q("wallet/formats"), 0},
		{"service", q("api"), 0},
		{"service", q("qr"), 0},
		{"service", q("app"), 1},
		{"service", q("ops"), 1},
		{"service", q("p2p"), 1},
		{"service", q("store"), 1},
		{"service", q("chain"), 1},
		{"service", "net/http", 1},
		{"service", "os", 1},
		{"service", "github.com/libp2p/go-libp2p", 1},
		{"service", "github.com/dgraph-io/badger/v4", 1},
		{"app", q("chain/chaintest/btcd"), 1},
		{"store", q("coordinator/port"), 0},
		{"store", q("coordinator"), 1},
		{"store", q("coordinator/event"), 1},
		{"p2p", q("coordinator/port"), 0},
		{"p2p", q("coordinator"), 1},
		{"chain/core", q("coordinator/port"), 0},
		{"chain/core", q("coordinator"), 1},
		{"signer", q("coordinator/port"), 0},
		{"signer", q("coordinator"), 1},
		{"store/storetest", q("coordinator"), 1},
		{"coordinator/port", q("coordinator/event"), 0},
		{"coordinator/port", q("coordinator"), 1},
		{"coordinator/event", q("coordinator/port"), 1},
		{"coordinator", q("coordinator/ledger"), 0},
		{"coordinator", q("coordinator/node"), 1},
		{"coordinator/group", q("coordinator/node"), 1},
		{"coordinator/node", q("coordinator"), 0},
		{"coordinator/node", q("store"), 1},
		{"coordinator/node", q("api"), 1},
		{"coordinator/node", "os", 1},
		{"service", q("coordinator/node"), 0},
		{"p2p", q("coordinator/node"), 1},
		{"cmd/node", q("coordinator/node"), 1},
		{"coordinator", q("coordinator/group"), 0},
		{"coordinator/group", q("coordinator/ledger"), 0},
		{"coordinator/group", q("coordinator"), 1},
		{"coordinator/group", q("coordinator/refusal"), 1},
		{"coordinator/ledger", q("coordinator/group"), 1},
		{"store", q("coordinator/group"), 1},
		{"coordinator/ledger", q("coordinator/port"), 0},
		{"coordinator/ledger", q("coordinator"), 1},
		{"coordinator/port", q("coordinator/ledger"), 1},
		{"store", q("coordinator/ledger"), 1},
		{"chain/core", q("coordinator/ledger"), 1},
		{"store", "os", 0},
		{"store", q("p2p"), 1},
		{"store", q("chain/devnet"), 1},
		{"store", q("api"), 1},
		{"store", q("app"), 1},
		{"store", q("store/storetest"), 1},
		{"coordinator", q("coordinator/port/porttest"), 1},
		{"coordinator/port/porttest", q("coordinator"), 1},
		{"store", q("store/memstore"), 2},
		{"store/memstore", q("store"), 0},
		{"store/memstore", q("store/storetest"), 1},
		{"store/memstore", "os", 1},
		{"app", q("store/memstore"), 2},
		{"test/sim", q("store/memstore"), 0},
		{"store", "github.com/libp2p/go-libp2p/core/peer", 1},
		{"store", "net", 1},
		{"p2p", q("journal"), 0},
		{"p2p", "net", 0},
		{"p2p", q("store"), 1},
		{"p2p", q("wallet"), 1},
		{"p2p", q("p2p/memnet"), 2},
		{"p2p/memnet", q("p2p"), 0},
		{"p2p/memnet", q("p2p/p2ptest"), 1},
		{"p2p/memnet", q("store/memstore"), 2},
		{"p2p/memnet", "github.com/libp2p/go-libp2p/core/peer", 1},
		{"p2p", "github.com/btcsuite/btcd/chainhash/v2", 1},
		{"p2p", "github.com/btcsuite/btcd", 1},
		{"p2p", "github.com/dgraph-io/badger/v4", 1},
		{"chain/core", q("chain/follow"), 0},
		{"chain/core", "net/http", 0},
		{"chain/core", q("p2p"), 1},
		{"chain/core", "github.com/dgraph-io/badger/v4", 1},
		{"api", "net/http", 0},
		{"api", q("display"), 0},
		{"api", q("coordinator"), 1},
		{"api", q("store"), 1},
		{"api", q("p2p"), 1},
		{"api", "github.com/libp2p/go-libp2p/core/peer", 1},
		{"api", "github.com/dgraph-io/badger/v4", 1},
		{"coordinator", q("wallet"), 0},
		{"coordinator", q("journal/pmap"), 0},
		{"coordinator", "time", 0},
		{"coordinator", q("store"), 1},
		{"coordinator", "net/http", 1},
		{"coordinator", "os", 1},
		{"coordinator", "crypto/rand", 1},
		{"coordinator", "github.com/libp2p/go-libp2p", 1},
		{"coordinator", "github.com/dgraph-io/badger/v4", 1},
		{"coordinator", q("coordinator/event"), 0},
		{"coordinator/event", q("wallet"), 0},
		{"coordinator/event", q("coordinator"), 1},
		{"coordinator/event", q("coordinator/record"), 1},
		{"coordinator/event", q("store"), 1},
		{"coordinator/event", "time", 1},
		{"coordinator/record", q("coordinator/event"), 1},
		{"coordinator/record", q("wallet"), 1},
		{"journal", q("coordinator/event"), 1},
		{"cmd/node", q("coordinator/event"), 1},
		{"cmd/node", q("qr"), 0},
		{"api", q("qr"), 1},
		{"api", q("service"), 1},
		{"coordinator", q("qr"), 1},
		{"qr", q("wallet"), 1},
		{"qr", "os", 1},
		{"qr", "github.com/btcsuite/btcd/wire/v2", 1},
		{"wallet", q("wallet/psbt"), 0},
		{"wallet", "math/rand/v2", 0},
		{"wallet", q("journal"), 1},
		{"wallet", q("coordinator"), 1},
		{"wallet", "net", 1},
		{"wallet", "net/netip", 1},
		{"wallet", "os", 1},
		{"wallet", "os/exec", 1},
		{"wallet", "time", 1},
		{"wallet", "crypto/rand", 1},
		{"wallet/psbt", "net/http", 1},
		{"wallet/psbt", q("wallet"), 1},
		{"wallet/psbt", q("filetext"), 0},
		{"wallet", q("filetext"), 0},
		{"coordinator", q("filetext"), 1},
		{"filetext", q("display"), 1},
		{"wallet/coinselect", q("wallet/psbt"), 1},
		{"wallet/coinselect", "github.com/btcsuite/btcd/wire/v2", 0},
		{"wallet/formats", q("wallet"), 0},
		{"ops", q("policy"), 0},
		{"policy", q("journal"), 0},
		{"policy", q("wallet"), 1},
		{"policy", q("coordinator/event"), 1},
		{"policy", "time", 0},
		{"policy", "os", 1},
		{"policy", "github.com/btcsuite/btcd/wire/v2", 1},
		{"cmd/node", q("policy"), 1},
		{"api", q("policy"), 1},
		{"journal", q("journal/pmap"), 0},
		{"journal", q("wallet"), 1},
		{"journal", q("coordinator"), 1},
		{"journal", "os", 1},
		{"journal", "time", 1},
		{"journal", "github.com/btcsuite/btcd/wire/v2", 1},
		{"journal", "testing", 1},
		{"attic", "fmt", 1},
		{"attic", q("wallet"), 1},
		{"wallet", q("attic"), 1},
		{"wallet", module, 1},
		{"store/storetest", "testing", 0},
		{"store/storetest", q("p2p"), 1},
		{"test/e2e", q("chain/chaintest/btcd"), 0},
		{"test/e2e", q("cmd/node"), 1},
	} {
		p := pkg{ImportPath: q(c.from), Imports: []string{"fmt", c.to}}
		if got := arrows([]pkg{p}); len(got) != c.want {
			t.Errorf("%s imports %s: %d breaches %q, want %d", c.from, c.to, len(got), got, c.want)
		}
	}
}

// The arrows between rooms hold for tests too; what tests take from elsewhere
// is their own affair.
func TestArrowsOfTests(t *testing.T) {
	for to, want := range map[string]int{
		module + "/p2p": 1, module + "/store/storetest": 0, "os": 0, "net/http": 0, "testing": 0,
	} {
		p := pkg{ImportPath: module + "/store", TestImports: []string{to}}
		if got := arrows([]pkg{p}); len(got) != want {
			t.Errorf("the tests of store import %s: %q", to, got)
		}
	}
}

func TestLinksAreHeld(t *testing.T) {
	const libp2p, badger, btcd = "github.com/libp2p/go-libp2p/core/peer", "github.com/dgraph-io/badger/v4", "github.com/btcsuite/btcd/wire/v2"
	for _, c := range []struct {
		room, dep string
		want      int
	}{
		{"coordinator", libp2p, 1}, {"coordinator", badger, 1}, {"coordinator", btcd, 0},
		{"wallet", libp2p, 1}, {"wallet", badger, 1}, {"wallet", "net", 0},
		{"journal", libp2p, 1}, {"journal", badger, 1}, {"journal", btcd, 1},
		{"api", libp2p, 1}, {"api", badger, 1},
		{"service", libp2p, 1}, {"service", badger, 1}, {"service", "net/http", 0},
		{"chain/core", libp2p, 1}, {"chain/core", badger, 1},
		{"store", libp2p, 1}, {"store", badger, 0},
		{"p2p", badger, 1}, {"p2p", libp2p, 0}, {"p2p", btcd, 0},
		{"app", libp2p, 0}, {"app", badger, 0},
		{"ops", libp2p, 0}, {"ops", badger, 0},
		{"p2p/p2ptest", badger, 0},
	} {
		p := pkg{ImportPath: module + "/" + c.room, Deps: []string{"fmt", c.dep}}
		if got := p.linked(); len(got) != c.want {
			t.Errorf("%s linked with %s: %q", c.room, c.dep, got)
		}
	}
}
