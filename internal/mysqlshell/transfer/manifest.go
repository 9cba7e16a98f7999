package transfer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Manifest describes the export of a table: DIR/TABLE.json.
type Manifest struct {
	ID       string   `json:"id"` // of this export; an import remembers it
	Database string   `json:"database"`
	Table    string   `json:"table"`
	Format   string   `json:"format"`
	Where    string   `json:"where,omitempty"`
	Key      string   `json:"key,omitempty"` // the ranges are of this column
	Columns  []Column `json:"columns"`
	Chunks   []Chunk  `json:"chunks"`
}

// Column is a column that is exported.
type Column struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // text, hex (bytes as hexadecimal digits), bit (the same, of a number)
}

// Chunk is a range of keys and the file for it. From is in it, Below is not;
// empty means that there is no bound.
type Chunk struct {
	File  string `json:"file"`
	From  string `json:"from,omitempty"`
	Below string `json:"below,omitempty"`
}

// maxChunks bounds the files of a table.
const maxChunks = 10_000

// describe asks the server what a table is like and divides its keys into
// ranges of about rows each.
func describe(ctx context.Context, c *mysqlclient.Conn, database, table string, rows int64) (*Manifest, error) {
	m := &Manifest{ID: rand.Text(), Database: database, Table: table}
	found, err := c.Query(ctx, fmt.Sprintf("SELECT column_name, data_type, column_key, extra FROM information_schema.columns"+
		" WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position", quote(database), quote(table)))
	if err != nil {
		return nil, err
	}
	keys, integer := 0, false
	for found.Next() {
		name, kind := found.String(0), strings.ToLower(found.String(1))
		if strings.Contains(strings.ToUpper(found.String(3)), "GENERATED") && !strings.Contains(strings.ToUpper(found.String(3)), "DEFAULT_GENERATED") {
			continue // the server makes it itself
		}
		m.Columns = append(m.Columns, Column{Name: name, Kind: kindOf(kind)})
		if found.String(2) == "PRI" {
			keys++
			m.Key, integer = name, strings.HasSuffix(kind, "int") || kind == "integer"
		}
	}
	if err := found.Close(); err != nil {
		return nil, err
	}
	if len(m.Columns) == 0 {
		return nil, fmt.Errorf("there is no such table in %s: %w", database, fs.ErrNotExist)
	}
	if keys != 1 || !integer {
		m.Key = ""
	}
	return m, m.divide(ctx, c, rows)
}

func kindOf(dataType string) string {
	switch {
	case dataType == "bit":
		return "bit"
	case strings.HasSuffix(dataType, "binary"), strings.HasSuffix(dataType, "blob"), dataType == "vector":
		return "hex"
	}
	for _, g := range []string{"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"} {
		if dataType == g {
			return "hex"
		}
	}
	return "text"
}

// divide makes the ranges.
func (m *Manifest) divide(ctx context.Context, c *mysqlclient.Conn, rows int64) error {
	whole := []Chunk{{File: m.file(1)}}
	m.Chunks = whole
	if m.Key == "" {
		return nil
	}
	var low, high, about string
	for sql, to := range map[string]*string{
		"SELECT MIN(" + ident(m.Key) + ") FROM " + ident(m.Database, m.Table):                                                                          &low,
		"SELECT MAX(" + ident(m.Key) + ") FROM " + ident(m.Database, m.Table):                                                                          &high,
		fmt.Sprintf("SELECT table_rows FROM information_schema.tables WHERE table_schema = %s AND table_name = %s", quote(m.Database), quote(m.Table)): &about,
	} {
		all, err := names(ctx, c, sql)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			*to = all[0]
		}
	}
	from, ok1 := new(big.Int).SetString(low, 10)
	to, ok2 := new(big.Int).SetString(high, 10)
	if !ok1 || !ok2 {
		return nil // no rows
	}
	m.Chunks = split(m.file, from, to, chunksOf(from, to, about, rows))
	return nil
}

// chunksOf decides on the number of ranges: by how many keys there may be, and
// not by more than a few times what the server believes to have.
func chunksOf(from, to *big.Int, about string, rows int64) int64 {
	span := new(big.Int).Sub(to, from)
	n := span.Div(span, big.NewInt(rows))
	count := int64(maxChunks)
	if n.IsInt64() {
		count = min(count, n.Int64()+1)
	}
	const few, factor = 8, 4
	believed, ok := new(big.Int).SetString(about, 10)
	if !ok || !believed.IsInt64() {
		return min(count, few)
	}
	return min(count, max(few, factor*(believed.Int64()/rows+1)))
}

// split divides the keys from low to high into n ranges. The first and the last
// one are open, so that no key is left out.
func split(file func(int) string, low, high *big.Int, n int64) []Chunk {
	span := new(big.Int).Sub(high, low)
	span.Add(span, big.NewInt(1))
	chunks := make([]Chunk, 0, n)
	for i := range n {
		c := Chunk{File: file(int(i) + 1)}
		if i > 0 {
			c.From = chunks[i-1].Below
		}
		if i < n-1 {
			edge := new(big.Int).Mul(span, big.NewInt(i+1))
			c.Below = edge.Div(edge, big.NewInt(n)).Add(edge, low).String()
		}
		chunks = append(chunks, c)
	}
	return chunks
}

// extensions of the formats that have one of their own.
var extensions = map[string]string{FormatLoad: "tsv", "batch": "tsv", "insert": "sql", "markdown": "md", "vertical": "txt", "table": "txt"}

// file names the file of a range. The format is filled in when it is known.
func (m *Manifest) file(n int) string { return fmt.Sprintf("%s.%05d", fileName(m.Table), n) }

// fileName is a name that any file system takes.
func fileName(table string) string { return strings.ReplaceAll(url.PathEscape(table), ".", "%2E") }

// condition is what a range asks for.
func (m *Manifest) condition(c Chunk) string {
	var parts []string
	if c.From != "" {
		parts = append(parts, ident(m.Key)+" >= "+c.From)
	}
	if c.Below != "" {
		parts = append(parts, ident(m.Key)+" < "+c.Below)
	}
	if m.Where != "" {
		parts = append(parts, "("+m.Where+")")
	}
	if len(parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// query asks for the rows of a range.
func (m *Manifest) query(c Chunk) string {
	columns := make([]string, len(m.Columns))
	for i, col := range m.Columns {
		columns[i] = ident(col.Name)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + ident(m.Database, m.Table) + m.condition(c)
}

// manifestLimit bounds a manifest that is read.
const manifestLimit = 64 << 20

// readManifest reads and checks a manifest.
func readManifest(path string) (*Manifest, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > manifestLimit {
		return nil, &TableError{path, errors.New("it is too large for a manifest")}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, &TableError{path, err}
	}
	if m.ID == "" || m.Table == "" || len(m.Columns) == 0 {
		return nil, &TableError{path, errors.New("it is no manifest of an export")}
	}
	for _, c := range m.Chunks {
		if c.File == "" || filepath.Base(c.File) != c.File {
			return nil, &TableError{path, fmt.Errorf("%q is no file beside it", c.File)}
		}
		for _, edge := range []string{c.From, c.Below} {
			if _, ok := new(big.Int).SetString(edge, 10); !ok && edge != "" {
				return nil, &TableError{path, fmt.Errorf("%q is no key", edge)}
			}
		}
	}
	return m, nil
}

// write writes the manifest, in whole or not at all.
func (m *Manifest) write(path string) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	part := path + partSuffix
	if err := os.WriteFile(part, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// partSuffix is behind the name of a file that is not complete.
const partSuffix = ".part"
