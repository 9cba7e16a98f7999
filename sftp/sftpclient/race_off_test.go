//go:build !race

package sftpclient_test

// poolLoss is how many allocations an exchange may cost beside its own.
const poolLoss = 0
