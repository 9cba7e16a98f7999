package wire

import (
	"fmt"
	"iter"
	"reflect"
)

// From says who sends a message.
type From uint8

const (
	FromEither From = iota
	FromClient
	FromServer
)

// Allows reports whether a message from f may travel in direction d.
func (f From) Allows(d Dir) bool {
	return f == FromEither || (f == FromClient) == (d == C2S)
}

// An Entry is what a registry knows about one message.
type Entry struct {
	Number  uint8          // the first byte of the packet, unless Bare
	Context string         // which meaning of Number this is; empty: the only one
	Bare    bool           // packets have no number: the fields begin with the first byte, Context alone finds the entry
	Name    string         // the specification's own name, as SSH_FXP_WRITE
	From    From           // who sends it
	Section string         // where it is specified, as "RFC 4253 §7.1"
	New     func() Message // an empty message; may be a closure
}

// Described is implemented by messages whose Go type does not tell which
// message they are, such as those built from a description in a file.
type Described interface {
	Message
	WireEntry() *Entry
}

// New is the usual constructor for an [Entry]: New: wire.New[Write].
func New[T any, P interface {
	*T
	Message
}]() Message {
	return P(new(T))
}

// Registry maps numbers in a context to messages and messages to their
// numbers. It does not change after it was made and may be shared.
type Registry struct {
	proto   string
	entries []Entry
	plain   [256]*Entry
	context map[key]*Entry
	types   map[reflect.Type]*Entry
}

type key struct {
	context string
	number  uint8
}

// NewRegistry makes a registry of the protocol's messages. It panics when two
// entries have the same number in the same context: that is a bug in a table.
// A message type that appears in several entries must implement [Described].
func NewRegistry(proto string, entries ...Entry) *Registry {
	r := &Registry{
		proto:   proto,
		entries: entries,
		context: make(map[key]*Entry),
		types:   make(map[reflect.Type]*Entry),
	}
	for i := range entries {
		e := &entries[i]
		k := key{e.Context, e.Number}
		if r.context[k] != nil {
			panic(fmt.Sprintf("internal error: %s %d %q is registered twice", proto, e.Number, e.Context))
		}
		r.context[k] = e
		if e.Context == "" {
			r.plain[e.Number] = e
		}
		m := e.New()
		if _, ok := m.(Described); !ok {
			t := reflect.TypeOf(m)
			if r.types[t] != nil {
				panic(fmt.Sprintf("internal error: %s %s and %s share a type", proto, r.types[t].Name, e.Name))
			}
			r.types[t] = e
		}
	}
	return r
}

// Proto returns the name of the protocol in lower case.
func (r *Registry) Proto() string { return r.proto }

// All yields the entries in the order of the table.
func (r *Registry) All() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		for i := range r.entries {
			if !yield(&r.entries[i]) {
				return
			}
		}
	}
}

// Find returns the entry for a number in a context, or nil. An entry without
// context is found in every context that has none of its own.
func (r *Registry) Find(context string, number uint8) *Entry {
	if context != "" {
		if e := r.context[key{context, number}]; e != nil {
			return e
		}
	}
	return r.plain[number]
}

// Entry returns the entry of a message, or nil when it is not registered.
func (r *Registry) Entry(m Message) *Entry {
	if d, ok := m.(Described); ok {
		return d.WireEntry()
	}
	return r.types[reflect.TypeOf(m)]
}

// Name returns the specification's name of a message.
func (r *Registry) Name(m Message) string {
	if e := r.Entry(m); e != nil {
		return e.Name
	}
	return messageName(m)
}

// Append appends the packet of m, its number and then its fields, to dst.
func (r *Registry) Append(dst []byte, m Message, d Dialect) ([]byte, error) {
	e := r.Entry(m)
	if e == nil {
		panic(fmt.Sprintf("internal error: %T is not in the %s registry", m, r.proto))
	}
	head := dst
	if !e.Bare {
		head = append(dst, e.Number)
	}
	out, err := Append(head, m, d)
	if err != nil {
		return dst, r.named(m, err)
	}
	return out, nil
}

// body returns packet behind its number, of which m has one or, being bare,
// none, and the length of the number.
func (r *Registry) body(packet []byte, m Message) ([]byte, int, error) {
	if e := r.Entry(m); e != nil && e.Bare {
		return packet, 0, nil
	}
	if len(packet) == 0 {
		return nil, 0, &Error{Message: r.proto + " packet", Field: "number", Err: ErrShort}
	}
	return packet[1:], 1, nil
}

// Parse decodes packet, which begins with its number unless the message is
// bare, into m. Bytes left over are an error that wraps [ErrExcess]; m is
// complete then.
func (r *Registry) Parse(packet []byte, m Message, d Dialect) error {
	body, _, err := r.body(packet, m)
	if err != nil {
		return err
	}
	return r.named(m, Parse(body, m, d))
}

// ParsePrefix decodes packet as [Registry.Parse] does and returns the number
// of bytes read, for protocols that ignore what stands behind the last field.
func (r *Registry) ParsePrefix(packet []byte, m Message, d Dialect) (int, error) {
	body, head, err := r.body(packet, m)
	if err != nil {
		return 0, err
	}
	n, err := ParsePrefix(body, m, d)
	return n + head, r.named(m, err)
}

// Describe decodes packet as [Registry.Parse] does and returns its fields;
// unless the message is bare, the first is "number". See the function
// [Describe].
func (r *Registry) Describe(packet []byte, m Message, d Dialect) ([]Field, error) {
	body, head, err := r.body(packet, m)
	if err != nil {
		return nil, err
	}
	fields, err := Describe(body, m, d)
	if head == 0 {
		return fields, r.named(m, err)
	}
	shift(fields, 8)
	out := make([]Field, 0, len(fields)+1)
	out = append(out, Field{Name: "number", Bits: 8, Value: packet[0]})
	return append(out, fields...), r.named(m, err)
}

func shift(fields []Field, bits int) {
	for i := range fields {
		fields[i].Off += bits
		shift(fields[i].Kids, bits)
	}
}

// named gives err the registry's name of the message.
func (r *Registry) named(m Message, err error) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // made by this package, never wrapped here
		e.Message = r.Name(m)
	}
	return err
}
