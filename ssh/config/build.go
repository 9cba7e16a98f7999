package config

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wirelark/wirelark/ssh/knownhosts"
)

// takeHostName puts the HostName in the place of the host, as it is after the
// first pass.
func (r *reader) takeHostName() {
	if s := r.setting("hostname"); s != nil {
		name, err := expandTokens(s.Args[0], map[byte]string{'h': r.query.Host})
		if err != nil {
			r.bad(s, err)
			return
		}
		r.host = name
	}
	if a, err := netip.ParseAddr(r.host); err == nil {
		r.host = a.String()
		return
	}
	r.host = strings.ToLower(r.host)
}

// bad keeps a mistake in the value of a setting.
func (r *reader) bad(s *Setting, err error) { r.wrong(s.File, s.Line, err, "%s", s.Name) }

// build makes the Config of what the passes have collected.
func (r *reader) build() *Config {
	r.final = true // from here on the host's name is final
	c := &Config{Host: r.query.Host, HostName: r.host, User: r.source.Local.User, Port: r.port()}
	if s := r.setting("user"); s != nil {
		c.User = s.Args[0]
		if s.File != onCommandLine || s.Line != 0 {
			c.User = r.expanded(s, s.Args[0], tokensUser)
			r.set[r.keywords["user"]][0].Args = []string{c.User}
		}
	}
	c.HostKeyAlias = strings.ToLower(r.first("hostkeyalias"))
	r.buildConnecting(c)
	r.buildKeys(c)
	r.buildLogin(c)
	r.buildForwards(c)
	r.buildSession(c)
	for i := range keywords {
		k := &keywords[i]
		for _, s := range r.set[k] {
			if k.field {
				continue
			}
			if k.unsafe != nil {
				s.Unsafe = k.unsafe(&s)
			}
			c.Others = append(c.Others, s)
		}
	}
	return c
}

// expanded is a value with its tokens and variables replaced.
func (r *reader) expanded(s *Setting, value, tokens string) string {
	value, err := r.expand(value, tokens)
	if err != nil {
		r.bad(s, err)
	}
	return value
}

func (r *reader) flag(name string, def bool) bool {
	if v := r.first(name); v != "" {
		return isYes(v)
	}
	return def
}

func (r *reader) number(name string, def int) int {
	if n, err := strconv.Atoi(r.first(name)); err == nil {
		return n
	}
	return def
}

// interval is a time; "none" and nothing are def.
func (r *reader) interval(name string, def time.Duration) time.Duration {
	if d, err := parseTime(r.first(name)); err == nil {
		return d
	}
	return def
}

// or is the lower-case first word of a setting, or def. The words yes and no
// have other names.
func (r *reader) or(name, def string) string {
	switch v := strings.ToLower(r.first(name)); v {
	case "":
		return def
	case "true":
		return "yes"
	case "false", "off":
		return "no"
	default:
		return v
	}
}

func (r *reader) buildConnecting(c *Config) {
	c.AddressFamily = r.or("addressfamily", "any")
	c.BindAddress = r.first("bindaddress")
	c.ConnectTimeout = r.interval("connecttimeout", 0)
	c.ConnectionAttempts = max(1, r.number("connectionattempts", 1))
	c.RefuseConnection = r.first("refuseconnection")
	c.Tag = r.first("tag")
	if s := r.setting("proxyjump"); s != nil {
		l := line{rest: s.Value}
		jumps, err := ParseJumps(l.raw())
		if err != nil {
			r.bad(s, err)
		}
		c.ProxyJump = jumps
	}
	if s := r.setting("proxycommand"); s != nil {
		l := line{rest: s.Value}
		if raw := l.raw(); !strings.EqualFold(raw, "none") {
			command, err := expandTokens(raw, r.tokens(tokensProxy))
			if err != nil {
				r.bad(s, err)
			}
			c.ProxyCommand = command
		}
	}
	c.ServerAliveInterval = r.interval("serveraliveinterval", 0)
	c.ServerAliveCountMax = r.number("serveralivecountmax", 3)
}

func (r *reader) buildKeys(c *Config) {
	c.KexAlgorithms, c.Ciphers, c.MACs = r.first("kexalgorithms"), r.first("ciphers"), r.first("macs")
	c.HostKeyAlgorithms, c.PubkeyAcceptedAlgorithms = r.first("hostkeyalgorithms"), r.first("pubkeyacceptedalgorithms")
	c.Compression = r.flag("compression", false)
	c.RequiredRSASize = max(1024, r.number("requiredrsasize", 1024))
	if s := r.setting("rekeylimit"); s != nil {
		c.RekeyBytes, _ = parseSize(s.Args[0]) // checked when it was read
		if len(s.Args) > 1 {
			c.RekeyInterval, _ = parseTime(s.Args[1]) // checked, or "none", which is 0
		}
	}
	c.StrictHostKeyChecking = r.or("stricthostkeychecking", "ask")
	c.UserKnownHostsFiles = r.fileList("userknownhostsfile", "~/.ssh/known_hosts", "~/.ssh/known_hosts2")
	c.GlobalKnownHostsFiles = r.fileList("globalknownhostsfile", systemDir+"/ssh_known_hosts", systemDir+"/ssh_known_hosts2")
	if s := r.setting("revokedhostkeys"); s != nil && !strings.EqualFold(s.Args[0], "none") {
		path, err := r.path(s.Args[0])
		if err != nil {
			r.bad(s, err)
		}
		c.RevokedHostKeys = path
	}
	c.HashKnownHosts = r.flag("hashknownhosts", false)
	c.UpdateHostKeys = r.or("updatehostkeys", "")
}

