/** CREATE COLLATION, OPERATOR, AGGREGATE, CAST, CONVERSION: objects that are described, not stored. */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { PG_AGGREGATE, PG_CAST, PG_COLLATION, PG_OPERATOR, PG_PROC } from '../../catalog/data/columns.ts';
import { CLASS_OID, pairKey } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { address } from '../../catalog/mutations.ts';
import { stringOf, stringsOf } from '../../sql/parse/ast.ts';
import type { CreateCastStmt, DefElem, DefineStmt, Node } from '../../sql/parse/nodes.ts';
import { SqlArray } from '../../types/datum.ts';
import { estimatorFunction, recordOperatorDependencies } from './alter-operator.ts';
import { booleanOption, type Ddl, defElems, integerOption, namesOf } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { isBinaryCoercible, vector } from './create-index.ts';
import { findFunction } from './drop.ts';
import { operatorByOperands, requireNameIsFree } from './named-objects.ts';
import { makeRow } from './relation.ts';
import { defineTextSearch } from './text-search.ts';

export async function defineObject(ddl: Ddl, statement: DefineStmt): Promise<UtilityResult> {
  switch (statement.kind) {
    case 'OBJECT_COLLATION':
      return createCollation(ddl, statement);
    case 'OBJECT_OPERATOR':
      return createOperator(ddl, statement);
    case 'OBJECT_AGGREGATE':
      return createAggregate(ddl, statement);
    case 'OBJECT_TSDICTIONARY':
    case 'OBJECT_TSCONFIGURATION':
    case 'OBJECT_TSTEMPLATE':
    case 'OBJECT_TSPARSER':
      return defineTextSearch(ddl, statement);
    case 'OBJECT_TYPE':
      throw notSupported('CREATE TYPE of a base type');
    default:
      throw notSupported(`CREATE ${(statement.kind ?? '').replace('OBJECT_', '')}`);
  }
}

/** Text of an option that is a name or a string. */
export function optionName(element: DefElem): string {
  const argument = element.arg;
  if (argument === undefined) throw new DbError('syntax_error', `${element.defname} requires a parameter`);
  if ('Integer' in argument) return String(argument.Integer.ival ?? 0);
  if ('Float' in argument) return argument.Float.fval ?? '';
  if ('Boolean' in argument) return argument.Boolean.boolval === true ? 'true' : 'false';
  const names = namesOf(argument);
  return names.length > 0 ? names.join('.') : stringOf(argument);
}

function place(ddl: Ddl, names: readonly string[]): { namespace: Oid; name: string } {
  return {
    namespace: ddl.creationNamespace(names.length > 1 ? names.at(-2) : undefined),
    name: names.at(-1)!,
  };
}

// --------------------------------------------------------------------------------------------------------- collation

