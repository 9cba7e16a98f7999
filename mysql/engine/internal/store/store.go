package store

import (
	"database/sql/driver"
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// Store says how a statement stores to a column. wl_store(n, v) converts v as
// Stores[n] says.
type Store struct {
	Type     catalog.Type
	Place    string      // `db`.`table`.`column`, for messages
	Name     string      // of the column
	Check    string      // "table.column" of a JSON column
	From     catalog.Rep // how the value is held
	NotNull  bool
	KeepZero bool // 0 asks for no AUTO_INCREMENT: NO_AUTO_VALUE_ON_ZERO
	Auto     bool
	NoNull   bool // NULL is an error even so
	Lenient  bool // without strict mode, or with IGNORE: what does not fit is made to fit
	First    bool // a row begins with it
	Update   bool
}

// Store is wl_store(n, v): the value for a row that is inserted.
func (s *State) Store(a []driver.Value) (driver.Value, error) {
	st := &s.Stores[value.ToInt(a[0])]
	if st.First {
		s.Rows++
	}
	if err := s.Ctx(); err != nil && st.First && s.Rows&1023 == 0 {
		return nil, catalog.Errorf(1317, "Query execution was interrupted")
	}
	v, err := s.assign(st, a[1])
	if err == nil {
		s.Row[strings.ToLower(st.Name)] = v
	}
	return v, err
}

// Change is wl_change(n, v, old): the value for a row that is updated.
func (s *State) Change(a []driver.Value) (driver.Value, error) {
	st := &s.Stores[value.ToInt(a[0])]
	if st.First {
		s.Matched++
		s.changed = false
	}
	v, err := s.assign(st, a[1])
	if err != nil {
		return nil, err
	}
	if !same(v, a[2]) && !s.changed {
		s.changed = true
		s.Changed++
	}
	s.Row[strings.ToLower(st.Name)] = v
	return v, nil
}

// Conv is wl_conv(n, v): converted, but not counted.
func (s *State) Conv(a []driver.Value) (driver.Value, error) {
	v, _ := s.convert(&s.Stores[value.ToInt(a[0])], a[1])
	return v, nil
}

// OnUpdate is wl_onupdate(n, old, changed): now, if the row has changed.
func (s *State) OnUpdate(a []driver.Value) (driver.Value, error) {
	if value.ToInt(a[2]) == 0 {
		return a[1], nil
	}
	st := &s.Stores[value.ToInt(a[0])]
	return value.FromTime(s.Now).Datetime(st.Type.Decimals), nil
}

func same(a, b driver.Value) bool {
	x, ok := a.([]byte)
	y, ok2 := b.([]byte)
	if ok || ok2 {
		return ok && ok2 && string(x) == string(y)
	}
	return a == b
}

// row is the number of the row for messages.
func (s *State) row(st *Store) int {
	if st.Update {
		return max(1, s.Matched)
	}
	return max(1, s.Rows)
}

// assign converts v and sees to NULL and AUTO_INCREMENT.
func (s *State) assign(st *Store, v driver.Value) (driver.Value, error) {
	if st.Auto && !st.Update {
		if v == nil || !st.KeepZero && value.ToDec(v).N.Sign() == 0 {
			id := s.NextAuto(0)
			if s.NewID == 0 {
				s.NewID = id
			}
			v = value.Unsigned(id)
			if limit := maxOf(&st.Type); id > limit {
				return nil, catalog.Errorf(167, "Out of range value for column '%s' at row %d", st.Name, s.row(st))
			}
			return v, nil
		}
	}
	if v == nil {
		if !st.NotNull {
			return nil, nil
		}
		if !st.Lenient || st.NoNull {
			return nil, catalog.Errorf(1048, "Column '%s' cannot be null", st.Name)
		}
		s.Warn(1048, "Column '%s' cannot be null", st.Name)
		return Zero(&st.Type), nil
	}
	out, err := s.convert(st, v)
	if err != nil {
		if !st.Lenient || err.Code == 4025 {
			return nil, err
		}
		if err.Code == 1406 || err.Code == 1292 {
			err = s.truncated(st)
		}
		s.Warn(err.Code, "%s", err.Message)
	}
	if st.Auto && !st.Update {
		s.NextAuto(uint64(value.ToInt(out)))
	}
	return out, nil
}

func maxOf(t *catalog.Type) uint64 {
	_, hi := intRange(t)
	return hi
}

// Zero returns the value that stands for none in a column of type t that takes
// no NULL.
func Zero(t *catalog.Type) driver.Value {
	switch t.Rep() {
	case catalog.RepInt:
		return int64(0)
	case catalog.RepReal:
		return 0.0
	case catalog.RepDec:
		return value.Dec{N: new(big.Int), Scale: 0}.Round(t.Decimals).String()
	case catalog.RepBytes:
		if t.Kind == mysql.TypeString {
			return make([]byte, t.Length)
		}
		return []byte{}
	case catalog.RepDate:
		return "0000-00-00"
	case catalog.RepDatetime:
		return value.Civil{}.Datetime(t.Decimals)
	case catalog.RepTime:
		return value.TimeText(0, t.Decimals)
	}
	if t.Kind == mysql.TypeEnum && len(t.Values) > 0 {
		return t.Values[0]
	}
	return ""
}

// convert makes v a value of the column. With an error comes the value that is
// stored when it is only a warning.
func (s *State) convert(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	if v == nil {
		return nil, nil
	}
	if b, ok := v.([]byte); ok && st.From == catalog.RepInt {
		if u, big := value.BigUnsigned(b); big {
			v = strconv.FormatUint(u, 10)
		}
	}
	t := &st.Type
	switch t.Rep() {
	case catalog.RepInt:
		switch t.Kind {
		case mysql.TypeBit:
			return s.toBit(st, v)
		case mysql.TypeYear:
			return s.toYear(st, v)
		}
		return s.toInteger(st, v)
	case catalog.RepReal:
		return s.toReal(st, v)
	case catalog.RepDec:
		return s.toDecimal(st, v)
	case catalog.RepDate, catalog.RepDatetime:
		return s.toDate(st, v)
	case catalog.RepTime:
		return s.toTime(st, v)
	}
	switch t.Kind {
	case mysql.TypeEnum:
		return s.toEnum(st, v)
	case mysql.TypeSet:
		return s.toSet(st, v)
	}
	return s.toString(st, v)
}

// intRange returns the smallest and the largest value of an integer type.
func intRange(t *catalog.Type) (lo int64, hi uint64) {
	bits := map[mysql.Type]uint{
		mysql.TypeTiny: 8, mysql.TypeShort: 16, mysql.TypeInt24: 24, mysql.TypeLong: 32, mysql.TypeLonglong: 64,
	}[t.Kind]
	if t.Unsigned {
		return 0, math.MaxUint64 >> (64 - bits)
	}
	return math.MinInt64 >> (64 - bits), math.MaxInt64 >> (64 - bits)
}

func (s *State) outOfRange(st *Store) *catalog.Error {
	return catalog.Errorf(1264, "Out of range value for column '%s' at row %d", st.Name, s.row(st))
}

func (s *State) truncated(st *Store) *catalog.Error {
	return catalog.Errorf(1265, "Data truncated for column '%s' at row %d", st.Name, s.row(st))
}

func (s *State) incorrect(st *Store, kind string, v driver.Value) *catalog.Error {
	code := uint16(1366)
	if kind == "date" || kind == "datetime" || kind == "time" {
		code = 1292
	}
	return catalog.Errorf(code, "Incorrect %s value: '%s' for column %s at row %d", kind, value.Text(v), st.Place, s.row(st))
}

// number reads v as an exact number; err tells what of a text is no number.
func (s *State) number(st *Store, v driver.Value, kind string) (value.Dec, *catalog.Error) {
	txt, ok := v.(string)
	if b, isBytes := v.([]byte); isBytes {
		txt, ok = string(b), true
	}
	if !ok || st.From == catalog.RepDec || st.From == catalog.RepInt {
		return value.ToDec(v), nil
	}
	if st.From == catalog.RepDate || st.From == catalog.RepDatetime || st.From == catalog.RepTime {
		n, _ := value.TemporalNumber([]driver.Value{txt})
		return value.ToDec(n), nil
	}
	trimmed := strings.TrimSpace(txt)
	n, _ := value.NumberPrefix(trimmed)
	switch {
	case n == 0:
		return value.Dec{N: new(big.Int), Scale: 0}, s.incorrect(st, kind, v)
	case n < len(trimmed):
		return value.ToDec(trimmed), s.truncated(st)
	}
	return value.ToDec(trimmed), nil
}

func (s *State) toInteger(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	lo, hi := intRange(&st.Type)
	if i, ok := v.(int64); ok && i >= lo && (i < 0 || uint64(i) <= hi) {
		return i, nil
	}
	if f, ok := v.(float64); ok {
		v = math.RoundToEven(f)
	}
	d, err := s.number(st, v, "integer")
	d = d.Round(0)
	if d.N.Cmp(big.NewInt(lo)) < 0 {
		return lo, s.outOfRange(st)
	}
	if d.N.Cmp(new(big.Int).SetUint64(hi)) > 0 {
		return value.Unsigned(hi), s.outOfRange(st)
	}
	return integerOf(d), err
}

// integerOf returns an integer within 64 bits as SQLite holds it.
func integerOf(d value.Dec) driver.Value {
	if d.N.IsInt64() {
		return d.N.Int64()
	}
	return value.Unsigned(d.N.Uint64())
}

func (s *State) toReal(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	t := &st.Type
	kind := "double"
	if t.Kind == mysql.TypeFloat {
		kind = "float"
	}
	var f float64
	var err *catalog.Error
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	default:
		_, err = s.number(st, v, kind)
		f = value.ToFloat(v)
	}
	if t.Unsigned && f < 0 {
		return 0.0, s.outOfRange(st)
	}
	if t.Decimals < 31 {
		p := math.Pow10(t.Decimals)
		f = math.Round(f*p) / p
		if limit := math.Pow10(t.Length - t.Decimals); math.Abs(f) >= limit {
			return math.Copysign(limit-1/p, f), s.outOfRange(st)
		}
	}
	if t.Kind == mysql.TypeFloat {
		if math.Abs(f) > math.MaxFloat32 {
			return math.Copysign(math.MaxFloat32, f), s.outOfRange(st)
		}
		f = float64(float32(f))
	}
	return f, err
}

