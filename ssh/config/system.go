package config

import (
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// System returns the source that ssh(1) has: ~/.ssh/config, then
// /etc/ssh/ssh_config, where each may be missing; the user, the machine and the
// environment of this process. Exec is nil.
func System() (*Source, error) {
	u, err := user.Current()
	if err != nil {
		return nil, err
	}
	name := u.Username
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // Windows: DOMAIN\name
		name = name[i+1:]
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return &Source{
		Files: []File{UserFile(u.HomeDir), {Path: SystemFile, Optional: true}},
		Local: Local{User: name, UID: u.Uid, Home: u.HomeDir, Host: host, Lookup: os.LookupEnv, Addresses: interfaceAddresses()},
	}, nil
}

// UserFile is the configuration of the user with the given home directory,
// which is read as ssh(1) reads it.
func UserFile(home string) File {
	return File{Path: filepath.Join(home, ".ssh", "config"), User: true, Private: true, Optional: true}
}

// interfaceAddresses are those of the network interfaces that are up; nil when
// the system does not tell.
func interfaceAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var list []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, p.Addr())
		}
	}
	return list
}
