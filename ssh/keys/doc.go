// Package keys holds the keys of SSH: reading, generating and writing them,
// fingerprints, signing and verifying.
//
// The key types are those of golang.org/x/crypto/ssh under our names, so any
// signer written for that package works here. It is the only package of the
// module that shows them. What is ours stands in front: a list of key types,
// and limits on sizes and work, that are checked before anything is parsed,
// and signatures that must carry exactly the algorithm that was agreed on.
//
// Types that the list does not have, such as OpenSSH's ssh-mldsa44-ed25519,
// give an [*UnknownTypeError], so that files with such keys can keep the line
// and skip it.
//
// It is not a certificate authority: certificates are parsed and their keys
// used, but nothing here decides whether a certificate is to be trusted.
// Security keys (sk-*) verify; they sign only through an agent. SHA-1
// signatures ("ssh-rsa") and DSA keys are not supported.
//
// Limits: RSA keys have [MinRSABits] to [MaxRSABits] bits (a server may ask
// for more, see [Bits]); a public key takes at most 8 KiB, a certificate 64 KiB
// and a key file 64 KiB; passphrases are stretched with at most [MaxRounds]
// rounds of bcrypt.
package keys
