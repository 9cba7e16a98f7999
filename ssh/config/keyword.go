package config

import (
	"slices"
	"strings"
)

// A keyword is one of ssh_config's.
type keyword struct {
	name  string // as the manual writes it
	check check
	adds  bool // all values count, not only the first
	field bool // has a field in Config
	// unsafe says why a value must not be ignored, "" if it may. nil: it may.
	unsafe func(s *Setting) string
}

// unless is the reason for every value but the given ones.
func unless(why string, harmless ...string) func(*Setting) string {
	return func(s *Setting) string {
		if len(s.Args) > 0 && slices.ContainsFunc(harmless, func(h string) bool { return strings.EqualFold(h, s.Args[0]) }) {
			return ""
		}
		return why
	}
}

// keywords lists all of ssh_config(5). Those with a field come first.
var keywords = []keyword{
	{name: "AddressFamily", check: choice("any", "inet", "inet6"), field: true},
	{name: "BatchMode", check: flag, field: true},
	{name: "BindAddress", check: word, field: true},
	{name: "CertificateFile", check: word, adds: true, field: true},
	{name: "Ciphers", check: word, field: true},
	{name: "ClearAllForwardings", check: flag, field: true},
	{name: "Compression", check: choice("yes", "no"), field: true},
	{name: "ConnectionAttempts", check: number, field: true},
	{name: "ConnectTimeout", check: interval, field: true},
	{name: "DynamicForward", check: word, adds: true, field: true},
	{name: "EscapeChar", check: escape, field: true},
	{name: "ExitOnForwardFailure", check: flag, field: true},
	{name: "GatewayPorts", check: flag, field: true},
	{name: "GlobalKnownHostsFile", check: names, field: true},
	{name: "HashKnownHosts", check: flag, field: true},
	{name: "HostKeyAlgorithms", check: word, field: true},
	{name: "HostKeyAlias", check: word, field: true},
	{name: "HostName", check: word, field: true},
	{name: "IdentitiesOnly", check: flag, field: true},
	{name: "IdentityAgent", check: word, field: true},
	{name: "IdentityFile", check: word, adds: true, field: true},
	{name: "KbdInteractiveAuthentication", check: flag, field: true},
	{name: "KexAlgorithms", check: word, field: true},
	{name: "LocalForward", check: forwarding, adds: true, field: true},
	{name: "LogLevel", check: choice("QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3"), field: true},
	{name: "MACs", check: word, field: true},
	{name: "NumberOfPasswordPrompts", check: number, field: true},
	{name: "PasswordAuthentication", check: flag, field: true},
	{name: "Port", check: port, field: true},
	{name: "PreferredAuthentications", check: word, field: true},
	{name: "ProxyCommand", check: rest, field: true},
	{name: "ProxyJump", check: proxyJump, field: true},
	{name: "PubkeyAcceptedAlgorithms", check: word, field: true},
	{name: "PubkeyAuthentication", check: choice("yes", "true", "no", "false", "unbound", "host-bound"), field: true},
	{name: "RefuseConnection", check: word, field: true},
	{name: "RekeyLimit", check: rekeyLimit, field: true},
	{name: "RemoteCommand", check: rest, field: true},
	{name: "RemoteForward", check: remoteForwarding, adds: true, field: true},
	{name: "RequestTTY", check: choice("yes", "true", "no", "false", "force", "auto"), field: true},
	{name: "RequiredRSASize", check: number, field: true},
	{name: "RevokedHostKeys", check: word, field: true},
	{name: "SendEnv", check: names, adds: true, field: true},
	{name: "ServerAliveCountMax", check: number, field: true},
	{name: "ServerAliveInterval", check: interval, field: true},
	{name: "SessionType", check: choice("default", "none", "subsystem"), field: true},
	{name: "SetEnv", check: setEnv, field: true},
	{name: "StdinNull", check: flag, field: true},
	{name: "StrictHostKeyChecking", check: choice("yes", "true", "no", "false", "off", "ask", "accept-new"), field: true},
	{name: "Tag", check: word, field: true},
	{name: "UpdateHostKeys", check: choice("yes", "true", "no", "false", "ask"), field: true},
	{name: "User", check: word, field: true},
	{name: "UserKnownHostsFile", check: names, field: true},

	{name: "AddKeysToAgent", check: anything},
	{name: "BindInterface", check: word, unsafe: unless("the connection would leave through another interface")},
	{name: "CanonicalDomains", check: anything},
	{name: "CanonicalizeFallbackLocal", check: flag},
	{name: "CanonicalizeHostname", check: choice("yes", "true", "no", "false", "always", "none"), unsafe: unless("the name would mean another host", "no", "false", "none")},
	{name: "CanonicalizeMaxDots", check: number},
	{name: "CanonicalizePermittedCNAMEs", check: anything, unsafe: unless("the name would mean another host", "none")},
	{name: "CASignatureAlgorithms", check: word},
	{name: "ChannelTimeout", check: anything},
	{name: "CheckHostIP", check: flag},
	{name: "ControlMaster", check: choice("yes", "true", "no", "false", "auto", "ask", "autoask")},
	{name: "ControlPath", check: word},
	{name: "ControlPersist", check: word},
	{name: "EnableEscapeCommandline", check: flag},
	{name: "EnableSSHKeysign", check: flag},
	{name: "FingerprintHash", check: choice("md5", "sha256")},
	{name: "ForkAfterAuthentication", check: flag},
	{name: "ForwardAgent", check: word},
	{name: "ForwardX11", check: flag},
	{name: "ForwardX11Timeout", check: interval},
	{name: "ForwardX11Trusted", check: flag},
	{name: "HostbasedAcceptedAlgorithms", check: word},
	{name: "HostbasedAuthentication", check: flag},
	{name: "IgnoreUnknown", check: word},
	{name: "IPQoS", check: anything},
	{name: "KbdInteractiveDevices", check: word},
	{name: "KnownHostsCommand", check: rest},
	{name: "LocalCommand", check: rest},
	{name: "LogVerbose", check: anything},
	{name: "NoHostAuthenticationForLocalhost", check: flag},
	{name: "ObscureKeystrokeTiming", check: word},
	{name: "PermitLocalCommand", check: flag},
	{name: "PermitRemoteOpen", check: anything},
	{name: "PKCS11Provider", check: word},
	{name: "ProxyUseFdpass", check: flag, unsafe: unless("the ProxyCommand hands over a connection instead of carrying it", "no", "false")},
	{name: "SecurityKeyProvider", check: word},
	{name: "StreamLocalBindMask", check: word},
	{name: "StreamLocalBindUnlink", check: flag},
	{name: "SyslogFacility", check: word},
	{name: "TCPKeepAlive", check: choice("yes", "true", "no", "false", "transport", "all")},
	{name: "Tunnel", check: choice("yes", "true", "no", "false", "point-to-point", "ethernet")},
	{name: "TunnelDevice", check: word},
	{name: "VerifyHostKeyDNS", check: choice("yes", "true", "no", "false", "ask")},
	{name: "VersionAddendum", check: anything},
	{name: "VisualHostKey", check: flag},
	{name: "WarnWeakCrypto", check: anything},
	{name: "XAuthLocation", check: word},

	// Of builds that others ship: Debian and Fedora, macOS.
	{name: "GSSAPIAuthentication", check: flag},
	{name: "GSSAPIClientIdentity", check: word},
	{name: "GSSAPIDelegateCredentials", check: flag},
	{name: "GSSAPIKeyExchange", check: flag},
	{name: "GSSAPIKexAlgorithms", check: word},
	{name: "GSSAPIRenewalForcesRekey", check: flag},
	{name: "GSSAPIServerIdentity", check: word},
	{name: "GSSAPITrustDns", check: flag},
	{name: "UseKeychain", check: flag},
}

