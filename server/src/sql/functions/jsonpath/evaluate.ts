/**
 * Evaluation of jsonpath (PostgreSQL 15 manual 9.16.2).
 *
 * Paths are generators: an item's results flow into the step behind it, so that an existence test stops at the first result.
 * Structural errors and wrong operands are thrown as {@link PathFailure}; predicates turn them into "unknown", silent calls into
 * no result. Other errors (an unknown variable, a conversion that needs a time zone) always end the statement.
 */
import { DbError, internalError } from '../../../base/error.ts';
import type { ConditionName } from '../../../base/sqlstate.ts';
import {
  isJsonArray,
  isJsonObject,
  type JsonObject,
  jsonField,
  makeJsonObject,
} from '../../../types/json-text.ts';
import type { JsonValue } from '../../../types/jsonb.ts';
import {
  type ComparisonOperator,
  type JsonPath,
  LAST_LEVEL,
  type PathItem,
  type PathStep,
} from '../../../types/jsonpath/tree.ts';
import { Numeric } from '../../../types/numeric.ts';
import {
  numericAbs,
  numericAdd,
  numericCeil,
  numericCompare,
  numericDivide,
  numericFloor,
  numericModulo,
  numericMultiply,
  numericNegate,
  numericSubtract,
  numericTruncate,
} from '../../../types/numeric-core.ts';
import {
  formatNumeric,
  numericFromFloat8,
  numericFromInteger,
  numericToInteger,
} from '../../../types/numeric-text.ts';
import { compareText, parseFloat8 } from '../../../types/scalars.ts';
import { parseDateTime, parseIsoDateTime } from './datetime.ts';
import { compareDateTimes, isDateTime, type PathValue, pathTypeName, type ZoneUse } from './items.ts';
import { containerOffset } from './layout.ts';
import { pathRegex } from './regex.ts';

/** An error that predicates and silent calls swallow. */
export class PathFailure {
  readonly error: DbError;
  constructor(error: DbError) {
    this.error = error;
  }
}

function failure(condition: ConditionName, message: string): PathFailure {
  return new PathFailure(new DbError(condition, message));
}

/** Truth of a predicate; null = unknown. */
type Truth = boolean | null;

/** The value whose stored form gives ids to the objects inside it. */
interface Base {
  readonly value: JsonValue;
  readonly id: number;
}

const INTERRUPT_STEPS = 1024;
const ID_FACTOR = 10_000_000_000n;
const ARITHMETIC: Readonly<Record<string, (left: Numeric, right: Numeric) => Numeric>> = {
  '+': numericAdd,
  '-': numericSubtract,
  '*': numericMultiply,
  '/': numericDivide,
  '%': numericModulo,
};

export interface PathOptions {
  readonly vars: JsonValue | undefined;
  readonly zones: ZoneUse;
  readonly checkInterrupt: (() => void) | undefined;
}

export class PathEvaluator {
  private readonly path: JsonPath;
  private readonly root: JsonValue;
  private readonly options: PathOptions;
  private readonly isLax: boolean;
  private ignoresStructure: boolean;
  private current: PathValue;
  private arraySize = -1;
  private base: Base;
  private nextObjectId: number;
  private steps = 0;
  /** Results are only tested for existence: operands of a sign that are no numbers are passed over. */
  private onlyExistence = false;

  constructor(path: JsonPath, root: JsonValue, options: PathOptions) {
    const { vars } = options;
    if (vars !== undefined && !isJsonObject(vars)) {
      throw new DbError('invalid_parameter_value', '"vars" argument is not an object', {
        detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
      });
    }
    this.path = path;
    this.root = root;
    this.options = options;
    this.isLax = path.isLax;
    this.ignoresStructure = path.isLax;
    this.current = root;
    this.base = { value: root, id: 0 };
    this.nextObjectId = 1 + (vars === undefined ? 0 : vars.entries.length);
  }

  /** Adds all results to `found`; those before a {@link PathFailure} are kept. */
  collect(found: PathValue[]): void {
    for (const result of this.step(this.path.root, this.root, this.isLax)) found.push(result);
  }

