/** What every DDL command needs: names, ownership, locks, roles, and the writer of catalog rows. */

import type { Oid } from '../../base/brands.ts';
import { DbError, type ErrorFields, type Notice } from '../../base/error.ts';
import { type ConditionName, SQLSTATE } from '../../base/sqlstate.ts';
import { type AclObjectKind, privilegeBit } from '../../catalog/acl.ts';
import type { Privilege, RelationDescriptor, RoleDescriptor, SearchPath } from '../../catalog/contract.ts';
import { PG_NAMESPACE } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { planDeletion } from '../../catalog/dependencies.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address, CatalogWriter, type ObjectAddress } from '../../catalog/mutations.ts';
import { RELATION_KIND_NAMES } from '../../catalog/object-names.ts';
import type { CatalogReaderImplementation } from '../../catalog/reader.ts';
import { OBJECT_ACLS } from '../../catalog/reader.ts';
import { removeObject } from '../../catalog/removal.ts';
import { dropSilently } from '../../catalog/temporary.ts';
import { positionOf, stringOf } from '../../sql/parse/ast.ts';
import type { DefElem, Node, RangeVar, RoleSpec } from '../../sql/parse/nodes.ts';
import type { TableLockMode } from '../../txn/contract.ts';
import type { DdlContext } from './contract.ts';

const PG_CATALOG = 11;
const PG_TOAST = 99;

/** A parsed command, its context, and helpers that speak PostgreSQL's words. */
export class Ddl {
  readonly context: DdlContext;
  readonly writer: CatalogWriter;

  constructor(context: DdlContext) {
    this.context = context;
    this.writer = new CatalogWriter(context.catalog, context.tables, context.transaction);
  }

  /** The catalog as it is after this command's changes so far. */
  get reader(): CatalogReaderImplementation {
    return this.writer.reader;
  }

  get path(): SearchPath {
    return this.context.searchPath();
  }

  get role(): Oid {
    return this.context.currentRole();
  }

  get isSuperuser(): boolean {
    return this.reader.roles.isSuperuser(this.role);
  }

  // ------------------------------------------------------------------------------------------------------ messages

  notice(message: string, fields: ErrorFields = {}): void {
    this.message('NOTICE', 'successful_completion', message, fields);
  }

  message(
    severity: Notice['severity'],
    condition: ConditionName,
    message: string,
    fields: ErrorFields = {},
  ): void {
    this.context.notice({ severity, code: SQLSTATE[condition], message, fields });
  }

  // -------------------------------------------------------------------------------------------------------- locking

  async lock(relationOid: Oid, mode: TableLockMode): Promise<void> {
    const wait = this.context.locks.lockTable(
      this.context.transaction,
      relationOid,
      mode,
      this.context.lockOptions(),
    );
    if (wait !== null) await wait;
  }

  async reserve(scope: Oid, name: string): Promise<void> {
    await this.writer.reserveName(this.context.locks, scope, name, this.context.lockOptions());
  }

  // -------------------------------------------------------------------------------------------------------- schemas

  /** Oid of a schema by name; 3F000 when there is none. */
  namespace(name: string, position?: number): Oid {
    if (name === 'pg_temp') return this.temporaryNamespace();
    const namespace = this.reader.namespaceByName(name);
    if (namespace === null)
      throw new DbError('invalid_schema_name', `schema "${name}" does not exist`).at(position);
    return namespace.oid;
  }

  /** The session's temporary schema, made on first use. */
  temporaryNamespace(): Oid {
    const known = this.context.temporaryNamespace();
    if (known !== 0 && this.reader.namespaceName(known) !== null) return known;
    const name = `pg_temp_${this.context.sessionId}`;
    let oid = this.reader.namespaceByName(name)?.oid;
    if (oid === undefined) {
      oid = this.writer.allocateOid();
      const row = [];
      row[PG_NAMESPACE.oid] = oid;
      row[PG_NAMESPACE.nspname] = name;
      row[PG_NAMESPACE.nspowner] = 10;
      row[PG_NAMESPACE.nspacl] = null;
      this.writer.insert('pg_namespace', row);
    }
    this.context.setTemporaryNamespace(oid);
    return oid;
  }