function createCollation(ddl: Ddl, statement: DefineStmt): UtilityResult {
  const tag = { tag: 'CREATE COLLATION' };
  const { namespace, name } = place(ddl, stringsOf(statement.defnames));
  let provider = 'c';
  let collate: string | null = null;
  let ctype: string | null = null;
  let icuLocale: string | null = null;
  let isDeterministic = true;
  let version: string | null = null;
  const seen = new Set<string>();
  for (const element of defElems(statement.definition)) {
    const option = element.defname!;
    if (seen.has(option)) throw new DbError('syntax_error', 'conflicting or redundant options');
    seen.add(option);
    switch (option) {
      case 'from': {
        if (defElems(statement.definition).length !== 1)
          throw new DbError('syntax_error', 'conflicting or redundant options', {
            detail: 'FROM cannot be specified together with any other options.',
          });
        const names = namesOf(element.arg);
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
        if (found.oid === 100)
          throw new DbError('invalid_object_definition', 'collation "default" cannot be copied');
        const row = ddl.writer.row('pg_collation', found.oid);
        provider = row[PG_COLLATION.collprovider] as string;
        collate = row[PG_COLLATION.collcollate] as string | null;
        ctype = row[PG_COLLATION.collctype] as string | null;
        icuLocale = row[PG_COLLATION.colliculocale] as string | null;
        isDeterministic = row[PG_COLLATION.collisdeterministic] as boolean;
        break;
      }
      case 'locale':
        collate = ctype = icuLocale = optionName(element);
        break;
      case 'lc_collate':
        collate = optionName(element);
        break;
      case 'lc_ctype':
        ctype = optionName(element);
        break;
      case 'provider': {
        const text = optionName(element).toLowerCase();
        if (text !== 'libc' && text !== 'icu')
          throw new DbError('invalid_object_definition', `unrecognized collation provider: ${text}`);
        provider = text === 'icu' ? 'i' : 'c';
        break;
      }
      case 'deterministic':
        isDeterministic = booleanOption(element);
        break;
      case 'version':
        version = optionName(element);
        break;
      default:
        throw new DbError('syntax_error', `collation attribute "${option}" not recognized`);
    }
  }
  if (!isDeterministic && provider === 'c')
    throw new DbError(
      'feature_not_supported',
      'nondeterministic collations not supported with this provider',
    );
  if (!isDeterministic) throw notSupported('a nondeterministic collation');
  if (provider === 'c') {
    if (collate === null)
      throw new DbError('invalid_object_definition', 'parameter "lc_collate" must be specified');
    if (ctype === null)
      throw new DbError('invalid_object_definition', 'parameter "lc_ctype" must be specified');
    icuLocale = null;
  } else {
    if (icuLocale === null)
      throw new DbError('invalid_object_definition', 'parameter "locale" must be specified');
    collate = ctype = null;
  }
  const exists = [...ddl.reader.view.find('pg_collation', 'name', name)].some(
    ({ values }) => values[PG_COLLATION.collnamespace] === namespace,
  );
  if (exists && statement.if_not_exists === true) {
    ddl.message(
      'NOTICE',
      'duplicate_object',
      `collation "${name}" for encoding "UTF8" already exists in schema "${ddl.reader.namespaceName(namespace)}", skipping`,
    );
    return tag;
  }
  requireNameIsFree(ddl, 'OBJECT_COLLATION', name, namespace);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_collation',
    makeRow(PG_COLLATION, {
      oid,
      collname: name,
      collnamespace: namespace,
      collowner: ddl.role,
      collprovider: provider,
      collisdeterministic: isDeterministic,
      collencoding: provider === 'i' ? -1 : 6,
      collcollate: collate,
      collctype: ctype,
      colliculocale: icuLocale,
      collversion: version,
    }),
  );
  recordNew(ddl, CLASS_OID.collation, oid, namespace);
  return tag;
}

/** What every new object with schema and owner records. */
export function recordNew(ddl: Ddl, classId: Oid, oid: Oid, namespace: Oid | null): void {
  const self = address(classId, oid);
  if (namespace !== null) ddl.writer.dependOn(self, address(CLASS_OID.namespace, namespace), 'n');
  ddl.writer.recordOwner(self, ddl.role);
}

// ---------------------------------------------------------------------------------------------------------- operator

function typeOption(ddl: Ddl, element: DefElem): Oid {
  const argument = element.arg;
  if (argument === undefined || !('TypeName' in argument)) return 0;
  if (argument.TypeName.setof === true)
    throw new DbError('invalid_function_definition', 'SETOF type not allowed for operator argument');
  const { typeOid } = ddl.context.sql.resolveTypeName(argument.TypeName);
  ddl.requireTypeUsage(typeOid);
  return typeOid;
}

/** A function by name and exact argument types; 42883 when there is none. */
export function functionByTypes(ddl: Ddl, names: readonly string[], types: readonly Oid[]): Oid {
  const schema = names.length > 1 ? names.at(-2)! : null;
  const candidates = ddl.reader.functionsByName(schema, names.at(-1)!, ddl.path);
  const found =
    candidates.find(
      ({ argumentTypes }) =>
        argumentTypes.length === types.length && argumentTypes.every((type, index) => type === types[index]),
    ) ??
    candidates.find(
      ({ argumentTypes }) =>
        argumentTypes.length === types.length &&
        argumentTypes.every(
          (type, index) => isPolymorphicMatch(type) || isBinaryCoercible(ddl, types[index]!, type),
        ),
    );
  if (found === undefined) {
    const signature = types.map((type) => formatType(ddl.reader, type, { path: ddl.path })).join(', ');
    throw new DbError('undefined_function', `function ${names.join('.')}(${signature}) does not exist`);
  }
  return found.oid;
}

