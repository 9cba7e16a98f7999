//go:build race

package packet

// poolLoss is how many more allocations 256 packets may cost: the
// race detector makes sync.Pool forget at random.
const poolLoss = 100
