// Nothing: no component here talks to Kafka.
package otelcol
