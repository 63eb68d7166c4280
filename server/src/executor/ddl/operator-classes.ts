/** CREATE OPERATOR CLASS and FAMILY, ALTER OPERATOR FAMILY: which operators and functions an index kind uses for a type. */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { PG_AMOP, PG_AMPROC, PG_OPCLASS, PG_OPFAMILY } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address, FIRST_USER_OID } from '../../catalog/mutations.ts';
import { stringsOf } from '../../sql/parse/ast.ts';
import type {
  AlterOpFamilyStmt,
  CreateOpClassItem,
  CreateOpClassStmt,
  CreateOpFamilyStmt,
  Node,
} from '../../sql/parse/nodes.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { recordNew } from './define-objects.ts';
import { findFunction } from './drop.ts';
import {
  accessMethodOid,
  findNamed,
  operatorByOperands,
  operatorOperands,
  operatorSignature,
} from './named-objects.ts';
import { makeRow } from './relation.ts';

const BTREE = 403;
const HASH = 405;
const BOOL = 16;
const INT4 = 23;
const INT8 = 20;
const INTERNAL = 2281;
const VOID = 2278;

interface MethodFacts {
  /** Largest strategy number; methods with free numbering take any. */
  readonly strategies: number;
  readonly supports: number;
  /** Number of the function that parses options of the class. */
  readonly optionsFunction: number;
  readonly canOrderByOperator: boolean;
  readonly hasStorage: boolean;
}

const STRATEGIES_MAX = 32767;
const METHODS: ReadonlyMap<Oid, MethodFacts> = new Map(
  (
    [
      [BTREE, 5, 5, 5, false, false],
      [HASH, 1, 3, 3, false, false],
      [783, STRATEGIES_MAX, 11, 10, true, true],
      [2742, STRATEGIES_MAX, 7, 7, false, true],
      [4000, STRATEGIES_MAX, 7, 7, true, true],
      [3580, STRATEGIES_MAX, 15, 5, false, true],
    ] as const
  ).map(([oid, strategies, supports, optionsFunction, canOrderByOperator, hasStorage]) => [
    oid,
    { strategies, supports, optionsFunction, canOrderByOperator, hasStorage },
  ]),
);

/** One operator or function of a class or family. */
interface Member {
  kind: 'operator' | 'function';
  number: number;
  /** Oid of the operator or function. */
  object: Oid;
  left: Oid;
  right: Oid;
  sortFamily: Oid;
}

function method(ddl: Ddl, name: string): { oid: Oid; facts: MethodFacts } {
  const oid = accessMethodOid(ddl, name);
  if (oid === null) throw new DbError('undefined_object', `access method "${name}" does not exist`);
  const facts = METHODS.get(oid);
  if (facts === undefined) throw notSupported(`an operator class of access method "${name}"`);
  return { oid, facts };
}

function place(ddl: Ddl, nodes: readonly Node[] | undefined): { namespace: Oid; name: string } {
  const names = stringsOf(nodes);
  return {
    namespace: ddl.creationNamespace(names.length > 1 ? names.at(-2) : undefined),
    name: names.at(-1)!,
  };
}

function typeText(ddl: Ddl, oid: Oid): string {
  return formatType(ddl.reader, oid, { path: ddl.path });
}

function findInSchema(
  ddl: Ddl,
  catalog: 'pg_opclass' | 'pg_opfamily',
  method: Oid,
  namespace: Oid,
  name: string,
): Oid | null {
  for (const { key, values } of ddl.reader.view.all(catalog))
    if (values[1] === method && values[2] === name && values[3] === namespace) return key as number;
  return null;
}

function requireSuperuser(ddl: Ddl, action: string): void {
  if (!ddl.isSuperuser) throw new DbError('insufficient_privilege', `must be superuser to ${action}`);
}

// ------------------------------------------------------------------------------------------------------------ families

export function createOperatorFamily(ddl: Ddl, statement: CreateOpFamilyStmt): UtilityResult {
  const { namespace, name } = place(ddl, statement.opfamilyname);
  const { oid: methodOid } = method(ddl, statement.amname!);
  requireSuperuser(ddl, 'create an operator family');
  insertFamily(ddl, statement.amname!, methodOid, namespace, name);
  return { tag: 'CREATE OPERATOR FAMILY' };
}

