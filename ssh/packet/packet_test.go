package packet

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/poly1305" //nolint:staticcheck // the independent construction uses it too

	"github.com/wirelark/wirelark/wire"
)

// algorithms lists every combination there is: ciphers that authenticate by
// themselves, and the others with each MAC.
func algorithms() []Algorithm {
	algs := []Algorithm{{}}
	for _, c := range cipherTable() {
		if c.kind.isMAC() {
			algs = append(algs, Algorithm{Cipher: c.name})
			continue
		}
		for _, m := range MACs() {
			algs = append(algs, Algorithm{Cipher: c.name, MAC: m})
		}
	}
	return algs
}

func name(alg Algorithm) string {
	switch {
	case alg.Cipher == "":
		return "none"
	case alg.MAC == "":
		return alg.Cipher
	}
	return alg.Cipher + "+" + alg.MAC
}

func testKeys(t testing.TB, alg Algorithm) Keys {
	t.Helper()
	if alg.Cipher == "" {
		return Keys{}
	}
	k, err := DeriveKeys(crypto.SHA256, []byte("k"), []byte("hash"), []byte("session"), wire.C2S, alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func pair(t testing.TB, alg Algorithm, seq uint32) (*Sealer, *Opener) {
	t.Helper()
	keys := testKeys(t, alg)
	s, err := NewSealer(alg, keys, seq)
	if err != nil {
		t.Fatal(err)
	}
	o, err := NewOpener(alg, keys, seq)
	if err != nil {
		t.Fatal(err)
	}
	return s, o
}

func seal(s *Sealer, payload []byte) []byte {
	b := make([]byte, s.Size(len(payload)))
	copy(b[HeaderSize:], payload)
	return b[:s.Seal(b, len(payload))]
}

func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + n)
	}
	return b
}

var sizes = []int{1, 2, 3, 10, 11, 12, 16, 100, 180, 190, 191, 192, 193, 200, 1000, 32768, MaxPayload}

func TestSealOpen(t *testing.T) {
	for _, alg := range algorithms() {
		t.Run(name(alg), func(t *testing.T) {
			s, o := pair(t, alg, 3)
			for _, n := range sizes {
				p := text(n)
				b := seal(s, p)
				if len(b) != s.Size(n) {
					t.Fatalf("a payload of %d bytes took %d bytes, Size says %d", n, len(b), s.Size(n))
				}
				size, err := o.Size(b[:o.Need()])
				if err != nil || size != len(b) {
					t.Fatalf("Size of a payload of %d bytes = %d, %v; want %d", n, size, err, len(b))
				}
				got, err := o.Open(b)
				if err != nil || !bytes.Equal(got, p) {
					t.Fatalf("payload of %d bytes: %v", n, err)
				}
			}
			if want := uint32(3 + len(sizes)); s.Seq() != want || o.Seq() != want {
				t.Errorf("sequence numbers %d and %d, want %d", s.Seq(), o.Seq(), want)
			}
		})
	}
}

// slowOpen opens a chacha20-poly1305@openssh.com packet as the specification
// tells it, with nothing but the stream cipher.
func slowOpen(t *testing.T, keys Keys, seq uint32, b []byte) []byte {
	t.Helper()
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], uint64(seq))
	stream := func(key []byte) *chacha20.Cipher {
		c, err := chacha20.NewUnauthenticatedCipher(key, nonce[:])
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var length [4]byte
	stream(keys.Key[32:]).XORKeyStream(length[:], b[:4])
	n := int(binary.BigEndian.Uint32(length[:]))
	if len(b) != 4+n+16 {
		t.Fatalf("length %d in a packet of %d bytes", n, len(b))
	}
	main := stream(keys.Key[:32])
	var polyKey [32]byte
	main.XORKeyStream(polyKey[:], polyKey[:])
	if !poly1305.Verify((*[16]byte)(b[4+n:]), b[:4+n], &polyKey) {
		t.Fatal("tag does not verify")
	}
	out := make([]byte, n)
	main.SetCounter(1)
	main.XORKeyStream(out, b[4:4+n])
	return out[1 : n-int(out[0])]
}

