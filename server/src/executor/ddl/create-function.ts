/**
 * CREATE [OR REPLACE] FUNCTION and PROCEDURE; ALTER FUNCTION's options.
 *
 * The body is only kept here. Whether it is right is asked of the language (`validateFunction`), after the row is in place, so that a
 * body may call itself.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError, type ErrorFields, notSupported } from '../../base/error.ts';
import type { FunctionDescriptor } from '../../catalog/contract.ts';
import { PG_LANGUAGE, PG_PROC } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { formatType } from '../../catalog/format-type.ts';
import { truncateIdentifier } from '../../catalog/identifiers.ts';
import { address } from '../../catalog/mutations.ts';
import { isPolymorphic, isPolymorphicFamily2 } from '../../sql/analyse/oids.ts';
import { positionOf, stringOf, stringsOf } from '../../sql/parse/ast.ts';
import type {
  AlterFunctionStmt,
  CreateFunctionStmt,
  DefElem,
  FunctionParameter,
  Node,
  TypeName,
  VariableSetStmt,
} from '../../sql/parse/nodes.ts';
import type { Expr } from '../../sql/tree.ts';
import { parseExprs, serialiseExprs } from '../../sql/tree-json.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { booleanOption, type Ddl, defElems } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { DependencyCollector } from './expression-dependencies.ts';
import { makeRow } from './relation.ts';
import { findRoutine } from './routine-names.ts';

const RECORD = 2249;
const VOID = 2278;
const ANY = 2276;
const TRIGGER = 2279;
const OIDVECTOR_ELEMENT = 26;
const CHAR = 18;
const TEXT = 25;

const PSEUDO_ARGUMENTS = new Set([
  2276, 2283, 2277, 2776, 3500, 3831, 4537, 5077, 5078, 5079, 5080, 4538, 2249, 2275,
]);

interface Parameter {
  mode: 'i' | 'o' | 'b' | 'v' | 't';
  name: string;
  typeOid: Oid;
}

interface Signature {
  inputs: Oid[];
  all: Parameter[];
  variadicType: Oid;
  /** Type required by OUT parameters, 0 = none. */
  resultType: Oid;
  defaults: Expr[];
  inputNames: string[];
}

function procedureWord(isProcedure: boolean): string {
  return isProcedure ? 'procedure' : 'function';
}

/** Type of a parameter or result, `SETOF` aside. */
function typeOfName(ddl: Ddl, name: TypeName): Oid {
  const { typeOid } = ddl.context.sql.resolveTypeName({ ...name, setof: false });
  ddl.requireTypeUsage(typeOid);
  return typeOid;
}

