/** CREATE and ALTER TEXT SEARCH DICTIONARY, CONFIGURATION, TEMPLATE and PARSER. */
import type { Oid } from '../../base/brands.ts';
import { DbError, notSupported } from '../../base/error.ts';
import {
  PG_TS_CONFIG,
  PG_TS_CONFIG_MAP,
  PG_TS_DICT,
  PG_TS_PARSER,
  PG_TS_TEMPLATE,
} from '../../catalog/data/columns.ts';
import { CLASS_OID } from '../../catalog/definitions.ts';
import { address } from '../../catalog/mutations.ts';
import { parseDictionaryOptions } from '../../sql/functions/textsearch/configuration.ts';
import { TOKEN_TYPES } from '../../sql/functions/textsearch/parser.ts';
import { stringOf, stringsOf } from '../../sql/parse/ast.ts';
import type {
  AlterTSConfigurationStmt,
  AlterTSDictionaryStmt,
  DefElem,
  DefineStmt,
  Node,
} from '../../sql/parse/nodes.ts';
import { type Ddl, defElems, namesOf } from './common.ts';
import type { UtilityResult } from './contract.ts';
import { functionByTypes, optionName, recordNew } from './define-objects.ts';
import { findNamed, requireNamedOwner, requireNameIsFree } from './named-objects.ts';
import { makeRow } from './relation.ts';

const INTERNAL = 2281;

function place(ddl: Ddl, nodes: readonly Node[] | undefined): { namespace: Oid; name: string } {
  const names = stringsOf(nodes);
  return {
    namespace: ddl.creationNamespace(names.length > 1 ? names.at(-2) : undefined),
    name: names.at(-1)!,
  };
}

/** Options that are names: one element of a DefineStmt as List of Strings. */
function nameNode(element: DefElem): Node {
  return { List: { items: namesOf(element.arg).map((sval) => ({ String: { sval } })) } };
}

// -------------------------------------------------------------------------------------------------------- dictionaries

/** `name = 'value', …` as pg_ts_dict keeps it. */
function printOptions(options: ReadonlyMap<string, string>): string | null {
  if (options.size === 0) return null;
  const quoteName = (name: string): string =>
    /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
  return [...options]
    .map(([name, value]) => {
      const isEscaped = value.includes('\\');
      const text = value.replaceAll("'", "''").replaceAll('\\', '\\\\');
      return `${quoteName(name)} = ${isEscaped ? 'E' : ''}'${text}'`;
    })
    .join(', ');
}

const STOP_LISTS: ReadonlySet<string> = new Set(['english']);

/** Asks the template whether it takes the options, as its init function would. */
function checkOptions(ddl: Ddl, template: Oid, options: ReadonlyMap<string, string>): void {
  const row = ddl.writer.row('pg_ts_template', template);
  const lexize = row[PG_TS_TEMPLATE.tmpllexize] as Oid;
  const source = ddl.reader.function(lexize)?.source;
  const name = row[PG_TS_TEMPLATE.tmplname] as string;
  const wrong = (message: string): DbError => new DbError('invalid_parameter_value', message);
  const known = source === 'dsimple_lexize' ? ['stopwords', 'accept'] : ['stopwords', 'language'];
  if (source !== 'dsimple_lexize' && source !== 'dsnowball_lexize')
    throw notSupported(`a text search dictionary of template "${name}"`);
  const word = source === 'dsimple_lexize' ? 'simple dictionary' : 'Snowball';
  for (const option of options.keys())
    if (!known.includes(option)) throw wrong(`unrecognized ${word} parameter: "${option}"`);
  const stopWords = options.get('stopwords');
  if (stopWords !== undefined && !STOP_LISTS.has(stopWords))
    throw notSupported(`stop word list "${stopWords}"`);
  if (source === 'dsimple_lexize') return;
  const language = options.get('language');
  if (language === undefined) throw wrong('missing Language parameter');
  if (language !== 'english' && language !== 'porter')
    throw notSupported(`the Snowball stemmer for language "${language}"`);
}

