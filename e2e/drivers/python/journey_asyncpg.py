"""asyncpg: its own protocol code, everything binary, types asked from the catalogs."""

import asyncio
import datetime
import decimal
import io
import ssl
import uuid

import asyncpg

from steps import *

tls = ssl.create_default_context(cafile=CERTIFICATE)
tls.check_hostname = False
settings = dict(host=HOST, port=PORT, user=USER, password=PASSWORD, database=DATABASE, ssl=tls)
journey = []


def later(name):
    def add(work):
        journey.append((name, work))
        return work

    return add


async def fails(code, awaitable):
    try:
        await awaitable
    except Exception as error:
        equal(code_of(error), code)
        return error
    raise AssertionError(f"no error, {code} was expected")


@later("connect over TLS with SCRAM")
async def _(db):
    equal(await db.fetchval("select ssl from pg_stat_ssl where pid = pg_backend_pid()"), True)
    equal(db.get_server_version().major, 15)
    await fails("28P01", asyncpg.connect(**{**settings, "password": "wrong"}))


@later("types round trip")
async def _(db):
    moment = datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, tzinfo=datetime.timezone.utc)
    values = [
        LOW, HIGH, decimal.Decimal("12345678901234567890.123456789"), TEXT, bytes(range(256)),
        datetime.date(2024, 2, 29), moment, uuid.UUID(UUID), '{"a": [1, null]}', [1, 2, None],
        ["a,b", '"q"', "{x}", "NULL", None], None, True, 0.1, datetime.timedelta(days=3, seconds=5), datetime.time(1, 2, 3),
        asyncpg.Range(1, 5), [[1, 2], [3, 4]],
    ]
    types = (
        "int8 int8 numeric text bytea date timestamptz uuid jsonb int4[] text[] text bool float8 interval time "
        "int4range int8[]"
    ).split()
    text = "select " + ", ".join(f"${at + 1}::{name}" for at, name in enumerate(types))
    equal(list(await db.fetchrow(text, *values)), values)
    equal(await db.fetchval("select row(1, 'x'::text, null::int8)"), (1, "x", None))
    equal(str(await db.fetchval("select '10.0.0.0/8'::cidr")), "10.0.0.0/8")


@later("definitions, enums and composites")
async def _(db):
    await db.execute(
        """create table customer (id bigserial primary key, email text not null unique, credit numeric(10,2) default 0);
        create type mood as enum ('sad', 'ok'); create type pair as (a int, b text); create domain small as int check (value < 10)"""
    )
    equal(await db.fetchval("select $1::mood", "ok"), "ok")
    equal(await db.fetchval("select array['sad', 'ok']::mood[]"), ["sad", "ok"])
    equal(tuple(await db.fetchval("select $1::pair", (1, "x"))), (1, "x"))
    equal(await db.fetchval("select $1::small", 5), 5)
    await fails("23514", db.fetchval("select $1::small", 50))


@later("prepared statements")
async def _(db):
    statement = await db.prepare("select $1::int * 2 as double, $2::text")
    equal([parameter.name for parameter in statement.get_parameters()], ["int4", "text"])
    equal([attribute.name for attribute in statement.get_attributes()], ["double", "text"])
    equal([await statement.fetchval(value, "") for value in range(10)], [value * 2 for value in range(10)])


@later("transactions with savepoints")
async def _(db):
    async with db.transaction(isolation="serializable"):
        await db.execute("insert into customer (email) values ('a@x')")
        try:
            async with db.transaction():
                await db.execute("insert into customer (email) values ($1)", "a@x")
        except asyncpg.UniqueViolationError as error:
            equal(error.constraint_name, "customer_email_key")
        await db.execute("insert into customer (email) values ('b@x')")
    transaction = db.transaction()
    await transaction.start()
    equal(await db.execute("delete from customer"), "DELETE 2")
    await transaction.rollback()
    equal(await db.fetchval("select count(*) from customer"), 2)


@later("errors by SQLSTATE")
async def _(db):
    await fails("42P01", db.fetch("select * from nowhere"))
    await fails("42703", db.fetch("select nothing from customer"))
    await fails("22012", db.fetch("select 1 / $1::int", 0))
    await fails("42601", db.fetch("selekt 1"))
    await fails("23502", db.execute("insert into customer (email) values (null)"))


@later("batch")
async def _(db):
    await db.execute("create table copied (n int8, text text, at timestamptz)")
    await db.executemany("insert into copied values ($1, $2, $3)", [(n, str(n), None) for n in range(1000)])
    equal(await db.fetchval("select sum(n) from copied"), 499500)
    await fails("23505", db.executemany("insert into customer (email) values ($1)", [("c@x",), ("a@x",)]))
    equal(await db.fetchval("select count(*) from customer"), 2)


@later("COPY in and out")
async def _(db):
    await db.execute("truncate copied")
    at = datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)
    rows = [(n, TEXT, at) for n in range(2000)]
    equal(await db.copy_records_to_table("copied", records=rows), "COPY 2000")
    out = io.BytesIO()
    equal(await db.copy_from_query("select n from copied where n < $1 order by n", 3, output=out, format="csv"), "COPY 3")
    equal(out.getvalue(), b"0\n1\n2\n")
    equal(await db.copy_to_table("copied", source=io.BytesIO(b"5\tx\t\\N\n")), "COPY 1")


@later("cursor of the server")
async def _(db):
    async with db.transaction():
        equal(sum([row[0] async for row in db.cursor("select n from generate_series(1, $1::int) n", 1000)]), 500500)
        cursor = await db.cursor("select n from generate_series(1, 100) n")
        await cursor.forward(10)
        equal([row[0] for row in await cursor.fetch(3)], [11, 12, 13])


@later("cancel and timeout")
async def _(db):
    try:
        await db.execute("select pg_sleep(20)", timeout=0.2)
        raise AssertionError("no timeout")
    except asyncio.TimeoutError:
        pass
    equal(await db.fetchval("select 1"), 1)
    await db.execute("set statement_timeout = '50ms'")
    await fails("57014", db.execute("select count(*) from generate_series(1, 1000000000)"))
    await db.execute("reset statement_timeout")


@later("LISTEN and NOTIFY")
async def _(db):
    heard = asyncio.get_running_loop().create_future()
    await db.add_listener("news", lambda *found: heard.set_result(found))
    other = await asyncpg.connect(**settings)
    await other.execute("select pg_notify('news', $1)", "grüße")
    equal((await asyncio.wait_for(heard, 5))[2:], ("news", "grüße"))
    await other.close()


@later("reset and pool")
async def _(db):
    await db.reset()
    async with asyncpg.create_pool(**settings, min_size=2, max_size=4) as pool:
        found = await asyncio.gather(*[pool.fetchval("select $1::int", n) for n in range(20)])
        equal(found, list(range(20)))


async def main():
    db = await asyncpg.connect(**settings)
    for name, work in journey:
        try:
            await asyncio.wait_for(work(db), 30)
            print("ok  ", name, flush=True)
        except Exception as error:
            failure(name, error)
    await asyncio.wait_for(db.close(), 5)


asyncio.run(main())
finish()
