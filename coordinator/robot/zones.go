package robot

import (
	"slices"
	"strings"
	"time"

	"github.com/quorate/quorate/policy"
)

// zonesOf loads the zones of a policy's hours; one that is not to be had is left out.
func zonesOf(p *policy.Policy) map[string]*time.Location {
	out := map[string]*time.Location{}
	for _, r := range p.Rules {
		for _, h := range r.Require.Hours {
			if out[h.Zone] != nil {
				continue
			}
			if at, err := policy.LoadZone(h.Zone); err == nil {
				out[h.Zone] = at
			}
		}
	}
	return out
}

// zonesAt are those of some hours, with their offsets at a time: of more than Facts have room
// for, the first.
func (c *Compiled) zonesAt(hours []policy.Hours, now int64) []policy.Zone {
	var out []policy.Zone
	for _, h := range hours {
		at := c.zones[h.Zone]
		if at == nil || len(out) == policy.MaxZones || slices.ContainsFunc(out, func(z policy.Zone) bool { return z.Name == h.Zone }) {
			continue
		}
		_, offset := time.Unix(now, 0).In(at).Zone()
		out = append(out, policy.Zone{Name: h.Zone, Offset: int64(offset)})
	}
	slices.SortFunc(out, func(a, b policy.Zone) int { return strings.Compare(a.Name, b.Name) })
	return out
}
