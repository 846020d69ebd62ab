#!/bin/sh
# The number of orders; a POST adds one.
statement='SELECT count(*) FROM orders'
[ "$REQUEST_METHOD" != POST ] || statement="INSERT INTO orders () VALUES (); $statement"
found=$(mariadb --defaults-extra-file=/run/secrets/db_client -N -e "$statement" shop 2>/dev/null) || {
    printf 'Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nno database\n'
    exit
}
printf 'Content-Type: text/plain\r\n\r\n%s\n' "$found"
