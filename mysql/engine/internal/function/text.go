package function

import (
	"bytes"
	"crypto/md5" //nolint:gosec // MD5() is a function of SQL
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // so is SHA1()
	"crypto/sha256"
	"crypto/sha512"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// maxText bounds what REPEAT, LPAD and the like make: max_allowed_packet.
const maxText = 16 << 20

var textFuncs = map[string]scalar{
	"wl_text":        func(a []driver.Value) (driver.Value, error) { return toText(a), nil },
	"wl_bytes":       func(a []driver.Value) (driver.Value, error) { return toBytes(a[0]), nil },
	"wl_bit_bytes":   strict(func(a []driver.Value) driver.Value { return store.BitBytes(a[0], int(value.ToInt(a[1]))) }),
	"wl_like":        like,
	"wl_regexp":      regex,
	"wl_concat":      strict(func(a []driver.Value) driver.Value { return joinAll("", a) }),
	"wl_concat_ws":   concatWS,
	"wl_upper":       stringFunc(func(s string) driver.Value { return strings.ToUpper(s) }),
	"wl_lower":       stringFunc(func(s string) driver.Value { return strings.ToLower(s) }),
	"wl_length":      stringFunc(func(s string) driver.Value { return int64(len(s)) }),
	"wl_char_length": strict(charLength),
	"wl_reverse":     stringFunc(reverse),
	"wl_left":        strict(func(a []driver.Value) driver.Value { return slice(a[0], 0, value.ToInt(a[1])) }),
	"wl_right": strict(func(a []driver.Value) driver.Value {
		n := length(a[0])
		k := max(0, min(n, value.ToInt(a[1])))
		return slice(a[0], n-k, k)
	}),
	"wl_substring":       strict(substring),
	"wl_substring_index": strict(substringIndex),
	"wl_locate":          strict(locate),
	"wl_instr":           strict(func(a []driver.Value) driver.Value { return locate([]driver.Value{a[1], a[0], int64(1), a[2]}) }),
	"wl_lpad":            strict(func(a []driver.Value) driver.Value { return pad(a, true) }),
	"wl_rpad":            strict(func(a []driver.Value) driver.Value { return pad(a, false) }),
	"wl_trim":            strict(trim),
	"wl_repeat": strict(func(a []driver.Value) driver.Value {
		n := value.ToInt(a[1])
		if s := value.Text(a[0]); n > 0 && s != "" {
			if n > int64(maxText/len(s)) {
				return nil
			}
			return strings.Repeat(s, int(n))
		}
		return ""
	}),
	"wl_space": strict(func(a []driver.Value) driver.Value {
		return strings.Repeat(" ", int(max(0, min(value.ToInt(a[0]), maxText))))
	}),
	"wl_replace": replace,
	"wl_insert":  strict(insert),
	"wl_strcmp": strict(func(a []driver.Value) driver.Value {
		return int64(value.Collations[collationOf(a[2])](value.Text(a[0]), value.Text(a[1])))
	}),
	"wl_ascii": stringFunc(func(s string) driver.Value { return int64((s + "\x00")[0]) }),
	"wl_ord":   stringFunc(ord),
	"wl_char":  charOf,
	"wl_hex":   strict(hexOf),
	"wl_unhex": stringFunc(func(s string) driver.Value {
		if len(s)%2 != 0 {
			s = "0" + s
		}
		b, err := hex.DecodeString(s)
		if err != nil {
			return nil
		}
		return b
	}),
	"wl_md5":    stringFunc(func(s string) driver.Value { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }),
	"wl_sha1":   stringFunc(func(s string) driver.Value { h := sha1.Sum([]byte(s)); return hex.EncodeToString(h[:]) }),
	"wl_sha2":   strict(sha2),
	"wl_crc32":  stringFunc(func(s string) driver.Value { return int64(crc32.ChecksumIEEE([]byte(s))) }),
	"wl_base64": stringFunc(func(s string) driver.Value { return base64.StdEncoding.EncodeToString([]byte(s)) }),
	"wl_unbase64": stringFunc(func(s string) driver.Value {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
		if err != nil {
			return nil
		}
		return b
	}),
	"wl_field": field,
	"wl_elt": func(a []driver.Value) (driver.Value, error) {
		n := value.ToInt(a[0])
		if a[0] == nil || n < 1 || n >= int64(len(a)) {
			return nil, nil
		}
		return a[n], nil
	},
	"wl_find_in_set": strict(findInSet),
	"wl_quote": func(a []driver.Value) (driver.Value, error) {
		if a[0] == nil {
			return "NULL", nil
		}
		r := strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`, "\x1a", `\Z`)
		return "'" + r.Replace(value.Text(a[0])) + "'", nil
	},
	"wl_soundex": stringFunc(soundex),
	"wl_enum_index": strict(func(a []driver.Value) driver.Value {
		for i, v := range a[1:] {
			if strings.EqualFold(value.Text(a[0]), value.Text(v)) {
				return int64(i + 1)
			}
		}
		return int64(0)
	}),
	"wl_set_bits": strict(func(a []driver.Value) driver.Value {
		var bits uint64
		for _, s := range strings.Split(value.Text(a[0]), ",") {
			for i, v := range a[1:] {
				if strings.EqualFold(s, value.Text(v)) {
					bits |= 1 << i
				}
			}
		}
		return value.Unsigned(bits)
	}),
	"wl_separate": strict(func(a []driver.Value) driver.Value {
		return strings.ReplaceAll(value.Text(a[0]), separator, value.Text(a[1]))
	}),
	"wl_row": func(a []driver.Value) (driver.Value, error) { // for COUNT(DISTINCT a, b)
		var b strings.Builder
		for _, v := range a {
			if v == nil {
				return nil, nil
			}
			s := value.Text(v)
			fmt.Fprintf(&b, "%d:%s,", len(s), s)
		}
		return b.String(), nil
	},
	"wl_fold": strict(func(a []driver.Value) driver.Value { return value.Fold(strings.TrimRight(value.Text(a[0]), " ")) }),
}

// toText is wl_text(v, rep, digits): v, held as rep, as MySQL writes it.
func toText(a []driver.Value) driver.Value {
	switch v := a[0].(type) {
	case nil:
		return nil
	case []byte:
		if u, ok := value.BigUnsigned(v); ok && catalog.Rep(value.ToInt(a[1])) == catalog.RepInt {
			return strconv.FormatUint(u, 10)
		}
		return string(v)
	case float64:
		if len(a) > 2 {
			digits := value.ToInt(a[2])
			if digits < 0 {
				return value.FormatFloat(v)
			}
			return strconv.FormatFloat(v, 'f', int(digits), 64)
		}
	}
	return value.Text(a[0])
}

func toBytes(v driver.Value) driver.Value {
	if v == nil {
		return nil
	}
	return []byte(value.Text(v))
}

func joinAll(sep string, a []driver.Value) driver.Value {
	binary := false
	parts := make([]string, len(a))
	for i, v := range a {
		_, b := v.([]byte)
		binary = binary || b
		parts[i] = value.Text(v)
	}
	s := strings.Join(parts, sep)
	if binary {
		return []byte(s)
	}
	return s
}

// replace is wl_replace(text, what, with).
func replace(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil || a[2] == nil {
		return nil, nil
	}
	s, what, with := value.Text(a[0]), value.Text(a[1]), value.Text(a[2])
	if what == "" {
		return s, nil
	}
	if n := len(with) - len(what); n > 0 && strings.Count(s, what) > maxResult/n {
		return nil, errTooBig
	}
	return strings.ReplaceAll(s, what, with), nil
}

func concatWS(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	var list []driver.Value
	for _, v := range a[1:] {
		if v != nil {
			list = append(list, v)
		}
	}
	return joinAll(value.Text(a[0]), list), nil
}

// length returns the number of characters of a text, of bytes of a blob.
func length(v driver.Value) int64 {
	if b, ok := v.([]byte); ok {
		return int64(len(b))
	}
	return int64(utf8.RuneCountInString(value.Text(v)))
}

func charLength(a []driver.Value) driver.Value { return length(a[0]) }

// slice returns n characters from the start-th on, counted from 0.
func slice(v driver.Value, start, n int64) driver.Value {
	total := length(v)
	start = max(0, min(start, total))
	n = max(0, min(n, total-start))
	if b, ok := v.([]byte); ok {
		return bytes.Clone(b[start : start+n])
	}
	s := value.Text(v)
	if int64(len(s)) == total {
		return s[start : start+n]
	}
	r := []rune(s)
	return string(r[start : start+n])
}

func substring(a []driver.Value) driver.Value {
	total := length(a[0])
	pos, n := value.ToInt(a[1]), total
	if len(a) > 2 {
		n = value.ToInt(a[2])
	}
	if pos < 0 {
		pos += total + 1
	}
	if pos < 1 || n < 1 {
		return slice(a[0], 0, 0)
	}
	return slice(a[0], pos-1, n)
}

func substringIndex(a []driver.Value) driver.Value {
	s, d, n := value.Text(a[0]), value.Text(a[1]), value.ToInt(a[2])
	if d == "" || n == 0 {
		return ""
	}
	parts := strings.Split(s, d)
	if abs64(n) >= int64(len(parts)) || n == -1<<63 {
		return s
	}
	if n > 0 {
		return strings.Join(parts[:n], d)
	}
	return strings.Join(parts[int64(len(parts))+n:], d)
}

func collationOf(v driver.Value) string {
	if s := value.Text(v); s != "" {
		return s
	}
	return "wl_bin"
}

// foldFor returns what makes texts comparable by a collation.
func foldFor(v driver.Value) func(string) string {
	if strings.HasPrefix(value.Text(v), "wl_ci") {
		return value.Fold
	}
	return func(s string) string { return s }
}

func pad(a []driver.Value, left bool) driver.Value {
	n := value.ToInt(a[1])
	have := length(a[0])
	if n < 0 || n > maxText {
		return nil
	}
	if n <= have {
		return slice(a[0], 0, n)
	}
	fill := " "
	if len(a) > 2 {
		fill = value.Text(a[2])
	}
	if fill == "" {
		return nil
	}
	r := []rune(fill)
	need := int(n - have)
	out := make([]rune, 0, need)
	for len(out) < need {
		out = append(out, r[len(out)%len(r)])
	}
	if left {
		return string(out) + value.Text(a[0])
	}
	return value.Text(a[0]) + string(out)
}

// trim is wl_trim(text, what, mode).
func trim(a []driver.Value) driver.Value {
	s, what, mode := value.Text(a[0]), value.Text(a[1]), value.Text(a[2])
	if what == "" {
		return s
	}
	for mode != "TRAILING" && strings.HasPrefix(s, what) {
		s = s[len(what):]
	}
	for mode != "LEADING" && strings.HasSuffix(s, what) {
		s = s[:len(s)-len(what)]
	}
	if _, ok := a[0].([]byte); ok {
		return []byte(s)
	}
	return s
}

func insert(a []driver.Value) driver.Value {
	r := []rune(value.Text(a[0]))
	pos, n := value.ToInt(a[1]), value.ToInt(a[2])
	if pos < 1 || pos > int64(len(r)) {
		return value.Text(a[0])
	}
	rest := int64(len(r)) - pos + 1
	if n < 0 || n > rest {
		n = rest
	}
	return string(r[:pos-1]) + value.Text(a[3]) + string(r[pos-1+n:])
}

func reverse(s string) driver.Value {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

func ord(s string) driver.Value {
	if s == "" {
		return int64(0)
	}
	_, n := utf8.DecodeRuneInString(s)
	var v int64
	for _, c := range []byte(s[:n]) {
		v = v<<8 | int64(c)
	}
	return v
}

func charOf(a []driver.Value) (driver.Value, error) {
	var b []byte
	for _, v := range a {
		if v == nil {
			continue
		}
		n := uint32(value.ToInt(v))
		for shift := 24; shift >= 0; shift -= 8 {
			if n>>shift != 0 || shift == 0 {
				b = append(b, byte(n>>shift))
			}
		}
	}
	return b, nil
}

func hexOf(a []driver.Value) driver.Value {
	switch v := a[0].(type) {
	case int64:
		return strings.ToUpper(strconv.FormatUint(uint64(v), 16))
	case float64:
		return strings.ToUpper(strconv.FormatUint(uint64(value.ToInt(v)), 16))
	}
	return strings.ToUpper(hex.EncodeToString([]byte(value.Text(a[0]))))
}

func sha2(a []driver.Value) driver.Value {
	b := []byte(value.Text(a[0]))
	switch value.ToInt(a[1]) {
	case 0, 256:
		h := sha256.Sum256(b)
		return hex.EncodeToString(h[:])
	case 224:
		h := sha256.Sum224(b)
		return hex.EncodeToString(h[:])
	case 384:
		h := sha512.Sum384(b)
		return hex.EncodeToString(h[:])
	case 512:
		h := sha512.Sum512(b)
		return hex.EncodeToString(h[:])
	}
	return nil
}

func soundex(s string) driver.Value {
	const codes = "01230120022455012623010202"
	var out []byte
	var last byte
	for _, c := range []byte(strings.ToUpper(s)) {
		if c < 'A' || c > 'Z' {
			continue
		}
		code := codes[c-'A']
		switch {
		case len(out) == 0:
			out = append(out, c)
		case code != '0' && code != last:
			out = append(out, code)
		}
		if code != '0' || len(out) == 1 {
			last = code
		}
	}
	for len(out) > 0 && len(out) < 4 {
		out = append(out, '0')
	}
	return string(out)
}

func boolean(ok bool) driver.Value {
	if ok {
		return int64(1)
	}
	return int64(0)
}

func newUUID() (driver.Value, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
