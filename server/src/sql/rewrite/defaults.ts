/**
 * Completes the target lists of INSERT, UPDATE and MERGE: DEFAULT markers, columns left out of an INSERT, identity and
 * generated columns.
 *
 * After this an INSERT has one target per live column, in column order; UPDATE's targets are the assigned columns plus the
 * generated ones, which are computed from the new values.
 */
import { DbError, internalError } from '../../base/error.ts';
import type { CatalogReader, ColumnDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import { makeFunction, makeTarget, makeVar } from '../analyse/make.ts';
import { emptyQuery } from '../analyse/scope.ts';
import type { Expr, Query, RangeTableEntry, TargetEntry } from '../tree.ts';
import { parseExpr } from '../tree-json.ts';
import { mapExpr, someExpr } from '../walk.ts';

const INT8 = 20;
const REGCLASS = 2205;
const NEXTVAL = 1574;

const parsedDefaults = new WeakMap<ColumnDescriptor, Expr>();

function storedExpression(column: ColumnDescriptor, catalog: CatalogReader): Expr {
  let expr = parsedDefaults.get(column);
  if (!expr) {
    if (column.defaultExpression === null)
      throw internalError(`column "${column.name}" has no stored expression`);
    expr = parseExpr(column.defaultExpression, (oid) => catalog.type(oid)!.support);
    parsedDefaults.set(column, expr);
  }
  return expr;
}

function nullOf({ typeOid, typmod, collation }: ColumnDescriptor): Expr {
  return { kind: 'const', value: null, typeOid, typmod, collation };
}

/** What DEFAULT means for a column: its stored expression, the next value of its sequence, or NULL. */
export function columnDefault(column: ColumnDescriptor, catalog: CatalogReader): Expr {
  if (column.identity !== '') {
    const next: Expr = makeFunction(
      NEXTVAL,
      [{ kind: 'const', value: column.sequenceOid, typeOid: REGCLASS, typmod: -1, collation: 0 }],
      { typeOid: INT8 },
    );
    if (column.typeOid === INT8) return next;
    const cast = catalog.cast(INT8, column.typeOid);
    if (!cast) throw internalError(`identity column "${column.name}" is not of an integer type`);
    return makeFunction(cast.functionOid, [next], { typeOid: column.typeOid }, 'implicitCast');
  }
  if (column.defaultExpression !== null && column.generated === '') return storedExpression(column, catalog);
  const value = nullOf(column);
  const type = catalog.type(column.typeOid);
  if (type?.kind !== 'd') return value;
  return {
    kind: 'domainCast',
    arg: { ...value, typeOid: type.baseTypeOid },
    form: 'implicitCast',
    typeOid: column.typeOid,
    typmod: column.typmod,
    collation: column.collation,
  };
}

export function fillTargets(query: Query, catalog: CatalogReader): Query {
  const entry = query.rangeTable[query.resultRelation - 1];
  if (entry.kind !== 'relation') return query;
  const relation = catalog.relation(entry.relationOid);
  if (!relation) throw internalError(`relation ${entry.relationOid} does not exist`);
  switch (query.command) {
    case 'insert': {
      const filled = fillInsert(query, relation, catalog);
      if (!filled.onConflict || filled.onConflict.action !== 'update') return filled;
      return {
        ...filled,
        onConflict: {
          ...filled.onConflict,
          set: fillUpdateTargets(filled.onConflict.set, relation, query.resultRelation, catalog),
        },
      };
    }
    case 'update':
      return { ...query, targets: fillUpdateTargets(query.targets, relation, query.resultRelation, catalog) };
    case 'merge':
      return {
        ...query,
        mergeActions: query.mergeActions.map((action) => {
          if (action.command === 'update')
            return {
              ...action,
              targets: fillUpdateTargets(action.targets, relation, query.resultRelation, catalog),
            };
          if (action.command === 'insert')
            return {
              ...action,
              targets: insertTargets(action.targets, relation, 'none', catalog, () => false),
            };
          return action;
        }),
      };
    default:
      return query;
  }
}

function alwaysError(column: ColumnDescriptor): DbError {
  if (column.generated)
    return new DbError('generated_always', `cannot insert a non-DEFAULT value into column "${column.name}"`, {
      detail: `Column "${column.name}" is a generated column.`,
    });
  return new DbError('generated_always', `cannot insert a non-DEFAULT value into column "${column.name}"`, {
    detail: `Column "${column.name}" is an identity column defined as GENERATED ALWAYS.`,
    hint: 'Use OVERRIDING SYSTEM VALUE to override.',
  });
}

function insertTargets(
  given: readonly TargetEntry[],
  relation: RelationDescriptor,
  overriding: Query['overriding'],
  catalog: CatalogReader,
  isAllDefault: (expr: Expr) => boolean,
): TargetEntry[] {
  const targets: TargetEntry[] = [];
  for (const column of relation.columns) {
    if (column.dropped) continue;
    const known = given.find((target) => target.targetColumn === column.number);
    let expr = known?.expr;
    if (expr && expr.kind !== 'default' && !isAllDefault(expr)) {
      if (column.generated) throw alwaysError(column);
      if (column.identity === 'a' && overriding === 'none') throw alwaysError(column);
      if (column.identity !== '' && overriding === 'user') expr = undefined;
    } else expr = undefined;
    const target = makeTarget(expr ?? columnDefault(column, catalog), column.name);
    target.targetColumn = column.number;
    targets.push(target);
  }
  return targets;
}

function fillInsert(query: Query, relation: RelationDescriptor, catalog: CatalogReader): Query {
  let { rangeTable } = query;
  // DEFAULT inside multi-row VALUES.
  const source = query.from[0];
  const valuesIndex = source?.kind === 'relationRef' ? source.relation : 0;
  const values = valuesIndex > 0 ? rangeTable[valuesIndex - 1] : undefined;
  const allDefaultColumns = new Set<number>();
  if (values?.kind === 'values' && values.rows.some((row) => row.some((item) => item.kind === 'default'))) {
    values.columnNames.forEach((_, index) => {
      if (values.rows.every((row) => row[index].kind === 'default')) allDefaultColumns.add(index + 1);
    });
    const columnOf = new Map<number, ColumnDescriptor>();
    for (const target of query.targets)
      if (target.expr.kind === 'var' && target.expr.relation === valuesIndex)
        columnOf.set(target.expr.attribute, relation.columns[target.targetColumn - 1]);
    const rows = values.rows.map((row) =>
      row.map((item, index) => {
        if (item.kind !== 'default') return item;
        const column = columnOf.get(index + 1);
        if (!column) throw internalError('DEFAULT without a target column');
        // The target computes the default itself then: here it would be computed, and a sequence advanced, once more.
        if (allDefaultColumns.has(index + 1) || (column.identity !== '' && query.overriding === 'user'))
          return nullOf(column);
        return columnDefault(column, catalog);
      }),
    );
    rangeTable = rangeTable.map(
      (entry, index): RangeTableEntry => (index === valuesIndex - 1 ? { ...values, rows } : entry),
    );
  }
  const targets = insertTargets(
    query.targets,
    relation,
    query.overriding,
    catalog,
    (expr) => expr.kind === 'var' && expr.relation === valuesIndex && allDefaultColumns.has(expr.attribute),
  );
  let result: Query = { ...query, rangeTable, targets };
  if (relation.columns.some((column) => column.generated && !column.dropped))
    result = generateOnInsert(result, relation, catalog);
  return result;
}

/** Expression of a generated column with the row's new values put in. */
function generatedValue(
  column: ColumnDescriptor,
  catalog: CatalogReader,
  newValue: (attribute: number) => Expr,
): Expr {
  return mapExpr(storedExpression(column, catalog), (node) =>
    node.kind === 'var' && node.relation === 1 && node.levelsUp === 0 ? newValue(node.attribute) : undefined,
  );
}

function generateOnInsert(query: Query, relation: RelationDescriptor, catalog: CatalogReader): Query {
  const isStable = (expr: Expr): boolean =>
    !someExpr(
      expr,
      (node) =>
        node.kind === 'subLink' ||
        ((node.kind === 'function' || node.kind === 'operator') &&
          catalog.function(node.functionOid)?.volatility === 'v'),
    );
  const generated = relation.columns.filter((column) => column.generated && !column.dropped);
  let source = query;
  if (!query.targets.every((target) => isStable(target.expr))) {
    // The source's values are needed twice but may be computed once only: a subquery holds them.
    const inner: Query = {
      ...emptyQuery('select'),
      commonTables: query.commonTables,
      recursive: query.recursive,
      rangeTable: query.rangeTable.map(
        (entry, index): RangeTableEntry =>
          index + 1 === query.resultRelation && entry.kind === 'relation'
            ? { ...entry, privileges: [] }
            : entry,
      ),
      from: query.from,
      targets: query.targets.map((target) => ({ ...target, targetColumn: 0 })),
      hasSubLinks: query.hasSubLinks,
    };
    const columnTypes = query.targets.map(({ expr }) => ({
      typeOid: expr.typeOid,
      typmod: expr.typmod,
      collation: expr.collation,
    }));
    const rangeTable = [...query.rangeTable];
    rangeTable.push({
      kind: 'subquery',
      query: inner,
      viewOid: 0,
      securityBarrier: false,
      alias: '*SELECT*',
      columnNames: query.targets.map((target) => target.name),
      columnTypes,
      lateral: false,
      inFrom: true,
    });
    const index = rangeTable.length;
    source = {
      ...query,
      commonTables: [],
      rangeTable,
      from: [{ kind: 'relationRef', relation: index }],
      targets: query.targets.map((target, number) => ({
        ...target,
        expr: makeVar(index, number + 1, columnTypes[number]),
      })),
    };
  }
  const valueOfColumn = (attribute: number): Expr => {
    const target = source.targets.find((item) => item.targetColumn === attribute);
    if (!target) throw internalError('generated column refers to an unknown column');
    return target.expr;
  };
  return {
    ...source,
    targets: source.targets.map((target) => {
      const column = generated.find((item) => item.number === target.targetColumn);
      return column ? { ...target, expr: generatedValue(column, catalog, valueOfColumn) } : target;
    }),
  };
}

function fillUpdateTargets(
  targets: readonly TargetEntry[],
  relation: RelationDescriptor,
  resultRelation: number,
  catalog: CatalogReader,
): TargetEntry[] {
  const result: TargetEntry[] = [];
  for (const target of targets) {
    const column = relation.columns[target.targetColumn - 1];
    if (target.expr.kind !== 'default') result.push(target);
    else if (!column.generated) result.push({ ...target, expr: columnDefault(column, catalog) });
  }
  const valueOfColumn = (attribute: number): Expr =>
    result.find((item) => item.targetColumn === attribute)?.expr ??
    makeVar(resultRelation, attribute, relation.columns[attribute - 1]);
  const computed: TargetEntry[] = [];
  for (const column of relation.columns) {
    if (!column.generated || column.dropped) continue;
    const target = makeTarget(generatedValue(column, catalog, valueOfColumn), column.name);
    target.targetColumn = column.number;
    computed.push(target);
  }
  return [...result, ...computed];
}
