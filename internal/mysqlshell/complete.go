package mysqlshell

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

const (
	// namesTime bounds a look-up of names, while somebody waits.
	namesTime = 2 * time.Second
	// namesMost bounds how many names of a kind are kept.
	namesMost = 10_000
)

// names are those that completion offers. They are looked up when they are
// first wanted, on a connection of their own: asking on the user's would change
// its warnings, its last insert id, and what its transaction sees.
type names struct {
	shell *Shell

	mu      sync.Mutex
	conn    *mysqlclient.Conn
	known   map[string][]string // by question
	trouble time.Time           // of the last look-up that failed
}

func newNames(s *Shell) *names { return &names{shell: s, known: make(map[string][]string)} }

func (n *names) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.known)
	n.trouble = time.Time{}
	n.hangUp()
}

func (n *names) close() { n.forget() }

func (n *names) hangUp() {
	if n.conn != nil {
		_ = n.conn.Close() // it has nothing that could be lost
		n.conn = nil
	}
}

// ask returns the first column of a question's answer. After a failure nothing
// is asked for a while.
func (n *names) ask(ctx context.Context, sql string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if all, ok := n.known[sql]; ok {
		return all
	}
	if !n.shell.cfg.Names || time.Since(n.trouble) < 10*namesTime {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, namesTime)
	defer cancel()
	all, err := n.fetch(ctx, sql)
	if err != nil {
		n.trouble = time.Now()
		n.hangUp()
		return nil
	}
	n.known[sql] = all
	return all
}

func (n *names) fetch(ctx context.Context, sql string) ([]string, error) {
	if n.conn == nil || n.conn.Err() != nil {
		conn, err := n.shell.cfg.Connect(ctx, n.shell.schema)
		if err != nil {
			return nil, err
		}
		n.conn = conn
	}
	return column(ctx, n.conn, sql, namesMost)
}

// Complete returns what line, the text up to the cursor, may become.
func (s *Shell) Complete(ctx context.Context, line string) []string {
	text := string(s.typed) + line
	head, word := splitWord(line)
	var found []string
	add := func(all []string) {
		for _, name := range all {
			if len(name) >= len(word) && strings.EqualFold(name[:len(word)], word) {
				found = append(found, head+name)
			}
		}
	}
	qualifier := ""
	if i := strings.LastIndexByte(word, '.'); i >= 0 {
		head, qualifier, word = head+word[:i+1], word[:i], word[i+1:]
	}
	if len(s.typed) == 0 && strings.TrimSpace(head) == "" && qualifier == "" {
		add(commandNames())
	}
	add(s.candidates(ctx, strings.TrimSuffix(text, word), qualifier, word))
	slices.Sort(found)
	return slices.Compact(found)
}