// alias are other names that mean the same, in lower case.
var alias = map[string]string{
	"challengeresponseauthentication": "kbdinteractiveauthentication",
	"skeyauthentication":              "kbdinteractiveauthentication",
	"tisauthentication":               "kbdinteractiveauthentication",
	"dsaauthentication":               "pubkeyauthentication",
	"hostbasedkeytypes":               "hostbasedacceptedalgorithms",
	"identityfile2":                   "identityfile",
	"keepalive":                       "tcpkeepalive",
	"protocolkeepalives":              "serveraliveinterval",
	"setuptimeout":                    "serveraliveinterval",
	"pubkeyacceptedkeytypes":          "pubkeyacceptedalgorithms",
	"smartcarddevice":                 "pkcs11provider",
}

// obsolete are keywords that mean nothing any more and are skipped.
var obsolete = []string{
	"afstokenpassing", "cipher", "compressionlevel", "fallbacktorsh", "globalknownhostsfile2", "kerberosauthentication",
	"kerberostgtpassing", "protocol", "rhostsauthentication", "rhostsrsaauthentication", "rsaauthentication",
	"useprivilegedport", "userknownhostsfile2", "useroaming", "usersh",
}

// byName returns the keywords by their names and aliases, in lower case.
func byName() map[string]*keyword {
	m := make(map[string]*keyword, len(keywords)+len(alias))
	for i := range keywords {
		m[strings.ToLower(keywords[i].name)] = &keywords[i]
	}
	for other, name := range alias {
		m[other] = m[name]
	}
	return m
}
