/**
 * The CatalogReader: look-ups over a stack of layers, with descriptors built when first asked for.
 *
 * The committed reader is one object for the whole server. A transaction that changed catalogs reads through its own, whose
 * top layer is the overlay: objects it touched are described from the whole stack, all others come from the committed
 * reader, so that a transaction with one CREATE TABLE does not rebuild the world.
 */
import type { Oid } from '../base/brands.ts';
import type { ColumnGroup } from '../table/contract.ts';
import type { NameService, TypeSupport } from '../types/contract.ts';
import type { SqlArray } from '../types/datum.ts';
import { typeSupport as builtinSupport } from '../types/index.ts';
import { type AclObjectKind, aclItems, privilegeBit, privilegesOf } from './acl.ts';
import type {
  CastDescriptor,
  CatalogReader,
  ConstraintDescriptor,
  DatabaseDescriptor,
  FunctionDescriptor,
  OperatorDescriptor,
  Privilege,
  RelationDescriptor,
  RoleDescriptor,
  SearchPath,
  StoredSetting,
  TypeDescriptor,
} from './contract.ts';
import {
  PG_ATTRIBUTE,
  PG_CAST,
  PG_CLASS,
  PG_COLLATION,
  PG_CONSTRAINT,
  PG_DATABASE,
  PG_DEPEND,
  PG_ENUM,
  PG_INDEX,
  PG_INHERITS,
  PG_NAMESPACE,
  PG_OPCLASS,
  PG_REWRITE,
  PG_STATISTIC_EXT,
  PG_TRIGGER,
  PG_TYPE,
} from './data/columns.ts';
import type { CatalogName } from './data/index.ts';
import { CATALOGS_BY_OID, CLASS_OID, pairKey } from './definitions.ts';
import {
  defaultBtreeFamilies,
  describeFunction,
  describeOperator,
  describeRelation,
  describeRole,
  strings,
} from './describe.ts';
import { describeType } from './describe-type.ts';
import type { LayerView } from './layers.ts';
import { CatalogNames } from './names.ts';
import { PREDEFINED_ROLE, RoleGraph } from './roles.ts';
import type { CatalogServices } from './services.ts';
import type { CatalogRow } from './static-rows.ts';

export const PG_CATALOG_NAMESPACE = 11;
const BTREE = 403;
/** Oid of the hash access method. */
const HASH = 405;
const RECORD_ARRAY = 2287;

const ANY_TYPES = { enum: 3500, array: 2277, range: 3831, multirange: 4537, record: 2249 } as const;

/** Version numbers: one counter for committed and uncommitted states, so that no two states share one. */
export class VersionCounter {
  private value = 1;
  next(): number {
    return ++this.value;
  }
}

export class CatalogReaderImplementation implements CatalogReader {
  readonly view: LayerView;
  readonly services: CatalogServices;
  readonly databaseOid: Oid;
  /** The committed reader, for a transaction's reader. */
  private readonly base: CatalogReaderImplementation | null;
  private ownVersion: number;
  private readonly relations = new Map<Oid, RelationDescriptor>();
  private readonly types = new Map<Oid, TypeDescriptor>();
  private readonly functions = new Map<Oid, FunctionDescriptor>();
  private readonly operators = new Map<Oid, OperatorDescriptor>();
  private readonly ordering = new Map<Oid, { equal: Oid; less: Oid; greater: Oid }>();
  private families: ReadonlySet<Oid> | null = null;
  private graph: RoleGraph | null = null;
  /** Objects that differ from the base reader's (transaction readers only); everything when `allDirty`. */
  private readonly dirtyRelations = new Set<Oid>();
  private readonly dirtyTypes = new Set<Oid>();
  private readonly dirtyFunctions = new Set<Oid>();
  private allRelationsDirty = false;
  private operatorsDirty = false;
  private rolesDirty = false;