function interpretParameters(ddl: Ddl, statement: CreateFunctionStmt, isSqlLanguage: boolean): Signature {
  const isProcedure = statement.is_procedure === true;
  const signature: Signature = {
    inputs: [],
    all: [],
    variadicType: 0,
    resultType: 0,
    defaults: [],
    inputNames: [],
  };
  let outCount = 0;
  let sawVariadic = false;
  for (const node of statement.parameters ?? []) {
    const parameter = (node as { FunctionParameter: FunctionParameter }).FunctionParameter;
    const typeName = parameter.argType!;
    const typeOid = typeOfName(ddl, typeName);
    const type = ddl.reader.type(typeOid);
    if (typeName.setof === true)
      throw new DbError(
        'invalid_function_definition',
        isProcedure ? 'procedures cannot accept set arguments' : 'functions cannot accept set arguments',
      ).at(positionOf(typeName.location));
    const mode = MODES[parameter.mode ?? 'FUNC_PARAM_DEFAULT'] ?? 'i';
    if (mode === 'v' && sawVariadic)
      throw new DbError('invalid_function_definition', 'VARIADIC parameter must be the last input parameter');
    if (mode !== 'o' && mode !== 't') {
      if (sawVariadic)
        throw new DbError(
          'invalid_function_definition',
          'VARIADIC parameter must be the last input parameter',
        );
      signature.inputs.push(typeOid);
      signature.inputNames.push(parameter.name ?? '');
    }
    if (mode !== 'i' && mode !== 'v') {
      if (isProcedure && sawVariadic && mode !== 't') {
        throw new DbError('invalid_function_definition', 'VARIADIC parameter must be the last parameter');
      }
      if (outCount++ === 0) signature.resultType = typeOid;
    }
    if (mode === 'v') {
      sawVariadic = true;
      if (typeOid === 2277) signature.variadicType = 2283;
      else if (typeOid === 5078) signature.variadicType = 5077;
      else if (typeOid === ANY) signature.variadicType = ANY;
      else if (type?.isTrueArray === true && type.elementOid !== 0) signature.variadicType = type.elementOid;
      else throw new DbError('invalid_function_definition', 'VARIADIC parameter must be an array');
    }
    if (parameter.name !== undefined && parameter.name !== '') {
      for (const other of signature.all) {
        if (other.name !== parameter.name) continue;
        const isInput = (one: string): boolean => one === 'i' || one === 'v';
        const isOutput = (one: string): boolean => one === 'o' || one === 't';
        if (isInput(mode) && isOutput(other.mode)) continue;
        if (isOutput(mode) && isInput(other.mode)) continue;
        throw new DbError(
          'invalid_function_definition',
          `parameter name "${parameter.name}" used more than once`,
        );
      }
    }
    signature.all.push({ mode, name: parameter.name ?? '', typeOid });
    if (parameter.defexpr !== undefined) {
      const position = positionOf((parameter as { location?: number }).location ?? -1);
      if (mode === 'o' || mode === 't')
        throw new DbError('invalid_function_definition', 'only input parameters can have default values').at(
          position,
        );
      const expr = ddl.context.sql.expression(parameter.defexpr, {
        kind: 'function default',
        relation: null,
        ...(isPolymorphic(typeOid)
          ? {}
          : { target: { typeOid, typmod: -1, columnName: parameter.name ?? '' } }),
      });
      signature.defaults.push(expr);
    } else {
      if (signature.defaults.length > 0 && (mode === 'i' || mode === 'b' || mode === 'v'))
        throw new DbError(
          'invalid_function_definition',
          'input parameters after one with a default value must also have defaults',
        );
      if (signature.defaults.length > 0 && isProcedure)
        throw new DbError(
          'invalid_function_definition',
          'procedure OUT parameters cannot appear after one with a default value',
        );
    }
    if (type?.kind === 'p' && isSqlLanguage && !PSEUDO_ARGUMENTS.has(typeOid))
      throw new DbError(
        'invalid_function_definition',
        `SQL functions cannot have arguments of type ${formatType(ddl.reader, typeOid, { path: ddl.path })}`,
      );
  }
  if (outCount > 0) {
    if (isProcedure || outCount > 1) signature.resultType = RECORD;
  }
  return signature;
}

const MODES: Readonly<Record<string, Parameter['mode']>> = {
  FUNC_PARAM_DEFAULT: 'i',
  FUNC_PARAM_IN: 'i',
  FUNC_PARAM_OUT: 'o',
  FUNC_PARAM_INOUT: 'b',
  FUNC_PARAM_VARIADIC: 'v',
  FUNC_PARAM_TABLE: 't',
};

/** Options that CREATE and ALTER FUNCTION share. */
interface Options {
  volatility?: 'i' | 's' | 'v';
  strict?: boolean;
  securityDefiner?: boolean;
  leakproof?: boolean;
  parallel?: 's' | 'r' | 'u';
  cost?: number;
  rows?: number;
  isWindow?: boolean;
  language?: string;
  as?: Node[];
  sets: VariableSetStmt[];
  support?: boolean;
  transform?: boolean;
}

