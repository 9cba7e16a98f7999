package session

import (
	"context"
	"database/sql/driver"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	values "github.com/wirelark/wirelark/mysql/engine/internal/value"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// variablesText lists the system variables: lines of name and default. A "!"
// before the name marks those that cannot be set.
//
//go:embed variables.txt
var variablesText string

// variables are the system variables of a session by name.
type variables map[string]string

func defaultVariables() variables {
	v := variables{}
	for line := range strings.SplitSeq(strings.TrimSpace(variablesText), "\n") {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "!"), "\t")
		v[name] = value
	}
	return v
}

// globals returns what sessions begin with: the defaults, and what SET GLOBAL
// has changed.
func (e *Engine) globals() variables {
	v := defaultVariables()
	e.Mu.Lock()
	defer e.Mu.Unlock()
	maps.Copy(v, e.global)
	return v
}

func (v variables) text(name string) string { return v[name] }

// readOnly reports whether a variable cannot be set.
func readOnly(name string) bool {
	return strings.Contains("\n"+variablesText, "\n!"+name+"\t")
}

// booleans are the variables that are shown as ON and OFF and read as 1 and 0.
func isSwitch(value string) bool { return value == "ON" || value == "OFF" }

// sysVar returns the value of a system variable.
func (s *Session) sysVar(level, name string) (scope.Value, error) {
	value, ok := s.Vars[name]
	vars := s.Vars
	if level == "global" {
		vars = s.E.globals()
		value = vars[name]
	}
	switch name {
	case "version":
		value, ok = s.version(), true
	case "last_insert_id", "identity":
		value, ok = strconv.FormatUint(s.St.LastID, 10), true
	case "warning_count":
		value, ok = strconv.Itoa(len(s.St.Warnings)), true
	case "error_count":
		value, ok = "0", true
	case "pseudo_thread_id":
		value, ok = strconv.Itoa(int(s.id)), true
	case "timestamp":
		value, ok = fmt.Sprintf("%d.%06d", s.St.Now.Unix(), s.St.Now.Nanosecond()/1000), true
	case "autocommit":
		if value = "OFF"; s.txn.auto || level == "global" {
			value = "ON"
		}
	case "tx_isolation", "transaction_isolation":
		value, ok = vars["transaction_isolation"], true
	}
	if !ok {
		return scope.Value{}, catalog.Errorf(1193, "Unknown system variable '%s'", name)
	}
	big := catalog.Type{Kind: mysql.TypeLonglong, Length: 21, Precision: 20, Collation: "binary", Expr: true}
	if isSwitch(value) {
		big.Length, big.Precision = 1, 1
		return scope.Value{Type: big, Value: map[string]int64{"ON": 1, "OFF": 0}[value]}, nil
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && value != "" {
		big.Unsigned = true
		return scope.Value{Type: big, Value: n}, nil
	}
	if f, err := strconv.ParseFloat(value, 64); err == nil && strings.Contains(value, ".") && name != "version" {
		return scope.Value{Type: catalog.Type{Kind: mysql.TypeDouble, Length: 23, Decimals: 6, Collation: "binary", Expr: true}, Value: f}, nil
	}
	t := catalog.Type{Kind: mysql.TypeVarString, Length: len([]rune(value)), Collation: "utf8mb3_general_ci", Expr: true}
	return scope.Value{Type: t, Value: value}, nil
}

// setUserVar sets @name.
func (s *Session) setUserVar(name string, t catalog.Type, v driver.Value) {
	if s.St.Vars == nil {
		s.St.Vars = map[string]store.Var{}
	}
	vt := values.VarType(t.Rep())
	if t.Rep() == catalog.RepText {
		vt.Collation = t.Collation
	}
	if t.Rep() == catalog.RepInt {
		vt.Unsigned = t.Unsigned
	}
	if v == nil {
		vt = values.VarType(catalog.RepNull)
	}
	s.St.Vars[name] = store.Var{Type: vt, Value: v}
}

// set answers SET.
func (s *Session) set(ctx context.Context, w *mysqlserver.Writer, st *ast.Set, params []scope.Value) error {
	for i := range st.Items {
		if err := s.setItem(ctx, &st.Items[i], params); err != nil {
			return err
		}
	}
	return s.Ok(w, mysqlserver.Result{})
}

func (s *Session) setItem(ctx context.Context, it *ast.SetItem, params []scope.Value) error {
	switch it.Scope {
	case "names", "charset":
		return s.setNames(it)
	case "transaction":
		for part := range strings.SplitSeq(it.Bare, ",") {
			switch part {
			case "ONLY", "WRITE":
				if it.Name == "" {
					s.txn.next = part == "ONLY"
				}
			default:
				s.Vars["transaction_isolation"] = part
			}
		}
		return nil
	}
	var text string
	if it.X != nil {
		r, err := translate.Values(s.Env(params), []ast.Expr{it.X})
		if err != nil {
			return err
		}
		rows, err := s.Rows(ctx, r.SQL, r.Args...)
		if err != nil {
			return err
		}
		v, t := rows[0][0], r.Columns[0].Type
		if it.Scope == "user" {
			s.setUserVar(it.Name, t, v)
			return nil
		}
		if v != nil {
			mv := Value(&t, v)
			text = mv.String()
		}
	} else if d, ok := defaultVariables()[it.Name]; ok {
		text = d
	}
	return s.setVariable(ctx, it.Scope, it.Name, text)
}

// setNames sets the character set and the collation of the connection.
func (s *Session) setNames(it *ast.SetItem) error {
	charset := it.Bare
	if charset == "default" {
		charset = "utf8mb4"
	}
	c, err := catalog.Collation(charset, it.Name, DefaultCollation)
	if err != nil {
		return err
	}
	cs := catalog.CharsetOf(c)
	for _, n := range []string{"character_set_client", "character_set_connection", "character_set_results"} {
		s.Vars[n] = cs
		s.track(n, cs)
	}
	s.Vars["collation_connection"] = c
	return nil
}

func (s *Session) track(name, value string) {
	if s.Client != nil {
		s.Client.TrackVariable(name, value)
	}
}

// setVariable sets a system variable.
func (s *Session) setVariable(ctx context.Context, level, name, value string) error {
	old, ok := s.Vars[name]
	if !ok {
		switch name {
		case "last_insert_id", "identity":
			n, _ := strconv.ParseUint(value, 10, 64)
			s.St.LastID = n
			return nil
		case "timestamp":
			f, err := strconv.ParseFloat(value, 64)
			if s.fixed = (time.Time{}); err == nil && f > 0 {
				s.fixed = time.UnixMicro(int64(f * 1e6))
			}
			return nil
		case "rand_seed1", "rand_seed2", "insert_id", "pseudo_thread_id", "storage_engine", "gtid_next", "session_track_gtids":
			return nil
		case "tx_isolation":
			name = "transaction_isolation"
		case "tx_read_only":
			name = "transaction_read_only"
		default:
			return catalog.Errorf(1193, "Unknown system variable '%s'", name)
		}
	}
	if readOnly(name) {
		return catalog.Errorf(1238, "Variable '%s' is a read only variable", name)
	}
	if isSwitch(old) {
		switch strings.ToUpper(value) {
		case "1", "ON", "TRUE":
			value = "ON"
		case "0", "OFF", "FALSE":
			value = "OFF"
		default:
			return catalog.Errorf(1231, "Variable '%s' can't be set to the value of '%s'", name, value)
		}
	} else if _, err := strconv.ParseInt(old, 10, 64); err == nil && old != "" {
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return catalog.Errorf(1232, "Incorrect argument type to variable '%s'", name)
		}
	}
	if level == "global" {
		if name == "autocommit" || name == "time_zone" || name == "sql_mode" {
			return catalog.Errorf(1235, "This version of Wirelark doesn't yet support 'SET GLOBAL %s'", name)
		}
		s.E.Mu.Lock()
		defer s.E.Mu.Unlock()
		s.E.global[name] = value
		return nil
	}
	return s.apply(ctx, name, value)
}