  constructor(
    view: LayerView,
    services: CatalogServices,
    databaseOid: Oid,
    version: number,
    base: CatalogReaderImplementation | null,
  ) {
    this.view = view;
    this.services = services;
    this.databaseOid = databaseOid;
    this.ownVersion = version;
    this.base = base;
  }

  get version(): number {
    return this.base === null ? this.ownVersion : Math.max(this.ownVersion, this.base.version);
  }

  get databaseName(): string {
    return (
      (this.view.get('pg_database', this.databaseOid)?.values[PG_DATABASE.datname] as string | undefined) ??
      ''
    );
  }

  /** A row of `catalog` was put, replaced or removed: forget what was built from it. */
  invalidate(catalog: CatalogName, row: CatalogRow): void {
    const relation = (value: unknown): void => {
      this.relations.delete(value as number);
      this.dirtyRelations.add(value as number);
    };
    const type = (value: unknown): void => {
      this.types.delete(value as number);
      this.dirtyTypes.add(value as number);
    };
    switch (catalog) {
      case 'pg_class': {
        relation(row[PG_CLASS.oid]);
        type(row[PG_CLASS.reltype]);
        const index = this.view.get('pg_index', row[PG_CLASS.oid] as number);
        if (index !== null) relation(index.values[PG_INDEX.indrelid]);
        break;
      }
      case 'pg_attribute': {
        relation(row[PG_ATTRIBUTE.attrelid]);
        const owner = this.view.get('pg_class', row[PG_ATTRIBUTE.attrelid] as number);
        if (owner !== null) type(owner.values[PG_CLASS.reltype]);
        break;
      }
      case 'pg_attrdef':
        relation(row[1]);
        break;
      case 'pg_constraint':
        if (row[PG_CONSTRAINT.contypid] !== 0) this.types.clear();
        relation(row[PG_CONSTRAINT.conrelid]);
        relation(row[PG_CONSTRAINT.confrelid]);
        type(row[PG_CONSTRAINT.contypid]);
        break;
      case 'pg_index':
        relation(row[PG_INDEX.indrelid]);
        relation(row[PG_INDEX.indexrelid]);
        break;
      case 'pg_inherits':
        relation(row[PG_INHERITS.inhrelid]);
        relation(row[PG_INHERITS.inhparent]);
        break;
      case 'pg_trigger':
        relation(row[PG_TRIGGER.tgrelid]);
        break;
      case 'pg_rewrite':
        relation(row[PG_REWRITE.ev_class]);
        break;
      case 'pg_depend':
        if (row[PG_DEPEND.refclassid] === CLASS_OID.relation && row[PG_DEPEND.refobjsubid] !== 0)
          relation(row[PG_DEPEND.refobjid]);
        break;
      case 'pg_namespace':
        this.relations.clear();
        this.allRelationsDirty = true;
        break;
      case 'pg_type':
        type(row[PG_TYPE.oid]);
        // Columns take a domain's default, and are stored as its base type.
        if (row[PG_TYPE.typtype] === 'd') {
          this.relations.clear();
          this.allRelationsDirty = true;
        }
        this.ordering.delete(row[PG_TYPE.oid] as number);
        break;
      case 'pg_enum':
        type(row[PG_ENUM.enumtypid]);
        break;
      case 'pg_proc':
      case 'pg_aggregate':
        this.functions.delete(row[0] as number);
        this.dirtyFunctions.add(row[0] as number);
        break;
      case 'pg_operator':
      case 'pg_amop':
      case 'pg_opclass':
      case 'pg_opfamily':
      case 'pg_cast':
        this.operators.clear();
        this.ordering.clear();
        this.families = null;
        this.operatorsDirty = true;
        break;
      case 'pg_authid':
      case 'pg_auth_members':
      case 'pg_database':
        this.graph = null;
        this.rolesDirty = true;
        break;
      default:
        break;
    }
  }

  /** Forgets everything (a savepoint was rolled back). */
  invalidateAll(): void {
    this.relations.clear();
    this.types.clear();
    this.functions.clear();
    this.operators.clear();
    this.ordering.clear();
    this.families = null;
    this.graph = null;
  }

