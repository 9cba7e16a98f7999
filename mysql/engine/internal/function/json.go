package function

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

var jsonFuncs = map[string]scalar{
	"wl_json_quote": func(a []driver.Value) (driver.Value, error) {
		if a[0] == nil {
			return nil, nil
		}
		return quoteJSON(value.Text(a[0])), nil
	},
	"wl_json_unquote": stringFunc(func(s string) driver.Value {
		var out string
		if strings.HasPrefix(s, `"`) && json.Unmarshal([]byte(s), &out) == nil {
			return out
		}
		return s
	}),
	// wl_json_object(key, json, key, json …) and wl_json_array(json …): values
	// that are JSON already.
	"wl_json_object": func(a []driver.Value) (driver.Value, error) {
		var b strings.Builder
		for i := 0; i+1 < len(a); i += 2 {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quoteJSON(value.Text(a[i])) + ": " + jsonValue(a[i+1]))
		}
		return "{" + b.String() + "}", nil
	},
	"wl_json_array": func(a []driver.Value) (driver.Value, error) {
		list := make([]string, len(a))
		for i, v := range a {
			list[i] = jsonValue(v)
		}
		return "[" + strings.Join(list, ", ") + "]", nil
	},
	"wl_json_length": stringFunc(func(s string) driver.Value {
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			return nil
		}
		switch v := v.(type) {
		case []any:
			return int64(len(v))
		case map[string]any:
			return int64(len(v))
		}
		return int64(1)
	}),
	"wl_json_type": stringFunc(func(s string) driver.Value {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return nil
		}
		switch v := v.(type) {
		case []any:
			return "ARRAY"
		case map[string]any:
			return "OBJECT"
		case string:
			return "STRING"
		case bool:
			return "BOOLEAN"
		case json.Number:
			if strings.ContainsAny(v.String(), ".eE") {
				return "DOUBLE"
			}
			return "INTEGER"
		}
		return "NULL"
	}),
	"wl_json_keys": stringFunc(func(s string) driver.Value {
		d := json.NewDecoder(strings.NewReader(s))
		t, err := d.Token()
		if err != nil || t != json.Delim('{') {
			return nil
		}
		var keys []string
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil
			}
			var skip json.RawMessage
			if d.Decode(&skip) != nil {
				return nil
			}
			name, _ := k.(string)
			keys = append(keys, quoteJSON(name))
		}
		return "[" + strings.Join(keys, ", ") + "]"
	}),
	"wl_json_spaces": stringFunc(func(s string) driver.Value { return spaces(s) }),
}

// jsonValue returns what stands for v in a JSON text.
func jsonValue(v driver.Value) string {
	if v == nil {
		return "null"
	}
	return value.Text(v)
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// spaces puts a space behind the commas and colons of a JSON text that has
// none, as MySQL writes it.
func spaces(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		b.WriteByte(c)
		switch {
		case quoted && c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':') && i+1 < len(s) && s[i+1] != ' ':
			b.WriteByte(' ')
		}
	}
	return b.String()
}
