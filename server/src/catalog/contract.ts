/**
 * What the catalog gives to analysis, planning and execution.
 *
 * The truth are the system catalog tables (ordinary MVCC tables). A {@link CatalogReader} is a cache over them as one
 * transaction sees it: the committed state, plus the transaction's own uncommitted DDL. Descriptors are immutable;
 * a changed object gets a new descriptor. `version` grows with every visible change, plans remember it.
 */
import type { Oid } from '../base/brands.ts';
import type { ColumnGroup, IndexSchema, TableSchema } from '../table/contract.ts';
import type { NameService, TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';

export type RelationKind = 'r' | 'i' | 'S' | 'v' | 'm' | 'c' | 't' | 'f' | 'p' | 'I';

export interface ColumnDescriptor {
  /** attnum, counted from 1. */
  readonly number: number;
  readonly name: string;
  readonly typeOid: Oid;
  readonly typmod: number;
  readonly collation: Oid;
  readonly notNull: boolean;
  readonly dropped: boolean;
  /** Serialised typed expression (sql/tree-json) of the DEFAULT or generation expression, or null. */
  readonly defaultExpression: string | null;
  /** '' none, 'a' GENERATED ALWAYS AS IDENTITY, 'd' BY DEFAULT. */
  readonly identity: '' | 'a' | 'd';
  /** '' none, 's' GENERATED ALWAYS AS (…) STORED. */
  readonly generated: '' | 's';
  /** Sequence behind serial / identity, 0 if none. */
  readonly sequenceOid: Oid;
}

export interface ConstraintDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly kind: 'c' | 'f' | 'p' | 'u' | 'x' | 't';
  readonly relationOid: Oid;
  /** attnums */
  readonly columns: readonly number[];
  readonly indexOid: Oid;
  /** CHECK: serialised typed expression over the row (Var levelsUp 0, relation 1). */
  readonly expression: string | null;
  readonly deferrable: boolean;
  readonly deferred: boolean;
  readonly validated: boolean;
  readonly foreign: ForeignKeyDescriptor | null;
  /** EXCLUDE: the operator of each key of its index. */
  readonly exclusion?: readonly Oid[];
}

export type ForeignKeyAction = 'a' | 'r' | 'c' | 'n' | 'd';

export interface ForeignKeyDescriptor {
  readonly referencedOid: Oid;
  readonly referencedColumns: readonly number[];
  readonly onUpdate: ForeignKeyAction;
  readonly onDelete: ForeignKeyAction;
  readonly match: 's' | 'f' | 'p';
  /** Equality operator oids, referenced = referencing. */
  readonly operators: readonly Oid[];
}

export interface IndexDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly tableOid: Oid;
  readonly accessMethod: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly valid: boolean;
  /** attnum of each key, 0 for an expression. */
  readonly keyColumns: readonly number[];
  readonly includedColumns: readonly number[];
  /** Serialised typed expressions, one per 0 in keyColumns. */
  readonly expressions: readonly string[];
  readonly predicate: string | null;
  readonly descending: readonly boolean[];
  readonly nullsFirst: readonly boolean[];
  readonly operatorClasses: readonly Oid[];
  readonly schema: IndexSchema;
}

