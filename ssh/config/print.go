package config

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// Lines returns what the fields say in the form of "ssh -G": a keyword in lower
// case and its value, one setting in a line, those that add up in several. It
// has no algorithm lists but those that were set, and these as they were
// written.
func (c *Config) Lines() []string {
	var p printer
	p.text("host", c.Host)
	p.text("user", c.User)
	p.text("hostname", c.HostName)
	p.number("port", c.Port)
	p.text("addressfamily", c.AddressFamily)
	p.flag("batchmode", c.BatchMode)
	p.flag("clearallforwardings", c.ClearAllForwardings)
	p.flag("compression", c.Compression)
	p.flag("exitonforwardfailure", c.ExitOnForwardFailure)
	p.flag("gatewayports", c.GatewayPorts)
	p.flag("hashknownhosts", c.HashKnownHosts)
	p.flag("identitiesonly", c.IdentitiesOnly)
	p.flag("kbdinteractiveauthentication", c.KbdInteractiveAuthentication)
	p.flag("passwordauthentication", c.PasswordAuthentication)
	p.truth("pubkeyauthentication", c.PubkeyAuthentication)
	p.text("requesttty", truth(c.RequestTTY))
	p.text("sessiontype", c.SessionType)
	p.flag("stdinnull", c.StdinNull)
	p.text("stricthostkeychecking", truth(c.StrictHostKeyChecking))
	p.text("updatehostkeys", truth(c.UpdateHostKeys))
	p.number("connectionattempts", c.ConnectionAttempts)
	p.number("numberofpasswordprompts", c.NumberOfPasswordPrompts)
	p.number("serveralivecountmax", c.ServerAliveCountMax)
	p.number("serveraliveinterval", seconds(c.ServerAliveInterval))
	p.number("requiredrsasize", c.RequiredRSASize)
	p.text("bindaddress", c.BindAddress)
	p.text("ciphers", c.Ciphers)
	p.text("hostkeyalgorithms", c.HostKeyAlgorithms)
	p.text("hostkeyalias", c.HostKeyAlias)
	p.text("identityagent", c.IdentityAgent)
	p.text("kexalgorithms", c.KexAlgorithms)
	p.text("loglevel", strings.Replace(c.LogLevel, "DEBUG1", "DEBUG", 1))
	p.text("macs", c.MACs)
	p.text("preferredauthentications", strings.Join(c.PreferredAuthentications, ","))
	p.text("pubkeyacceptedalgorithms", c.PubkeyAcceptedAlgorithms)
	p.text("proxycommand", c.ProxyCommand)
	p.text("proxyjump", jumpList(c.ProxyJump))
	p.text("refuseconnection", c.RefuseConnection)
	p.text("remotecommand", c.RemoteCommand)
	p.text("revokedhostkeys", c.RevokedHostKeys)
	p.text("tag", c.Tag)
	p.each("dynamicforward", bracket(c.DynamicForwards...)...)
	p.each("localforward", forwardList(c.LocalForwards)...)
	p.each("remoteforward", forwardList(c.RemoteForwards)...)
	p.each("identityfile", c.IdentityFiles...)
	p.each("certificatefile", c.CertificateFiles...)
	p.each("sendenv", c.SendEnv...)
	p.each("setenv", c.SetEnv...)
	p.text("globalknownhostsfile", orNone(strings.Join(c.GlobalKnownHostsFiles, " ")))
	p.text("userknownhostsfile", orNone(strings.Join(c.UserKnownHostsFiles, " ")))
	timeout := "none"
	if c.ConnectTimeout > 0 {
		timeout = fmt.Sprint(seconds(c.ConnectTimeout))
	}
	p.text("connecttimeout", timeout)
	p.text("escapechar", escapeName(c.EscapeChar))
	p.text("rekeylimit", fmt.Sprint(c.RekeyBytes, seconds(c.RekeyInterval)))
	for _, s := range c.Others {
		p.text(strings.ToLower(s.Name), strings.Join(s.Args, " "))
	}
	return p.lines
}

type printer struct{ lines []string }

func (p *printer) each(name string, values ...string) {
	for _, v := range values {
		p.lines = append(p.lines, name+" "+v)
	}
}

// text prints a value unless it is empty.
func (p *printer) text(name, value string) {
	if value != "" {
		p.each(name, value)
	}
}

func (p *printer) number(name string, n int) { p.each(name, fmt.Sprint(n)) }

func (p *printer) flag(name string, on bool) {
	p.each(name, map[bool]string{true: "yes", false: "no"}[on])
}

func (p *printer) truth(name string, on bool) { p.each(name, fmt.Sprint(on)) }

// truth replaces yes and no by true and false, as ssh prints some of them.
func truth(s string) string {
	switch s {
	case "yes":
		return "true"
	case "no":
		return "false"
	}
	return s
}

func seconds(d time.Duration) int { return int(d / time.Second) }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func jumpList(jumps []Jump) string {
	list := make([]string, len(jumps))
	for i, j := range jumps {
		list[i] = j.String()
	}
	return strings.Join(list, ",")
}

// forwardList prints hosts in brackets, as ssh does.
func forwardList(list []Forward) []string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = strings.TrimSpace(strings.Join(bracket(f.Listen, f.Connect), " "))
	}
	return out
}

func bracket(endpoints ...string) []string {
	out := make([]string, len(endpoints))
	for i, e := range endpoints {
		out[i] = e
		if host, port, err := net.SplitHostPort(e); err == nil && !strings.Contains(e, "/") {
			out[i] = "[" + host + "]:" + port
		}
	}
	return out
}

func escapeName(c int) string {
	switch {
	case c < 0:
		return "none"
	case c < ' ':
		return `\^` + string(rune(c+'@'))
	}
	return string(rune(c))
}