  /** Schema in which CREATE makes an object; checks CREATE privilege. */
  creationNamespace(
    schema: string | undefined,
    options: { temporary?: boolean; position?: number } = {},
  ): Oid {
    let oid: Oid;
    if (options.temporary === true) {
      if (schema !== undefined && schema !== 'pg_temp' && !schema.startsWith('pg_temp_'))
        throw new DbError(
          'invalid_table_definition',
          'cannot create temporary relation in non-temporary schema',
        ).at(options.position);
      return this.temporaryNamespace();
    }
    if (schema !== undefined) oid = this.namespace(schema, options.position);
    else {
      oid = this.path.creationNamespace;
      if (oid === 0)
        throw new DbError('undefined_schema', 'no schema has been selected to create in').at(
          options.position,
        );
    }
    this.requireSchemaCreate(oid);
    if (oid === PG_CATALOG || oid === PG_TOAST)
      throw new DbError(
        'insufficient_privilege',
        `permission denied to create in schema "${this.reader.namespaceName(oid)}"`,
        { detail: 'System catalog modifications are currently disallowed.' },
      );
    return oid;
  }

  requireSchemaCreate(oid: Oid): void {
    if (!this.reader.hasObjectPrivilege(this.role, 'schema', oid, 'CREATE'))
      throw new DbError(
        'insufficient_privilege',
        `permission denied for schema ${this.reader.namespaceName(oid)}`,
      );
  }

  requireSchemaUsage(schema: string | undefined, position?: number): void {
    if (schema === undefined) return;
    const oid = this.namespace(schema, position);
    if (!this.reader.hasObjectPrivilege(this.role, 'schema', oid, 'USAGE'))
      throw new DbError('insufficient_privilege', `permission denied for schema ${schema}`).at(position);
  }

  // ------------------------------------------------------------------------------------------------------ relations

  /** The relation of a RangeVar, null when it does not exist. A missing schema is an error unless `missingOk`. */
  findRelation(target: RangeVar, missingOk = false): RelationDescriptor | null {
    if (target.catalogname !== undefined && target.catalogname !== this.reader.databaseName)
      throw new DbError(
        'feature_not_supported',
        `cross-database references are not implemented: "${target.catalogname}.${target.schemaname}.${target.relname}"`,
      ).at(positionOf(target.location));
    if (target.schemaname !== undefined && target.schemaname !== 'pg_temp') {
      if (this.reader.namespaceByName(target.schemaname) === null) {
        if (missingOk) return null;
        throw new DbError('invalid_schema_name', `schema "${target.schemaname}" does not exist`);
      }
      if (!missingOk) this.requireSchemaUsage(target.schemaname, positionOf(target.location));
    }
    return this.reader.relationByName(target.schemaname ?? null, target.relname ?? '', this.path);
  }

  /** The relation of a RangeVar, locked; looked up again after a wait, because it may have gone. 42P01 when missing. */
  async relation(target: RangeVar, mode: TableLockMode): Promise<RelationDescriptor> {
    const relation = await this.relationIfExists(target, mode);
    if (relation === null) throw this.undefinedRelation(target);
    return relation;
  }

  async relationIfExists(target: RangeVar, mode: TableLockMode): Promise<RelationDescriptor | null> {
    for (;;) {
      const relation = this.findRelation(target, true);
      if (relation === null) return null;
      await this.lock(relation.oid, mode);
      const again = this.findRelation(target, true);
      if (again === null) return null;
      if (again.oid === relation.oid) return again;
    }
  }

  undefinedRelation(target: RangeVar): DbError {
    // PostgreSQL gives no position here: only analysis of queries does.
    return new DbError('undefined_table', `relation "${rangeVarName(target)}" does not exist`);
  }

