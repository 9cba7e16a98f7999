package lexer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for _, tt := range []struct {
		name, sql string
		cfg       Config
		want      []string // kind:text of what counts, and of comments
	}{
		{"words", "SELECT a1,`b``c`", Config{}, []string{"word:SELECT", "word:a1", "operator:,", "quoted name:`b``c`"}},
		{"strings", `'it''s' "a\"b" 'x\'y'`, Config{}, []string{`string:'it''s'`, `string:"a\"b"`, `string:'x\'y'`}},
		{"ansi quotes", `"a"`, Config{Mode: ANSIQuotes}, []string{`quoted name:"a"`}},
		{"no backslash", `'a\' b`, Config{Mode: NoBackslashEscapes}, []string{`string:'a\'`, "word:b"}},
		{"numbers", "1 1.5 .5 1e3 1e-3 1.e2 5e t.5 0x1F 0b01 x'1f' b'10' 1abc", Config{}, []string{
			"number:1", "number:1.5", "number:.5", "number:1e3", "number:1e-3", "number:1.e2", "word:5e", "word:t",
			"operator:.", "word:5", "hex:0x1F", "bit:0b01", "hex:x'1f'", "bit:b'10'", "word:1abc",
		}},
		{"placeholders", "a=? AND b='?' -- ?\n# ?\n/* ? */ AND `?`=?", Config{}, []string{
			"word:a", "operator:=", "placeholder:?", "word:AND", "word:b", "operator:=", "string:'?'", "comment:-- ?",
			"comment:# ?", "comment:/* ? */", "word:AND", "quoted name:`?`", "operator:=", "placeholder:?",
		}},
		{"minus is no comment", "5--3", Config{}, []string{"number:5", "operator:-", "operator:-", "number:3"}},
		{"variables", "@a @'b c' @@global.x @@`y`", Config{}, []string{
			"user variable:@a", "user variable:@'b c'", "system variable:@@global.x", "system variable:@@`y`",
		}},
		{"operators", "a<=>b:=c->>'d'", Config{}, []string{
			"word:a", "operator:<=>", "word:b", "operator::=", "word:c", "operator:->>", "string:'d'",
		}},
		{"version comment", "a /*!50001 b */ c", Config{}, []string{
			"word:a", "code open:/*!50001", "word:b", "code close:*/", "word:c",
		}},
		{"for a later server", "a /*!80013 b /* x */ c */ d", Config{Version: 50744}, []string{
			"word:a", "comment:/*!80013 b /* x */ c */", "word:d",
		}},
		{"MySQL's own, at MariaDB", "/*!50701 a */ /*!50601 b */ /*M!100100 c */", Config{Version: 101119, MariaDB: true}, []string{
			"comment:/*!50701 a */", "code open:/*!50601", "word:b", "code close:*/", "code open:/*M!100100", "word:c",
			"code close:*/",
		}},
		{"MariaDB's at MySQL", "/*M! a */ b", Config{}, []string{"comment:/*M! a */", "word:b"}},
		{"digits of the code", "/*!1 */", Config{}, []string{"code open:/*!", "number:1", "code close:*/"}},
		{"open quote", "a 'b", Config{}, []string{"word:a", "bad:'b"}},
		{"open comment", "a /* b", Config{}, []string{"word:a", "bad:/* b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			var all strings.Builder
			for tok := range Tokens(tt.sql, tt.cfg) {
				all.WriteString(tok.Text)
				if tok.Kind != Space {
					got = append(got, fmt.Sprintf("%v:%s", tok.Kind, tok.Text))
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("Tokens(%q)\n got %q\nwant %q", tt.sql, got, tt.want)
			}
			if all.String() != tt.sql {
				t.Errorf("the tokens of %q are together %q", tt.sql, all.String())
			}
		})
	}
}

