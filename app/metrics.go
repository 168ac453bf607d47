package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/app/metrics"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/coordinator/frozen"
	"github.com/quorate/quorate/coordinator/group"
	"github.com/quorate/quorate/p2p"
)

// scrapeTime bounds what one scrape may wait for.
const scrapeTime = 5 * time.Second

// Metrics of a node. They name wallets by id and hold no amount, no address and
// no name of a person.
var (
	metricBuild     = prometheus.NewDesc("quorate_build_info", "The running version; always 1.", []string{"version", "network"}, nil)
	metricChain     = prometheus.NewDesc("quorate_chain_height", "Height of the chain as the backend tells it.", []string{"backend"}, nil)
	metricSynced    = prometheus.NewDesc("quorate_chain_synced", "1 when the chain is synced and every wallet has taken it in.", nil, nil)
	metricPeers     = prometheus.NewDesc("quorate_peers", "Members of this node's wallets, by whether they are connected.", []string{"connected"}, nil)
	metricRefused   = prometheus.NewDesc("quorate_refused_total", "Entries and frames of members that were refused or had no effect, by rule.", []string{"rule"}, nil)
	metricWallets   = prometheus.NewDesc("quorate_wallets", "Wallets, by state.", []string{"state"}, nil)
	metricEntries   = prometheus.NewDesc("quorate_journal_entries", "Entries held of a wallet's journal.", []string{"wallet"}, nil)
	metricUnproven  = prometheus.NewDesc("quorate_unproven_connections", "Inbound connections that have not proved who they are.", nil, nil)
	metricSilent    = prometheus.NewDesc("quorate_silent_connections_total", "Inbound connections that ended without a word of who they are (end: gone), or found no place (end: refused).", []string{"end"}, nil)
	metricAlarms    = prometheus.NewDesc("quorate_alarms", "Alarms that stand, of the node and of all wallets, by code.", []string{"code"}, nil)
	metricOldest    = prometheus.NewDesc("quorate_pending_oldest_timestamp_seconds", "When the oldest pending proposal of a wallet was made; 0 where none is pending.", []string{"wallet"}, nil)
	metricSeen      = prometheus.NewDesc("quorate_peer_last_seen_timestamp_seconds", "When a member was last connected; 0 for never since it is known.", []string{"peer"}, nil)
	metricBackup    = prometheus.NewDesc("quorate_last_backup_timestamp_seconds", "When a backup was last made of the running node; 0 for never.", nil, nil)
	metricFree      = prometheus.NewDesc("quorate_disk_free_bytes", "Free space on the disk of the store.", nil, nil)
	metricNeeded    = prometheus.NewDesc("quorate_disk_needed_bytes", "The free space below which the node writes nothing.", nil, nil)
	metricSpans     = prometheus.NewDesc("quorate_spans_total", "Spans that the collector of traces took (result: sent), and that were dropped.", []string{"result"}, nil)
	metricProposals = prometheus.NewDesc("quorate_proposals", "Proposals of a wallet, by status.", []string{"wallet", "status"}, nil)
)

// described are all metrics of a node; docs/metrics.md lists them.
func described() []*prometheus.Desc {
	return []*prometheus.Desc{
		metricBuild, metricChain, metricSynced, metricPeers, metricRefused, metricWallets, metricEntries, metricProposals, metricOldest,
		metricAlarms, metricUnproven, metricSilent, metricSeen, metricBackup, metricFree, metricNeeded, metricSpans,
	}
}

