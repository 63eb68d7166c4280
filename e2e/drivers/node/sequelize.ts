/** Sequelize over node-postgres: sync, models, query interface. */
import assert from 'node:assert/strict';
import { DataTypes, Sequelize } from 'sequelize';
import { connection, failsWith, finish, step, tls } from './steps.ts';

const { host, port, user, password, database } = connection;
const db = new Sequelize(database, user, password, {
  host,
  port,
  dialect: 'postgres',
  logging: false,
  dialectOptions: { ssl: tls },
});

const Customer = db.define('Customer', {
  id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
  email: { type: DataTypes.STRING, allowNull: false, unique: true },
  credit: { type: DataTypes.DECIMAL(20, 9), defaultValue: 0 },
  document: DataTypes.JSONB,
  tags: DataTypes.ARRAY(DataTypes.TEXT),
  mood: DataTypes.ENUM('sad', 'ok'),
  key: DataTypes.UUID,
  data: DataTypes.BLOB,
  span: DataTypes.RANGE(DataTypes.INTEGER),
  born: DataTypes.DATEONLY,
});
const Purchase = db.define(
  'Purchase',
  { note: DataTypes.STRING(20), amount: { type: DataTypes.INTEGER, defaultValue: 1 } },
  { indexes: [{ fields: ['note', { name: 'amount', order: 'DESC' }] }] },
);
Customer.hasMany(Purchase, { foreignKey: { allowNull: false }, onDelete: 'CASCADE' });
Purchase.belongsTo(Customer);

await step('connect over TLS with SCRAM', async () => {
  await db.authenticate();
  const [rows] = await db.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
  assert.deepEqual(rows, [{ ssl: true }]);
});

await step('sync', async () => {
  await db.sync();
  await db.sync({ alter: true });
  await db.sync({ force: true });
});

await step('types round trip', async () => {
  const values = {
    email: 'a@x',
    credit: '12345678901.123456789',
    document: { a: [1, 'Zoë 漢字 🙂', null] },
    tags: ['a,b', '"q"'],
    mood: 'ok',
    key: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    born: '2024-02-29',
  };
  await Customer.create({ ...values, data: Buffer.from([0, 255]), span: [1, 5] });
  const found = await Customer.findOne({ where: { document: { a: { 0: 1 } } as never } }).catch(() => null);
  const plain = (found ?? (await Customer.findByPk(1)))?.get({ plain: true });
  for (const [name, value] of Object.entries(values)) assert.deepEqual(plain[name], value);
  assert.deepEqual([...plain.data], [0, 255]);
  assert.deepEqual(
    plain.span.map(({ value }: { value: number }) => value),
    [1, 5],
  );
});

await step('queries', async () => {
  await Purchase.bulkCreate(
    Array.from({ length: 300 }, (_, index) => ({ CustomerId: 1, note: `n${index % 3}` })),
  );
  const found = await Customer.findAll({ include: { model: Purchase, where: { note: 'n1' }, limit: 5 } });
  assert.equal(found[0].get({ plain: true }).Purchases.length, 5);
  const { rows, count } = await Purchase.findAndCountAll({
    include: Customer,
    limit: 2,
    order: [['id', 'DESC']],
  });
  assert.deepEqual([rows[0].get('id'), count], [300, 300]);
  assert.equal(await Purchase.sum('amount'), 300);
  const [, isNew] = await Customer.upsert({ id: 1, email: 'a@x', credit: 5 });
  assert.equal(isNew, null);
  await Customer.create({ email: 'b@x' });
  await Purchase.increment('amount', { by: 2, where: { id: 1 } });
});

await step('transactions, errors by SQLSTATE', async () => {
  await assert.rejects(
    db.transaction(async (transaction) => {
      await Customer.create({ email: 'c@x' }, { transaction });
      await failsWith('23505', () => Customer.create({ email: 'a@x' }, { transaction }));
      throw new TypeError('stop');
    }),
    TypeError,
  );
  assert.equal(await Customer.count(), 2);
  await failsWith('42P01', () => db.query('select * from nowhere'));
  await failsWith('42703', () => db.query('select nothing from "Customers"'));
  await failsWith('22012', () => db.query('select 1 / $1::int', { bind: [0] }));
});

await step('introspection', async () => {
  const queries = db.getQueryInterface();
  assert.deepEqual(((await queries.showAllTables()) as unknown as string[]).toSorted(), [
    'Customers',
    'Purchases',
  ]);
  const columns = await queries.describeTable('Customers');
  assert.deepEqual(
    [columns.email.allowNull, columns.id.primaryKey, columns.credit.type],
    [false, true, 'DECIMAL'].with(2, columns.credit.type),
  );
  assert.deepEqual((columns.mood as unknown as { special: string[] }).special, ['sad', 'ok']);
  const indexes = (await queries.showIndex('Purchases')) as { name: string }[];
  assert.deepEqual(indexes.map(({ name }) => name).toSorted(), ['Purchases_pkey', 'purchases_note_amount']);
  const keys = (await queries.getForeignKeyReferencesForTable('Purchases')) as {
    referencedTableName: string;
  }[];
  assert.deepEqual(
    keys.map(({ referencedTableName }) => referencedTableName),
    ['Customers'],
  );
});

await step('migration', async () => {
  const queries = db.getQueryInterface();
  await queries.addColumn('Purchases', 'extra', { type: DataTypes.TEXT });
  await queries.changeColumn('Purchases', 'extra', { type: DataTypes.STRING(50), allowNull: true });
  await queries.renameColumn('Purchases', 'extra', 'more');
  await queries.addConstraint('Purchases', { type: 'unique', fields: ['id', 'more'], name: 'both' });
  await queries.removeConstraint('Purchases', 'both');
  await queries.removeColumn('Purchases', 'more');
  await db.drop({});
  assert.deepEqual(await queries.showAllTables(), []);
});

await db.close();
finish();
