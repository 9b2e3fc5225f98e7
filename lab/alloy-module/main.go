package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/grafana/alloy/internal/alloycli"
	"github.com/grafana/alloy/internal/build"

	// For an image without certificates.
	_ "golang.org/x/crypto/x509roots/fallback"
)

// Without what the original registers besides: clients of clouds that Prometheus can discover targets with, and the
// integrations of Grafana Agent.
func main() {
	prometheus.MustRegister(build.NewCollector("alloy"))
	alloycli.Run()
}