export interface RelationDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly namespaceOid: Oid;
  readonly namespaceName: string;
  readonly kind: RelationKind;
  readonly persistence: 'p' | 'u' | 't';
  readonly ownerOid: Oid;
  /** pg_type oid of its row type. */
  readonly rowTypeOid: Oid;
  /** All columns including dropped ones, by attnum - 1. */
  readonly columns: readonly ColumnDescriptor[];
  readonly constraints: readonly ConstraintDescriptor[];
  readonly indexes: readonly IndexDescriptor[];
  /** Indexes of EXCLUDE constraints, also those of kinds that keep no entries. Absent in descriptors made for tests. */
  readonly exclusionIndexes?: readonly IndexDescriptor[];
  /** Foreign keys of other tables that point here. */
  readonly referencedBy: readonly ConstraintDescriptor[];
  /** Tables that inherit from this one (partitions included), by oid. */
  readonly children: readonly Oid[];
  /** Tables this one inherits from, in the order of its definition. */
  readonly parents: readonly Oid[];
  /** Triggers of users, by name. Absent in descriptors made for tests. */
  readonly triggers?: readonly TriggerDescriptor[];
  /** Rules on INSERT, UPDATE and DELETE, by name. Absent in descriptors made for tests. */
  readonly rules?: readonly RuleDescriptor[];
  /** Views: serialised typed Query (sql/tree-json). */
  readonly viewQuery: string | null;
  readonly acl: readonly string[] | null;
  /** pg_class.reloptions, `name=value`. */
  readonly options?: readonly string[];
  /** ENABLE and FORCE ROW LEVEL SECURITY. */
  readonly rowSecurity: 'none' | 'enabled' | 'forced';
  /** Present for kinds stored as tables. */
  readonly table: TableSchema | null;
  /**
   * Catalog-like relations computed at scan time (pg_settings, pg_locks, pg_stat_*): rows come from this provider,
   * registered by name in `catalog/virtual` and filled in by upper rooms through main/.
   */
  readonly virtualRows: ((context: VirtualContext) => Iterable<readonly Datum[]>) | null;
  /** Columns (from 0) by which computed rows can be asked for (VirtualContext.key), with the rows to expect. */
  readonly virtualKeys?: ReadonlyMap<number, number> | null;
}

export interface VirtualContext {
  readonly catalog: CatalogReader;
  readonly sessionId: number;
  /** Only rows whose column has one of the values are wanted; others may come too. */
  readonly key?: { readonly column: number; readonly values: readonly Datum[] } | null;
}

/** A trigger as pg_trigger describes it; those behind foreign keys are not among them. */
export interface TriggerDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly relationOid: Oid;
  readonly functionOid: Oid;
  /** pg_trigger.tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead. */
  readonly type: number;
  /** O origin and local, D disabled, R replica, A always. */
  readonly enabled: 'O' | 'D' | 'R' | 'A';
  readonly constraintOid: Oid;
  readonly deferrable: boolean;
  readonly initiallyDeferred: boolean;
  readonly args: readonly string[];
  /** attnums of UPDATE OF. */
  readonly columns: readonly number[];
  /** Serialised condition of WHEN: Vars of relation 1 are OLD, of relation 2 NEW. */
  readonly condition: string | null;
  readonly oldTable: string | null;
  readonly newTable: string | null;
}

/** A rule as pg_rewrite describes it; a view's own is not among them. */
export interface RuleDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly event: 'insert' | 'update' | 'delete';
  readonly instead: boolean;
  readonly enabled: 'O' | 'D' | 'R' | 'A';
  /** Serialised condition: Vars of relation 1 are OLD, of relation 2 NEW. */
  readonly condition: string | null;
  /** JSON list of serialised queries in which those two stand one level outside. */
  readonly actions: string;
}

export interface TypeDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly namespaceOid: Oid;
  readonly length: number;
  readonly byValue: boolean;
  /** pg_type.typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange. */
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm';
  readonly category: string;
  readonly preferred: boolean;
  readonly elementOid: Oid;
  readonly arrayOid: Oid;
  readonly relationOid: Oid;
  readonly baseTypeOid: Oid;
  readonly typmod: number;
  readonly collation: Oid;
  /** True for "real" arrays (typsubscript = array_subscript_handler). */
  readonly isTrueArray: boolean;
  readonly support: TypeSupport;
  /** Domains: what a value must satisfy, those of domains below first. */
  readonly domainRules?: readonly DomainRule[];
}

/** One constraint of a domain. */
export interface DomainRule {
  readonly domainName: string;
  readonly schemaName: string;
  readonly notNull: boolean;
  readonly constraintName: string;
  /** Serialised condition over caseTest; null for NOT NULL. */
  readonly expression: string | null;
}

