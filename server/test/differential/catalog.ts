/**
 * What PostgreSQL's catalog says can be written: a template for each function, operator, cast and aggregate over the types of
 * `literals.ts`. Polymorphic ones appear once for each of a few types.
 *
 * Left out, because their answers are not determined by their arguments (`UNDETERMINED`), differ in the last digit between two C
 * libraries (`TRANSCENDENTAL`), or are about the server (`ABOUT_SERVER`); and float sums, which depend on the order of rows.
 */
import { TYPES } from './literals.ts';
import { rowsOf, type WireClient } from './wire.ts';

export interface Templates {
  /** Expressions by result type, in the form of `functions.ts`. */
  readonly scalars: ReadonlyMap<string, readonly string[]>;
  readonly aggregates: ReadonlyMap<string, readonly string[]>;
  /** Calls that return sets, with the type of their one column. */
  readonly sets: readonly { readonly type: string; readonly template: string }[];
}

const UNDETERMINED =
  /^(?:now|timeofday|statement_timestamp|transaction_timestamp|clock_timestamp|age|random|gen_random_uuid|txid_.*|inet_(?:client|server)_.*|ts_stat|generate_series|.*_series|date_trunc_now)$/;
const TRANSCENDENTAL =
  /^d?(?:a?(?:sin|cos|tan|cot)(?:d|h|2|2d)?|exp|ln|log|log10|log1|power|pow|cbrt|sqrt|degrees|radians|pi|erfc?|polygon|circle_poly|dpow|dexp|ts_rank.*)$/;
const ABOUT_SERVER =
  /^(?:pg_.*|has_.*|current_.*|session_user|version|.*(?:send|recv|_in|_out|typmodin|typmodout)|lo_.*|lo[a-z]+|be_.*|set_config|row_security.*|to_reg.*|reg.*(?:in|out)|(?:query|table|cursor|schema|database)_to_.*|xml.*|.*xml|.*_description|format_type|col_description|getdatabaseencoding|get_.*|to_ascii|.*populate_record.*|bool(?:and|or)_statefunc|int8inc_.*|amvalidate|gi[ns]t?_.*|gin.*|gist.*|brin.*|spg_?.*|bt.*|hash.*|.*hash|.*_hash_extended|.*hash_extended|.*sel|.*joinsel|.*_support|ri_.*|nextval|currval|setval|lastval|.*_sortsupport|window_.*|in_range|.*_accum.*|.*_combine|.*_serialize|.*_deserialize|.*_inv|.*_transfn|.*_finalfn|.*_final|.*_avg|.*_sum|float[48]_(?:var|stddev|regr|covar|corr).*|numeric_(?:var|stddev).*|ordered_set.*|array_agg.*|json.*_agg.*|string_agg.*|binary_upgrade.*|dsimple_.*|dsnowball_.*|dispell_.*|thesaurus_.*|prsd_.*|ts_(?:lexize|parse|token_type|debug)|cash_words|suppress_redundant.*|tsvector_update.*|.*pg_lsn.*|shift_jis.*|.*_to_utf8|utf8_to_.*|.*_to_mic|mic_to_.*|euc_.*|.*timesel|xid.*|cid.*|tid.*|void.*|anytext.*|trigger.*|lca|mxid_age|rangesel|.*hash.*)$/;
const ORDER_DEPENDENT = /^(?:array_agg|string_agg|json.*_agg|xmlagg)$/;
const ELEMENTS = ['int4', 'text', 'numeric', 'date'];
const RANGES: Readonly<Record<string, string>> = {
  int4: 'int4range',
  numeric: 'numrange',
  date: 'daterange',
};
const MULTIRANGES: Readonly<Record<string, string>> = { int4: 'int4multirange', numeric: 'nummultirange' };