function insertFamily(ddl: Ddl, methodName: string, methodOid: Oid, namespace: Oid, name: string): Oid {
  if (findInSchema(ddl, 'pg_opfamily', methodOid, namespace, name) !== null)
    throw new DbError(
      'duplicate_object',
      `operator family "${name}" for access method "${methodName}" already exists`,
    );
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_opfamily',
    makeRow(PG_OPFAMILY, {
      oid,
      opfmethod: methodOid,
      opfname: name,
      opfnamespace: namespace,
      opfowner: ddl.role,
    }),
  );
  recordNew(ddl, CLASS_OID.operatorFamily, oid, namespace);
  return oid;
}

function familyNode(methodName: string, nodes: readonly Node[] | undefined): Node {
  return { List: { items: [{ String: { sval: methodName } }, ...(nodes ?? [])] } };
}

export function alterOperatorFamily(ddl: Ddl, statement: AlterOpFamilyStmt): UtilityResult {
  const tag = { tag: 'ALTER OPERATOR FAMILY' };
  const { oid: methodOid, facts } = method(ddl, statement.amname!);
  const family = findNamed(ddl, 'OBJECT_OPFAMILY', familyNode(statement.amname!, statement.opfamilyname))!;
  requireSuperuser(ddl, 'alter an operator family');
  const items = itemsOf(statement.items);
  if (statement.isDrop === true) dropMembers(ddl, facts, family.oid, family.shown, items);
  else {
    const members: Member[] = [];
    for (const item of items) addItem(ddl, { methodOid, facts, type: 0 }, item, members);
    storeMembers(ddl, members, { methodOid, family: family.oid, familyName: family.shown, operatorClass: 0 });
  }
  return tag;
}

function itemsOf(nodes: readonly Node[] | undefined): CreateOpClassItem[] {
  return (nodes ?? []).flatMap((node) => ('CreateOpClassItem' in node ? [node.CreateOpClassItem] : []));
}

function checkNumber(kind: Member['kind'], number: number, last: number): void {
  if (number <= 0 || number > last)
    throw new DbError(
      'invalid_object_definition',
      `invalid ${kind} number ${number}, must be between 1 and ${last}`,
    );
}

function typesOf(ddl: Ddl, nodes: readonly Node[] | undefined): [left: Oid, right: Oid] {
  const types = (nodes ?? []).flatMap((node) =>
    'TypeName' in node ? [ddl.context.sql.resolveTypeName(node.TypeName).typeOid] : [],
  );
  if (types.length < 1 || types.length > 2)
    throw new DbError('syntax_error', 'one or two argument types must be specified');
  return [types[0]!, types[1] ?? types[0]!];
}

function dropMembers(
  ddl: Ddl,
  facts: MethodFacts,
  family: Oid,
  familyName: string,
  items: readonly CreateOpClassItem[],
): void {
  for (const item of items) {
    const isOperator = item.itemtype === 1;
    const number = item.number ?? 0;
    const [left, right] = typesOf(ddl, item.class_args);
    checkNumber(isOperator ? 'operator' : 'function', number, isOperator ? facts.strategies : facts.supports);
    const catalog = isOperator ? 'pg_amop' : 'pg_amproc';
    const row = ddl.reader.view
      .find(catalog, 'family', family)
      .find(({ values }) => values[2] === left && values[3] === right && values[4] === number);
    if (row === undefined)
      throw new DbError(
        'undefined_object',
        `${isOperator ? 'operator' : 'function'} ${number}(${typeText(ddl, left)},${typeText(ddl, right)}) does not exist in operator family "${familyName}"`,
      );
    const object = address(
      isOperator ? CLASS_OID.accessMethodOperator : CLASS_OID.accessMethodProcedure,
      row.key as number,
    );
    ddl.writer.remove(catalog, row.key);
    ddl.writer.removeDependenciesOf(object);
  }
}

// ------------------------------------------------------------------------------------------------------------- members

interface Surroundings {
  methodOid: Oid;
  facts: MethodFacts;
  /** Type of the class; 0 in ALTER OPERATOR FAMILY. */
  type: Oid;
}

function addItem(ddl: Ddl, around: Surroundings, item: CreateOpClassItem, members: Member[]): void {
  const number = item.number ?? 0;
  if (item.itemtype === 1) {
    checkNumber('operator', number, around.facts.strategies);
    addMember(ddl, members, operatorMember(ddl, around, item, number));
  } else if (item.itemtype === 2) {
    checkNumber('function', number, around.facts.supports);
    addMember(ddl, members, functionMember(ddl, around, item, number));
  } else throw new DbError('syntax_error', 'STORAGE cannot be specified in ALTER OPERATOR FAMILY');
}