  setVersion(version: number): void {
    this.ownVersion = version;
  }

  relation(oid: Oid): RelationDescriptor | null {
    if (this.base !== null && !this.allRelationsDirty && !this.dirtyRelations.has(oid))
      return this.base.relation(oid);
    let descriptor = this.relations.get(oid);
    if (descriptor === undefined) {
      const row = this.view.get('pg_class', oid);
      if (row === null) return null;
      descriptor = describeRelation(this, row.values);
      this.relations.set(oid, descriptor);
    }
    return descriptor;
  }

  relationOid(namespaceOid: Oid, name: string): Oid | null {
    const row = this.view.findOne('pg_class', 'name', pairKey(namespaceOid, name));
    return row === null ? null : (row.key as number);
  }

  relationByName(schema: string | null, name: string, path: SearchPath): RelationDescriptor | null {
    for (const namespace of this.namespacesFor(schema, path)) {
      const oid = this.relationOid(namespace, name);
      if (oid !== null) return this.relation(oid);
    }
    return null;
  }

  *relationNames(schema: string | null, path: SearchPath): Generator<string> {
    for (const namespace of this.namespacesFor(schema, path))
      for (const { values } of this.view.find('pg_class', 'namespace', namespace))
        if (values[PG_CLASS.relkind] !== 'i' && values[PG_CLASS.relkind] !== 'c')
          yield values[PG_CLASS.relname] as string;
  }

  /** Schemas to look in: the named one, or the path's. */
  namespacesFor(schema: string | null, path: SearchPath): readonly Oid[] {
    if (schema === null) return path.namespaces;
    if (schema === 'pg_temp') {
      const temporary = path.namespaces.find((oid) => this.namespaceName(oid)?.startsWith('pg_temp_'));
      return temporary === undefined ? [] : [temporary];
    }
    const namespace = this.namespaceByName(schema);
    return namespace === null ? [] : [namespace.oid];
  }

  namespaceByName(name: string): { oid: Oid; name: string; ownerOid: Oid } | null {
    const row = this.view.findOne('pg_namespace', 'name', name);
    return row === null
      ? null
      : { oid: row.key as number, name, ownerOid: row.values[PG_NAMESPACE.nspowner] as number };
  }

  namespaceName(oid: Oid): string | null {
    return (this.view.get('pg_namespace', oid)?.values[PG_NAMESPACE.nspname] as string | undefined) ?? null;
  }

  resolveSearchPath(names: readonly string[], roleName: string, temporaryNamespace: Oid): SearchPath {
    const role = this.roleByName(roleName);
    const namespaces: Oid[] = [];
    let creationNamespace = 0;
    let namesTemporary = false;
    for (const written of names) {
      let oid: Oid;
      if (written === 'pg_temp') {
        namesTemporary = true;
        if (temporaryNamespace === 0) continue;
        oid = temporaryNamespace;
      } else {
        const row = this.view.findOne('pg_namespace', 'name', written === '$user' ? roleName : written);
        if (row === null) continue;
        oid = row.key as number;
        if (role !== null && !this.hasObjectPrivilege(role.oid, 'schema', oid, 'USAGE')) continue;
      }
      if (creationNamespace === 0) creationNamespace = oid;
      if (!namespaces.includes(oid)) namespaces.push(oid);
    }
    if (!namespaces.includes(PG_CATALOG_NAMESPACE)) namespaces.unshift(PG_CATALOG_NAMESPACE);
    if (!namesTemporary && temporaryNamespace !== 0 && !namespaces.includes(temporaryNamespace))
      namespaces.unshift(temporaryNamespace);
    return { namespaces, creationNamespace };
  }

  type(oid: Oid): TypeDescriptor | null {
    // Rows may hold values of types that only this transaction knows.
    const isRow = oid === ANY_TYPES.record || oid === RECORD_ARRAY;
    if (this.base !== null && !isRow && !this.dirtyTypes.has(oid)) return this.base.type(oid);
    let descriptor = this.types.get(oid);
    if (descriptor === undefined) {
      const row = this.view.get('pg_type', oid);
      if (row === null) return null;
      descriptor = describeType(this, row.values);
      this.types.set(oid, descriptor);
    }
    return descriptor;
  }

