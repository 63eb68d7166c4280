/**
 * Lifts the literals of simple-protocol statements into parameters, so that `… id = 42` and `… id = 43` share a plan.
 *
 * A literal is lifted only where a parameter of its type means exactly the same. In doubt it stays, and a statement whose
 * text the lexer cannot follow is not touched at all. The rules:
 *
 * 1. Only SELECT, INSERT, UPDATE and DELETE, one statement, no comment (it may hold a hint), no parameter of its own.
 * 2. None at all when the text has GROUP, DISTINCT, OVER, WINDOW, UNION, INTERSECT, EXCEPT or WITH: there equal literals in two
 *    places must be seen as equal, or columns of several branches unify; such statements are long to run anyway.
 * 3. Numbers and plain strings only, and only after a token of {@link BEFORE}: operators, an open parenthesis, a comma, or a
 *    keyword that an expression follows. So typed literals (`interval '1 day'`, `date '…'`), FETCH FIRST n, LIMIT n stay.
 * 4. A minus sign of a number's own goes with it: `-2147483648` is one integer literal, in `a - 5` the sign is an operator. Not
 *    after a plus sign of its own. Not before `::` (the cast of a constant), not before another string (continuation), not
 *    with a backslash inside (its meaning is a setting).
 * 5. Not in ORDER BY (ordinals), not in brackets, not in the parentheses of a type name (`numeric(10,2)`).
 *
 * Any error in a lifted statement must be reported by doing the statement again from its own text, because positions and
 * some messages differ. The key names the class of each literal: int4, int8, numeric and string literals do not share.
 */
import {
  TOKEN_DECIMAL,
  TOKEN_INTEGER,
  TOKEN_OPERATOR,
  TOKEN_OTHER_STRING,
  TOKEN_PARAMETER,
  TOKEN_QUOTED_NAME,
  TOKEN_SELF,
  TOKEN_STRING,
  TOKEN_TYPECAST,
  TOKEN_WORD,
  tokenise,
} from './lexer.ts';

export type LiteralClass = 'int4' | 'int8' | 'numeric' | 'string';

export interface LiftedLiteral {
  class: LiteralClass;
  /** Text of the value, as its type's input function takes it. */
  text: string;
}

export interface LiftedStatement {
  /** Cache key: the text with `$n` and the classes. */
  key: string;
  /** The statement with literals replaced by $1 … */
  text: string;
  literals: LiftedLiteral[];
}

/** Parameter type of each class: strings stay unknown, so that their context decides, as it does for the literal. */
export const LITERAL_TYPE_OID: Readonly<Record<LiteralClass, number>> = {
  int4: 23,
  int8: 20,
  numeric: 1700,
  string: 705,
};

const TEXT_SIZE_MAX = 8192;
const LITERAL_COUNT_MAX = 64;

const STATEMENTS = new Set(['select', 'insert', 'update', 'delete']);
const BLOCKING = new Set([
  'group',
  'distinct',
  'over',
  'window',
  'union',
  'intersect',
  'except',
  'with',
  'grouping',
  'within',
]);
/** Keywords an expression may follow where a parameter is as good as a literal. */
const BEFORE = new Set([
  'where',
  'and',
  'or',
  'not',
  'on',
  'when',
  'then',
  'else',
  'between',
  'like',
  'ilike',
  'having',
]);
/** Words whose parentheses hold typmods or something else that must stay a literal. */
const TYPE_WORDS = new Set([
  'numeric',
  'decimal',
  'dec',
  'float',
  'char',
  'character',
  'varchar',
  'varying',
  'bit',
  'time',
  'timestamp',
  'timestamptz',
  'timetz',
  'interval',
  'second',
  'bpchar',
  'varbit',
  'current_time',
  'current_timestamp',
  'localtime',
  'localtimestamp',
]);

const INT4_MAX = 2147483647n;
const INT8_MAX = 9223372036854775807n;

