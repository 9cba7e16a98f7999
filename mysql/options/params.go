package options

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A param is a parameter of data source names and URLs.
type param struct {
	name string
	// raw parameters are not unescaped in a data source name, as in the
	// original: "%2C" stays three letters.
	raw bool
	set func(c *Config, value string) error
	// get returns what set would be given, and whether that differs from what
	// a Config without the parameter says. nil: another parameter writes it.
	get func(c *Config) (string, bool)
	// other is the parameter of which this is another name.
	other string
}

// params has the original's parameters first, in the order in which it writes
// them, and ours behind.
var params = []param{
	flag("allowAllFiles", func(c *Config) *bool { return &c.LocalInfileAny }, false),
	flag("allowCleartextPasswords", func(c *Config) *bool { return &c.Auth.Cleartext }, false),
	flag("allowFallbackToPlaintext", func(c *Config) *bool { return &c.TLS.Fallback }, false),
	flag("allowNativePasswords", func(c *Config) *bool { return &c.Auth.DenyNative }, true),
	flag("allowOldPasswords", func(c *Config) *bool { return &c.Auth.Old }, false),
	flag("checkConnLiveness", func(c *Config) *bool { return &c.SkipLiveness }, true),
	flag("clientFoundRows", func(c *Config) *bool { return &c.FoundRows }, false),
	{
		name: "charset", raw: true,
		set: func(c *Config, v string) error { c.Charsets = strings.Split(v, ","); return nil },
		get: func(c *Config) (string, bool) { return strings.Join(c.Charsets, ","), len(c.Charsets) > 0 },
	},
	text("collation", true, func(c *Config) *string { return &c.Collation }),
	flag("columnsWithAlias", func(c *Config) *bool { return &c.ColumnsWithAlias }, false),
	{name: "connectionAttributes", set: setAttributes, get: getAttributes},
	{
		name: "compress", raw: true,
		set: func(c *Config, v string) error {
			on, err := boolean("compress", v)
			c.Compression.Algorithms = nil
			if on {
				c.Compression.Algorithms = []string{"zlib"}
			}
			return err
		},
		get: func(c *Config) (string, bool) {
			return "true", slices.Equal(c.Compression.Algorithms, []string{"zlib"})
		},
	},
	flag("interpolateParams", func(c *Config) *bool { return &c.InterpolateParams }, false),
	{
		name: "loc",
		set: func(c *Config, v string) (err error) {
			c.Location, err = location("loc", v)
			return err
		},
		get: func(c *Config) (string, bool) {
			if c.Location == nil || c.Location == time.UTC {
				return "", false
			}
			return c.Location.String(), true
		},
	},
	flag("multiStatements", func(c *Config) *bool { return &c.MultiStatements }, false),
	flag("parseTime", func(c *Config) *bool { return &c.ParseTime }, false),
	duration("timeTruncate", func(c *Config) *time.Duration { return &c.TimeTruncate }),
	duration("readTimeout", func(c *Config) *time.Duration { return &c.ReadTimeout }),
	flag("rejectReadOnly", func(c *Config) *bool { return &c.RejectReadOnly }, false),
	text("serverPubKey", false, func(c *Config) *string { return &c.Auth.ServerKeyName }),
	duration("timeout", func(c *Config) *time.Duration { return &c.ConnectTimeout }),
	{name: "tls", set: setTLS, get: getTLS},
	duration("writeTimeout", func(c *Config) *time.Duration { return &c.WriteTimeout }),
	{name: "maxAllowedPacket", raw: true, set: setMaxPacket, get: getMaxPacket},
	{name: "strict", raw: true, set: func(*Config, string) error {
		return &ValueError{Name: "strict", Err: errors.New("the parameter does not exist any more: set sql_mode")}
	}},

	{
		name: "ssl-mode",
		set: func(c *Config, v string) (err error) {
			c.TLS.Mode, err = ParseTLSMode(v)
			return err
		},
		get: func(c *Config) (string, bool) {
			return c.TLS.Mode.String(), c.TLS.Mode == TLSVerifyCA && c.TLS.Name == ""
		},
	},
	text("ssl-ca", false, func(c *Config) *string { return &c.TLS.CA }),
	text("ssl-capath", false, func(c *Config) *string { return &c.TLS.CAPath }),
	text("ssl-cert", false, func(c *Config) *string { return &c.TLS.Cert }),
	text("ssl-key", false, func(c *Config) *string { return &c.TLS.Key }),
	text("ssl-crl", false, func(c *Config) *string { return &c.TLS.CRL }),
	text("ssl-server-name", false, func(c *Config) *string { return &c.TLS.ServerName }),
	text("tls-version", false, func(c *Config) *string { return &c.TLS.Versions }),
	{name: "tls-versions", other: "tls-version"},
	{name: "ssh", set: setSSH, get: func(c *Config) (string, bool) { return strings.Join(c.SSH, ","), len(c.SSH) > 0 }},
	{name: "connect-timeout", set: func(c *Config, v string) (err error) {
		c.ConnectTimeout, err = seconds("connect-timeout", v)
		return err
	}},
	{name: "compression", set: setCompression},
	{
		name: "compression-algorithms",
		set: func(c *Config, v string) error {
			return setAlgorithms(c, "compression-algorithms", v)
		},
		get: func(c *Config) (string, bool) {
			a := c.Compression.Algorithms
			return strings.Join(a, ","), len(a) > 0 && !slices.Equal(a, []string{"zlib"})
		},
	},
	{
		name: "compression-level",
		set: func(c *Config, v string) error {
			return setLevel(c, "compression-level", v)
		},
		get: func(c *Config) (string, bool) {
			return strconv.Itoa(c.Compression.Level), c.Compression.Level != 0
		},
	},
	{name: "connection-attributes", set: setURLAttributes},
	text("auth-method", false, func(c *Config) *string { return &c.Auth.Plugin }),
	text("server-public-key-path", false, func(c *Config) *string { return &c.Auth.ServerKey }),
	flag("get-server-public-key", func(c *Config) *bool { return &c.Auth.FetchServerKey }, false),
	{name: "allowPublicKeyRetrieval", other: "get-server-public-key"},
	flag("local-infile", func(c *Config) *bool { return &c.LocalInfile }, false),
	{
		name: "socket",
		set:  func(c *Config, v string) error { c.Network, c.Address = "unix", v; return nil },
	},
	{
		name: "timezone",
		set: func(c *Config, v string) (err error) {
			c.TimeZone, err = location("timezone", v)
			return err
		},
		get: func(c *Config) (string, bool) {
			if c.TimeZone == nil {
				return "", false
			}
			return c.TimeZone.String(), true
		},
	},
	{
		name: "reset-policy",
		set: func(c *Config, v string) error {
			i := slices.Index(resets, v)
			if i <= 0 {
				return &ValueError{Name: "reset-policy", Value: v, Want: strings.Join(resets[1:], ", ")}
			}
			c.Reset = Reset(i)
			return nil
		},
		get: func(c *Config) (string, bool) { return c.Reset.String(), c.Reset != 0 },
	},
}