export async function readTemplates(oracle: WireClient): Promise<Templates> {
  const scalars = new Map<string, string[]>();
  const aggregates = new Map<string, string[]>();
  const sets: { type: string; template: string }[] = [];
  const known = new Set(TYPES);
  const add = (map: Map<string, string[]>, type: string, template: string): void => {
    const list = map.get(type);
    if (list === undefined) map.set(type, [template]);
    else list.push(template);
  };

  /** One line per expansion of the polymorphic types, and only where all types are known. */
  const expand = (types: readonly string[]): string[][] => {
    const isPolymorphic = types.some((type) => type.startsWith('any'));
    const expansions = isPolymorphic
      ? ELEMENTS.map((element) => types.map((type) => concrete(type, element)))
      : [[...types]];
    return expansions.filter((expansion) => expansion.every((type) => known.has(type)));
  };

  const names = `array(select (select typname from pg_type where oid = a) from unnest(p.proargtypes) with ordinality u(a, n) order by n)`;
  const functions = await oracle.one(
    `select p.proname, (select typname from pg_type where oid = p.prorettype), p.proretset, p.prokind, array_to_string(${names}, ',')
       from pg_proc p where pronamespace = 'pg_catalog'::regnamespace and prokind in ('f', 'a') and provolatile <> 'v'
        and provariadic = 0 and pronargs < 6
        and (prokind = 'f' or exists (select from pg_aggregate where aggfnoid = p.oid and aggkind = 'n')) order by p.oid`,
  );
  for (const [name, result, isSet, kind, list] of rowsOf(functions) as [
    string,
    string,
    string,
    string,
    string,
  ][]) {
    if (UNDETERMINED.test(name) || TRANSCENDENTAL.test(name) || ABOUT_SERVER.test(name)) continue;
    const types = list === '' ? [] : list.split(',').map(short);
    for (const [type, ...argumentTypes] of expand([short(result), ...types])) {
      const call = `${/^[a-z_0-9]+$/.test(name) && !KEYWORDS.has(name) ? name : `"${name}"`}(${argumentTypes.map((argument) => `{${argument}}`).join(', ')})`;
      if (kind === 'a') {
        const isFloat = argumentTypes.some((argument) => /^float|^interval|^money/.test(argument));
        if (ORDER_DEPENDENT.test(name) || (isFloat && !/^(?:min|max|count)$/.test(name))) continue;
        add(aggregates, type!, call);
        if (argumentTypes.length === 1 && !/^(?:json|point|box|xml)/.test(argumentTypes[0]!))
          add(aggregates, type!, call.replace('(', '(distinct '));
      } else if (isSet === 't') sets.push({ type: type!, template: call });
      else add(scalars, type!, call);
    }
  }

  const operators = await oracle.one(
    `select o.oprname, l.typname, r.typname, t.typname from pg_operator o left join pg_type l on l.oid = oprleft
       join pg_type r on r.oid = oprright join pg_type t on t.oid = oprresult where oprcode <> 0 order by o.oid`,
  );
  for (const [name, left, right, result] of rowsOf(operators) as [string, string | null, string, string][]) {
    // `^` and `|/` are transcendental for floats.
    if (/^(?:\^|\|\/|\|\|\/)$/.test(name) && right === 'float8') continue;
    const types = left === null ? [right] : [left, right];
    for (const [type, ...operands] of expand([result, ...types].map(short)))
      add(
        scalars,
        type!,
        operands.length === 1 ? `${name} {${operands[0]}}` : `{${operands[0]}} ${name} {${operands[1]}}`,
      );
  }

  const casts = await oracle.one(
    'select s.typname, t.typname from pg_cast c join pg_type s on s.oid = castsource join pg_type t on t.oid = casttarget order by c.oid',
  );
  for (const [from, to] of rowsOf(casts) as [string, string][])
    if (known.has(from) && known.has(to) && from !== 'circle') add(scalars, to, `({${from}})::${to}`);
  for (const type of TYPES) {
    add(scalars, 'text', `({${type}})::text`);
    add(scalars, type, `({text})::${type}`);
  }
  return { scalars, aggregates, sets };
}

/** Functions whose names the grammar takes for itself. */
const KEYWORDS = new Set([
  'overlaps',
  'position',
  'substring',
  'overlay',
  'char',
  'bit',
  'trim',
  'normalize',
]);

function short(type: string): string {
  if (type === 'char') return '"char"';
  return type.startsWith('_') ? `${type.slice(1)}[]` : type;
}

function concrete(type: string, element: string): string {
  switch (type) {
    case 'anyelement':
    case 'anynonarray':
    case 'anycompatible':
    case 'anycompatiblenonarray':
      return element;
    case 'anyarray':
    case 'anycompatiblearray':
      return `${element}[]`;
    case 'anyrange':
    case 'anycompatiblerange':
      return RANGES[element] ?? 'none';
    case 'anymultirange':
    case 'anycompatiblemultirange':
      return MULTIRANGES[element] ?? 'none';
    case 'anyenum':
      return 'mood';
    default:
      return type;
  }
}
