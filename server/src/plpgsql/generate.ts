/**
 * Hot simple expressions as JavaScript of their own: integer arithmetic, comparisons and logic over variables, as one function instead of
 * a tree of closures.
 *
 * Safety      generated text is made of slot numbers, numbers, and names of this file only. Whatever else an expression holds (texts,
 *             functions, fields of records) is handed over as a constant or called as a closure.
 * Meaning     the same as the closures': NULL in, NULL out for strict operators, three-valued AND and OR that stop early, PostgreSQL's
 *             errors for overflow and division by zero.
 */
import { DbError } from '../base/error.ts';
import type { Evaluate } from '../executor/row/expression/compile.ts';
import type { BoolExpr, Expr } from '../sql/tree.ts';

const INT4_MAX = 2147483647;
const INT4_MIN = -2147483648;

/** What the generator asks about the expression's surroundings. */
export interface Surroundings {
  /** pg_proc.prosrc of a function. */
  source(functionOid: number): string | undefined;
  /** Slot of a parameter that is just a variable; null for anything more. */
  slot(number: number): number | null;
  /** Slot of a variable of row type and the place of the field that a parameter reads; null for anything else. */
  field(number: number): { slot: number; index: number } | null;
  /** The expression as a closure. */
  closure(expr: Expr): Evaluate;
}

interface Operation {
  readonly kind: 'arithmetic' | 'compare' | 'cast' | 'minus';
  readonly operator: string;
  /** Width of the operands and of the result. */
  readonly operands: readonly Width[];
  readonly result: Width;
}

type Width = 4 | 8;

const ARITHMETIC: Readonly<Record<string, string>> = { pl: '+', mi: '-', mul: '*', div: '/', mod: '%' };
const COMPARISONS: Readonly<Record<string, string>> = {
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};
const SIDES: Readonly<Record<string, readonly [Width, Width]>> = {
  int4: [4, 4],
  int8: [8, 8],
  int48: [4, 8],
  int84: [8, 4],
};

/** Functions by pg_proc.prosrc. */
const OPERATIONS: ReadonlyMap<string, Operation> = new Map(allOperations());

function* allOperations(): Iterable<[string, Operation]> {
  for (const [prefix, operands] of Object.entries(SIDES)) {
    const result = Math.max(...operands) as Width;
    for (const [suffix, operator] of Object.entries(ARITHMETIC))
      yield [prefix + suffix, { kind: 'arithmetic', operator, operands, result }];
    for (const [suffix, operator] of Object.entries(COMPARISONS)) {
      const loose =
        operands[0] === operands[1] ? operator : operator.replace('===', '==').replace('!==', '!=');
      yield [prefix + suffix, { kind: 'compare', operator: loose, operands, result: 4 }];
    }
  }
  yield ['int48', { kind: 'cast', operator: '', operands: [4], result: 8 }];
  yield ['int84', { kind: 'cast', operator: '', operands: [8], result: 4 }];
  yield ['int4um', { kind: 'minus', operator: '-', operands: [4], result: 4 }];
  yield ['int8um', { kind: 'minus', operator: '-', operands: [8], result: 8 }];
}

const outOfRange = (type: string): DbError =>
  new DbError('numeric_value_out_of_range', `${type} out of range`);
const divisionByZero = (): DbError => new DbError('division_by_zero', 'division by zero');

/** A value in the generated text: the name of a local constant, or a literal. */
interface Value {
  readonly text: string;
  readonly nullable: boolean;
}