function readOptions(elements: readonly DefElem[], isProcedure: boolean): Options {
  const options: Options = { sets: [] };
  const seen = new Set<string>();
  for (const element of elements) {
    const name = element.defname ?? '';
    if (name !== 'set') {
      if (seen.has(name))
        throw new DbError('syntax_error', 'conflicting or redundant options').at(
          positionOf(element.location),
        );
      seen.add(name);
    }
    const inProcedure = (): void => {
      if (isProcedure)
        throw new DbError('invalid_function_definition', 'invalid attribute in procedure definition').at(
          positionOf(element.location),
        );
    };
    switch (name) {
      case 'volatility': {
        inProcedure();
        const word = stringOf(element.arg);
        options.volatility = word === 'immutable' ? 'i' : word === 'stable' ? 's' : 'v';
        break;
      }
      case 'strict':
        inProcedure();
        options.strict = booleanOption(element);
        break;
      case 'security':
        options.securityDefiner = booleanOption(element);
        break;
      case 'leakproof':
        inProcedure();
        options.leakproof = booleanOption(element);
        break;
      case 'parallel': {
        inProcedure();
        const word = stringOf(element.arg);
        if (word === 'safe') options.parallel = 's';
        else if (word === 'restricted') options.parallel = 'r';
        else if (word === 'unsafe') options.parallel = 'u';
        else throw new DbError('syntax_error', 'parameter "parallel" must be SAFE, RESTRICTED, or UNSAFE');
        break;
      }
      case 'cost': {
        inProcedure();
        options.cost = numberOf(element);
        if (options.cost <= 0) throw new DbError('invalid_parameter_value', 'COST must be positive');
        break;
      }
      case 'rows': {
        inProcedure();
        options.rows = numberOf(element);
        if (options.rows <= 0) throw new DbError('invalid_parameter_value', 'ROWS must be positive');
        break;
      }
      case 'window':
        inProcedure();
        options.isWindow = true;
        break;
      case 'language':
        options.language = stringOf(element.arg);
        break;
      case 'as':
        options.as =
          element.arg !== undefined && 'List' in element.arg
            ? (element.arg.List.items ?? [])
            : [element.arg!];
        break;
      case 'set':
        if (element.arg !== undefined && 'VariableSetStmt' in element.arg)
          options.sets.push(element.arg.VariableSetStmt);
        break;
      case 'support':
        inProcedure();
        options.support = true;
        break;
      case 'transform':
        options.transform = true;
        break;
      default:
        throw new DbError('syntax_error', `option "${name}" not recognized`);
    }
  }
  return options;
}

function numberOf(element: DefElem): number {
  const { arg } = element;
  if (arg !== undefined && 'Integer' in arg) return arg.Integer.ival ?? 0;
  if (arg !== undefined && 'Float' in arg) return Number(arg.Float.fval ?? '0');
  throw new DbError('syntax_error', `${element.defname} requires a numeric value`);
}

/** The value of SET name TO value as pg_proc.proconfig keeps it; null for DEFAULT (and RESET). */
export function settingText(ddl: Ddl, set: VariableSetStmt): string | null {
  switch (set.kind) {
    case 'VAR_SET_CURRENT':
      return ddl.context.setting(set.name ?? '');
    case 'VAR_SET_VALUE': {
      const isList =
        set.name === 'search_path' ||
        set.name === 'session_preload_libraries' ||
        set.name === 'DateStyle' ||
        set.name === 'datestyle';
      const parts = (set.args ?? []).map((node) => {
        const constant = 'A_Const' in node ? node.A_Const : undefined;
        if (constant === undefined) throw notSupported('this value of SET');
        const item = constant as {
          ival?: { ival?: number };
          fval?: { fval?: string };
          sval?: { sval?: string };
          boolval?: { boolval?: boolean };
        };
        if (item.sval !== undefined) {
          const text = item.sval.sval ?? '';
          return set.name === 'search_path' && !/^[a-z_$][a-z0-9_$]*$/.test(text)
            ? `"${text.replaceAll('"', '""')}"`
            : text;
        }
        if (item.fval !== undefined) return item.fval.fval ?? '';
        if (item.boolval !== undefined) return item.boolval.boolval === true ? 'true' : 'false';
        return String(item.ival?.ival ?? 0);
      });
      if (parts.length > 1 && !isList && set.name !== 'search_path')
        throw new DbError('invalid_parameter_value', `SET ${set.name} takes only one argument`);
      return parts.join(', ');
    }
    default:
      return null;
  }
}

