/** Publications, policies and extended statistics: kept in their catalogs, so that dumps carry them. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import {
  PG_CLASS,
  PG_POLICY,
  PG_PUBLICATION,
  PG_PUBLICATION_NAMESPACE,
  PG_PUBLICATION_REL,
  PG_STATISTIC_EXT,
} from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import { stringsOf } from '../../sql/parse/ast.ts';
import type {
  AlterPolicyStmt,
  AlterPublicationStmt,
  AlterStatsStmt,
  CreatePolicyStmt,
  CreatePublicationStmt,
  CreateStatsStmt,
  Node,
  PublicationObjSpec,
  RoleSpec,
} from '../../sql/parse/nodes.ts';
import type { Expr } from '../../sql/tree.ts';
import { serialiseExpr } from '../../sql/tree-json.ts';
import { SqlArray } from '../../types/datum.ts';
import { booleanOption, type Ddl, defElems, integerOption } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { vector } from './create-index.ts';
import { optionName, recordNew } from './define-objects.ts';
import { columnsOf, recordExpression } from './expression-dependencies.ts';
import { findNamed, requireNamedOwner, requireNameIsFree } from './named-objects.ts';
import { chooseRelationName, joinColumnNames } from './object-names.ts';
import { makeRow } from './relation.ts';

// ------------------------------------------------------------------------------------------------------- publications

function publicationActions(nodes: readonly Node[] | undefined): Record<number, boolean> {
  const changes: Record<number, boolean> = {};
  for (const element of defElems(nodes)) {
    if (element.defname === 'publish') {
      const actions = optionName(element)
        .split(',')
        .map((action) => action.trim().toLowerCase());
      const columns: Readonly<Record<string, number>> = {
        insert: PG_PUBLICATION.pubinsert,
        update: PG_PUBLICATION.pubupdate,
        delete: PG_PUBLICATION.pubdelete,
        truncate: PG_PUBLICATION.pubtruncate,
      };
      for (const column of Object.values(columns)) changes[column] = false;
      for (const action of actions) {
        if (action === '') continue;
        const column = columns[action];
        if (column === undefined)
          throw new DbError(
            'syntax_error',
            `unrecognized value for publication option "publish": "${action}"`,
          );
        changes[column] = true;
      }
    } else if (element.defname === 'publish_via_partition_root')
      changes[PG_PUBLICATION.pubviaroot] = booleanOption(element);
    else throw new DbError('syntax_error', `unrecognized publication parameter: "${element.defname}"`);
  }
  return changes;
}

function publicationObjects(nodes: readonly Node[] | undefined): PublicationObjSpec[] {
  return (nodes ?? []).flatMap((node) => ('PublicationObjSpec' in node ? [node.PublicationObjSpec] : []));
}

/** Schema named by an object specification: `TABLES IN SCHEMA s`, or the current one. */
function schemaOf(ddl: Ddl, spec: PublicationObjSpec): Oid | null {
  if (spec.pubobjtype === 'PUBLICATIONOBJ_TABLES_IN_SCHEMA') return ddl.namespace(spec.name!);
  if (spec.pubobjtype === 'PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA') return ddl.path.creationNamespace;
  return null;
}

