package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sshOptions are the -o options that are understood, and the flags that mean
// the same.
type sshOptions struct {
	strictHostKey   string // yes, no, ask, accept-new, off
	knownHosts      []string
	identitiesOnly  bool
	identities      []string
	preferredAuth   []string
	kex             string // OpenSSH's list syntax, with + - ^
	ciphers         string
	macs            string
	hostKeyAlgos    string
	rekeyBytes      uint64
	rekeyInterval   time.Duration
	connectTimeout  time.Duration
	aliveInterval   time.Duration // 0: never asked
	aliveCountMax   int           // 0: the default
	batchMode       bool
	given           []string // lower-case names that were set, first one wins
	passwordPrompts int
}

type optionSetter struct {
	name string
	set  func(o *sshOptions, value string) error
}

var sshOptionTable = []optionSetter{
	{"StrictHostKeyChecking", func(o *sshOptions, v string) error {
		switch v = strings.ToLower(v); v {
		case "yes", "true", "ask", "accept-new", "no", "false", "off":
			o.strictHostKey = v
			return nil
		}
		return fmt.Errorf("yes, no, ask, accept-new or off")
	}},
	{"UserKnownHostsFile", func(o *sshOptions, v string) error { o.knownHosts = strings.Fields(v); return nil }},
	{"IdentitiesOnly", func(o *sshOptions, v string) error { return setBool(&o.identitiesOnly, v) }},
	{"IdentityFile", func(o *sshOptions, v string) error { o.identities = append(o.identities, v); return nil }},
	{"PreferredAuthentications", func(o *sshOptions, v string) error {
		o.preferredAuth = strings.Split(v, ",")
		return nil
	}},
	{"KexAlgorithms", func(o *sshOptions, v string) error { o.kex = v; return nil }},
	{"Ciphers", func(o *sshOptions, v string) error { o.ciphers = v; return nil }},
	{"MACs", func(o *sshOptions, v string) error { o.macs = v; return nil }},
	{"HostKeyAlgorithms", func(o *sshOptions, v string) error { o.hostKeyAlgos = v; return nil }},
	{"RekeyLimit", setRekeyLimit},
	{"ConnectTimeout", func(o *sshOptions, v string) (err error) {
		o.connectTimeout, err = parseTime(v)
		return err
	}},
	{"ServerAliveInterval", func(o *sshOptions, v string) (err error) {
		o.aliveInterval, err = parseTime(v)
		return err
	}},
	{"ServerAliveCountMax", func(o *sshOptions, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return fmt.Errorf("a number above 0")
		}
		o.aliveCountMax = n
		return nil
	}},
	{"BatchMode", func(o *sshOptions, v string) error { return setBool(&o.batchMode, v) }},
	{"NumberOfPasswordPrompts", func(o *sshOptions, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return fmt.Errorf("a number")
		}
		o.passwordPrompts = n
		return nil
	}},
}

// setOption reads "Name=value" or "Name value" as OpenSSH's -o does. The first
// value of an option wins, but IdentityFile adds up.
func (o *sshOptions) setOption(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if fields := strings.Fields(s); !ok && len(fields) > 1 {
		name, value, ok = fields[0], strings.Join(fields[1:], " "), true
	}
	name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)
	if !ok || value == "" {
		return fmt.Errorf("-o %q has no value; write Name=value", s)
	}
	i := slices.IndexFunc(sshOptionTable, func(t optionSetter) bool { return strings.EqualFold(t.name, name) })
	if i < 0 {
		names := make([]string, len(sshOptionTable))
		for i, t := range sshOptionTable {
			names[i] = t.name
		}
		return fmt.Errorf("-o %s is not supported; supported are %s", name, strings.Join(names, ", "))
	}
	key := strings.ToLower(name)
	if slices.Contains(o.given, key) && key != "identityfile" {
		return nil
	}
	if err := sshOptionTable[i].set(o, value); err != nil {
		return fmt.Errorf("-o %s=%s: expected %w", sshOptionTable[i].name, value, err)
	}
	o.given = append(o.given, key)
	return nil
}

func setBool(p *bool, v string) error {
	switch strings.ToLower(v) {
	case "yes", "true":
		*p = true
	case "no", "false":
		*p = false
	default:
		return fmt.Errorf("yes or no")
	}
	return nil
}

// setRekeyLimit reads "bytes [time]", each possibly "default" or "none", with
// K, M and G for bytes (ssh_config(5)).
func setRekeyLimit(o *sshOptions, v string) error {
	fields := strings.Fields(v)
	if len(fields) > 2 {
		return fmt.Errorf("bytes and at most a time")
	}
	if s := strings.ToLower(fields[0]); s != "default" && s != "none" {
		n, err := parseSize(s)
		if err != nil {
			return err
		}
		if n < 16 {
			return fmt.Errorf("at least 16 bytes")
		}
		o.rekeyBytes = n
	}
	if len(fields) == 2 && !strings.EqualFold(fields[1], "none") {
		d, err := parseTime(fields[1])
		if err != nil {
			return err
		}
		o.rekeyInterval = d
	}
	return nil
}

func parseSize(s string) (uint64, error) {
	shift := 0
	if i := strings.IndexAny(s, "kKmMgG"); i >= 0 && i == len(s)-1 {
		shift = map[byte]int{'k': 10, 'm': 20, 'g': 30}[s[i]|0x20]
		s = s[:i]
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("a number of bytes with K, M or G behind it")
	}
	return n << shift, nil
}

// parseTime reads ssh_config's times: seconds, or parts such as 1h30m.
func parseTime(s string) (time.Duration, error) {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	var d time.Duration
	for rest := strings.ToLower(s); rest != ""; {
		i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if i <= 0 || units[rest[i]] == 0 {
			return 0, fmt.Errorf("a time such as 30, 10m or 1h30m")
		}
		n, err := strconv.ParseUint(rest[:i], 10, 31)
		if err != nil {
			return 0, fmt.Errorf("a shorter time")
		}
		d += time.Duration(n) * units[rest[i]]
		rest = rest[i+1:]
	}
	if d == 0 {
		return 0, fmt.Errorf("a time such as 30, 10m or 1h30m")
	}
	return d, nil
}