function updateSettings(
  ddl: Ddl,
  present: readonly string[] | null,
  sets: readonly VariableSetStmt[],
): string[] | null {
  let settings = [...(present ?? [])];
  for (const set of sets) {
    if (set.kind === 'VAR_RESET_ALL') {
      settings = [];
      continue;
    }
    const name = ddl.context.settingName?.(set.name ?? '') ?? set.name ?? '';
    const value = settingText(ddl, set);
    const at = settings.findIndex(
      (item) => item.slice(0, item.indexOf('=')).toLowerCase() === name.toLowerCase(),
    );
    if (value === null) {
      if (at >= 0) settings.splice(at, 1);
      continue;
    }
    ddl.context.checkSetting?.(name, value);
    if (at >= 0) settings[at] = `${name}=${value}`;
    else settings.push(`${name}=${value}`);
  }
  return settings.length === 0 ? null : settings;
}

function languageOf(ddl: Ddl, name: string): { oid: Oid; name: string; trusted: boolean } {
  const wanted = name.toLowerCase() === name ? name : name;
  for (const { key, values } of ddl.reader.view.all('pg_language')) {
    if (values[PG_LANGUAGE.lanname] !== wanted) continue;
    return { oid: key as number, name: wanted, trusted: values[PG_LANGUAGE.lanpltrusted] === true };
  }
  throw new DbError('undefined_object', `language "${wanted}" does not exist`);
}

