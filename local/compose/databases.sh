#!/bin/bash
# Run once by the PostgreSQL image on an empty volume: one database and owner per user of the server.
set -euo pipefail
for name in airflow pls; do
    variable="${name^^}_DB_PASSWORD"
    psql --set ON_ERROR_STOP=1 --set name="$name" --set password="${!variable}" --username postgres <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
# docs/howto/access.md: a user who may not make roles finds them made.
for role in pls_owner pls_loader pls_clerk pls_reader pls_county; do
    psql --set ON_ERROR_STOP=1 --set role="$role" --username postgres <<'SQL'
CREATE ROLE :"role" NOLOGIN;
GRANT :"role" TO pls;
SQL
done
# The simulated hotline (family D) lives in a database of its own.
psql --set ON_ERROR_STOP=1 --username postgres --command "CREATE DATABASE hotline OWNER pls"