// apply carries out what a variable means.
func (s *Session) apply(ctx context.Context, name, value string) error {
	switch name {
	case "autocommit":
		if on := value == "ON"; on != s.txn.auto {
			if on {
				if err := s.Commit(ctx); err != nil {
					return err
				}
			}
			s.txn.auto = on
			s.status()
		}
	case "sql_mode":
		modes, err := parseModes(value)
		if err != nil {
			return err
		}
		value = modes
		m := lexer.ParseMode(value)
		if s.Client != nil {
			s.Client.SetStatus(mysql.StatusANSIQuotes, m&lexer.ANSIQuotes != 0)
			s.Client.SetStatus(mysql.StatusNoBackslashEscapes, m&lexer.NoBackslashEscapes != 0)
		}
	case "time_zone":
		z, err := s.zone(value)
		if err != nil {
			return err
		}
		s.St.Zone = z
	case "foreign_key_checks":
		if s.txn.open {
			return catalog.Errorf(1235, "This version of Wirelark doesn't yet support 'SET foreign_key_checks in a transaction'")
		}
		if _, err := s.Exec(ctx, "PRAGMA foreign_keys = "+value); err != nil {
			return err
		}
	case "innodb_lock_wait_timeout", "lock_wait_timeout":
		n, _ := strconv.Atoi(value)
		if _, err := s.Exec(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", min(max(n, 0), 1<<20)*1000)); err != nil {
			return err
		}
	case "collation_connection", "collation_database", "collation_server":
		c, err := catalog.Collation("", value, DefaultCollation)
		if err != nil {
			return err
		}
		value = c
	case "character_set_client", "character_set_connection", "character_set_results":
		if value != "" && value != "NULL" {
			if _, err := catalog.Collation(value, "", DefaultCollation); err != nil {
				return err
			}
		}
	}
	s.Vars[name] = value
	s.track(name, value)
	return nil
}