func TestChaChaAgainstSlowConstruction(t *testing.T) {
	alg := Algorithm{Cipher: "chacha20-poly1305@openssh.com"}
	keys := testKeys(t, alg)
	s, err := NewSealer(alg, keys, 0xfffffffe)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 700; n++ {
		seq := s.Seq()
		if got := slowOpen(t, keys, seq, seal(s, text(n))); !bytes.Equal(got, text(n)) {
			t.Fatalf("payload of %d bytes with sequence number %d differs", n, seq)
		}
	}
	for _, n := range []int{4096, 32768, MaxPayload} {
		seq := s.Seq()
		if got := slowOpen(t, keys, seq, seal(s, text(n))); !bytes.Equal(got, text(n)) {
			t.Fatalf("payload of %d bytes with sequence number %d differs", n, seq)
		}
	}
}

func TestGCMAgainstPlainConstruction(t *testing.T) {
	for _, c := range []string{"aes128-gcm@openssh.com", "aes256-gcm@openssh.com"} {
		alg := Algorithm{Cipher: c}
		keys := testKeys(t, alg)
		keys.IV = bytes.Repeat([]byte{0xff}, 12) // its counter wraps at the second packet, and only the counter
		s, err := NewSealer(alg, keys, 77)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := aes.NewCipher(keys.Key)
		aead, _ := cipher.NewGCM(block)
		nonces := [][]byte{keys.IV, append(bytes.Repeat([]byte{0xff}, 4), 0, 0, 0, 0, 0, 0, 0, 0)}
		for i, nonce := range nonces {
			b := seal(s, text(100))
			plain, err := aead.Open(nil, nonce, b[4:], b[:4])
			if err != nil {
				t.Fatalf("%s packet %d: %v", c, i, err)
			}
			if got := plain[1 : len(plain)-int(plain[0])]; !bytes.Equal(got, text(100)) {
				t.Errorf("%s packet %d: payload differs", c, i)
			}
		}
	}
}

func TestEveryFlippedBitIsRefused(t *testing.T) {
	for _, alg := range algorithms()[1:] {
		t.Run(name(alg), func(t *testing.T) {
			for _, n := range []int{5, 300} {
				s, _ := pair(t, alg, 9)
				good := seal(s, text(n))
				for i := range good {
					_, o := pair(t, alg, 9)
					b := bytes.Clone(good)
					b[i] ^= 1 << (i % 8)
					size, err := o.Size(b)
					if err == nil && size != len(b) {
						continue // a flipped length: more bytes would be waited for
					}
					if err == nil {
						_, err = o.Open(b)
					}
					var e *Error
					if !errors.As(err, &e) || e.Local || i >= 4 && e.Kind != BadMAC {
						t.Fatalf("byte %d of %d changed: got %v, want a refusal", i, len(good), err)
					}
				}
			}
		})
	}
}

// craft seals a packet with the given length and padding fields, right or
// wrong; total is how many bytes the encrypted part really has.
func craft(s *Sealer, length uint32, padding byte, total int) []byte {
	if _, ok := s.mode.(*cbc); ok { // which takes whole blocks only
		covered := total
		if !s.mode.lengthApart() {
			covered += 4
		}
		bs := s.mode.block()
		total += (max(bs, covered)+bs-1)/bs*bs - covered
	}
	b := make([]byte, 4+total+s.mode.tagSize())
	binary.BigEndian.PutUint32(b, length)
	if total > 0 {
		b[4] = padding
	}
	s.mode.seal(b, s.at)
	return b
}

func TestRefusedLengthsAndPaddings(t *testing.T) {
	type row struct {
		name    string
		length  uint32
		padding byte
		kind    Kind // 0: accepted
	}
	common := []row{
		{"length 0", 0, 4, BadLength},
		{"length 1", 1, 4, BadLength},
		{"length 4", 4, 4, BadLength},
		{"length above the limit", MaxLength + 16, 4, BadLength},
		{"length of 1 GiB", 1 << 30, 4, BadLength},
		{"length with the sign bit", 1 << 31, 4, BadLength},
		{"largest length", 1<<32 - 1, 4, BadLength},
	}
	fitting := func(bs, covered uint32) []row { // lengths that the cipher accepts
		l := 2*bs - covered
		return append(common,
			row{"not a multiple of the block", l + 1, 4, BadLength},
			row{"half a block", l + bs/2, 4, BadLength},
			row{"no padding", l, 0, BadPadding},
			row{"padding of 3", l, 3, BadPadding},
			row{"padding of 4", l, 4, 0},
			row{"one byte of payload", l, byte(l - 2), 0},
			row{"no payload", l, byte(l - 1), BadPadding},
			row{"padding as long as the packet", l, byte(l), BadPadding},
			row{"padding of 255", l, 255, BadPadding},
			row{"padding of 255 that fits", 40*bs - covered, 255, 0},
		)
	}
	for _, alg := range algorithms() {
		s, o := pair(t, alg, 0)
		bs, covered := uint32(s.mode.block()), uint32(4)
		if s.mode.lengthApart() {
			covered = 0
		}
		for _, r := range fitting(bs, covered) {
			t.Run(name(alg)+"/"+r.name, func(t *testing.T) {
				s, o = pair(t, alg, 0)
				b := craft(s, r.length, r.padding, int(min(r.length, 1024)))
				size, err := o.Size(b[:min(len(b), o.Need())])
				want := r.kind
				if o.hides() && want == BadLength {
					// No answer before as much has come as the longest packet
					// has, and then none about the length.
					if size != o.longest() {
						t.Fatalf("a wrong length shows: Size = %d, %v", size, err)
					}
					b = append(b, make([]byte, size-len(b))...)
					want = BadMAC
				}
				if err == nil {
					_, err = o.Open(b[:size])
				}
				var e *Error
				if !errors.As(err, &e) {
					e = &Error{}
				}
				if e.Kind != want || (err != nil) != (want != 0) {
					t.Errorf("length %d, padding %d: got %v, want kind %d", r.length, r.padding, err, want)
				}
			})
		}
	}
}

