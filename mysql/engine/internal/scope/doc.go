// Package scope knows what the names in a statement mean and what type every
// expression has, and writes expressions in SQLite's words: literals, columns,
// operators, comparisons, conversions. Queries and calls of functions are
// compiled by package translate, which it asks through [Env].
package scope