function createDictionary(ddl: Ddl, statement: DefineStmt): UtilityResult {
  const { namespace, name } = place(ddl, statement.defnames);
  let template: Oid | null = null;
  const options = new Map<string, string>();
  for (const element of defElems(statement.definition))
    if (element.defname === 'template')
      template = findNamed(ddl, 'OBJECT_TSTEMPLATE', nameNode(element))!.oid;
    else options.set(element.defname!, optionName(element));
  if (template === null) throw new DbError('invalid_object_definition', 'text search template is required');
  checkOptions(ddl, template, options);
  requireNameIsFree(ddl, 'OBJECT_TSDICTIONARY', name, namespace);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_ts_dict',
    makeRow(PG_TS_DICT, {
      oid,
      dictname: name,
      dictnamespace: namespace,
      dictowner: ddl.role,
      dicttemplate: template,
      dictinitoption: printOptions(options),
    }),
  );
  recordNew(ddl, CLASS_OID.textSearchDictionary, oid, namespace);
  ddl.writer.dependOn(
    address(CLASS_OID.textSearchDictionary, oid),
    address(CLASS_OID.textSearchTemplate, template),
    'n',
  );
  return { tag: 'CREATE TEXT SEARCH DICTIONARY' };
}

/** ALTER TEXT SEARCH DICTIONARY name (option = value, option, …): an option without value goes back to its default. */
export function alterDictionary(ddl: Ddl, statement: AlterTSDictionaryStmt): UtilityResult {
  const found = findNamed(ddl, 'OBJECT_TSDICTIONARY', { List: { items: statement.dictname ?? [] } })!;
  requireNamedOwner(ddl, found);
  const options = parseDictionaryOptions(found.row[PG_TS_DICT.dictinitoption] as string | null);
  for (const element of defElems(statement.options)) {
    options.delete(element.defname!);
    if (element.arg !== undefined) options.set(element.defname!, optionName(element));
  }
  checkOptions(ddl, found.row[PG_TS_DICT.dicttemplate] as Oid, options);
  ddl.writer.update('pg_ts_dict', found.oid, { [PG_TS_DICT.dictinitoption]: printOptions(options) });
  return { tag: 'ALTER TEXT SEARCH DICTIONARY' };
}

// ------------------------------------------------------------------------------------------------------ configurations

function mappingsOf(ddl: Ddl, configuration: Oid): { type: number; sequence: number; dictionary: Oid }[] {
  return [...ddl.reader.view.all('pg_ts_config_map')]
    .filter(({ values }) => values[PG_TS_CONFIG_MAP.mapcfg] === configuration)
    .map(({ values }) => ({
      type: values[PG_TS_CONFIG_MAP.maptokentype] as number,
      sequence: values[PG_TS_CONFIG_MAP.mapseqno] as number,
      dictionary: values[PG_TS_CONFIG_MAP.mapdict] as Oid,
    }))
    .sort((left, right) => left.type - right.type || left.sequence - right.sequence);
}

function insertMapping(
  ddl: Ddl,
  configuration: Oid,
  mapping: { type: number; sequence: number; dictionary: Oid },
): void {
  ddl.writer.insert(
    'pg_ts_config_map',
    makeRow(PG_TS_CONFIG_MAP, {
      mapcfg: configuration,
      maptokentype: mapping.type,
      mapseqno: mapping.sequence,
      mapdict: mapping.dictionary,
    }),
  );
}

function removeMappings(ddl: Ddl, configuration: Oid, type: number | null): number {
  const rows = [...ddl.reader.view.all('pg_ts_config_map')].filter(
    ({ values }) =>
      values[PG_TS_CONFIG_MAP.mapcfg] === configuration &&
      (type === null || values[PG_TS_CONFIG_MAP.maptokentype] === type),
  );
  ddl.writer.removeAll('pg_ts_config_map', rows);
  return rows.length;
}

function recordConfiguration(ddl: Ddl, oid: Oid): void {
  const self = address(CLASS_OID.textSearchConfiguration, oid);
  const row = ddl.writer.row('pg_ts_config', oid);
  ddl.writer.removeDependenciesOf(self, (values) => values[3] !== CLASS_OID.namespace);
  ddl.writer.dependOn(self, address(CLASS_OID.textSearchParser, row[PG_TS_CONFIG.cfgparser] as Oid), 'n');
  for (const { dictionary } of mappingsOf(ddl, oid))
    ddl.writer.dependOn(self, address(CLASS_OID.textSearchDictionary, dictionary), 'n');
}

