/**
 * The protocol's FunctionCall message: one function by its oid. It runs as the statement `SELECT function($1, …)` with the
 * function's own argument types, so privileges, strictness and transactions are those of any call.
 */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import { quoteIdentifier } from '../catalog/identifiers.ts';
import { CollectingSink } from './embedded.ts';
import type { BackendSession } from './session.ts';

/** Names no client can give: a prepared statement and a portal of the server's own. */
const OWN_NAME = '\0call';

export async function callFunction(
  session: BackendSession,
  functionOid: Oid,
  argumentFormats: readonly number[],
  values: readonly (Uint8Array | null)[],
  resultFormat: number,
): Promise<Uint8Array | null> {
  const catalog = session.catalog();
  const called = catalog.function(functionOid);
  if (called === null)
    throw session.failed(
      new DbError('undefined_function', `function with OID ${functionOid} does not exist`),
    );
  if (called.kind !== 'f' || called.returnsSet)
    throw session.failed(
      new DbError('invalid_parameter_value', `cannot call function "${called.name}" via fastpath interface`),
    );
  if (called.argumentTypes.length !== values.length)
    throw session.failed(
      new DbError(
        'protocol_violation',
        `function call message contains ${values.length} arguments but function requires ${called.argumentTypes.length}`,
      ),
    );
  if (resultFormat !== 0 && resultFormat !== 1)
    throw session.failed(new DbError('invalid_parameter_value', `unsupported format code: ${resultFormat}`));
  const schema = quoteIdentifier(catalog.namespaceName(called.namespaceOid) ?? 'pg_catalog');
  const places = values.map((_, index) => `$${index + 1}`).join(', ');
  const text = `SELECT ${schema}.${quoteIdentifier(called.name)}(${places})`;
  const sink = new CollectingSink();
  // The message borrows its bytes from the input; the call may wait.
  const kept = values.map((value) => (value === null ? null : new Uint8Array(value)));
  await session.withSink(sink, async () => {
    try {
      await session.parse(OWN_NAME, text, called.argumentTypes);
      await session.bind(OWN_NAME, OWN_NAME, argumentFormats, kept, [resultFormat]);
      await session.execute(OWN_NAME, 0);
    } finally {
      await session.closePortal(OWN_NAME);
      await session.closeStatement(OWN_NAME);
    }
    await session.sync();
  });
  const [result] = sink.results;
  const value = result?.rows[0]?.[0] ?? null;
  if (value === null || result === undefined) return null;
  const support = session.typeSupport(result.columns[0]!.typeOid);
  const context = result.context ?? session.compilation.currentFormat();
  return resultFormat === 1
    ? support.send(value, context)
    : Buffer.from(support.output(value, context), 'utf8');
}
