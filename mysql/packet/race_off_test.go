//go:build !race

package packet

// poolLoss is how many more allocations 256 packets may cost.
const poolLoss = 0