async function addObject(ddl: Ddl, publication: Oid, name: string, spec: PublicationObjSpec): Promise<void> {
  const schema = schemaOf(ddl, spec);
  if (schema !== null) {
    if (!ddl.isSuperuser)
      throw new DbError('insufficient_privilege', 'must be superuser to add or set schemas');
    const known = ddl.reader.view
      .find('pg_publication_namespace', 'publication', publication)
      .some(({ values }) => values[PG_PUBLICATION_NAMESPACE.pnnspid] === schema);
    if (known)
      throw new DbError(
        'duplicate_object',
        `schema "${ddl.reader.namespaceName(schema)}" is already member of publication "${name}"`,
      );
    const oid = ddl.writer.allocateOid();
    ddl.writer.insert(
      'pg_publication_namespace',
      makeRow(PG_PUBLICATION_NAMESPACE, { oid, pnpubid: publication, pnnspid: schema }),
    );
    const self = address(CLASS_OID.publicationNamespace, oid);
    ddl.writer.dependOn(self, address(CLASS_OID.publication, publication), 'a');
    ddl.writer.dependOn(self, address(CLASS_OID.namespace, schema), 'a');
    return;
  }
  const table = spec.pubtable!;
  const relation = await ddl.relation(table.relation!, 'ShareUpdateExclusive');
  if (relation.kind !== 'r' && relation.kind !== 'p')
    throw new DbError('invalid_parameter_value', `cannot add relation "${relation.name}" to publication`, {
      detail: `This operation is not supported for ${relation.kind === 'v' ? 'views' : relation.kind === 'm' ? 'materialized views' : 'this kind of relation'}.`,
    });
  if (relation.oid < 16384)
    throw new DbError('invalid_parameter_value', `cannot add relation "${relation.name}" to publication`, {
      detail: 'This operation is not supported for system tables.',
    });
  if (relation.persistence !== 'p')
    throw new DbError('invalid_parameter_value', `cannot add relation "${relation.name}" to publication`, {
      detail: `This operation is not supported for ${relation.persistence === 't' ? 'temporary' : 'unlogged'} tables.`,
    });
  ddl.requireRelationOwner(relation);
  const known = ddl.reader.view
    .find('pg_publication_rel', 'publication', publication)
    .some(({ values }) => values[PG_PUBLICATION_REL.prrelid] === relation.oid);
  if (known)
    throw new DbError(
      'duplicate_object',
      `relation "${relation.name}" is already member of publication "${name}"`,
    );
  let condition: Expr | null = null;
  if (table.whereClause !== undefined)
    condition = ddl.context.sql.expression(table.whereClause, { kind: 'index predicate', relation });
  const columns = stringsOf(table.columns).map((column) => {
    const found = relation.columns.find((candidate) => candidate.name === column && !candidate.dropped);
    if (found === undefined)
      throw new DbError(
        'undefined_column',
        `column "${column}" of relation "${relation.name}" does not exist`,
      );
    return found.number;
  });
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_publication_rel',
    makeRow(PG_PUBLICATION_REL, {
      oid,
      prpubid: publication,
      prrelid: relation.oid,
      prqual: condition === null ? null : serialiseExpr(condition),
      prattrs:
        columns.length === 0
          ? null
          : vector(
              21,
              columns.sort((a, b) => a - b),
            ),
    }),
  );
  const self = address(CLASS_OID.publicationRelation, oid);
  ddl.writer.dependOn(self, address(CLASS_OID.publication, publication), 'a');
  ddl.writer.dependOn(self, address(CLASS_OID.relation, relation.oid), 'a');
  if (condition !== null) recordExpression(ddl.writer, self, [condition], relation.oid, 'n');
}

export async function createPublication(ddl: Ddl, statement: CreatePublicationStmt): Promise<UtilityResult> {
  const name = statement.pubname!;
  ddl.requireDatabasePrivilege('CREATE');
  const isForAll = statement.for_all_tables === true;
  if (isForAll && !ddl.isSuperuser)
    throw new DbError('insufficient_privilege', 'must be superuser to create FOR ALL TABLES publication');
  requireNameIsFree(ddl, 'OBJECT_PUBLICATION', name, null);
  const oid = ddl.writer.allocateOid();
  const row = makeRow(PG_PUBLICATION, {
    oid,
    pubname: name,
    pubowner: ddl.role,
    puballtables: isForAll,
    pubinsert: true,
    pubupdate: true,
    pubdelete: true,
    pubtruncate: true,
    pubviaroot: false,
  });
  for (const [column, value] of Object.entries(publicationActions(statement.options)))
    row[Number(column)] = value;
  ddl.writer.insert('pg_publication', row);
  recordNew(ddl, CLASS_OID.publication, oid, null);
  for (const spec of publicationObjects(statement.pubobjects)) await addObject(ddl, oid, name, spec);
  ddl.message(
    'WARNING',
    'object_not_in_prerequisite_state',
    'wal_level is insufficient to publish logical changes',
    {
      hint: 'Set wal_level to "logical" before creating subscriptions.',
    },
  );
  return { tag: 'CREATE PUBLICATION' };
}

