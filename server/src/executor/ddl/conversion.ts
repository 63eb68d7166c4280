/** CREATE CONVERSION and CREATE LANGUAGE: catalog objects over functions of the server. */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import { PG_CONVERSION, PG_LANGUAGE } from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import { encodingByName, encodingName } from '../../sql/functions/system.ts';
import { stringsOf } from '../../sql/parse/ast.ts';
import type { CreateConversionStmt, CreatePLangStmt } from '../../sql/parse/nodes.ts';
import type { Ddl } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { functionByTypes, recordNew } from './define-objects.ts';
import { requireNameIsFree } from './named-objects.ts';
import { makeRow } from './relation.ts';

const INT4 = 23;
const LANGUAGE_HANDLER = 2280;
/** source encoding, target encoding, text, destination, length, noError */
const CONVERSION_ARGUMENTS: readonly Oid[] = [INT4, INT4, 2275, 2281, INT4, 16];

export function createConversion(ddl: Ddl, statement: CreateConversionStmt): UtilityResult {
  const names = stringsOf(statement.conversion_name);
  const name = names.at(-1)!;
  const namespace = ddl.creationNamespace(names.length > 1 ? names.at(-2) : undefined);
  const from = encodingByName(statement.for_encoding_name ?? '');
  const to = encodingByName(statement.to_encoding_name ?? '');
  if (from < 0)
    throw new DbError('undefined_object', `source encoding "${statement.for_encoding_name}" does not exist`);
  if (to < 0)
    throw new DbError(
      'undefined_object',
      `destination encoding "${statement.to_encoding_name}" does not exist`,
    );
  if (from === 0 || to === 0)
    throw new DbError(
      'invalid_object_definition',
      'encoding conversion to or from "SQL_ASCII" is not supported',
    );
  const functionNames = stringsOf(statement.func_name);
  const functionOid = functionByTypes(ddl, functionNames, CONVERSION_ARGUMENTS);
  if (ddl.reader.function(functionOid)!.returnType !== INT4)
    throw new DbError(
      'invalid_object_definition',
      `encoding conversion function ${functionNames.join('.')} must return type integer`,
    );
  if (!ddl.reader.hasObjectPrivilege(ddl.role, 'function', functionOid, 'EXECUTE'))
    throw new DbError('insufficient_privilege', `permission denied for function ${functionNames.join('.')}`);
  for (const { values } of ddl.reader.view.all('pg_conversion')) {
    if (values[PG_CONVERSION.connamespace] !== namespace) continue;
    if (values[PG_CONVERSION.conname] === name)
      throw new DbError('duplicate_object', `conversion "${name}" already exists`);
    if (
      statement.def === true &&
      values[PG_CONVERSION.condefault] === true &&
      values[PG_CONVERSION.conforencoding] === from &&
      values[PG_CONVERSION.contoencoding] === to
    )
      throw new DbError(
        'duplicate_object',
        `default conversion for ${encodingName(from)} to ${encodingName(to)} already exists`,
      );
  }
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_conversion',
    makeRow(PG_CONVERSION, {
      oid,
      conname: name,
      connamespace: namespace,
      conowner: ddl.role,
      conforencoding: from,
      contoencoding: to,
      conproc: functionOid,
      condefault: statement.def === true,
    }),
  );
  recordNew(ddl, CLASS_OID.conversion, oid, namespace);
  ddl.writer.dependOn(address(CLASS_OID.conversion, oid), address(CLASS_OID.procedure, functionOid), 'n');
  return { tag: 'CREATE CONVERSION' };
}

/** Another name for a language the server runs; handlers of its own would need a C library. */
export function createLanguage(ddl: Ddl, statement: CreatePLangStmt): UtilityResult {
  if (!ddl.isSuperuser)
    throw new DbError('insufficient_privilege', 'must be superuser to create custom procedural language');
  const name = statement.plname!;
  const handlerNames = stringsOf(statement.plhandler);
  const handler = functionByTypes(ddl, handlerNames, []);
  if (ddl.reader.function(handler)!.returnType !== LANGUAGE_HANDLER)
    throw new DbError(
      'wrong_object_type',
      `function ${handlerNames.join('.')} must return type language_handler`,
    );
  if (ddl.reader.function(handler)!.source !== 'plpgsql_call_handler')
    throw notSupported(`a language with handler ${handlerNames.join('.')}`);
  const optional = (nodes: CreatePLangStmt['plinline'], types: readonly Oid[]): Oid =>
    nodes === undefined || nodes.length === 0 ? 0 : functionByTypes(ddl, stringsOf(nodes), types);
  const inline = optional(statement.plinline, [2281]);
  const validator = optional(statement.plvalidator, [26]);
  let oid: Oid | null = null;
  for (const { key, values } of ddl.reader.view.all('pg_language'))
    if (values[PG_LANGUAGE.lanname] === name) oid = key as number;
  if (oid !== null && statement.replace !== true) requireNameIsFree(ddl, 'OBJECT_LANGUAGE', name, null);
  const values = {
    lanname: name,
    lanowner: ddl.role,
    lanispl: true,
    lanpltrusted: statement.pltrusted === true,
    lanplcallfoid: handler,
    laninline: inline,
    lanvalidator: validator,
    lanacl: null,
  };
  if (oid !== null) {
    ddl.writer.update('pg_language', oid, {
      [PG_LANGUAGE.lanpltrusted]: values.lanpltrusted,
      [PG_LANGUAGE.lanplcallfoid]: handler,
      [PG_LANGUAGE.laninline]: inline,
      [PG_LANGUAGE.lanvalidator]: validator,
    });
    return { tag: 'CREATE LANGUAGE' };
  }
  oid = ddl.writer.allocateOid();
  ddl.writer.insert('pg_language', makeRow(PG_LANGUAGE, { oid, ...values }));
  recordNew(ddl, CLASS_OID.language, oid, null);
  for (const needed of [handler, inline, validator])
    if (needed !== 0)
      ddl.writer.dependOn(address(CLASS_OID.language, oid), address(CLASS_OID.procedure, needed), 'n');
  return { tag: 'CREATE LANGUAGE' };
}