  /** Whether there is a result. In strict mode everything is evaluated, so that errors are seen. */
  exists(): boolean {
    return this.hasResult(this.path.root, this.root);
  }

  private hasResult(step: PathStep, value: PathValue): boolean {
    if (!this.isLax) return [...this.step(step, value, false)].length > 0;
    this.onlyExistence = true;
    for (const _found of this.step(step, value, true)) return true;
    return false;
  }

  private *next(step: PathStep, value: PathValue): Generator<PathValue> {
    if (step.next === null) yield value;
    else yield* this.step(step.next, value, this.isLax);
  }

  /** Results of a step and all behind it. `unwraps`: an array where the item wants something else stands for its elements. */
  private *step(step: PathStep, value: PathValue, unwraps: boolean): Generator<PathValue> {
    if (++this.steps % INTERRUPT_STEPS === 0) this.options.checkInterrupt?.();
    const { item } = step;
    switch (item.kind) {
      case 'null':
        return yield* this.next(step, null);
      case 'bool':
      case 'string':
      case 'numeric':
        return yield* this.next(step, item.value);
      case 'root': {
        const saved = this.base;
        this.base = { value: this.root, id: 0 };
        yield* this.next(step, this.root);
        this.base = saved;
        return;
      }
      case 'current':
        return yield* this.next(step, this.current);
      case 'variable': {
        const saved = this.base;
        const found = this.variable(item.name);
        yield* this.next(step, found);
        this.base = saved;
        return;
      }
      case 'last':
        if (this.arraySize < 0) throw internalError('evaluating jsonpath LAST outside of array subscript');
        return yield* this.next(step, numericFromInteger(this.arraySize - 1));
      case 'key':
        return yield* this.key(step, item.name, value, unwraps);
      case 'anyKey':
        if (isObject(value)) {
          for (const [, member] of value.entries) yield* this.next(step, member);
        } else if (unwraps && isArray(value)) yield* this.elements(step, value);
        else if (!this.ignoresStructure) {
          throw failure(
            'sql_json_object_not_found',
            'jsonpath wildcard member accessor can only be applied to an object',
          );
        }
        return;
      case 'anyArray':
        if (isArray(value)) {
          for (const element of value) yield* this.next(step, element);
        } else if (this.isLax) yield* this.next(step, value);
        else if (!this.ignoresStructure) {
          throw failure(
            'sql_json_array_not_found',
            'jsonpath wildcard array accessor can only be applied to an array',
          );
        }
        return;
      case 'index':
        return yield* this.index(step, item, value);
      case 'any':
        return yield* this.any(step, item, value);
      case 'filter':
        if (unwraps && isArray(value)) {
          yield* this.elements(step, value);
          return;
        }
        if (this.withCurrent(value, item.predicate)) yield* this.next(step, value);
        return;
      case 'arithmetic':
        return yield* this.next(step, this.arithmetic(item, value));
      case 'sign':
        return yield* this.sign(step, item, value);
      case 'method':
      case 'datetime':
        return yield* this.method(step, item, value, unwraps);
      default:
        return yield* this.next(step, this.truth(step, value));
    }
  }

  private *elements(step: PathStep, array: readonly JsonValue[]): Generator<PathValue> {
    for (const element of array) yield* this.step(step, element, false);
  }

  private *key(step: PathStep, name: string, value: PathValue, unwraps: boolean): Generator<PathValue> {
    if (isObject(value)) {
      const member = jsonField(value, name);
      if (member !== undefined) yield* this.next(step, member);
      else if (!this.ignoresStructure) {
        throw failure('sql_json_member_not_found', `JSON object does not contain key "${name}"`);
      }
    } else if (unwraps && isArray(value)) yield* this.elements(step, value);
    else if (!this.ignoresStructure) {
      throw failure('sql_json_member_not_found', 'jsonpath member accessor can only be applied to an object');
    }
  }

