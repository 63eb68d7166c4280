/**
 * Tables with children: reading a parent reads its children too, changing it changes them.
 *
 * - A reference in FROM becomes a subquery: UNION ALL over the parent and all its descendants, each as ONLY, their columns matched
 *   by name. System columns that the query reads become columns of that subquery.
 * - UPDATE and DELETE get one variant of themselves per table ({@link Query.variants}); they run one after the other under one
 *   snapshot and command, so that no row is met twice.
 *
 * Only the parent's privileges are asked for, as in PostgreSQL.
 */
import type { Oid } from '../../base/brands.ts';
import { internalError, notSupported } from '../../base/error.ts';
import type { CatalogReader, RelationDescriptor } from '../../catalog/contract.ts';
import type { Datum } from '../../types/datum.ts';
import { makeVar } from '../analyse/make.ts';
import { emptyQuery } from '../analyse/scope.ts';
import type {
  Expr,
  Query,
  RangeTableEntry,
  RelationEntry,
  SetOperationNode,
  SubqueryEntry,
  TargetEntry,
} from '../tree.ts';
import { mapQuery, walkQuery } from '../walk.ts';

/** The relation and its descendants that hold rows, parents before children. */
export function storedDescendants(
  relation: RelationDescriptor,
  catalog: CatalogReader,
): RelationDescriptor[] {
  const found = new Map<Oid, RelationDescriptor>();
  const level = [relation];
  while (level.length > 0) {
    const next = level.shift()!;
    if (found.has(next.oid)) continue;
    found.set(next.oid, next);
    for (const child of next.children) {
      const descriptor = catalog.relation(child);
      if (descriptor !== null) level.push(descriptor);
    }
  }
  return [...found.values()].filter(({ kind }) => kind !== 'p' && kind !== 'f');
}

/** Number of the column of `child` that stands for each column of `parent`, 0 for dropped ones. */
function columnNumbers(parent: RelationDescriptor, child: RelationDescriptor): number[] {
  if (parent === child) return parent.columns.map(({ number, dropped }) => (dropped ? 0 : number));
  return parent.columns.map((column) => {
    if (column.dropped) return 0;
    const found = child.columns.find(({ name, dropped }) => name === column.name && !dropped);
    if (found === undefined)
      throw internalError(`column "${column.name}" is missing from child "${child.name}"`);
    return found.number;
  });
}

const SYSTEM_TYPES: Readonly<Record<number, Oid>> = {
  [-1]: 27,
  [-2]: 28,
  [-3]: 29,
  [-4]: 28,
  [-5]: 29,
  [-6]: 26,
};

function target(expr: Expr, name: string): TargetEntry {
  return { expr, name, junk: false, targetColumn: 0, originTable: 0, originColumn: 0 };
}

function hasChildren(entry: RangeTableEntry, catalog: CatalogReader): RelationDescriptor | null {
  if (entry.kind !== 'relation' || entry.only) return null;
  const relation = catalog.relation(entry.relationOid);
  if (relation === null || (relation.children.length === 0 && relation.kind !== 'p')) return null;
  return relation;
}

// -------------------------------------------------------------------------------------------------------------- reading

/** Replaces references to parents in FROM. */
export function expandInheritance(query: Query, catalog: CatalogReader): Query {
  let result = query;
  query.rangeTable.forEach((entry, index) => {
    const number = index + 1;
    if (number === query.resultRelation || !entry.inFrom) return;
    const relation = hasChildren(entry, catalog);
    if (relation !== null) result = expandReference(result, number, relation, catalog);
  });
  return result;
}

