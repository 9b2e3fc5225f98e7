package discovery

import (
	"errors"

	"github.com/go-kit/log"
	"go.opentelemetry.io/otel/trace"
)

type DiscoverFn func() ([]string, error)

type Options struct {
	JoinPeers     []string
	DiscoverPeers string
	DefaultPort   int
	Logger        log.Logger
	Tracer        trace.TracerProvider
}

// NewPeerDiscoveryFn refuses peers: finding them brings the clients of a dozen clouds along.
func NewPeerDiscoveryFn(options Options) (DiscoverFn, error) {
	if len(options.JoinPeers) > 0 || options.DiscoverPeers != "" {
		return nil, errors.New("this build of Alloy joins no cluster")
	}
	return nil, nil
}