export async function createFunction(ddl: Ddl, statement: CreateFunctionStmt): Promise<UtilityResult> {
  const isProcedure = statement.is_procedure === true;
  const tag = isProcedure ? 'CREATE PROCEDURE' : 'CREATE FUNCTION';
  const names = stringsOf(statement.funcname);
  const name = truncateIdentifier(names.at(-1) ?? '');
  const namespace = ddl.creationNamespace(names.length > 1 ? names.at(-2) : undefined);
  const options = readOptions(defElems(statement.options), isProcedure);
  const body = (statement as { sql_body?: Node }).sql_body;
  if (options.language === undefined) {
    if (body === undefined) throw new DbError('invalid_function_definition', 'no language specified');
    options.language = 'sql';
  }
  const language = languageOf(ddl, options.language.toLowerCase());
  if (!ddl.isSuperuser) {
    if (!language.trusted)
      throw new DbError('insufficient_privilege', `permission denied for language ${language.name}`);
    if (!ddl.reader.hasObjectPrivilege(ddl.role, 'language', language.oid, 'USAGE'))
      throw new DbError('insufficient_privilege', `permission denied for language ${language.name}`);
    if (options.leakproof === true)
      throw new DbError('insufficient_privilege', 'only superuser can define a leakproof function');
  }
  if (options.support === true) throw notSupported('SUPPORT of functions');
  if (options.transform === true) throw notSupported('TRANSFORM of functions');
  const signature = interpretParameters(ddl, statement, language.name === 'sql');
  let returnType: Oid;
  let returnsSet = false;
  if (isProcedure) returnType = signature.resultType === 0 ? VOID : signature.resultType;
  else if (statement.returnType !== undefined) {
    returnType = typeOfName(ddl, statement.returnType);
    returnsSet = statement.returnType.setof === true;
    const isTable = signature.all.some(({ mode }) => mode === 't');
    if (signature.resultType !== 0 && returnType !== signature.resultType) {
      if (isTable) returnType = signature.resultType;
      else
        throw new DbError(
          'invalid_function_definition',
          `function result type must be ${formatType(ddl.reader, signature.resultType, { path: ddl.path })} because of OUT parameters`,
        );
    }
  } else if (signature.resultType !== 0) returnType = signature.resultType;
  else throw new DbError('invalid_function_definition', 'function result type must be specified');
  checkPolymorphicResult(ddl, signature, returnType);
  checkResultOfLanguage(ddl, language.name, returnType, signature);

  const { as } = options;
  let source = '';
  let probin: string | null = null;
  if (body !== undefined) {
    if (as !== undefined)
      throw new DbError('invalid_function_definition', 'duplicate function body specified');
    if (language.name !== 'sql')
      throw new DbError(
        'invalid_function_definition',
        'inline SQL function body only valid for language SQL',
      );
    if (signature.inputs.some(isPolymorphic))
      throw new DbError(
        'invalid_function_definition',
        'SQL function with unquoted function body cannot have polymorphic arguments',
      );
  } else {
    if (as === undefined) throw new DbError('invalid_function_definition', 'no function body specified');
    source = stringOf(as[0]);
    if (as.length > 1) {
      if (language.name !== 'c')
        throw new DbError(
          'invalid_function_definition',
          `only one AS item needed for language "${language.name}"`,
        );
      probin = source;
      source = stringOf(as[1]);
    } else if (language.name === 'c') {
      probin = source;
      source = name;
    }
  }
  if (language.name === 'c') throw notSupported('functions in language C');
  let rows = options.rows ?? -1;
  if (rows >= 0 && !returnsSet)
    throw new DbError(
      'invalid_parameter_value',
      'ROWS is not applicable when function does not return a set',
    );
  if (rows < 0) rows = returnsSet ? 1000 : 0;
  const cost = options.cost ?? (language.name === 'internal' || language.name === 'c' ? 1 : 100);
  const settings = updateSettings(ddl, null, options.sets);

  const hasModes = signature.all.some(({ mode }) => mode !== 'i');
  const hasNames = signature.all.some((parameter) => parameter.name !== '');
  await ddl.reserve(namespace, `function ${name}`);
  const existing = ddl.reader
    .functionsByName(ddl.reader.namespaceName(namespace), name, {
      namespaces: [namespace],
      creationNamespace: namespace,
    })
    .find(
      (other) =>
        other.namespaceOid === namespace &&
        other.argumentTypes.length === signature.inputs.length &&
        other.argumentTypes.every((type, index) => type === signature.inputs[index]),
    );
  const kind = isProcedure ? 'p' : options.isWindow === true ? 'w' : 'f';
  const values = {
    proname: name,
    pronamespace: namespace,
    prolang: language.oid,
    procost: cost,
    prorows: rows,
    provariadic: signature.variadicType,
    prosupport: 0,
    prokind: kind,
    prosecdef: options.securityDefiner ?? false,
    proleakproof: options.leakproof ?? false,
    proisstrict: options.strict ?? false,
    proretset: returnsSet,
    provolatile: options.volatility ?? 'v',
    proparallel: options.parallel ?? 'u',
    pronargs: signature.inputs.length,
    pronargdefaults: signature.defaults.length,
    prorettype: returnType,
    proargtypes: new SqlArray(
      OIDVECTOR_ELEMENT,
      signature.inputs,
      signature.inputs.length === 0 ? [] : [signature.inputs.length],
      signature.inputs.length === 0 ? [] : [0],
    ),
    proallargtypes: hasModes
      ? new SqlArray(
          OIDVECTOR_ELEMENT,
          signature.all.map(({ typeOid }) => typeOid),
        )
      : null,
    proargmodes: hasModes
      ? new SqlArray(
          CHAR,
          signature.all.map(({ mode }) => mode),
        )
      : null,
    proargnames: hasNames
      ? new SqlArray(
          TEXT,
          signature.all.map((parameter) => parameter.name),
        )
      : null,
    proargdefaults: signature.defaults.length > 0 ? serialiseExprs(signature.defaults) : null,
    protrftypes: null,
    prosrc: source,
    probin,
    prosqlbody: null,
    proconfig: settings === null ? null : new SqlArray(TEXT, settings),
  } satisfies Partial<Record<keyof typeof PG_PROC, Datum>>;

  let oid: Oid;
  if (existing !== undefined) {
    if (statement.replace !== true)
      throw new DbError('duplicate_function', `function "${name}" already exists with same argument types`);
    if (!ddl.isOwner(existing.ownerOid))
      throw new DbError('insufficient_privilege', `must be owner of ${kindWord(existing.kind)} ${name}`);
    checkReplacement(ddl, existing, { kind, returnType, returnsSet, signature, hasNames });
    oid = existing.oid;
    const changes: Record<number, Datum> = {};
    for (const key of Object.keys(values) as (keyof typeof values)[])
      changes[PG_PROC[key]] = values[key] as Datum;
    ddl.writer.update('pg_proc', oid, changes);
    ddl.writer.removeDependenciesOf(address(CLASS_OID.procedure, oid), (row) => row[6] !== 'e');
  } else {
    oid = ddl.writer.allocateOid();
    ddl.writer.insert(
      'pg_proc',
      makeRow(PG_PROC, {
        ...values,
        oid,
        proowner: ddl.role,
        proacl: ddl.context.defaultAcl?.('function', namespace) ?? null,
      }),
    );
    ddl.writer.recordOwner(address(CLASS_OID.procedure, oid), ddl.role);
  }
  if (body !== undefined) {
    const stored = ddl.context.sqlBody?.(oid, body) ?? null;
    if (stored === null) throw notSupported('SQL-standard function bodies');
    ddl.writer.update('pg_proc', oid, { [PG_PROC.prosqlbody]: stored.serialised });
    const collector = new DependencyCollector();
    for (const query of stored.queries) collector.query(query);
    for (const referenced of collector.addresses)
      ddl.writer.dependOn(address(CLASS_OID.procedure, oid), referenced, 'n');
  }
  recordDependencies(ddl, oid, { namespace, language: language.oid, returnType, signature });
  ddl.advance();
  if (body === undefined) await ddl.context.validateFunction?.(oid);
  return { tag };
}

