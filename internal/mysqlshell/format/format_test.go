package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
)

type set struct {
	cols []Column
	rows [][][]byte
}

// cells makes a row; a nil stays NULL.
func cells(values ...any) [][]byte {
	row := make([][]byte, len(values))
	for i, v := range values {
		if v != nil {
			row[i] = []byte(v.(string))
		}
	}
	return row
}

func write(t *testing.T, name string, o *Options, sets ...set) string {
	t.Helper()
	var b bytes.Buffer
	w, err := New(name, &b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sets {
		if err := w.Begin(s.cols); err != nil {
			t.Fatal(err)
		}
		for _, r := range s.rows {
			if err := w.Row(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// sample is what the server answers to the statements whose output by the
// mysql 9.7 command line is in testdata/mysql-*.txt:
//
//	select 1 as id, 'x\ty\n\\z\0q' as `b<"&>`, null as n, 1.50 as price, X'00FF41' as bin
//	  union all select 20, '', 'set', -3.25, null;
//	select 7 as `seven	7` from dual where 1=0;
//	select 'ä' as one;
var sample = []set{
	{
		[]Column{{Name: "id", Kind: Integer}, {Name: `b<"&>`}, {Name: "n"}, {Name: "price", Kind: Decimal}, {Name: "bin", Kind: Binary}},
		[][][]byte{cells("1", "x\ty\n\\z\x00q", nil, "1.50", "\x00\xffA"), cells("20", "", "set", "-3.25", nil)},
	},
	{[]Column{{Name: "seven\t7", Kind: Integer}}, nil},
	{[]Column{{Name: "one"}}, [][][]byte{cells("ä")}},
}

func TestSameAsMySQL(t *testing.T) {
	for _, r := range []struct {
		letters, format string
		opt             Options
	}{
		{"B", "batch", Options{}},
		{"Br", "batch", Options{Raw: true}},
		{"BN", "batch", Options{NoNames: true}},
		{"B-hex", "batch", Options{Hex: true}},
		{"E", "vertical", Options{}},
		{"EN", "vertical", Options{NoNames: true}},
		{"H", "html", Options{}},
		{"HN", "html", Options{NoNames: true}},
	} {
		t.Run(r.letters, func(t *testing.T) {
			got := ""
			for _, s := range sample {
				got += write(t, r.format, &r.opt, s)
			}
			same(t, "mysql-"+r.letters+".txt", got)
		})
	}
	t.Run("t", func(t *testing.T) {
		same(t, "mysql-t.txt", write(t, "table", nil,
			set{
				[]Column{{Name: "identity", Kind: Integer}, {Name: "s"}, {Name: "n"}, {Name: "price", Kind: Decimal}, {Name: "f", Kind: Float}},
				[][][]byte{cells("1", "plain\x00x", nil, "1.50", "1.5"), cells("20", "", "set", "-3.25", nil)},
			},
			set{[]Column{{Name: "x", Kind: Integer}}, nil},
		))
	})
	t.Run("X", func(t *testing.T) {
		var b bytes.Buffer
		w, err := New("xml", &b, nil)
		if err != nil {
			t.Fatal(err)
		}
		statements := []string{
			"select 1 as id, 'x\\ty\\n\\\\z\\0q' as `b<\"&>`, null as n, 1.50 as price, X'00FF41' as bin union all select 20, '', 'set', -3.25, null",
			"select 7 as `seven\t7` from dual where 1=0",
			"select 'ä' as one",
		}
		for i, s := range sample {
			SetStatement(w, statements[i])
			err := w.Begin(s.cols)
			for _, r := range s.rows {
				err = errors.Join(err, w.Row(r))
			}
			if err := errors.Join(err, w.End()); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "mysql-X.txt", b.String())
	})
}

// same compares with what another program wrote, which -update never touches.
func same(t *testing.T, file, got string) {
	t.Helper()
	want, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n got %q\nwant %q", file, got, want)
	}
}

func TestGolden(t *testing.T) {
	s := set{
		[]Column{{Name: "id", Table: "t`x", Kind: Integer}, {Name: "text"}, {Name: "text"}, {Name: "d", Kind: Decimal}, {Name: "f", Kind: Float}, {Name: "j", Kind: JSON}, {Name: "b", Kind: Binary}, {Name: "bit", Kind: Bit}, {Name: "at", Kind: Time}},
		[][][]byte{
			cells("1", "plain", "", "1.50", "1e20", `{"a": [1, 2]}`, "\x00\xff", "\x01\x02", "2026-11-22 01:02:03"),
			cells("9007199254740993", "comma, \"quote\"", "line\r\nend", "12345678901234.567", "-0.5", "{\n \"a\": 1}", "", "\x00", nil),
			cells("-9007199254740992", "a|b*c_d`e", `back\slash'`, "123456789012345.6", "x", "no json", nil, nil, "0000-00-00"),
			cells("007", "漢字 é e\u0301", "\xff\xfe", "1", "2", "null", "abc", "\xff\xff\xff\xff\xff\xff\xff\xff", "-838:59:59"),
			cells("5", "\x1b[31mred\a", "\u202eright\u0085", nil, nil, nil, nil, nil, nil),
		},
	}
	for _, name := range []string{"table", "vertical", "load", "csv", "json", "ndjson", "markdown", "insert"} {
		t.Run(name, func(t *testing.T) {
			testkit.Golden(t, name+".golden", []byte(strings.ReplaceAll(write(t, name, nil, s, set{cols: s.cols[:1]}), "\r", "␍")))
		})
		t.Run(name+" on a terminal", func(t *testing.T) {
			got := write(t, name, &Options{Terminal: true, Hex: true, Table: "other"}, s)
			testkit.Golden(t, name+"-terminal.golden", []byte(strings.ReplaceAll(got, "\r", "␍")))
		})
	}
}

// What a server sends never reaches a terminal as a control character.
func TestHarmless(t *testing.T) {
	evil := "a\x1b]0;title\x07\x9b31m\u009b31m\x7f\b\v\f\xff\u202e\u2066\ufeff\u2028"
	document := `{"` + strings.NewReplacer("\x1b", "", "\a", "", "\b", "", "\v", "", "\f", "").Replace(evil) + `":1}`
	s := set{[]Column{{Name: evil}, {Name: evil, Kind: JSON}, {Name: evil, Kind: Integer}}, [][][]byte{cells(evil, document, evil)}}
	for _, name := range Names() {
		if name == "load" {
			continue // it is for files
		}
		for _, cols := range []int{0, 20} {
			got := write(t, name, &Options{Terminal: true, Columns: cols, Statement: evil}, s)
			for i, r := range got {
				if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0xfffd && name != "json" && name != "ndjson" ||
					r == 0x202e || r == 0x2066 || r == 0xfeff || r == 0x2028 {
					t.Errorf("%s: %q at byte %d of %q", name, r, i, got)
					break
				}
			}
		}
	}
}

func TestJSONIsJSON(t *testing.T) {
	s := sample[0]
	s.rows = append(s.rows, cells("\xff", "\x00\x1f\u2028", "\ud7ff", "NaN", ""), cells("-0", "1e5", "", "01", "\xff"))
	var all []map[string]any
	if err := json.Unmarshal([]byte(write(t, "json", nil, s)), &all); err != nil || len(all) != len(s.rows) {
		t.Errorf("%d rows, %v", len(all), err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(write(t, "ndjson", nil, s), "\n"), "\n") {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil || len(one) != len(s.cols) {
			t.Errorf("line %d: %v: %s", i, err, line)
		}
	}
	if got := write(t, "json", nil, set{cols: s.cols}); got != "[]\n" {
		t.Errorf("no rows: %q", got)
	}
}

// A set without rows leaves no trace where mysql leaves none; the shell says by
// itself that it is empty. The others have their names.
func TestNoRows(t *testing.T) {
	empty := set{cols: []Column{{Name: "a"}}}
	if got := write(t, "batch", &Options{Quick: true}, empty); got != "a\n" {
		t.Errorf("batch, quick: %q", got)
	}
	for name, want := range map[string]string{
		"table": "", "vertical": "", "batch": "", "html": "", "csv": "a\r\n", "json": "[]\n", "ndjson": "", "markdown": "| a |\n|---|\n", "insert": "",
	} {
		if got := write(t, name, nil, empty); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestTableIsBounded(t *testing.T) {
	w := &table{output: output{w: io.Discard}, opt: Options{TableBytes: 10 << 10}}
	if err := w.Begin([]Column{{Name: "a"}, {Name: "b"}}); err != nil {
		t.Fatal(err)
	}
	row := cells(strings.Repeat("x", 100), nil)
	for range 10_000 {
		if err := w.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	if got := cap(w.text) + cap(w.ends)*8; got > 64<<10 {
		t.Errorf("it holds %d bytes", got)
	}

	// Longer cells stick out, and nothing is lost.
	got := write(t, "table", &Options{TableBytes: 1}, set{[]Column{{Name: "a"}}, [][][]byte{cells("12"), cells("12345"), cells("1")}})
	want := "+----+\n| a  |\n+----+\n| 12 |\n| 12345 |\n| 1  |\n+----+\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTooWideTurns(t *testing.T) {
	s := set{[]Column{{Name: "name\x1b"}, {Name: "b", Kind: Binary}}, [][][]byte{cells("v\x1b", "\x01"), cells("w", nil)}}
	for _, limit := range []int{0, 1} { // turned at the end, and in between
		got := write(t, "table", &Options{Columns: 14, Terminal: true, Hex: true, TableBytes: limit}, s)
		stars := strings.Repeat("*", 27)
		want := fmt.Sprintf("%s 1. row %s\nname\\x1b: v\\x1b\n       b: 0x01\n%s 2. row %s\nname\\x1b: w\n       b: NULL\n", stars, stars, stars, stars)
		if got != want {
			t.Errorf("limit %d: got\n%swant\n%s", limit, got, want)
		}
	}
	if got := write(t, "table", &Options{Columns: 30, Terminal: true}, s); strings.Contains(got, "*") {
		t.Errorf("it fits, and was turned:\n%s", got)
	}
}

func TestRowsCostNoAllocation(t *testing.T) {
	row := cells("12345", "some text, with \"quotes\"\tand tabs", nil, "-12.75", "2.5e10", `{"a":1}`, "\x00\x01", "\x01", "2026-11-22 10:00:00.5")
	cols := []Column{{Kind: Integer}, {}, {}, {Kind: Decimal}, {Kind: Float}, {Kind: JSON}, {Kind: Binary}, {Kind: Bit}, {Kind: Time}}
	for _, name := range Names() {
		for _, terminal := range []bool{false, true} {
			w, err := New(name, io.Discard, &Options{TableBytes: 100, Terminal: terminal})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Begin(cols); err != nil {
				t.Fatal(err)
			}
			for range 2000 { // until the buffers have their size
				if err := w.Row(row); err != nil {
					t.Fatal(err)
				}
			}
			if got := testing.AllocsPerRun(1000, func() { _ = w.Row(row) }); got != 0 {
				t.Errorf("%s: %v allocations a row", name, got)
			}
		}
	}
}

type failing struct{}

var errFull = errors.New("disk full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	for _, name := range Names() {
		w, err := New(name, failing{}, &Options{TableBytes: 100, Columns: 10})
		if err != nil {
			t.Fatal(err)
		}
		if err = w.Begin([]Column{{Name: "a"}}); err == nil {
			for range 10_000 {
				if err = w.Row(cells("some text that is long enough")); err != nil {
					break
				}
			}
		}
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New("yaml", io.Discard, nil); !errors.Is(err, ErrName) {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "漢字": 4, "e\u0301": 1, "é": 1, "ｱ": 1, "한": 2, "a漢": 3} {
		if got := width([]byte(s)); got != want {
			t.Errorf("width(%q) = %d, want %d", s, got, want)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	row := cells("12345", "98765", "4000000000", "123456.78", "3.141592653589793", "some text of thirty-two bytes ...", "2026-11-22 10:00:00.123456", "short")
	w, err := New("batch", io.Discard, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Begin(make([]Column, len(row))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = w.Row(row)
	}
}

func ExampleNew() {
	w, err := New("table", os.Stdout, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = w.Begin([]Column{{Name: "id", Kind: Integer}, {Name: "city"}})
	_ = w.Row([][]byte{[]byte("1"), []byte("東京")})
	_ = w.Row([][]byte{[]byte("22"), nil})
	_ = w.End()
	// Output:
	// +----+------+
	// | id | city |
	// +----+------+
	// |  1 | 東京 |
	// | 22 | NULL |
	// +----+------+
}