export async function alterPublication(ddl: Ddl, statement: AlterPublicationStmt): Promise<UtilityResult> {
  const tag = { tag: 'ALTER PUBLICATION' };
  const name = statement.pubname!;
  const publication = findNamed(ddl, 'OBJECT_PUBLICATION', { String: { sval: name } })!;
  requireNamedOwner(ddl, publication);
  if (statement.options !== undefined) {
    ddl.writer.update('pg_publication', publication.oid, publicationActions(statement.options));
    return tag;
  }
  if (publication.row[PG_PUBLICATION.puballtables] === true)
    throw new DbError(
      'object_not_in_prerequisite_state',
      `publication "${name}" is defined as FOR ALL TABLES`,
      { detail: 'Tables cannot be added to or dropped from FOR ALL TABLES publications.' },
    );
  const members = () => [
    ...ddl.reader.view.find('pg_publication_rel', 'publication', publication.oid).map((row) => ({
      classId: CLASS_OID.publicationRelation,
      row,
      target: row.values[PG_PUBLICATION_REL.prrelid],
    })),
    ...ddl.reader.view.find('pg_publication_namespace', 'publication', publication.oid).map((row) => ({
      classId: CLASS_OID.publicationNamespace,
      row,
      target: row.values[PG_PUBLICATION_NAMESPACE.pnnspid],
    })),
  ];
  if (statement.action === 'AP_SetObjects')
    for (const { classId, row } of members()) await ddl.drop([address(classId, row.key as number)], false);
  for (const spec of publicationObjects(statement.pubobjects)) {
    if (statement.action !== 'AP_DropObjects') {
      await addObject(ddl, publication.oid, name, spec);
      continue;
    }
    const schema = schemaOf(ddl, spec);
    const relation =
      schema === null ? await ddl.relation(spec.pubtable!.relation!, 'ShareUpdateExclusive') : null;
    const target = schema ?? relation!.oid;
    const classId = schema === null ? CLASS_OID.publicationRelation : CLASS_OID.publicationNamespace;
    const member = members().find((item) => item.classId === classId && item.target === target);
    if (member === undefined)
      throw new DbError(
        'undefined_object',
        schema === null
          ? `relation "${relation!.name}" is not part of the publication`
          : `tables from schema "${ddl.reader.namespaceName(schema)}" are not part of the publication`,
      );
    await ddl.drop([address(classId, member.row.key as number)], false);
  }
  return tag;
}

// ----------------------------------------------------------------------------------------------------------- policies

const POLICY_COMMANDS: Readonly<Record<string, string>> = {
  all: '*',
  select: 'r',
  insert: 'a',
  update: 'w',
  delete: 'd',
};

function policyRoles(ddl: Ddl, nodes: readonly Node[] | undefined): SqlArray {
  const roles = (nodes ?? []).map((node) => ddl.roleOid((node as { RoleSpec: RoleSpec }).RoleSpec, true));
  return new SqlArray(26, roles.length === 0 || roles.includes(0) ? [0] : roles);
}

export async function createPolicy(ddl: Ddl, statement: CreatePolicyStmt): Promise<UtilityResult> {
  const command = POLICY_COMMANDS[statement.cmd_name ?? 'all'];
  if (command === undefined)
    throw new DbError('syntax_error', `unrecognized row security option "${statement.cmd_name}"`);
  const name = statement.policy_name!;
  if ((command === 'r' || command === 'd') && statement.with_check !== undefined)
    throw new DbError('syntax_error', 'WITH CHECK cannot be applied to SELECT or DELETE');
  if (command === 'a' && statement.qual !== undefined)
    throw new DbError('syntax_error', 'only WITH CHECK expression allowed for INSERT');
  const relation = await ddl.relation(statement.table!, 'AccessExclusive');
  ddl.requireRelationOwner(relation);
  if (relation.kind !== 'r' && relation.kind !== 'p')
    throw new DbError('wrong_object_type', `"${relation.name}" is not a table`);
  if (
    ddl.reader.view
      .find('pg_policy', 'relation', relation.oid)
      .some(({ values }) => values[PG_POLICY.polname] === name)
  )
    throw new DbError('duplicate_object', `policy "${name}" for table "${relation.name}" already exists`);
  const expression = (node: Node | undefined): Expr | null =>
    node === undefined ? null : ddl.context.sql.expression(node, { kind: 'check', relation });
  const using = expression(statement.qual);
  const check = expression(statement.with_check);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_policy',
    makeRow(PG_POLICY, {
      oid,
      polname: name,
      polrelid: relation.oid,
      polcmd: command,
      polpermissive: statement.permissive === true,
      polroles: policyRoles(ddl, statement.roles),
      polqual: using === null ? null : serialiseExpr(using),
      polwithcheck: check === null ? null : serialiseExpr(check),
    }),
  );
  const self = address(CLASS_OID.policy, oid);
  ddl.writer.dependOn(self, address(CLASS_OID.relation, relation.oid), 'a');
  recordExpression(
    ddl.writer,
    self,
    [using, check].filter((item) => item !== null),
    relation.oid,
    'n',
  );
  return { tag: 'CREATE POLICY' };
}

