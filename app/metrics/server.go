// Package metrics serves what a process counts, in the Prometheus text format: to
// whoever asks for it by address, one at a time. What is counted, each program
// brings along as a collector; what the Go runtime and the operating system say
// of the process is added here.
package metrics

import (
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Server answers GET /metrics with what a collector says, and what the process is, and
// what probes answer before anything else.
func Server(c prometheus.Collector, probes func(http.Handler) http.Handler) (*http.Server, error) {
	reg := prometheus.NewRegistry()
	err := errors.Join(reg.Register(c), registerProcess(reg))
	if err != nil {
		return nil, err
	}
	return metricsOf(reg, probes), nil
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
func metricsOf(reg *prometheus.Registry, probes func(http.Handler) http.Handler) *http.Server {
	mux := http.NewServeMux()
	// One scrape at a time: nothing is gained by two.
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 1}))
	return &http.Server{Handler: byAddress(probes(mux)), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 8 << 10}
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
