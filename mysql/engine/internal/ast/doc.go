// Package ast has the trees that statements are read into by package parse.
// Names stand as they were written, keywords in capitals.
package ast
