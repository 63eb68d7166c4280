/**
 * What a pipeline computes: plain data, sent to workers, the key of the module cache. Constants are parameters, never part of it.
 *
 * A pipeline reads columns of one table, drops rows that do not pass every filter, and feeds accumulators by group. Values are 64-bit integers
 * (int2/4/8, date, timestamp), decimals (64-bit integers with a scale), doubles, booleans, or codes of a dictionary (strings).
 */

export type PipelineType =
  | { readonly kind: 'int' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'float' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string' };

/** `mod` is for integers only. */
export type ArithmeticOperator = 'add' | 'sub' | 'mul' | 'div' | 'mod';

export type CompareOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

/** An expression. `int` bounds of a result are checked against the SQL type in `bounds` by interval analysis before anything runs. */
export type Node =
  | { readonly op: 'column'; readonly column: number; readonly type: PipelineType }
  /** Never NULL: a NULL constant makes the row executor run the plan. */
  | {
      readonly op: 'param';
      readonly param: number;
      readonly type: PipelineType;
      /** Decimals: digits after the point that the constant had before it was brought to the scale of its type. */
      readonly digits?: number;
    }
  | {
      readonly op: ArithmeticOperator;
      readonly left: Node;
      readonly right: Node;
      readonly type: PipelineType;
      readonly bounds: IntegerBounds | null;
    }
  | {
      readonly op: 'neg';
      readonly arg: Node;
      readonly type: PipelineType;
      readonly bounds: IntegerBounds | null;
    }
  /** Multiplies an integer by a constant of ours: 10^k to reach a scale, microseconds per day for dates. */
  | { readonly op: 'scale'; readonly arg: Node; readonly factor: bigint; readonly type: PipelineType }
  /** Integer or decimal to double; exact divisor 10^scale. */
  | { readonly op: 'toFloat'; readonly arg: Node; readonly divisor: number; readonly type: PipelineType }
  | {
      readonly op: 'compare';
      readonly operator: CompareOperator;
      readonly left: Node;
      readonly right: Node;
      readonly type: PipelineType;
    }
  | { readonly op: 'and' | 'or'; readonly args: readonly Node[]; readonly type: PipelineType }
  | { readonly op: 'not'; readonly arg: Node; readonly type: PipelineType }
  | { readonly op: 'isNull'; readonly arg: Node; readonly negate: boolean; readonly type: PipelineType }
  | {
      readonly op: 'case';
      readonly branches: readonly { readonly when: Node; readonly result: Node }[];
      /** Null = NULL. */
      readonly otherwise: Node | null;
      readonly type: PipelineType;
    }
  | { readonly op: 'coalesce'; readonly args: readonly Node[]; readonly type: PipelineType }
  /** A condition over one string column, decided once per dictionary entry by the row executor: table of 0 false, 1 true, 2 NULL. */
  | {
      readonly op: 'stringTest';
      readonly column: number;
      readonly test: number;
      readonly type: PipelineType;
      /** The same condition computed from the bytes, for columns without a dictionary. */
      readonly otherwise?: Node;
    }
  | QueryNode;

/** Expressions that only pipelines of whole queries use (`query/`). */
export type QueryNode =
  /** A constant of ours, never of a user. */
  | { readonly op: 'number'; readonly value: number; readonly type: PipelineType }
  /** A value of the tuple of `table` that the row has found, or reads. */
  | { readonly op: 'field'; readonly table: number; readonly field: number; readonly type: PipelineType }
  /** A string column as reference: length and address (`query/layout.ts`). */
  | { readonly op: 'stringRef'; readonly column: number; readonly type: PipelineType }
  | {
      readonly op: 'stringEqual';
      readonly left: Node;
      readonly right: Node;
      readonly negate: boolean;
      readonly type: PipelineType;
    }
  /** LIKE with % only: the pieces between them are parameters. */
  | {
      readonly op: 'like';
      readonly arg: Node;
      readonly pieces: readonly number[];
      readonly atStart: boolean;
      readonly atEnd: boolean;
      readonly negate: boolean;
      readonly type: PipelineType;
    }
  /** Bytes from `start` (1 = first), as many as `length`; only where every character is one byte. */
  | {
      readonly op: 'substring';
      readonly arg: Node;
      readonly start: Node;
      readonly length: Node;
      readonly type: PipelineType;
    }
  /** Without the blanks at the end. */
  | { readonly op: 'trimEnd'; readonly arg: Node; readonly type: PipelineType }
  /** Part of a date (days since 2000-01-01). */
  | {
      readonly op: 'datePart';
      readonly part: 'year' | 'month' | 'day' | 'dayOfYear';
      readonly arg: Node;
      readonly type: PipelineType;
    }
  /** By the order of bytes; `isTrimmed`: without the blanks at the end. */
  | {
      readonly op: 'stringCompare';
      readonly operator: CompareOperator;
      readonly left: Node;
      readonly right: Node;
      readonly isTrimmed: boolean;
      readonly type: PipelineType;
    }
  | {
      readonly op: 'stringLength';
      readonly unit: 'characters' | 'bytes';
      readonly arg: Node;
      readonly type: PipelineType;
    }
  /** By a positive constant of ours, towards minus infinity. */
  | {
      readonly op: 'floorDiv' | 'floorMod';
      readonly arg: Node;
      readonly divisor: bigint;
      readonly type: PipelineType;
    }
  /** A strict function that needs nothing but its arguments, run by the worker in JavaScript (`calls.ts`). */
  | {
      readonly op: 'call';
      /** Name of the implementation, as in the catalog. */
      readonly source: string;
      readonly args: readonly Node[];
      /** SQL types: arguments, then the result. */
      readonly typeOids: readonly number[];
      readonly type: PipelineType;
    }
  /** left (operator) factor * sum / count, where sum and count are fields of one group: compared without dividing. */
  | {
      readonly op: 'compareAverage';
      readonly operator: CompareOperator;
      readonly left: Node;
      readonly factor: Node;
      readonly sum: Node;
      readonly count: Node;
      /** Digits after the point of the factor. */
      readonly factorScale: number;
      readonly type: PipelineType;
    };

export type IntegerBounds = 'int2' | 'int4' | 'int8' | 'date' | 'timestamp';

/** Stands for the row's id among the columns of a pipeline. */
export const ROW_ID = -1;

export interface PipelineColumn {
  /** 0-based column of the table, or ROW_ID. */
  readonly column: number;
  readonly typeOid: number;
  readonly type: PipelineType;
}

export interface AccumulatorSpec {
  readonly op: 'count' | 'sum' | 'min' | 'max';
  /** Null for count(*). */
  readonly arg: Node | null;
  readonly filter: Node | null;
}

export interface PipelineSpec {
  readonly columns: readonly PipelineColumn[];
  readonly filters: readonly Node[];
  readonly groups: readonly Node[];
  /** The first is always count(*) without a filter. */
  readonly accumulators: readonly AccumulatorSpec[];
  readonly stringTests: number;
  /** Expressions whose range is proved though nothing computes them. */
  readonly checks: readonly Node[];
}

/** Value of a parameter: integers and decimals as bigint, doubles as number, booleans as bigint. */
export type ParamValue = bigint | number;

export const INT: PipelineType = { kind: 'int' };
export const FLOAT: PipelineType = { kind: 'float' };
export const BOOL: PipelineType = { kind: 'bool' };
export const STRING: PipelineType = { kind: 'string' };
export function decimal(scale: number): PipelineType {
  return { kind: 'decimal', scale };
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}

/** JSON text of a spec: bigints written as strings with a mark. */
export function specKey(spec: PipelineSpec): string {
  return jsonText(spec);
}

/** The same of a node: equal text, equal value for every row. */
export function nodeKey(node: Node | null): string {
  return jsonText(node);
}

/** Calls `visit` for a node and everything below it. */
export function walkNode(node: Node, visit: (node: Node) => void): void {
  visit(node);
  switch (node.op) {
    case 'column':
    case 'param':
    case 'field':
    case 'stringRef':
    case 'number':
      return;
    case 'stringTest':
      if (node.otherwise !== undefined) walkNode(node.otherwise, visit);
      return;
    case 'call':
      for (const arg of node.args) walkNode(arg, visit);
      return;
    case 'stringLength':
    case 'floorDiv':
    case 'floorMod':
      walkNode(node.arg, visit);
      return;
    case 'stringEqual':
    case 'stringCompare':
      walkNode(node.left, visit);
      walkNode(node.right, visit);
      return;
    case 'substring':
      walkNode(node.arg, visit);
      walkNode(node.start, visit);
      walkNode(node.length, visit);
      return;
    case 'compareAverage':
      for (const part of [node.left, node.factor, node.sum, node.count]) walkNode(part, visit);
      return;
    case 'like':
    case 'trimEnd':
    case 'datePart':
      walkNode(node.arg, visit);
      return;
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
    case 'compare':
      walkNode(node.left, visit);
      walkNode(node.right, visit);
      return;
    case 'neg':
    case 'scale':
    case 'toFloat':
    case 'not':
    case 'isNull':
      walkNode(node.arg, visit);
      return;
    case 'and':
    case 'or':
    case 'coalesce':
      for (const arg of node.args) walkNode(arg, visit);
      return;
    case 'case':
      for (const branch of node.branches) {
        walkNode(branch.when, visit);
        walkNode(branch.result, visit);
      }
      if (node.otherwise !== null) walkNode(node.otherwise, visit);
      return;
  }
}

/**
 * Digits after the point that PostgreSQL shows for a decimal: a number where every row has the same, else a node that computes them (never NULL
 * where the value is not). They are fewer than the scale of the type where CASE or COALESCE bring values of different scales together.
 */
export function shownScale(
  node: Node,
  ofField: (table: number, field: number) => Node | null,
): number | Node {
  const again = (part: Node): number | Node => shownScale(part, ofField);
  switch (node.op) {
    case 'param':
      return node.digits ?? scaleOf(node);
    case 'field':
      return ofField(node.table, node.field) ?? scaleOf(node);
    case 'scale':
    case 'neg':
      return again(node.arg);
    case 'add':
    case 'sub': {
      const [left, right] = [again(node.left), again(node.right)];
      if (typeof left === 'number' && typeof right === 'number') return Math.max(left, right);
      const [first, second] = [asNode(left), asNode(right)];
      const when: Node = { op: 'compare', operator: '>=', left: first, right: second, type: BOOL };
      return { op: 'case', branches: [{ when, result: first }], otherwise: second, type: INT };
    }
    case 'mul': {
      const [left, right] = [again(node.left), again(node.right)];
      if (typeof left === 'number' && typeof right === 'number') return left + right;
      return { op: 'add', left: asNode(left), right: asNode(right), type: INT, bounds: null };
    }
    case 'case': {
      const results = [
        ...node.branches.map(({ result }) => result),
        ...(node.otherwise === null ? [] : [node.otherwise]),
      ];
      const scales = results.map(again);
      if (scales.every((scale) => typeof scale === 'number' && scale === scales[0])) return scales[0]!;
      return {
        op: 'case',
        branches: node.branches.map(({ when }, index) => ({ when, result: asNode(scales[index]!) })),
        otherwise: node.otherwise === null ? null : asNode(scales.at(-1)!),
        type: INT,
      };
    }
    case 'coalesce': {
      const scales = node.args.map(again);
      if (scales.every((scale) => typeof scale === 'number' && scale === scales[0])) return scales[0]!;
      return {
        op: 'case',
        branches: node.args.slice(0, -1).map((arg, index) => ({
          when: { op: 'isNull', arg, negate: true, type: BOOL },
          result: asNode(scales[index]!),
        })),
        otherwise: asNode(scales.at(-1)!),
        type: INT,
      };
    }
    default:
      return scaleOf(node);
  }
}

function scaleOf(node: Node): number {
  return node.type.kind === 'decimal' ? node.type.scale : 0;
}

/** Digits as a node. */
function asNode(scale: number | Node): Node {
  return typeof scale === 'number' ? { op: 'number', value: scale, type: INT } : scale;
}
