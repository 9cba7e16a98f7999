package mysqlserver

import (
	"context"
	"fmt"
	"iter"

	"github.com/wirelark/wirelark/mysql"
)

// executeBulk answers COM_STMT_BULK_EXECUTE.
func (c *Conn) executeBulk(ctx context.Context, p []byte) error {
	if !c.client.Capabilities.Has(mysql.MariaDBBulkOperations) {
		return c.fail(errUnknownCommand)
	}
	var head mysql.StmtBulkExecute
	if err := c.parse(p, &head); err != nil {
		return c.fail(errMalformed)
	}
	s := c.stmts.find(head.ID)
	if s == nil {
		return c.fail(unknownStatement(head.ID, "mysqld_stmt_bulk_execute"))
	}
	s.closeCursor(c)
	s.dropLong(c)
	last := make([]mysql.ParamType, len(s.shape))
	for i := range last {
		last[i] = s.shape[i].Type
	}
	types, sets, err := head.Sets(last, c.pc.Dialect())
	typed := head.Flags&mysql.BulkSendTypes != 0
	switch {
	case err != nil:
		return c.fail(errMalformed)
	case len(last) == 0 || !typed && !s.bound:
		return c.fail(Errorf(1210, "Incorrect arguments to mysqld_stmt_bulk_execute"))
	}
	for i := range types {
		s.shape[i].Type = types[i]
	}
	s.bound = s.bound || typed
	c.s.serving.questions.Add(1)
	c.executes(s.text)
	w := Writer{c: c, ctx: ctx, binary: true, stmt: s}
	if b, ok := s.st.(BulkStatement); ok {
		err := c.guard("ExecuteBulk", func() error { return b.ExecuteBulk(ctx, &w, whole(sets)) })
		_, err = w.end(ctx, err)
		return err
	}
	return c.executeEach(ctx, &w, s, whole(sets))
}

// whole makes an error for the client of what is wrong with a set.
func whole(sets iter.Seq2[[]mysql.BulkValue, error]) iter.Seq2[[]mysql.BulkValue, error] {
	return func(yield func([]mysql.BulkValue, error) bool) {
		for set, err := range sets {
			if err != nil {
				err = errMalformed
			}
			if !yield(set, err) {
				return
			}
		}
	}
}

// executeEach executes a statement once for each set of values, and answers
// with what that makes together.
func (c *Conn) executeEach(ctx context.Context, w *Writer, s *prepared, sets iter.Seq2[[]mysql.BulkValue, error]) error {
	var sum Result
	done := 0
	args := make([]mysql.Value, len(s.shape))
	w.sum = &sum
	for set, err := range sets {
		skip := false
		if err == nil {
			skip, err = bulkArguments(args, set)
		}
		if skip {
			continue
		}
		if err == nil {
			err = c.guard("Execute", func() error { return s.st.Execute(ctx, w, &Execution{Args: args}) })
		}
		if err != nil {
			w.sum = nil
			w.state = fresh
			_, err = w.end(ctx, err)
			return err
		}
		done++
	}
	w.sum, w.state = nil, fresh
	sum.Info = fmt.Sprintf("Records: %d  Duplicates: 0  Warnings: %d", done, sum.Warnings)
	if err := w.OK(sum); err != nil {
		return err
	}
	return w.finish(nil)
}

// bulkArguments copies the values of a set into args. skip says that the whole
// set is to be left out.
func bulkArguments(args []mysql.Value, set []mysql.BulkValue) (skip bool, err error) {
	for i := range set {
		switch set[i].Indicator {
		case mysql.IndicatorNone:
			args[i] = set[i].Value
		case mysql.IndicatorNull:
			args[i] = mysql.Null()
		case mysql.IndicatorIgnoreRow:
			return true, nil
		case mysql.IndicatorDefault, mysql.IndicatorIgnore:
			return false, Errorf(1235, "This server doesn't yet support 'DEFAULT and IGNORE in bulk executions'")
		default:
			return false, errMalformed
		}
	}
	return false, nil
}