/** Words before an expression: a sign behind one is the number's own. Other words are names, and the sign an operator. */
const EXPRESSION_FOLLOWS = new Set([
  ...BEFORE,
  'select',
  'in',
  'is',
  'case',
  'by',
  'limit',
  'offset',
  'values',
  'set',
  'returning',
  'as',
  'from',
  'any',
  'all',
  'some',
  'using',
  'escape',
  'similar',
  'to',
  'default',
  'array',
  'row',
  'filter',
  'first',
  'next',
  'symmetric',
  'asymmetric',
  'operator',
  'collate',
  'union',
  'do',
  'fetch',
  'cast',
  'variadic',
]);

function integerClass(text: string, isNegative: boolean): LiteralClass {
  if (text.length < 10) return 'int4';
  // The smallest integer is one further from zero than the largest.
  const value = isNegative ? BigInt(text) - 1n : BigInt(text);
  return value <= INT4_MAX ? 'int4' : value <= INT8_MAX ? 'int8' : 'numeric';
}

const SIGNED: ReadonlySet<string> = new Set(['-', '+']);
const SIGNED_PARENTHESIS = '-(';

/** A place where a parameter means what a literal means. */
function takesLiteral(previousKind: number, previousWord: string): boolean {
  if (previousKind === TOKEN_OPERATOR) return previousWord !== '-' && previousWord !== '+';
  if (previousKind === TOKEN_SELF) return previousWord === '(' || previousWord === ',';
  return previousKind === TOKEN_WORD && BEFORE.has(previousWord);
}

/** An operand ends here, so that a sign behind it has two sides. */
function endsOperand(kind: number, word: string, code: number): boolean {
  switch (kind) {
    case TOKEN_WORD:
      return !EXPRESSION_FOLLOWS.has(word);
    case TOKEN_SELF:
      return code === 41 || code === 93;
    default:
      return (
        kind === TOKEN_INTEGER ||
        kind === TOKEN_DECIMAL ||
        kind === TOKEN_STRING ||
        kind === TOKEN_QUOTED_NAME
      );
  }
}