  typeSupport(oid: Oid): TypeSupport {
    const type = this.type(oid);
    return type === null ? builtinSupport(25) : type.support;
  }

  typeByName(schema: string | null, name: string, path: SearchPath): TypeDescriptor | null {
    for (const namespace of this.namespacesFor(schema, path)) {
      const row = this.view.findOne('pg_type', 'name', pairKey(namespace, name));
      if (row !== null) return this.type(row.key as number);
    }
    return null;
  }

  *typeNames(schema: string | null, path: SearchPath): Generator<string> {
    for (const namespace of this.namespacesFor(schema, path))
      for (const { values } of this.view.find('pg_type', 'namespace', namespace))
        yield values[PG_TYPE.typname] as string;
  }

  function(oid: Oid): FunctionDescriptor | null {
    if (this.base !== null && !this.dirtyFunctions.has(oid)) return this.base.function(oid);
    let descriptor = this.functions.get(oid);
    if (descriptor === undefined) {
      const row = this.view.get('pg_proc', oid);
      if (row === null) return null;
      descriptor = describeFunction(this, row.values);
      this.functions.set(oid, descriptor);
    }
    return descriptor;
  }

  functionsByName(schema: string | null, name: string, path: SearchPath): readonly FunctionDescriptor[] {
    const rows = this.view.find('pg_proc', 'name', name);
    if (rows.length === 0) return [];
    const candidates = rows.map((row) => this.function(row.key as number)!);
    return this.byPath(candidates, schema, path, (candidate) => candidate.argumentTypes.join(','));
  }

  /** Keeps candidates of the wanted schemas, in path order; equal signatures of later schemas are hidden. */
  private byPath<T extends { namespaceOid: Oid }>(
    candidates: readonly T[],
    schema: string | null,
    path: SearchPath,
    signature: (candidate: T) => string,
  ): readonly T[] {
    const namespaces = this.namespacesFor(schema, path);
    if (namespaces.length === 1)
      return candidates.filter(({ namespaceOid }) => namespaceOid === namespaces[0]);
    if (candidates.every(({ namespaceOid }) => namespaceOid === candidates[0]!.namespaceOid))
      return namespaces.includes(candidates[0]!.namespaceOid) ? candidates : [];
    const seen = new Set<string>();
    const result: T[] = [];
    for (const namespace of namespaces)
      for (const candidate of candidates) {
        if (candidate.namespaceOid !== namespace) continue;
        const key = signature(candidate);
        if (seen.has(key)) continue;
        seen.add(key);
        result.push(candidate);
      }
    return result;
  }

  *functionNames(path: SearchPath): Generator<string> {
    const seen = new Set<string>();
    for (const name of this.view.lookupKeys('pg_proc', 'name')) {
      if (seen.has(name as string)) continue;
      seen.add(name as string);
      if (this.functionsByName(null, name as string, path).length > 0) yield name as string;
    }
  }

  operator(oid: Oid): OperatorDescriptor | null {
    if (this.base !== null && !this.operatorsDirty) return this.base.operator(oid);
    let descriptor = this.operators.get(oid);
    if (descriptor === undefined) {
      const row = this.view.get('pg_operator', oid);
      if (row === null) return null;
      descriptor = describeOperator(
        this.view,
        row.values,
        (this.families ??= defaultBtreeFamilies(this.view)),
      );
      this.operators.set(oid, descriptor);
    }
    return descriptor;
  }

  operatorsByName(schema: string | null, name: string, path: SearchPath): readonly OperatorDescriptor[] {
    const rows = this.view.find('pg_operator', 'name', name);
    if (rows.length === 0) return [];
    const candidates = rows.map((row) => this.operator(row.key as number)!);
    return this.byPath(
      candidates,
      schema,
      path,
      (candidate) => `${candidate.leftType},${candidate.rightType}`,
    );
  }

