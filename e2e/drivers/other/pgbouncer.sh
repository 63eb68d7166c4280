#!/bin/sh
# pgbouncer in front of the server (TLS and SCRAM behind it), psql through it: pooling by transaction and by session.
set -u
folder=$(mktemp -d "$JOURNEY_FOLDER/bouncer-XXXXXX")
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
failed=0

cat > "$folder/users.txt" <<END
"$PGUSER" "$PGPASSWORD"
END
cat > "$folder/pgbouncer.ini" <<END
[databases]
pooled = host=$PGHOST port=$PGPORT dbname=$PGDATABASE pool_mode=transaction
session = host=$PGHOST port=$PGPORT dbname=$PGDATABASE pool_mode=session
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $folder/users.txt
server_tls_sslmode = verify-ca
server_tls_ca_file = $JOURNEY_CERTIFICATE
default_pool_size = 2
admin_users = $PGUSER
logfile = $folder/log
END
# It refuses to run as root.
if [ "$(id -u)" = 0 ]; then
  chmod 755 "$JOURNEY_FOLDER"
  chown -R nobody "$folder"
  setpriv --reuid=nobody --regid=nogroup --clear-groups /usr/sbin/pgbouncer -q "$folder/pgbouncer.ini" &
else
  /usr/sbin/pgbouncer -q "$folder/pgbouncer.ini" &
fi
bouncer=$!
trap 'kill $bouncer 2>/dev/null; wait $bouncer 2>/dev/null' EXIT

run() { PGSSLMODE=disable psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" "$@" 2>&1; }

step() {
  if [ "$2" = "$3" ]; then echo "ok   $1"; else
    failed=1
    echo "FAIL $1: $(echo "$2" | tr '\n' ' ') instead of $(echo "$3" | tr '\n' ' ')"
    tail -3 "$folder/log" | sed 's/^/     /'
  fi
}

for attempt in 1 2 3 4 5 6 7 8 9 10; do
  run -d pooled -c 'select 1' > "$folder/first" && break
  sleep 0.3
done
step 'psql through pgbouncer, TLS and SCRAM behind it' "$(run -d pooled -c 'select ssl from pg_stat_ssl where pid = pg_backend_pid()')" t
step 'transactions' "$(run -d pooled <<'END'
create table t (id serial primary key, v text unique);
begin;
insert into t (v) values ('a'), ('b');
savepoint s;
delete from t;
rollback to s;
commit;
select count(*) from t;
END
)" 2
step 'an error by SQLSTATE' "$(run -d pooled -v VERBOSITY=sqlstate -c "insert into t (v) values ('a')")" 'ERROR:  23505'
step 'COPY' "$(printf '7\tx\n8\ty\n' | run -d pooled -c 'copy t from stdin' -c 'copy (select * from t where id > 6 order by id) to stdout (format csv)')" '7,x
8,y'
step 'sessions are cleaned' "$(run -d session -c "set application_name = 'kept'; create temp table left_over (n int)" >/dev/null; run -d session -c "select count(*) from pg_class where relname = 'left_over'")" 0
for n in 1 2 3 4 5 6 7 8; do run -d pooled -c "select $n, pg_sleep(0.05)" > "$folder/out$n" & jobs="${jobs:-} $!"; done
wait $jobs
step 'eight clients over two connections' "$(cat "$folder"/out? | wc -l | tr -d ' ')" 8
step 'a cancelled statement' "$(PGOPTIONS='' run -d session -v VERBOSITY=sqlstate -c "set statement_timeout = '50ms'" -c 'select pg_sleep(10)')" 'ERROR:  57014'
step 'psql lists through it' "$(run -d pooled -c '\dt' | cut -d'|' -f2)" t
exit $failed