export async function alterPolicy(ddl: Ddl, statement: AlterPolicyStmt): Promise<UtilityResult> {
  const relation = await ddl.relation(statement.table!, 'AccessExclusive');
  ddl.requireRelationOwner(relation);
  const row = ddl.reader.view
    .find('pg_policy', 'relation', relation.oid)
    .find(({ values }) => values[PG_POLICY.polname] === statement.policy_name);
  if (row === undefined)
    throw new DbError(
      'undefined_object',
      `policy "${statement.policy_name}" for table "${relation.name}" does not exist`,
    );
  const changes: Record<number, string | SqlArray> = {};
  const exprs: Expr[] = [];
  for (const [node, column] of [
    [statement.qual, PG_POLICY.polqual],
    [statement.with_check, PG_POLICY.polwithcheck],
  ] as const) {
    if (node === undefined) continue;
    const expr = ddl.context.sql.expression(node, { kind: 'check', relation });
    exprs.push(expr);
    changes[column] = serialiseExpr(expr);
  }
  if (statement.roles !== undefined) changes[PG_POLICY.polroles] = policyRoles(ddl, statement.roles);
  ddl.writer.update('pg_policy', row.key, changes);
  recordExpression(ddl.writer, address(CLASS_OID.policy, row.key as number), exprs, relation.oid, 'n');
  return { tag: 'ALTER POLICY' };
}

// --------------------------------------------------------------------------------------------------------- statistics

const STATISTICS_KINDS: Readonly<Record<string, string>> = { ndistinct: 'd', dependencies: 'f', mcv: 'm' };

export async function createStatistics(ddl: Ddl, statement: CreateStatsStmt): Promise<UtilityResult> {
  const tag = { tag: 'CREATE STATISTICS' };
  const [from] = statement.relations ?? [];
  if ((statement.relations?.length ?? 0) !== 1 || from === undefined || !('RangeVar' in from))
    throw new DbError('feature_not_supported', 'only a single relation is allowed in CREATE STATISTICS');
  const relation = await ddl.relation(from.RangeVar, 'ShareUpdateExclusive');
  if (relation.kind !== 'r' && relation.kind !== 'm' && relation.kind !== 'p' && relation.kind !== 'f')
    throw new DbError('wrong_object_type', `cannot define statistics for relation "${relation.name}"`, {
      detail: `This operation is not supported for ${relation.kind === 'v' ? 'views' : relation.kind === 'i' ? 'indexes' : relation.kind === 'S' ? 'sequences' : 'composite types'}.`,
    });
  ddl.requireRelationOwner(relation);
  const columns: number[] = [];
  const expressions: Expr[] = [];
  const elementNames: string[] = [];
  for (const node of statement.exprs ?? []) {
    if (!('StatsElem' in node)) continue;
    const { name, expr } = node.StatsElem;
    if (name !== undefined) {
      const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
      if (column === undefined) {
        if (['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'].includes(name))
          throw new DbError(
            'feature_not_supported',
            'statistics creation on system columns is not supported',
          );
        throw new DbError('undefined_column', `column "${name}" does not exist`);
      }
      if (columns.includes(column.number))
        throw new DbError('duplicate_column', 'duplicate column name in statistics definition');
      columns.push(column.number);
      elementNames.push(name);
      continue;
    }
    const analysed = ddl.context.sql.expression(expr!, { kind: 'index', relation });
    if (analysed.kind === 'var' && analysed.attribute > 0) columns.push(analysed.attribute);
    else expressions.push(analysed);
    elementNames.push('expr');
  }
  if (columns.length + expressions.length > 8)
    throw new DbError('too_many_columns', 'cannot have more than 8 columns in statistics');
  const asked = stringsOf(statement.stat_types);
  for (const kind of asked)
    if (STATISTICS_KINDS[kind] === undefined)
      throw new DbError('syntax_error', `unrecognized statistics kind "${kind}"`);
  const isSingleExpression = columns.length === 0 && expressions.length === 1;
  if (isSingleExpression && asked.length > 0)
    throw new DbError(
      'syntax_error',
      'when building statistics on a single expression, statistics kinds may not be specified',
    );
  if (columns.length + expressions.length < 2 && !isSingleExpression)
    throw new DbError('invalid_object_definition', 'extended statistics require at least 2 columns');
  const kinds = isSingleExpression
    ? []
    : asked.length === 0
      ? ['d', 'f', 'm']
      : ['ndistinct', 'dependencies', 'mcv']
          .filter((kind) => asked.includes(kind))
          .map((kind) => STATISTICS_KINDS[kind]!);
  if (expressions.length > 0) kinds.push('e');
  const names = stringsOf(statement.defnames);
  let namespace: Oid;
  let name: string;
  if (names.length > 0) {
    namespace = ddl.creationNamespace(names.length > 1 ? names.at(-2) : undefined);
    name = names.at(-1)!;
  } else {
    namespace = relation.namespaceOid;
    const taken = new Set(
      [...ddl.reader.view.all('pg_statistic_ext')]
        .filter(({ values }) => values[PG_STATISTIC_EXT.stxnamespace] === namespace)
        .map(({ values }) => values[PG_STATISTIC_EXT.stxname] as string),
    );
    name = chooseRelationName(ddl.reader, relation.name, joinColumnNames(elementNames), 'stat', {
      namespace,
      isConstraint: false,
      taken,
    });
  }
  const isTaken = [...ddl.reader.view.all('pg_statistic_ext')].some(
    ({ values }) =>
      values[PG_STATISTIC_EXT.stxnamespace] === namespace && values[PG_STATISTIC_EXT.stxname] === name,
  );
  if (isTaken) {
    const message = `statistics object "${name}" already exists`;
    if (statement.if_not_exists !== true) throw new DbError('duplicate_object', message);
    ddl.message('NOTICE', 'duplicate_object', `${message}, skipping`);
    return tag;
  }
  columns.sort((a, b) => a - b);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_statistic_ext',
    makeRow(PG_STATISTIC_EXT, {
      oid,
      stxrelid: relation.oid,
      stxname: name,
      stxnamespace: namespace,
      stxowner: ddl.role,
      stxstattarget: -1,
      stxkeys: vector(21, columns),
      stxkind: new SqlArray(18, kinds),
      stxexprs:
        expressions.length === 0 ? null : JSON.stringify(expressions.map((expr) => serialiseExpr(expr))),
    }),
  );
  recordNew(ddl, CLASS_OID.statistics, oid, namespace);
  const self = address(CLASS_OID.statistics, oid);
  for (const column of columns)
    ddl.writer.dependOn(self, address(CLASS_OID.relation, relation.oid, column), 'a');
  if (columns.length === 0 && expressions.every((expr) => columnsOf(expr).length === 0))
    ddl.writer.dependOn(self, address(CLASS_OID.relation, relation.oid), 'a');
  recordExpression(ddl.writer, self, expressions, relation.oid, 'a');
  if (statement.stxcomment !== undefined) ddl.writer.setComment(self, statement.stxcomment);
  return tag;
}