function isPolymorphicMatch(type: Oid): boolean {
  return [2276, 2277, 2283, 2776, 3500, 3831, 5077, 5078, 5079, 5080, 4537, 4538].includes(type);
}

function createOperator(ddl: Ddl, statement: DefineStmt): UtilityResult {
  const { namespace, name } = place(ddl, stringsOf(statement.defnames));
  let left = 0;
  let right = 0;
  let functionName: string[] | null = null;
  let commutator: string[] | null = null;
  let negator: string[] | null = null;
  let restrict = 0;
  let join = 0;
  let canHash = false;
  let canMerge = false;
  for (const element of defElems(statement.definition)) {
    switch (element.defname) {
      case 'leftarg':
        left = typeOption(ddl, element);
        break;
      case 'rightarg':
        right = typeOption(ddl, element);
        break;
      case 'function':
      case 'procedure':
        functionName = namesOf(element.arg);
        break;
      case 'commutator':
        commutator = operatorNames(element.arg);
        break;
      case 'negator':
        negator = operatorNames(element.arg);
        break;
      case 'restrict':
        restrict = estimatorFunction(ddl, 'restriction', namesOf(element.arg));
        break;
      case 'join':
        join = estimatorFunction(ddl, 'join', namesOf(element.arg));
        break;
      case 'hashes':
        canHash = booleanOption(element);
        break;
      case 'merges':
        canMerge = booleanOption(element);
        break;
      case 'sort1':
      case 'sort2':
      case 'ltcmp':
      case 'gtcmp':
        canMerge = true;
        break;
      default:
        ddl.message('WARNING', 'syntax_error', `operator attribute "${element.defname}" not recognized`);
    }
  }
  if (functionName === null)
    throw new DbError('invalid_function_definition', 'operator function must be specified');
  if (right === 0) {
    if (left !== 0)
      throw new DbError('invalid_function_definition', 'operator right argument type must be specified', {
        detail: 'Postfix operators are not supported.',
      });
    throw new DbError('invalid_function_definition', 'operator argument types must be specified');
  }
  const functionOid = functionByTypes(ddl, functionName, left === 0 ? [right] : [left, right]);
  if (!ddl.reader.hasObjectPrivilege(ddl.role, 'function', functionOid, 'EXECUTE'))
    throw new DbError('insufficient_privilege', `permission denied for function ${functionName.join('.')}`);
  const result = ddl.reader.function(functionOid)!.returnType;
  ddl.requireTypeUsage(result);
  if (left === 0 || result !== 16) {
    if (left === 0 && commutator !== null)
      throw new DbError('invalid_function_definition', 'only binary operators can have commutators');
    if (left === 0 && join !== 0)
      throw new DbError('invalid_function_definition', 'only binary operators can have join selectivity');
    if (left === 0 && canMerge)
      throw new DbError('invalid_function_definition', 'only binary operators can merge join');
    if (left === 0 && canHash)
      throw new DbError('invalid_function_definition', 'only binary operators can hash');
    if (result !== 16 && negator !== null)
      throw new DbError('invalid_function_definition', 'only boolean operators can have negators');
    if (result !== 16 && canHash)
      throw new DbError('invalid_function_definition', 'only boolean operators can hash');
  }
  const known = findShell(ddl, namespace, name, left, right);
  if (known !== null && (ddl.writer.row('pg_operator', known)[PG_OPERATOR.oprcode] as Oid) !== 0)
    throw new DbError('duplicate_function', `operator ${name} already exists`);
  const oid = known ?? ddl.writer.allocateOid();
  const self = { namespace, name, left, right };
  const commutatorOid =
    commutator === null
      ? 0
      : commutator.at(-1) === name && left === right
        ? oid
        : otherOperator(ddl, commutator, right, left, self, oid, 'oprcom');
  if (negator !== null && negator.at(-1) === name)
    throw new DbError('invalid_function_definition', 'operator cannot be its own negator');
  const negatorOid = negator === null ? 0 : otherOperator(ddl, negator, left, right, self, oid, 'oprnegate');
  const row = makeRow(PG_OPERATOR, {
    oid,
    oprname: name,
    oprnamespace: namespace,
    oprowner: ddl.role,
    oprkind: left === 0 ? 'l' : 'b',
    oprcanmerge: canMerge,
    oprcanhash: canHash,
    oprleft: left,
    oprright: right,
    oprresult: result,
    oprcom: commutatorOid,
    oprnegate: negatorOid,
    oprcode: functionOid,
    oprrest: restrict,
    oprjoin: join,
  });
  if (known === null) {
    ddl.writer.insert('pg_operator', row);
    recordNew(ddl, CLASS_OID.operator, oid, namespace);
  } else ddl.writer.update('pg_operator', oid, Object.fromEntries(row.map((value, index) => [index, value])));
  recordOperatorDependencies(ddl, oid);
  return { tag: 'CREATE OPERATOR' };
}