// setParam sets one parameter, whose value is unescaped already. Names that are
// not in the table are session variables if they can be.
func setParam(c *Config, name, value string) error {
	if p := findParam(name); p != nil {
		return p.set(c, value)
	}
	if strings.Contains(name, "-") || name == "" {
		return &ValueError{Name: "parameter", Value: name, Err: errors.New("no parameter and no session variable has this name")}
	}
	if c.Vars == nil {
		c.Vars = map[string]string{}
	}
	c.Vars[name] = value
	return nil
}

func findParam(name string) *param {
	for i := range params {
		switch {
		case params[i].name != name:
		case params[i].other != "":
			return findParam(params[i].other)
		default:
			return &params[i]
		}
	}
	return nil
}

// check refuses what parameters together cannot mean.
func (c *Config) check() error {
	if c.InterpolateParams && unsafeCollation(c.Collation) {
		return &ValueError{
			Name: "collation", Value: c.Collation,
			Err: errors.New("its letters may contain a backslash: parameters cannot be put into the text (interpolateParams)"),
		}
	}
	if c.TimeZone != nil {
		if c.Location != nil && c.Location.String() != c.TimeZone.String() {
			return &ValueError{Name: "timezone", Value: c.TimeZone.String(), Err: errors.New("loc says " + c.Location.String())}
		}
		if v, ok := c.Vars["time_zone"]; ok {
			return &ValueError{Name: "timezone", Value: c.TimeZone.String(), Err: errors.New("time_zone says " + v)}
		}
	}
	return nil
}

// unsafeCollation says whether a character set can have a backslash as the
// second byte of a letter.
func unsafeCollation(name string) bool {
	charset, _, _ := strings.Cut(name, "_")
	return slices.Contains([]string{"big5", "cp932", "gb18030", "gb2312", "gbk", "sjis"}, charset) && name != "gb2312_chinese_ci"
}

func boolean(name, v string) (bool, error) {
	switch v {
	case "1", "true", "TRUE", "True":
		return true, nil
	case "0", "false", "FALSE", "False":
		return false, nil
	}
	return false, &ValueError{Name: name, Value: v, Want: "true or false"}
}

// flag is a parameter for a bool, or for its opposite when inverse is set.
func flag(name string, field func(*Config) *bool, inverse bool) param {
	return param{
		name: name, raw: true,
		set: func(c *Config, v string) error {
			b, err := boolean(name, v)
			if err == nil {
				*field(c) = b != inverse
			}
			return err
		},
		get: func(c *Config) (string, bool) {
			return strconv.FormatBool(!inverse), *field(c)
		},
	}
}

func text(name string, raw bool, field func(*Config) *string) param {
	return param{
		name: name, raw: raw,
		set: func(c *Config, v string) error { *field(c) = v; return nil },
		get: func(c *Config) (string, bool) { return *field(c), *field(c) != "" },
	}
}

// duration is a parameter in Go's notation: 1.5s.
func duration(name string, field func(*Config) *time.Duration) param {
	return param{
		name: name, raw: true,
		set: func(c *Config, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil {
				return &ValueError{Name: name, Value: v, Want: "a duration such as 30s"}
			}
			*field(c) = d
			return nil
		},
		get: func(c *Config) (string, bool) { return field(c).String(), *field(c) > 0 },
	}
}

func location(name, v string) (*time.Location, error) {
	loc, err := time.LoadLocation(v)
	if err != nil {
		return nil, &ValueError{Name: name, Value: v, Want: "the name of a time zone", Err: err}
	}
	return loc, nil
}

// unescape is url.QueryUnescape with our error.
func unescape(name, v string) (string, error) {
	s, err := url.QueryUnescape(v)
	if err != nil {
		return "", &ValueError{Name: name, Value: v, Err: err}
	}
	return s, nil
}
