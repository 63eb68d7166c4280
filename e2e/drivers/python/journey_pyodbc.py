"""ODBC: pyodbc over psqlodbc."""

import datetime
import decimal

import pyodbc

from steps import *

text = (
    f"DRIVER={{PostgreSQL Unicode}};SERVER={HOST};PORT={PORT};DATABASE={DATABASE};UID={USER};PWD={PASSWORD};"
    "SSLMODE=require;BoolsAsChar=0;UseServerSidePrepare=1;ByteaAsLongVarBinary=1;MaxVarcharSize=4000"
)
connection = pyodbc.connect(text)
cursor = connection.cursor()


def one(statement, *values):
    return cursor.execute(statement, *values).fetchone()[0]


def fails(code, statement, *values):
    fails_with(code, lambda: cursor.execute(statement, *values))
    connection.rollback()


def clean_step(name):
    def run(work):
        step(name)(work)
        connection.rollback()

    return run


@clean_step("connect over TLS with SCRAM")
def _():
    equal(bool(one("select ssl from pg_stat_ssl where pid = pg_backend_pid()")), True)
    equal(connection.getinfo(pyodbc.SQL_DBMS_NAME), "PostgreSQL")


@clean_step("types round trip")
def _():
    cursor.execute(
        """create table sample (low int8, high int8, amount numeric(30,9), body text, data bytea, born date,
        at timestamp, flag bool, ratio float8, nothing text)"""
    )
    values = [
        LOW, HIGH, decimal.Decimal("12345678901234567890.123456789"), TEXT, bytes(range(256)), datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 12, 34, 56, 789000), True, 0.1, None,
    ]
    cursor.execute("insert into sample values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    equal(list(cursor.execute("select * from sample").fetchone()), values)
    equal([column[0] for column in cursor.description][:3], ["low", "high", "amount"])


@clean_step("definitions")
def _():
    cursor.execute("create table customer (id serial primary key, email varchar(40) not null unique)")
    cursor.execute("create table purchase (id serial primary key, customer_id int not null references customer)")
    connection.commit()


@clean_step("prepared statements, batch")
def _():
    cursor.executemany("insert into customer (email) values (?)", [(f"{n}@x",) for n in range(100)])
    equal(one("select count(*) from customer where email like ?", "1%"), 11)
    connection.commit()


@clean_step("transactions with savepoints")
def _():
    cursor.execute("insert into customer (email) values ('a@x')")
    cursor.execute("savepoint s")
    fails_with("23505", lambda: cursor.execute("insert into customer (email) values ('a@x')"))
    cursor.execute("rollback to s")
    cursor.execute("insert into customer (email) values ('b@x')")
    connection.commit()
    equal(cursor.execute("delete from customer").rowcount, 102)
    connection.rollback()
    equal(one("select count(*) from customer"), 102)


@clean_step("errors by SQLSTATE")
def _():
    fails("42P01", "select * from nowhere")
    fails("42703", "select nothing from customer")
    fails("22012", "select 1 / 0")
    fails("23503", "insert into purchase (customer_id) values (999999)")


@clean_step("timeout")
def _():
    cursor.execute("set local statement_timeout = '50ms'")
    fails("57014", "select count(*) from generate_series(1, 1000000000)")


@clean_step("introspection")
def _():
    equal([row.table_name for row in cursor.tables(schema="public", tableType="TABLE")], ["customer", "purchase"])
    equal([row.column_name for row in cursor.columns(table="customer")], ["id", "email"])
    equal([row.column_name for row in cursor.primaryKeys("customer")], ["id"])
    equal([row.fkcolumn_name for row in cursor.foreignKeys(foreignTable="purchase")], ["customer_id"])
    equal("customer_email_key" in [row.index_name for row in cursor.statistics("customer")], True)
    equal(len(list(cursor.getTypeInfo())) > 10, True)


connection.close()
finish()
