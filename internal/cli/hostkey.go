package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/transport"
)

func (a *app) hostkeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hostkey show|forget HOST",
		Short: "Show or forget the keys by which hosts are known",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef(cmd, "hostkey has no %q: choose show or forget", args[0])
			}
			return usagef(cmd, "hostkey needs show or forget, and a host")
		},
	}
	cmd.AddCommand(a.hostkeyShow(), a.hostkeyForget())
	return cmd
}

// knownHostsFiles are the files that hold known hosts: given, or OpenSSH's.
func (a *app) knownHostsFiles(given []string) ([]string, error) {
	if len(given) == 0 {
		dir, err := a.sshDir()
		return []string{filepath.Join(dir, "known_hosts")}, err
	}
	files := make([]string, 0, len(given))
	for _, f := range given {
		f, err := a.expand(f)
		if err != nil {
			return nil, err
		}
		if f != "none" {
			files = append(files, f)
		}
	}
	return files, nil
}

// hostAddr reads HOST as host, [host]:port or a URL; port is what -p said.
func hostAddr(cmd *cobra.Command, host string, port int) (string, error) {
	d, err := parseDest(host)
	if err != nil {
		return "", usagef(cmd, "%v", err)
	}
	if port != 0 {
		d.port = port
	}
	return d.addr(), nil
}

type hostkeyReport struct {
	keyReport
	Marker string `json:"marker,omitempty"`
	Known  string `json:"known,omitempty"` // of a scanned key: yes, no, changed or revoked
}

func (a *app) hostkeyShow() *cobra.Command {
	var files []string
	var port int
	var scan bool
	cmd := &cobra.Command{
		Use:   "show HOST",
		Short: "Show the keys known for a host",
		Long: `Show the keys that the known-hosts file has for HOST, with where they stand.
With --scan, ask the host itself, and tell whether what it shows is known;
nothing is written.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := hostAddr(cmd, args[0], port)
			if err != nil {
				return err
			}
			paths, err := a.knownHostsFiles(files)
			if err != nil {
				return err
			}
			store, err := knownhosts.Load(paths...)
			if err != nil {
				return err
			}
			var reports []hostkeyReport
			if scan {
				reports, err = scanned(cmd.Context(), store, addr)
				if err != nil {
					return err
				}
			} else {
				reports = known(store, addr)
			}
			if len(reports) == 0 {
				return &Error{
					Code: exitRemote, What: fmt.Sprintf("no key is known for %s", knownhosts.Normalize(addr)),
					How:  []string{"searched: " + fmt.Sprint(paths)},
					Next: []string{"ask the host itself: wirelark hostkey show --scan " + args[0]},
				}
			}
			return a.printHostKeys(reports)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "known-hosts `FILE` (default ~/.ssh/known_hosts)")
	cmd.Flags().IntVarP(&port, "port", "p", 0, "port of the host, when it is not 22")
	cmd.Flags().BoolVar(&scan, "scan", false, "ask the host itself")
	cmd.Flags().BoolVar(&a.json, "json", false, "print a JSON array")
	return cmd
}

func (a *app) printHostKeys(reports []hostkeyReport) error {
	if a.json {
		return json.NewEncoder(a.Stdout).Encode(reports)
	}
	for _, r := range reports {
		fmt.Fprintf(a.Stdout, "%s\t%s\t%s", r.Type, r.Fingerprint, r.File)
		if r.Marker != "" {
			fmt.Fprintf(a.Stdout, "\t%s", r.Marker)
		}
		if r.Known != "" {
			fmt.Fprintf(a.Stdout, "known: %s", r.Known)
		}
		fmt.Fprintln(a.Stdout)
	}
	return nil
}

func known(store *knownhosts.Store, addr string) []hostkeyReport {
	var out []hostkeyReport
	for _, e := range store.Lookup(addr) {
		r := hostkeyReport{keyReport: keyReport{Type: e.KeyType, Fingerprint: "(key of an unknown type)", File: e.String()}, Marker: e.Marker}
		if e.Key != nil {
			r.keyReport = report(e.Key, harmless(e.Comment), e.String())
		}
		out = append(out, r)
	}
	return out
}

// errScanned ends a handshake as soon as the host has proved its key.
var errScanned = errors.New("the key was all we wanted")

// scanned asks the host for its key of every type it has.
func scanned(ctx context.Context, store *knownhosts.Store, addr string) ([]hostkeyReport, error) {
	var out []hostkeyReport
	for _, algorithm := range transport.Supported().HostKeys {
		key, err := scan(ctx, addr, algorithm)
		var none *ssh.NegotiationError
		if errors.As(err, &none) {
			continue // the host has no key of this type
		}
		if err != nil {
			return nil, err
		}
		if len(out) > 0 && out[len(out)-1].Fingerprint == keys.Fingerprint(key) {
			continue // the same RSA key under its other algorithm
		}
		r := hostkeyReport{keyReport: report(key, "", ""), Known: "yes"}
		var ke *knownhosts.KeyError
		if errors.As(store.Check(addr, key), &ke) {
			r.Known = map[knownhosts.Kind]string{
				knownhosts.Unknown: "no", knownhosts.Changed: "changed", knownhosts.Revoked: "revoked",
			}[ke.Kind]
		}
		out = append(out, r)
	}
	return out, nil
}

func scan(ctx context.Context, addr, algorithm string) (keys.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	var key keys.PublicKey
	cfg := &transport.ClientConfig{HostKey: func(_ context.Context, k transport.HostKey) error {
		key = k.Key
		return errScanned
	}}
	cfg.Algorithms.HostKeys = []string{algorithm}
	conn, err := transport.Client(ctx, nc, cfg)
	if err == nil {
		conn.Abort(errScanned)
	}
	if key == nil {
		return nil, err
	}
	return key, nil
}

func (a *app) hostkeyForget() *cobra.Command {
	var files []string
	var port int
	cmd := &cobra.Command{
		Use:   "forget HOST",
		Short: "Forget the keys known for a host",
		Long: `Delete the lines about HOST from the known-hosts file. The former file is kept
beside it as FILE.old.`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := hostAddr(cmd, args[0], port)
			if err != nil {
				return err
			}
			paths, err := a.knownHostsFiles(files)
			if err != nil {
				return err
			}
			total := 0
			for _, path := range paths {
				n, err := knownhosts.Remove(path, addr)
				if err != nil {
					return err
				}
				if n > 0 {
					a.infof("forgot %s for %s in %s (former file: %s.old)", plural(n, "line"), knownhosts.Normalize(addr), path, path)
				}
				total += n
			}
			if total == 0 {
				return &Error{
					Code: exitRemote, What: fmt.Sprintf("no key is known for %s", knownhosts.Normalize(addr)),
					How: []string{"searched: " + fmt.Sprint(paths)},
				}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "known-hosts `FILE` (default ~/.ssh/known_hosts)")
	cmd.Flags().IntVarP(&port, "port", "p", 0, "port of the host, when it is not 22")
	return cmd
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
