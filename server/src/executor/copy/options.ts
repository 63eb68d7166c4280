/** Options of COPY: checked as PostgreSQL checks them, with its messages. */
import { DbError } from '../../base/error.ts';

export interface CopyOptions {
  readonly format: 'text' | 'csv' | 'binary';
  /** One byte. */
  readonly delimiter: string;
  readonly nullText: string;
  readonly header: 'none' | 'skip' | 'match';
  readonly quote: string;
  readonly escape: string;
  /** Column names, '*' for all. */
  readonly forceQuote: readonly string[] | '*';
  readonly forceNotNull: readonly string[];
  readonly forceNull: readonly string[];
}

/** One element of the option list, out of the parser's DefElem. */
export interface CopyOptionItem {
  readonly name: string;
  readonly value: string | number | boolean | readonly string[] | '*' | null;
  readonly position?: number;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads libpg_query's DefElem nodes. */
export function copyOptionItems(options: unknown): CopyOptionItem[] {
  if (!Array.isArray(options)) return [];
  return options.map((node) => {
    const element = (node as { DefElem: Json }).DefElem;
    return {
      name: String(element.defname),
      value: optionValue(element.arg),
      ...(typeof element.location === 'number' ? { position: element.location + 1 } : {}),
    };
  });
}

function optionValue(node: unknown): CopyOptionItem['value'] {
  if (typeof node !== 'object' || node === null) return null;
  const value = node as Record<string, Json>;
  if (value.String !== undefined) return String(value.String.sval ?? '');
  if (value.Integer !== undefined) return Number(value.Integer.ival ?? 0);
  if (value.Float !== undefined) return String(value.Float.fval);
  if (value.Boolean !== undefined) return value.Boolean.boolval === true;
  if (value.A_Star !== undefined) return '*';
  if (value.List !== undefined) {
    const items = value.List.items as readonly unknown[];
    return items.map((item) => String(optionValue(item)));
  }
  return null;
}

function booleanOption(item: CopyOptionItem): boolean {
  const { value, name } = item;
  if (value === null) return true;
  if (typeof value === 'boolean') return value;
  if (value === 1 || value === 0) return value === 1;
  const text = String(value).toLowerCase();
  if (text === 'true' || text === 'on') return true;
  if (text === 'false' || text === 'off') return false;
  throw new DbError('syntax_error', `${name} requires a Boolean value`);
}

function headerOption(item: CopyOptionItem): CopyOptions['header'] {
  if (typeof item.value === 'string' && item.value.toLowerCase() === 'match') return 'match';
  try {
    return booleanOption(item) ? 'skip' : 'none';
  } catch {
    throw new DbError('syntax_error', `${item.name} requires a Boolean value or "match"`);
  }
}

const oneByte = (text: string): boolean => text.length === 1 && text.charCodeAt(0) < 128;

/** Errors 42601, 22023, 0A000 as PostgreSQL 15. */
export function parseCopyOptions(items: readonly CopyOptionItem[], isFrom: boolean): CopyOptions {
  const given = new Map<string, CopyOptionItem>();
  for (const item of items) {
    if (given.has(item.name)) {
      throw new DbError('syntax_error', 'conflicting or redundant options').at(item.position);
    }
    given.set(item.name, item);
  }
  const text = (name: string): string | undefined => {
    const item = given.get(name);
    return item === undefined ? undefined : String(item.value);
  };
  let format: CopyOptions['format'] = 'text';
  for (const [name, item] of given) {
    switch (name) {
      case 'format': {
        const value = String(item.value);
        if (value !== 'text' && value !== 'csv' && value !== 'binary') {
          throw new DbError('invalid_parameter_value', `COPY format "${value}" not recognized`).at(
            item.position,
          );
        }
        format = value;
        break;
      }
      case 'freeze':
        booleanOption(item);
        break;
      case 'encoding': {
        const value = String(item.value).toLowerCase().replaceAll('-', '').replaceAll('_', '');
        if (value !== 'utf8' && value !== 'unicode' && value !== 'sqlascii') {
          throw new DbError(
            'feature_not_supported',
            `COPY in encoding "${String(item.value)}" is not supported`,
          );
        }
        break;
      }
      case 'force_quote':
      case 'force_not_null':
      case 'force_null':
        if (!Array.isArray(item.value) && !(name === 'force_quote' && item.value === '*')) {
          throw new DbError(
            'invalid_parameter_value',
            `argument to option "${name}" must be a list of column names`,
          ).at(item.position);
        }
        break;
      case 'delimiter':
      case 'null':
      case 'header':
      case 'quote':
      case 'escape':
        break;
      default:
        throw new DbError('syntax_error', `option "${name}" not recognized`).at(item.position);
    }
  }
  const isCsv = format === 'csv';
  const isBinary = format === 'binary';
  const headerItem = given.get('header');
  const header = headerItem === undefined ? 'none' : headerOption(headerItem);
  if (isBinary && given.has('delimiter'))
    throw new DbError('syntax_error', 'cannot specify DELIMITER in BINARY mode');
  if (isBinary && given.has('null')) throw new DbError('syntax_error', 'cannot specify NULL in BINARY mode');
  if (isBinary && header !== 'none') {
    throw new DbError('feature_not_supported', 'cannot specify HEADER in BINARY mode');
  }
  const delimiter = text('delimiter') ?? (isCsv ? ',' : '\t');
  const nullText = text('null') ?? (isCsv ? '' : '\\N');
  const quote = text('quote') ?? '"';
  const escapeCharacter = text('escape') ?? quote;
  if (!oneByte(delimiter)) {
    throw new DbError('feature_not_supported', 'COPY delimiter must be a single one-byte character');
  }
  if (delimiter === '\n' || delimiter === '\r') {
    throw new DbError('invalid_parameter_value', 'COPY delimiter cannot be newline or carriage return');
  }
  if (nullText.includes('\n') || nullText.includes('\r')) {
    throw new DbError(
      'invalid_parameter_value',
      'COPY null representation cannot use newline or carriage return',
    );
  }
  if (!isCsv && '\\.abcdefghijklmnopqrstuvwxyz0123456789'.includes(delimiter)) {
    throw new DbError('invalid_parameter_value', `COPY delimiter cannot be "${delimiter}"`);
  }
  if (header === 'match' && !isFrom) {
    throw new DbError('invalid_parameter_value', 'cannot use "match" with HEADER in COPY TO');
  }
  if (!isCsv && given.has('quote')) throw csvOnly('quote');
  if (isCsv && !oneByte(quote)) {
    throw new DbError('feature_not_supported', 'COPY quote must be a single one-byte character');
  }
  if (isCsv && delimiter === quote) {
    throw new DbError('invalid_parameter_value', 'COPY delimiter and quote must be different');
  }
  if (!isCsv && given.has('escape')) throw csvOnly('escape');
  if (isCsv && !oneByte(escapeCharacter)) {
    throw new DbError('feature_not_supported', 'COPY escape must be a single one-byte character');
  }
  const checkForce = (name: string, label: string, wantsFrom: boolean): void => {
    if (!given.has(name)) return;
    if (!isCsv) throw csvOnly(label);
    if (isFrom !== wantsFrom) {
      throw new DbError(
        'feature_not_supported',
        `COPY ${label} only available using COPY ${wantsFrom ? 'FROM' : 'TO'}`,
      );
    }
  };
  checkForce('force_quote', 'force quote', false);
  checkForce('force_not_null', 'force not null', true);
  checkForce('force_null', 'force null', true);
  if (nullText.includes(delimiter)) {
    throw new DbError('feature_not_supported', 'COPY delimiter must not appear in the NULL specification');
  }
  if (isCsv && nullText.includes(quote)) {
    throw new DbError(
      'feature_not_supported',
      'CSV quote character must not appear in the NULL specification',
    );
  }
  const list = (name: string): readonly string[] => {
    const value = given.get(name)?.value;
    return Array.isArray(value) ? (value as readonly string[]) : [];
  };
  return {
    format,
    delimiter,
    nullText,
    header,
    quote,
    escape: escapeCharacter,
    forceQuote: given.get('force_quote')?.value === '*' ? '*' : list('force_quote'),
    forceNotNull: list('force_not_null'),
    forceNull: list('force_null'),
  };
}

function csvOnly(what: string): DbError {
  return new DbError('feature_not_supported', `COPY ${what} available only in CSV mode`);
}