function addMember(ddl: Ddl, members: Member[], member: Member): void {
  const isTwice = members.some(
    (other) =>
      other.kind === member.kind &&
      other.number === member.number &&
      other.left === member.left &&
      other.right === member.right,
  );
  if (isTwice)
    throw new DbError(
      'invalid_object_definition',
      `${member.kind} number ${member.number} for (${typeText(ddl, member.left)},${typeText(ddl, member.right)}) appears more than once`,
    );
  members.push(member);
}

function operatorMember(ddl: Ddl, around: Surroundings, item: CreateOpClassItem, number: number): Member {
  const names = stringsOf(item.name?.objname);
  const args = item.name?.objargs ?? [];
  let [left, right] = [around.type, around.type];
  if (args.length > 0) [left, right] = operatorOperands(ddl, args);
  else if (around.type === 0)
    throw new DbError('syntax_error', 'operator argument types must be specified in ALTER OPERATOR FAMILY');
  const oid = operatorByOperands(ddl, names, left, right);
  if (oid === null)
    throw new DbError(
      'undefined_function',
      `operator does not exist: ${operatorSignature(ddl, names, left, right)}`,
    );
  const operator = ddl.reader.operator(oid)!;
  let sortFamily = 0;
  if (item.order_family !== undefined && item.order_family.length > 0)
    sortFamily = findNamed(ddl, 'OBJECT_OPFAMILY', familyNode('btree', item.order_family))!.oid;
  if (operator.leftType === 0)
    throw new DbError('invalid_object_definition', 'index operators must be binary');
  if (sortFamily !== 0) {
    if (!around.facts.canOrderByOperator) {
      const name = ddl.reader.view.get('pg_am', around.methodOid)?.values[1] as string;
      throw new DbError(
        'invalid_object_definition',
        `access method "${name}" does not support ordering operators`,
      );
    }
  } else if (operator.resultType !== BOOL)
    throw new DbError('invalid_object_definition', 'index search operators must return boolean');
  return {
    kind: 'operator',
    number,
    object: oid,
    left: operator.leftType,
    right: operator.rightType,
    sortFamily,
  };
}

function functionMember(ddl: Ddl, around: Surroundings, item: CreateOpClassItem, number: number): Member {
  const oid = findFunction(ddl, { ObjectWithArgs: item.name! }, 'OBJECT_FUNCTION', false)!;
  const member: Member = { kind: 'function', number, object: oid, left: 0, right: 0, sortFamily: 0 };
  if (item.class_args !== undefined && item.class_args.length > 0)
    [member.left, member.right] = typesOf(ddl, item.class_args);
  assignTypes(ddl, around, member);
  return member;
}

/** Checks the shape of a support function and finds the types it is for, as far as they are not given. */
function assignTypes(ddl: Ddl, around: Surroundings, member: Member): void {
  const { argumentTypes, returnType } = ddl.reader.function(member.object)!;
  const wrong = (message: string, hint?: string): DbError =>
    new DbError('invalid_object_definition', message, hint === undefined ? {} : { hint });
  const must = (holds: boolean, message: string): void => {
    if (!holds) throw wrong(message);
  };
  if (member.number === around.facts.optionsFunction) {
    if (around.type !== 0) {
      must(
        (member.left === 0 || member.left === around.type) &&
          (member.right === 0 || member.right === around.type),
        'associated data types for operator class options parsing functions must match opclass input type',
      );
    } else
      must(
        member.left === member.right,
        'left and right associated data types for operator class options parsing functions must match',
      );
    if (returnType !== VOID || argumentTypes.length !== 1 || argumentTypes[0] !== INTERNAL)
      throw wrong(
        'invalid operator class options parsing function',
        'Valid signature of operator class options parsing function is (internal) RETURNS void.',
      );
  } else if (around.methodOid === BTREE)
    switch (member.number) {
      case 1:
        must(argumentTypes.length === 2, 'btree comparison functions must have two arguments');
        must(returnType === INT4, 'btree comparison functions must return integer');
        member.left ||= argumentTypes[0]!;
        member.right ||= argumentTypes[1]!;
        break;
      case 2:
        must(
          argumentTypes.length === 1 && argumentTypes[0] === INTERNAL,
          'btree sort support functions must accept type "internal"',
        );
        must(returnType === VOID, 'btree sort support functions must return void');
        break;
      case 3:
        must(argumentTypes.length === 5, 'btree in_range functions must have five arguments');
        must(returnType === BOOL, 'btree in_range functions must return boolean');
        member.left ||= argumentTypes[0]!;
        member.right ||= argumentTypes[2]!;
        break;
      default:
        must(argumentTypes.length === 1, 'btree equal image functions must have one argument');
        must(returnType === BOOL, 'btree equal image functions must return boolean');
        must(member.left === member.right, 'btree equal image functions must not be cross-type');
    }
  else if (around.methodOid === HASH) {
    const isPlain = member.number === 1;
    must(
      argumentTypes.length === (isPlain ? 1 : 2),
      isPlain ? 'hash function 1 must have one argument' : 'hash function 2 must have two arguments',
    );
    must(
      returnType === (isPlain ? INT4 : INT8),
      isPlain ? 'hash function 1 must return integer' : 'hash function 2 must return bigint',
    );
    member.left ||= argumentTypes[0]!;
    member.right ||= argumentTypes[0]!;
  }
  member.left ||= around.type;
  member.right ||= around.type;
  if (member.left === 0 || member.right === 0)
    throw wrong('associated data types must be specified for index support function');
}