/** Null when nothing is to be lifted: the statement is then cached by its own text. */
export function liftLiterals(text: string): LiftedStatement | null {
  if (text.length > TEXT_SIZE_MAX) return null;
  const tokens = tokenise(text);
  if (!tokens.ok || tokens.hasComment || tokens.count < 2) return null;
  const { kinds, starts, ends, count } = tokens;
  if (kinds[0] !== TOKEN_WORD || !STATEMENTS.has(text.slice(starts[0], ends[0]).toLowerCase())) return null;

  const literals: LiftedLiteral[] = [];
  const parts: string[] = [];
  let copied = 0;
  /** Depth of parentheses; lifting is off while `offDepth` ≥ 0 and depth > offDepth. */
  let depth = 0;
  let offDepth = -1;
  let brackets = 0;
  /** Depth at which ORDER BY began, -1 = not in one. */
  let orderDepth = -1;
  let previousWord = '';
  let previousKind = 0;
  /** Character of the last TOKEN_SELF. */
  let previousCode = 0;
  /** Where a number's own minus sign stands, when number and sign may be lifted together; -1 = not. */
  let signStart = -1;
  let isTypeContext = false;

  for (let index = 0; index < count; index++) {
    const kind = kinds[index];
    const start = starts[index];
    const end = ends[index];
    switch (kind) {
      case TOKEN_PARAMETER:
        return null;
      case TOKEN_WORD: {
        const word = text.slice(start, end).toLowerCase();
        if (BLOCKING.has(word)) return null;
        if (word === 'order') orderDepth = depth;
        else if (word === 'limit' || word === 'offset' || word === 'fetch' || word === 'for') {
          if (orderDepth === depth) orderDepth = -1;
        }
        // After `::` or AS a type name may go on over several words and dots.
        isTypeContext =
          previousKind === TOKEN_TYPECAST ||
          (previousKind === TOKEN_WORD && previousWord === 'as') ||
          (isTypeContext && (previousKind === TOKEN_WORD || previousKind === TOKEN_SELF));
        previousWord = word;
        previousKind = kind;
        continue;
      }
      case TOKEN_SELF: {
        const code = text.charCodeAt(start);
        if (code === 40) {
          if (
            offDepth < 0 &&
            ((previousKind === TOKEN_WORD && (isTypeContext || TYPE_WORDS.has(previousWord))) ||
              (previousKind === TOKEN_QUOTED_NAME && isTypeContext))
          )
            offDepth = depth;
          depth++;
        } else if (code === 41) {
          depth--;
          if (depth < 0) return null;
          if (depth === offDepth) offDepth = -1;
          if (orderDepth > depth) orderDepth = -1;
        } else if (code === 91) brackets++;
        else if (code === 93) brackets--;
        else if (code === 59) {
          if (index !== count - 1) return null;
        }
        if (code !== 46) isTypeContext = false;
        // A sign before a parenthesis belongs to the number inside: -(-2147483648) is no int4.
        const isSigned = code === 40 && (SIGNED.has(previousWord) || previousWord === SIGNED_PARENTHESIS);
        previousWord = isSigned ? SIGNED_PARENTHESIS : code === 40 ? '(' : code === 44 ? ',' : '';
        previousKind = kind;
        previousCode = code;
        continue;
      }
      case TOKEN_INTEGER:
      case TOKEN_DECIMAL:
      case TOKEN_STRING: {
        const isSigned = signStart >= 0 && kind !== TOKEN_STRING;
        const isAllowedHere =
          offDepth < 0 &&
          brackets === 0 &&
          orderDepth < 0 &&
          (isSigned || takesLiteral(previousKind, previousWord));
        const nextKind = index + 1 < count ? kinds[index + 1] : 0;
        const isFree =
          nextKind !== TOKEN_TYPECAST && nextKind !== TOKEN_STRING && nextKind !== TOKEN_OTHER_STRING;
        if (isAllowedHere && isFree) {
          const source = text.slice(start, end);
          if (kind !== TOKEN_STRING || !source.includes('\\')) {
            if (literals.length === LITERAL_COUNT_MAX) return null;
            literals.push(
              kind === TOKEN_STRING
                ? { class: 'string', text: source.slice(1, -1).replaceAll("''", "'") }
                : {
                    class: kind === TOKEN_INTEGER ? integerClass(source, isSigned) : 'numeric',
                    text: isSigned ? `-${source}` : source,
                  },
            );
            // A space keeps the parameter from growing together with a word before it.
            parts.push(text.slice(copied, isSigned ? signStart : start), ` $${literals.length}`);
            copied = end;
          }
        }
        signStart = -1;
        isTypeContext = false;
        previousWord = '';
        previousKind = kind;
        continue;
      }
      case TOKEN_OPERATOR: {
        const last = text.charAt(end - 1);
        const isSign = last === '-' || last === '+';
        const isBinary = isSign && end - start === 1 && endsOperand(previousKind, previousWord, previousCode);
        const nextKind = index + 1 < count ? kinds[index + 1] : 0;
        signStart =
          last === '-' &&
          end - start === 1 &&
          !isBinary &&
          (nextKind === TOKEN_INTEGER || nextKind === TOKEN_DECIMAL) &&
          takesLiteral(previousKind, previousWord)
            ? start
            : -1;
        previousWord = isSign && !isBinary ? last : '';
        isTypeContext = false;
        previousKind = kind;
        continue;
      }
      default:
        if (kind !== TOKEN_QUOTED_NAME) isTypeContext = false;
        else
          isTypeContext =
            previousKind === TOKEN_TYPECAST ||
            (previousKind === TOKEN_WORD && previousWord === 'as') ||
            isTypeContext;
        previousWord = '';
        previousKind = kind;
    }
  }
  if (depth !== 0 || brackets !== 0 || literals.length === 0) return null;
  parts.push(text.slice(copied));
  const lifted = parts.join('');
  let key = '';
  for (const literal of literals)
    key +=
      literal.class === 'int4'
        ? 'i'
        : literal.class === 'int8'
          ? 'l'
          : literal.class === 'numeric'
            ? 'n'
            : 's';
  return { key: `${key}\u0001${lifted}`, text: lifted, literals };
}
