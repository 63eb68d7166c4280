"""Django over psycopg2: an app of this file migrated forwards and back, the ORM, introspection."""

import datetime
import decimal
import io
import importlib.machinery
import sys
import types
import uuid

import django
from django.conf import settings

from steps import *

settings.configure(
    SECRET_KEY="journey",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.postgres", "shop"],
    MIGRATION_MODULES={"shop": "shop_migrations"},
    DATABASES={
        "default": dict(
            ENGINE="django.db.backends.postgresql", NAME=DATABASE, USER=USER, PASSWORD=PASSWORD, HOST=HOST, PORT=PORT,
            OPTIONS={"sslmode": "verify-ca", "sslrootcert": CERTIFICATE},
        )
    },
)

# The app and its migrations are modules of this process only.
shop = types.ModuleType("shop")
shop.__path__ = []
shop.__file__ = __file__
from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shop"
    path = "."
    default = True


apps_module = types.ModuleType("shop.apps")
apps_module.ShopConfig = ShopConfig
sys.modules.update({"shop": shop, "shop.apps": apps_module})
shop.apps = apps_module
for module in (shop, apps_module):
    module.__spec__ = importlib.machinery.ModuleSpec(module.__name__, None)
ShopConfig.__module__ = "shop.apps"
django.setup()

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, migrations, models, transaction
from django.db.models import Count, F, Q, Sum, Window
from django.db.models.functions import Rank, TruncMonth


class Customer(models.Model):
    email = models.EmailField(unique=True)
    credit = models.DecimalField(max_digits=20, decimal_places=9, default=0)
    data = models.BinaryField(null=True)
    born = models.DateField(null=True)
    at = models.DateTimeField(auto_now_add=True)
    key = models.UUIDField(default=uuid.uuid4)
    document = models.JSONField(null=True)
    tags = ArrayField(models.TextField(), null=True)
    big = models.BigIntegerField(default=0)
    span = models.DurationField(null=True)

    class Meta:
        app_label = "shop"
        constraints = [models.CheckConstraint(check=Q(credit__gte=0), name="positive")]
        indexes = [models.Index(fields=["born", "-at"], name="customer_born"), GinIndex(fields=["document"], name="customer_doc")]


class Purchase(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="purchases")
    note = models.CharField(max_length=20, db_index=True)
    amount = models.IntegerField(default=1)

    class Meta:
        app_label = "shop"


def migration(name, wanted, steps):
    module = types.ModuleType(f"shop_migrations.{name}")
    module.Migration = type("Migration", (migrations.Migration,), {"dependencies": wanted, "operations": steps})
    sys.modules[module.__name__] = module
    return module


def fields_of(model, without=()):
    return [(field.name, field.clone()) for field in model._meta.local_fields if field.name not in without]


from django.db.migrations.loader import MigrationLoader

folder = types.ModuleType("shop_migrations")
folder.__path__ = []
sys.modules["shop_migrations"] = folder
first = migration(
    "0001_initial", [],
    [
        migrations.CreateModel("Customer", fields_of(Customer, ("span",))),
        migrations.CreateModel("Purchase", fields_of(Purchase, ("amount",))),
        migrations.AddIndex("customer", Customer._meta.indexes[0]),
    ],
)
second = migration(
    "0002_more", [("shop", "0001_initial")],
    [
        migrations.AddField("customer", "span", models.DurationField(null=True)),
        migrations.AddField("purchase", "amount", models.IntegerField(default=1)),
        migrations.AlterField("purchase", "note", models.CharField(max_length=40, db_index=True)),
        migrations.AddIndex("customer", Customer._meta.indexes[1]),
        migrations.AddConstraint("customer", Customer._meta.constraints[0]),
        migrations.RunSQL("create table extra (n int)", "drop table extra"),
        migrations.RenameField("purchase", "note", "remark"),
        migrations.RenameField("purchase", "remark", "note"),
    ],
)
import pkgutil

import django.db.migrations.loader

# There are no files to read them from again.
django.db.migrations.loader.reload = lambda module: module

plain_modules = pkgutil.iter_modules
pkgutil.iter_modules = lambda path=None, prefix="": (
    [(None, "0001_initial", False), (None, "0002_more", False)] if path is folder.__path__ else plain_modules(path, prefix)
)


def migrate(*arguments):
    out = io.StringIO()
    call_command("migrate", *arguments, verbosity=1, stdout=out)
    return out.getvalue()


