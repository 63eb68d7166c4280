/** Functions, procedures and aggregates as DROP, ALTER, COMMENT and GRANT name them. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { FunctionDescriptor } from '../../catalog/contract.ts';
import { formatType } from '../../catalog/format-type.ts';
import { positionOf, stringsOf } from '../../sql/parse/ast.ts';
import type { FunctionParameter, Node, ObjectType, ObjectWithArgs } from '../../sql/parse/nodes.ts';
import type { Ddl } from './common.ts';

const WORDS: Partial<Record<ObjectType, string>> = {
  OBJECT_PROCEDURE: 'procedure',
  OBJECT_AGGREGATE: 'aggregate',
  OBJECT_ROUTINE: 'routine',
};

export interface RoutineLookup {
  word: string;
  /** As messages show it. */
  signature: string;
  found: FunctionDescriptor | null;
}

function suits(kind: ObjectType, candidate: FunctionDescriptor): boolean {
  switch (kind) {
    case 'OBJECT_PROCEDURE':
      return candidate.kind === 'p';
    case 'OBJECT_AGGREGATE':
      return candidate.kind === 'a';
    case 'OBJECT_FUNCTION':
      return candidate.kind !== 'p';
    default:
      return true;
  }
}

/**
 * Looks a routine up by name and, where given, argument types. Types count as inputs first; procedures are also found by all their
 * arguments. Errors 42725 when a name alone is ambiguous, 42704 for unknown types.
 */
export function lookupRoutine(ddl: Ddl, target: ObjectWithArgs, kind: ObjectType): RoutineLookup {
  const names = stringsOf(target.objname);
  const word = WORDS[kind] ?? 'function';
  const schema = names.length > 1 ? names.at(-2)! : null;
  const label = names.join('.');
  if (schema !== null && ddl.reader.namespaceByName(schema) === null)
    throw new DbError('invalid_schema_name', `schema "${schema}" does not exist`);
  const candidates = ddl.reader.functionsByName(schema, names.at(-1) ?? '', ddl.path);
  if (target.args_unspecified === true) {
    const fitting = candidates.filter((candidate) => suits(kind, candidate));
    if (fitting.length > 1)
      throw new DbError('ambiguous_function', `${word} name "${label}" is not unique`, {
        hint: `Specify the argument list to select the ${word} unambiguously.`,
      });
    return { word, signature: `${label}()`, found: fitting[0] ?? null };
  }
  const resolve = (node: Node): Oid =>
    'TypeName' in node ? ddl.context.sql.resolveTypeName(node.TypeName).typeOid : 0;
  const types = (target.objargs ?? []).map(resolve);
  const sameTypes = (declared: readonly Oid[], wanted: readonly Oid[]): boolean =>
    declared.length === wanted.length && declared.every((type, index) => type === wanted[index]);
  const parameters = ((target as { objfuncargs?: Node[] }).objfuncargs ?? []).flatMap((node) =>
    'FunctionParameter' in node ? [(node as { FunctionParameter: FunctionParameter }).FunctionParameter] : [],
  );
  const hasModes = parameters.some(({ mode }) => mode !== undefined && mode !== 'FUNC_PARAM_DEFAULT');
  const allTypes = parameters.map((parameter) => resolve({ TypeName: parameter.argType! } as Node));
  const matches = candidates.filter((candidate) => {
    if (!suits(kind, candidate) && sameTypes(candidate.argumentTypes, types)) return true;
    if (sameTypes(candidate.argumentTypes, types)) return true;
    if (!hasModes && candidate.kind === 'p' && kind !== 'OBJECT_FUNCTION') {
      const declared = candidate.allArgumentTypes ?? candidate.argumentTypes;
      return sameTypes(declared, allTypes.length > 0 ? allTypes : types);
    }
    return false;
  });
  const fitting = matches.filter((candidate) => suits(kind, candidate));
  if (fitting.length > 1) throw new DbError('ambiguous_function', `${word} name "${label}" is not unique`);
  const signature = `${label}(${types.map((type) => formatType(ddl.reader, type, { path: ddl.path })).join(',')})`;
  return { word, signature, found: fitting[0] ?? matches[0] ?? null };
}

/** As {@link lookupRoutine}; errors 42883 when missing, 42809 when it is a routine of another kind. */
export function findRoutine(ddl: Ddl, target: ObjectWithArgs, kind: ObjectType): FunctionDescriptor {
  const { word, signature, found } = lookupRoutine(ddl, target, kind);
  if (found === null) throw missingRoutine(target, word, signature);
  checkKind(found, kind, signature);
  return found;
}

/** `aggregate`, `procedure`, `function`: what messages about ownership and rights call a routine. */
export function routineWord(kind: FunctionDescriptor['kind'] | undefined): string {
  return kind === 'a' ? 'aggregate' : kind === 'p' ? 'procedure' : 'function';
}

/** 42501 unless the current role owns the routine. */
export function requireRoutineOwner(ddl: Ddl, oid: Oid): void {
  if (ddl.isOwner(ddl.objectOwner('function', oid))) return;
  const routine = ddl.reader.function(oid);
  throw new DbError(
    'insufficient_privilege',
    `must be owner of ${routineWord(routine?.kind)} ${routine?.name}`,
  );
}

/** 42723 when a schema has another routine of that name and arguments. */
export function requireRoutineNameIsFree(ddl: Ddl, oid: Oid, name: string, namespace: Oid): void {
  const { argumentTypes } = ddl.reader.function(oid)!;
  for (const other of ddl.reader.functionsByName(null, name, {
    namespaces: [namespace],
    creationNamespace: namespace,
  }))
    if (
      other.oid !== oid &&
      other.argumentTypes.length === argumentTypes.length &&
      other.argumentTypes.every((type, index) => type === argumentTypes[index])
    ) {
      const types = argumentTypes.map((type) => formatType(ddl.reader, type, { path: ddl.path })).join(', ');
      throw new DbError(
        'duplicate_function',
        `function ${name}(${types}) already exists in schema "${ddl.reader.namespaceName(namespace)}"`,
      );
    }
}

export function missingRoutine(target: ObjectWithArgs, word: string, signature: string): DbError {
  const types = signature.slice(signature.indexOf('(') + 1, -1);
  if (target.args_unspecified === true)
    return new DbError(
      'undefined_function',
      `could not find a ${word} named "${stringsOf(target.objname).join('.')}"`,
    );
  if (word === 'aggregate' && types === '')
    return new DbError(
      'undefined_function',
      `aggregate ${stringsOf(target.objname).join('.')}(*) does not exist`,
    );
  return new DbError('undefined_function', `${word} ${signature} does not exist`).at(positionOf(-1));
}

export function checkKind(found: FunctionDescriptor, kind: ObjectType, signature: string): void {
  switch (kind) {
    case 'OBJECT_PROCEDURE':
      if (found.kind !== 'p') throw new DbError('wrong_object_type', `${signature} is not a procedure`);
      break;
    case 'OBJECT_AGGREGATE':
      if (found.kind !== 'a')
        throw new DbError('wrong_object_type', `function ${signature} is not an aggregate`);
      break;
    case 'OBJECT_FUNCTION':
      if (found.kind === 'p') throw new DbError('wrong_object_type', `${signature} is not a function`);
      break;
    default:
      break;
  }
}
