package auth

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
)

// Sizes of the stored forms of the SHA-256 methods.
const (
	cryptSalt   = 20
	cryptDigest = 43
	cryptRounds = 5000 // of what we make, and of MySQL
	maxRounds1k = 0xfff
)

// shaCrypt is a stored password of the SHA-256 methods: SHA-crypt with a salt
// of 20 bytes. The zero value is the empty password.
type shaCrypt struct {
	salt   string
	digest string
	rounds int
}

// parseCrypt reads what servers keep as the authentication string:
//
//	$A$005$ salt digest    caching_sha2_password, rounds in thousands, hexadecimal
//	$5$ salt $ digest      sha256_password, 5000 rounds
func parseCrypt(plugin, s string) (shaCrypt, error) {
	if s == "" {
		return shaCrypt{}, nil
	}
	bad := badHash(plugin)
	if rest, ok := strings.CutPrefix(s, "$A$"); ok && plugin != SHA256 {
		if len(rest) != 4+cryptSalt+cryptDigest || rest[3] != '$' {
			return shaCrypt{}, bad
		}
		n, err := strconv.ParseUint(rest[:3], 16, 16)
		if err != nil || n == 0 || n > maxRounds1k {
			return shaCrypt{}, bad
		}
		return shaCrypt{rest[4 : 4+cryptSalt], rest[4+cryptSalt:], int(n) * 1000}, nil
	}
	rest, ok := strings.CutPrefix(s, "$5$")
	if !ok || plugin == CachingSHA2 || len(rest) != cryptSalt+1+cryptDigest || rest[cryptSalt] != '$' {
		return shaCrypt{}, bad
	}
	return shaCrypt{rest[:cryptSalt], rest[cryptSalt+1:], cryptRounds}, nil
}

// newCrypt stores a password with a new salt.
func newCrypt(password string) shaCrypt {
	if password == "" {
		return shaCrypt{}
	}
	c := shaCrypt{salt: string(NewNonce()), rounds: cryptRounds}
	c.digest = shaDigest([]byte(password), []byte(c.salt), c.rounds)
	return c
}

// text is the inverse of parseCrypt.
func (c shaCrypt) text(plugin string) string {
	switch {
	case c.empty():
		return ""
	case plugin == SHA256:
		return "$5$" + c.salt + "$" + c.digest
	}
	return fmt.Sprintf("$A$%03X$%s%s", c.rounds/1000, c.salt, c.digest)
}

func (c shaCrypt) empty() bool { return c.digest == "" }

// matches reports whether it is the password. It takes as long whether it is or
// not, and as long for an empty one.
func (c shaCrypt) matches(password []byte) bool {
	salt, rounds := c.salt, c.rounds
	if c.empty() {
		salt, rounds = "....................", cryptRounds
	}
	return equal([]byte(shaDigest(password, []byte(salt), rounds)), []byte(c.digest)) && !c.empty()
}

// shaDigest is SHA-crypt with SHA-256 (U. Drepper, "Unix crypt using SHA-256
// and SHA-512", steps 1 to 22); salts may have any length here.
func shaDigest(password, salt []byte, rounds int) string {
	h := sha256.New()
	write := func(parts ...[]byte) {
		for _, p := range parts {
			h.Write(p)
		}
	}
	sum := func() []byte { b := h.Sum(nil); h.Reset(); return b }

	write(password, salt, password)
	b := sum()
	write(password, salt, stretch(b, len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			write(b)
		} else {
			write(password)
		}
	}
	a := sum()
	for range password {
		write(password)
	}
	p := stretch(sum(), len(password))
	for range 16 + int(a[0]) {
		write(salt)
	}
	s := stretch(sum(), len(salt))
	for i := range rounds {
		if i%2 != 0 {
			write(p)
		} else {
			write(a)
		}
		if i%3 != 0 {
			write(s)
		}
		if i%7 != 0 {
			write(p)
		}
		if i%2 != 0 {
			write(a)
		} else {
			write(p)
		}
		a = h.Sum(a[:0])
		h.Reset()
	}
	return cryptText(a)
}

// stretch returns n bytes of b, repeated.
func stretch(b []byte, n int) []byte {
	out := make([]byte, 0, n+len(b))
	for len(out) < n {
		out = append(out, b...)
	}
	return out[:n]
}

// cryptText writes 32 bytes in SHA-crypt's order and alphabet.
func cryptText(b []byte) string {
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	out := make([]byte, 0, cryptDigest)
	put := func(x, y, z byte, n int) {
		for v := uint(x)<<16 | uint(y)<<8 | uint(z); n > 0; n-- {
			out = append(out, alphabet[v&63])
			v >>= 6
		}
	}
	for i, k := 0, 0; i < 10; i++ { // 0,10,20; 21,1,11; 12,22,2; 3,13,23; …
		put(b[k], b[(k+10)%30], b[(k+20)%30], 4)
		k = (k + 21) % 30
	}
	put(0, b[31], b[30], 3)
	return string(out)
}
