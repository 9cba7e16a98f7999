package transfer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// tailSize is how many bytes at the end of a partial file are compared with
// the source before it is continued.
const tailSize = 64 << 10

// resumeGet finds out how much of f the local file has, and puts both offsets
// there.
func (j *job) resumeGet(ctx context.Context, f *sftpclient.File, local *os.File, src string, size int64) (int64, error) {
	i, err := local.Stat()
	if err != nil {
		return 0, err
	}
	have := i.Size()
	same, err := sameTail(local, contextReaderAt{ctx, f}, have, size)
	if err != nil {
		return 0, err
	}
	if !same {
		j.restart(src, have)
		return 0, local.Truncate(0)
	}
	if _, err := local.Seek(have, io.SeekStart); err != nil {
		return 0, err
	}
	_, err = f.Seek(have, io.SeekStart)
	return have, err
}

// resumePut finds out how much of the local file f has, and puts both offsets
// there.
func (j *job) resumePut(ctx context.Context, local *os.File, size int64, f *sftpclient.File, src string) (int64, error) {
	i, err := f.Stat(ctx)
	if err != nil {
		return 0, err
	}
	a := i.Attrs()
	if !a.Has(sftp.AttrSize) {
		return 0, f.Truncate(ctx, 0)
	}
	have := i.Size()
	same, err := sameTail(contextReaderAt{ctx, f}, local, have, size)
	if err != nil {
		return 0, err
	}
	if !same {
		j.restart(src, have)
		return 0, f.Truncate(ctx, 0)
	}
	if _, err := local.Seek(have, io.SeekStart); err != nil {
		return 0, err
	}
	_, err = f.Seek(have, io.SeekStart)
	return have, err
}

func (j *job) restart(src string, have int64) {
	if have > 0 {
		j.note(src, fmt.Sprintf("not continued: the %d bytes that are there are not its beginning", have))
	}
}

// sameTail reports whether part, which has have bytes, looks like the
// beginning of whole, which has size bytes, -1 if unknown.
func sameTail(part, whole io.ReaderAt, have, size int64) (bool, error) {
	if have == 0 || size < have {
		return have == 0, nil
	}
	n := min(have, tailSize)
	a, err := tail(part, have-n, n)
	if err != nil || a == nil {
		return false, err
	}
	b, err := tail(whole, have-n, n)
	return b != nil && bytes.Equal(a, b), err
}

// tail returns the n bytes at off, nil when the file ends before.
func tail(r io.ReaderAt, off, n int64) ([]byte, error) {
	b := make([]byte, n)
	k, err := r.ReadAt(b, off)
	switch {
	case int64(k) == n:
		return b, nil
	case err == io.EOF:
		return nil, nil
	}
	return nil, err
}

// contextReaderAt is a remote file as an [io.ReaderAt].
type contextReaderAt struct {
	ctx context.Context //nolint:containedctx // one comparison
	f   *sftpclient.File
}

func (c contextReaderAt) ReadAt(b []byte, off int64) (int, error) {
	return c.f.ReadAtContext(c.ctx, b, off)
}
