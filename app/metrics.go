package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/quorate/quorate/api"
	"github.com/quorate/quorate/coordinator"
	"github.com/quorate/quorate/p2p"
)

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
	metricProposals = prometheus.NewDesc("quorate_proposals", "Proposals of a wallet, by status.", []string{"wallet", "status"}, nil)
)

// collector reads a node when it is asked.
type collector struct{ n *Node }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{metricBuild, metricChain, metricSynced, metricPeers, metricRefused, metricWallets, metricEntries, metricProposals, metricUnproven, metricSilent} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	s, err := c.n.Status(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(metricChain, err)
		return
	}
	gauge(metricBuild, 1, s.Version, s.Network)
	gauge(metricChain, float64(s.Chain.Height), s.Chain.Backend)
	gauge(metricSynced, float64(count(s.Chain.Synced)))
	connected, refused := 0, map[string]uint64{}
	for _, p := range s.Peers {
		connected += count(p.Connected)
		for rule, n := range p.Rejects {
			refused[rule] += n
		}
	}
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
	for state, n := range states {
		gauge(metricWallets, float64(n), state)
	}
	for _, a := range c.n.co.Wallets() {
		id := a.Group().String()
		a.Read(func(m *coordinator.Machine) {
			gauge(metricEntries, float64(m.State.Entries()), id)
			for status, n := range m.CountProposals() {
				gauge(metricProposals, float64(n), id, string(status))
			}
		})
	}
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

// metricsServer answers GET /metrics in the Prometheus text format.
func metricsServer(n *Node) (*http.Server, error) {
	reg := prometheus.NewRegistry()
	err := errors.Join(reg.Register(collector{n}), registerProcess(reg))
	if err != nil {
		return nil, err
	}
	return metricsOf(reg), nil
}

// registerProcess adds what the Go runtime and the operating system say of the
// process. What the last collection left of the heap is the figure in which a
// leak shows: what is in use swings by what has not been collected.
func registerProcess(reg *prometheus.Registry) error {
	live := collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)}
	return errors.Join(reg.Register(collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(live))),
		reg.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})))
}

// metricsOf serves what a registry holds.
func metricsOf(reg *prometheus.Registry) *http.Server {
	mux := http.NewServeMux()
	// One scrape at a time: each reads every proposal.
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 1}))
	return &http.Server{Handler: byAddress(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 8 << 10}
}

// byAddress refuses requests that were sent to a name: a web page can have its
// own name looked up as this machine's address, and would read the answer as its
// own site's (DNS rebinding).
func byAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAddress(r.Host) {
			http.Error(w, "ask by IP address, or as localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isAddress says whether the Host of a request is an IP address or localhost,
// with or without a port.
func isAddress(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return net.ParseIP(host) != nil || strings.EqualFold(host, "localhost")
}

// serveMetrics listens where the configuration says.
func (n *Node) serveMetrics(o RunOptions, failed chan<- error) (*http.Server, error) {
	s, err := metricsServer(n)
	if err != nil {
		return nil, api.Fail("not_started", "metrics: "+err.Error(), "")
	}
	l, err := net.Listen("tcp", o.Config.Metrics.Listen)
	if err != nil {
		return nil, api.Misuse("bad_metrics_listen", "metrics are not served: "+err.Error(), "see metrics.listen")
	}
	o.Log.Info("serving metrics", "address", l.Addr().String())
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return s, nil
}