function operatorNames(node: Node | undefined): string[] {
  return namesOf(node);
}

function findShell(ddl: Ddl, namespace: Oid, name: string, left: Oid, right: Oid): Oid | null {
  for (const { key, values } of ddl.reader.view.find('pg_operator', 'name', name))
    if (
      values[PG_OPERATOR.oprnamespace] === namespace &&
      values[PG_OPERATOR.oprleft] === left &&
      values[PG_OPERATOR.oprright] === right
    )
      return key as number;
  return null;
}

/** A commutator or negator: the operator of that name, or a shell to be filled by a later CREATE OPERATOR. */
function otherOperator(
  ddl: Ddl,
  names: readonly string[],
  left: Oid,
  right: Oid,
  self: { namespace: Oid; name: string; left: Oid; right: Oid },
  selfOid: Oid,
  link: 'oprcom' | 'oprnegate',
): Oid {
  const found = operatorByOperands(ddl, names, left, right);
  if (found !== null) {
    if ((ddl.writer.row('pg_operator', found)[PG_OPERATOR[link]] as Oid) === 0 && found >= 16384)
      ddl.writer.update('pg_operator', found, { [PG_OPERATOR[link]]: selfOid });
    return found;
  }
  const namespace = names.length > 1 ? ddl.namespace(names.at(-2)!) : self.namespace;
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_operator',
    makeRow(PG_OPERATOR, {
      oid,
      oprname: names.at(-1)!,
      oprnamespace: namespace,
      oprowner: ddl.role,
      oprkind: left === 0 ? 'l' : 'b',
      oprcanmerge: false,
      oprcanhash: false,
      oprleft: left,
      oprright: right,
      oprresult: 0,
      oprcom: link === 'oprcom' ? selfOid : 0,
      oprnegate: link === 'oprnegate' ? selfOid : 0,
      oprcode: 0,
      oprrest: 0,
      oprjoin: 0,
    }),
  );
  recordNew(ddl, CLASS_OID.operator, oid, namespace);
  return oid;
}

// --------------------------------------------------------------------------------------------------------- aggregate