class Generator {
  private readonly surroundings: Surroundings;
  readonly constants: unknown[] = [outOfRange, divisionByZero];
  private lines: string[] = [];
  private names = 0;
  /** Operators that are part of the text: without any, closures are as good. */
  operators = 0;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
  }

  text(expr: Expr): string {
    const { text } = this.value(expr);
    const constants = this.constants.map((_, index) => `k${index} = k[${index}]`).join(', ');
    return `"use strict"; const ${constants}; return (f) => { ${this.lines.join('\n')}\nreturn ${text}; };`;
  }

  private constant(value: unknown): string {
    this.constants.push(value);
    return `k${this.constants.length - 1}`;
  }

  private name(): string {
    return `t${this.names++}`;
  }

  private value(expr: Expr): Value {
    switch (expr.kind) {
      case 'const': {
        const { value } = expr;
        if (value === null) return { text: 'null', nullable: true };
        if (typeof value === 'boolean') return { text: String(value), nullable: false };
        if (typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0))
          return { text: value < 0 ? `(${value})` : String(value), nullable: false };
        if (typeof value === 'bigint')
          return { text: value < 0n ? `(${value}n)` : `${value}n`, nullable: false };
        return { text: this.constant(value), nullable: false };
      }
      case 'param': {
        const slot = this.surroundings.slot(expr.number);
        if (slot !== null) return this.local(`f[${slot}]`);
        const field = this.surroundings.field(expr.number);
        if (field === null) break;
        // Without a row the closure knows whether that is NULL or an error.
        const row = this.local(`f[${field.slot}]`).text;
        const absent = `${this.constant(this.surroundings.closure(expr))}(f)`;
        return this.local(`${row} === null ? ${absent} : (${row}.fields[${field.index}] ?? null)`);
      }
      case 'relabel':
        return this.value(expr.arg);
      case 'bool':
        return this.logic(expr);
      case 'nullTest': {
        if (expr.argIsRow) break;
        const { text } = this.value(expr.arg);
        this.operators++;
        return this.local(`${text} ${expr.isNull ? '===' : '!=='} null`, false);
      }
      case 'function':
      case 'operator': {
        const operation = OPERATIONS.get(this.surroundings.source(expr.functionOid) ?? '');
        if (operation !== undefined && expr.args.length === operation.operands.length)
          return this.operation(operation, expr.args);
        break;
      }
      default:
        break;
    }
    return this.local(`${this.constant(this.surroundings.closure(expr))}(f)`);
  }

  private local(text: string, nullable = true): Value {
    const name = this.name();
    this.lines.push(`const ${name} = ${text};`);
    return { text: name, nullable };
  }

  private operation(operation: Operation, args: readonly Expr[]): Value {
    this.operators++;
    const values = args.map((arg) => this.value(arg));
    const result = this.name();
    const nulls = values.filter(({ nullable }) => nullable).map(({ text }) => `${text} !== null`);
    this.lines.push(`let ${result} = null;`);
    const [left, right] = values.map(({ text }, index) =>
      operation.kind !== 'compare' &&
      operation.kind !== 'cast' &&
      operation.result > operation.operands[index]
        ? `BigInt(${text})`
        : text,
    );
    const body = computation(operation, result, left, right);
    this.lines.push(nulls.length === 0 ? body : `if (${nulls.join(' && ')}) { ${body} }`);
    return { text: result, nullable: nulls.length > 0 };
  }

  /** AND stops at the first false, OR at the first true; NULL is remembered on the way. */
  private logic(expr: BoolExpr): Value {
    this.operators++;
    if (expr.op === 'not') {
      const { text } = this.value(expr.args[0]);
      return this.local(`${text} === null ? null : !${text}`);
    }
    const end = expr.op === 'and' ? 'false' : 'true';
    const result = this.name();
    const label = `b${result}`;
    this.lines.push(`let ${result} = ${expr.op === 'and'};`, `${label}: {`);
    for (const arg of expr.args) {
      const { text } = this.value(arg);
      this.lines.push(
        `if (${text} === ${end}) { ${result} = ${end}; break ${label}; }`,
        `if (${text} === null) ${result} = null;`,
      );
    }
    this.lines.push('}');
    return { text: result, nullable: true };
  }
}

/** Statements that put the value of an operator over values that are not NULL into `result`. */
function computation(
  { kind, operator, result: width }: Operation,
  result: string,
  left: string,
  right: string,
): string {
  switch (kind) {
    case 'compare':
      return `${result} = ${left} ${operator} ${right};`;
    case 'cast':
      if (width === 8) return `${result} = BigInt(${left});`;
      return `if (${left} > ${INT4_MAX}n || ${left} < ${INT4_MIN}n) throw k0('integer'); ${result} = Number(${left});`;
    case 'minus':
      return `${result} = ${width === 4 ? `0 - ${left}` : `-${left}`}; ${checked(width, result)}`;
    default:
      break;
  }
  const zero = width === 4 ? '0' : '0n';
  if (operator === '%') {
    const rest = `${left} % ${right}`;
    return `if (${right} === ${zero}) throw k1(); ${result} = ${width === 4 ? `(${rest}) + 0` : rest};`;
  }
  if (operator === '/') {
    const quotient = width === 4 ? `Math.trunc(${left} / ${right}) + 0` : `${left} / ${right}`;
    return `if (${right} === ${zero}) throw k1(); ${result} = ${quotient}; ${checked(width, result)}`;
  }
  // A product of two int4 beyond 2^53 may be rounded: it is out of range all the same. + 0 makes 0 of -0.
  const plus = operator === '*' && width === 4 ? ' + 0' : '';
  return `${result} = ${left} ${operator} ${right}${plus}; ${checked(width, result)}`;
}

function checked(width: Width, name: string): string {
  return width === 4
    ? `if (${name} > ${INT4_MAX} || ${name} < ${INT4_MIN}) throw k0('integer');`
    : `if (BigInt.asIntN(64, ${name}) !== ${name}) throw k0('bigint');`;
}

/** The expression as a function of its own; null where that would not be better than closures. */
export function generate(expr: Expr, surroundings: Surroundings): Evaluate | null {
  const generator = new Generator(surroundings);
  const text = generator.text(expr);
  if (generator.operators === 0) return null;
  // See the module comment: no text of a user's is in it.
  const make = new Function('k', text) as (constants: readonly unknown[]) => Evaluate;
  return make(generator.constants);
}