function recordDependencies(
  ddl: Ddl,
  oid: Oid,
  what: { namespace: Oid; language: Oid; returnType: Oid; signature: Signature },
): void {
  const self = address(CLASS_OID.procedure, oid);
  ddl.writer.dependOn(self, address(CLASS_OID.namespace, what.namespace), 'n');
  ddl.writer.dependOn(self, address(CLASS_OID.language, what.language), 'n');
  ddl.writer.dependOn(self, address(CLASS_OID.type, what.returnType), 'n');
  for (const { typeOid } of what.signature.all)
    ddl.writer.dependOn(self, address(CLASS_OID.type, typeOid), 'n');
  const collector = new DependencyCollector();
  for (const expr of what.signature.defaults) collector.expression(expr, 0);
  for (const referenced of collector.addresses) ddl.writer.dependOn(self, referenced, 'n');
}

function kindWord(kind: FunctionDescriptor['kind']): string {
  return kind === 'p' ? 'procedure' : kind === 'a' ? 'aggregate' : 'function';
}

/** What CREATE OR REPLACE may not change. Errors 42P13, 42809. */
function checkReplacement(
  ddl: Ddl,
  existing: FunctionDescriptor,
  next: { kind: string; returnType: Oid; returnsSet: boolean; signature: Signature; hasNames: boolean },
): void {
  const { reader } = ddl;
  const hint: ErrorFields = {
    hint: `Use DROP ${existing.kind === 'p' ? 'PROCEDURE' : existing.kind === 'a' ? 'AGGREGATE' : 'FUNCTION'} ${reader.names(ddl.path).print('procedure', existing.oid)} first.`,
  };
  if (existing.kind !== next.kind)
    throw new DbError('wrong_object_type', 'cannot change routine kind', {
      detail:
        existing.kind === 'a'
          ? `"${existing.name}" is an aggregate function.`
          : existing.kind === 'p'
            ? `"${existing.name}" is a procedure.`
            : existing.kind === 'w'
              ? `"${existing.name}" is a window function.`
              : `"${existing.name}" is a function.`,
    });
  if (existing.returnType !== next.returnType || existing.returnsSet !== next.returnsSet)
    throw new DbError(
      'invalid_function_definition',
      existing.kind === 'p'
        ? 'cannot change whether a procedure has output parameters'
        : 'cannot change return type of existing function',
      hint,
    );
  const outputs = (parameters: readonly Parameter[]): string =>
    parameters
      .filter(({ mode }) => mode !== 'i' && mode !== 'v')
      .map(({ name, typeOid }) => `${name}\0${typeOid}`)
      .join('\x01');
  const types = existing.allArgumentTypes ?? existing.argumentTypes;
  const old = types.map(
    (typeOid, index): Parameter => ({
      mode: (existing.argumentModes?.[index] ?? 'i') as Parameter['mode'],
      name: existing.argumentNames?.[index] ?? '',
      typeOid,
    }),
  );
  if (next.returnType === RECORD && outputs(old) !== outputs(next.signature.all))
    throw new DbError('invalid_function_definition', 'cannot change return type of existing function', {
      detail: 'Row type defined by OUT parameters is different.',
      ...hint,
    });
  const oldInputs = old.filter(({ mode }) => mode === 'i' || mode === 'b' || mode === 'v');
  oldInputs.forEach((parameter, index) => {
    if (parameter.name === '' || parameter.name === next.signature.inputNames[index]) return;
    throw new DbError(
      'invalid_function_definition',
      `cannot change name of input parameter "${parameter.name}"`,
      hint,
    );
  });
  if (existing.defaultCount > 0) {
    if (next.signature.defaults.length < existing.defaultCount)
      throw new DbError(
        'invalid_function_definition',
        'cannot remove parameter defaults from existing function',
        hint,
      );
    const oldDefaults = parseExprs(existing.defaults ?? '[]', (oid) => reader.type(oid)!.support);
    const newDefaults = next.signature.defaults.slice(next.signature.defaults.length - existing.defaultCount);
    oldDefaults.forEach((expr, index) => {
      if (expr.typeOid !== newDefaults[index]!.typeOid)
        throw new DbError(
          'invalid_function_definition',
          'cannot change data type of existing parameter default value',
          hint,
        );
    });
  }
}