  private *index(step: PathStep, item: PathItem & { kind: 'index' }, value: PathValue): Generator<PathValue> {
    const isContainer = isArray(value);
    if (!isContainer && !this.isLax) {
      if (this.ignoresStructure) return;
      throw failure('sql_json_array_not_found', 'jsonpath array accessor can only be applied to an array');
    }
    const outerSize = this.arraySize;
    const size = isContainer ? value.length : 1;
    this.arraySize = size;
    for (const subscript of item.subscripts) {
      let from = this.subscript(subscript.from, value);
      let to = subscript.to === null ? from : this.subscript(subscript.to, value);
      if (!this.ignoresStructure && (from < 0 || from > to || to >= size)) {
        throw failure('invalid_sql_json_subscript', 'jsonpath array subscript is out of bounds');
      }
      from = Math.max(from, 0);
      to = Math.min(to, size - 1);
      for (let at = from; at <= to; at++) {
        yield* this.next(step, isContainer ? value[at]! : value);
        this.arraySize = size;
      }
    }
    this.arraySize = outerSize;
  }

  private subscript(step: PathStep, value: PathValue): number {
    const found = this.operands(step, value, false);
    if (found.length !== 1 || !(found[0] instanceof Numeric)) {
      throw failure('invalid_sql_json_subscript', 'jsonpath array subscript is not a single numeric value');
    }
    try {
      return numericToInteger(numericTruncate(found[0], 0), 'integer') as number;
    } catch (error) {
      if (!(error instanceof DbError)) throw error;
      throw failure('invalid_sql_json_subscript', 'jsonpath array subscript is out of integer range');
    }
  }

  private *any(step: PathStep, item: PathItem & { kind: 'any' }, value: PathValue): Generator<PathValue> {
    if (item.first === 0) yield* this.lenient(this.next(step, value));
    if (isArray(value) || isObject(value)) yield* this.descend(step, item.first, item.last, value, 1);
  }

  private *descend(
    step: PathStep,
    first: number,
    last: number,
    value: readonly JsonValue[] | JsonObject,
    level: number,
  ): Generator<PathValue> {
    if (level > last) return;
    const children = isJsonArray(value as JsonValue)
      ? (value as readonly JsonValue[])
      : (value as JsonObject).entries.map(([, child]) => child);
    for (const child of children) {
      const isContainer = isArray(child) || isObject(child);
      if (level >= first || (first === LAST_LEVEL && last === LAST_LEVEL && !isContainer)) {
        yield* this.lenient(this.next(step, child));
      }
      if (level < last && isContainer) {
        yield* this.descend(step, first, last, child as readonly JsonValue[] | JsonObject, level + 1);
      }
    }
  }

  /** Runs with structural errors ignored, as everything behind `**` does. */
  private *lenient(inner: Generator<PathValue>): Generator<PathValue> {
    const saved = this.ignoresStructure;
    for (;;) {
      this.ignoresStructure = true;
      const result = inner.next();
      this.ignoresStructure = saved;
      if (result.done === true) return;
      yield result.value;
    }
  }

  private variable(name: string): JsonValue {
    const vars = this.options.vars as JsonObject | undefined;
    const at = vars?.entries.findIndex(([key]) => key === name) ?? -1;
    if (at < 0) {
      throw new DbError('undefined_object', `could not find jsonpath variable "${name}"`);
    }
    this.base = { value: vars as JsonValue, id: 1 };
    return vars!.entries[at]![1];
  }

  /** Operands: results with arrays unwrapped once in lax mode. */
  private operands(step: PathStep, value: PathValue, unwraps = true): PathValue[] {
    const found: PathValue[] = [];
    const saved = this.onlyExistence;
    this.onlyExistence = false;
    for (const result of this.step(step, value, this.isLax)) {
      if (unwraps && this.isLax && isArray(result)) for (const element of result) found.push(element);
      else found.push(result);
    }
    this.onlyExistence = saved;
    return found;
  }

  private arithmetic(item: PathItem & { kind: 'arithmetic' }, value: PathValue): PathValue {
    const left = this.operands(item.left, value);
    const right = this.operands(item.right, value);
    const single = (found: PathValue[], side: string): Numeric => {
      if (found.length === 1 && found[0] instanceof Numeric) return found[0];
      throw failure(
        'singleton_sql_json_item_required',
        `${side} operand of jsonpath operator ${item.operator} is not a single numeric value`,
      );
    };
    const a = single(left, 'left');
    const b = single(right, 'right');
    try {
      return ARITHMETIC[item.operator]!(a, b);
    } catch (error) {
      throw error instanceof DbError ? new PathFailure(error) : error;
    }
  }

