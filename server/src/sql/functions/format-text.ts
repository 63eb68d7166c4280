/** format(): printf-like assembly of text with %s, %I and %L. */
import { DbError } from '../../base/error.ts';
import { type Datum, SqlArray } from '../../types/datum.ts';
import { OID } from '../../types/oid.ts';
import { characterCount } from '../../types/scalars.ts';
import { quoteIdentifier } from '../parse/keywords.ts';
import type { CallSite, FunctionContext } from './contract.ts';
import { boundTable, type FunctionTable } from './registry.ts';
import { quoteLiteral } from './text.ts';

function invalid(message: string, hint?: string): DbError {
  return new DbError('invalid_parameter_value', message, hint === undefined ? {} : { hint });
}

interface Arguments {
  readonly values: readonly Datum[];
  readonly types: readonly number[];
}

/** The format's arguments; VARIADIC spreads an array. */
function argumentsOf(args: readonly Datum[], site: CallSite): Arguments {
  if (!site.variadic) return { values: args.slice(1), types: site.argumentTypes.slice(1) };
  const array = args[1];
  if (!(array instanceof SqlArray)) return { values: [], types: [] };
  return { values: array.elements, types: array.elements.map(() => array.elementType) };
}

function formatText(template: string, given: Arguments, context: FunctionContext): string {
  let result = '';
  let next = 0;
  let at = 0;
  const end = (): DbError => invalid('unterminated format() type specifier', 'For a single "%" use "%%".');
  const number = (): number | null => {
    const start = at;
    while (at < template.length && template.charCodeAt(at) >= 48 && template.charCodeAt(at) <= 57) at++;
    if (start === at) return null;
    if (at >= template.length) throw end();
    const value = Number(template.slice(start, at));
    if (value > 2147483647) throw new DbError('numeric_value_out_of_range', 'number is out of range');
    return value;
  };
  const take = (position: number | null): { value: Datum; type: number } => {
    const index = position === null ? next : position - 1;
    if (index >= given.values.length) throw invalid('too few arguments for format()');
    next = index + 1;
    return { value: given.values[index]!, type: given.types[index]! };
  };
  while (at < template.length) {
    const percent = template.indexOf('%', at);
    if (percent < 0) return result + template.slice(at);
    result += template.slice(at, percent);
    at = percent + 1;
    if (at >= template.length) throw end();
    if (template[at] === '%') {
      result += '%';
      at++;
      continue;
    }
    let position: number | null = null;
    let width: number | null = null;
    let isLeft = false;
    const leading = number();
    if (leading !== null && template[at] === '$') {
      if (leading === 0) throw invalid('format specifies argument 0, but arguments are numbered from 1');
      position = leading;
      at++;
      if (at >= template.length) throw end();
    } else if (leading !== null) width = leading;
    if (width === null) {
      while (template[at] === '-') {
        isLeft = true;
        at++;
        if (at >= template.length) throw end();
      }
      if (template[at] === '*') {
        at++;
        if (at >= template.length) throw end();
        const widthPosition = number();
        if (widthPosition !== null) {
          if (template[at] !== '$') throw invalid('width argument position must be ended by "$"');
          if (widthPosition === 0)
            throw invalid('format specifies argument 0, but arguments are numbered from 1');
          at++;
          if (at >= template.length) throw end();
        }
        const { value, type } = take(widthPosition);
        width = value === null ? 0 : Number(context.typeSupport(type).output(value, context.format));
        if (width < 0) {
          isLeft = true;
          width = -width;
        }
      } else width = number();
    }
    const specifier = String.fromCodePoint(template.codePointAt(at)!);
    at += specifier.length;
    if (specifier !== 's' && specifier !== 'I' && specifier !== 'L') {
      throw invalid(`unrecognized format() type specifier "${specifier}"`, 'For a single "%" use "%%".');
    }
    const { value, type } = take(position);
    let text: string;
    if (value === null) {
      if (specifier === 'I')
        throw new DbError('null_value_not_allowed', 'null values cannot be formatted as an SQL identifier');
      text = specifier === 'L' ? 'NULL' : '';
    } else {
      text =
        type === OID.UNKNOWN ? (value as string) : context.typeSupport(type).output(value, context.format);
      if (specifier === 'I') text = quoteIdentifier(text);
      else if (specifier === 'L') text = quoteLiteral(text);
    }
    if (width !== null) {
      const padding = ' '.repeat(Math.max(0, width - characterCount(text)));
      text = isLeft ? text + padding : padding + text;
    }
    result += text;
  }
  return result;
}

export const formatFunctions: FunctionTable = boundTable({
  text_format:
    (context, site) =>
    (...args: Datum[]) =>
      args[0] === null || args[0] === undefined
        ? null
        : formatText(args[0] as string, argumentsOf(args, site), context),
  text_format_nv: (context) => (template: string | null) =>
    template === null ? null : formatText(template, { values: [], types: [] }, context),
});
