"""psycopg 3: libpq, parameters of the protocol, text and binary, pipelines."""

import datetime
import decimal
import threading
import uuid

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from steps import *

conninfo = dict(
    host=HOST, port=PORT, user=USER, password=PASSWORD, dbname=DATABASE, sslmode="verify-ca", sslrootcert=CERTIFICATE
)
connection = psycopg.connect(**conninfo, channel_binding="require", autocommit=True)


def one(text, values=None, **options):
    return connection.execute(text, values, **options).fetchone()[0]


@step("connect over TLS with SCRAM")
def _():
    equal(one("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), True)
    equal(connection.info.server_version // 10000, 15)


def round_trip(binary):
    moment = datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, tzinfo=datetime.timezone.utc)
    values = [
        LOW, HIGH, decimal.Decimal("12345678901234567890.123456789"), TEXT, bytes(range(256)),
        datetime.date(2024, 2, 29), moment, uuid.UUID(UUID), [1, 2, None], ["a,b", '"q"', "{x}", "NULL", None],
        None, True, 0.1, datetime.timedelta(days=3, seconds=5), datetime.time(1, 2, 3),
    ]
    kind = "b" if binary else "t"
    types = "int8 int8 numeric text bytea date timestamptz uuid int4[] text[] text bool float8 interval time".split()
    text = "select " + ", ".join(f"%{kind}::{name}" for name in types)
    cursor = connection.cursor(binary=binary)
    equal(list(cursor.execute(text, values).fetchone()), values)
    document = {"a": [1, "x", None]}
    equal(cursor.execute("select %s::jsonb", [Jsonb(document)]).fetchone()[0], document)
    equal(cursor.execute("select int4range(1, 5)").fetchone()[0], psycopg.types.range.Range(1, 5))
    equal(cursor.execute("select 'NaN'::numeric, '-0.000001'::numeric").fetchone()[1], decimal.Decimal("-0.000001"))
    equal(cursor.execute("select row(1, 'x'::text)::text").fetchone()[0], "(1,x)")


step("types round trip as text")(lambda: round_trip(False))
step("types round trip in binary")(lambda: round_trip(True))


@step("definitions")
def _():
    connection.execute(
        """create table customer (id bigserial primary key, email text not null unique, credit numeric(10,2) default 0);
        create table purchase (id serial primary key, customer_id bigint not null references customer, note text)"""
    )


@step("prepared statements")
def _():
    for value in range(10):
        equal(one("select %s::int * 2", [value], prepare=True), value * 2)
    equal(one("select count(*) > 0 from pg_prepared_statements"), True)
    connection.execute("alter table customer add column extra int")
    equal(len(connection.execute("select * from customer", prepare=True).description), 4)
    connection.execute("alter table customer drop column extra")
    fails_with("0A000", lambda: connection.execute("select * from customer", prepare=True))
    connection.execute("deallocate all")


@step("transactions with savepoints")
def _():
    with connection.transaction():
        connection.execute("insert into customer (email) values ('a@x')")
        try:
            with connection.transaction():
                connection.execute("insert into customer (email) values ('a@x')")
        except psycopg.errors.UniqueViolation as error:
            equal(error.diag.constraint_name, "customer_email_key")
        connection.execute("insert into customer (email) values ('b@x')")
    with connection.transaction(force_rollback=True):
        connection.execute("delete from customer")
    equal(one("select count(*) from customer"), 2)


@step("errors by SQLSTATE")
def _():
    fails = lambda code, *arguments: fails_with(code, lambda: connection.execute(*arguments))
    fails("42P01", "select * from nowhere")
    fails("42703", "select nothing from customer")
    fails("22012", "select 1 / %s", [0])
    fails("42601", "selekt 1")
    fails("23503", "insert into purchase (customer_id) values (99)")
    fails("42P18", "select pg_typeof(%s), %s is null", [None, None])


@step("serialization failure")
def _():
    with psycopg.connect(**conninfo, autocommit=True) as other:
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE

        def conflict():
            with connection.transaction():
                one("select count(*) from customer")
                other.execute("update customer set credit = 5 where email = 'a@x'")
                connection.execute("update customer set credit = 6 where email = 'a@x'")

        fails_with("40001", conflict)
        connection.isolation_level = None


@step("pipeline")
def _():
    with connection.pipeline():
        cursors = [connection.execute("select %s::int", [value]) for value in range(200)]
        equal([cursor.fetchone()[0] for cursor in cursors], list(range(200)))
    try:
        with connection.pipeline() as pipeline:
            connection.execute("insert into customer (email) values ('p@x')")
            connection.execute("select 1 / 0")
            connection.execute("insert into customer (email) values ('q@x')")
            pipeline.sync()
        raise AssertionError("no error")
    except psycopg.errors.DivisionByZero:
        pass
    equal(one("select count(*) from customer where email in ('p@x', 'q@x')"), 0)
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into purchase (customer_id, note) values (%s, %s) returning id",
            [(1, f"n{n}") for n in range(500)], returning=True,
        )
        equal(cursor.fetchone() is not None, True)
    equal(one("select count(*) from purchase"), 500)


@step("COPY in and out")
def _():
    connection.execute("create table copied (n int8, text text, at timestamptz, data bytea, amount numeric)")
    at = datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)
    rows = [(n, TEXT if n % 2 else None, at, bytes([n]), decimal.Decimal(n) / 8) for n in range(100)]
    cursor = connection.cursor()
    for form in ("text", "binary"):
        connection.execute("truncate copied")
        with cursor.copy(f"copy copied from stdin (format {form})") as copy:
            copy.set_types(["int8", "text", "timestamptz", "bytea", "numeric"])
            for row in rows:
                copy.write_row(row)
        equal(cursor.rowcount, 100)
        with cursor.copy(f"copy (select * from copied order by n) to stdout (format {form})") as copy:
            copy.set_types(["int8", "text", "timestamptz", "bytea", "numeric"])
            equal([tuple(row) for row in copy.rows()], rows)

    def broken():
        with cursor.copy("copy copied (n) from stdin") as copy:
            copy.write("1\nx\n")

    fails_with("22P02", broken)
    equal(one("select count(*) from copied"), 100)


