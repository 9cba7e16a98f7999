package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	mysqlbulk "github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

func TestMySQLPipeline(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		c := d.connect(t)
		mysqlExec(t, c, "CREATE TEMPORARY TABLE piped (id INT PRIMARY KEY, s VARCHAR(20))")
		p := c.Pipeline()
		const n = 2000
		for i := range n {
			p.Add("INSERT INTO piped VALUES (?, ?)", i, fmt.Sprint("row ", i))
		}
		p.Add("INSERT INTO piped VALUES (7, 'again')") // fails alone
		for i := range n {
			p.Add("SELECT s FROM piped WHERE id = ?", n-1-i)
		}
		p.Add("SELECT COUNT(*) FROM piped")
		answers, err := p.Flush(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for answers.Next() {
			i := answers.Index()
			switch {
			case i < n:
				if r, err := answers.Result(); err != nil || r.AffectedRows != 1 {
					t.Fatalf("insert %d: %+v, %v", i, r, err)
				}
			case i == n:
				var e *mysqlclient.ServerError
				if _, err := answers.Result(); !errors.As(err, &e) || e.Code != 1062 || !errors.Is(err, fs.ErrExist) {
					t.Errorf("a second row 7: %v", err)
				}
				failed++
			case i <= 2*n:
				rows := answers.Rows()
				if want := fmt.Sprint("row ", 2*n-i); !rows.Next() || rows.String(0) != want {
					t.Fatalf("answer %d is %q, want %q: %v", i, rows.String(0), want, rows.Err())
				}
			default:
				if rows := answers.Rows(); !rows.Next() || rows.Int64(0) != n {
					t.Errorf("%d rows, want %d", rows.Int64(0), n)
				}
			}
		}
		var e *mysqlclient.ServerError
		if err := answers.Close(); !errors.As(err, &e) || failed != 1 {
			t.Errorf("Close() = %v", err)
		}
	})
}

func TestMySQLLoadData(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		cfg := d.config("app")
		cfg.LocalInfile = true
		c := mysqlConnect(t, cfg)
		if mysqlText(t, c, "SELECT @@local_infile") == "0" {
			mysqlExec(t, c, "SET GLOBAL local_infile = 1")
			defer mysqlExec(t, c, "SET GLOBAL local_infile = 0")
		}
		mysqlExec(t, c, "CREATE TEMPORARY TABLE loaded (id INT PRIMARY KEY, s VARCHAR(200), b VARBINARY(20))")
		const n = 50000
		const load = "LOAD DATA LOCAL INFILE 'anything' INTO TABLE loaded"
		r, w := io.Pipe()
		go func() { // ends with the last row or when the reader is closed
			tsv := mysqlbulk.NewTSVWriter(w, nil)
			for i := range n {
				var s any = fmt.Sprintf("row\t%d\n\\N", i)
				if i%3 == 0 {
					s = nil
				}
				if err := tsv.Write(i, s, "x"); err != nil {
					w.CloseWithError(err)
					return
				}
			}
			w.CloseWithError(tsv.Flush())
		}()
		result, err := c.LoadData(t.Context(), load, r, nil)
		if err != nil || result.AffectedRows != n {
			t.Fatalf("LoadData = %+v, %v", result, err)
		}
		got := mysqlText(t, c, "SELECT COUNT(*), CAST(SUM(s IS NULL) AS SIGNED), CAST(SUM(s = CONCAT('row\\t', id, '\\n\\\\N')) AS SIGNED) FROM loaded")
		if want := fmt.Sprint(n, " ", (n+2)/3, " ", n-(n+2)/3); got != want {
			t.Errorf("in the table: %s, want %s", got, want)
		}
		// A connection that was not told to does not read files, whatever a
		// server asks for.
		if _, err := c.Exec(t.Context(), load); err == nil {
			t.Error("LOAD DATA LOCAL without a reader succeeded")
		}
		if got := mysqlText(t, c, "SELECT 1"); got != "1" {
			t.Errorf("afterwards: %q", got)
		}
		closed := d.connect(t)
		if _, err := closed.LoadData(t.Context(), "LOAD DATA LOCAL INFILE 'x' INTO TABLE nowhere", strings.NewReader("x"), nil); err == nil {
			t.Error("LOAD DATA LOCAL on a connection without LocalInfile succeeded")
		}
	})
}

