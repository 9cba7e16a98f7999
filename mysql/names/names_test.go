package names_test

import (
	"fmt"
	"testing"

	"github.com/wirelark/wirelark/mysql/names"
)

func TestTables(t *testing.T) {
	for _, row := range []struct {
		code           uint16
		mysql, mariadb string
		state          string
	}{
		{1062, "ER_DUP_ENTRY", "ER_DUP_ENTRY", "23000"},
		{1045, "ER_ACCESS_DENIED_ERROR", "ER_ACCESS_DENIED_ERROR", "28000"},
		{4031, "ER_CLIENT_INTERACTION_TIMEOUT", "ER_REFERENCED_TRG_DOES_NOT_EXIST", "HY000"},
		{1969, "ER_STATEMENT_TIMEOUT", "ER_STATEMENT_TIMEOUT", "HY000"},
		{1317, "ER_QUERY_INTERRUPTED", "ER_QUERY_INTERRUPTED", "70100"},
		{1, "", "", "HY000"},
		{65535, "", "", "HY000"},
	} {
		if a, b, c := names.Error(row.code), names.MariaDBError(row.code), names.State(row.code); a != row.mysql || b != row.mariadb || c != row.state {
			t.Errorf("%d is %q, %q, %q, want %q, %q, %q", row.code, a, b, c, row.mysql, row.mariadb, row.state)
		}
	}
	for _, row := range []names.Collation{
		{ID: 1, Charset: "big5", Name: "big5_chinese_ci"},
		{ID: 45, Charset: "utf8mb4", Name: "utf8mb4_general_ci"},
		{ID: 63, Charset: "binary", Name: "binary"},
		{ID: 255, Charset: "utf8mb4", Name: "utf8mb4_0900_ai_ci"},
	} {
		if got, ok := names.CollationByID(row.ID); !ok || got != row {
			t.Errorf("collation %d is %v", row.ID, got)
		}
		if got, ok := names.CollationByName(row.Name); !ok || got != row {
			t.Errorf("collation %q is %v", row.Name, got)
		}
	}
	if got, ok := names.CollationByName("utf8mb4_croatian_mysql561_ci"); !ok || got.ID != 245 {
		t.Errorf("MariaDB's name for collation 245 is that of %v", got)
	}
	if got, ok := names.CollationByID(65535); ok {
		t.Errorf("collation 65535 is %v", got)
	}
	if got, ok := names.CollationByName("no such"); ok {
		t.Errorf("a name that nobody has is that of %v", got)
	}
}

func Example() {
	fmt.Println(names.Error(1062), names.State(1062))
	c, _ := names.CollationByID(45)
	fmt.Println(c.Charset, c.Name)
	// Output:
	// ER_DUP_ENTRY 23000
	// utf8mb4 utf8mb4_general_ci
}
