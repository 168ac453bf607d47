package policy

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// maxZone is how long the name of a zone is at most, in bytes.
const maxZone = 48

// zoneFile is the IANA database as Go's distribution has it, lib/time/zoneinfo.zip: a file
// for each zone, without compression.
//
//go:embed zoneinfo.zip
var zoneFile []byte

// zoneData finds the file of each zone. It is read once, and nothing changes it.
var zoneData = sync.OnceValues(func() (map[string]*zip.File, error) {
	r, err := zip.NewReader(bytes.NewReader(zoneFile), int64(len(zoneFile)))
	if err != nil {
		return nil, fmt.Errorf("read the zones: %w", err)
	}
	all := map[string]*zip.File{}
	for _, f := range r.File {
		all[f.Name] = f
	}
	return all, nil
})

// LoadZone finds a zone of the IANA database that comes with this program. time.LoadLocation asks
// the machine first, and two robots of one policy must not go by different hours. The zone of the
// machine itself is none.
func LoadZone(name string) (*time.Location, error) {
	plain := strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == ""
	if name == "" || name == "Local" || len(name) > maxZone || !plain {
		return nil, fmt.Errorf("%.60q is no zone of the IANA database, as Europe/Berlin or UTC", name)
	}
	all, err := zoneData()
	if err != nil {
		return nil, err
	}
	f := all[name]
	if f == nil || f.FileInfo().IsDir() {
		return nil, fmt.Errorf("there is no zone %q in the IANA database, as Europe/Berlin or UTC", name)
	}
	b, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("read zone %q: %w", name, err)
	}
	at, err := time.LoadLocationFromTZData(name, b)
	if err != nil {
		return nil, fmt.Errorf("read zone %q: %w", name, err)
	}
	return at, nil
}

func read(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return b, r.Close()
}
