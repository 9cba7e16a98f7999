package packet

import "github.com/wirelark/wirelark/trace"

// StartCompression puts all further bytes of both directions into compressed
// frames. Both sides call it behind the OK that ends the login, when nothing
// waits to be flushed. level is the algorithm's own; 0 is its default.
// Algorithms other than Zlib and Zstd, and levels that they lack, are errors.
func (c *Conn) StartCompression(a Compression, level int) error {
	inflate, err := newInflater(a)
	if err != nil {
		return err
	}
	deflate, err := newDeflater(a, level)
	if err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return err
	}
	c.in.inflate, c.out.deflate = inflate, deflate
	c.in.frameSeq, c.out.frameSeq = 0, 0
	c.in.raw, c.in.plain = c.in.plain, buffer{} // what has come too early is a frame already
	return nil
}

// frame is a compressed frame being read.
type frame struct {
	opened bool // its header has been read
	length int  // bytes on the wire behind the header
	plain  int  // bytes of content; 0: stored
}

// fillFrame waits for a whole compressed frame and adds its content to the
// plain bytes.
func (c *Conn) fillFrame() error {
	in := &c.in
	for !in.frame.opened || in.raw.size() < in.frame.length {
		need := CompressedHeaderSize
		if in.frame.opened {
			need = in.frame.length
		}
		if in.raw.size() < need {
			n, err := c.receive(in.raw.room(need, true))
			in.raw.got(n)
			if err != nil {
				return err
			}
			continue
		}
		if err := c.openFrame(); err != nil {
			in.ended = err
			return err
		}
	}
	if err := in.unpack(); err != nil {
		in.ended = err
		return err
	}
	return nil
}

// openFrame takes the header of a compressed frame from the raw bytes.
//
// A client does not judge the number: the servers' own clients do not either,
// and a server that gives up in the middle of a command goes on with a number
// of its own choice. A server does.
func (c *Conn) openFrame() error {
	in := &c.in
	h := in.raw.data()
	in.frame = frame{opened: true, length: int(h[0]) | int(h[1])<<8 | int(h[2])<<16, plain: int(h[4]) | int(h[5])<<8 | int(h[6])<<16}
	number := h[3]
	if c.role == trace.Server && number != in.frameSeq && number != 0 {
		return &SequenceError{Got: number, Want: in.frameSeq, Compressed: true}
	}
	in.frameSeq = number + 1
	if !c.apart {
		c.out.frameSeq = in.frameSeq
	}
	in.raw.r += CompressedHeaderSize
	return in.frame.check(in.inflate)
}

// check refuses what no compressor makes, before memory is taken for it.
func (f frame) check(codec *inflater) error {
	switch {
	case f.plain == 0:
	case f.length == 0:
		return &FrameError{Reason: "content without bytes"}
	case f.plain > f.length*codec.most():
		return &FrameError{Reason: "more content than its bytes can hold"}
	}
	return nil
}

// unpack moves the content of the frame, which is in raw as a whole, to the
// plain bytes.
func (in *input) unpack() error {
	f := in.frame
	src := in.raw.b[in.raw.r : in.raw.r+f.length]
	in.frame = frame{}
	in.raw.r += f.length
	if f.plain == 0 {
		in.plain.reserve(f.length)
		in.plain.w += copy(in.plain.b[in.plain.w:], src)
		return nil
	}
	in.plain.reserve(f.plain)
	if err := in.inflate.inflate(in.plain.b[in.plain.w:in.plain.w+f.plain], src); err != nil {
		return &FrameError{Reason: "broken content", Err: err}
	}
	in.plain.w += f.plain
	return nil
}

// cut notes that a command begins here: servers that take commands one by one
// out of frames want a frame of its own, number 0, for each.
func (o *output) cut() {
	switch {
	case len(o.buf) == 0:
		o.frameSeq = 0
	case o.deflate != nil:
		o.cuts = append(o.cuts, len(o.buf))
	}
}

// frames returns the output as compressed frames.
func (c *Conn) frames() []byte {
	o := &c.out
	o.raw = o.raw[:0]
	cuts := o.cuts
	for from := 0; ; {
		for len(cuts) > 0 && cuts[0] <= from {
			o.frameSeq, cuts = 0, cuts[1:]
		}
		if from == len(o.buf) {
			break
		}
		to := min(len(o.buf), from+maxFramePlain)
		if len(cuts) > 0 {
			to = min(to, cuts[0])
		}
		o.raw = o.deflate.frame(o.raw, o.buf[from:to], o.frameSeq)
		o.frameSeq++
		from = to
	}
	if !c.apart {
		c.in.frameSeq = o.frameSeq
	}
	return o.raw
}