@step("cursor of the server, stream")
def _():
    with connection.transaction():
        with connection.cursor("names", scrollable=True) as named:
            named.execute("select n from generate_series(1, %s) n", [1000])
            equal(sum(row[0] for row in named), 500500)
            named.scroll(-10)
            equal(named.fetchone()[0], 992)
    with connection.cursor() as cursor:
        equal(sum(row[0] for row in cursor.stream("select n from generate_series(1, %s) n", [1000])), 500500)


@step("cancel and timeout")
def _():
    threading.Timer(0.2, connection.cancel).start()
    fails_with("57014", lambda: connection.execute("select pg_sleep(20)"))
    connection.execute("set statement_timeout = '50ms'")
    fails_with("57014", lambda: connection.execute("select count(*) from generate_series(1, 1000000000)"))
    connection.execute("reset statement_timeout")


@step("LISTEN and NOTIFY")
def _():
    with psycopg.connect(**conninfo, autocommit=True) as other:
        other.execute("listen news")
        connection.execute("select pg_notify('news', %s)", ["grüße"])
        found = next(other.notifies())
        equal((found.channel, found.payload), ("news", "grüße"))


@step("types of the catalogs")
def _():
    connection.execute("create type mood as enum ('sad', 'ok'); create type pair as (a int, b text)")
    equal(psycopg.types.enum.EnumInfo.fetch(connection, "mood").labels, ["sad", "ok"])
    equal(list(psycopg.types.composite.CompositeInfo.fetch(connection, "pair").field_names), ["a", "b"])
    equal(psycopg.types.TypeInfo.fetch(connection, sql.Identifier("mood")).name, "mood")


connection.close()
finish()
