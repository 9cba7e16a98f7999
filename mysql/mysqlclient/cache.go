package mysqlclient

import (
	"container/list"

	"github.com/wirelark/wirelark/mysql"
)

// prepared is a statement that the server knows by a number.
type prepared struct {
	sql     string
	id      uint32
	epoch   int // of the connection when it was prepared; the id is dead in a later one
	params  int
	columns []mysql.Column   // as the server described them last
	decoder *mysql.BinaryRow // for columns; nil: not made yet
}

// setColumns takes newer definitions. Those of the preparation may be wrong.
func (p *prepared) setColumns(columns []mysql.Column) { p.columns, p.decoder = columns, nil }

// row returns a decoder for rows of the statement, the same one as long as its
// columns do not change.
func (p *prepared) row() *mysql.BinaryRow {
	if p.decoder == nil {
		p.decoder = mysql.NewBinaryRow(p.columns)
	}
	return p.decoder
}

// cache keeps the statements of queries with arguments, those used last.
type cache struct {
	size  int // negative: none
	byAge *list.List
	bySQL map[string]*list.Element // of *prepared
}

func newCache(size int) *cache {
	return &cache{size: size, byAge: list.New(), bySQL: map[string]*list.Element{}}
}

// get returns the statement for sql and makes it the youngest; nil: it is not
// there.
func (c *cache) get(sql string) *prepared {
	e := c.bySQL[sql]
	if e == nil {
		return nil
	}
	c.byAge.MoveToFront(e)
	return e.Value.(*prepared)
}

// add puts a statement into the cache and returns the one that has to leave for
// it, which may be the same; nil: none has.
func (c *cache) add(p *prepared) *prepared {
	if c.size < 0 {
		return p
	}
	old := c.remove(p.sql)
	c.bySQL[p.sql] = c.byAge.PushFront(p)
	if old != nil || c.byAge.Len() <= c.size {
		return old
	}
	return c.remove(c.byAge.Back().Value.(*prepared).sql)
}

// remove takes the statement for sql out and returns it, or nil.
func (c *cache) remove(sql string) *prepared {
	e := c.bySQL[sql]
	if e == nil {
		return nil
	}
	delete(c.bySQL, sql)
	return c.byAge.Remove(e).(*prepared)
}

func (c *cache) clear() {
	c.byAge.Init()
	clear(c.bySQL)
}
