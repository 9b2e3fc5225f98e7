// Nothing: see peer_discovery.go.
package discovery
