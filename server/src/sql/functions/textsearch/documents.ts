/** to_tsvector, to_tsquery, ranking, headlines, and the functions that show what parser and dictionaries do. */
import { DbError } from '../../../base/error.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import { formatJson, isJsonArray, isJsonObject, parseJson } from '../../../types/json-text.ts';
import { Jsonb, type JsonValue } from '../../../types/jsonb.ts';
import { Numeric } from '../../../types/numeric.ts';
import { formatNumeric } from '../../../types/numeric-text.ts';
import { OID } from '../../../types/oid.ts';
import type { TsQuery } from '../../../types/textsearch/query.ts';
import type { TsVector } from '../../../types/textsearch/vector.ts';
import type { FunctionContext, SetFunction } from '../contract.ts';
import { type JsonNode, jsonNodes } from '../json-nodes.ts';
import { boundTable, type FunctionTable, type Implementation, setFunction } from '../registry.ts';
import { textArray } from '../text.ts';
import { documentVector, QueryMaker, type QueryStyle } from './build.ts';
import { TextSearch } from './configuration.ts';
import { headline, parseHeadlineOptions } from './headline.ts';
import { matches } from './match.ts';
import { TOKEN, TOKEN_TYPES, tokenize } from './parser.ts';
import { rank, rankCovers, readWeights } from './rank.ts';

const DEFAULT_PARSER = 3722;

/** A version with and one without the configuration as first argument. */
function withConfiguration(
  names: { plain: string; given: string },
  make: (context: FunctionContext, search: TextSearch) => (configuration: number, ...args: never[]) => Datum,
): FunctionTable {
  return boundTable({
    [names.plain]: (context) => {
      const search = new TextSearch(context);
      const call = make(context, search) as (configuration: number, ...args: Datum[]) => Datum;
      return ((...args: Datum[]) => call(search.current(), ...args)) as Implementation;
    },
    [names.given]: (context) => make(context, new TextSearch(context)) as unknown as Implementation,
  });
}

interface JsonKinds {
  readonly keys: boolean;
  readonly strings: boolean;
  readonly numbers: boolean;
  readonly booleans: boolean;
}
const STRINGS: JsonKinds = { keys: false, strings: true, numbers: false, booleans: false };

function readKinds(filter: JsonValue): JsonKinds {
  const kinds = { keys: false, strings: false, numbers: false, booleans: false };
  const add = (flag: JsonValue): void => {
    if (typeof flag !== 'string') {
      throw new DbError('invalid_parameter_value', 'flag array element is not a string', {
        hint: 'Possible values are: "string", "numeric", "boolean", "key", and "all".',
      });
    }
    switch (flag.toLowerCase()) {
      case 'all':
        Object.assign(kinds, { keys: true, strings: true, numbers: true, booleans: true });
        break;
      case 'key':
        kinds.keys = true;
        break;
      case 'string':
        kinds.strings = true;
        break;
      case 'numeric':
        kinds.numbers = true;
        break;
      case 'boolean':
        kinds.booleans = true;
        break;
      default:
        throw new DbError('invalid_parameter_value', `wrong flag in flag array: "${flag}"`, {
          hint: 'Possible values are: "string", "numeric", "boolean", "key", and "all".',
        });
    }
  };
  if (isJsonArray(filter)) for (const flag of filter) add(flag);
  else if (isJsonObject(filter)) {
    throw new DbError('invalid_parameter_value', 'wrong flag type, only arrays and scalars are allowed');
  } else add(filter);
  return kinds;
}

function* jsonTexts(value: JsonValue, kinds: JsonKinds): Generator<string> {
  if (isJsonArray(value)) for (const item of value) yield* jsonTexts(item, kinds);
  else if (isJsonObject(value)) {
    for (const [key, item] of value.entries) {
      if (kinds.keys) yield key;
      yield* jsonTexts(item, kinds);
    }
  } else if (typeof value === 'string') {
    if (kinds.strings) yield value;
  } else if (value instanceof Numeric) {
    if (kinds.numbers) yield formatNumeric(value);
  } else if (typeof value === 'boolean' && kinds.booleans) yield value ? 'true' : 'false';
}

