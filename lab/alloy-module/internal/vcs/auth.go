// Nothing: see git.go.
package vcs
