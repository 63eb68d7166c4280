/** Names of variables and labels while a body is parsed: a linked list, the innermost first. */
import { SQLSTATE } from '../../base/sqlstate.ts';
import type { Declaration, Name, TypeText } from './ast.ts';

/** A variable that exists before the body: argument, FOUND, NEW … */
export type Predeclared = Declaration;

export function declare(name: string, type: TypeText, options: Partial<Declaration> = {}): Declaration {
  return {
    name,
    line: 0,
    type,
    constant: false,
    notNull: false,
    collation: null,
    initial: null,
    cursor: null,
    position: 0,
    variable: null,
    ...options,
  };
}

export function nameOf(name: string, declaration: Declaration, previous: Name | null): Name {
  return { kind: 'variable', name, declaration, labelOf: 'other', target: null, previous };
}

export function labelOf(
  name: string,
  kind: Name['labelOf'],
  target: object | null,
  previous: Name | null,
): Name {
  return { kind: 'label', name, declaration: null, labelOf: kind, target, previous };
}

/**
 * What a dotted name means in `names`: the variable and how many of the parts it took. A variable of row or record type leaves
 * the next part to be its field.
 */
export function lookUp(
  names: Name | null,
  parts: readonly string[],
  localOnly = false,
): { declaration: Declaration; used: number } | null {
  let level = names;
  while (level !== null) {
    // One level: variables up to its label.
    let item: Name | null = level;
    for (; item !== null && item.kind === 'variable'; item = item.previous)
      if (item.name === parts[0]) return { declaration: item.declaration!, used: 1 };
    if (localOnly) return null;
    if (item === null) return null;
    if (parts.length > 1 && item.name === parts[0] && item.name !== '') {
      for (let inner: Name | null = level; inner !== null && inner !== item; inner = inner.previous)
        if (inner.name === parts[1]) return { declaration: inner.declaration!, used: 2 };
    }
    level = item.previous;
  }
  return null;
}

/** Declared as cursor, or of a type spelt refcursor. */
export function isCursorVariable(declaration: Declaration): boolean {
  const { type } = declaration;
  if (type.kind === 'cursor') return true;
  if (type.kind === 'oid') return type.typeOid === 1790;
  if (type.kind === 'like') return type.ofDeclaration !== null && isCursorVariable(type.ofDeclaration);
  return type.kind === 'named' && /^(pg_catalog\s*\.\s*)?refcursor$/i.test(type.text.trim());
}

/** SQLSTATE codes of a condition name of the manual's appendix A; null when there is none. */
export function conditionCodes(name: string): string[] | null {
  const code = (SQLSTATE as Readonly<Record<string, string>>)[name];
  if (code === undefined || code === '00000') return name === 'others' ? [] : null;
  return [code];
}
