//go:build race

package sftpclient_test

// poolLoss is how many allocations an exchange may cost beside its own: the
// race detector makes sync.Pool forget at random.
const poolLoss = 4
