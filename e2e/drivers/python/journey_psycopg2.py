"""psycopg2: libpq, parameters put into the text."""

import datetime
import decimal
import io
import select
import threading
import time
import uuid

import psycopg2
import psycopg2.extensions
import psycopg2.extras

from steps import *
from steps import step as plain_step

psycopg2.extras.register_uuid()
settings = dict(
    host=HOST, port=PORT, user=USER, password=PASSWORD, dbname=DATABASE, sslmode="verify-ca", sslrootcert=CERTIFICATE
)
connection = psycopg2.connect(**settings, channel_binding="require")
cursor = connection.cursor()


def step(name):
    """As of all journeys, and what a failed step has left open is rolled back."""

    def run(work):
        plain_step(name)(work)
        connection.rollback()

    return run


def one(text, values=None):
    cursor.execute(text, values)
    return cursor.fetchone()[0]


def fails(code, text, values=None):
    fails_with(code, lambda: cursor.execute(text, values))
    connection.rollback()


@step("connect over TLS with SCRAM")
def _():
    equal(one("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), True)
    equal(connection.info.ssl_in_use, True)
    equal(connection.server_version // 10000, 15)
    try:
        psycopg2.connect(**{**settings, "password": "wrong"})
        raise AssertionError("a wrong password was taken")
    except psycopg2.OperationalError as error:
        equal("password authentication failed" in str(error), True)


@step("types round trip")
def _():
    moment = datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, tzinfo=datetime.timezone.utc)
    values = (
        LOW, HIGH, decimal.Decimal("12345678901234567890.123456789"), TEXT, bytes(range(256)),
        datetime.date(2024, 2, 29), moment, uuid.UUID(UUID), [1, 2, None], ["a,b", '"q"', "{x}", "NULL", None],
        None, True, 0.1, datetime.timedelta(days=3, seconds=5), datetime.time(1, 2, 3),
    )
    cursor.execute(
        """select cast(%s as int8), %s::int8, %s::numeric, %s::text, %s::bytea, %s::date, %s::timestamptz, %s::uuid,
        %s::int4[], %s::text[], %s::text, %s::bool, %s::float8, %s::interval, %s::time""",
        values,
    )
    row = list(cursor.fetchone())
    row[4] = bytes(row[4])
    equal(tuple(row), values)
    equal(one("select %s::jsonb", (psycopg2.extras.Json({"a": [1, "x", None]}),)), {"a": [1, "x", None]})
    equal(one("select 'infinity'::float8"), float("inf"))
    equal(one("select int4range(1, 5)"), psycopg2.extras.NumericRange(1, 5))


@step("definitions")
def _():
    cursor.execute(
        """create table customer (id bigserial primary key, email text not null unique, credit numeric(10,2) default 0);
        create table purchase (id serial primary key, customer_id bigint not null references customer, note text)"""
    )
    connection.commit()
    equal(cursor.statusmessage, "CREATE TABLE")


@step("prepared statements")
def _():
    cursor.execute("prepare double (int) as select $1 * 2")
    equal([one("execute double (%s)", (value,)) for value in range(10)], [value * 2 for value in range(10)])


@step("transactions with savepoints")
def _():
    connection.set_session(isolation_level="SERIALIZABLE")
    with connection:
        cursor.execute("insert into customer (email) values ('a@x') returning id")
        equal(cursor.fetchone()[0], 1)
        cursor.execute("savepoint s")
        fails_with("23505", lambda: cursor.execute("insert into customer (email) values ('a@x')"))
        equal(connection.info.transaction_status, psycopg2.extensions.TRANSACTION_STATUS_INERROR)
        cursor.execute("rollback to savepoint s")
        cursor.execute("insert into customer (email) values ('b@x')")
    cursor.execute("delete from customer")
    equal(cursor.rowcount, 2)
    connection.rollback()
    equal(one("select count(*) from customer"), 2)
    connection.rollback()
    connection.set_session(isolation_level="DEFAULT")


@step("errors by SQLSTATE")
def _():
    fails("42P01", "select * from nowhere")
    fails("42703", "select nothing from customer")
    fails("22012", "select 1 / 0")
    fails("42601", "selekt 1")
    fails("23503", "insert into purchase (customer_id) values (99)")
    fails("23502", "insert into customer (email) values (null)")
    try:
        cursor.execute("insert into customer (email) values ('a@x')")
    except psycopg2.errors.UniqueViolation as error:
        equal(error.diag.constraint_name, "customer_email_key")
        equal(error.diag.table_name, "customer")
    connection.rollback()


@step("serialization failure")
def _():
    other = psycopg2.connect(**settings)
    connection.set_session(isolation_level="REPEATABLE READ")
    one("select count(*) from customer")
    with other, other.cursor() as second:
        second.execute("update customer set credit = 5 where email = 'a@x'")
    fails("40001", "update customer set credit = 6 where email = 'a@x'")
    connection.set_session(isolation_level="DEFAULT")
    other.close()


@step("batches")
def _():
    psycopg2.extras.execute_values(
        cursor, "insert into purchase (customer_id, note) values %s", [(1, f"n{n}") for n in range(1000)], page_size=300
    )
    psycopg2.extras.execute_batch(cursor, "update purchase set note = %s where id = %s", [("x", 1), ("y", 2)])
    connection.commit()
    equal(one("select count(*) from purchase"), 1000)


@step("COPY in and out")
def _():
    cursor.execute("create table copied (n int, text text)")
    cursor.copy_expert("copy copied from stdin (format csv, header)", io.StringIO('n,text\n1,"a,""b"\n2,\n'))
    equal(cursor.rowcount, 2)
    cursor.copy_from(io.StringIO("3\tz\\\\\n4\t\\N\n"), "copied", columns=("n", "text"))
    out = io.StringIO()
    cursor.copy_expert("copy (select * from copied order by n) to stdout", out)
    equal(out.getvalue(), '1\ta,"b\n2\t\\N\n3\tz\\\\\n4\t\\N\n')
    connection.commit()
    fails_with("22P02", lambda: cursor.copy_from(io.StringIO("x\ty\n"), "copied"))
    connection.rollback()


@step("cursor of the server")
def _():
    with connection.cursor("names", scrollable=True) as named:
        named.itersize = 100
        named.execute("select n from generate_series(1, 1000) n")
        equal(sum(row[0] for row in named), 500500)
        named.scroll(0, mode="absolute")
        equal(named.fetchone()[0], 1)
    connection.commit()


@step("cancel and timeout")
def _():
    threading.Timer(0.2, connection.cancel).start()
    fails("57014", "select pg_sleep(20)")
    cursor.execute("set local statement_timeout = '50ms'")
    fails("57014", "select count(*) from generate_series(1, 1000000000)")


@step("LISTEN and NOTIFY")
def _():
    other = psycopg2.connect(**settings)
    other.autocommit = True
    other.cursor().execute("listen news")
    cursor.execute("notify news, 'grüße'")
    connection.commit()
    until = time.time() + 5
    while not other.notifies and time.time() < until:
        select.select([other], [], [], 1)
        other.poll()
    equal([(found.channel, found.payload) for found in other.notifies], [("news", "grüße")])
    other.close()


@step("large objects")
def _():
    large = connection.lobject(0, "wb")
    large.write(b"abc" * 10000)
    identity = large.oid
    large.close()
    read = connection.lobject(identity, "rb")
    read.seek(3)
    equal(read.read(3), b"abc")
    read.close()
    connection.lobject(identity).unlink()
    connection.commit()


finish()
