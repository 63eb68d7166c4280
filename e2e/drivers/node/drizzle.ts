/** Drizzle over node-postgres. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { count, desc, eq, relations, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import {
  bigint,
  bigserial,
  boolean,
  integer,
  jsonb,
  numeric,
  pgTable,
  serial,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import pg from 'pg';
import { connection, failsWith, finish, step, tls } from './steps.ts';

const customer = pgTable('customer', {
  id: bigserial({ mode: 'bigint' }).primaryKey(),
  email: text().notNull().unique(),
  credit: numeric({ precision: 20, scale: 9 }).default('0'),
  document: jsonb(),
  tags: text().array(),
  key: uuid().defaultRandom(),
  at: timestamp({ withTimezone: true }).defaultNow(),
  active: boolean().default(true),
});
const purchase = pgTable('purchase', {
  id: serial().primaryKey(),
  customerId: bigint('customer_id', { mode: 'bigint' })
    .notNull()
    .references(() => customer.id),
  amount: integer().notNull(),
});
const customerRelations = relations(customer, ({ many }) => ({ purchases: many(purchase) }));
const purchaseRelations = relations(purchase, ({ one }) => ({
  customer: one(customer, { fields: [purchase.customerId], references: [customer.id] }),
}));

const pool = new pg.Pool({ ...connection, ssl: tls });
const db = drizzle(pool, { schema: { customer, purchase, customerRelations, purchaseRelations } });

await step('connect over TLS with SCRAM', async () => {
  const { rows } = await db.execute(sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`);
  assert.equal(rows[0].ssl, true);
});

await step('migration', async () => {
  const folder = join(process.env.JOURNEY_FOLDER ?? '', 'drizzle');
  mkdirSync(join(folder, 'meta'), { recursive: true });
  const files = {
    '0000_first.sql': `CREATE TABLE "customer" ("id" bigserial PRIMARY KEY NOT NULL, "email" text NOT NULL, "credit" numeric(20, 9) DEFAULT '0',
        "document" jsonb, "tags" text[], "key" uuid DEFAULT gen_random_uuid(), "at" timestamp with time zone DEFAULT now(), "active" boolean DEFAULT true,
        CONSTRAINT "customer_email_unique" UNIQUE("email"));
      --> statement-breakpoint
      CREATE TABLE "purchase" ("id" serial PRIMARY KEY NOT NULL, "customer_id" bigint NOT NULL, "amount" integer NOT NULL);
      --> statement-breakpoint
      ALTER TABLE "purchase" ADD CONSTRAINT "purchase_customer_id_customer_id_fk" FOREIGN KEY ("customer_id") REFERENCES "public"."customer"("id") ON DELETE no action ON UPDATE no action;`,
    '0001_second.sql': 'CREATE INDEX "purchase_amount" ON "purchase" USING btree ("amount" DESC NULLS LAST);',
    'meta/_journal.json': JSON.stringify({
      version: '7',
      dialect: 'postgresql',
      entries: [
        { idx: 0, version: '7', when: 1, tag: '0000_first', breakpoints: true },
        { idx: 1, version: '7', when: 2, tag: '0001_second', breakpoints: true },
      ],
    }),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  await migrate(db, { migrationsFolder: folder });
  await migrate(db, { migrationsFolder: folder });
  const { rows } = await db.execute(sql`select count(*)::int as n from drizzle.__drizzle_migrations`);
  assert.equal(rows[0].n, 2);
});

await step('types round trip', async () => {
  const values = {
    email: 'a@x',
    credit: '12345678901.123456789',
    document: { a: [1, 'Zoë 漢字 🙂', null] },
    tags: ['a,b', '"q"'],
    key: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    at: new Date('2024-02-29T12:34:56.789Z'),
    active: false,
  };
  const [added] = await db.insert(customer).values(values).returning();
  assert.deepEqual(added, { id: 1n, ...values });
  const high = 9223372036854775807n;
  await db.insert(customer).values({ id: high, email: 'b@x' });
  assert.equal((await db.select().from(customer).where(eq(customer.id, high)))[0].email, 'b@x');
});

await step('queries and relations', async () => {
  await db
    .insert(purchase)
    .values(Array.from({ length: 100 }, (_, index) => ({ customerId: 1n, amount: index })));
  const found = await db.query.customer.findMany({
    with: { purchases: { orderBy: desc(purchase.amount), limit: 2, columns: { amount: true } } },
    orderBy: customer.email,
    columns: { email: true },
  });
  assert.deepEqual(found, [
    { email: 'a@x', purchases: [{ amount: 99 }, { amount: 98 }] },
    { email: 'b@x', purchases: [] },
  ]);
  const prepared = db
    .select({ n: count() })
    .from(purchase)
    .where(eq(purchase.customerId, sql.placeholder('id')))
    .prepare('of_customer');
  assert.deepEqual(await prepared.execute({ id: 1n }), [{ n: 100 }]);
  await db
    .insert(customer)
    .values({ email: 'a@x', credit: '7' })
    .onConflictDoUpdate({ target: customer.email, set: { credit: sql`excluded.credit` } });
});

await step('transactions with savepoints', async () => {
  await db.transaction(
    async (outer) => {
      await outer.insert(customer).values({ email: 'c@x' });
      await failsWith('23505', () =>
        outer.transaction((inner) => inner.insert(customer).values({ email: 'a@x' })),
      );
    },
    { isolationLevel: 'repeatable read' },
  );
  assert.equal(await db.$count(customer), 3);
});

await step('errors by SQLSTATE', async () => {
  await failsWith('42P01', () => db.execute(sql`select * from nowhere`));
  await failsWith('42703', () => db.execute(sql`select nothing from customer`));
  await failsWith('22012', () => db.execute(sql`select 1 / ${0}::int`));
  await failsWith('23503', () => db.insert(purchase).values({ customerId: 5n, amount: 1 }));
});

await pool.end();
finish();