// splitWord divides a line before the name at its end.
func splitWord(line string) (head, word string) {
	i := strings.LastIndexFunc(line, func(r rune) bool {
		return r != '_' && r != '.' && r != '$' && r < 0x80 && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	return line[:i+1], line[i+1:]
}

// candidates decides by the words in front what kind of name fits.
func (s *Shell) candidates(ctx context.Context, before, qualifier, word string) []string {
	tokens := lexer.Code(before, lexer.Config{Mode: s.mode})
	if qualifier != "" {
		q := strings.Trim(qualifier, "`")
		tokens = tokens[:max(0, len(tokens)-2)] // the qualifier and its dot
		if t, ok := tablesIn(tokens)[strings.ToLower(q)]; ok {
			return s.columnsOf(ctx, t)
		}
		if cols := s.columnsOf(ctx, q); len(cols) > 0 {
			return cols
		}
		return s.names.ask(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = "+quote(q)+" LIMIT 10000")
	}
	last := ""
	for _, t := range tokens {
		if t.Kind == lexer.Word {
			last = strings.ToUpper(t.Text)
		}
	}
	switch end := len(tokens); {
	case end == 0 || tokens[end-1].Kind == lexer.Word:
	case tokens[end-1].Is(",") && inTables(tokens):
		last = "FROM"
	default:
		last = ""
	}
	switch last {
	case "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "DESCRIBE", "DESC", "TRUNCATE", "COLUMNS":
		return append(s.tables(ctx), s.databases(ctx)...)
	case "USE", "DATABASE", "SCHEMA":
		return s.databases(ctx)
	}
	all := slices.Clone(keywords(word))
	for _, t := range tablesIn(lexer.Code(before+" ", lexer.Config{Mode: s.mode})) {
		all = append(all, s.columnsOf(ctx, t)...)
	}
	if word != "" || len(tokens) > 0 {
		all = append(all, s.tables(ctx)...)
	}
	return all
}

func (s *Shell) databases(ctx context.Context) []string { return s.names.ask(ctx, "SHOW DATABASES") }

func (s *Shell) tables(ctx context.Context) []string {
	if s.schema == "" {
		return nil
	}
	return s.names.ask(ctx, "SHOW TABLES FROM "+quoteName(s.schema))
}

// columnsOf returns the columns of a table, which may be DB.TABLE.
func (s *Shell) columnsOf(ctx context.Context, table string) []string {
	schema := s.schema
	if db, t, ok := strings.Cut(table, "."); ok {
		schema, table = db, t
	}
	if schema == "" {
		return nil
	}
	return s.names.ask(ctx, "SELECT column_name FROM information_schema.columns WHERE table_schema = "+quote(schema)+" AND table_name = "+quote(table))
}

// tablesIn returns the tables that a statement names, by name and by alias.
func tablesIn(tokens []lexer.Token) map[string]string {
	found := make(map[string]string)
	list := false
	for i := 0; i < len(tokens); i++ {
		before := list
		if list = tableList(tokens[i], list); !list || before && !tokens[i].Is(",") && !beginsTables(tokens[i]) {
			continue
		}
		name, next := nameAt(tokens, i+1)
		if name == "" || slices.Contains(keywordList, strings.ToUpper(name)) {
			continue
		}
		found[strings.ToLower(name)] = name
		if next < len(tokens) && tokens[next].Is("AS") {
			next++
		}
		if alias, _ := nameAt(tokens, next); alias != "" && !slices.Contains(keywordList, strings.ToUpper(alias)) {
			found[strings.ToLower(alias)] = name
		}
		i = next - 1
	}
	return found
}

// inTables reports whether what comes next stands in a list of tables.
func inTables(tokens []lexer.Token) bool {
	list := false
	for _, t := range tokens {
		list = tableList(t, list)
	}
	return list
}

// tableList follows whether a list of tables is being written.
func tableList(t lexer.Token, list bool) bool {
	if beginsTables(t) {
		return true
	}
	for _, end := range []string{"WHERE", "GROUP", "ORDER", "SET", "ON", "USING", "LIMIT", "SELECT", "HAVING", "("} {
		if t.Is(end) {
			return false
		}
	}
	return list
}

func beginsTables(t lexer.Token) bool {
	return t.Is("FROM") || t.Is("JOIN") || t.Is("UPDATE") || t.Is("INTO")
}

// nameAt reads a name of one or two parts.
func nameAt(tokens []lexer.Token, i int) (name string, next int) {
	if i >= len(tokens) || tokens[i].Kind != lexer.Word && tokens[i].Kind != lexer.QuotedName {
		return "", i
	}
	name = tokens[i].Value(0)
	if i+2 < len(tokens) && tokens[i+1].Is(".") && (tokens[i+2].Kind == lexer.Word || tokens[i+2].Kind == lexer.QuotedName) {
		return name + "." + tokens[i+2].Value(0), i + 3
	}
	return name, i + 1
}

// keywords returns the words of SQL in the case in which word is written.
func keywords(word string) []string {
	if word == "" || word != strings.ToLower(word) {
		return keywordList
	}
	all := make([]string, len(keywordList))
	for i, k := range keywordList {
		all[i] = strings.ToLower(k)
	}
	return all
}

// keywordList are the words that completion offers.
var keywordList = strings.Fields(`
ALTER ANALYZE AND AS ASC AUTO_INCREMENT AVG BEGIN BETWEEN BY CALL CASE CAST CHARACTER COALESCE COLLATE COLUMN COLUMNS
COMMIT CONCAT COUNT CREATE CROSS CURRENT_TIMESTAMP DATABASE DATABASES DATE_FORMAT DEFAULT DELETE DESC DESCRIBE DISTINCT
DROP ELSE END EXISTS EXPLAIN FALSE FLUSH FOR FOREIGN FROM FULL FUNCTION GRANT GRANTS GROUP HAVING IF IFNULL IGNORE IN INDEX
INNER INSERT INTERVAL INTO IS JOIN JSON_EXTRACT KEY KILL LEFT LIKE LIMIT LOAD LOCK MAX MIN MODIFY NOT NOW NULL OFFSET ON
OPTIMIZE OR ORDER OUTER OVER PARTITION PRIMARY PROCEDURE PROCESSLIST REFERENCES RENAME REPLACE REVOKE RIGHT ROLLBACK
SAVEPOINT SELECT SET SHOW START STATUS STRAIGHT_JOIN SUBSTRING SUM TABLE TABLES THEN TRANSACTION TRIGGER TRUNCATE TRUE
UNION UNIQUE UNLOCK UPDATE USE USING VALUES VARIABLES VIEW WARNINGS WHEN WHERE WITH`)
