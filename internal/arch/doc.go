// Package arch holds the rules of the repository's layout as tests: who may
// import whom, what vocabularies and libraries may touch, how long files may
// be. ARCHITECTURE.md says what the rules are for; a failure says which one it
// was and why it is there.
//
// It has no code of its own, only tests. They parse all Go files of the
// module, whatever system they are for.
package arch
