package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/ssh/keys"
)

// keyReport is what is told about a key, also as JSON.
type keyReport struct {
	Type        string `json:"type"`
	Bits        int    `json:"bits"`
	Fingerprint string `json:"fingerprint"`
	Comment     string `json:"comment,omitempty"`
	File        string `json:"file,omitempty"`
}

func report(key keys.PublicKey, comment, file string) keyReport {
	return keyReport{key.Type(), keys.Bits(key), keys.Fingerprint(key), comment, file}
}

func (a *app) keygenCommand() *cobra.Command {
	var kind, file, comment, passphrase string
	var bits int
	cmd := &cobra.Command{
		Use:   "keygen [-t ed25519|ecdsa|rsa] [-b BITS] [-f FILE] [-C COMMENT] [-N PASSPHRASE]",
		Short: "Make a key pair",
		Long: `Make a private key and its public half beside it (FILE and FILE.pub).
An existing file is never overwritten. Without -N the passphrase is asked for;
-N '' makes a key without one.`,
		Example: "  wirelark keygen -f deploy -N ''",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if kind != "ed25519" && kind != "ecdsa" && kind != "rsa" {
				return usagef(cmd, "there is no key type %q: choose ed25519, ecdsa or rsa", kind)
			}
			if file == "" {
				dir, err := a.sshDir()
				if err != nil {
					return err
				}
				file = filepath.Join(dir, "id_"+kind)
			}
			if !cmd.Flags().Changed("comment") {
				comment = a.localUser() + "@" + localHost()
			}
			if !cmd.Flags().Changed("passphrase") {
				var err error
				if passphrase, err = a.newPassphrase(cmd.Context()); err != nil {
					return err
				}
			}
			r, err := makeKey(kind, bits, file, comment, passphrase)
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.Stdout).Encode(r)
			}
			a.infof("made %s and %s.pub", file, file)
			fmt.Fprintf(a.Stdout, "%d %s %s (%s)\n", r.Bits, r.Fingerprint, r.Comment, r.Type)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&kind, "type", "t", "ed25519", "type of the key: ed25519, ecdsa or rsa")
	f.IntVarP(&bits, "bits", "b", 0, "size: 256, 384 or 521 for ecdsa, 2048 and more for rsa")
	f.StringVarP(&file, "file", "f", "", "file of the private key (default ~/.ssh/id_TYPE)")
	f.StringVarP(&comment, "comment", "C", "", "comment (default user@host)")
	f.StringVarP(&passphrase, "passphrase", "N", "", "passphrase that protects the file; '' for none")
	f.BoolVar(&a.json, "json", false, "print a JSON object")
	return cmd
}

// newPassphrase asks twice.
func (a *app) newPassphrase(ctx context.Context) (string, error) {
	p := &prompter{app: a}
	first, err := p.secret(ctx, "Passphrase (empty for none): ")
	if errors.Is(err, errNoPrompt) {
		return "", &Error{
			Code: exitUsage, What: "a passphrase is needed and there is nobody to ask", Err: err,
			Next: []string{"give it: -N PASSPHRASE", "or make a key without one: -N ''"},
		}
	}
	if err != nil {
		return "", err
	}
	again, err := p.secret(ctx, "The same again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", &Error{Code: exitUsage, What: "the passphrases differ; nothing was written"}
	}
	return first, nil
}

// makeKey writes a new key pair and tells about it.
func makeKey(kind string, bits int, file, comment, passphrase string) (keyReport, error) {
	signer, err := keys.Generate(kind, bits)
	if err != nil {
		return keyReport{}, &Error{Code: exitUsage, What: err.Error(), Err: err}
	}
	if dir := filepath.Dir(file); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return keyReport{}, err
		}
	}
	if err := keys.Write(file, signer, comment, []byte(passphrase)); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return keyReport{}, &Error{
				Code: exitUsage, What: fmt.Sprintf("%s exists; a key is never overwritten", file), Err: err,
				Next: []string{"choose another name: -f FILE"},
			}
		}
		return keyReport{}, err
	}
	if err := keys.WritePublic(file+".pub", signer.PublicKey(), comment); err != nil {
		return keyReport{}, err
	}
	return report(signer.PublicKey(), comment, file), nil
}

// hostKey loads the host key of a server; a missing file is made, for nobody
// but its owner to read.
func (a *app) hostKey(file string) (keys.Signer, error) {
	signer, err := keys.Load(file, nil)
	if errors.Is(err, fs.ErrNotExist) {
		r, err := makeKey("ed25519", 0, file, "wirelark host key", "")
		if err != nil {
			return nil, err
		}
		a.infof("made the host key %s  %s", r.File, r.Fingerprint)
		return keys.Load(file, nil)
	}
	if err != nil {
		return nil, &fileError{file, err}
	}
	return signer, nil
}
