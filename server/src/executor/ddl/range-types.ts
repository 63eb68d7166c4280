/** CREATE TYPE … AS RANGE: the range type, its multirange type, their arrays, constructors and the cast between them. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import { PG_CAST, PG_OPCLASS, PG_PROC, PG_RANGE, PG_TYPE } from '../../catalog/data/columns.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import { positionOf, stringsOf } from '../../sql/parse/ast.ts';
import type { CreateRangeStmt, DefElem, Node, TypeName } from '../../sql/parse/nodes.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { assertTypeNameIsFree, createTypeWithArray, makeRow } from './relation.ts';

const RANGE_IO = {
  typinput: 3834,
  typoutput: 3835,
  typreceive: 3836,
  typsend: 3837,
  typanalyze: 3916,
} as const;
const MULTIRANGE_IO = {
  typinput: 4231,
  typoutput: 4232,
  typreceive: 4233,
  typsend: 4234,
  typanalyze: 4242,
} as const;
const BTREE = 403;
const INTERNAL_LANGUAGE = 12;
const TEXT = 25;
const FLOAT8 = 701;
const OID_TYPE = 26;
const CHAR_TYPE = 18;
const OPTIONS = [
  'subtype',
  'subtype_opclass',
  'collation',
  'canonical',
  'subtype_diff',
  'multirange_type_name',
] as const;

/** A name in the place of an option's value: the grammar reads it as a type name. */
function namesOf(element: DefElem): string[] {
  const { arg } = element;
  if (arg !== undefined && 'TypeName' in arg) return stringsOf(arg.TypeName.names);
  if (arg !== undefined && 'String' in arg)
    return [(arg as { String: { sval?: string } } & Node).String.sval ?? ''];
  throw new DbError('syntax_error', `${element.defname} requires a parameter`);
}

function readOptions(statement: CreateRangeStmt): Map<string, DefElem> {
  const options = new Map<string, DefElem>();
  for (const node of statement.params ?? []) {
    if (!('DefElem' in node)) continue;
    const element = node.DefElem;
    const name = element.defname ?? '';
    if (!(OPTIONS as readonly string[]).includes(name))
      throw new DbError('syntax_error', `type attribute "${name}" not recognized`);
    if (options.has(name))
      throw new DbError('syntax_error', 'conflicting or redundant options').at(positionOf(element.location));
    options.set(name, element);
  }
  return options;
}

/** `intrange` → `intmultirange`; a name without "range" gets `_multirange` behind it. */
function defaultMultirangeName(name: string): string {
  const at = name.indexOf('range');
  const made = at < 0 ? `${name.slice(0, 52)}_multirange` : `${name.slice(0, at)}multi${name.slice(at)}`;
  return made.slice(0, 63);
}

function operatorClass(ddl: Ddl, names: readonly string[] | null, subtype: Oid): Oid {
  const typeText = formatType(ddl.reader, subtype, { path: ddl.path });
  if (names === null) {
    const found = ddl.reader.defaultOperatorClass(subtype, BTREE);
    if (found !== 0) return found;
    throw new DbError(
      'undefined_object',
      `data type ${typeText} has no default operator class for access method "btree"`,
      {
        hint: 'You must specify an operator class for the range type or define a default operator class for the subtype.',
      },
    );
  }
  const namespaces = ddl.reader.namespacesFor(names.length > 1 ? names.at(-2)! : null, ddl.path);
  for (const { key, values } of ddl.reader.view.find('pg_opclass', 'name', names.at(-1)!)) {
    if (values[PG_OPCLASS.opcmethod] !== BTREE) continue;
    if (!namespaces.includes(values[PG_OPCLASS.opcnamespace] as number)) continue;
    const input = values[PG_OPCLASS.opcintype] as number;
    const cast = ddl.reader.cast(subtype, input);
    if (input !== subtype && !(cast?.method === 'b' && cast.context === 'i'))
      throw new DbError(
        'datatype_mismatch',
        `operator class "${names.join('.')}" does not accept data type ${typeText}`,
      );
    return key as number;
  }
  throw new DbError(
    'undefined_object',
    `operator class "${names.join('.')}" does not exist for access method "btree"`,
  );
}