function expandReference(
  query: Query,
  number: number,
  relation: RelationDescriptor,
  catalog: CatalogReader,
): Query {
  const entry = query.rangeTable[number - 1] as RelationEntry;
  const system = new Set<number>();
  walkQuery(query, (expr, depth) => {
    if (expr.kind === 'var' && expr.relation === number && expr.levelsUp === depth && expr.attribute < 0)
      system.add(expr.attribute);
    return undefined;
  });
  const systemColumns = [...system].sort((a, b) => b - a);
  const mark = query.rowMarks.find((item) => item.relation === number) ?? null;
  const leaf = (member: RelationDescriptor): Query => {
    const columns = columnNumbers(relation, member);
    const own: RelationEntry = {
      ...entry,
      relationOid: member.oid,
      only: true,
      alias: member === relation ? entry.alias : member.name,
      columnNames: member.columns.map(({ name, dropped }) => (dropped ? '' : name)),
      columnTypes: member.columns.map(({ typeOid, typmod, collation }) => ({ typeOid, typmod, collation })),
      privileges: [],
      lateral: false,
      inFrom: true,
    };
    return {
      ...emptyQuery('select'),
      rangeTable: [own],
      from: [{ kind: 'relationRef', relation: 1 }],
      rowMarks: mark === null ? [] : [{ ...mark, relation: 1 }],
      targets: [
        ...relation.columns.map((column, index) =>
          target(
            columns[index] === 0
              ? makeConst(TEXT, null)
              : makeVar(1, columns[index]!, member.columns[columns[index]! - 1]!),
            column.dropped ? `?dropped${index}` : column.name,
          ),
        ),
        ...systemColumns.map((attribute) =>
          target(
            makeVar(1, attribute, { typeOid: SYSTEM_TYPES[attribute]!, typmod: -1, collation: 0 }),
            `?system${-attribute}`,
          ),
        ),
      ],
    };
  };
  const leaves = storedDescendants(relation, catalog).map(leaf);
  const subquery: SubqueryEntry = {
    kind: 'subquery',
    query: union(leaves, relation, systemColumns),
    viewOid: relation.oid,
    securityBarrier: false,
    privileges: entry.privileges,
    asRole: entry.asRole,
    alias: entry.alias,
    columnNames: [...entry.columnNames, ...systemColumns.map((attribute) => `?system${-attribute}`)],
    columnTypes: [
      ...entry.columnTypes,
      ...systemColumns.map((attribute) => ({ typeOid: SYSTEM_TYPES[attribute]!, typmod: -1, collation: 0 })),
    ],
    lateral: false,
    inFrom: entry.inFrom,
  };
  const rangeTable = [...query.rangeTable];
  rangeTable[number - 1] = subquery;
  return mapQuery(
    { ...query, rangeTable, rowMarks: query.rowMarks.filter((item) => item !== mark) },
    (expr, depth) => {
      if (expr.kind !== 'var' || expr.relation !== number || expr.levelsUp !== depth) return undefined;
      if (expr.attribute > 0) return expr;
      if (expr.attribute < 0)
        return { ...expr, attribute: relation.columns.length + 1 + systemColumns.indexOf(expr.attribute) };
      return wholeRow(
        relation,
        relation.columns.map(({ dropped, number: attnum }) => (dropped ? 0 : attnum)),
        number,
        depth,
      );
    },
  );
}

const TEXT: Oid = 25;

function makeConst(typeOid: Oid, value: Datum, collation: Oid = 0, typmod = -1): Expr {
  return { kind: 'const', typeOid, typmod, collation, value };
}

/** A row value of the parent's type. */
function wholeRow(
  relation: RelationDescriptor,
  columns: readonly number[],
  number: number,
  levelsUp: number,
): Expr {
  const live = relation.columns.filter(({ dropped }) => !dropped);
  return {
    kind: 'row',
    args: live.map((column) => makeVar(number, columns[column.number - 1]!, column, levelsUp)),
    fieldNames: live.map(({ name }) => name),
    typeOid: relation.rowTypeOid,
    typmod: -1,
    collation: 0,
  };
}

