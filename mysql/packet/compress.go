package packet

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

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

// inflater undoes the compression of frames.
type inflater struct {
	src  bytes.Reader
	zlib io.ReadCloser // made with the first frame
	zstd *zstd.Decoder
}

func newInflater(a Compression) (*inflater, error) {
	switch a {
	case Zlib:
		return new(inflater), nil
	case Zstd:
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(zstdWindow), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecodeAllCapLimit(true))
		return &inflater{zstd: d}, err
	}
	return nil, fmt.Errorf("no such compression: %v", a)
}

var errSize = errors.New("the content has not the size that its header says")

// inflate decompresses src, which must yield exactly len(dst) bytes, into dst.
// It writes nothing behind it.
func (f *inflater) inflate(dst, src []byte) error {
	if f.zstd != nil {
		out, err := f.zstd.DecodeAll(src, dst[:0:len(dst)])
		switch {
		case err != nil:
			return err
		case len(out) != len(dst):
			return errSize
		}
		return nil
	}
	f.src.Reset(src)
	if f.zlib == nil {
		z, err := zlib.NewReader(&f.src)
		if err != nil {
			return err
		}
		f.zlib = z
	} else if err := f.zlib.(zlib.Resetter).Reset(&f.src, nil); err != nil {
		return err
	}
	if _, err := io.ReadFull(f.zlib, dst); err != nil {
		return err
	}
	var extra [1]byte
	switch n, err := f.zlib.Read(extra[:]); {
	case n > 0:
		return errSize
	case err != io.EOF: // io.EOF: the checksum has been compared
		return err
	}
	return nil
}

// most returns how many bytes one compressed byte can stand for.
func (f *inflater) most() int {
	if f.zstd != nil {
		return 128 << 10 / 4 // a block of one byte repeated has four
	}
	return 1032 // matches of 258 bytes in two bits each
}

// deflater compresses frames.
type deflater struct {
	dst  bytes.Buffer
	zlib *zlib.Writer
	zstd *zstd.Encoder
}

func newDeflater(a Compression, level int) (*deflater, error) {
	switch a {
	case Zlib:
		if level == 0 {
			level = zlib.DefaultCompression
		}
		f := new(deflater)
		z, err := zlib.NewWriterLevel(&f.dst, level)
		f.zlib = z
		return f, err
	case Zstd:
		if level == 0 {
			level = DefaultZstdLevel
		}
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithWindowSize(maxFramePlain))
		return &deflater{zstd: e}, err
	}
	return nil, fmt.Errorf("no such compression: %v", a)
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

func (f *deflater) compress(dst, plain []byte) []byte {
	if f.zstd != nil {
		return f.zstd.EncodeAll(plain, dst)
	}
	f.dst.Reset()
	f.zlib.Reset(&f.dst)
	_, _ = f.zlib.Write(plain) // into memory: no errors
	_ = f.zlib.Close()
	dst = append(dst, f.dst.Bytes()...)
	if f.dst.Cap() > largeBuffer {
		f.dst = bytes.Buffer{}
	}
	return dst
}