// modes are the known modes.
const modes = `,REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,NO_UNSIGNED_SUBTRACTION,NO_DIR_IN_CREATE,ANSI,` +
	`NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ALLOW_INVALID_DATES,` +
	`ERROR_FOR_DIVISION_BY_ZERO,TRADITIONAL,HIGH_NOT_PRECEDENCE,NO_ENGINE_SUBSTITUTION,PAD_CHAR_TO_FULL_LENGTH,NO_AUTO_CREATE_USER,` +
	`NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS,TIME_TRUNCATE_FRACTIONAL,EMPTY_STRING_IS_NULL,SIMULTANEOUS_ASSIGNMENT,`

func parseModes(value string) (string, error) {
	var list []string
	for m := range strings.SplitSeq(strings.ToUpper(value), ",") {
		m = strings.TrimSpace(m)
		if m == "" || slices.Contains(list, m) {
			continue
		}
		if !strings.Contains(modes, ","+m+",") {
			return "", catalog.Errorf(1231, "Variable 'sql_mode' can't be set to the value of '%s'", m)
		}
		list = append(list, m)
	}
	if slices.Contains(list, "ANSI") && !slices.Contains(list, "PIPES_AS_CONCAT") {
		list = append([]string{"REAL_AS_FLOAT", "PIPES_AS_CONCAT", "ANSI_QUOTES", "IGNORE_SPACE"}, list...)
	}
	return strings.Join(list, ","), nil
}

// zone reads a time zone: SYSTEM, an offset or a name.
func (s *Session) zone(value string) (*time.Location, error) {
	if strings.EqualFold(value, "SYSTEM") {
		return s.E.cfg.TimeZone, nil
	}
	var h, m int
	if n, _ := fmt.Sscanf(value, "%d:%d", &h, &m); n == 2 && m >= 0 && m < 60 && h >= -14 && h <= 14 {
		if strings.HasPrefix(value, "-") {
			m = -m
		}
		return time.FixedZone(value, h*3600+m*60), nil
	}
	z, err := time.LoadLocation(value)
	if err != nil || value == "" {
		return nil, catalog.Errorf(1298, "Unknown or incorrect time zone: '%s'", value)
	}
	return z, nil
}

// VariableRows are the rows of SHOW VARIABLES.
func (s *Session) VariableRows(global bool) [][2]string {
	vars := maps.Clone(s.Vars)
	if global {
		vars = s.E.globals()
	}
	vars["version"] = s.version()
	if !s.txn.auto && !global {
		vars["autocommit"] = "OFF"
	}
	vars["tx_isolation"] = vars["transaction_isolation"]
	var list [][2]string
	for _, n := range slices.Sorted(maps.Keys(vars)) {
		list = append(list, [2]string{n, vars[n]})
	}
	return list
}
