// Package function has what MySQL computes and SQLite does not, as functions of
// SQLite whose names begin with wl_: arithmetic on decimals, dates, texts,
// JSON, aggregates, and the orders of texts. [Register] adds all of it to a
// driver.
package function
