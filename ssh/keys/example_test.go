package keys_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/wirelark/wirelark/ssh/keys"
)

func Example() {
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "id_ed25519")

	made, err := keys.Generate("ed25519", 0)
	if err != nil {
		panic(err)
	}
	if err := keys.Write(path, made, "me@example.com", nil); err != nil {
		panic(err)
	}
	signer, err := keys.Load(path, nil) // a function here could ask for a passphrase
	if err != nil {
		panic(err)
	}
	sig, err := keys.Sign(nil, signer, keys.TypeEd25519, []byte("hello"))
	if err != nil {
		panic(err)
	}
	fmt.Println(signer.PublicKey().Type())
	fmt.Println(keys.Verify(made.PublicKey(), keys.TypeEd25519, []byte("hello"), sig))
	// Output:
	// ssh-ed25519
	// <nil>
}