function differenceFunction(ddl: Ddl, names: readonly string[], subtype: Oid): Oid {
  const found = ddl.reader
    .functionsByName(names.length > 1 ? names.at(-2)! : null, names.at(-1)!, ddl.path)
    .find(
      ({ argumentTypes }) =>
        argumentTypes.length === 2 && argumentTypes[0] === subtype && argumentTypes[1] === subtype,
    );
  const typeText = formatType(ddl.reader, subtype, { path: ddl.path });
  const signature = `${names.join('.')}(${typeText}, ${typeText})`;
  if (found === undefined) throw new DbError('undefined_function', `function ${signature} does not exist`);
  if (found.returnType !== FLOAT8)
    throw new DbError(
      'invalid_object_definition',
      `range subtype diff function ${signature} must return type double precision`,
    );
  if (found.volatility !== 'i')
    throw new DbError(
      'invalid_object_definition',
      `range subtype diff function ${signature} must be immutable`,
    );
  return found.oid;
}

interface Constructor {
  name: string;
  namespace: Oid;
  result: Oid;
  argumentTypes: readonly Oid[];
  source: string;
  isStrict: boolean;
  /** Element type of a variadic last argument, 0 = none. */
  variadic?: Oid;
}

function createConstructor(ddl: Ddl, spec: Constructor): Oid {
  const oid = ddl.writer.allocateOid();
  const variadic = spec.variadic ?? 0;
  ddl.writer.insert(
    'pg_proc',
    makeRow(PG_PROC, {
      oid,
      proname: spec.name,
      pronamespace: spec.namespace,
      proowner: ddl.role,
      prolang: INTERNAL_LANGUAGE,
      procost: 1,
      prorows: 0,
      provariadic: variadic,
      prosupport: 0,
      prokind: 'f',
      prosecdef: false,
      proleakproof: false,
      proisstrict: spec.isStrict,
      proretset: false,
      provolatile: 'i',
      proparallel: 's',
      pronargs: spec.argumentTypes.length,
      pronargdefaults: 0,
      prorettype: spec.result,
      proargtypes: new SqlArray(OID_TYPE, [...spec.argumentTypes], [spec.argumentTypes.length], [0]),
      proallargtypes: variadic === 0 ? null : (new SqlArray(OID_TYPE, [...spec.argumentTypes]) as Datum),
      proargmodes: variadic === 0 ? null : (new SqlArray(CHAR_TYPE, ['v']) as Datum),
      prosrc: spec.source,
    }),
  );
  const self = address(CLASS_OID.procedure, oid);
  ddl.writer.dependOn(self, address(CLASS_OID.type, spec.result), 'i');
  ddl.writer.dependOn(self, address(CLASS_OID.namespace, spec.namespace), 'n');
  ddl.writer.recordOwner(self, ddl.role);
  return oid;
}