  cast(source: Oid, target: Oid): CastDescriptor | null {
    const row = this.view.findOne('pg_cast', 'pair', pairKey(source, target))?.values;
    return row === undefined
      ? null
      : {
          sourceType: source,
          targetType: target,
          functionOid: row[PG_CAST.castfunc] as number,
          context: row[PG_CAST.castcontext] as 'i' | 'a' | 'e',
          method: row[PG_CAST.castmethod] as 'f' | 'b' | 'i',
        };
  }

  /** The default operator class of an access method for a type (0 if none), found as PostgreSQL does. */
  defaultOperatorClass(typeOid: Oid, accessMethod: Oid): Oid {
    const exact = (type: Oid): Oid => {
      for (const { key, values } of this.view.find('pg_opclass', 'input', type))
        if (values[PG_OPCLASS.opcmethod] === accessMethod && values[PG_OPCLASS.opcdefault] === true)
          return key as number;
      return 0;
    };
    let type = this.type(typeOid);
    // A domain is served by its base type.
    for (let depth = 0; type !== null && type.kind === 'd' && depth < 100; depth++)
      type = this.type(type.baseTypeOid);
    if (type === null) return 0;
    const direct = exact(type.oid);
    if (direct !== 0) return direct;
    if (type.isTrueArray) return exact(ANY_TYPES.array);
    if (type.kind === 'e') return exact(ANY_TYPES.enum);
    if (type.kind === 'c') return exact(ANY_TYPES.record);
    if (type.kind === 'r') return exact(ANY_TYPES.range);
    if (type.kind === 'm') return exact(ANY_TYPES.multirange);
    // Binary-compatible types: varchar is served by text, regclass by oid. The preferred target wins.
    let found = 0;
    for (const { values } of this.view.find('pg_cast', 'source', type.oid)) {
      if (values[PG_CAST.castmethod] !== 'b' || values[PG_CAST.castcontext] !== 'i') continue;
      const target = values[PG_CAST.casttarget] as number;
      const candidate = exact(target);
      if (candidate !== 0 && (found === 0 || this.type(target)?.preferred === true)) found = candidate;
    }
    return found;
  }

  /** Operator of a btree strategy (1 <, … 3 =, … 5 >) in an operator class, for the class's own input type. */
  operatorOfClass(operatorClass: Oid, strategy: number): Oid {
    const row = this.view.get('pg_opclass', operatorClass)?.values;
    if (row === undefined) return 0;
    const input = row[PG_OPCLASS.opcintype];
    for (const { values } of this.view.find('pg_amop', 'family', row[PG_OPCLASS.opcfamily] as number))
      if (values[2] === input && values[3] === input && values[4] === strategy) return values[6] as number;
    return 0;
  }

  orderingOperators(typeOid: Oid): { equal: Oid; less: Oid; greater: Oid } {
    let operators = this.ordering.get(typeOid);
    if (operators === undefined) {
      const operatorClass = this.defaultOperatorClass(typeOid, BTREE);
      operators =
        operatorClass === 0
          ? { equal: this.hashEquality(typeOid), less: 0, greater: 0 }
          : {
              equal: this.operatorOfClass(operatorClass, 3),
              less: this.operatorOfClass(operatorClass, 1),
              greater: this.operatorOfClass(operatorClass, 5),
            };
      this.ordering.set(typeOid, operators);
    }
    return operators;
  }

  /** Equality of a type that can be hashed and not ordered (xid); 0 = none. */
  private hashEquality(typeOid: Oid): Oid {
    const operatorClass = this.defaultOperatorClass(typeOid, HASH);
    return operatorClass === 0 ? 0 : this.operatorOfClass(operatorClass, 1);
  }