function storeMembers(
  ddl: Ddl,
  members: readonly Member[],
  target: { methodOid: Oid; family: Oid; familyName: string; operatorClass: Oid },
): void {
  const { writer } = ddl;
  // Operators come first, whatever the order of the statement.
  const sorted = [
    ...members.filter(({ kind }) => kind === 'operator'),
    ...members.filter(({ kind }) => kind === 'function'),
  ];
  for (const member of sorted) {
    const isOperator = member.kind === 'operator';
    const catalog = isOperator ? 'pg_amop' : 'pg_amproc';
    const exists = ddl.reader.view
      .find(catalog, 'family', target.family)
      .some(
        ({ values }) =>
          values[2] === member.left && values[3] === member.right && values[4] === member.number,
      );
    if (exists)
      throw new DbError(
        'duplicate_object',
        `${member.kind} ${member.number}(${typeText(ddl, member.left)},${typeText(ddl, member.right)}) already exists in operator family "${target.familyName}"`,
      );
    const oid = writer.allocateOid();
    if (isOperator)
      writer.insert(
        'pg_amop',
        makeRow(PG_AMOP, {
          oid,
          amopfamily: target.family,
          amoplefttype: member.left,
          amoprighttype: member.right,
          amopstrategy: member.number,
          amoppurpose: member.sortFamily === 0 ? 's' : 'o',
          amopopr: member.object,
          amopmethod: target.methodOid,
          amopsortfamily: member.sortFamily,
        }),
      );
    else
      writer.insert(
        'pg_amproc',
        makeRow(PG_AMPROC, {
          oid,
          amprocfamily: target.family,
          amproclefttype: member.left,
          amprocrighttype: member.right,
          amprocnum: member.number,
          amproc: member.object,
        }),
      );
    const self = address(isOperator ? CLASS_OID.accessMethodOperator : CLASS_OID.accessMethodProcedure, oid);
    const needed = address(isOperator ? CLASS_OID.operator : CLASS_OID.procedure, member.object);
    // What a class was made with belongs to it; what was added to a family (or joins types) can go alone.
    const isHard = target.operatorClass !== 0 && member.left === member.right;
    writer.dependOn(self, needed, isHard ? 'n' : 'a');
    writer.dependOn(
      self,
      isHard
        ? address(CLASS_OID.operatorClass, target.operatorClass)
        : address(CLASS_OID.operatorFamily, target.family),
      isHard ? 'i' : 'a',
    );
    if (member.sortFamily !== 0)
      writer.dependOn(self, address(CLASS_OID.operatorFamily, member.sortFamily), isHard ? 'n' : 'a');
  }
}

// ------------------------------------------------------------------------------------------------------------- classes