function createConfiguration(ddl: Ddl, statement: DefineStmt): UtilityResult {
  const { namespace, name } = place(ddl, statement.defnames);
  let parser: Oid | null = null;
  let source: Oid | null = null;
  for (const element of defElems(statement.definition)) {
    if (element.defname === 'parser') parser = findNamed(ddl, 'OBJECT_TSPARSER', nameNode(element))!.oid;
    else if (element.defname === 'copy')
      source = findNamed(ddl, 'OBJECT_TSCONFIGURATION', nameNode(element))!.oid;
    else
      throw new DbError(
        'syntax_error',
        `text search configuration parameter "${element.defname}" not recognized`,
      );
  }
  if (source !== null && parser !== null)
    throw new DbError('syntax_error', 'cannot specify both PARSER and COPY options');
  if (source !== null) parser = ddl.writer.row('pg_ts_config', source)[PG_TS_CONFIG.cfgparser] as Oid;
  if (parser === null) throw new DbError('invalid_object_definition', 'text search parser is required');
  requireNameIsFree(ddl, 'OBJECT_TSCONFIGURATION', name, namespace);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_ts_config',
    makeRow(PG_TS_CONFIG, {
      oid,
      cfgname: name,
      cfgnamespace: namespace,
      cfgowner: ddl.role,
      cfgparser: parser,
    }),
  );
  if (source !== null) for (const mapping of mappingsOf(ddl, source)) insertMapping(ddl, oid, mapping);
  recordNew(ddl, CLASS_OID.textSearchConfiguration, oid, namespace);
  recordConfiguration(ddl, oid);
  return { tag: 'CREATE TEXT SEARCH CONFIGURATION' };
}

function tokenTypes(nodes: readonly Node[] | undefined): { type: number; name: string }[] {
  const types = new Map<number, string>();
  for (const node of nodes ?? []) {
    const name = stringOf(node);
    const index = TOKEN_TYPES.findIndex(([alias]) => alias === name);
    if (index < 0) throw new DbError('invalid_parameter_value', `token type "${name}" does not exist`);
    types.set(index + 1, name);
  }
  return [...types].map(([type, name]) => ({ type, name }));
}

export function alterConfiguration(ddl: Ddl, statement: AlterTSConfigurationStmt): UtilityResult {
  const found = findNamed(ddl, 'OBJECT_TSCONFIGURATION', { List: { items: statement.cfgname ?? [] } })!;
  requireNamedOwner(ddl, found);
  const configuration = found.oid;
  const types = tokenTypes(statement.tokentype);
  const dictionaries = (statement.dicts ?? []).map(
    (node) => findNamed(ddl, 'OBJECT_TSDICTIONARY', node)!.oid,
  );
  switch (statement.kind) {
    case 'ALTER_TSCONFIG_ADD_MAPPING':
    case 'ALTER_TSCONFIG_ALTER_MAPPING_FOR_TOKEN':
      for (const { type } of types) {
        if (statement.override === true) removeMappings(ddl, configuration, type);
        else if (mappingsOf(ddl, configuration).some((mapping) => mapping.type === type))
          throw new DbError(
            'unique_violation',
            'duplicate key value violates unique constraint "pg_ts_config_map_index"',
            { detail: `Key (mapcfg, maptokentype, mapseqno)=(${configuration}, ${type}, 1) already exists.` },
          );
        for (const [index, dictionary] of dictionaries.entries())
          insertMapping(ddl, configuration, { type, sequence: index + 1, dictionary });
      }
      break;
    case 'ALTER_TSCONFIG_REPLACE_DICT':
    case 'ALTER_TSCONFIG_REPLACE_DICT_FOR_TOKEN': {
      const [old, replacement] = dictionaries;
      for (const mapping of mappingsOf(ddl, configuration)) {
        if (mapping.dictionary !== old) continue;
        if (types.length > 0 && !types.some(({ type }) => type === mapping.type)) continue;
        ddl.writer.update('pg_ts_config_map', `${configuration}.${mapping.type}.${mapping.sequence}`, {
          [PG_TS_CONFIG_MAP.mapdict]: replacement!,
        });
      }
      break;
    }
    default:
      for (const { type, name } of types) {
        if (removeMappings(ddl, configuration, type) > 0) continue;
        const message = `mapping for token type "${name}" does not exist`;
        if (statement.missing_ok !== true) throw new DbError('undefined_object', message);
        ddl.notice(`${message}, skipping`);
      }
  }
  recordConfiguration(ddl, configuration);
  return { tag: 'ALTER TEXT SEARCH CONFIGURATION' };
}

// ------------------------------------------------------------------------------------------------ templates and parsers

/** Function options of a template or parser: column and argument types. */
type FunctionOptions = Readonly<Record<string, readonly [column: string, types: readonly Oid[]]>>;

const TEMPLATE_FUNCTIONS: FunctionOptions = {
  init: ['tmplinit', [INTERNAL]],
  lexize: ['tmpllexize', [INTERNAL, INTERNAL, INTERNAL, INTERNAL]],
};