export async function alterStatistics(ddl: Ddl, statement: AlterStatsStmt): Promise<UtilityResult> {
  const tag = { tag: 'ALTER STATISTICS' };
  const target =
    statement.stxstattarget !== undefined
      ? Number(integerOption({ defname: 'statistics', arg: statement.stxstattarget }))
      : -1;
  const object = findNamed(
    ddl,
    'OBJECT_STATISTIC_EXT',
    { List: { items: statement.defnames } },
    statement.missing_ok === true,
  );
  if (object === null) return tag;
  requireNamedOwner(ddl, object);
  if (target < -1) throw new DbError('invalid_parameter_value', `statistics target ${target} is too low`);
  if (target > 10000)
    ddl.message('WARNING', 'invalid_parameter_value', 'lowering statistics target to 10000');
  ddl.writer.update('pg_statistic_ext', object.oid, {
    [PG_STATISTIC_EXT.stxstattarget]: Math.min(target, 10000),
  });
  return tag;
}

/** ENABLE, DISABLE, FORCE ROW LEVEL SECURITY: flags that dumps carry; executor/permissions.ts refuses whom they concern. */
export function setRowSecurity(
  ddl: Ddl,
  relationOid: Oid,
  action: 'AT_EnableRowSecurity' | 'AT_DisableRowSecurity' | 'AT_ForceRowSecurity' | 'AT_NoForceRowSecurity',
): void {
  const isForce = action === 'AT_ForceRowSecurity' || action === 'AT_NoForceRowSecurity';
  ddl.writer.update('pg_class', relationOid, {
    [isForce ? PG_CLASS.relforcerowsecurity : PG_CLASS.relrowsecurity]:
      action === 'AT_EnableRowSecurity' || action === 'AT_ForceRowSecurity',
  });
}