// TestMySQLCancel ends a context and looks at the server: the statement is gone,
// and so is the connection.
func TestMySQLCancel(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		watcher := d.connect(t)
		c := d.connect(t)
		id := mysqlText(t, c, "SELECT CONNECTION_ID()")
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := c.Exec(ctx, "SELECT SLEEP(60) + COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b")
		took := time.Since(begin)
		var lost *mysqlclient.ConnError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &lost) || took > 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		if c.Err() == nil || c.Ping(t.Context()) == nil {
			t.Error("the connection lives on")
		}
		for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			left := mysqlText(t, watcher, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = "+id)
			if left == "0" {
				t.Logf("gone %v after the cancel", time.Since(begin).Round(time.Millisecond))
				break
			}
			if time.Since(begin) > 20*time.Second {
				t.Fatal("the statement still runs on the server")
			}
		}

		// Interrupt stops the statement and keeps the connection.
		c = d.connect(t)
		go func() { // ends after one kill
			time.Sleep(100 * time.Millisecond)
			if err := c.Interrupt(context.Background()); err != nil {
				t.Errorf("Interrupt: %v", err)
			}
		}()
		begin = time.Now()
		_, err = c.Exec(t.Context(), "SELECT SLEEP(60) FROM (SELECT 1 UNION SELECT 2) x")
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("interrupted after %v: %v", took, err)
		}
		if got := mysqlText(t, c, "SELECT 'alive'"); got != "alive" {
			t.Errorf("after the interrupt: %q", got)
		}
	})
}

func TestMySQLReset(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		cfg := d.config("app")
		cfg.Vars = map[string]string{"sql_mode": "'STRICT_ALL_TABLES'"}
		cfg.Collation = "utf8mb4_bin"
		c := mysqlConnect(t, cfg)
		const state = "SELECT @@sql_mode, @@collation_connection, @@character_set_client, DATABASE(), @x IS NULL, @@autocommit"
		clean := mysqlText(t, c, state)
		if !strings.HasPrefix(clean, "STRICT_ALL_TABLES utf8mb4_bin utf8mb4 ") {
			t.Errorf("after the login: %s", clean)
		}
		if got := mysqlText(t, c, "SELECT ? + 1", 1); got != "2" { // a statement that the reset makes the server forget
			t.Errorf("1 + 1 = %s", got)
		}
		mysqlExec(t, c, "SET @x = 1", "SET sql_mode = ''", "SET NAMES latin1", "SET autocommit = 0",
			"CREATE TEMPORARY TABLE reset_me (id INT)", "INSERT INTO reset_me VALUES (1)")
		if err := c.Use(t.Context(), "information_schema"); err != nil {
			t.Fatal(err)
		}
		if !func() bool { s := c.State(); return s.Dirty }() {
			t.Error("the session is not dirty")
		}
		if err := c.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := mysqlText(t, c, state); got != clean {
			t.Errorf("after the reset %s\nafter the login %s", got, clean)
		}
		if _, err := c.Exec(t.Context(), "SELECT * FROM reset_me"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the temporary table: %v", err)
		}
		if got := mysqlText(t, c, "SELECT ? + 1", 2); got != "3" {
			t.Errorf("2 + 1 = %s", got)
		}
	})
}

func TestMySQLProcedures(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		if d.embedded {
			return // it has none
		}
		cfg := d.config("app")
		cfg.MultiStatements = true
		c := mysqlConnect(t, cfg)
		mysqlExec(t, c, "DROP PROCEDURE IF EXISTS interop_two", "CREATE PROCEDURE interop_two(IN a INT, OUT b INT) BEGIN SELECT a; SELECT a + 1, 'x'; SET b = a * 2; END")
		defer mysqlExec(t, c, "DROP PROCEDURE interop_two")
		rows, err := c.Query(t.Context(), "CALL interop_two(?, ?)", 20, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			line := ""
			for rows.Next() {
				for i := range rows.Columns() {
					line += rows.String(i) + ","
				}
			}
			if rows.OutParams() { // known behind the rows
				line = "out " + line
			}
			if line != "" {
				got = append(got, line)
			}
			if !rows.NextResult() {
				break
			}
		}
		if err := rows.Close(); err != nil || strings.Join(got, " ") != "20, 21,x, out 40," {
			t.Errorf("%q, %v", got, err)
		}
		rows, err = c.Query(t.Context(), "SELECT 1; SET @a = 2; SELECT @a, 3; SELECT * FROM no_such_table; SELECT 4")
		if err != nil {
			t.Fatal(err)
		}
		results := 1
		for rows.NextResult() {
			results++
		}
		var e *mysqlclient.ServerError
		if err := rows.Close(); !errors.As(err, &e) || e.Code != 1146 || results > 4 {
			t.Errorf("%d results, then %v", results, err)
		}
		if got := mysqlText(t, c, "SELECT 5"); got != "5" {
			t.Errorf("afterwards: %q", got)
		}
	})
}

