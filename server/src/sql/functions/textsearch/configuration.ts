/**
 * Text search configurations and dictionaries: the builtin ones from the catalog's data, others through the context.
 *
 * Builtin dictionaries: simple, and English by Snowball. The other languages' stemmers are named in an error, never replaced.
 */
import { DbError, notSupported } from '../../../base/error.ts';
import type { FunctionContext } from '../contract.ts';
import { builtinCatalogRows } from './catalog-rows.ts';
import { isEnglishStopWord, stemEnglish } from './english.ts';

/** Lexemes of a token: null = not known to the dictionary, empty = a stop word. */
export type Lexize = (token: string) => readonly string[] | null;

export interface Dictionary {
  readonly oid: number;
  readonly name: string;
  readonly lexize: Lexize;
}

/** Dictionaries by token type, in the order they are asked. */
export interface Configuration {
  readonly oid: number;
  readonly mappings: ReadonlyMap<number, readonly number[]>;
}

/** Definition of a dictionary as the catalog holds it. */
export interface DictionaryDefinition {
  readonly oid: number;
  readonly name: string;
  readonly template: string;
  readonly options: ReadonlyMap<string, string>;
}

/** The catalog's text search objects, where the statement runs under a catalog. */
export interface TextSearchCatalog {
  configuration(oid: number): Configuration | undefined;
  dictionary(oid: number): DictionaryDefinition | undefined;
}

const SIMPLE_TEMPLATE = 'simple';
const SNOWBALL_TEMPLATE = 'snowball';

function lower(token: string): string {
  return token.toLowerCase();
}

function makeLexize(definition: DictionaryDefinition): Lexize {
  const { template, options, name } = definition;
  const stopWords = options.get('stopwords');
  if (stopWords !== undefined && stopWords !== 'english') {
    throw notSupported(`stop word list "${stopWords}" of text search dictionary ${name}`);
  }
  const isStop = stopWords === undefined ? () => false : isEnglishStopWord;
  if (template === SIMPLE_TEMPLATE) {
    const accepts = !/^(?:false|off|no|0)$/i.test(options.get('accept') ?? 'true');
    return (token) => {
      const word = lower(token);
      if (word === '' || isStop(word)) return [];
      return accepts ? [word] : null;
    };
  }
  const language = options.get('language');
  if (template === SNOWBALL_TEMPLATE && (language === 'english' || language === 'porter')) {
    return (token) => {
      const word = lower(token);
      // Very long words are no language.
      if (token.length > 1000) return [word];
      if (word === '' || isStop(word)) return [];
      return [stemEnglish(word)];
    };
  }
  throw notSupported(`text search dictionary ${name}`);
}

const builtinDictionaries = new Map<number, Dictionary>();

/** Configurations and dictionaries as one statement sees them. */
export class TextSearch {
  private readonly context: FunctionContext;
  private readonly dictionaries = new Map<number, Dictionary>();
  private readonly configurations = new Map<number, Configuration>();
  private defaultOid: number | null = null;

  constructor(context: FunctionContext) {
    this.context = context;
  }

  /** OID of the configuration that the session's default names. */
  current(): number {
    if (this.defaultOid === null) {
      const name = this.context.session.setting('default_text_search_config') ?? 'pg_catalog.english';
      this.defaultOid = this.resolve(name);
    }
    return this.defaultOid;
  }

  private resolve(name: string): number {
    const builtin = builtinCatalogRows().configurationByName.get(name.replace(/^pg_catalog\./, ''));
    const { names } = this.context.format;
    if (builtin !== undefined && (names === undefined || name.startsWith('pg_catalog.'))) return builtin;
    if (names === undefined) {
      throw new DbError('undefined_object', `text search configuration "${name}" does not exist`);
    }
    return names.resolve('config', name);
  }

  configuration(oid: number): Configuration {
    let known = this.configurations.get(oid);
    if (known === undefined) {
      const found =
        builtinCatalogRows().configurations.get(oid) ?? this.context.textSearch?.configuration(oid);
      if (found === undefined) {
        throw new DbError('internal_error', `cache lookup failed for text search configuration ${oid}`);
      }
      known = found;
      this.configurations.set(oid, known);
    }
    return known;
  }

  dictionary(oid: number): Dictionary {
    const builtin = builtinDictionaries.get(oid) ?? this.dictionaries.get(oid);
    if (builtin !== undefined) return builtin;
    const rows = builtinCatalogRows();
    const isBuiltin = rows.dictionaries.has(oid);
    const definition = rows.dictionaries.get(oid) ?? this.context.textSearch?.dictionary(oid);
    if (definition === undefined) {
      throw new DbError('internal_error', `cache lookup failed for text search dictionary ${oid}`);
    }
    const dictionary = { oid, name: definition.name, lexize: makeLexize(definition) };
    (isBuiltin ? builtinDictionaries : this.dictionaries).set(oid, dictionary);
    return dictionary;
  }

  /** What the configuration's dictionaries make of a token; null when none knows it. */
  lexize(configuration: Configuration, type: number, token: string): readonly string[] | null {
    for (const oid of configuration.mappings.get(type) ?? []) {
      const lexemes = this.dictionary(oid).lexize(token);
      if (lexemes !== null) return lexemes;
    }
    return null;
  }
}

/** Options of a dictionary from pg_ts_dict.dictinitoption: `name = 'value', …`. */
export function parseDictionaryOptions(text: string | null): Map<string, string> {
  const options = new Map<string, string>();
  const expression = /\s*("(?:[^"]|"")*"|[^\s=]+)\s*=\s*(?:E?'((?:[^']|'')*)'|([^\s,]+))\s*,?/y;
  for (let at = 0; text !== null && at < text.length; at = expression.lastIndex) {
    expression.lastIndex = at;
    const found = expression.exec(text);
    if (found === null) {
      if (text.slice(at).trim() === '') break;
      throw new DbError('syntax_error', `invalid parameter list format: "${text}"`);
    }
    const value = found[2] === undefined ? found[3]! : found[2].replaceAll("''", "'");
    options.set(found[1]!.replaceAll('"', '').toLowerCase(), value);
  }
  return options;
}
