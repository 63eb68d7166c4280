/** jsonpath's text form. */
import { quoteJson } from '../json-text.ts';
import { formatNumeric } from '../numeric-text.ts';
import { type JsonPath, LAST_LEVEL, type PathItem, type PathStep } from './tree.ts';

function priority({ item }: PathStep): number {
  switch (item.kind) {
    case 'logic':
      return item.operator === '||' ? 0 : 1;
    case 'compare':
    case 'startsWith':
      return 2;
    case 'arithmetic':
      return item.operator === '+' || item.operator === '-' ? 3 : 4;
    case 'sign':
      return 5;
    default:
      return 6;
  }
}

const level = (depth: number): string => (depth === LAST_LEVEL ? 'last' : String(depth));

function anyText(first: number, last: number): string {
  if (first === 0 && last === LAST_LEVEL) return '**';
  return first === last ? `**{${level(first)}}` : `**{${level(first)} to ${level(last)}}`;
}

function flagText(item: PathItem & { kind: 'likeRegex' }): string {
  const { ignoreCase, dotMatchesNewline, multiLine, isExpanded, isLiteral } = item.options;
  const letters = `${ignoreCase ? 'i' : ''}${dotMatchesNewline ? 's' : ''}${multiLine ? 'm' : ''}${isExpanded ? 'x' : ''}${isLiteral ? 'q' : ''}`;
  return letters === '' ? '' : ` flag "${letters}"`;
}

function itemText(step: PathStep, isKey: boolean, bracketed: boolean): string {
  const { item } = step;
  const own = priority(step);
  const wrap = (text: string): string => (bracketed ? `(${text})` : text);
  const operand = (inner: PathStep): string => stepText(inner, false, priority(inner) <= own);
  const dot = isKey ? '.' : '';
  switch (item.kind) {
    case 'null':
      return 'null';
    case 'root':
      return '$';
    case 'current':
      return '@';
    case 'last':
      return 'last';
    case 'anyKey':
      return `${dot}*`;
    case 'anyArray':
      return '[*]';
    case 'bool':
      return item.value ? 'true' : 'false';
    case 'string':
      return quoteJson(item.value);
    case 'numeric': {
      const text = formatNumeric(item.value);
      return step.next === null ? text : `(${text})`;
    }
    case 'variable':
      return `$${quoteJson(item.name)}`;
    case 'key':
      return dot + quoteJson(item.name);
    case 'index':
      return `[${item.subscripts
        .map(({ from, to }) =>
          to === null
            ? stepText(from, false, false)
            : `${stepText(from, false, false)} to ${stepText(to, false, false)}`,
        )
        .join(',')}]`;
    case 'any':
      return dot + anyText(item.first, item.last);
    case 'filter':
      return `?(${stepText(item.predicate, false, false)})`;
    case 'method':
      return `.${item.name}()`;
    case 'datetime':
      return `.datetime(${item.template === null ? '' : quoteJson(item.template)})`;
    case 'logic':
    case 'compare':
    case 'arithmetic':
      return wrap(`${operand(item.left)} ${item.operator} ${operand(item.right)}`);
    case 'startsWith':
      return wrap(`${operand(item.left)} starts with ${operand(item.right)}`);
    case 'sign':
      return wrap(`${item.operator}${operand(item.operand)}`);
    case 'not':
      return `!(${stepText(item.operand, false, false)})`;
    case 'isUnknown':
      return `(${stepText(item.operand, false, false)}) is unknown`;
    case 'exists':
      return `exists (${stepText(item.operand, false, false)})`;
    case 'likeRegex':
      return wrap(`${operand(item.operand)} like_regex ${quoteJson(item.pattern)}${flagText(item)}`);
  }
}

function stepText(step: PathStep, isKey: boolean, bracketed: boolean): string {
  let result = itemText(step, isKey, bracketed);
  for (let next = step.next; next !== null; next = next.next) result += itemText(next, true, true);
  return result;
}

export function formatJsonPath(path: JsonPath): string {
  return `${path.isLax ? '' : 'strict '}${stepText(path.root, false, true)}`;
}