export function createOperatorClass(ddl: Ddl, statement: CreateOpClassStmt): UtilityResult {
  const { namespace, name } = place(ddl, statement.opclassname);
  const methodName = statement.amname!;
  const { oid: methodOid, facts } = method(ddl, methodName);
  requireSuperuser(ddl, 'create an operator class');
  const type = ddl.context.sql.resolveTypeName(statement.datatype!).typeOid;
  ddl.requireTypeUsage(type);
  let family: Oid;
  if (statement.opfamilyname !== undefined && statement.opfamilyname.length > 0)
    family = findNamed(ddl, 'OBJECT_OPFAMILY', familyNode(methodName, statement.opfamilyname))!.oid;
  else
    family =
      findInSchema(ddl, 'pg_opfamily', methodOid, namespace, name) ??
      insertFamily(ddl, methodName, methodOid, namespace, name);
  const members: Member[] = [];
  let storage = 0;
  for (const item of itemsOf(statement.items)) {
    if (item.itemtype !== 3) {
      addItem(ddl, { methodOid, facts, type }, item, members);
      continue;
    }
    if (storage !== 0)
      throw new DbError('invalid_object_definition', 'storage type specified more than once');
    storage = ddl.context.sql.resolveTypeName(item.storedtype!).typeOid;
  }
  if (storage === type) storage = 0;
  if (storage !== 0 && !facts.hasStorage)
    throw new DbError(
      'invalid_object_definition',
      `storage type cannot be different from data type for access method "${methodName}"`,
    );
  if (findInSchema(ddl, 'pg_opclass', methodOid, namespace, name) !== null)
    throw new DbError(
      'duplicate_object',
      `operator class "${name}" for access method "${methodName}" already exists`,
    );
  if (statement.isDefault === true)
    for (const { values } of ddl.reader.view.find('pg_opclass', 'input', type))
      if (values[PG_OPCLASS.opcmethod] === methodOid && values[PG_OPCLASS.opcdefault] === true)
        throw new DbError(
          'duplicate_object',
          `could not make operator class "${name}" be default for type ${typeText(ddl, type)}`,
          { detail: `Operator class "${values[PG_OPCLASS.opcname] as string}" already is the default.` },
        );
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_opclass',
    makeRow(PG_OPCLASS, {
      oid,
      opcmethod: methodOid,
      opcname: name,
      opcnamespace: namespace,
      opcowner: ddl.role,
      opcfamily: family,
      opcintype: type,
      opcdefault: statement.isDefault === true,
      opckeytype: storage,
    }),
  );
  const familyName = ddl.writer.row('pg_opfamily', family)[PG_OPFAMILY.opfname] as string;
  storeMembers(ddl, members, { methodOid, family, familyName, operatorClass: oid });
  const self = address(CLASS_OID.operatorClass, oid);
  recordNew(ddl, CLASS_OID.operatorClass, oid, namespace);
  ddl.writer.dependOn(self, address(CLASS_OID.operatorFamily, family), 'a');
  ddl.writer.dependOn(self, address(CLASS_OID.type, type), 'n');
  if (storage !== 0) ddl.writer.dependOn(self, address(CLASS_OID.type, storage), 'n');
  return { tag: 'CREATE OPERATOR CLASS' };
}

/**
 * Stored indexes order rows by their type's own comparison. A class of the user's serves if it compares by a function that a
 * class of the server (or of an extension) uses for that type; any other order is not available.
 */
export function requireUsableClass(ddl: Ddl, operatorClass: Oid, methodOid: Oid): void {
  if (operatorClass < FIRST_USER_OID || (methodOid !== BTREE && methodOid !== HASH)) return;
  const row = ddl.writer.row('pg_opclass', operatorClass);
  const isExtension = ddl.reader.view
    .find('pg_depend', 'dependent', `${CLASS_OID.operatorClass}.${operatorClass}`)
    .some(({ values }) => values[6] === 'e');
  if (isExtension) return;
  const compareOf = (values: readonly unknown[]): Oid =>
    (ddl.reader.view
      .find('pg_amproc', 'family', values[PG_OPCLASS.opcfamily] as number)
      .find(
        ({ values: proc }) =>
          proc[PG_AMPROC.amproclefttype] === values[PG_OPCLASS.opcintype] &&
          proc[PG_AMPROC.amprocrighttype] === values[PG_OPCLASS.opcintype] &&
          proc[PG_AMPROC.amprocnum] === 1,
      )?.values[PG_AMPROC.amproc] as Oid | undefined) ?? 0;
  const compare = compareOf(row);
  const isKnown = ddl.reader.view
    .find('pg_opclass', 'input', row[PG_OPCLASS.opcintype] as number)
    .some(
      ({ key, values }) =>
        (key as number) < FIRST_USER_OID &&
        values[PG_OPCLASS.opcmethod] === methodOid &&
        compareOf(values) === compare,
    );
  if (!isKnown)
    throw notSupported(`an index ordered by operator class "${row[PG_OPCLASS.opcname] as string}"`);
}