func TestValue(t *testing.T) {
	for _, tt := range []struct {
		text string
		mode Mode
		want string
	}{
		{`'it''s'`, 0, "it's"},
		{`'a\n\t\0\Z\\\'\"\b\r\x'`, 0, "a\n\t\x00\x1a\\'\"\b\rx"},
		{`'50\%'`, 0, `50\%`},
		{`'a\n'`, NoBackslashEscapes, `a\n`},
		{`"a""b'c"`, 0, `a"b'c`},
		{"`a``b`", 0, "a`b"},
		{`"a""b"`, ANSIQuotes, `a"b`},
		{"@a", 0, "a"},
		{"@'b c'", 0, "b c"},
		{"@`x`", 0, "x"},
		{"@@session.`x`", 0, "session.x"},
		{"''", 0, ""},
	} {
		tok := NewScanner(tt.text, Config{Mode: tt.mode}).Next()
		if got := tok.Value(tt.mode); got != tt.want {
			t.Errorf("Value(%s) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "a", "it's", `a\b`, "\x00\n\r\x1a\"", "é", `\%`[1:]} {
		for _, mode := range []Mode{0, NoBackslashEscapes} {
			lit := Quote(s, mode)
			tok := NewScanner(lit, Config{Mode: mode}).Next()
			if tok.Kind != String || tok.Text != lit || tok.Value(mode) != s {
				t.Errorf("Quote(%q, %v) = %s, which reads as %v %q", s, mode, lit, tok.Kind, tok.Value(mode))
			}
		}
		id := QuoteIdent(s)
		if tok := NewScanner(id, Config{}).Next(); tok.Value(0) != s {
			t.Errorf("QuoteIdent(%q) = %s, which reads as %q", s, id, tok.Value(0))
		}
	}
}

func TestVerb(t *testing.T) {
	for _, tt := range []struct {
		sql, want string
		readOnly  bool
	}{
		{"", "", true},
		{"select 1", "SELECT", true},
		{"/* x */ -- y\n (select 1)", "SELECT", true},
		{"select 1 into outfile 'x'", "SELECT", false},
		{"select * from t for update", "SELECT", false},
		{"select 1; delete from t", "SELECT", false},
		{"select a, `into` from t", "SELECT", true},
		{"with a as (select 1), b as (select 2) delete from t", "DELETE", false},
		{"with recursive a as (select 1) select * from a", "SELECT", true},
		{"commit and chain", "COMMIT", false},
		{"start transaction read only", "START TRANSACTION", false},
		{"rollback work to savepoint a", "ROLLBACK TO", false},
		{"create or replace definer=`a`@`b` view v as select 1", "CREATE VIEW", false},
		{"create unique index i on t(a)", "CREATE INDEX", false},
		{"drop temporary table if exists t", "DROP TABLE", false},
		{"load data low_priority local infile 'x' into table t", "LOAD DATA LOCAL", false},
		{"load data infile 'x' into table t", "LOAD DATA", false},
		{"set names utf8mb4", "SET NAMES", false},
		{"set @a=1", "SET", false},
		{"show tables", "SHOW", true},
		{"explain select 1", "EXPLAIN", true},
		{"explain analyze delete from t", "EXPLAIN", false},
		{"/*!50001 truncate t */", "TRUNCATE", false},
		{"'x'", "", false},
	} {
		if got := Verb(tt.sql, Config{}); got != tt.want {
			t.Errorf("Verb(%q) = %q, want %q", tt.sql, got, tt.want)
		}
		if got := ReadOnly(tt.sql, Config{}); got != tt.readOnly {
			t.Errorf("ReadOnly(%q) = %v, want %v", tt.sql, got, tt.readOnly)
		}
	}
}

func TestAsksLocalFile(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		want bool
	}{
		{"select 1", false},
		{"select 'load data local infile'", false},
		{"/* load data local */ select 1", false},
		{"load data infile 'x' into table t", false},
		{"LOAD DATA LOCAL INFILE 'x' INTO TABLE t", true},
		{"load xml concurrent local infile 'x' into table t", true},
		{"select 1; load /*!50000 data */ local infile 'x' into table t", true},
	} {
		if got := AsksLocalFile(tt.sql, Config{}); got != tt.want {
			t.Errorf("AsksLocalFile(%q) = %v, want %v", tt.sql, got, tt.want)
		}
	}
}

func TestMaskSecrets(t *testing.T) {
	const s = "'" + Secret + "'"
	for _, tt := range []struct{ sql, want string }{
		{"select 'x'", "select 'x'"},
		{"create user a identified by 'x'", "create user a identified by " + s},
		{
			"create user 'a'@'b' identified with p by 'x', 'c' identified by \"y\" comment 'z'",
			"create user 'a'@'b' identified with p by " + s + ", 'c' identified by " + s + " comment 'z'",
		},
		{"alter user a identified by 'new' replace 'old'", "alter user a identified by " + s + " replace " + s},
		{"create user a identified with p as 0x1f", "create user a identified with p as " + s},
		{"create user a identified via ed25519 using password('x')", "create user a identified via ed25519 using password(" + s + ")"},
		{"grant all on *.* to a identified by password '*X'", "grant all on *.* to a identified by password " + s},
		{"SET PASSWORD = 'x'", "SET PASSWORD = " + s},
		{"set password for 'a'@'b' = password( 'x' )", "set password for 'a'@'b' = password( " + s + " )"},
		{"set password for a = 'x' replace 'y'", "set password for a = " + s + " replace " + s},
		{"change master to master_user='u', master_password='x'", "change master to master_user='u', master_password=" + s},
		{"create table f (a int) engine=federated connection='mysql://u:x@h/d/t'", "create table f (a int) engine=federated connection=" + s},
		{
			"create server s foreign data wrapper mysql options (user 'u', password 'x')",
			"create server s foreign data wrapper mysql options (user 'u', password " + s + ")",
		},
		{"select password(_utf8'x'), 'y'", "select password(_utf8" + s + "), 'y'"},
		{"set password = 'it''s", "set password = " + s},
		{"select password('a' 'b' /* c */ \"c\"), 'y'", "select password(" + s + " " + s + " /* c */ " + s + "), 'y'"},
		{"set @a_password = 'x', @b = 'y'", "set @a_password = " + s + ", @b = 'y'"},
		{"set @@global.`report_password`='x', @'my password' := 'y'", "set @@global.`report_password`=" + s + ", @'my password' := " + s},
		{"select 1; set @a = 'x' /* password */", "select 1; set @a = 'x' /* password */"},
		{"create table t (password text default 'x')", "create table t (password text default 'x')"},
	} {
		if got := MaskSecrets(tt.sql, Config{}); got != tt.want {
			t.Errorf("MaskSecrets(%q)\n got %s\nwant %s", tt.sql, got, tt.want)
		}
		if got := HasSecret(tt.sql, Config{}); got != (tt.sql != tt.want) {
			t.Errorf("HasSecret(%q) = %v", tt.sql, got)
		}
	}
}

// TestCutterSpeed: short words in a long text cost no more than themselves.
func TestCutterSpeed(t *testing.T) {
	text := []byte(strings.Repeat("A ", 4<<10))
	allocs := testing.AllocsPerRun(10, func() {
		c := NewCutter(CutConfig{})
		c.Feed(text)
		c.Finish()
		if _, ok, err := c.Next(); !ok || err != nil {
			t.Fatal(ok, err)
		}
	})
	if allocs > 20 {
		t.Errorf("%v allocations for a statement of 4096 words", allocs)
	}
}

func TestParseMode(t *testing.T) {
	if got := ParseMode("STRICT_TRANS_TABLES, ansi_quotes,NO_BACKSLASH_ESCAPES"); got != ANSIQuotes|NoBackslashEscapes {
		t.Errorf("ParseMode = %v", got)
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"SELECT 'a''b', \"c\\\"\" /*!50001 x */ -- y\n1.5e3 @@a.b @`c` x'1f'", "/*!99999 a /* b */ */", "`a", "1e+", "t.1e5"} {
		f.Add(s, uint8(0), 0, false)
		f.Add(s, uint8(3), 80000, true)
	}
	f.Fuzz(func(t *testing.T, sql string, mode uint8, version int, maria bool) {
		cfg := Config{Mode: Mode(mode & 3), Version: version, MariaDB: maria}
		var all strings.Builder
		for tok := range Tokens(sql, cfg) {
			if tok.Text == "" || tok.Pos != all.Len() {
				t.Fatalf("token %+v at %d of %q", tok, all.Len(), sql)
			}
			all.WriteString(tok.Text)
			tok.Value(cfg.Mode)
		}
		if all.String() != sql {
			t.Errorf("the tokens of %q are together %q", sql, all.String())
		}
		Verb(sql, cfg)
		ReadOnly(sql, cfg)
		AsksLocalFile(sql, cfg)
		if masked := MaskSecrets(sql, cfg); MaskSecrets(masked, cfg) != masked {
			t.Errorf("masking %q twice is not masking it once", sql)
		}
	})
}