function checkPolymorphicResult(ddl: Ddl, signature: Signature, returnType: Oid): void {
  const check = (typeOid: Oid): void => {
    if (!isPolymorphic(typeOid)) return;
    const isCompatible = isPolymorphicFamily2(typeOid);
    const text = formatType(ddl.reader, typeOid, { path: ddl.path });
    if (typeOid === 3831 || typeOid === 4537) {
      if (signature.inputs.some((oid) => oid === 3831 || oid === 4537)) return;
      throw new DbError('invalid_function_definition', 'cannot determine result data type', {
        detail: `A result of type ${text} requires at least one input of type anyrange or anymultirange.`,
      });
    }
    if (typeOid === 5080 || typeOid === 4538) {
      if (signature.inputs.some((oid) => oid === 5080 || oid === 4538)) return;
      throw new DbError('invalid_function_definition', 'cannot determine result data type', {
        detail: `A result of type ${text} requires at least one input of type anycompatiblerange or anycompatiblemultirange.`,
      });
    }
    if (signature.inputs.some((oid) => isPolymorphic(oid) && isPolymorphicFamily2(oid) === isCompatible))
      return;
    throw new DbError('invalid_function_definition', 'cannot determine result data type', {
      detail: isCompatible
        ? `A result of type ${text} requires at least one input of type anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange.`
        : `A result of type ${text} requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange.`,
    });
  };
  check(returnType);
  for (const { mode, typeOid } of signature.all) if (mode !== 'i' && mode !== 'v') check(typeOid);
}

