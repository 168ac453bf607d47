package ops

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorate/quorate/p2p"
)

// relayCollector reads a relay when it is asked. Its metrics name nobody.
type relayCollector struct {
	r     *p2p.Relay
	descs []*prometheus.Desc
}

func newRelayCollector(r *p2p.Relay) relayCollector {
	c := relayCollector{r: r}
	for _, m := range [][2]string{
		{"quorate_relay_connected", "Peers that are connected."},
		{"quorate_relay_reservations", "Reservations that are held."},
		{"quorate_relay_circuits", "Circuits that are open."},
		{"quorate_relay_circuits_total", "Circuits opened."},
		{"quorate_relay_bytes_total", "Bytes carried, in both directions."},
		{"quorate_relay_refused_total", "Reservations and circuits asked for and not granted."},
		{"quorate_relay_strangers_total", "Connections of peers that are not on the list."},
		{"quorate_relay_silent_total", "Connections that ended without a word of who they are."},
		{"quorate_relay_crowded_total", "Connections that found no place among those who have not proved who they are."},
	} {
		c.descs = append(c.descs, prometheus.NewDesc(m[0], m[1], nil, nil))
	}
	return c
}

func (c relayCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

func (c relayCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.r.Stats()
	for i, v := range []float64{
		float64(s.Connected), float64(s.Reservations), float64(s.Circuits),
		float64(s.Opened), float64(s.Bytes), float64(s.Refused), float64(s.Strangers),
		float64(s.Handshakes.Silent), float64(s.Handshakes.Refused),
	} {
		kind := prometheus.GaugeValue
		if i > 2 {
			kind = prometheus.CounterValue
		}
		ch <- prometheus.MustNewConstMetric(c.descs[i], kind, v)
	}
}
