/** Identifiers as SQL writes them: quoting, folding, splitting of qualified names. */
import { DbError } from '../base/error.ts';
import keywords from './data/keywords.json' with { type: 'json' };

/** Words that must be quoted although they look plain: every keyword but the unreserved ones. */
const QUOTED_KEYWORDS: ReadonlySet<string> = new Set(keywords as string[]);

/** Longest identifier in bytes (NAMEDATALEN - 1). */
export const MAX_IDENTIFIER_BYTES = 63;

/** As quote_ident(): in double quotes unless it is a plain lower-case word and no keyword. */
export function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !QUOTED_KEYWORDS.has(name)
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}

/** `schema.name`, each part quoted as needed. */
export function qualifiedName(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** As quote_literal(). */
export function quoteLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return text.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'`.trimStart() : `'${quoted}'`;
}

/** Cuts an identifier to 63 bytes at a character boundary. */
export function truncateIdentifier(name: string): string {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length <= MAX_IDENTIFIER_BYTES) return name;
  let end = MAX_IDENTIFIER_BYTES;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}

/** Splits `a."B c".d` into its parts, folding unquoted ones. Throws 42602 `invalid name syntax`. */
export function splitQualifiedName(text: string): string[] {
  const parts: string[] = [];
  let at = 0;
  const invalid = (): DbError => new DbError('invalid_name', 'invalid name syntax');
  const skipSpace = (): void => {
    while (at < text.length && /\s/.test(text[at]!)) at++;
  };
  for (;;) {
    skipSpace();
    if (text[at] === '"') {
      let part = '';
      at++;
      for (;;) {
        if (at >= text.length) throw invalid();
        if (text[at] === '"') {
          if (text[at + 1] !== '"') break;
          at++;
        }
        part += text[at++];
      }
      at++;
      if (part === '') throw invalid();
      parts.push(part);
    } else {
      const start = at;
      while (at < text.length && !/[\s.",]/.test(text[at]!)) at++;
      if (at === start) throw invalid();
      parts.push(truncateIdentifier(text.slice(start, at).toLowerCase()));
    }
    skipSpace();
    if (at >= text.length) return parts;
    if (text[at] !== '.') throw invalid();
    at++;
  }
}