function* nodeTexts(node: JsonNode, kinds: JsonKinds): Generator<string> {
  if (node.kind === 'array') for (const child of node.children) yield* nodeTexts(child, kinds);
  else if (node.kind === 'object') {
    for (const [index, child] of node.children.entries()) {
      if (kinds.keys) yield node.keys[index]!;
      yield* nodeTexts(child, kinds);
    }
  } else if (node.kind === 'string') {
    if (kinds.strings) yield node.text;
  } else if (node.kind === 'number') {
    if (kinds.numbers) yield node.text;
  } else if (node.kind !== 'null' && kinds.booleans) yield node.text;
}

/** Strings of a json value replaced, everything else kept. */
function mapStrings(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value);
  if (isJsonArray(value)) return value.map((item) => mapStrings(item, change));
  if (isJsonObject(value)) {
    return { entries: value.entries.map(([key, item]) => [key, mapStrings(item, change)] as const) };
  }
  return value;
}

// Words of different json values are not neighbours.
const JSON_GAP = 1;

const vectors: FunctionTable = {
  ...withConfiguration(
    { plain: 'to_tsvector', given: 'to_tsvector_byid' },
    (context, search) => (configuration: number, text: string) =>
      documentVector(search, context, configuration, [text]),
  ),
  ...withConfiguration(
    { plain: 'jsonb_string_to_tsvector', given: 'jsonb_string_to_tsvector_byid' },
    (context, search) => (configuration: number, value: Jsonb) =>
      documentVector(search, context, configuration, jsonTexts(value.value, STRINGS), JSON_GAP),
  ),
  ...withConfiguration(
    { plain: 'json_string_to_tsvector', given: 'json_string_to_tsvector_byid' },
    (context, search) => (configuration: number, text: string) =>
      documentVector(search, context, configuration, nodeTexts(jsonNodes(text), STRINGS), JSON_GAP),
  ),
  ...withConfiguration(
    { plain: 'jsonb_to_tsvector', given: 'jsonb_to_tsvector_byid' },
    (context, search) => (configuration: number, value: Jsonb, filter: Jsonb) =>
      documentVector(
        search,
        context,
        configuration,
        jsonTexts(value.value, readKinds(filter.value)),
        JSON_GAP,
      ),
  ),
  ...withConfiguration(
    { plain: 'json_to_tsvector', given: 'json_to_tsvector_byid' },
    (context, search) => (configuration: number, text: string, filter: Jsonb) =>
      documentVector(
        search,
        context,
        configuration,
        nodeTexts(jsonNodes(text), readKinds(filter.value)),
        JSON_GAP,
      ),
  ),
};

function queryFunction(name: string, style: QueryStyle): FunctionTable {
  return withConfiguration({ plain: name, given: `${name}_byid` }, (context, search) => {
    const makers = new Map<number, QueryMaker>();
    return (configuration: number, text: string) => {
      let maker = makers.get(configuration);
      if (maker === undefined) {
        maker = new QueryMaker(search, context, configuration);
        makers.set(configuration, maker);
      }
      return maker.make(text, style);
    };
  });
}

function headlines(
  suffix: string,
  apply: (source: Datum, change: (text: string) => string) => Datum,
): FunctionTable {
  const make =
    (hasOptions: boolean) =>
    (context: FunctionContext, search: TextSearch) =>
    (configuration: number, source: Datum, query: TsQuery, options: string): Datum => {
      const parsed = parseHeadlineOptions(hasOptions ? options : null);
      return apply(source, (text) => headline(search, configuration, text, query, parsed, context));
    };
  return {
    ...withConfiguration({ plain: `ts_headline${suffix}`, given: `ts_headline${suffix}_byid` }, make(false)),
    ...withConfiguration(
      { plain: `ts_headline${suffix}_opt`, given: `ts_headline${suffix}_byid_opt` },
      make(true),
    ),
  };
}

type Rank = typeof rank;
const rankings = (prefix: string, compute: Rank): Record<string, Implementation> => ({
  [`${prefix}_wttf`]: (weights: SqlArray, vector: TsVector, query: TsQuery, method: number) =>
    compute(readWeights(weights), vector, query, method),
  [`${prefix}_wtt`]: (weights: SqlArray, vector: TsVector, query: TsQuery) =>
    compute(readWeights(weights), vector, query, 0),
  [`${prefix}_ttf`]: (vector: TsVector, query: TsQuery, method: number) =>
    compute(readWeights(null), vector, query, method),
  [`${prefix}_tt`]: (vector: TsVector, query: TsQuery) => compute(readWeights(null), vector, query, 0),
});

