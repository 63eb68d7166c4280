/**
 * The tree of a PL/pgSQL function: what the parser makes of its body and the compiler turns into steps.
 *
 * Expressions and SQL statements stay text; each remembers the names that are visible where it stands.
 */

/** A variable as declared. Type names are text; the compiler resolves them. */
export interface Declaration {
  name: string;
  line: number;
  type: TypeText;
  constant: boolean;
  notNull: boolean;
  /** Text of COLLATE's name parts. */
  collation: string[] | null;
  initial: Expression | null;
  cursor: CursorDeclaration | null;
  /** Character offset of its type, for errors. */
  position: number;
  /** Filled by the compiler. */
  variable: unknown;
}

export type TypeText =
  | { kind: 'named'; text: string; position: number }
  /** `name%TYPE`, `name%ROWTYPE` */
  | { kind: 'like'; names: string[]; row: boolean; position: number; ofDeclaration: Declaration | null }
  | { kind: 'record' }
  | { kind: 'cursor' }
  /** Loop variables and the like whose type is known by oid. */
  | { kind: 'oid'; typeOid: number; typmod: number; collation: number };

export interface CursorDeclaration {
  query: Expression;
  args: { name: string; declaration: Declaration }[];
  scroll: boolean | null;
}

/** Linked list of what is visible, innermost first; labels close the levels. */
export interface Name {
  kind: 'variable' | 'label';
  name: string;
  declaration: Declaration | null;
  /** Labels: of what. */
  labelOf: 'block' | 'loop' | 'other';
  /** Labels of loops and blocks: identity for EXIT. */
  target: object | null;
  previous: Name | null;
}

/** SQL text in a body. */
export interface Expression {
  text: string;
  /** Offset of the text in the body. */
  start: number;
  /** How it is parsed: an expression (`SELECT` is put in front), a statement, or an assignment. */
  mode: 'expression' | 'statement' | 'assignment';
  names: Name | null;
  /** Assignments: number of name parts of the target; text after `:=` starts here. */
  valueStart: number;
}

/** Where a value goes: one variable (with path) or a list of variables. */
export type Target =
  | { kind: 'variable'; declaration: Declaration; field: string | null }
  | { kind: 'list'; items: { declaration: Declaration; field: string | null }[] };

interface Base {
  line: number;
}
export type RaiseLevel = 'debug' | 'log' | 'info' | 'notice' | 'warning' | 'exception';

export interface Block extends Base {
  kind: 'block';
  label: string | null;
  declarations: Declaration[];
  body: Statement[];
  handlers: Handler[] | null;
  /** Variables of the handlers. */
  sqlState: Declaration | null;
  sqlMessage: Declaration | null;
}
export interface Handler {
  line: number;
  /** Condition names, SQLSTATE codes, or 'others'. */
  conditions: { name: string; codes: string[] | 'others' }[];
  body: Statement[];
}
export interface CursorArguments {
  /** Positional or named arguments in the order of the declaration. */
  values: Expression[];
}

export type Statement =
  | Block
  | (Base & {
      kind: 'assign';
      expression: Expression;
      declaration: Declaration;
      field: string | null;
      isPlain: boolean;
      value: Expression;
    })
  | (Base & {
      kind: 'if';
      condition: Expression;
      body: Statement[];
      elsifs: { line: number; condition: Expression; body: Statement[] }[];
      otherwise: Statement[] | null;
    })
  | (Base & {
      kind: 'case';
      argument: Expression | null;
      test: Declaration | null;
      whens: { line: number; expression: Expression; body: Statement[] }[];
      otherwise: Statement[] | null;
    })
  | (Base & { kind: 'loop'; label: string | null; body: Statement[]; id: object })
  | (Base & { kind: 'while'; label: string | null; condition: Expression; body: Statement[]; id: object })
  | (Base & {
      kind: 'forInteger';
      label: string | null;
      variable: Declaration;
      lower: Expression;
      upper: Expression;
      step: Expression | null;
      reverse: boolean;
      body: Statement[];
      id: object;
    })
  | (Base & {
      kind: 'forQuery';
      label: string | null;
      target: Target;
      query: Expression;
      body: Statement[];
      id: object;
    })
  | (Base & {
      kind: 'forDynamic';
      label: string | null;
      target: Target;
      query: Expression;
      using: Expression[];
      body: Statement[];
      id: object;
    })
  | (Base & {
      kind: 'forCursor';
      label: string | null;
      record: Declaration;
      cursor: Declaration;
      args: Expression[];
      body: Statement[];
      id: object;
    })
  | (Base & {
      kind: 'foreach';
      label: string | null;
      target: Target;
      slice: number;
      array: Expression;
      body: Statement[];
      id: object;
    })
  | (Base & {
      kind: 'exit';
      isExit: boolean;
      label: string | null;
      condition: Expression | null;
      target: object | null;
    })
  | (Base & { kind: 'return'; value: Expression | null })
  | (Base & { kind: 'returnNext'; value: Expression | null })
  | (Base & {
      kind: 'returnQuery';
      query: Expression | null;
      dynamic: Expression | null;
      using: Expression[];
    })
  | (Base & {
      kind: 'raise';
      level: RaiseLevel;
      condition: string | null;
      message: string | null;
      params: Expression[];
      options: { option: string; value: Expression }[];
    })
  | (Base & { kind: 'assert'; condition: Expression; message: Expression | null })
  | (Base & { kind: 'perform'; query: Expression })
  | (Base & { kind: 'sql'; query: Expression; into: Target | null; strict: boolean; isCall: boolean })
  | (Base & { kind: 'execute'; query: Expression; into: Target | null; strict: boolean; using: Expression[] })
  | (Base & {
      kind: 'diagnostics';
      stacked: boolean;
      items: { item: string; declaration: Declaration; field: string | null }[];
    })
  | (Base & {
      kind: 'open';
      cursor: Declaration;
      query: Expression | null;
      dynamic: Expression | null;
      using: Expression[];
      args: Expression[];
      scroll: boolean | null;
    })
  | (Base & {
      kind: 'fetch';
      cursor: Declaration;
      isMove: boolean;
      into: Target | null;
      direction: 'forward' | 'backward' | 'absolute' | 'relative';
      count: number;
      countExpression: Expression | null;
      returnsMultiple: boolean;
    })
  | (Base & { kind: 'close'; cursor: Declaration })
  | (Base & { kind: 'null' })
  | (Base & { kind: 'commit'; isCommit: boolean; chain: boolean });

/** A parsed body. */
export interface Body {
  block: Block;
  /** Options before the block: `#variable_conflict`, `#print_strict_params`, `#option dump`. */
  variableConflict: 'error' | 'use_variable' | 'use_column' | null;
  printStrictParams: boolean | null;
}