export interface FunctionDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly namespaceOid: Oid;
  readonly kind: 'f' | 'a' | 'w' | 'p';
  readonly argumentTypes: readonly Oid[];
  /** All arguments incl. OUT/TABLE, or null when there are only IN ones. */
  readonly allArgumentTypes: readonly Oid[] | null;
  readonly argumentModes: readonly string[] | null;
  readonly argumentNames: readonly string[] | null;
  readonly defaultCount: number;
  /** Serialised typed expressions of the last `defaultCount` arguments: text of tree-json serialiseExprs. */
  readonly defaults: string | null;
  readonly variadicType: Oid;
  readonly returnType: Oid;
  readonly returnsSet: boolean;
  readonly strict: boolean;
  readonly volatility: 'i' | 's' | 'v';
  readonly parallel: 's' | 'r' | 'u';
  readonly language: string;
  /**
   * Implementation name of builtins, text of SQL / PL functions.
   * PostgreSQL's few builtins written in SQL (`lpad(text, int)`, `round(numeric)`, `obj_description`, `overlaps` …) appear as
   * language `internal` with source = `#` and the oid, as sql/functions registers them.
   */
  readonly source: string;
  /** Body of a SQL function in standard form: tree-json of its queries; null for a text body. */
  readonly sqlBody: string | null;
  readonly ownerOid: Oid;
  readonly securityDefiner: boolean;
  /** SET clauses as `name=value`. */
  readonly settings: readonly string[] | null;
  /** Expected rows of a set-returning function. */
  readonly rows: number;
  readonly cost: number;
  readonly aggregate: AggregateDescriptor | null;
}

export interface AggregateDescriptor {
  /** n normal, o ordered-set, h hypothetical-set. */
  readonly kind: 'n' | 'o' | 'h';
  readonly directArguments: number;
  readonly transitionFunction: Oid;
  readonly finalFunction: Oid;
  readonly transitionType: Oid;
  readonly initialValue: string | null;
  readonly sortOperator: Oid;
}

export interface OperatorDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly namespaceOid: Oid;
  /** 0 for prefix operators. */
  readonly leftType: Oid;
  readonly rightType: Oid;
  readonly resultType: Oid;
  readonly commutator: Oid;
  readonly negator: Oid;
  readonly functionOid: Oid;
  readonly canMerge: boolean;
  readonly canHash: boolean;
  /** Btree strategy (1 <, 2 <=, 3 =, 4 >=, 5 >) in the default operator families, 0 if none. */
  readonly btreeStrategy: 0 | 1 | 2 | 3 | 4 | 5;
}

export interface CastDescriptor {
  readonly sourceType: Oid;
  readonly targetType: Oid;
  /** 0 for binary-coercible and I/O casts. */
  readonly functionOid: Oid;
  readonly context: 'i' | 'a' | 'e';
  readonly method: 'f' | 'b' | 'i';
}

export interface RoleDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly superuser: boolean;
  readonly inherit: boolean;
  readonly createRole: boolean;
  readonly createDatabase: boolean;
  readonly canLogin: boolean;
  readonly replication: boolean;
  readonly bypassRowSecurity: boolean;
  readonly connectionLimit: number;
  /** SCRAM verifier as pg_authid.rolpassword holds it. */
  readonly password: string | null;
  readonly validUntil: bigint | null;
}

export interface SearchPath {
  /** Effective schemas in order, pg_catalog included where implicit (and pg_temp). */
  readonly namespaces: readonly Oid[];
  /** Schema that CREATE uses, 0 if none. */
  readonly creationNamespace: Oid;
}

