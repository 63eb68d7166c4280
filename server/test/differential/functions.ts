/**
 * What expressions are made of: lines of `result: template`, where `{type}` stands for an expression of that type.
 * Kept out: what depends on the clock, on chance, on the order of rows, or on the machine's mathematics beyond its last digit.
 */
const TEMPLATES = `
int2: {int2} # {int2}
int2: ({int4})::int2
int2: abs({int2})
int4: {int4} + {int4}
int4: {int4} - {int4}
int4: {int4} * {int4}
int4: {int4} / {int4}
int4: {int4} % {int4}
int4: {int4} & {int4}
int4: {int4} | {int4}
int4: {int4} << 3
int4: ~ {int4}
int4: - {int4}
int4: abs({int4})
int4: ({text})::int4
int4: ({numeric})::int4
int4: ({float8})::int4
int4: ({bool})::int4
int4: length({text})
int4: char_length({text})
int4: octet_length({text})
int4: bit_length({text})
int4: ascii({text})
int4: strpos({text}, {text})
int4: position({text} in {text})
int4: length({bytea})
int4: get_byte({bytea}, 0)
int4: array_length({int4[]}, 1)
int4: cardinality({text[]})
int4: array_position({int4[]}, {int4})
int4: ({int4[]})[{int4}]
int4: array_ndims({int4[]})
int4: jsonb_array_length({jsonb})
int4: ({jsonb} ->> 'a')::int4
int4: lower({int4range})
int4: upper({int4range})
int4: width_bucket({float8}, 0, 10, 5)
int4: {date} - {date}
int4: greatest({int4}, {int4}, {int2})
int4: least({int4}, {int4})
int4: num_nulls({text}, {int4}, {bool})
int4: sign({float8})::int4
int4: scale({numeric})
int4: gcd({int4}, {int4})
int4: regexp_count({text}, 'a')
int4: regexp_instr({text}, '[bc]')
int4: array_upper({text[]}, 1)
int8: {int8} + {int4}
int8: {int8} * {int8}
int8: {int8} - {int8}
int8: {int8} / {int8}
int8: {int8} % {int8}
int8: {int4}::int8
int8: ({numeric})::int8
int8: lcm({int8}, {int8})
int8: abs({int8})
int8: {int8} >> 2
int8: {int8} # {int8}
numeric: {numeric} + {numeric}
numeric: {numeric} - {numeric}
numeric: {numeric} * {numeric}
numeric: {numeric} / {numeric}
numeric: {numeric} % {numeric}
numeric: div({numeric}, {numeric})
numeric: round({numeric})
numeric: round({numeric}, 2)
numeric: round({numeric}, -2)
numeric: trunc({numeric}, 1)
numeric: ceil({numeric})
numeric: floor({numeric})
numeric: abs({numeric})
numeric: sign({numeric})
numeric: sqrt({numeric})
numeric: power({numeric}, 2)
numeric: exp(least({numeric}, 10))
numeric: ln({numeric})
numeric: log({numeric})
numeric: {int4}::numeric
numeric: ({float8})::numeric
numeric: ({numeric})::numeric(12,3)
numeric: trim_scale({numeric})
numeric: extract(epoch from {interval})
numeric: extract(year from {timestamp})
numeric: extract(dow from {date})
numeric: extract(second from {time})
numeric: extract(isoyear from {timestamptz})
numeric: extract(quarter from {timestamp})
numeric: to_number({text}, '999')
numeric: mod({numeric}, {numeric})
numeric: greatest({numeric}, {int8})
numeric: ({jsonb} -> 0)::numeric
float8: {float8} + {float8}
float8: {float8} - {float8}
float8: {float8} * {float8}
float8: {float8} / {float8}
float8: sqrt(abs({float8}))
float8: floor({float8})
float8: ceil({float8})
float8: round({float8})
float8: trunc({float8})
float8: abs({float8})
float8: sign({float8})
float8: {int4}::float8
float8: {numeric}::float8
float8: {float4}::float8
float8: degrees({float8})
float8: date_part('hour', {timestamp})
float8: date_part('epoch', {timestamptz})
float4: ({float8})::float4
float4: {float4} + {float4}
float4: {float4} * {float4}
float4: ({int4})::float4
bool: {int4} = {int4}
bool: {int4} < {int8}
bool: {numeric} >= {numeric}
bool: {numeric} <> {int4}
bool: {float8} > {float8}
bool: {float8} = {float8}
bool: {text} = {text}
bool: {text} < {text}
bool: {text} like 'a%'
bool: {text} like '%' || {text} || '%'
bool: {text} ilike '%L%'
bool: {text} not like '_b%'
bool: {text} similar to '(a|b)%'
bool: {text} ~ '^[a-z]+$'
bool: {text} ~* 'HELLO'
bool: {text} !~ '\\d'
bool: starts_with({text}, {text})
bool: not {bool}
bool: {bool} and {bool}
bool: {bool} or {bool}
bool: {bool} is true
bool: {bool} is not unknown
bool: {int4} is null
bool: {text} is not null
bool: {numeric} is distinct from {numeric}
bool: {text} is not distinct from {text}
bool: {int4} between {int4} and {int4}
bool: {int4} not between symmetric {int4} and {int4}
bool: {int4} in ({int4}, {int4}, 42)
bool: {text} not in ('alpha', {text})
bool: {int4} = any ({int4[]})
bool: {text} <> all ({text[]})
bool: {date} < {timestamp}
bool: {timestamptz} >= {timestamp}
bool: {interval} > {interval}
bool: {time} < {time}
bool: ({date}, {date}) overlaps ({date}, {date})
bool: {jsonb} @> {jsonb}
bool: {jsonb} ? 'a'
bool: {jsonb} ?| array['a', 'b']
bool: {jsonb} = {jsonb}
bool: {jsonb} < {jsonb}
bool: {jsonb} @? '$.a'
bool: {int4[]} @> {int4[]}
bool: {int4[]} && {int4[]}
bool: {int4[]} < {int4[]}
bool: {text[]} = {text[]}
bool: {int4range} @> {int4}
bool: {int4range} && {int4range}
bool: {int4range} << {int4range}
bool: {int4range} -|- {int4range}
bool: isempty({int4range})
bool: {uuid} = {uuid}
bool: {uuid} < {uuid}
bool: {bytea} < {bytea}
bool: row({int4}, {text}) = row({int4}, {text})
bool: row({int4}, {text}) < row({int4}, {text})
bool: isfinite({date})
bool: ({text})::bool
bool: {text} ^@ 'a'
text: {text} || {text}
text: {text} || {int4}
text: upper({text})
text: lower({text})
text: initcap({text})
text: substr({text}, 2)
text: substr({text}, {int4}, 3)
text: substring({text} from 2 for 3)
text: substring({text} from 'l+')
text: substring({text} similar 'a#"%#"c' escape '#')
text: left({text}, 2)
text: right({text}, -1)
text: lpad({text}, 8, 'xy')
text: rpad({text}, 3)
text: btrim({text})
text: ltrim({text}, 'a ')
text: trim(both 'a' from {text})
text: replace({text}, 'a', {text})
text: translate({text}, 'abc', 'xy')
text: reverse({text})
text: repeat({text}, 2)
text: split_part({text}, ',', 2)
text: split_part({text}, ',', -1)
text: concat({text}, {int4}, {bool})
text: concat_ws('-', {text}, {numeric}, {date})
text: format('%s|%I|%L', {text}, {text}, {text})
text: format('%5s|%-5s', {text}, {int4})
text: quote_literal({text})
text: quote_ident({text})
text: quote_nullable({text})
text: md5({text})
text: overlay({text} placing 'XX' from 2 for 1)
text: regexp_replace({text}, '[aeiou]', '<\\&>', 'g')
text: regexp_replace({text}, '(.)(.)', '\\2\\1')
text: regexp_substr({text}, '[a-z]+')
text: ({int4})::text
text: ({numeric})::text
text: ({float8})::text
text: ({float4})::text
text: ({bool})::text
text: ({date})::text
text: ({timestamp})::text
text: ({timestamptz})::text
text: ({interval})::text
text: ({time})::text
text: ({jsonb})::text
text: ({int4[]})::text
text: ({int4range})::text
text: ({bytea})::text
text: ({uuid})::text
text: ({text})::varchar(3)
text: to_char({timestamp}, 'YYYY-MM-DD HH24:MI:SS.US')
text: to_char({date}, 'Dy, DD Mon YYYY "day" DDD IW')
text: to_char({numeric}, 'FM999,990.00')
text: to_char({int4}, 'S0000')
text: to_char({interval}, 'HH24:MI:SS DD')
text: to_hex({int4})
text: chr(abs({int2}) % 100 + 33)
text: encode({bytea}, 'hex')
text: encode({bytea}, 'base64')
text: encode({bytea}, 'escape')
text: array_to_string({text[]}, ',', '*')
text: ({text[]})[1]
text: {jsonb} ->> 'a'
text: {jsonb} ->> 0
text: {jsonb} #>> '{c,d}'
text: jsonb_typeof({jsonb})
text: jsonb_pretty({jsonb})
text: greatest({text}, {text})
text: nullif({text}, 'alpha')
text: pg_typeof({numeric})::text
bytea: {bytea} || {bytea}
bytea: substr({bytea}, 1, 1)
bytea: sha256({bytea})
bytea: convert_to({text}, 'UTF8')
bytea: set_byte({bytea}, 0, 7)
bytea: decode(md5({text}), 'hex')
date: {date} + {int4}
date: {date} - 30
date: ({timestamp})::date
date: ({timestamptz})::date
date: to_date('2020 05 17', 'YYYY MM DD')
date: make_date(2000 + abs({int2}) % 50, 2, 28)
date: greatest({date}, {date})
time: ({timestamp})::time
time: {time} + {interval}
time: {time} - interval '1 hour'
time: make_time(1, 2, 3.5)
timestamp: {timestamp} + {interval}
timestamp: {timestamp} - {interval}
timestamp: {date} + {time}
timestamp: {date} + interval '1 month'
timestamp: date_trunc('month', {timestamp})
timestamp: date_trunc('week', {timestamp})
timestamp: date_bin('15 minutes', {timestamp}, '2001-01-01')
timestamp: ({date})::timestamp
timestamp: {timestamptz} at time zone 'America/New_York'
timestamp: ({timestamp})::timestamp(2)
timestamptz: {timestamp} at time zone 'Europe/Berlin'
timestamptz: {timestamptz} + {interval}
timestamptz: date_trunc('day', {timestamptz}, 'Asia/Tokyo')
timestamptz: ({timestamp})::timestamptz
timestamptz: to_timestamp({float8})
interval: {interval} + {interval}
interval: {interval} * 1.5
interval: {interval} / 3
interval: - {interval}
interval: {timestamp} - {timestamp}
interval: {timestamptz} - {timestamptz}
interval: age({timestamp}, {timestamp})
interval: justify_hours({interval})
interval: justify_days({interval})
interval: justify_interval({interval})
interval: {time} - {time}
interval: make_interval(days => {int2}, secs => 1.5)
interval: date_trunc('hour', {interval})
interval: ({time})::interval
jsonb: to_jsonb({text})
jsonb: to_jsonb({numeric})
jsonb: to_jsonb({timestamp})
jsonb: to_jsonb({int4[]})
jsonb: to_jsonb({float8})
jsonb: jsonb_build_object('k', {int4}, 'l', {text})
jsonb: jsonb_build_array({bool}, {numeric}, {jsonb})
jsonb: {jsonb} -> 'a'
jsonb: {jsonb} -> 1
jsonb: {jsonb} #> '{a,b}'
jsonb: {jsonb} || {jsonb}
jsonb: {jsonb} - 'a'
jsonb: {jsonb} - 0
jsonb: {jsonb} #- '{c,d}'
jsonb: jsonb_set({jsonb}, '{a}', {jsonb})
jsonb: jsonb_insert({jsonb}, '{b,0}', '"new"')
jsonb: jsonb_strip_nulls({jsonb})
jsonb: jsonb_path_query_array({jsonb}, '$.**')
jsonb: jsonb_path_query_first({jsonb}, '$[*] ? (@ > 1)')
uuid: md5({text})::uuid
int4[]: {int4[]} || {int4}
int4[]: {int4[]} || {int4[]}
int4[]: array[{int4}, {int4}]
int4[]: array_append({int4[]}, {int4})
int4[]: array_remove({int4[]}, {int4})
int4[]: array_replace({int4[]}, 5, {int4})
int4[]: ({int4[]})[1:2]
int4[]: array_fill({int4}, array[2])
int4[]: array_positions({int4[]}, {int4})
text[]: string_to_array({text}, ',')
text[]: string_to_array({text}, null)
text[]: regexp_split_to_array({text}, '[, ]')
text[]: regexp_match({text}, '(.)l(.)')
text[]: {text[]} || {text}
text[]: array_cat({text[]}, {text[]})
text[]: array[{text}, {text}, null]
text[]: ({int4[]})::text[]
int4range: {int4range} * {int4range}
int4range: {int4range} + {int4range}
int4range: int4range(least({int4}, 5), 9)
int4range: range_merge({int4range}, {int4range})
`;

