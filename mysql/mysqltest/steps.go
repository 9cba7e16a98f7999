package mysqltest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/wire"
)

// What the greetings of servers offer.
const (
	// Plain is a server that can do little more than it must.
	Plain = mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection |
		mysql.ClientTransactions | mysql.ClientConnectWithDB | mysql.ClientPluginAuth |
		mysql.ClientPluginAuthLenencClientData | mysql.ClientMultiResults | mysql.ClientPSMultiResults

	// Modern is a MySQL server that can do everything but TLS and compression.
	Modern = Plain | mysql.ClientLongFlag | mysql.ClientLocalFiles | mysql.ClientMultiStatements |
		mysql.ClientConnectAttrs | mysql.ClientSessionTrack | mysql.ClientDeprecateEOF |
		mysql.ClientOptionalResultsetMetadata | mysql.ClientQueryAttributes |
		mysql.ClientMultiFactorAuthentication

	// MariaDB is a MariaDB server that can do everything but TLS and
	// compression.
	MariaDB = Modern&^(mysql.ClientLongPassword|mysql.ClientOptionalResultsetMetadata|mysql.ClientQueryAttributes|
		mysql.ClientMultiFactorAuthentication) | mysql.MariaDBProgress | mysql.MariaDBBulkOperations |
		mysql.MariaDBExtendedMetadata | mysql.MariaDBCacheMetadata
)

// Nonce is that of the greetings that [Greeting] makes.
const Nonce = "abcdefghijklmnopqrst"

// Greeting returns a greeting that offers caps and names mysql_native_password.
func Greeting(caps mysql.Capabilities) *mysql.HandshakeV10 {
	g := &mysql.HandshakeV10{
		ServerVersion: "8.4.0-evil", ConnectionID: 1, AuthData: []byte(Nonce), Capabilities: caps,
		Collation: 45, Status: mysql.StatusAutocommit, AuthPlugin: auth.Native,
	}
	if caps.MariaDB() {
		g.ServerVersion = "11.4.0-MariaDB-evil"
	}
	return g
}

// LogIn greets with what [Greeting] makes of caps, and lets everybody in.
func LogIn(caps mysql.Capabilities) Step {
	return Do("LogIn", func(p *Peer) error {
		for _, s := range []Step{Send(Greeting(caps)), Expect(&mysql.HandshakeResponse41{}), Send(&mysql.OK{Status: mysql.StatusAutocommit})} {
			if err := s.run(p); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		return nil
	})
}

// Send sends messages, each in a packet with the next number, in one write.
func Send(list ...wire.Message) Step {
	name := "Send"
	for _, m := range list {
		name += " " + mysql.Messages.Name(m)
	}
	return Do(name, func(p *Peer) error { return p.Send(list...) })
}

// Expect reads the next packet, which must be the message want: of the same
// kind and, unless want is the zero message, the same in every byte.
func Expect(want wire.Message) Step {
	name := mysql.Messages.Name(want)
	return Do("Expect "+name, func(p *Peer) error {
		got, entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("the client has left")
		}
		if err != nil {
			return err
		}
		if entry == nil || entry.Name != name {
			return fmt.Errorf("got %s: %+v", mysql.Messages.Name(got), got)
		}
		if reflect.ValueOf(want).Elem().IsZero() {
			return nil
		}
		a, err := mysql.Append(nil, got, p.flow.Dialect())
		if err != nil {
			return err
		}
		b, err := mysql.Append(nil, want, p.flow.Dialect())
		if err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			return fmt.Errorf("got %q, want %q", a, b)
		}
		return nil
	})
}

// Query expects a COM_QUERY of this text.
func Query(sql string) Step { return Expect(&mysql.Query{SQL: []byte(sql)}) }

// Payload sends a packet of any content with the next number.
func Payload(b ...byte) Step {
	return Do("Payload", func(p *Peer) error {
		p.pc.AppendPayload(b)
		_ = p.pc.Flush()
		return nil
	})
}

// Raw writes bytes as they are: packets with their headers, or what pretends
// to be some. Under TLS and compression it writes beside them.
func Raw(b []byte) Step {
	return Do("Raw", func(p *Peer) error {
		_, _ = p.nc.Write(b)
		return nil
	})
}

// Packet returns a packet with its header, for [Raw]. The length in the header
// is as told, whatever the payload's is.
func Packet(length int, number uint8, payload ...byte) []byte {
	return append([]byte{byte(length), byte(length >> 8), byte(length >> 16), number}, payload...)
}

// Bytes returns the packets of messages as Send would write them, the first
// one with this number, in a dialect in which both ends can do caps.
func Bytes(caps mysql.Capabilities, number uint8, list ...wire.Message) []byte {
	var b []byte
	for _, m := range list {
		payload, err := mysql.Append(nil, m, mysql.NewDialect(caps))
		if err != nil {
			panic(fmt.Sprintf("mysqltest: %v", err)) // a mistake in the test
		}
		b = append(b, Packet(len(payload), number, payload...)...)
		number++
	}
	return b
}

// CutAfter sends the first n bytes of what Send would send, and closes the
// connection. With fewer bytes than that it sends them all.
func CutAfter(n int, list ...wire.Message) Step {
	return Do("CutAfter", func(p *Peer) error {
		var b []byte
		number := p.pc.Sequence()
		for _, m := range list {
			payload, err := mysql.Append(nil, m, p.pc.Dialect())
			if err != nil {
				return err
			}
			b = append(b, Packet(len(payload), number, payload...)...)
			number++
		}
		_, _ = p.nc.Write(b[:min(n, len(b))])
		return p.nc.Close()
	})
}

// Wait waits for d, or until the client has left.
func Wait(d time.Duration) Step {
	return Do("Wait", func(p *Peer) error {
		_ = p.nc.SetReadDeadline(time.Now().Add(d))
		defer p.nc.SetReadDeadline(time.Time{})
		return silence(p)
	})
}

// Hang says nothing more and reads nothing more until the client has left.
func Hang() Step { return Do("Hang", silence) }

// silence waits for the end of the connection or the deadline of the peer's
// reads. What comes is kept for the next step.
func silence(p *Peer) error {
	s := p.nc.(*end).in
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended && !s.refused && !s.read.passed() {
		s.cond.Wait()
	}
	return nil
}

// Close closes the connection.
func Close() Step { return Do("Close", func(p *Peer) error { return p.nc.Close() }) }

// StartTLS puts TLS around everything from here on, after an
// [mysql.SSLRequest].
func StartTLS(cfg *tls.Config) Step {
	return Do("StartTLS", func(p *Peer) error { return p.pc.StartTLS(context.Background(), cfg) })
}

// Compress puts compression around everything from here on.
func Compress(a packet.Compression) Step {
	return Do("Compress", func(p *Peer) error { return p.pc.StartCompression(a, 0) })
}

// Repeat runs steps n times.
func Repeat(n int, steps ...Step) Step {
	return Do("Repeat", func(p *Peer) error {
		for range n {
			for i, s := range steps {
				if err := s.run(p); err != nil {
					return fmt.Errorf("step %d, %s: %w", i+1, s.name, err)
				}
			}
		}
		return nil
	})
}