function createAggregate(ddl: Ddl, statement: DefineStmt): UtilityResult {
  const { namespace, name } = place(ddl, stringsOf(statement.defnames));
  const options = new Map(
    defElems(statement.definition).map((element) => [element.defname!.toLowerCase(), element]),
  );
  const parameters: { type: Oid; name: string; mode: string }[] = [];
  let directCount = 0;
  let isOrderedSet = false;
  if (statement.oldstyle === true) {
    const base = options.get('basetype');
    if (base === undefined)
      throw new DbError('invalid_function_definition', 'aggregate input type must be specified');
    const baseNames = namesOf(base.arg);
    if (baseNames.at(-1)?.toUpperCase() !== 'ANY')
      parameters.push({ type: typeOption(ddl, base), name: '', mode: 'i' });
  } else {
    const [list, direct] = statement.args ?? [];
    for (const node of list !== undefined && 'List' in list ? (list.List.items ?? []) : []) {
      if (!('FunctionParameter' in node)) continue;
      const parameter = node.FunctionParameter;
      const { typeOid } = ddl.context.sql.resolveTypeName(parameter.argType!);
      ddl.requireTypeUsage(typeOid);
      parameters.push({
        type: typeOid,
        name: parameter.name ?? '',
        mode: parameter.mode === 'FUNC_PARAM_VARIADIC' ? 'v' : 'i',
      });
    }
    directCount = direct !== undefined && 'Integer' in direct ? (direct.Integer.ival ?? 0) : -1;
    isOrderedSet = directCount >= 0;
  }
  if (isOrderedSet) throw notSupported('an ordered-set aggregate of your own');
  const option = (...names: string[]): DefElem | undefined =>
    names.map((item) => options.get(item)).find((item) => item !== undefined);
  const transition = option('sfunc', 'sfunc1');
  const stateType = option('stype', 'stype1');
  if (stateType === undefined)
    throw new DbError('invalid_function_definition', 'aggregate stype must be specified');
  if (transition === undefined)
    throw new DbError('invalid_function_definition', 'aggregate sfunc must be specified');
  const stateOid = typeOption(ddl, stateType);
  const types = parameters.map(({ type }) => type);
  const transitionOid = functionByTypes(ddl, namesOf(transition.arg), [stateOid, ...types]);
  const transitionFunction = ddl.reader.function(transitionOid)!;
  if (!isPolymorphicMatch(transitionFunction.returnType) && transitionFunction.returnType !== stateOid)
    throw new DbError(
      'datatype_mismatch',
      `return type of transition function ${transitionFunction.name} is not ${formatType(ddl.reader, stateOid, { path: ddl.path })}`,
    );
  const initial = option('initcond', 'initcond1');
  if (
    initial === undefined &&
    transitionFunction.strict &&
    (types.length < 1 || !(isBinaryCoercible(ddl, types[0]!, stateOid) || isPolymorphicMatch(stateOid)))
  )
    throw new DbError(
      'invalid_function_definition',
      'must not omit initial value when transition function is strict and transition type is not compatible with input type',
    );
  const final = option('finalfunc');
  const finalOid = final === undefined ? 0 : functionByTypes(ddl, namesOf(final.arg), [stateOid]);
  const result = finalOid === 0 ? stateOid : ddl.reader.function(finalOid)!.returnType;
  const combine = option('combinefunc');
  const combineOid =
    combine === undefined ? 0 : functionByTypes(ddl, namesOf(combine.arg), [stateOid, stateOid]);
  const sort = option('sortop');
  const sortOid =
    sort === undefined ? 0 : (operatorByOperands(ddl, namesOf(sort.arg), types[0]!, types[0]!) ?? 0);
  const movingTransition = option('msfunc');
  const movingState = option('mstype');
  const movingType = movingState === undefined ? 0 : typeOption(ddl, movingState);
  const movingFunction = (key: string, args: readonly Oid[]): Oid => {
    const element = option(key);
    return element === undefined ? 0 : functionByTypes(ddl, namesOf(element.arg), args);
  };
  const space = option('sspace', 'sspace1');
  const parallel = option('parallel');
  const parallelLetter = parallel === undefined ? 'u' : optionName(parallel)[0]!;
  const existing = ddl.reader
    .functionsByName(null, name, { namespaces: [namespace], creationNamespace: namespace })
    .find(
      (candidate) =>
        candidate.argumentTypes.length === types.length &&
        candidate.argumentTypes.every((type, index) => type === types[index]),
    );
  if (existing !== undefined) {
    if (statement.replace !== true)
      throw new DbError('duplicate_function', `function "${name}" already exists with same argument types`);
    if (existing.kind !== 'a')
      throw new DbError('wrong_object_type', 'cannot change routine kind', {
        detail: `"${name}" is a ${existing.kind === 'p' ? 'procedure' : 'function'}.`,
      });
    ddl.writer.removeDependenciesOf(address(CLASS_OID.procedure, existing.oid));
    ddl.writer.remove('pg_aggregate', existing.oid);
    ddl.writer.remove('pg_proc', existing.oid);
  }
  const oid = existing?.oid ?? ddl.writer.allocateOid();
  const hasNames = parameters.some((parameter) => parameter.name !== '');
  const isVariadic = parameters.some(({ mode }) => mode === 'v');
  ddl.writer.insert(
    'pg_proc',
    makeRow(PG_PROC, {
      oid,
      proname: name,
      pronamespace: namespace,
      proowner: ddl.role,
      prolang: 12,
      procost: 1,
      prorows: 0,
      provariadic: isVariadic ? (ddl.reader.type(types.at(-1)!)?.elementOid ?? 0) : 0,
      prosupport: 0,
      prokind: 'a',
      prosecdef: false,
      proleakproof: false,
      proisstrict: false,
      proretset: false,
      provolatile: 'i',
      proparallel: parallelLetter,
      pronargs: types.length,
      pronargdefaults: 0,
      prorettype: result,
      proargtypes: vector(26, types),
      proallargtypes: isVariadic ? new SqlArray(26, types) : null,
      proargmodes: isVariadic
        ? new SqlArray(
            18,
            parameters.map(({ mode }) => mode),
          )
        : null,
      proargnames: hasNames
        ? new SqlArray(
            25,
            parameters.map((parameter) => parameter.name),
          )
        : null,
      prosrc: 'aggregate_dummy',
    }),
  );
  ddl.writer.insert(
    'pg_aggregate',
    makeRow(PG_AGGREGATE, {
      aggfnoid: oid,
      aggkind: 'n',
      aggnumdirectargs: 0,
      aggtransfn: transitionOid,
      aggfinalfn: finalOid,
      aggcombinefn: combineOid,
      aggserialfn: movingFunction('serialfunc', [2281]),
      aggdeserialfn: movingFunction('deserialfunc', [17, 2281]),
      aggmtransfn: movingTransition === undefined ? 0 : movingFunction('msfunc', [movingType, ...types]),
      aggminvtransfn: movingFunction('minvfunc', [movingType, ...types]),
      aggmfinalfn: movingFunction('mfinalfunc', [movingType]),
      aggfinalextra: options.has('finalfunc_extra'),
      aggmfinalextra: options.has('mfinalfunc_extra'),
      aggfinalmodify: modifyLetter(option('finalfunc_modify')),
      aggmfinalmodify: modifyLetter(option('mfinalfunc_modify')),
      aggsortop: sortOid,
      aggtranstype: stateOid,
      aggtransspace: space === undefined ? 0 : Number(integerOption(space)),
      aggmtranstype: movingType,
      aggmtransspace: 0,
      agginitval: initial === undefined ? null : optionName(initial),
      aggminitval: option('minitcond') === undefined ? null : optionName(option('minitcond')!),
    }),
  );
  if (existing === undefined) recordNew(ddl, CLASS_OID.procedure, oid, namespace);
  else ddl.writer.dependOn(address(CLASS_OID.procedure, oid), address(CLASS_OID.namespace, namespace), 'n');
  const self = address(CLASS_OID.procedure, oid);
  for (const used of [transitionOid, finalOid, combineOid])
    if (used !== 0) ddl.writer.dependOn(self, address(CLASS_OID.procedure, used), 'n');
  for (const type of [...types, stateOid, result])
    ddl.writer.dependOn(self, address(CLASS_OID.type, type), 'n');
  return { tag: 'CREATE AGGREGATE' };
}

