/** Temporary objects: dropped with their session, and after a crash at the next start. */
import type { Oid } from '../base/brands.ts';
import type { TableStore } from '../table/contract.ts';
import type { Transaction, TransactionManager } from '../txn/contract.ts';
import type { Catalog } from './catalog.ts';
import { PG_CLASS, PG_DEPEND } from './data/columns.ts';
import { CLASS_OID, pairKey } from './definitions.ts';
import { planDeletion } from './dependencies.ts';
import { address, CatalogWriter, type ObjectAddress } from './mutations.ts';
import { removeObject } from './removal.ts';

const NO_PATH = { namespaces: [], creationNamespace: 0 };

/** Drops objects and what depends on them, without locks or messages: nobody else can use them. */
export function dropSilently(writer: CatalogWriter, objects: readonly ObjectAddress[]): void {
  if (objects.length === 0) return;
  const plan = planDeletion(writer.reader, objects, { cascade: true, path: NO_PATH });
  for (const object of plan.objects) removeObject(writer, object);
}

/** Everything in a schema, the schema itself stays for the next session with that number. */
function contentsOf(catalog: Catalog, transaction: Transaction, namespace: Oid): ObjectAddress[] {
  return catalog
    .reader(transaction)
    .view.find('pg_depend', 'referenced', pairKey(CLASS_OID.namespace, namespace))
    .map(({ values }) => address(values[PG_DEPEND.classid] as number, values[PG_DEPEND.objid] as number));
}

async function inTransaction(
  transactions: TransactionManager,
  run: (transaction: Transaction) => void,
): Promise<void> {
  const transaction = transactions.begin({ isolation: 'read committed', readOnly: false, sessionId: 0 });
  try {
    run(transaction);
  } catch (error) {
    transactions.rollback(transaction);
    throw error;
  }
  const done = transactions.commit(transaction, { synchronous: true });
  if (done !== null) await done;
}

/** Temporary tables, views, sequences and types of a session go: in a transaction of its own, at its end, or in the one given. */
export async function dropTemporarySchema(
  catalog: Catalog,
  tables: TableStore,
  transactions: TransactionManager,
  namespace: Oid,
  transaction: Transaction | null,
): Promise<void> {
  const drop = (within: Transaction): void =>
    dropSilently(new CatalogWriter(catalog, tables, within), contentsOf(catalog, within, namespace));
  if (transaction !== null) {
    drop(transaction);
    return;
  }
  if (contentsOfCommitted(catalog, namespace) === 0) return;
  await inTransaction(transactions, drop);
}

function contentsOfCommitted(catalog: Catalog, namespace: Oid): number {
  return catalog.committed.view.find('pg_depend', 'referenced', pairKey(CLASS_OID.namespace, namespace))
    .length;
}

/** After a start: rows of temporary tables whose sessions are gone. Their storage did not survive and is not asked for. */
export async function removeOrphanedTemporaries(
  catalog: Catalog,
  tables: TableStore,
  transactions: TransactionManager,
): Promise<void> {
  const namespaces = new Set<Oid>();
  for (const { values } of catalog.committed.view.all('pg_class'))
    if (values[PG_CLASS.relpersistence] === 't') namespaces.add(values[PG_CLASS.relnamespace] as number);
  if (namespaces.size === 0) return;
  const isKept = (run: () => void): void => {
    try {
      run();
    } catch {
      // Temporary storage is not kept over a restart.
    }
  };
  const tolerant: TableStore = Object.create(tables, {
    dropTable: {
      value: (transaction: Transaction, oid: Oid) => isKept(() => tables.dropTable(transaction, oid)),
    },
    dropIndex: {
      value: (transaction: Transaction, oid: Oid) => isKept(() => tables.dropIndex(transaction, oid)),
    },
    dropSequence: {
      value: (transaction: Transaction, oid: Oid) => isKept(() => tables.dropSequence(transaction, oid)),
    },
  }) as TableStore;
  await inTransaction(transactions, (transaction) => {
    for (const namespace of namespaces)
      dropSilently(
        new CatalogWriter(catalog, tolerant, transaction),
        contentsOf(catalog, transaction, namespace),
      );
  });
}
