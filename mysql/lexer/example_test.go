package lexer_test

import (
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/mysql/lexer"
)

func ExampleSplitter() {
	s := lexer.NewSplitter(strings.NewReader("select ';'; delete from t where a = ?"), lexer.CutConfig{})
	for {
		st, err := s.Next()
		if err != nil {
			break
		}
		fmt.Println(lexer.Verb(st.SQL, lexer.Config{}), len(lexer.Placeholders(st.SQL, lexer.Config{})))
	}
	// Output:
	// SELECT 0
	// DELETE 1
}

func ExampleMaskSecrets() {
	fmt.Println(lexer.MaskSecrets("alter user me identified by 'swordfish'", lexer.Config{}))
	// Output: alter user me identified by '<secret>'
}