func (s *State) toDecimal(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	d, err := s.number(st, v, "decimal")
	r, ok := value.Fit(d, st.Type.Precision, st.Type.Decimals)
	if st.Type.Unsigned && d.N.Sign() < 0 {
		return value.Dec{N: new(big.Int), Scale: 0}.Round(st.Type.Decimals).String(), s.outOfRange(st)
	}
	if !ok {
		return r.String(), s.outOfRange(st)
	}
	if err == nil && value.CmpDec(d, r) != 0 {
		s.Note(1265, "Data truncated for column '%s' at row %d", st.Name, s.row(st))
	}
	return r.String(), err
}

func (s *State) toDate(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	t := &st.Type
	kind := "datetime"
	if t.Kind == mysql.TypeDate {
		kind = "date"
	}
	var c value.Civil
	whole, ok := true, true
	if st.From == catalog.RepTime {
		us, _ := value.ParseTime(value.Text(v))
		base := value.FromTime(s.Now)
		base.H, base.Mi, base.S, base.Us = 0, 0, 0, 0
		c, _ = base.Add(0, us)
	} else {
		str := value.Text(v)
		if st.From == catalog.RepInt && len(str) < 6 {
			str = strings.Repeat("0", 6-len(str)) + str
		}
		c, _, whole, ok = value.ParseDatetime(str)
		if str == "000000" {
			c, ok = value.Civil{}, true
		}
	}
	if !ok {
		return Zero(t), s.incorrect(st, kind, v)
	}
	if t.Kind == mysql.TypeDate {
		return c.Date(), nil
	}
	if !whole {
		return roundCivil(c, t.Decimals).Datetime(t.Decimals), s.truncated(st)
	}
	if t.Kind == mysql.TypeTimestamp && !c.Zero() && (c.Y < 1970 || c.Y > 2106) {
		return Zero(t), s.incorrect(st, kind, v)
	}
	return c.Datetime(t.Decimals), nil
}

