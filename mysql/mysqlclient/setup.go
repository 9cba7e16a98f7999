package mysqlclient

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/wire"
)

// setupSQL returns the statements that make a new session as the configuration
// wants it.
func (c *Conn) setupSQL() []string {
	var list []string
	if names := options.SetNames(c.cfg.Charsets, c.cfg.Collation); names != "" {
		list = append(list, names)
	}
	var sets []string
	if c.zone != "" {
		sets = append(sets, "time_zone = "+lexer.Quote(c.zone, 0))
	}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Vars)) {
		sets = append(sets, name+" = "+c.cfg.Vars[name])
	}
	if len(sets) > 0 {
		list = append(list, "SET "+strings.Join(sets, ", "))
	}
	return append(list, c.cfg.Init...)
}

// setup runs statements in one flight. With several character sets to try, the
// next one is tried when the server does not know the one before.
func (c *Conn) setup(list []string) error {
	if len(list) == 0 {
		return nil
	}
	err := c.exchange(queries(list)...)
	for next := 1; next < len(c.cfg.Charsets) && isCode(err, errUnknownCharset); next++ {
		list[0] = "SET NAMES " + c.cfg.Charsets[next]
		err = c.exchange(queries(list)...)
	}
	if c.cfg.ExpiredPassword && isCode(err, errMustChangePassword) {
		return nil // all but changing it will fail until then
	}
	return err
}

const (
	errUnknownCharset     = 1115 // ER_UNKNOWN_CHARACTER_SET
	errMustChangePassword = 1820 // ER_MUST_CHANGE_PASSWORD
)

func isCode(err error, code uint16) bool {
	e, ok := errors.AsType[*ServerError](err)
	return ok && e.Code == code
}

func queries(list []string) []wire.Message {
	out := make([]wire.Message, len(list))
	for i, sql := range list {
		out[i] = &mysql.Query{SQL: []byte(sql)}
	}
	return out
}

// forget drops what is known of statements whose ids the server has forgotten.
func (c *Conn) forget() {
	c.epoch++
	c.cache.clear()
	c.leftovers = c.leftovers[:0]
}