export async function createRangeType(ddl: Ddl, statement: CreateRangeStmt): Promise<UtilityResult> {
  const parts = stringsOf(statement.typeName);
  const name = parts.at(-1)!;
  const namespace = ddl.creationNamespace(parts.length > 1 ? parts.at(-2) : undefined);
  await ddl.reserve(namespace, name);
  assertTypeNameIsFree(ddl, namespace, name);
  const options = readOptions(statement);
  const subtypeOption = options.get('subtype')?.arg;
  if (subtypeOption === undefined || !('TypeName' in subtypeOption))
    throw new DbError('syntax_error', 'type attribute "subtype" is required');
  const subtype = ddl.context.sql.resolveTypeName(
    (subtypeOption as { TypeName: TypeName } & Node).TypeName,
  ).typeOid;
  const subtypeRow = ddl.writer.row('pg_type', subtype);
  if (subtypeRow[PG_TYPE.typtype] === 'p')
    throw new DbError(
      'datatype_mismatch',
      `range subtype cannot be ${formatType(ddl.reader, subtype, { path: ddl.path })}`,
    );
  const opclassOption = options.get('subtype_opclass');
  const opclass = operatorClass(ddl, opclassOption === undefined ? null : namesOf(opclassOption), subtype);
  let collation = subtypeRow[PG_TYPE.typcollation] as number;
  const collationOption = options.get('collation');
  if (collationOption !== undefined) {
    const names = namesOf(collationOption);
    if (collation === 0)
      throw new DbError(
        'wrong_object_type',
        'range collation specified but subtype does not support collation',
      );
    const found = ddl.reader.collationByName(
      names.length > 1 ? names.at(-2)! : null,
      names.at(-1)!,
      ddl.path,
    );
    if (found === null)
      throw new DbError(
        'undefined_object',
        `collation "${names.join('.')}" for encoding "UTF8" does not exist`,
      );
    collation = found.oid;
  }
  // A canonical function takes the type itself, so it needs a shell type, which CREATE TYPE alone does not make.
  if (options.has('canonical'))
    throw new DbError(
      'invalid_object_definition',
      'cannot specify a canonical function without a pre-created shell type',
      {
        hint: 'Create the type as a shell type, then create its canonicalization function, then do a full CREATE TYPE.',
      },
    );
  const differenceOption = options.get('subtype_diff');
  const difference =
    differenceOption === undefined ? 0 : differenceFunction(ddl, namesOf(differenceOption), subtype);

  const multirangeOption = options.get('multirange_type_name');
  const multirangeParts = multirangeOption === undefined ? null : namesOf(multirangeOption);
  const multirangeName = multirangeParts?.at(-1) ?? defaultMultirangeName(name);
  const multirangeNamespace =
    multirangeParts === null
      ? namespace
      : ddl.creationNamespace(multirangeParts.length > 1 ? multirangeParts.at(-2) : undefined);
  if (multirangeParts !== null) assertTypeNameIsFree(ddl, multirangeNamespace, multirangeName);
  else if (ddl.reader.view.findOne('pg_type', 'name', pairKey(namespace, multirangeName)) !== null)
    throw new DbError('duplicate_object', `type "${multirangeName}" already exists`, {
      detail: `Failed while creating a multirange type for type "${name}".`,
      hint: 'You can manually specify a multirange type name using the "multirange_type_name" attribute.',
    });
  await ddl.reserve(multirangeNamespace, multirangeName);

  const align = subtypeRow[PG_TYPE.typalign] === 'd' ? 'd' : 'i';
  const common = { typlen: -1, typbyval: false, typcategory: 'R', typalign: align, typstorage: 'x' } as const;
  const rangeOid = ddl.writer.allocateOid();
  const multirangeOid = ddl.writer.allocateOid();
  const rangeArray = createTypeWithArray(ddl, {
    oid: rangeOid,
    name,
    namespace,
    owner: ddl.role,
    values: { ...common, typtype: 'r', ...RANGE_IO },
    dependsOn: null,
  });
  const range = address(CLASS_OID.type, rangeOid);
  createTypeWithArray(ddl, {
    oid: multirangeOid,
    name: multirangeName,
    namespace: multirangeNamespace,
    owner: ddl.role,
    values: { ...common, typtype: 'm', ...MULTIRANGE_IO },
    dependsOn: range,
  });
  ddl.writer.insert(
    'pg_range',
    makeRow(PG_RANGE, {
      rngtypid: rangeOid,
      rngsubtype: subtype,
      rngmultitypid: multirangeOid,
      rngcollation: collation,
      rngsubopc: opclass,
      rngcanonical: 0,
      rngsubdiff: difference,
    }),
  );
  ddl.writer.dependOn(range, address(CLASS_OID.type, subtype), 'n');
  ddl.writer.dependOn(range, address(CLASS_OID.operatorClass, opclass), 'n');
  if (difference !== 0) ddl.writer.dependOn(range, address(CLASS_OID.procedure, difference), 'n');

  const ofRange = { name, namespace, result: rangeOid, isStrict: false } as const;
  createConstructor(ddl, { ...ofRange, argumentTypes: [subtype, subtype], source: 'range_constructor2' });
  createConstructor(ddl, {
    ...ofRange,
    argumentTypes: [subtype, subtype, TEXT],
    source: 'range_constructor3',
  });
  const ofMultirange = {
    name: multirangeName,
    namespace: multirangeNamespace,
    result: multirangeOid,
    isStrict: true,
  } as const;
  createConstructor(ddl, { ...ofMultirange, argumentTypes: [], source: 'multirange_constructor0' });
  const fromRange = createConstructor(ddl, {
    ...ofMultirange,
    argumentTypes: [rangeOid],
    source: 'multirange_constructor1',
  });
  createConstructor(ddl, {
    ...ofMultirange,
    argumentTypes: [rangeArray],
    source: 'multirange_constructor2',
    variadic: rangeOid,
  });
  const castOid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_cast',
    makeRow(PG_CAST, {
      oid: castOid,
      castsource: rangeOid,
      casttarget: multirangeOid,
      castfunc: fromRange,
      castcontext: 'e',
      castmethod: 'f',
    }),
  );
  const cast = address(CLASS_OID.cast, castOid);
  ddl.writer.dependOn(cast, range, 'i');
  ddl.writer.dependOn(cast, address(CLASS_OID.type, multirangeOid), 'i');
  ddl.writer.dependOn(cast, address(CLASS_OID.procedure, fromRange), 'i');
  return { tag: 'CREATE TYPE' };
}