function checkResultOfLanguage(ddl: Ddl, language: string, returnType: Oid, signature: Signature): void {
  const type = ddl.reader.type(returnType);
  const text = (oid: Oid): string => formatType(ddl.reader, oid, { path: ddl.path });
  if (language === 'sql') {
    if (type?.kind === 'p' && returnType !== RECORD && returnType !== VOID && !isPolymorphic(returnType))
      throw new DbError(
        'invalid_function_definition',
        `SQL functions cannot return type ${text(returnType)}`,
      );
    return;
  }
  if (language !== 'plpgsql') return;
  if (
    type?.kind === 'p' &&
    returnType !== TRIGGER &&
    returnType !== 3838 &&
    returnType !== RECORD &&
    returnType !== VOID &&
    !isPolymorphic(returnType)
  )
    throw new DbError('feature_not_supported', `PL/pgSQL functions cannot return type ${text(returnType)}`);
  for (const oid of signature.inputs) {
    const argument = ddl.reader.type(oid);
    if (argument?.kind === 'p' && oid !== RECORD && !isPolymorphic(oid))
      throw new DbError('feature_not_supported', `PL/pgSQL functions cannot accept type ${text(oid)}`);
  }
}

/** ALTER FUNCTION … options; renaming, owner and schema are commands of their own. */
export async function alterFunction(ddl: Ddl, statement: AlterFunctionStmt): Promise<UtilityResult> {
  const kind = statement.objtype ?? 'OBJECT_FUNCTION';
  const descriptor = findRoutine(ddl, statement.func!, kind);
  if (!ddl.isOwner(descriptor.ownerOid))
    throw new DbError(
      'insufficient_privilege',
      `must be owner of ${kindWord(descriptor.kind)} ${descriptor.name}`,
    );
  if (descriptor.kind === 'a')
    throw new DbError('wrong_object_type', `"${descriptor.name}" is an aggregate function`);
  const options = readOptions(
    (statement.actions ?? []).flatMap((node) => ('DefElem' in node ? [node.DefElem] : [])),
    descriptor.kind === 'p',
  );
  const changes: Record<number, Datum> = {};
  if (options.volatility !== undefined) changes[PG_PROC.provolatile] = options.volatility;
  if (options.strict !== undefined) changes[PG_PROC.proisstrict] = options.strict;
  if (options.securityDefiner !== undefined) changes[PG_PROC.prosecdef] = options.securityDefiner;
  if (options.leakproof !== undefined) {
    if (options.leakproof && !ddl.isSuperuser)
      throw new DbError('insufficient_privilege', 'only superuser can define a leakproof function');
    changes[PG_PROC.proleakproof] = options.leakproof;
  }
  if (options.parallel !== undefined) changes[PG_PROC.proparallel] = options.parallel;
  if (options.cost !== undefined) changes[PG_PROC.procost] = options.cost;
  if (options.rows !== undefined) {
    if (!descriptor.returnsSet)
      throw new DbError(
        'invalid_parameter_value',
        'ROWS is not applicable when function does not return a set',
      );
    changes[PG_PROC.prorows] = options.rows;
  }
  if (options.sets.length > 0) {
    const settings = updateSettings(ddl, descriptor.settings, options.sets);
    changes[PG_PROC.proconfig] = settings === null ? null : new SqlArray(TEXT, settings);
  }
  ddl.writer.update('pg_proc', descriptor.oid, changes);
  return {
    tag:
      descriptor.kind === 'p'
        ? 'ALTER PROCEDURE'
        : kind === 'OBJECT_ROUTINE'
          ? 'ALTER ROUTINE'
          : 'ALTER FUNCTION',
  };
}

export { procedureWord };