const constant = (table: Record<string, Implementation>): FunctionTable =>
  boundTable(Object.fromEntries(Object.entries(table).map(([name, call]) => [name, () => call])));

export const documentFunctions: FunctionTable = {
  ...vectors,
  ...queryFunction('to_tsquery', 'standard'),
  ...queryFunction('plainto_tsquery', 'plain'),
  ...queryFunction('phraseto_tsquery', 'phrase'),
  ...queryFunction('websearch_to_tsquery', 'web'),
  ...headlines('', (text, change) => change(text as string)),
  ...headlines('_jsonb', (value, change) => new Jsonb(mapStrings((value as Jsonb).value, change))),
  ...headlines('_json', (text, change) => {
    // Spelling of everything but strings is kept by the json text itself.
    const value = parseJson(text as string);
    return formatJson(mapStrings(value, change)).replaceAll('": ', '":').replaceAll(', ', ',');
  }),
  ...constant({ ...rankings('ts_rank', rank), ...rankings('ts_rankcd', rankCovers) }),
  ...boundTable({
    get_current_ts_config: (context) => {
      const search = new TextSearch(context);
      return () => search.current();
    },
    ts_lexize: (context) => {
      const search = new TextSearch(context);
      return (dictionary: number, token: string) => {
        const lexemes = search.dictionary(dictionary).lexize(token);
        return lexemes === null ? null : textArray([...lexemes]);
      };
    },
    ts_match_tt: (context) => {
      const search = new TextSearch(context);
      return (document: string, query: string) =>
        matches(
          documentVector(search, context, search.current(), [document]),
          new QueryMaker(search, context, search.current()).make(query, 'plain').root,
        );
    },
    ts_match_tq: (context) => {
      const search = new TextSearch(context);
      return (document: string, query: TsQuery) =>
        matches(documentVector(search, context, search.current(), [document]), query.root);
    },
  }),
};

function checkParser(name: string): void {
  if (name !== 'default' && name !== 'pg_catalog.default') {
    throw new DbError('undefined_object', `text search parser "${name}" does not exist`);
  }
}
function checkParserOid(oid: number): void {
  if (oid !== DEFAULT_PARSER) {
    throw new DbError('internal_error', `cache lookup failed for text search parser ${oid}`);
  }
}

function* parsed(text: string): Generator<readonly Datum[]> {
  for (const token of tokenize(text)) yield [token.type, token.text];
}
const tokenTypes = (): readonly Datum[][] =>
  TOKEN_TYPES.map(([alias, description], index) => [index + 1, alias, description]);

function* debug(context: FunctionContext, configuration: number, text: string): Generator<readonly Datum[]> {
  const search = new TextSearch(context);
  const { mappings } = search.configuration(configuration);
  for (const { type, text: token } of tokenize(text)) {
    const [alias, description] = TOKEN_TYPES[type - 1]!;
    const dictionaries = type === TOKEN.BLANK ? [] : (mappings.get(type) ?? []);
    let used: number | null = null;
    let lexemes: readonly string[] | null = null;
    for (const oid of dictionaries) {
      lexemes = search.dictionary(oid).lexize(token);
      if (lexemes !== null) {
        used = oid;
        break;
      }
    }
    yield [
      alias,
      description,
      token,
      new SqlArray(OID.REGDICTIONARY, [...dictionaries]),
      used,
      lexemes === null ? null : textArray([...lexemes]),
    ];
  }
}

export const documentSetFunctions: Record<string, SetFunction> = {
  ts_token_type_byid: setFunction(true, () => (parser: number) => {
    checkParserOid(parser);
    return tokenTypes();
  }),
  ts_token_type_byname: setFunction(true, () => (parser: string) => {
    checkParser(parser);
    return tokenTypes();
  }),
  ts_parse_byid: setFunction(true, () => (parser: number, text: string) => {
    checkParserOid(parser);
    return parsed(text);
  }),
  ts_parse_byname: setFunction(true, () => (parser: string, text: string) => {
    checkParser(parser);
    return parsed(text);
  }),
  '#6183': setFunction(
    true,
    (context) => (configuration: number, text: string) => debug(context, configuration, text),
  ),
  '#6184': setFunction(
    true,
    (context) => (text: string) => debug(context, new TextSearch(context).current(), text),
  ),
};
