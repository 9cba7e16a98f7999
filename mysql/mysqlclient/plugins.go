package mysqlclient

import "github.com/wirelark/wirelark/mysql/options"

// pluginsOf returns the plugins that o allows; nil: the usual ones.
func pluginsOf(o *options.Auth) []string {
	usual := []string{"caching_sha2_password", "sha256_password", "client_ed25519", "parsec", "dialog"}
	if !o.Cleartext && !o.DenyNative {
		return nil
	}
	if !o.DenyNative {
		usual = append(usual, "mysql_native_password")
	}
	if o.Cleartext {
		usual = append(usual, "mysql_clear_password")
	}
	return usual
}