/** Aggregates whose result does not depend on the order of rows. */
const AGGREGATES = `
int8: count(*)
int8: count({text})
int8: count(distinct {int4})
int8: sum({int4})
numeric: sum({int8})
numeric: sum({numeric})
numeric: avg({int4})
numeric: avg({numeric})
numeric: sum(distinct {numeric})
int4: max({int4})
int4: min({int4})
text: max({text})
text: min({text})
date: max({date})
timestamp: min({timestamp})
interval: max({interval})
numeric: max({numeric})
float8: min({float8})
float8: max({float8})
bool: bool_and({bool})
bool: bool_or({bool})
bool: every({bool})
int4: bit_and({int4})
int4: bit_or({int4})
text: string_agg({text}, ',' order by {=})
int4[]: array_agg({int4} order by {=})
jsonb: jsonb_agg({text} order by {=})
numeric: variance({int4})
numeric: stddev_pop({int4})
int4: mode() within group (order by {int4})
int4: percentile_disc(0.5) within group (order by {int4})
int8: count(*) filter (where {bool})
int8: sum({int4}) filter (where {bool})
`;

function byType(lines: string): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const line of lines.trim().split('\n')) {
    const colon = line.indexOf(': ');
    const type = line.slice(0, colon);
    const known = map.get(type);
    if (known === undefined) map.set(type, [line.slice(colon + 2)]);
    else known.push(line.slice(colon + 2));
  }
  return map;
}

/** By result type. */
export const FUNCTIONS: ReadonlyMap<string, readonly string[]> = byType(TEMPLATES);
export const AGGREGATE_FUNCTIONS: ReadonlyMap<string, readonly string[]> = byType(AGGREGATES);