  /** The descriptor after changes. */
  current(oid: Oid): RelationDescriptor {
    return this.reader.relation(oid)!;
  }

  // ------------------------------------------------------------------------------------------------------ privilege

  isOwner(owner: Oid): boolean {
    return this.reader.roles.hasPrivilegesOf(this.role, owner);
  }

  /** 42501 `must be owner of table t`. */
  requireRelationOwner(relation: RelationDescriptor): void {
    if (!this.isOwner(relation.ownerOid))
      throw new DbError(
        'insufficient_privilege',
        `must be owner of ${RELATION_KIND_NAMES[relation.kind] ?? 'relation'} ${relation.name}`,
      );
    if (relation.oid < 16384)
      throw new DbError(
        'insufficient_privilege',
        `permission denied: "${relation.name}" is a system catalog`,
      );
  }

  requireRelationPrivilege(
    relation: RelationDescriptor,
    privilege: Privilege,
    columns: readonly number[] | null,
  ): void {
    if (!this.reader.hasRelationPrivilege(this.role, relation, privilege, columns))
      throw new DbError(
        'insufficient_privilege',
        `permission denied for ${RELATION_KIND_NAMES[relation.kind] ?? 'relation'} ${relation.name}`,
      );
  }

  /** Bits of an object's privileges that the current role may grant. */
  grantableBits(kind: AclObjectKind, owner: Oid, acl: import('../../types/datum.ts').Datum): number {
    return this.reader.roles.grantOptions(this.role, kind, owner, acl);
  }

  objectOwner(kind: keyof typeof OBJECT_ACLS, oid: Oid): Oid {
    const [catalog, owner] = OBJECT_ACLS[kind];
    return this.writer.row(catalog, oid)[owner] as number;
  }

  /** 42501 unless the current role may use the type (of the elements, for an array). */
  requireTypeUsage(typeOid: Oid): void {
    const type = this.reader.type(typeOid);
    const oid = type?.isTrueArray === true && type.elementOid !== 0 ? type.elementOid : typeOid;
    if (!this.reader.hasObjectPrivilege(this.role, 'type', oid, 'USAGE'))
      throw new DbError(
        'insufficient_privilege',
        `permission denied for type ${formatType(this.reader, oid, { path: this.path })}`,
      );
  }

  requireDatabasePrivilege(privilege: 'CREATE' | 'TEMPORARY'): void {
    if (!this.reader.hasObjectPrivilege(this.role, 'database', this.reader.databaseOid, privilege))
      throw new DbError(
        'insufficient_privilege',
        privilege === 'TEMPORARY'
          ? `permission denied to create temporary tables in database "${this.reader.databaseName}"`
          : `permission denied for database ${this.reader.databaseName}`,
      );
  }

  // ---------------------------------------------------------------------------------------------------------- roles

  /** Oid of a role spec; PUBLIC is 0 where allowed. */
  roleOid(spec: RoleSpec | undefined, allowPublic = false): Oid {
    const position = positionOf(spec?.location);
    switch (spec?.roletype) {
      case 'ROLESPEC_CURRENT_ROLE':
      case 'ROLESPEC_CURRENT_USER':
        return this.role;
      case 'ROLESPEC_SESSION_USER':
        return this.context.sessionRole();
      case 'ROLESPEC_PUBLIC':
        if (allowPublic) return 0;
        throw new DbError('undefined_object', 'role "public" does not exist').at(position);
      default:
        return this.roleByName(spec?.rolename ?? '').oid;
    }
  }

  roleByName(name: string): RoleDescriptor {
    const role = this.reader.roleByName(name);
    if (role === null) throw new DbError('undefined_object', `role "${name}" does not exist`);
    return role;
  }

  /** May the current role give things to `role`? */
  requireMember(role: Oid): void {
    if (!this.reader.roles.isMember(this.role, role))
      throw new DbError('insufficient_privilege', `must be member of role "${this.reader.role(role)?.name}"`);
  }

