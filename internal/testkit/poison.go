package testkit

// Poison overwrites b. Tests use it on bytes that were only lent to the code
// under test, after the loan ended: who kept a slice sees garbage.
func Poison(b []byte) {
	for i := range b {
		b[i] = 0xdb
	}
}

// Lend calls f with a copy of b and poisons the copy when f returns.
func Lend(b []byte, f func(b []byte)) {
	c := append([]byte(nil), b...)
	f(c)
	Poison(c)
}
