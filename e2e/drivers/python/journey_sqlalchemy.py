"""SQLAlchemy over psycopg2: core, ORM, reflection, schema changes from metadata."""

import datetime
import decimal
import uuid

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pgsql
from sqlalchemy.orm import Session, declarative_base, relationship

from steps import *

engine = sa.create_engine(
    sa.engine.URL.create("postgresql+psycopg2", USER, PASSWORD, HOST, PORT, DATABASE),
    connect_args={"sslmode": "verify-ca", "sslrootcert": CERTIFICATE},
    future=True,
)
Base = declarative_base()


class Customer(Base):
    __tablename__ = "customer"
    id = sa.Column(sa.BigInteger, primary_key=True)
    email = sa.Column(sa.Text, nullable=False, unique=True)
    credit = sa.Column(sa.Numeric(20, 9), server_default="0")
    data = sa.Column(sa.LargeBinary)
    born = sa.Column(sa.Date)
    at = sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now())
    key = sa.Column(pgsql.UUID(as_uuid=True))
    document = sa.Column(pgsql.JSONB)
    tags = sa.Column(pgsql.ARRAY(sa.Text))
    mood = sa.Column(sa.Enum("sad", "ok", name="mood"))
    active = sa.Column(sa.Boolean)
    purchases = relationship("Purchase", back_populates="customer", cascade="all, delete-orphan")
    __table_args__ = (sa.Index("customer_lower", sa.func.lower(email)), sa.CheckConstraint("credit >= 0", name="positive"))


class Purchase(Base):
    __tablename__ = "purchase"
    id = sa.Column(sa.Integer, sa.Identity(always=True), primary_key=True)
    customer_id = sa.Column(sa.ForeignKey("customer.id", ondelete="CASCADE"), nullable=False, index=True)
    note = sa.Column(sa.String(20), comment="what was said")
    customer = relationship("Customer", back_populates="purchases")


@step("connect over TLS with SCRAM")
def _():
    with engine.connect() as db:
        equal(db.scalar(sa.text("select ssl from pg_stat_ssl where pid = pg_backend_pid()")), True)
        equal(engine.dialect.server_version_info[0], 15)


@step("create all")
def _():
    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)


at = datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, tzinfo=datetime.timezone.utc)
values = dict(
    email="a@x", credit=decimal.Decimal("12345678901.123456789"), data=bytes(range(256)), born=datetime.date(2024, 2, 29),
    at=at, key=uuid.UUID(UUID), document={"a": [1, TEXT, None]}, tags=["a,b", '"q"', None], mood="ok", active=True,
)


@step("types round trip through the ORM")
def _():
    with Session(engine) as session:
        session.add(Customer(**values, purchases=[Purchase(note="one"), Purchase(note="two")]))
        session.add(Customer(id=HIGH, email="b@x"))
        session.commit()
    with Session(engine) as session:
        found = session.execute(sa.select(Customer).where(Customer.document["a"][0].as_integer() == 1)).scalar_one()
        equal({name: getattr(found, name) for name in values}, values)
        equal(sorted(purchase.note for purchase in found.purchases), ["one", "two"])
        equal(session.get(Customer, HIGH).email, "b@x")


@step("queries")
def _():
    with Session(engine) as session:
        counted = (
            sa.select(Customer.email, sa.func.count(Purchase.id).label("n"))
            .outerjoin(Purchase)
            .group_by(Customer.email)
            .order_by(sa.desc("n"))
        )
        equal([tuple(row) for row in session.execute(counted)], [("a@x", 2), ("b@x", 0)])
        ranked = sa.select(sa.func.row_number().over(order_by=Customer.email), Customer.email).where(
            Customer.tags.contains(["a,b"])
        )
        equal([tuple(row) for row in session.execute(ranked)], [(1, "a@x")])
        upsert = pgsql.insert(Customer).values(email="a@x", credit=1)
        upsert = upsert.on_conflict_do_update(index_elements=["email"], set_={"credit": upsert.excluded.credit})
        equal(session.execute(upsert.returning(Customer.credit)).scalar(), decimal.Decimal("1.000000000"))
        session.rollback()


