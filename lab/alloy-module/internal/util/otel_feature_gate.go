package util

// SetupOtelFeatureGates has nothing to do: the gates belong to components that are not in this build, among them the
// one for Kubernetes with its client.
func SetupOtelFeatureGates() error { return nil }
