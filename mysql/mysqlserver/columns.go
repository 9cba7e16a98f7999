package mysqlserver

import (
	"hash/maphash"

	"github.com/wirelark/wirelark/mysql"
)

// maxColumns is how many columns a result set can have: what the answers to
// COM_STMT_PREPARE can count.
const maxColumns = 1<<16 - 1

// Columns begins a result set. Catalog "def" and what is left out of a column
// that follows from its Type are filled in: the collation of numbers and blobs
// and the default for texts, the length, and the flags NUM, BINARY and BLOB.
// Decimals of FLOAT and DOUBLE are 31, any number of digits, unless they are
// set; those of DATETIME, TIMESTAMP and TIME say how many digits of the
// fraction are sent. The slice may be used again when Columns has returned.
func (w *Writer) Columns(columns []mysql.Column) error {
	switch {
	case len(columns) == 0:
		return misuse("a result set has at least one column")
	case len(columns) > maxColumns:
		return Errorf(1117, "Too many columns")
	case w.sum != nil:
		return Errorf(1295, "This command is not supported in the prepared statement protocol yet")
	}
	if err := w.next(); err != nil {
		return err
	}
	w.state, w.out = inRows, false
	w.rows.begin(w.c, columns, w.binary)
	if w.gather != nil {
		w.gather.begin(columns)
	}
	return w.describe()
}

// OutParams sends the OUT parameters of a procedure as a result set of one row,
// marked as such.
func (w *Writer) OutParams(columns []mysql.Column, values []mysql.Value) error {
	gather := w.gather
	w.gather = nil // a cursor is not for these
	defer func() { w.gather = gather }()
	if err := w.Columns(columns); err != nil {
		return err
	}
	w.out = true
	if err := w.Row(values); err != nil {
		return err
	}
	return w.OK(Result{})
}

// describe sends the definitions of the columns, unless the client knows them
// or does not want them.
func (w *Writer) describe() error {
	c := w.c
	list := w.rows.columns
	known := c.noColumns
	if w.stmt != nil && c.client.Capabilities.Has(mysql.MariaDBCacheMetadata) {
		sum := c.digest(list)
		known = w.stmt.digest == sum
		w.stmt.digest = sum
	}
	m := &mysql.ColumnCount{Count: uint64(len(list)), Metadata: 1}
	if known {
		m.Metadata = 0
	}
	if err := c.append(m); err != nil {
		return err
	}
	if !known {
		for i := range list {
			if err := c.append(&list[i]); err != nil {
				return err
			}
		}
	}
	if w.gather != nil || c.client.Capabilities.Has(mysql.ClientDeprecateEOF) {
		return nil // or it is not known yet what follows
	}
	return w.endDefinitions()
}

// endDefinitions sends the EOF between definitions and rows to clients that
// want one.
func (w *Writer) endDefinitions() error {
	if w.c.client.Capabilities.Has(mysql.ClientDeprecateEOF) {
		return nil
	}
	return w.c.append(&mysql.EOF{Warnings: w.warnings, Status: w.status(ending{out: w.out}, false)})
}

// seed makes digests differ from one process to the next.
var seed = maphash.MakeSeed()

// digest returns a number that stands for the definitions; never 0.
func (c *Conn) digest(list []mysql.Column) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	var b []byte
	for i := range list {
		b, _ = mysql.Append(b[:0], &list[i], c.pc.Dialect())
		h.Write(b)
	}
	return h.Sum64() | 1
}

// SetMetadata says whether column definitions are sent, which is so at first.
// MySQL's clients turn them off with SET resultset_metadata = NONE. It does
// nothing unless the client said that it can do without
// (CLIENT_OPTIONAL_RESULTSET_METADATA).
func (c *Conn) SetMetadata(on bool) {
	c.noColumns = !on && c.client.Capabilities.Has(mysql.ClientOptionalResultsetMetadata)
}