  // ----------------------------------------------------------------------------------------------------------- drop

  /** Removes objects and what goes with them; relations are locked first. */
  async drop(objects: readonly ObjectAddress[], cascade: boolean): Promise<void> {
    if (objects.length === 0) return;
    const plan = planDeletion(this.reader, objects, { cascade, path: this.path });
    for (const object of plan.objects)
      if (object.classId === CLASS_OID.relation) await this.lock(object.objectId, 'AccessExclusive');
    if (plan.notice !== null) this.context.notice(plan.notice);
    for (const object of plan.objects) removeObject(this.writer, object);
  }

  async dropRelation(oid: Oid, cascade: boolean): Promise<void> {
    await this.drop([address(CLASS_OID.relation, oid)], cascade);
  }

  /** ON COMMIT DROP: the table goes inside the commit of the transaction that made it. */
  dropAtCommit(oid: Oid): void {
    this.context.transaction.beforeCommit(() => {
      if (this.reader.relation(oid) !== null) dropSilently(this.writer, [address(CLASS_OID.relation, oid)]);
    });
  }

  /** Lets following commands and queries see the catalog and table changes so far. */
  advance(): void {
    this.context.transaction.advanceCommand();
  }
}

/** `schema.name` as written. */
export function rangeVarName(target: RangeVar): string {
  return target.schemaname === undefined ? (target.relname ?? '') : `${target.schemaname}.${target.relname}`;
}

/** A RangeVar of a list of name parts. */
export function rangeVarOf(parts: readonly string[]): RangeVar {
  const relname = parts.at(-1) ?? '';
  const schemaname = parts.length > 1 ? parts.at(-2) : undefined;
  const catalogname = parts.length > 2 ? parts.at(-3) : undefined;
  return { relname, schemaname, catalogname, inh: true, relpersistence: 'p', location: -1 };
}

/** The definition elements of an options list. */
export function defElems(nodes: readonly Node[] | undefined): DefElem[] {
  return (nodes ?? []).flatMap((node) => ('DefElem' in node ? [node.DefElem] : []));
}

/** Names in a node that is a String, a List of Strings, or a TypeName. */
export function namesOf(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if ('List' in node) return (node.List.items ?? []).map(stringOf);
  if ('String' in node) return [stringOf(node)];
  if ('TypeName' in node) return (node.TypeName.names ?? []).map(stringOf);
  return [];
}

/** Boolean of a definition element: absent argument means true. */
export function booleanOption(element: DefElem): boolean {
  const argument = element.arg;
  if (argument === undefined) return true;
  if ('Boolean' in argument) return argument.Boolean.boolval ?? false;
  if ('Integer' in argument) return (argument.Integer.ival ?? 0) !== 0;
  if ('String' in argument) {
    const text = (argument.String.sval ?? '').toLowerCase();
    if (text === 'true' || text === 'on') return true;
    if (text === 'false' || text === 'off') return false;
  }
  throw new DbError('syntax_error', `${element.defname} requires a Boolean value`).at(
    positionOf(element.location),
  );
}

/** Whole number of a definition element; large ones arrive as text. */
export function integerOption(element: DefElem): bigint {
  const argument = element.arg;
  if (argument !== undefined) {
    if ('Integer' in argument) return BigInt(argument.Integer.ival ?? 0);
    if ('Float' in argument) {
      const text = argument.Float.fval ?? '';
      if (/^-?[0-9]+$/.test(text)) {
        const value = BigInt(text);
        if (value < -(2n ** 63n) || value >= 2n ** 63n)
          throw new DbError('numeric_value_out_of_range', `value "${text}" is out of range for type bigint`);
        return value;
      }
    }
  }
  throw new DbError('syntax_error', `${element.defname} requires a numeric value`).at(
    positionOf(element.location),
  );
}

export function isPrivilegeSubset(bits: number, name: Parameters<typeof privilegeBit>[0]): boolean {
  return (bits & privilegeBit(name)) !== 0;
}