  collationByName(schema: string | null, name: string, path: SearchPath): { oid: Oid; name: string } | null {
    const rows = this.view.find('pg_collation', 'name', name);
    for (const namespace of this.namespacesFor(schema, path))
      for (const { key, values } of rows)
        if (values[PG_COLLATION.collnamespace] === namespace) return { oid: key as number, name };
    return null;
  }

  collationName(oid: Oid): { schema: string; name: string } | null {
    const row = this.view.get('pg_collation', oid)?.values;
    return row === undefined
      ? null
      : {
          schema: this.namespaceName(row[PG_COLLATION.collnamespace] as number) ?? 'pg_catalog',
          name: row[PG_COLLATION.collname] as string,
        };
  }

  collationLocale(oid: Oid): string | null {
    if (oid === 0) return null;
    const row = this.view.get('pg_collation', oid)?.values;
    return row?.[PG_COLLATION.collprovider] === 'i' ? (row[PG_COLLATION.colliculocale] as string) : null;
  }

  role(oid: Oid): RoleDescriptor | null {
    const row = this.view.get('pg_authid', oid);
    return row === null ? null : describeRole(row.values);
  }

  roleByName(name: string): RoleDescriptor | null {
    const row = this.view.findOne('pg_authid', 'name', name);
    return row === null ? null : describeRole(row.values);
  }

  catalogRowCount(oid: Oid): number | null {
    const definition = CATALOGS_BY_OID.get(oid);
    return definition === undefined ? null : this.view.size(definition.name);
  }

  get roles(): RoleGraph {
    if (this.base !== null && !this.rolesDirty) return this.base.roles;
    return (this.graph ??= new RoleGraph(this.view, this.databaseOid));
  }

  hasPrivilegesOfRole(member: Oid, role: Oid): boolean {
    return this.roles.hasPrivilegesOf(member, role);
  }

  isMemberOfRole(member: Oid, role: Oid): boolean {
    return this.roles.isMember(member, role);
  }

  hasDatabasePrivilege(roleOid: Oid, privilege: 'CONNECT' | 'CREATE' | 'TEMPORARY'): boolean {
    return this.hasObjectPrivilege(roleOid, 'database', this.databaseOid, privilege);
  }

  databaseByName(name: string): DatabaseDescriptor | null {
    const row = this.view.findOne('pg_database', 'name', name);
    return row === null
      ? null
      : {
          oid: row.key as number,
          name,
          ownerOid: row.values[PG_DATABASE.datdba] as number,
          allowsConnections: row.values[PG_DATABASE.datallowconn] === true,
          connectionLimit: row.values[PG_DATABASE.datconnlimit] as number,
        };
  }

  constraintsByName(schema: string | null, name: string, path: SearchPath): readonly ConstraintDescriptor[] {
    for (const namespace of this.namespacesFor(schema, path)) {
      const found: ConstraintDescriptor[] = [];
      for (const { key } of this.view.find('pg_class', 'namespace', namespace)) {
        for (const constraint of this.relation(key as number)?.constraints ?? [])
          if (constraint.name === name) found.push(constraint);
      }
      if (found.length > 0) return found;
    }
    return [];
  }

  hasRelationPrivilege(
    roleOid: Oid,
    relation: RelationDescriptor,
    privilege: Privilege,
    columns: readonly number[] | null,
  ): boolean {
    const row = this.view.get('pg_class', relation.oid)?.values;
    if (row === undefined) return false;
    const kind: AclObjectKind = relation.kind === 'S' ? 'sequence' : 'relation';
    const bit = privilegeBit(privilege);
    const roles = this.roles;
    if ((roles.privileges(roleOid, kind, relation.ownerOid, row[PG_CLASS.relacl]!) & bit) !== 0) return true;
    if (privilege === 'SELECT' && roles.hasPrivilegesOf(roleOid, PREDEFINED_ROLE.readAllData)) return true;
    if (
      (privilege === 'INSERT' || privilege === 'UPDATE' || privilege === 'DELETE') &&
      roles.hasPrivilegesOf(roleOid, PREDEFINED_ROLE.writeAllData)
    )
      return true;
    if (columns === null) return false;
    const isGranted = (attnum: number): boolean => {
      const acl = this.view.get('pg_attribute', relation.oid * 4096 + attnum)?.values[PG_ATTRIBUTE.attacl];
      const items = acl === undefined ? null : aclItems(acl);
      return (
        items !== null && (privilegesOf(items, (role) => roles.hasPrivilegesOf(roleOid, role)) & bit) !== 0
      );
    };
    // No column named (count(*)): any column's privilege will do.
    if (columns.length === 0)
      return relation.columns.some((column) => !column.dropped && isGranted(column.number));
    const wanted = columns.includes(0)
      ? relation.columns.filter((column) => !column.dropped).map((column) => column.number)
      : columns;
    return wanted.every((attnum) => attnum > 0 && isGranted(attnum));
  }