def nested(session):
    with session.begin_nested():
        session.add(Customer(email="a@x"))
        session.flush()


@step("transactions with savepoints")
def _():
    with Session(engine) as session:
        session.add(Customer(email="c@x"))
        session.flush()
        fails_with("23505", lambda: nested(session))
        session.commit()
        equal(session.scalar(sa.select(sa.func.count()).select_from(Customer)), 3)
        session.execute(sa.delete(Purchase))
        session.rollback()
        equal(session.scalar(sa.select(sa.func.count()).select_from(Purchase)), 2)


@step("errors by SQLSTATE")
def _():
    for code, text in (
        ("42P01", "select * from nowhere"), ("42703", "select nothing from customer"), ("22012", "select 1 / 0"),
        ("23514", "insert into customer (email, credit) values ('z', -1)"), ("22P02", "select 'x'::mood"),
    ):
        with engine.connect() as db:
            fails_with(code, lambda: db.execute(sa.text(text)))


@step("serialization failure")
def _():
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as first, engine.connect() as second:
        first.execute(sa.text("select * from customer")).all()
        second.execute(sa.text("update customer set credit = 2 where email = 'b@x'"))
        second.commit()
        fails_with("40001", lambda: first.execute(sa.text("update customer set credit = 3 where email = 'b@x'")))


@step("batch, streaming")
def _():
    with engine.begin() as db:
        db.execute(sa.insert(Purchase), [{"customer_id": HIGH, "note": str(n)} for n in range(1000)])
    with engine.connect() as db:
        rows = db.execution_options(stream_results=True, yield_per=100).execute(sa.select(Purchase.id))
        equal(sum(len(part) for part in rows.partitions()), 1002)


@step("introspection")
def _():
    inspector = sa.inspect(engine)
    equal(sorted(inspector.get_table_names()), ["customer", "purchase"])
    columns = {column["name"]: column for column in inspector.get_columns("customer")}
    equal(str(columns["credit"]["type"]), "NUMERIC(20, 9)")
    equal(columns["mood"]["type"].enums, ["sad", "ok"])
    equal(columns["email"]["nullable"], False)
    equal(columns["id"]["default"], "nextval('customer_id_seq'::regclass)")
    equal(inspector.get_pk_constraint("customer")["constrained_columns"], ["id"])
    key = inspector.get_foreign_keys("purchase")[0]
    equal((key["referred_table"], key["options"]), ("customer", {"ondelete": "CASCADE"}))
    equal([index["name"] for index in inspector.get_indexes("purchase")], ["ix_purchase_customer_id"])
    equal(inspector.get_unique_constraints("customer")[0]["column_names"], ["email"])
    equal(inspector.get_check_constraints("customer")[0]["name"], "positive")
    equal([c["comment"] for c in inspector.get_columns("purchase") if c["name"] == "note"], ["what was said"])
    equal(inspector.get_columns("purchase")[0]["identity"]["always"], True)
    equal([enum["name"] for enum in inspector.get_enums()], ["mood"])
    equal(inspector.get_schema_names().count("information_schema"), 1)
    reflected = sa.MetaData()
    reflected.reflect(engine)
    equal(sorted(reflected.tables), ["customer", "purchase"])


@step("migration")
def _():
    with engine.begin() as db:
        db.execute(sa.schema.CreateSchema("other"))
        db.execute(sa.text("create view names as select email from customer"))
        db.execute(sa.text("alter table purchase add column amount numeric not null default 1, alter note type text"))
        db.execute(sa.text("alter table purchase rename note to remark"))
    inspector = sa.inspect(engine)
    equal([column["name"] for column in inspector.get_columns("purchase")], ["id", "customer_id", "remark", "amount"])
    equal(inspector.get_view_names(), ["names"])
    equal("SELECT customer.email" in inspector.get_view_definition("names"), True)
    with engine.begin() as db:
        db.execute(sa.text("drop view names"))
    Base.metadata.drop_all(engine)
    equal(sa.inspect(engine).get_table_names(), [])


finish()
