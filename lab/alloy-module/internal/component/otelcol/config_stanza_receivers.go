// Nothing: no component here reads logs through the collector.
package otelcol
