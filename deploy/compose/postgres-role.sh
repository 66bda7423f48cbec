#!/bin/sh
# Runs once, when the database is made: the role that the services log in as.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$POSTGRES_PASSWORD" --username postgres --dbname attune <<'SQL'
CREATE ROLE attune LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
ALTER DATABASE attune OWNER TO attune;
SQL