export interface CatalogReader {
  readonly version: number;
  readonly databaseOid: Oid;
  readonly databaseName: string;
  relation(oid: Oid): RelationDescriptor | null;
  /** schema null = by search path. */
  relationByName(schema: string | null, name: string, path: SearchPath): RelationDescriptor | null;
  /** Names for "Did you mean": relations visible by the path or in the schema. */
  relationNames(schema: string | null, path: SearchPath): Iterable<string>;
  databaseByName(name: string): DatabaseDescriptor | null;
  /** Privilege on this reader's own database. */
  hasDatabasePrivilege(roleOid: Oid, privilege: 'CONNECT' | 'CREATE' | 'TEMPORARY'): boolean;
  namespaceByName(name: string): { oid: Oid; name: string; ownerOid: Oid } | null;
  namespaceName(oid: Oid): string | null;
  resolveSearchPath(names: readonly string[], roleName: string, temporaryNamespace: Oid): SearchPath;
  type(oid: Oid): TypeDescriptor | null;
  typeByName(schema: string | null, name: string, path: SearchPath): TypeDescriptor | null;
  typeNames(schema: string | null, path: SearchPath): Iterable<string>;
  function(oid: Oid): FunctionDescriptor | null;
  /** About how many rows a catalog has; null for other relations. Absent in readers made for tests. */
  catalogRowCount?(oid: Oid): number | null;
  /** Candidates of that name in path order (earlier schema hides equal signatures of later ones). */
  functionsByName(schema: string | null, name: string, path: SearchPath): readonly FunctionDescriptor[];
  functionNames(path: SearchPath): Iterable<string>;
  operator(oid: Oid): OperatorDescriptor | null;
  operatorsByName(schema: string | null, name: string, path: SearchPath): readonly OperatorDescriptor[];
  cast(source: Oid, target: Oid): CastDescriptor | null;
  /** The btree equality / less-than / greater-than operators of a type's default operator class (0 if none). */
  orderingOperators(typeOid: Oid): { equal: Oid; less: Oid; greater: Oid };
  /** Type whose operator class serves (varchar → text, domain → base, anyarray …). */
  collationByName(schema: string | null, name: string, path: SearchPath): { oid: Oid; name: string } | null;
  collationName(oid: Oid): { schema: string; name: string } | null;
  /** Locale of a collation that does not order text by bytes (provider ICU); null for the others. */
  collationLocale?(oid: Oid): string | null;
  role(oid: Oid): RoleDescriptor | null;
  roleByName(name: string): RoleDescriptor | null;
  /** True if `member` is `role` or (transitively) a member with INHERIT, or superuser. */
  hasPrivilegesOfRole(member: Oid, role: Oid): boolean;
  /** Checks SELECT, INSERT, … on an object for a role; superusers pass. */
  hasRelationPrivilege(
    roleOid: Oid,
    relation: RelationDescriptor,
    privilege: Privilege,
    columns: readonly number[] | null,
  ): boolean;
  /** True if `member` is `role` or (transitively) a member, INHERIT or not: who may SET ROLE. */
  isMemberOfRole(member: Oid, role: Oid): boolean;
  /** Constraints of that name visible by the path or in the schema (SET CONSTRAINTS). */
  constraintsByName(schema: string | null, name: string, path: SearchPath): readonly ConstraintDescriptor[];
  /** Settings kept for sessions of a role in this database (pg_db_role_setting), the weaker first. */
  storedSettings(role: Oid): readonly StoredSetting[];
  /** What CREATE STATISTICS asks ANALYZE to look at in a table; those over expressions are not among them. */
  columnGroups(relationOid: Oid): readonly ColumnGroup[];
  names(path: SearchPath): NameService;
  /** EXECUTE on a function. */
  hasFunctionPrivilege?(roleOid: Oid, functionOid: Oid): boolean;
}

export interface DatabaseDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly ownerOid: Oid;
  readonly allowsConnections: boolean;
  /** -1 = no limit. */
  readonly connectionLimit: number;
}

export interface StoredSetting {
  readonly source: 'global' | 'database' | 'user' | 'database user';
  readonly name: string;
  readonly value: string;
}

export type Privilege =
  | 'SELECT'
  | 'INSERT'
  | 'UPDATE'
  | 'DELETE'
  | 'TRUNCATE'
  | 'REFERENCES'
  | 'TRIGGER'
  | 'USAGE'
  | 'CREATE'
  | 'CONNECT'
  | 'TEMPORARY'
  | 'EXECUTE';