// collector reads a node when it is asked.
type collector struct{ n *Node }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range described() {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	s, err := c.n.Status(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(metricChain, err)
		return
	}
	gauge(metricBuild, 1, s.Version, s.Network)
	height := int32(0) // a series that is not there looks like a node that is not
	if s.Chain.Height != nil {
		height = *s.Chain.Height
	}
	gauge(metricChain, float64(height), s.Chain.Backend)
	gauge(metricSynced, float64(count(s.Chain.Synced)))
	connected, refused := 0, map[string]uint64{}
	for _, p := range s.Peers {
		connected += count(p.Connected)
		for rule, n := range p.Rejects {
			refused[rule] += n
		}
		seen := time.Now()
		if !p.Connected {
			seen = time.Unix(0, 0)
			if p.LastSeen != nil {
				seen = *p.LastSeen
			}
		}
		gauge(metricSeen, float64(seen.Unix()), p.PeerID)
	}
	made := time.Unix(0, 0)
	if s.LastBackup != nil {
		made = *s.LastBackup
	}
	gauge(metricBackup, float64(made.Unix()))
	if free, need, known := c.n.parts.Store.Space(); known {
		gauge(metricFree, float64(free))
		gauge(metricNeeded, float64(need))
	}
	sent, dropped := c.n.trace.Counts()
	ch <- prometheus.MustNewConstMetric(metricSpans, prometheus.CounterValue, float64(sent), "sent")
	ch <- prometheus.MustNewConstMetric(metricSpans, prometheus.CounterValue, float64(dropped), "dropped")
	gauge(metricPeers, float64(connected), "yes")
	gauge(metricPeers, float64(len(s.Peers)-connected), "no")
	for rule, n := range refused {
		ch <- prometheus.MustNewConstMetric(metricRefused, prometheus.CounterValue, float64(n), rule)
	}
	collectHandshakes(ch, c.n.net.Handshakes(), metricUnproven, metricSilent)
	states := map[string]int{}
	for _, w := range s.Wallets {
		states[w.State]++
	}
	for code, n := range alarmsBy(s) {
		gauge(metricAlarms, float64(n), code)
	}
	for state, n := range states {
		gauge(metricWallets, float64(n), state)
	}
	for _, a := range c.n.co.Wallets() {
		id := a.Group().String()
		a.Read(func(m *coordinator.Machine) {
			gauge(metricEntries, float64(m.State.Entries()), id)
			counts := m.CountProposals()
			for _, status := range []group.Status{group.StatusPending, group.StatusFinal} {
				if _, there := counts[status]; !there {
					gauge(metricProposals, 0, id, string(status)) // what is waited for
				}
			}
			for status, n := range counts {
				gauge(metricProposals, float64(n), id, string(status))
			}
			oldest := int64(0)
			if made, ok := m.OldestPending(time.Now()); ok {
				oldest = max(made.Unix(), 0)
			}
			gauge(metricOldest, float64(oldest), id)
		})
	}
}

// alarmCodes are those that there can be; each is a series also where none stands, so
// that one may be waited for.
func alarmCodes() []string {
	return []string{
		frozen.AlarmGroup, coordinator.AlarmMargin, coordinator.AlarmScheduled, coordinator.AlarmForeignSpend, coordinator.AlarmAddressTie, coordinator.AlarmRefused, coordinator.AlarmUnsent,
		coordinator.AlarmUnbuilt, coordinator.AlarmUnseen, coordinator.AlarmFork, coordinator.AlarmOwnFork,
		coordinator.AlarmSuperseded, coordinator.AlarmReplaced, coordinator.AlarmContested, coordinator.AlarmUnproven,
		group.AlarmReader, AlarmNotListening, AlarmDiskFull, AlarmCrowded,
		AlarmStuck, AlarmClock, AlarmTogether,
		coordinator.AlarmPaused, coordinator.AlarmSilent, coordinator.AlarmCharges, coordinator.AlarmUnreadable, coordinator.AlarmParted, coordinator.AlarmPoolHeld,
	}
}

// alarmsBy counts the alarms that stand, of the node and of its wallets.
func alarmsBy(s api.Status) map[string]int {
	out := map[string]int{}
	for _, code := range alarmCodes() {
		out[code] = 0
	}
	for _, a := range s.Alarms {
		out[a.Code]++
	}
	for _, w := range s.Wallets {
		for _, a := range w.Alarms {
			out[a.Code]++
		}
	}
	return out
}

// collectHandshakes tells what connections do whose peer is not known.
func collectHandshakes(ch chan<- prometheus.Metric, h p2p.Handshakes, open, silent *prometheus.Desc) {
	ch <- prometheus.MustNewConstMetric(open, prometheus.GaugeValue, float64(h.Open))
	ch <- prometheus.MustNewConstMetric(silent, prometheus.CounterValue, float64(h.Silent), "gone")
	ch <- prometheus.MustNewConstMetric(silent, prometheus.CounterValue, float64(h.Refused), "refused")
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// serveMetrics listens where the configuration says.
func (n *Node) serveMetrics(o RunOptions, probes *api.Server, failed chan<- error) (*http.Server, error) {
	s, err := metrics.Server(collector{n}, probes.Probes)
	if err != nil {
		return nil, api.Fail("not_started", "metrics: "+err.Error(), "")
	}
	l, err := net.Listen("tcp", o.Config.Metrics.Listen)
	if err != nil {
		return nil, NotListening("the server of metrics", o.Config.Metrics.Listen, "metrics.listen", err)
	}
	o.Log.Info("serving metrics", "address", l.Addr().String())
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return s, nil
}