/** UNION ALL of the leaves; one leaf stands alone, none gives no rows. */
function union(leaves: readonly Query[], relation: RelationDescriptor, system: readonly number[]): Query {
  if (leaves.length === 1) return leaves[0]!;
  const types = [
    ...relation.columns.map(({ dropped, typeOid, typmod, collation }) =>
      dropped ? { typeOid: TEXT, typmod: -1, collation: 100 } : { typeOid, typmod, collation },
    ),
    ...system.map((attribute) => ({ typeOid: SYSTEM_TYPES[attribute]!, typmod: -1, collation: 0 })),
  ];
  const names = [
    ...relation.columns.map(({ name }) => name),
    ...system.map((attribute) => `?system${-attribute}`),
  ];
  if (leaves.length === 0)
    return {
      ...emptyQuery('select'),
      where: makeConst(16, false),
      targets: types.map((type, index) =>
        target(makeConst(type.typeOid, null, type.collation, type.typmod), names[index]!),
      ),
    };
  const rangeTable = leaves.map(
    (query, index): SubqueryEntry => ({
      kind: 'subquery',
      query,
      viewOid: 0,
      securityBarrier: false,
      alias: `*SELECT* ${index + 1}`,
      columnNames: names,
      columnTypes: types,
      lateral: false,
      inFrom: false,
    }),
  );
  let tree: SetOperationNode = { kind: 'leaf', relation: 1 };
  for (let index = 2; index <= leaves.length; index++)
    tree = {
      kind: 'setOperation',
      op: 'union',
      all: true,
      left: tree,
      right: { kind: 'leaf', relation: index },
      columnTypes: types,
      keys: [],
    };
  return {
    ...emptyQuery('select'),
    rangeTable,
    setOperation: tree,
    targets: types.map((type, index) => target(makeVar(1, index + 1, type), names[index]!)),
  };
}

// ------------------------------------------------------------------------------------------------------------- changing

/** One query per table that an UPDATE or DELETE of a parent concerns; null when the target has no children. */
export function inheritanceVariants(query: Query, catalog: CatalogReader): Query[] | null {
  if (query.command === 'insert' || query.command === 'select' || query.resultRelation === 0) return null;
  const entry = query.rangeTable[query.resultRelation - 1]!;
  const relation = hasChildren(entry, catalog);
  if (relation === null || entry.kind !== 'relation') return null;
  if (query.command === 'merge') throw notSupported('MERGE into a table with children');
  if (query.hasModifyingCte || query.commonTables.some((table) => table.query.command !== 'select'))
    throw notSupported('a data-modifying WITH beside a change of a table with children');
  return storedDescendants(relation, catalog).map((member, index) =>
    variant(query, entry, relation, member, index === 0),
  );
}

function variant(
  query: Query,
  entry: RelationEntry,
  parent: RelationDescriptor,
  member: RelationDescriptor,
  isFirst: boolean,
): Query {
  const number = query.resultRelation;
  const columns = columnNumbers(parent, member);
  const rangeTable = [...query.rangeTable];
  rangeTable[number - 1] = {
    ...entry,
    relationOid: member.oid,
    only: true,
    columnNames: member.columns.map(({ name, dropped }) => (dropped ? '' : name)),
    columnTypes: member.columns.map(({ typeOid, typmod, collation }) => ({ typeOid, typmod, collation })),
    privileges: member === parent ? entry.privileges : [],
  };
  // The parent's privileges are asked for once, also when it holds no rows itself.
  if (isFirst && member !== parent) rangeTable.push({ ...entry, inFrom: false, only: true });
  const base: Query = {
    ...query,
    rangeTable,
    targets: query.targets.map((item) =>
      item.targetColumn > 0 ? { ...item, targetColumn: columns[item.targetColumn - 1]! } : item,
    ),
  };
  if (member === parent) return base;
  return mapQuery(base, (expr, depth) => {
    if (expr.kind !== 'var' || expr.relation !== number || expr.levelsUp !== depth) return undefined;
    if (expr.attribute > 0) return { ...expr, attribute: columns[expr.attribute - 1]! };
    return expr.attribute < 0 ? expr : wholeRow(parent, columns, number, depth);
  });
}
