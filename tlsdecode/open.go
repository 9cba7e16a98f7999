package tlsdecode

import (
	"crypto/cipher"
	"crypto/hmac"
	"encoding/binary"
	"hash"
)

// opener opens the records of one direction under one key, in order.
type opener interface {
	// open returns the content of a record, which is valid until the next
	// call, and goes on to the next number. It changes nothing when the tag
	// or MAC is wrong.
	open(r record) (kind byte, content []byte, ok bool)
	// find tries the record under the number that is due and up to reach
	// further ones, and goes on to the one that fits.
	find(r record, reach uint64) bool
}

// numbered is the search that all openers have in common.
type numbered struct {
	seq uint64
	out []byte // the newest content
}

func (n *numbered) search(reach uint64, fits func(seq uint64) bool) bool {
	for i := range reach + 1 {
		if fits(n.seq + i) {
			n.seq += i
			return true
		}
	}
	return false
}

// aead13 opens records of TLS 1.3. RFC 8446 §5.2, §5.3.
type aead13 struct {
	numbered
	aead cipher.AEAD
	iv   []byte
}

func (o *aead13) try(r record, seq uint64) bool {
	var err error
	o.out, err = o.aead.Open(o.out[:0], mixed(o.iv, seq), r.body, r.head)
	return err == nil
}

func (o *aead13) find(r record, reach uint64) bool {
	return o.search(reach, func(seq uint64) bool { return o.try(r, seq) })
}

func (o *aead13) open(r record) (byte, []byte, bool) {
	if r.kind != applicationData || !o.try(r, o.seq) {
		return 0, nil, false
	}
	o.seq++
	// The type is the last byte that is not padding.
	for i := len(o.out) - 1; i >= 0; i-- {
		if o.out[i] != 0 {
			return o.out[i], o.out[:i], true
		}
	}
	return alert, nil, true // nothing but padding: broken by its sender
}

// mixed is the nonce for a number: the IV with the number in its last bytes.
func mixed(iv []byte, seq uint64) []byte {
	nonce := append([]byte(nil), iv...)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^seq)
	return nonce
}

// additional are the data that TLS 1.2 authenticates beside a content of n
// bytes. RFC 5246 §6.2.3.3.
func additional(r record, seq uint64, n int) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 13), seq)
	b = append(b, r.head[:3]...)
	return binary.BigEndian.AppendUint16(b, uint16(n))
}

// aead12 opens records of TLS 1.2 with AES-GCM (RFC 5288), whose nonces stand
// in the records, and ChaCha20-Poly1305 (RFC 7905), whose do not.
type aead12 struct {
	numbered
	aead     cipher.AEAD
	iv       []byte
	explicit bool
}

func (o *aead12) try(r record, seq uint64) bool {
	body := r.body
	var nonce []byte
	if o.explicit {
		if len(body) < 8 {
			return false
		}
		nonce, body = append(append([]byte(nil), o.iv...), body[:8]...), body[8:]
	} else {
		nonce = mixed(o.iv, seq)
	}
	n := len(body) - o.aead.Overhead()
	if n < 0 {
		return false
	}
	var err error
	o.out, err = o.aead.Open(o.out[:0], nonce, body, additional(r, seq, n))
	return err == nil
}

func (o *aead12) find(r record, reach uint64) bool {
	return o.search(reach, func(seq uint64) bool { return o.try(r, seq) })
}

func (o *aead12) open(r record) (byte, []byte, bool) {
	if !o.try(r, o.seq) {
		return 0, nil, false
	}
	o.seq++
	return r.kind, o.out, true
}

// cbc12 opens records of TLS 1.2 with AES-CBC and HMAC: RFC 5246 §6.2.3.2, and
// RFC 7366 where the MAC is that of the ciphertext. Nobody waits for its
// verdict, so its time need not be constant.
type cbc12 struct {
	numbered
	block        cipher.Block
	mac          hash.Hash
	encryptFirst bool
}

func (o *cbc12) try(r record, seq uint64) bool {
	size, body := o.mac.Size(), r.body
	if o.encryptFirst {
		if len(body) < size {
			return false
		}
		tag := body[len(body)-size:]
		body = body[:len(body)-size]
		if !o.authentic(additional(r, seq, len(body)), body, tag) {
			return false
		}
	}
	step := o.block.BlockSize()
	if len(body) < 2*step || len(body)%step != 0 {
		return false
	}
	o.out = append(o.out[:0], body[step:]...)
	cipher.NewCBCDecrypter(o.block, body[:step]).CryptBlocks(o.out, o.out)
	end := len(o.out) - int(o.out[len(o.out)-1]) - 1
	if o.encryptFirst {
		if end < 0 {
			return false
		}
		o.out = o.out[:end]
		return true
	}
	if end < size {
		return false
	}
	content, tag := o.out[:end-size], o.out[end-size:end]
	if !o.authentic(additional(r, seq, len(content)), content, tag) {
		return false
	}
	o.out = content
	return true
}

func (o *cbc12) authentic(head, body, tag []byte) bool {
	o.mac.Reset()
	o.mac.Write(head)
	o.mac.Write(body)
	return hmac.Equal(o.mac.Sum(nil), tag)
}

func (o *cbc12) find(r record, reach uint64) bool {
	return o.search(reach, func(seq uint64) bool { return o.try(r, seq) })
}

func (o *cbc12) open(r record) (byte, []byte, bool) {
	if !o.try(r, o.seq) {
		return 0, nil, false
	}
	o.seq++
	return r.kind, o.out, true
}