func TestMySQLTransactions(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		c, other := d.connect(t), d.connect(t)
		mysqlExec(t, c, "DROP TABLE IF EXISTS interop_tx", "CREATE TABLE interop_tx (id INT PRIMARY KEY) ENGINE=InnoDB")
		defer func() { mysqlExec(t, other, "DROP TABLE interop_tx") }()
		for _, commit := range []bool{false, true} {
			tx, err := c.Begin(t.Context(), mysqlclient.TxOptions{Isolation: "READ COMMITTED"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "INSERT INTO interop_tx VALUES (?)", 1); err != nil {
				t.Fatal(err)
			}
			state := c.State()
			if got := mysqlText(t, other, "SELECT COUNT(*) FROM interop_tx"); got != "0" || !state.InTransaction() {
				t.Errorf("before the end others see %s rows, in a transaction: %v", got, state.InTransaction())
			}
			end := tx.Rollback
			if commit {
				end = tx.Commit
			}
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := mysqlText(t, other, "SELECT COUNT(*) FROM interop_tx"); got != "1" {
			t.Errorf("after the commit others see %s rows", got)
		}
	})
}

// TestMySQLIdleTimeout lets the server hang up on an idle connection. MySQL says
// why (4031), MariaDB does not; either way nothing of the next command is sent.
func TestMySQLIdleTimeout(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		if d.embedded {
			return // it has none
		}
		for _, mode := range []mysqlclient.TLSMode{mysqlclient.TLSDisabled, mysqlclient.TLSPreferred} {
			cfg := d.config("app")
			cfg.TLSMode = mode
			c := mysqlConnect(t, cfg)
			if err := c.Check(); err != nil {
				t.Errorf("TLS mode %v, an idle connection that lives: %v", mode, err)
			}
			mysqlExec(t, c, "SET SESSION wait_timeout = 1")
			for begin := time.Now(); c.Check() == nil; time.Sleep(20 * time.Millisecond) {
				if time.Since(begin) > 20*time.Second {
					t.Fatalf("TLS mode %v: the server does not hang up", mode)
				}
			}
			err := c.Ping(t.Context())
			var lost *mysqlclient.ConnError
			if !errors.As(err, &lost) || !lost.SafeToRetry() || !errors.Is(err, net.ErrClosed) {
				t.Errorf("TLS mode %v: %v", mode, err)
			}
			t.Logf("%v", err)
		}
	})
}

func TestMySQLSmallCommands(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		c := d.connect(t)
		if err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if s, err := c.Statistics(t.Context()); err != nil || !strings.Contains(s, "Uptime") {
			t.Errorf("Statistics() = %q, %v", s, err)
		}
		if err := c.SetOption(t.Context(), mysql.OptionMultiStatementsOn); err != nil {
			t.Error(err)
		}
		mysqlExec(t, c, "SELECT 1; SELECT 2")
		if err := c.SetOption(t.Context(), mysql.OptionMultiStatementsOff); err != nil {
			t.Error(err)
		}
		if _, err := c.Exec(t.Context(), "SELECT 1; SELECT 2"); err == nil {
			t.Error("two statements succeeded after they were switched off")
		}
		mysqlExec(t, c, "CREATE TEMPORARY TABLE listed (id INT, name VARCHAR(20) DEFAULT 'x')")
		if columns, err := c.FieldList(t.Context(), "listed", "n%"); err != nil || len(columns) != 1 || columns[0].Name != "name" {
			t.Errorf("FieldList() = %+v, %v", columns, err)
		}
		victim := d.connect(t)
		if err := c.Kill(t.Context(), uint64(victim.Server().ConnID), false); err != nil {
			t.Error(err)
		}
		for begin := time.Now(); victim.Check() == nil && time.Since(begin) < 10*time.Second; {
			time.Sleep(5 * time.Millisecond)
		}
		if err := victim.Ping(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the killed connection: %v", err)
		}
	})
}