  private *sign(step: PathStep, item: PathItem & { kind: 'sign' }, value: PathValue): Generator<PathValue> {
    for (const operand of this.operands(item.operand, value)) {
      if (!(operand instanceof Numeric)) {
        if (this.onlyExistence && step.next === null) continue;
        throw failure(
          'sql_json_number_not_found',
          `operand of unary jsonpath operator ${item.operator} is not a numeric value`,
        );
      }
      yield* this.next(step, item.operator === '-' ? numericNegate(operand) : operand);
    }
  }

  private withCurrent(value: PathValue, predicate: PathStep): boolean {
    const saved = this.current;
    this.current = value;
    try {
      return this.truth(predicate, value) === true;
    } finally {
      this.current = saved;
    }
  }

  /** Runs, with the surroundings restored afterwards; null in place of a path failure. */
  private attempt<Result>(run: () => Result): Result | null {
    const { ignoresStructure, arraySize, base, current, onlyExistence } = this;
    try {
      return run();
    } catch (error) {
      if (!(error instanceof PathFailure)) throw error;
      return null;
    } finally {
      this.ignoresStructure = ignoresStructure;
      this.arraySize = arraySize;
      this.base = base;
      this.current = current;
      this.onlyExistence = onlyExistence;
    }
  }

  private truth(step: PathStep, value: PathValue): Truth {
    const { item } = step;
    switch (item.kind) {
      case 'logic': {
        const left = this.truth(item.left, value);
        if (item.operator === '&&') {
          if (left === false) return false;
          const right = this.truth(item.right, value);
          return right === true ? left : right;
        }
        if (left === true) return true;
        const right = this.truth(item.right, value);
        return right === false ? left : right;
      }
      case 'not': {
        const inner = this.truth(item.operand, value);
        return inner === null ? null : !inner;
      }
      case 'isUnknown':
        return this.truth(item.operand, value) === null;
      case 'exists':
        return this.attempt(() => this.hasResult(item.operand, value));
      case 'compare':
        return this.pairs(item.left, item.right, value, true, (left, right) =>
          this.compare(item.operator, left, right),
        );
      case 'startsWith':
        return this.pairs(item.left, item.right, value, false, (left, right) =>
          typeof left === 'string' && typeof right === 'string' ? left.startsWith(right) : null,
        );
      case 'likeRegex': {
        const regex = pathRegex(item.pattern, item.options);
        return this.pairs(item.operand, null, value, false, (left) =>
          typeof left === 'string' ? regex.test(left) : null,
        );
      }
      default:
        throw internalError(`jsonpath item ${item.kind} is no predicate`);
    }
  }

  /** A predicate over all pairs of operands: in lax mode one that holds is enough, in strict mode none may be unknown. */
  private pairs(
    leftStep: PathStep,
    rightStep: PathStep | null,
    value: PathValue,
    unwrapsRight: boolean,
    test: (left: PathValue, right: PathValue) => Truth,
  ): Truth {
    const left = this.attempt(() => this.operands(leftStep, value));
    if (left === null) return null;
    const right =
      rightStep === null ? [null] : this.attempt(() => this.operands(rightStep, value, unwrapsRight));
    if (right === null) return null;
    let holds = false;
    let isUnknown = false;
    for (const a of left) {
      for (const b of right) {
        const result = test(a, b);
        if (result === null) {
          if (!this.isLax) return null;
          isUnknown = true;
        } else if (result) {
          if (this.isLax) return true;
          holds = true;
        }
      }
    }
    if (holds) return true;
    return isUnknown ? null : false;
  }