func roundCivil(c value.Civil, digits int) value.Civil {
	if c.Zero() {
		return c
	}
	us := value.RoundMicros(int64(c.Us), digits) - int64(c.Us)
	r, _ := c.Add(0, us)
	return r
}

func (s *State) toTime(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	us, ok := value.ParseTime(value.Text(v))
	if !ok {
		return Zero(&st.Type), s.incorrect(st, "time", v)
	}
	if c := value.ClampTime(us); c != us {
		return value.TimeText(c, st.Type.Decimals), s.outOfRange(st)
	}
	return value.TimeText(us, st.Type.Decimals), nil
}

func (s *State) toYear(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	d, err := s.number(st, v, "year")
	var n int64
	if d = d.Round(0); d.N.IsInt64() {
		n = d.N.Int64()
	} else {
		n = -1
	}
	_, isText := v.(string)
	switch {
	case n == 0 && isText && len(value.Text(v)) < 3:
		n = 2000
	case n > 0 && n < 100:
		n = int64(value.ShortYear(int(n)))
	}
	if n != 0 && (n < 1901 || n > 2155) {
		return int64(0), s.outOfRange(st)
	}
	return n, err
}

func (s *State) toBit(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	var u uint64
	switch v := v.(type) {
	case int64:
		u = uint64(v)
	case float64:
		u = uint64(value.ToInt(v))
	default:
		if st.From == catalog.RepInt || st.From == catalog.RepDec {
			d := value.ToDec(v).Round(0)
			u = d.N.Uint64()
			break
		}
		b := []byte(value.Text(v))
		if len(b) > 8 {
			return value.Unsigned(math.MaxUint64 >> (64 - st.Type.Length)), s.tooLong(st)
		}
		for _, c := range b {
			u = u<<8 | uint64(c)
		}
	}
	if limit := uint64(math.MaxUint64) >> (64 - st.Type.Length); u > limit {
		return value.Unsigned(limit), s.tooLong(st)
	}
	return value.Unsigned(u), nil
}

func (s *State) tooLong(st *Store) *catalog.Error {
	return catalog.Errorf(1406, "Data too long for column '%s' at row %d", st.Name, s.row(st))
}

// BitBytes returns the bytes of a BIT column of so many bits.
func BitBytes(v driver.Value, bits int) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(value.ToInt(v)))
	return b[8-(bits+7)/8:]
}

// Convert converts a value to the type of a column, outside of a statement.
func (s *State) Convert(st *Store, v driver.Value) (driver.Value, error) {
	out, err := s.convert(st, v)
	if err != nil {
		return nil, err
	}
	return out, nil
}