func TestTryFindsThePlaceAfterAGap(t *testing.T) {
	for _, alg := range algorithms()[1:] {
		t.Run(name(alg), func(t *testing.T) {
			s, o := pair(t, alg, 5)
			var lost []byte
			for range 3 {
				lost = append(lost, seal(s, text(50))...)
			}
			gap := func(packets uint64) Skip {
				return Skip{Packets: packets, Bytes: uint64(len(lost)), Before: lost[len(lost)-100:]}
			}
			b := append(seal(s, text(60)), seal(s, text(70))...)
			before := bytes.Clone(b)
			for _, n := range []uint64{0, 1, 2, 4, 9} {
				if _, _, ok := o.Try(b, gap(n)); ok {
					t.Errorf("Try succeeds with %d packets skipped, want 3 only", n)
				}
			}
			if _, _, ok := o.Try(b, Skip{Packets: 3, Bytes: uint64(len(lost))}); ok == strings.HasSuffix(alg.Cipher, "-cbc") {
				t.Errorf("Try without the bytes in front: %v", ok)
			}
			if size, err := o.SizeAfter(b, gap(3)); err != nil || size >= len(b) || size < 60 {
				t.Errorf("SizeAfter = %d, %v", size, err)
			}
			p, size, ok := o.Try(b, gap(3))
			if !ok || !bytes.Equal(p, text(60)) {
				t.Fatal("Try does not find the packet")
			}
			if _, _, ok := o.Try(b[:size-1], gap(3)); ok {
				t.Error("Try opens a packet that is not complete")
			}
			if !bytes.Equal(b, before) || o.Seq() != 5 {
				t.Error("Try changed its input or its Opener")
			}
			o.Advance(gap(3))
			for _, n := range []int{60, 70} {
				size, err := o.Size(b)
				if err != nil {
					t.Fatal(err)
				}
				if p, err := o.Open(b[:size]); err != nil || !bytes.Equal(p, text(n)) {
					t.Fatalf("packet of %d bytes: %v", n, err)
				}
				b = b[size:]
			}
		})
	}
}

func TestSequenceWrap(t *testing.T) {
	s, o := pair(t, Algorithm{}, 1<<32-1)
	if _, err := o.Open(seal(s, text(10))); err != nil {
		t.Fatal(err)
	}
	_, err := o.Open(seal(s, text(10)))
	var e *Error
	if !errors.As(err, &e) || e.Kind != BadWrap {
		t.Errorf("after 2^32 plain packets: got %v, want a wrap error", err)
	}
	s, o = pair(t, Algorithm{Cipher: Ciphers()[2]}, 1<<32-1)
	for range 3 {
		if _, err := o.Open(seal(s, text(10))); err != nil {
			t.Errorf("wrap under keys: %v", err)
		}
	}
}

