/** Which objects a typed tree needs: recorded when it is stored, so that they cannot go from under it. */
import type { Oid } from '../../base/brands.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import {
  address,
  type CatalogWriter,
  type DependencyType,
  type ObjectAddress,
} from '../../catalog/mutations.ts';
import type { Expr, FromNode, Query, RangeTableEntry } from '../../sql/tree.ts';

const REGCLASS = 2205;
const REGPROC = 24;
const REGPROCEDURE = 2202;
const REGTYPE = 2206;
const REGNAMESPACE = 4089;
const REGROLE = 4096;

/** What relation numbers mean at one level: a table, a join with its columns, or nothing that is an object. */
type Level = readonly ({ readonly oid: Oid } | { readonly columns: readonly Expr[] } | null)[];

/** Collects addresses from trees; `relations` says what Var.relation means at the outermost level of an expression. */
export class DependencyCollector {
  private readonly found = new Map<string, ObjectAddress>();

  get addresses(): readonly ObjectAddress[] {
    return [...this.found.values()];
  }

  add(classId: Oid, objectId: Oid, subId = 0): void {
    if (objectId === 0) return;
    this.found.set(`${classId}.${objectId}.${subId}`, address(classId, objectId, subId));
  }

  /** An expression whose Vars (relation 1) are columns of one table. */
  expression(expr: Expr, relationOid: Oid): void {
    this.walk(expr, [[{ oid: relationOid }]]);
  }

  /** WHEN of a trigger: relations 1 and 2 are both the table. */
  triggerExpression(expr: Expr, relationOid: Oid): void {
    this.walk(expr, [[{ oid: relationOid }, { oid: relationOid }]]);
  }

  query(query: Query): void {
    this.walkQuery(query, []);
  }

  /** Action of a rule: OLD and NEW, rows of the table, stand one level outside. */
  ruleAction(query: Query, relationOid: Oid): void {
    this.walkQuery(query, [[{ oid: relationOid }, { oid: relationOid }]]);
  }

  private walkQuery(query: Query, outer: readonly Level[]): void {
    const level = query.rangeTable.map((entry) =>
      entry.kind === 'relation'
        ? { oid: entry.relationOid }
        : entry.kind === 'join'
          ? { columns: entry.columns }
          : null,
    );
    const scope = [level, ...outer];
    for (const entry of query.rangeTable) this.entry(entry, scope);
    // Everything else that is an expression or a nested query hangs somewhere in the plain data below.
    for (const [key, value] of Object.entries(query)) {
      if (key === 'rangeTable') continue;
      if (key === 'from') {
        for (const node of query.from) this.fromNode(node, scope);
        continue;
      }
      this.generic(value, scope);
    }
  }

  private entry(entry: RangeTableEntry, scope: readonly Level[]): void {
    if (entry.kind === 'relation') this.add(CLASS_OID.relation, entry.relationOid);
    // Of a join's columns only those that are named somewhere are needed.
    if (entry.kind === 'join') return;
    for (const [key, value] of Object.entries(entry)) {
      if (key === 'columnTypes' || key === 'columnNames') continue;
      this.generic(value, scope);
    }
  }

  private fromNode(node: FromNode, scope: readonly Level[]): void {
    if (node.kind !== 'join') return;
    this.fromNode(node.left, scope);
    this.fromNode(node.right, scope);
    if (node.condition !== null) this.walk(node.condition, scope);
  }

  private generic(value: unknown, scope: readonly Level[]): void {
    if (value === null || typeof value !== 'object') return;
    if (Array.isArray(value)) {
      for (const item of value) this.generic(item, scope);
      return;
    }
    const record = value as Record<string, unknown>;
    if (typeof record.command === 'string' && Array.isArray(record.rangeTable)) {
      this.walkQuery(value as Query, scope);
      return;
    }
    if (typeof record.kind === 'string' && 'typeOid' in record) {
      this.walk(value as Expr, scope);
      return;
    }
    if ('operatorOid' in record) this.add(CLASS_OID.operator, record.operatorOid as number);
    for (const item of Object.values(record)) this.generic(item, scope);
  }

  private walk(expr: Expr, scope: readonly Level[]): void {
    this.add(CLASS_OID.type, expr.typeOid);
    if (expr.collation !== 0 && expr.collation !== 100) this.add(CLASS_OID.collation, expr.collation);
    switch (expr.kind) {
      case 'var': {
        const relation = scope[expr.levelsUp]?.[expr.relation - 1];
        if (relation !== undefined && relation !== null && 'columns' in relation) {
          const column = relation.columns[expr.attribute - 1];
          if (column !== undefined) this.walk(column, scope.slice(expr.levelsUp));
        } else if (relation !== undefined && relation !== null) {
          if (expr.attribute > 0) this.add(CLASS_OID.relation, relation.oid, expr.attribute);
          else this.add(CLASS_OID.relation, relation.oid);
        }
        return;
      }
      case 'const':
        if (typeof expr.value === 'number') {
          switch (expr.typeOid) {
            case REGCLASS:
              this.add(CLASS_OID.relation, expr.value);
              break;
            case REGPROC:
            case REGPROCEDURE:
              this.add(CLASS_OID.procedure, expr.value);
              break;
            case REGTYPE:
              this.add(CLASS_OID.type, expr.value);
              break;
            case REGNAMESPACE:
              this.add(CLASS_OID.namespace, expr.value);
              break;
            case REGROLE:
              break;
            default:
              break;
          }
        }
        return;
      case 'function':
        this.add(CLASS_OID.procedure, expr.functionOid);
        break;
      case 'aggregate':
        this.add(CLASS_OID.procedure, expr.aggregateOid);
        break;
      case 'window':
        this.add(CLASS_OID.procedure, expr.functionOid);
        break;
      case 'operator':
      case 'distinct':
      case 'nullif':
      case 'arrayOperator':
        this.add(CLASS_OID.operator, expr.operatorOid);
        break;
      case 'rowCompare':
      case 'subLink':
        for (const oid of expr.operatorOids) this.add(CLASS_OID.operator, oid);
        break;
      default:
        break;
    }
    for (const [key, value] of Object.entries(expr)) if (key !== 'value') this.generic(value, scope);
  }
}

/** Records what an expression over one table needs, on behalf of `dependent`; references to the own table get `ownType`. */
export function recordExpression(
  writer: CatalogWriter,
  dependent: ObjectAddress,
  exprs: readonly Expr[],
  relationOid: Oid,
  ownType: DependencyType,
): void {
  const collector = new DependencyCollector();
  for (const expr of exprs) collector.expression(expr, relationOid);
  for (const referenced of collector.addresses) {
    const isOwn = referenced.classId === CLASS_OID.relation && referenced.objectId === relationOid;
    writer.dependOn(dependent, referenced, isOwn ? ownType : 'n');
  }
}

/** Columns (attnums) of its own table that an expression mentions; 0 stands for the whole row. */
export function columnsOf(expr: Expr): number[] {
  const collector = new DependencyCollector();
  collector.expression(expr, 1);
  return collector.addresses
    .filter(({ classId, objectId }) => classId === CLASS_OID.relation && objectId === 1)
    .map(({ subId }) => subId)
    .sort((a, b) => a - b);
}