const PARSER_FUNCTIONS: FunctionOptions = {
  start: ['prsstart', [INTERNAL, 23]],
  gettoken: ['prstoken', [INTERNAL, INTERNAL, INTERNAL]],
  end: ['prsend', [INTERNAL]],
  headline: ['prsheadline', [INTERNAL, INTERNAL, 3615]],
  lextypes: ['prslextype', [INTERNAL]],
};

function readFunctions(
  ddl: Ddl,
  statement: DefineStmt,
  options: FunctionOptions,
  word: string,
): Map<string, Oid> {
  const found = new Map<string, Oid>();
  for (const element of defElems(statement.definition)) {
    const option = Object.hasOwn(options, element.defname!) ? options[element.defname!] : undefined;
    if (option === undefined)
      throw new DbError('syntax_error', `${word} parameter "${element.defname}" not recognized`);
    found.set(option[0], functionByTypes(ddl, namesOf(element.arg), option[1]));
  }
  return found;
}

function createTemplate(ddl: Ddl, statement: DefineStmt): UtilityResult {
  if (!ddl.isSuperuser)
    throw new DbError('insufficient_privilege', 'must be superuser to create text search templates');
  const { namespace, name } = place(ddl, statement.defnames);
  const functions = readFunctions(ddl, statement, TEMPLATE_FUNCTIONS, 'text search template');
  if (!functions.has('tmpllexize'))
    throw new DbError('invalid_object_definition', 'text search template lexize method is required');
  requireNameIsFree(ddl, 'OBJECT_TSTEMPLATE', name, namespace);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_ts_template',
    makeRow(PG_TS_TEMPLATE, {
      oid,
      tmplname: name,
      tmplnamespace: namespace,
      tmplinit: functions.get('tmplinit') ?? 0,
      tmpllexize: functions.get('tmpllexize')!,
    }),
  );
  recordFunctions(ddl, CLASS_OID.textSearchTemplate, oid, namespace, functions);
  return { tag: 'CREATE TEXT SEARCH TEMPLATE' };
}

function createParser(ddl: Ddl, statement: DefineStmt): UtilityResult {
  if (!ddl.isSuperuser)
    throw new DbError('insufficient_privilege', 'must be superuser to create text search parsers');
  const { namespace, name } = place(ddl, statement.defnames);
  const functions = readFunctions(ddl, statement, PARSER_FUNCTIONS, 'text search parser');
  for (const [column, word] of [
    ['prsstart', 'start'],
    ['prstoken', 'gettoken'],
    ['prsend', 'end'],
    ['prslextype', 'lextypes'],
  ] as const)
    if (!functions.has(column))
      throw new DbError('invalid_object_definition', `text search parser ${word} method is required`);
  requireNameIsFree(ddl, 'OBJECT_TSPARSER', name, namespace);
  const oid = ddl.writer.allocateOid();
  ddl.writer.insert(
    'pg_ts_parser',
    makeRow(PG_TS_PARSER, {
      oid,
      prsname: name,
      prsnamespace: namespace,
      prsstart: functions.get('prsstart')!,
      prstoken: functions.get('prstoken')!,
      prsend: functions.get('prsend')!,
      prsheadline: functions.get('prsheadline') ?? 0,
      prslextype: functions.get('prslextype')!,
    }),
  );
  recordFunctions(ddl, CLASS_OID.textSearchParser, oid, namespace, functions);
  return { tag: 'CREATE TEXT SEARCH PARSER' };
}

/** Templates and parsers have no owner. */
function recordFunctions(
  ddl: Ddl,
  classId: Oid,
  oid: Oid,
  namespace: Oid,
  functions: ReadonlyMap<string, Oid>,
): void {
  const self = address(classId, oid);
  ddl.writer.dependOn(self, address(CLASS_OID.namespace, namespace), 'n');
  for (const procedure of functions.values())
    ddl.writer.dependOn(self, address(CLASS_OID.procedure, procedure), 'n');
}

export function defineTextSearch(ddl: Ddl, statement: DefineStmt): UtilityResult {
  switch (statement.kind) {
    case 'OBJECT_TSDICTIONARY':
      return createDictionary(ddl, statement);
    case 'OBJECT_TSCONFIGURATION':
      return createConfiguration(ddl, statement);
    case 'OBJECT_TSTEMPLATE':
      return createTemplate(ddl, statement);
    default:
      return createParser(ddl, statement);
  }
}