func TestDeriveKeys(t *testing.T) {
	k, h, id := []byte("K"), []byte("H"), []byte("ID")
	sum := func(parts ...string) []byte {
		d := crypto.SHA256.New()
		for _, p := range parts {
			d.Write([]byte(p))
		}
		return d.Sum(nil)
	}
	alg := Algorithm{Cipher: "chacha20-poly1305@openssh.com"}
	for dir, letters := range map[wire.Dir][2]string{wire.C2S: {"A", "C"}, wire.S2C: {"B", "D"}} {
		got, err := DeriveKeys(crypto.SHA256, k, h, id, dir, alg)
		if err != nil {
			t.Fatal(err)
		}
		k1 := sum("K", "H", letters[1], "ID")
		k2 := sum("K", "H", string(k1))
		if want := append(k1, k2...); !bytes.Equal(got.Key, want) {
			t.Errorf("%v key = %x, want %x", dir, got.Key, want)
		}
		got, err = DeriveKeys(crypto.SHA256, k, h, id, dir, Algorithm{Cipher: "aes128-gcm@openssh.com"})
		if err != nil {
			t.Fatal(err)
		}
		if want := sum("K", "H", letters[0], "ID")[:12]; !bytes.Equal(got.IV, want) {
			t.Errorf("%v IV = %x, want %x", dir, got.IV, want)
		}
	}
	for _, alg := range []Algorithm{
		{Cipher: "rot13"},
		{Cipher: "aes128-gcm@openssh.com", MAC: "hmac-md5"},
		{Cipher: "aes128-gcm@openssh.com", Compression: "zip"},
	} {
		if _, err := DeriveKeys(crypto.SHA256, k, h, id, wire.C2S, alg); err == nil {
			t.Errorf("DeriveKeys accepts %+v", alg)
		}
	}
}

// shift is a compressor for tests: it puts the length of the payload in front.
type shift struct{}

func (shift) Bound(n int) int { return n + 4 }

func (shift) Compress(dst, src []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(src))), src...)
}

func (shift) Decompress(dst, src []byte, limit int) ([]byte, error) {
	if len(src) < 4 || int(binary.BigEndian.Uint32(src)) > limit {
		return dst, errors.New("a bomb")
	}
	return append(dst, src[4:]...), nil
}

func TestCompressor(t *testing.T) {
	for _, alg := range algorithms() {
		s, o := pair(t, alg, 0)
		if _, err := o.Open(seal(s, text(20))); err != nil {
			t.Fatal(err)
		}
		s.Compress(shift{})
		o.Decompress(shift{})
		got, err := o.Open(seal(s, text(500)))
		if err != nil || !bytes.Equal(got, text(500)) {
			t.Errorf("%s: %v", name(alg), err)
		}
		s.compressor = nil
		_, err = o.Open(seal(s, []byte{255, 255, 255, 255, 1}))
		var e *Error
		if !errors.As(err, &e) || e.Kind != BadPayload {
			t.Errorf("%s: a bomb gives %v, want BadPayload", name(alg), err)
		}
	}
}

func TestPacketsAllocateNothing(t *testing.T) {
	for _, alg := range algorithms() {
		for _, n := range []int{10, 150, 1000, 32768} {
			s, o := pair(t, alg, 0)
			b := make([]byte, s.Size(n))
			got := testing.AllocsPerRun(100, func() {
				size := s.Seal(b, n)
				if _, err := o.Size(b); err != nil {
					t.Fatal(err)
				}
				if _, err := o.Open(b[:size]); err != nil {
					t.Fatal(err)
				}
			})
			if got != 0 {
				t.Errorf("%s, %d bytes: %v allocations, want 0", name(alg), n, got)
			}
		}
	}
}

func FuzzOpener(f *testing.F) {
	for i, alg := range algorithms() {
		s, _ := pair(f, alg, 1)
		f.Add(uint8(i), seal(s, text(20)))
		f.Add(uint8(i), craft(s, 12, 255, 12))
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		algs := algorithms()
		_, o := pair(t, algs[int(which)%len(algs)], 1)
		if len(b) < o.Need() {
			return
		}
		if _, size, ok := o.Try(bytes.Clone(b), Skip{}); ok && size > len(b) {
			t.Fatal("Try opened more than there is")
		}
		size, err := o.Size(b)
		if err != nil || size > len(b) {
			return
		}
		if p, err := o.Open(b[:size]); err == nil && len(p) == 0 {
			t.Fatal("empty payload")
		}
	})
}

func BenchmarkSealOpen(b *testing.B) {
	for _, alg := range algorithms() {
		for _, n := range []int{64, 1024, 32768} {
			b.Run(fmt.Sprintf("%s/%d", name(alg), n), func(b *testing.B) {
				s, o := pair(b, alg, rand.Uint32())
				buf := make([]byte, s.Size(n))
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					size := s.Seal(buf, n)
					if _, err := o.Size(buf); err != nil {
						b.Fatal(err)
					}
					if _, err := o.Open(buf[:size]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
