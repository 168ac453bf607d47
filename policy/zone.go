package policy

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones come with the binary: not every machine has them
)

// maxZone is how long the name of a zone is at most, in bytes.
const maxZone = 48

// zone finds a zone of the IANA database. That of the machine is none: it is not the same
// everywhere.
func zone(name string) (*time.Location, error) {
	plain := strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == ""
	if name == "" || name == "Local" || len(name) > maxZone || !plain {
		return nil, fmt.Errorf("%.60q is no zone of the IANA database, as Europe/Berlin or UTC", name)
	}
	at, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no zone %q in the IANA database, as Europe/Berlin or UTC", name)
	}
	return at, nil
}
