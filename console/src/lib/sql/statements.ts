/** Statements of an SQL text: where each begins and ends, which one the caret is in, and what it may destroy. */
import { significant, type Token, tokenize } from './lexer.ts';

export interface Statement {
  /** Without the semicolon and without space and comments around it. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** Cuts at semicolons outside of parentheses and of `BEGIN ATOMIC … END` bodies. */
export function splitStatements(text: string): Statement[] {
  const statements: Statement[] = [];
  let current: Token[] = [];
  let depth = 0;
  let blocks = 0;
  const finish = (): void => {
    if (current.length > 0) {
      const start = current[0].start;
      const end = current[current.length - 1].end;
      statements.push({ start, end, text: text.slice(start, end), tokens: current });
    }
    current = [];
    depth = 0;
    blocks = 0;
  };
  for (const token of significant(tokenize(text))) {
    const previous = current[current.length - 1];
    if (token.kind === 'punctuation' && token.text === ';' && depth === 0 && blocks === 0) {
      finish();
      continue;
    }
    if (token.text === '(' && token.kind === 'punctuation') depth++;
    else if (token.text === ')' && token.kind === 'punctuation') depth = Math.max(0, depth - 1);
    else if (token.kind === 'word') {
      if (token.text === 'atomic' && previous?.text === 'begin') blocks = 1;
      else if (blocks > 0 && token.text === 'case') blocks++;
      else if (blocks > 0 && token.text === 'end') blocks--;
    }
    current.push(token);
  }
  finish();
  return statements;
}

/** The statement the caret is in or directly behind; between two, the one before; null in an empty text. */
export function statementAt(statements: readonly Statement[], offset: number): Statement | null {
  let best: Statement | null = null;
  for (const statement of statements) {
    if (statement.start > offset) break;
    best = statement;
  }
  return best ?? statements[0] ?? null;
}

export interface Danger {
  readonly kind: 'update' | 'delete' | 'drop' | 'truncate' | 'lockout';
  /** What it is about, as written. */
  readonly target: string;
  readonly statement: string;
}

/** What would be lost without a way back: UPDATE and DELETE of every row, DROP, TRUNCATE, taking one's own rights. */
export function dangersOf(statement: Statement): Danger[] {
  const { tokens, text, start } = statement;
  const words = tokens.map((token) =>
    token.kind === 'word' ? token.text : token.kind === 'punctuation' ? token.text : '',
  );
  const dangers: Danger[] = [];
  const source = (from: number, to: number): string =>
    from < to ? text.slice(tokens[from].start - start, tokens[to - 1].end - start) : '';
  const add = (kind: Danger['kind'], from: number, to: number): void => {
    dangers.push({ kind, target: source(from, to), statement: text });
  };
  const first = words[0];
  if (first === 'explain' && !words.slice(0, 12).includes('analyze')) return [];
  if (first === 'drop' && !(words[1] === 'owned')) add('drop', 1, tokens.length);
  else if (first === 'drop') add('drop', 1, tokens.length);
  if (first === 'truncate') add('truncate', 1, tokens.length);
  if (first === 'alter' && words.includes('drop')) {
    const at = words.indexOf('drop');
    if (
      words[at + 1] === 'column' ||
      (words[1] === 'table' &&
        !['constraint', 'not', 'default', 'identity', 'expression'].includes(words[at + 1]))
    )
      add('drop', at + 1, tokens.length);
  }
  if (
    first === 'alter' &&
    (words[1] === 'role' || words[1] === 'user') &&
    (words.includes('nologin') || words.includes('nosuperuser'))
  )
    add('lockout', 2, 3);
  if (
    first === 'insert' ||
    first === 'create' ||
    first === 'grant' ||
    first === 'revoke' ||
    first === 'comment'
  )
    return dangers;
  for (let at = 0; at < tokens.length; at++) {
    const word = words[at];
    if (word !== 'update' && word !== 'delete') continue;
    // FOR UPDATE, ON UPDATE, ON DELETE and DO UPDATE change no row by themselves.
    if (at > 0 && !['(', 'analyze', ')', 'verbose', 'as', 'materialized'].includes(words[at - 1])) continue;
    if (word === 'delete' && words[at + 1] !== 'from') continue;
    const from = word === 'delete' ? at + 2 : at + 1;
    let depth = 0;
    let end = tokens.length;
    let hasWhere = false;
    let nameEnd = from;
    for (let position = from; position < tokens.length; position++) {
      const current = words[position];
      if (current === '(') depth++;
      else if (current === ')') {
        depth--;
        if (depth < 0) {
          end = position;
          break;
        }
      } else if (depth === 0 && current === 'where') hasWhere = true;
      if (
        nameEnd === position &&
        position < tokens.length &&
        ![',', 'set', 'where', 'using', 'returning', '('].includes(current)
      )
        nameEnd = position + 1;
    }
    if (!hasWhere) add(word, from, Math.min(nameEnd, end));
  }
  return dangers;
}

/** `INSERT`, `SELECT` …: the first word, for titles. */
export function verbOf(statement: string): string {
  return (
    /[a-z]+/i.exec(statement.replace(/^\s*(?:--[^\n]*\n|\/\*[\s\S]*?\*\/|\s|\()*/, ''))?.[0].toUpperCase() ??
    ''
  );
}