function modifyLetter(element: DefElem | undefined): string {
  switch (element === undefined ? 'read_only' : optionName(element)) {
    case 'read_only':
      return 'r';
    case 'shareable':
      return 's';
    case 'read_write':
      return 'w';
    default:
      throw new DbError(
        'syntax_error',
        `parameter "${element!.defname}" must be READ_ONLY, SHAREABLE, or READ_WRITE`,
      );
  }
}

// -------------------------------------------------------------------------------------------------------------- cast

export async function createCast(ddl: Ddl, statement: CreateCastStmt): Promise<UtilityResult> {
  const source = ddl.context.sql.resolveTypeName(statement.sourcetype!).typeOid;
  const target = ddl.context.sql.resolveTypeName(statement.targettype!).typeOid;
  const text = (type: Oid): string => formatType(ddl.reader, type, { path: ddl.path });
  for (const [type, word] of [
    [source, 'source'],
    [target, 'target'],
  ] as const)
    if (ddl.reader.type(type)?.kind === 'p')
      throw new DbError('wrong_object_type', `${word} data type ${text(type)} is a pseudo-type`);
  if (!ddl.isOwner(ddl.objectOwner('type', source)) && !ddl.isOwner(ddl.objectOwner('type', target)))
    throw new DbError(
      'insufficient_privilege',
      `must be owner of type ${text(source)} or type ${text(target)}`,
    );
  ddl.requireTypeUsage(source);
  ddl.requireTypeUsage(target);
  const domains = [source, target].map((type) => ddl.reader.type(type)?.kind === 'd');
  if (domains[0] === true || domains[1] === true)
    ddl.message(
      'WARNING',
      'wrong_object_type',
      `cast will be ignored because the ${domains[0] === true ? 'source' : 'target'} data type is a domain`,
    );
  let functionOid = 0;
  let method = 'b';
  if (statement.func !== undefined) {
    functionOid = findFunction(ddl, { ObjectWithArgs: statement.func }, 'OBJECT_FUNCTION', false)!;
    const descriptor = ddl.reader.function(functionOid)!;
    if (descriptor.argumentTypes.length < 1 || descriptor.argumentTypes.length > 3)
      throw new DbError('invalid_object_definition', 'cast function must take one to three arguments');
    if (!isBinaryCoercible(ddl, source, descriptor.argumentTypes[0]!))
      throw new DbError(
        'invalid_object_definition',
        'argument of cast function must match or be binary-coercible from source data type',
      );
    if (!isBinaryCoercible(ddl, descriptor.returnType, target))
      throw new DbError(
        'invalid_object_definition',
        'return data type of cast function must match or be binary-coercible to target data type',
      );
    method = 'f';
  } else if (statement.inout === true) method = 'i';
  else {
    if (!ddl.isSuperuser)
      throw new DbError('insufficient_privilege', 'must be superuser to create a cast WITHOUT FUNCTION');
    const [from, to] = [ddl.reader.type(source)!, ddl.reader.type(target)!];
    if (from.length !== to.length || from.byValue !== to.byValue)
      throw new DbError(
        'invalid_object_definition',
        'source and target data types are not physically compatible',
      );
    for (const [kind, words] of [
      ['c', 'composite data types are not binary-compatible'],
      ['e', 'enum data types are not binary-compatible'],
      ['d', 'domain data types must not be marked binary-compatible'],
    ] as const)
      if (from.kind === kind || to.kind === kind) throw new DbError('invalid_object_definition', words);
    if (from.isTrueArray || to.isTrueArray)
      throw new DbError('invalid_object_definition', 'array data types are not binary-compatible');
  }
  if (source === target && functionOid === 0)
    throw new DbError('invalid_object_definition', 'source data type and target data type are the same');
  if (ddl.reader.view.findOne('pg_cast', 'pair', pairKey(source, target)) !== null)
    throw new DbError(
      'duplicate_object',
      `cast from type ${text(source)} to type ${text(target)} already exists`,
    );
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_cast',
    makeRow(PG_CAST, {
      oid,
      castsource: source,
      casttarget: target,
      castfunc: functionOid,
      castcontext:
        statement.context === 'COERCION_IMPLICIT'
          ? 'i'
          : statement.context === 'COERCION_ASSIGNMENT'
            ? 'a'
            : 'e',
      castmethod: method,
    }),
  );
  const self = address(CLASS_OID.cast, oid);
  ddl.writer.dependOn(self, address(CLASS_OID.type, source), 'n');
  ddl.writer.dependOn(self, address(CLASS_OID.type, target), 'n');
  if (functionOid !== 0) ddl.writer.dependOn(self, address(CLASS_OID.procedure, functionOid), 'n');
  return { tag: 'CREATE CAST' };
}
