package lexer

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSplitter(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		cfg          CutConfig
		want         []string // SQL and what ended it
	}{
		{"two", "select 1; select 2 ;\n", CutConfig{}, []string{"select 1|;", "select 2|;"}},
		{"no delimiter at the end", "a;b", CutConfig{}, []string{"a|;", "b|"}},
		{"empty ones", ";; ;a", CutConfig{}, []string{"a|"}},
		{"in quotes", "a ';' \";\" `;` b;c", CutConfig{}, []string{"a ';' \";\" `;` b|;", "c|"}},
		{"escapes", `a 'x\';' 'y'';' 'z\\';b`, CutConfig{}, []string{`a 'x\';' 'y'';' 'z\\'|;`, "b|"}},
		{"no backslash", `a '\';b`, CutConfig{Mode: NoBackslashEscapes}, []string{`a '\'|;`, "b|"}},
		{"comments", "-- a;\n# b;\n/* c; */ d -- e;\n;f", CutConfig{}, []string{"-- a;\n# b;\n/* c; */ d -- e;|;", "f|"}},
		{"only comments", "-- a\n/* b */", CutConfig{}, nil},
		{"version comment", "/*!50001 select ';' */; b", CutConfig{}, []string{"/*!50001 select ';' */|;", "b|"}},
		{"delimiter", "delimiter //\na; b//\nDELIMITER ;\nc;", CutConfig{}, []string{"a; b|//", "c|;"}},
		{"delimiter of letters", "delimiter go\na b go c\ngo", CutConfig{}, []string{"a b|go", "c|go"}},
		{"commands", `a\G b \g c \c d;`, CutConfig{Commands: true}, []string{`a|\G`, `b|\g`, `c|\c`, "d|;"}},
		{
			"a program", "create procedure p() begin select 1; if a then b; end if; case x when 1 then y; end case; end; c;",
			CutConfig{},
			[]string{"create procedure p() begin select 1; if a then b; end if; case x when 1 then y; end case; end|;", "c|;"},
		},
		{
			"case as a value", "create trigger t before insert on u for each row begin set @a = case when 1 then 2 end; end; b",
			CutConfig{},
			[]string{"create trigger t before insert on u for each row begin set @a = case when 1 then 2 end; end|;", "b|"},
		},
		{"a program of one statement", "create procedure p() select 1; b", CutConfig{}, []string{"create procedure p() select 1|;", "b|"}},
		{"begin", "begin; a; commit;", CutConfig{}, []string{"begin|;", "a|;", "commit|;"}},
		{"begin not atomic", "begin not atomic a; end; b", CutConfig{}, []string{"begin not atomic a; end|;", "b|"}},
		{"columns with a program's words", "create table t (event int, begin int); b", CutConfig{}, []string{"create table t (event int, begin int)|;", "b|"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"at once":      strings.NewReader(tt.script),
				"byte by byte": iotest.OneByteReader(strings.NewReader(tt.script)),
			} {
				var got []string
				s := NewSplitter(r, tt.cfg)
				for {
					st, err := s.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, st.SQL+"|"+st.End)
					if !strings.HasPrefix(tt.script[st.Pos:], st.SQL) {
						t.Errorf("Pos of %q is %d", st.SQL, st.Pos)
					}
					if line := 1 + strings.Count(tt.script[:st.Pos], "\n"); st.Line != line {
						t.Errorf("Line of %q is %d, want %d", st.SQL, st.Line, line)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("%s:\n got %q\nwant %q", name, got, tt.want)
				}
			}
		})
	}
}

func TestSplitterEnds(t *testing.T) {
	broken := errors.New("broken")
	s := NewSplitter(io.MultiReader(strings.NewReader("a; b"), iotest.ErrReader(broken)), CutConfig{})
	if st, err := s.Next(); st.SQL != "a" || err != nil {
		t.Errorf("first: %q, %v", st.SQL, err)
	}
	if _, err := s.Next(); !errors.Is(err, broken) {
		t.Errorf("a half statement before an error: %v", err)
	}
	s = NewSplitter(strings.NewReader(strings.Repeat("x", 200<<10)), CutConfig{MaxBytes: 100 << 10})
	if _, err := s.Next(); !errors.Is(err, ErrTooLong) {
		t.Errorf("a long statement: %v", err)
	}
}

func TestPending(t *testing.T) {
	for _, tt := range []struct {
		fed  string
		want byte
	}{
		{"", 0},
		{"\n", 0},
		{"-- a\n", 0},
		{"select 1\n", ';'},
		{"select 'a\n", '\''},
		{"select \"", '"'},
		{"select `a", '`'},
		{"select /* a\n", '*'},
		{"select 1;\n", 0},
		{"select 'a\\'\n", '\''},
	} {
		c := NewCutter(CutConfig{})
		c.Feed([]byte(tt.fed))
		for {
			if _, ok, _ := c.Next(); !ok {
				break
			}
		}
		if got := c.Pending(); got != tt.want {
			t.Errorf("Pending after %q = %q, want %q", tt.fed, got, tt.want)
		}
		c.Reset()
		if got := c.Pending(); got != 0 {
			t.Errorf("Pending after %q and Reset = %q", tt.fed, got)
		}
	}
}

func FuzzCutter(f *testing.F) {
	f.Add("select 1; delimiter //\nb;//", 3, uint8(0))
	f.Add("create procedure p() begin a; end; /* x", 1, uint8(1))
	f.Fuzz(func(t *testing.T, script string, piece int, mode uint8) {
		cfg := CutConfig{Mode: Mode(mode & 3), Commands: mode&4 != 0}
		all := func(piece int) (list []Statement) {
			c := NewCutter(cfg)
			rest := script
			for {
				st, ok, err := c.Next()
				if err != nil {
					t.Fatal(err)
				}
				if ok {
					list = append(list, st)
					continue
				}
				if rest == "" {
					if c.final {
						return list
					}
					c.Finish()
					continue
				}
				n := min(piece, len(rest))
				c.Feed([]byte(rest[:n]))
				rest = rest[n:]
			}
		}
		whole, pieces := all(len(script)+1), all(1+piece&15)
		if !slices.Equal(whole, pieces) {
			t.Errorf("%q in pieces:\n got %+v\nwant %+v", script, pieces, whole)
		}
	})
}
