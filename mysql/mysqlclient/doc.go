// Package mysqlclient speaks MySQL's client/server protocol with MySQL and
// MariaDB servers.
package mysqlclient
