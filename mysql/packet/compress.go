package packet

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A Compression is an algorithm for the frames around packets.
type Compression uint8

// The algorithms. MariaDB has zlib only.
const (
	NoCompression Compression = iota
	Zlib
	Zstd
)

// String returns the name that servers use in protocol_compression_algorithms.
func (a Compression) String() string {
	switch a {
	case NoCompression:
		return "uncompressed"
	case Zlib:
		return "zlib"
	case Zstd:
		return "zstd"
	}
	return fmt.Sprintf("Compression(%d)", uint8(a))
}

const (
	// DefaultZstdLevel is what clients ask for when nobody says more.
	DefaultZstdLevel = 3

	// minCompressed is the size below which a payload is stored as it is: the
	// clients and servers of both makers use it.
	minCompressed = 50

	// maxFramePlain is how much one of our frames holds: as much as any frame
	// may, compressors gain nothing beyond a part of it, and the peer need not
	// have 16 MiB for it.
	maxFramePlain = 1 << 20

	// zstdWindow bounds the memory of either side of zstd: no frame is longer.
	zstdWindow = 16 << 20
)

// What the algorithms work with is large, 40 KiB to 1 MiB, and needed for the
// moment of a frame only, so connections share it.
var (
	zlibReaders  sync.Pool     // of *zlibReader
	zlibWriters  [11]sync.Pool // of *zlibWriter, by level + 1
	zstdDecoders sync.Pool     // of *zstd.Decoder
	zstdEncoders [5]sync.Pool  // of *zstd.Encoder, by zstd.EncoderLevel
)

// inflater undoes the compression of frames.
type inflater struct{ zstd bool }

type zlibReader struct {
	src  bytes.Reader
	zlib io.ReadCloser // made with the first frame
}

func newInflater(a Compression) (*inflater, error) {
	if a != Zlib && a != Zstd {
		return nil, fmt.Errorf("no such compression: %v", a)
	}
	return &inflater{zstd: a == Zstd}, nil
}

var errSize = errors.New("the content has not the size that its header says")

// inflate decompresses src, which must yield exactly len(dst) bytes, into dst.
// It writes nothing behind it.
func (f *inflater) inflate(dst, src []byte) error {
	if f.zstd {
		return inflateZstd(dst, src)
	}
	r, ok := zlibReaders.Get().(*zlibReader)
	if !ok {
		r = new(zlibReader)
	}
	err := r.inflate(dst, src)
	r.src.Reset(nil)
	zlibReaders.Put(r)
	return err
}

func inflateZstd(dst, src []byte) error {
	d, ok := zstdDecoders.Get().(*zstd.Decoder)
	if !ok {
		var err error
		d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(zstdWindow), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return err
		}
	}
	out, err := d.DecodeAll(src, dst[:0:len(dst)])
	zstdDecoders.Put(d)
	switch {
	case err != nil:
		return err
	case len(out) != len(dst):
		return errSize
	}
	return nil
}

func (r *zlibReader) inflate(dst, src []byte) error {
	r.src.Reset(src)
	if r.zlib == nil {
		z, err := zlib.NewReader(&r.src)
		if err != nil {
			return err
		}
		r.zlib = z
	} else if err := r.zlib.(zlib.Resetter).Reset(&r.src, nil); err != nil {
		return err
	}
	if _, err := io.ReadFull(r.zlib, dst); err != nil {
		return err
	}
	var extra [1]byte
	switch n, err := r.zlib.Read(extra[:]); {
	case n > 0:
		return errSize
	case err != io.EOF: // io.EOF: the checksum has been compared
		return err
	}
	return nil
}

// most returns how many bytes one compressed byte can stand for.
func (f *inflater) most() int {
	if f.zstd {
		return 128 << 10 / 4 // a block of one byte repeated has four
	}
	return 1032 // matches of 258 bytes in two bits each
}

// deflater compresses frames.
type deflater struct {
	zlib int               // level, when zstd is 0
	zstd zstd.EncoderLevel // 0: zlib
}

type zlibWriter struct {
	dst  bytes.Buffer
	zlib *zlib.Writer
}

func newDeflater(a Compression, level int) (*deflater, error) {
	switch {
	case a == Zlib && level == 0:
		return &deflater{zlib: zlib.DefaultCompression}, nil
	case a == Zlib && (level < zlib.DefaultCompression || level > zlib.BestCompression):
		return nil, fmt.Errorf("zlib has no level %d", level)
	case a == Zlib:
		return &deflater{zlib: level}, nil
	case a == Zstd && level == 0:
		level = DefaultZstdLevel
	case a != Zstd:
		return nil, fmt.Errorf("no such compression: %v", a)
	}
	return &deflater{zstd: zstd.EncoderLevelFromZstd(level)}, nil
}

// frame appends the compressed frame of plain, at most maxFramePlain bytes, to
// dst. What does not become shorter is stored as it is, with plain length 0.
func (f *deflater) frame(dst, plain []byte, number uint8) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0)
	stored := len(plain) < minCompressed
	if !stored {
		dst = f.compress(dst, plain)
		stored = len(dst)-at-CompressedHeaderSize >= len(plain)
	}
	declared := len(plain)
	if stored {
		dst = append(dst[:at+CompressedHeaderSize], plain...)
		declared = 0
	}
	putHeader(dst[at:], len(dst)-at-CompressedHeaderSize, number)
	dst[at+4], dst[at+5], dst[at+6] = byte(declared), byte(declared>>8), byte(declared>>16)
	return dst
}

// compress appends the compressed form of plain to dst.
func (f *deflater) compress(dst, plain []byte) []byte {
	if f.zstd != 0 {
		pool := &zstdEncoders[f.zstd]
		e, ok := pool.Get().(*zstd.Encoder)
		if !ok {
			var err error
			e, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
				zstd.WithEncoderLevel(f.zstd), zstd.WithWindowSize(maxFramePlain))
			if err != nil {
				panic("internal error: " + err.Error()) // the options are constants
			}
		}
		dst = e.EncodeAll(plain, dst)
		pool.Put(e)
		return dst
	}
	pool := &zlibWriters[f.zlib+1]
	w, ok := pool.Get().(*zlibWriter)
	if !ok {
		w = new(zlibWriter)
		var err error
		if w.zlib, err = zlib.NewWriterLevel(&w.dst, f.zlib); err != nil {
			panic("internal error: " + err.Error()) // the level was checked
		}
	}
	w.dst.Reset()
	w.zlib.Reset(&w.dst)
	_, _ = w.zlib.Write(plain) // into memory: no errors
	_ = w.zlib.Close()
	dst = append(dst, w.dst.Bytes()...)
	if w.dst.Cap() > largeBuffer {
		w.dst = bytes.Buffer{}
	}
	pool.Put(w)
	return dst
}