  /** Privilege on an object whose catalog has an owner and an acl column. */
  hasObjectPrivilege(
    roleOid: Oid,
    kind: 'schema' | 'database' | 'function' | 'type' | 'language' | 'tablespace',
    oid: Oid,
    privilege: Privilege,
  ): boolean {
    const [catalog, owner, acl] = OBJECT_ACLS[kind];
    const row = this.view.get(catalog, oid)?.values;
    if (row === undefined) return false;
    const roles = this.roles;
    const held = roles.privileges(roleOid, kind, row[owner] as number, row[acl]!);
    if ((held & privilegeBit(privilege)) !== 0) return true;
    return (
      kind === 'schema' &&
      privilege === 'USAGE' &&
      (roles.hasPrivilegesOf(roleOid, PREDEFINED_ROLE.readAllData) ||
        roles.hasPrivilegesOf(roleOid, PREDEFINED_ROLE.writeAllData))
    );
  }

  columnGroups(relationOid: Oid): ColumnGroup[] {
    return this.view.find('pg_statistic_ext', 'relation', relationOid).flatMap(({ values }) => {
      const keys = values[PG_STATISTIC_EXT.stxkeys] as SqlArray;
      if (values[PG_STATISTIC_EXT.stxexprs] !== null || keys.elements.length < 2) return [];
      const kinds = (values[PG_STATISTIC_EXT.stxkind] as SqlArray).elements;
      return {
        oid: values[PG_STATISTIC_EXT.oid] as Oid,
        columns: keys.elements.map((number) => (number as number) - 1),
        wantsDistinct: kinds.includes('d'),
        wantsDependencies: kinds.includes('f'),
        wantsMostCommon: kinds.includes('m'),
      };
    });
  }

  storedSettings(role: Oid): StoredSetting[] {
    const found: StoredSetting[] = [];
    for (const [database, owner, source] of [
      [0, 0, 'global'],
      [this.databaseOid, 0, 'database'],
      [0, role, 'user'],
      [this.databaseOid, role, 'database user'],
    ] as const) {
      const row = this.view.get('pg_db_role_setting', `${database}.${owner}`);
      for (const item of row === null ? [] : (strings(row.values[2]!) ?? [])) {
        const at = item.indexOf('=');
        found.push({ source, name: item.slice(0, at), value: item.slice(at + 1) });
      }
    }
    return found;
  }

  hasFunctionPrivilege(roleOid: Oid, functionOid: Oid): boolean {
    return this.hasObjectPrivilege(roleOid, 'function', functionOid, 'EXECUTE');
  }

  names(path: SearchPath): NameService {
    return new CatalogNames(this, path);
  }
}

/** Catalog, owner column and acl column by kind of object. */
export const OBJECT_ACLS: Readonly<
  Record<
    'schema' | 'database' | 'function' | 'type' | 'language' | 'tablespace',
    readonly [CatalogName, number, number]
  >
> = {
  schema: ['pg_namespace', 2, 3],
  database: ['pg_database', 2, 15],
  function: ['pg_proc', 3, 29],
  type: ['pg_type', 3, 31],
  language: ['pg_language', 2, 8],
  tablespace: ['pg_tablespace', 2, 3],
};