// fileList are the files of one setting; nil: none.
func (r *reader) fileList(name string, defaults ...string) []string {
	s := r.setting(name)
	if s == nil {
		if r.source.Local.Home == "" && strings.HasPrefix(defaults[0], "~") {
			return nil
		}
		s = &Setting{Name: name, Args: defaults}
	}
	if len(s.Args) == 1 && s.Args[0] == "none" {
		return nil
	}
	list := make([]string, len(s.Args))
	for i, f := range s.Args {
		var err error
		if list[i], err = r.path(f); err != nil {
			r.bad(s, err)
		}
	}
	return list
}

func (r *reader) buildLogin(c *Config) {
	c.GivenIdentities = r.setting("identityfile") != nil
	c.IdentityFiles = r.paths("identityfile")
	if !c.GivenIdentities {
		for _, name := range []string{"id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"} {
			if path, err := r.tilde("~/.ssh/" + name); err == nil {
				c.IdentityFiles = append(c.IdentityFiles, path)
			}
		}
	}
	c.CertificateFiles = r.paths("certificatefile")
	c.IdentitiesOnly = r.flag("identitiesonly", false)
	if s := r.setting("identityagent"); s != nil {
		c.IdentityAgent = r.agent(s)
	}
	if v := r.first("preferredauthentications"); v != "" {
		c.PreferredAuthentications = strings.Split(v, ",")
	}
	c.PubkeyAuthentication = r.or("pubkeyauthentication", "yes") != "no"
	c.PasswordAuthentication = r.flag("passwordauthentication", true)
	c.KbdInteractiveAuthentication = r.flag("kbdinteractiveauthentication", true)
	c.NumberOfPasswordPrompts = r.number("numberofpasswordprompts", 3)
	c.BatchMode = r.flag("batchmode", false)
}

// paths are the files of all settings of a keyword, each once, without "none".
func (r *reader) paths(name string) []string {
	var list []string
	for _, s := range r.set[r.keywords[name]] {
		if strings.EqualFold(s.Args[0], "none") {
			continue
		}
		path, err := r.path(s.Args[0])
		if err != nil {
			r.bad(&s, err)
		}
		if !slices.Contains(list, path) {
			list = append(list, path)
		}
	}
	return list
}

// agent is where the agent listens.
func (r *reader) agent(s *Setting) string {
	name := s.Args[0]
	switch variable, is := strings.CutPrefix(name, "$"); {
	case strings.EqualFold(name, "none"):
		return "none"
	case name == "SSH_AUTH_SOCK":
		return ""
	case is && !strings.HasPrefix(variable, "{"):
		if lookup := r.source.Local.Lookup; lookup != nil {
			if path, ok := lookup(variable); ok && path != "" {
				return path
			}
		}
		return "none" // as the variable is not set
	}
	path, err := r.path(name)
	if err != nil {
		r.bad(s, err)
	}
	return path
}

func (r *reader) buildForwards(c *Config) {
	c.ClearAllForwardings = r.flag("clearallforwardings", false)
	c.ExitOnForwardFailure = r.flag("exitonforwardfailure", false)
	c.GatewayPorts = r.flag("gatewayports", false)
	if c.ClearAllForwardings {
		return
	}
	c.LocalForwards, c.RemoteForwards = r.forwards("localforward"), r.forwards("remoteforward")
	for _, s := range r.set[r.keywords["dynamicforward"]] {
		if !slices.Contains(c.DynamicForwards, s.Args[0]) {
			c.DynamicForwards = append(c.DynamicForwards, s.Args[0])
		}
	}
}

func (r *reader) forwards(name string) []Forward {
	var list []Forward
	for _, s := range r.set[r.keywords[name]] {
		f := Forward{Listen: s.Args[0]}
		if len(s.Args) > 1 {
			f.Connect = s.Args[1]
		}
		for _, p := range []*string{&f.Listen, &f.Connect} {
			if strings.Contains(*p, "/") {
				*p = r.expanded(&s, *p, tokensAll)
			}
		}
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

func (r *reader) buildSession(c *Config) {
	c.RequestTTY = r.or("requesttty", "auto")
	c.SessionType = r.or("sessiontype", "default")
	c.StdinNull = r.flag("stdinnull", false)
	c.EscapeChar = '~'
	if v := r.first("escapechar"); v != "" {
		c.EscapeChar, _ = parseEscape(v) // checked when it was read
	}
	if s := r.setting("remotecommand"); s != nil {
		l := line{rest: s.Value}
		if raw := l.raw(); raw != "none" {
			command, err := expandTokens(raw, r.tokens(tokensAll))
			if err != nil {
				r.bad(s, err)
			}
			c.RemoteCommand = command
		}
	}
	for _, s := range r.set[r.keywords["sendenv"]] {
		for _, name := range s.Args {
			if pattern, remove := strings.CutPrefix(name, "-"); remove {
				c.SendEnv = slices.DeleteFunc(c.SendEnv, func(have string) bool { return knownhosts.MatchPattern(pattern, have) })
			} else {
				c.SendEnv = append(c.SendEnv, name)
			}
		}
	}
	if s := r.setting("setenv"); s != nil {
		for _, kv := range s.Args {
			name, value, _ := strings.Cut(kv, "=")
			c.SetEnv = append(c.SetEnv, name+"="+r.expanded(s, value, tokensAll))
		}
	}
	c.LogLevel = strings.ToUpper(r.or("loglevel", "info"))
	if c.LogLevel == "DEBUG" {
		c.LogLevel = "DEBUG1"
	}
}
