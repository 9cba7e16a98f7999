// Package function has what MySQL computes and SQLite does not: exact
// decimals, dates, texts, collations, aggregates, and the conversion of values
// to the type of the column that they are stored in. [Register] adds all of it
// to a SQLite driver, under names that begin with wl_.
package function