@step("connect over TLS with SCRAM")
def _():
    with connection.cursor() as cursor:
        cursor.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        equal(cursor.fetchone()[0], True)
    equal(connection.pg_version // 10000, 15)


@step("migrate forwards")
def _():
    text = migrate()
    for name in ("auth.0012_alter_user_first_name_max_length", "sessions.0001_initial", "shop.0002_more"):
        equal(f"Applying {name}... OK" in text, True)
    equal("No migrations to apply" in migrate(), True)


at = datetime.datetime(2024, 2, 29, 12, 34, 56, 789012, tzinfo=datetime.timezone.utc)


@step("types round trip through the ORM")
def _():
    values = dict(
        email="a@x.org", credit=decimal.Decimal("12345678901.123456789"), born=datetime.date(2024, 2, 29), key=uuid.UUID(UUID),
        document={"a": [1, TEXT, None]}, tags=["a,b", '"q"'], big=LOW, span=datetime.timedelta(days=3, microseconds=1),
    )
    customer = Customer.objects.create(**values, data=bytes(range(256)))
    Customer.objects.filter(pk=customer.pk).update(at=at)
    found = Customer.objects.get(document__a__0=1)
    equal({name: getattr(found, name) for name in values}, values)
    equal((bytes(found.data), found.at), (bytes(range(256)), at))
    Customer.objects.create(email="b@x.org", big=HIGH)
    equal(Customer.objects.get(big=HIGH).email, "b@x.org")


@step("queries")
def _():
    customer = Customer.objects.get(email="a@x.org")
    Purchase.objects.bulk_create([Purchase(customer=customer, note=f"n{n}", amount=n) for n in range(500)])
    rows = Customer.objects.annotate(n=Count("purchases"), total=Sum("purchases__amount")).order_by("-n")
    equal([(row.n, row.total) for row in rows], [(500, 124750), (0, None)])
    equal(Purchase.objects.filter(note__icontains="N49", customer__email__iexact="A@X.ORG").count(), 11)
    equal(list(Customer.objects.filter(tags__contains=["a,b"]).values_list("email", flat=True)), ["a@x.org"])
    equal(Customer.objects.filter(document__has_key="a").exists(), True)
    months = Customer.objects.annotate(month=TruncMonth("at")).values("month").annotate(n=Count("id"))
    equal(len(months), 2)
    ranked = Purchase.objects.annotate(rank=Window(Rank(), order_by=F("amount").desc()))[:2]
    equal([row.rank for row in ranked], [1, 2])
    equal(len(list(Purchase.objects.iterator(chunk_size=50))), 500)
    equal(Customer.objects.get_or_create(email="b@x.org")[1], False)
    equal(Purchase.objects.bulk_update([*Purchase.objects.all()[:5]], ["note"]), None)
    with transaction.atomic():
        equal(Customer.objects.select_for_update().filter(email="b@x.org").count(), 1)


@step("transactions with savepoints, errors by SQLSTATE")
def _():
    with transaction.atomic():
        Customer.objects.create(email="c@x.org")
        try:
            with transaction.atomic():
                Customer.objects.create(email="c@x.org")
        except IntegrityError as error:
            equal(code_of(error), "23505")
    equal(Customer.objects.filter(email="c@x.org").count(), 1)
    for code, text in (("42P01", "select * from nowhere"), ("42703", "select x from extra"), ("22012", "select 1 / 0")):
        fails_with(code, lambda: connection.cursor().execute(text))
    fails_with("23514", lambda: Customer.objects.create(email="d@x.org", credit=-1))


@step("introspection")
def _():
    out = io.StringIO()
    call_command("inspectdb", "shop_customer", "shop_purchase", stdout=out)
    text = out.getvalue()
    for wanted in ("email = models.CharField(unique=True, max_length=254)", "models.ForeignKey(ShopCustomer", "document = models.JSONField("):
        equal(wanted in text, True)
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "shop_customer")
        equal(constraints["customer_born"]["orders"], ["ASC", "DESC"])
        equal(constraints["customer_doc"]["type"], "gin")
        equal(constraints["positive"]["check"], True)
        equal(len(connection.introspection.get_sequences(cursor, "shop_purchase")), 1)


@step("migrate back")
def _():
    with connection.cursor() as cursor:
        call_command("sqlsequencereset", "shop", stdout=io.StringIO())
        text = migrate("shop", "zero")
        equal("Unapplying shop.0001_initial... OK" in text, True)
        equal([name for name in connection.introspection.table_names(cursor) if name.startswith("shop")], [])
    call_command("flush", interactive=False, verbosity=0)


finish()
