// Package mysql is the vocabulary of the client-server protocol of MySQL and
// MariaDB.
package mysql
