package options

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file has the parameters and options whose values have a grammar.

// setTLS is tls= of data source names. What is no other value is the name of a
// setting that the program registered.
func setTLS(c *Config, v string) error {
	c.TLS.Mode, c.TLS.Name = TLSDefault, ""
	if on, err := boolean("tls", v); err == nil {
		c.TLS.Mode = TLSDisabled
		if on {
			c.TLS.Mode = TLSVerifyIdentity
		}
		return nil
	}
	switch strings.ToLower(v) {
	case "skip-verify":
		c.TLS.Mode = TLSRequired
	case "preferred":
		c.TLS.Mode = TLSPreferred
	default:
		c.TLS.Name = v
	}
	return nil
}

func getTLS(c *Config) (string, bool) {
	switch {
	case c.TLS.Name != "":
		return c.TLS.Name, true
	case c.TLS.Mode == TLSDisabled:
		return "false", true
	case c.TLS.Mode == TLSPreferred:
		return "preferred", true
	case c.TLS.Mode == TLSRequired:
		return "skip-verify", true
	case c.TLS.Mode == TLSVerifyIdentity:
		return "true", true
	}
	return "", false // TLSVerifyCA is ssl-mode
}

// setMaxPacket reads bytes. 0 asks the server at once.
func setMaxPacket(c *Config, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil {
		return &ValueError{Name: "maxAllowedPacket", Value: v, Want: "a number of bytes"}
	}
	c.MaxPacket = n
	if n <= 0 {
		c.MaxPacket = -1
	}
	return nil
}

func getMaxPacket(c *Config) (string, bool) {
	return strconv.Itoa(max(c.MaxPacket, 0)), c.MaxPacket != 0
}

// setAttributes reads key:value,key:value. Pieces without a colon say nothing.
func setAttributes(c *Config, v string) error {
	for piece := range strings.SplitSeq(v, ",") {
		if key, value, ok := strings.Cut(piece, ":"); ok {
			setAttribute(c, key, value)
		}
	}
	return nil
}

func setAttribute(c *Config, key, value string) {
	if c.Attributes == nil {
		c.Attributes = map[string]string{}
	}
	c.Attributes[key] = value
}

func getAttributes(c *Config) (string, bool) {
	pairs := make([]string, 0, len(c.Attributes))
	for k, v := range c.Attributes {
		pairs = append(pairs, k+":"+v)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ","), len(pairs) > 0
}

// setURLAttributes reads [key=value,key=value], as MySQL's URIs have them; true
// and false, which switch the standard attributes there, say nothing.
func setURLAttributes(c *Config, v string) error {
	if _, err := boolean("", v); err == nil {
		return nil
	}
	v = strings.TrimSuffix(strings.TrimPrefix(v, "["), "]")
	for piece := range strings.SplitSeq(v, ",") {
		key, value, _ := strings.Cut(piece, "=")
		if key != "" {
			setAttribute(c, key, value)
		}
	}
	return nil
}

// setSSH reads hosts with commas between, each [user@]host[:port].
func setSSH(c *Config, v string) error {
	hops := strings.Split(v, ",")
	for i, hop := range hops {
		hops[i] = strings.TrimSpace(hop)
		_, host, found := strings.Cut(hops[i], "@")
		if !found {
			host = hops[i]
		}
		if host == "" || strings.HasPrefix(host, "-") || strings.HasPrefix(host, ":") || strings.ContainsAny(hops[i], " /\x00") {
			return &ValueError{Name: "ssh", Value: v, Want: "hosts as [user@]host[:port] with commas between"}
		}
	}
	c.SSH = hops
	return nil
}

// setCompression reads compression= of MySQL's URIs.
func setCompression(c *Config, v string) error {
	switch strings.ToUpper(v) {
	case "REQUIRED", "TRUE", "1":
		c.Compression.Algorithms = []string{"zstd", "zlib"}
	case "PREFERRED":
		c.Compression.Algorithms = []string{"zstd", "zlib", "uncompressed"}
	case "DISABLED", "FALSE", "0":
		c.Compression.Algorithms = nil
	default:
		return &ValueError{Name: "compression", Value: v, Want: "REQUIRED, PREFERRED or DISABLED"}
	}
	return nil
}

func setAlgorithms(c *Config, name, v string) error {
	var list []string
	for a := range strings.SplitSeq(v, ",") {
		a = strings.ToLower(strings.TrimSpace(a))
		if !slices.Contains([]string{"zlib", "zstd", "uncompressed"}, a) {
			return &ValueError{Name: name, Value: v, Want: "some of zlib, zstd and uncompressed"}
		}
		list = append(list, a)
	}
	if len(list) == 1 && list[0] == "uncompressed" {
		list = nil
	}
	c.Compression.Algorithms = list
	return nil
}

func setLevel(c *Config, name, v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > 22 {
		return &ValueError{Name: name, Value: v, Want: "1 to 22"}
	}
	c.Compression.Level = n
	return nil
}

// seconds reads a number of seconds, or a duration with its unit.
func seconds(name, v string) (time.Duration, error) {
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 && n <= math.MaxInt64/int64(time.Second) {
		return time.Duration(n) * time.Second, nil
	}
	if d, err := time.ParseDuration(v); err == nil && d >= 0 {
		return d, nil
	}
	return 0, &ValueError{Name: name, Value: v, Want: "a number of seconds"}
}

// size reads a number of bytes with an optional K, M or G (powers of 1024).
func size(name, v string) (int, error) {
	digits, shift := v, 0
	if v != "" {
		switch v[len(v)-1] | 0x20 {
		case 'k':
			shift = 10
		case 'm':
			shift = 20
		case 'g':
			shift = 30
		}
		if shift > 0 {
			digits = v[:len(v)-1]
		}
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err == nil && n > math.MaxInt32>>shift && n<<shift > 1<<30 {
		err = errors.New("more than 1 GiB is not possible")
	} else if err != nil {
		err = nil
		digits = ""
	}
	if err != nil || digits == "" {
		return 0, &ValueError{Name: name, Value: v, Want: "bytes, at most 1G", Err: err}
	}
	return int(n << shift), nil
}