  private compare(operator: ComparisonOperator, left: PathValue, right: PathValue): Truth {
    let result: number | null;
    if (left === null || right === null) {
      // null equals null only; it is neither less nor greater than anything else.
      if (left !== right) return operator === '!=';
      result = 0;
    } else if (isDateTime(left) && isDateTime(right)) {
      result = compareDateTimes(left, right, this.options.zones);
    } else if (typeof left === 'boolean' && typeof right === 'boolean') result = Number(left) - Number(right);
    else if (left instanceof Numeric && right instanceof Numeric) result = numericCompare(left, right);
    else if (typeof left === 'string' && typeof right === 'string') result = compareText(left, right);
    else return null;
    if (result === null) return null;
    switch (operator) {
      case '==':
        return result === 0;
      case '!=':
        return result !== 0;
      case '<':
        return result < 0;
      case '>':
        return result > 0;
      case '<=':
        return result <= 0;
      case '>=':
        return result >= 0;
    }
  }

  private *method(
    step: PathStep,
    item: PathItem & { kind: 'method' | 'datetime' },
    value: PathValue,
    unwraps: boolean,
  ): Generator<PathValue> {
    const name = item.kind === 'method' ? item.name : 'datetime';
    if (name === 'type') return yield* this.next(step, pathTypeName(value));
    if (name === 'size') {
      if (!isArray(value) && !this.isLax) {
        if (this.ignoresStructure) return;
        throw failure(
          'sql_json_array_not_found',
          'jsonpath item method .size() can only be applied to an array',
        );
      }
      return yield* this.next(step, numericFromInteger(isArray(value) ? value.length : 1));
    }
    if (unwraps && isArray(value)) return yield* this.elements(step, value);
    if (name === 'keyvalue') return yield* this.keyValues(step, value);
    if (item.kind === 'datetime') return yield* this.next(step, dateTime(item.template, value));
    if (name === 'double') return yield* this.next(step, toDouble(value));
    if (!(value instanceof Numeric)) {
      throw failure(
        'non_numeric_sql_json_item',
        `jsonpath item method .${name}() can only be applied to a numeric value`,
      );
    }
    const apply = name === 'abs' ? numericAbs : name === 'floor' ? numericFloor : numericCeil;
    return yield* this.next(step, apply(value));
  }

  private *keyValues(step: PathStep, value: PathValue): Generator<PathValue> {
    if (!isObject(value)) {
      throw failure(
        'sql_json_object_not_found',
        'jsonpath item method .keyvalue() can only be applied to an object',
      );
    }
    const offset = containerOffset(this.base.value, value);
    const id = numericFromInteger(BigInt(this.base.id) * ID_FACTOR + BigInt(offset));
    for (const [key, member] of value.entries) {
      const made = makeJsonObject([
        ['key', key],
        ['value', member],
        ['id', id],
      ]);
      const saved = this.base;
      this.base = { value: made, id: this.nextObjectId++ };
      yield* this.next(step, made);
      this.base = saved;
    }
  }
}

function isArray(value: PathValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
function isObject(value: PathValue): value is JsonObject {
  return typeof value === 'object' && !isDateTime(value) && isJsonObject(value);
}

function toDouble(value: PathValue): Numeric {
  const bad = (what: string): PathFailure =>
    failure(
      'non_numeric_sql_json_item',
      what === 'numeric'
        ? 'numeric argument of jsonpath item method .double() is out of range for type double precision'
        : 'string argument of jsonpath item method .double() is not a valid representation of a double precision number',
    );
  if (value instanceof Numeric || typeof value === 'string') {
    const what = typeof value === 'string' ? 'string' : 'numeric';
    let number: number;
    try {
      number = parseFloat8(typeof value === 'string' ? value : formatNumeric(value));
    } catch (error) {
      if (!(error instanceof DbError)) throw error;
      throw bad(what);
    }
    if (!Number.isFinite(number)) throw bad(what);
    return typeof value === 'string' ? numericFromFloat8(number) : value;
  }
  throw failure(
    'non_numeric_sql_json_item',
    'jsonpath item method .double() can only be applied to a string or numeric value',
  );
}

function dateTime(template: string | null, value: PathValue): PathValue {
  if (typeof value !== 'string') {
    throw failure(
      'invalid_argument_for_sql_json_datetime_function',
      'jsonpath item method .datetime() can only be applied to a string',
    );
  }
  try {
    return template === null ? parseIsoDateTime(value) : parseDateTime(value, template);
  } catch (error) {
    throw error instanceof DbError ? new PathFailure(error) : error;
  }
}
