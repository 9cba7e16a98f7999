package mysqlshell

import (
	"slices"
	"testing"

	"github.com/wirelark/wirelark/mysql/mysqltest"
)

func TestComplete(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Interactive = true })
	names := func(list ...string) []mysqltest.Row {
		rows := make([]mysqltest.Row, len(list))
		for i, n := range list {
			rows[i] = mysqltest.Row{n}
		}
		return rows
	}
	one := mysqltest.Columns("n")
	d.server.Allow("...").Rows(one)
	d.server.Allow("SHOW DATABASES").Rows(one, names("shop", "sales")...)
	d.server.Allow("SHOW TABLES FROM `shop`").Rows(one, names("orders", "customers")...)
	d.server.Allow("SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'orders'").Rows(one, names("id", "customer_id", "total")...)
	d.server.Allow("SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'customers'").Rows(one, names("id", "name")...)
	d.server.Allow("SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' LIMIT 10000").Rows(one, names("orders")...)
	if err := d.line(t, "use shop"); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		line string
		want []string // all of them, or those that must be there
		only bool
	}{
		{"rollb", []string{"rollback"}, true},
		{"SELECT * FR", []string{"SELECT * FROM"}, true},
		{"use s", []string{"use sales", "use shop"}, true},
		{"select * from o", []string{"select * from orders"}, true},
		{"select * from orders, c", []string{"select * from orders, customers"}, true},
		{"select * from orders o join customers c on o.cust", []string{"select * from orders o join customers c on o.customer_id"}, true},
		{"select * from orders o join customers c on c.", []string{"select * from orders o join customers c on c.id", "select * from orders o join customers c on c.name"}, true},
		{"select * from shop.o", []string{"select * from shop.orders"}, true},
		{"select * from orders where to", []string{"select * from orders where total"}, true},
		{"sel", []string{"select"}, false},
		{"sour", []string{"source"}, true},
		{"select nothing_like_it", nil, true},
	} {
		got := d.Complete(t.Context(), r.line)
		ok := slices.Equal(got, r.want)
		if !r.only {
			ok = !slices.ContainsFunc(r.want, func(w string) bool { return !slices.Contains(got, w) })
		}
		if !ok {
			t.Errorf("%q: %q, want %q", r.line, got, r.want)
		}
	}

	// Names are asked for once, on a connection of their own.
	before := len(d.server.Statements())
	d.Complete(t.Context(), "select * from o")
	if got := len(d.server.Statements()); got != before {
		t.Errorf("asked again: %q", d.server.Statements()[before:])
	}
	if len(d.conns) != 2 {
		t.Errorf("%d connections", len(d.conns))
	}
}

// With -A, and where nothing can be looked up, completion has the words of SQL.
func TestCompleteWithoutNames(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Names = false })
	if got := d.Complete(t.Context(), "SELE"); !slices.Equal(got, []string{"SELECT"}) {
		t.Errorf("%q", got)
	}
	if len(d.conns) > 0 {
		t.Errorf("%d connections", len(d.conns))
	}
}
