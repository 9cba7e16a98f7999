package mysql

import (
	"fmt"
	"iter"
	"slices"

	"github.com/wirelark/wirelark/wire"
)

// BulkFlags say how [StmtBulkExecute] is to be taken.
type BulkFlags uint16

// The flags of [StmtBulkExecute].
const (
	BulkUnitResults BulkFlags = 64  // a result for each row, MariaDBBulkUnitResults
	BulkSendTypes   BulkFlags = 128 // the types are sent; must be so the first time
)

var bulkFlagNames = [...]string{6: "SEND_UNIT_RESULTS", 7: "SEND_TYPES_TO_SERVER"}

// String returns the names of the flags joined by "|", "0" for none.
func (v BulkFlags) String() string { return wire.FlagNames(uint64(v), bulkFlagNames[:]) }

// Indicator says what stands in the place of a bulk's value.
type Indicator uint8

// The indicators.
const (
	IndicatorNone      Indicator = 0 // the value follows
	IndicatorNull      Indicator = 1
	IndicatorDefault   Indicator = 2 // the column's default
	IndicatorIgnore    Indicator = 3 // the column is left as it is
	IndicatorIgnoreRow Indicator = 4
)

var indicatorNames = [...]string{"STMT_INDICATOR_NONE", "STMT_INDICATOR_NULL", "STMT_INDICATOR_DEFAULT", "STMT_INDICATOR_IGNORE", "STMT_INDICATOR_IGNORE_ROW"}

// String returns MariaDB's name, or "indicator 9".
func (v Indicator) String() string {
	if int(v) < len(indicatorNames) {
		return indicatorNames[v]
	}
	return fmt.Sprintf("indicator %d", uint8(v))
}

// BulkValue is a value of a bulk, or what stands in its place.
type BulkValue struct {
	Indicator Indicator
	Value     Value // IndicatorNone only
}

// BulkOf returns v with the indicator that suits it.
func BulkOf(v Value) BulkValue {
	if v.IsNull() {
		return BulkValue{Indicator: IndicatorNull}
	}
	return BulkValue{Value: v}
}

// StmtBulkExecute executes a prepared statement once for each of many rows of
// parameters. MariaDB only, MariaDBBulkOperations: COM_STMT_BULK_EXECUTE.
//
// To decode it one must know how many parameters the statement has, and their
// types when BulkSendTypes is not set: see [NewStmtBulkExecute]. A
// StmtBulkExecute that was not told leaves them in Unparsed.
type StmtBulkExecute struct {
	ID       uint32
	Flags    BulkFlags
	Types    []ParamType // of the parameters; sent if BulkSendTypes
	Values   []BulkValue // row by row
	Unparsed []byte      // what stands behind Flags; aliases the packet

	known bool // params is
}

// NewStmtBulkExecute returns an empty StmtBulkExecute for a statement whose
// parameters had the types last in its last execution. Last is not copied.
func NewStmtBulkExecute(last []ParamType) *StmtBulkExecute {
	return &StmtBulkExecute{known: true, Types: last}
}

func (m *StmtBulkExecute) Fields(c *wire.Coder) {
	wire.UintLE(c, "statement_id", 4, &m.ID)
	wire.UintLE(c, "flags", 2, &m.Flags)
	if c.Decoding() && !m.known || !c.Decoding() && m.Unparsed != nil {
		c.Rest("parameters", &m.Unparsed)
		return
	}
	if m.Flags&BulkSendTypes != 0 {
		if c.Decoding() {
			m.Types = make([]ParamType, len(m.Types))
		}
		m.typesFields(c)
	}
	if len(m.Types) == 0 {
		return
	}
	i := 0
	wire.ListRest(c, "values", &m.Values, func(v *BulkValue, c *wire.Coder) {
		v.fields(c, m.Types[i%len(m.Types)])
		i++
	})
}

func (v *BulkValue) fields(c *wire.Coder, t ParamType) {
	c.Suggest(8, 0, 3)
	wire.Enum8(c, "indicator", &v.Indicator)
	if v.Indicator == IndicatorNone {
		t.cell().fields(c, &v.Value)
	}
}

// Sets decodes the rows of a bulk whose parameters were left in Unparsed one by
// one, for those who do not want to hold all of them: a value takes many times
// its bytes. last are the types of the statement's parameters in its last
// execution; types are those of this one. A row is valid until the next one.
// A malformed row ends the sequence with a [*wire.Error].
func (m *StmtBulkExecute) Sets(last []ParamType, d wire.Dialect) (types []ParamType, sets iter.Seq2[[]BulkValue, error], err error) {
	head := StmtBulkExecute{Flags: m.Flags, Types: slices.Clone(last)}
	rest := m.Unparsed
	if m.Flags&BulkSendTypes != 0 {
		n, err := wire.ParsePrefix(rest, (*bulkTypes)(&head), d)
		if err != nil {
			return nil, nil, err
		}
		rest = rest[n:]
	}
	set := bulkSet{head.Types, make([]BulkValue, len(last))}
	return head.Types, func(yield func([]BulkValue, error) bool) {
		for rest := rest; len(rest) > 0 && len(last) > 0; {
			clear(set.values)
			n, err := wire.ParsePrefix(rest, &set, d)
			if err != nil {
				yield(nil, err)
				return
			}
			if rest = rest[n:]; !yield(set.values, nil) {
				return
			}
		}
	}, nil
}

// bulkTypes is the part of a bulk that holds the types.
type bulkTypes StmtBulkExecute

func (m *bulkTypes) Fields(c *wire.Coder) { (*StmtBulkExecute)(m).typesFields(c) }

func (m *StmtBulkExecute) typesFields(c *wire.Coder) {
	wire.Each(c, "types", m.Types, func(_ int, t *ParamType, c *wire.Coder) { t.fields(c) })
}

// bulkSet is one row of a bulk.
type bulkSet struct {
	types  []ParamType
	values []BulkValue
}

func (s *bulkSet) Fields(c *wire.Coder) {
	wire.Each(c, "values", s.values, func(i int, v *BulkValue, c *wire.Coder) { v.fields(c, s.types[i]) })
}
