package mysql_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// agree compares Scan with the layout of Fields and reports whether Scan took
// the row.
func agree(t testing.TB, columns []mysql.Column, b []byte) bool {
	t.Helper()
	scanned, parsed := mysql.NewBinaryRow(columns), mysql.NewBinaryRow(columns)
	if !scanned.Scan(b) {
		return false
	}
	if err := wire.Parse(b, parsed, wire.Dialect{}); err != nil {
		t.Errorf("% x is scanned, and not parsed: %v", b, err)
		return true
	}
	for i := range parsed.Values {
		if !reflect.DeepEqual(scanned.Values[i], parsed.Values[i]) {
			t.Errorf("% x: %s is scanned as %+v, parsed as %+v", b, columns[i].Type, scanned.Values[i], parsed.Values[i])
		}
	}
	return true
}

// randomRow returns the packet of a random row.
func randomRow(t testing.TB, columns []mysql.Column, src *rand.Rand) []byte {
	t.Helper()
	for range 10000 { // lengths of dates are refused more often than not
		if b, err := wire.Generate(mysql.NewBinaryRow(columns), wire.Dialect{}, src, nil); err == nil {
			return b
		}
	}
	t.Fatal("no row was made")
	return nil
}

func TestScan(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 2))
	taken, broken := 0, 0
	for range 3000 {
		b := randomRow(t, everyType, src)
		if agree(t, everyType, b) {
			taken++
		}
		for range 5 { // and something near it
			worse := append([]byte(nil), b...)
			switch src.IntN(3) {
			case 0:
				worse = worse[:src.IntN(len(worse))]
			case 1:
				worse[src.IntN(len(worse))] = byte(src.Uint32())
			default:
				worse = append(worse, 0)
			}
			if !agree(t, everyType, worse) {
				broken++
			}
		}
	}
	if taken < 1000 || broken < 1000 {
		t.Errorf("of 3000 rows %d were taken, of the broken ones %d were not: one of the two is not tested", taken, broken)
	}
	columns := everyType[:3]
	row := mysql.NewBinaryRow(columns)
	if b := []byte{0, 1, 2, 3, 4}; !row.Scan(b) || testing.AllocsPerRun(100, func() { row.Scan(b) }) != 0 {
		t.Error("a row is not scanned, or allocates")
	}
}

// TestScanTakesEveryType sees that no type goes the slow way: rows that servers
// send are all taken.
func TestScanTakesEveryType(t *testing.T) {
	src := rand.New(rand.NewPCG(3, 4))
	for _, column := range everyType {
		taken := 0
		for range 200 {
			columns := []mysql.Column{column}
			b := randomRow(t, columns, src)
			if b[0]&4 == 0 && agree(t, columns, b) { // not NULL
				taken++
			}
		}
		if taken < 20 {
			t.Errorf("%s: %d of 200 rows were taken", column.Type, taken)
		}
	}
}

func FuzzScan(f *testing.F) {
	src := rand.New(rand.NewPCG(5, 6))
	for range 5 {
		b := randomRow(f, everyType, src)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, everyType, b) })
}

func BenchmarkRow(b *testing.B) {
	row, packet, _, _ := rows(b)
	b.Run("Scan", func(b *testing.B) {
		for b.Loop() {
			if !row.Scan(packet) {
				b.Fatal("not scanned")
			}
		}
	})
	b.Run("Parse", func(b *testing.B) {
		var c wire.Coder
		for b.Loop() {
			if err := c.Parse(packet, row, wire.Dialect{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
