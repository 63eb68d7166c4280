/** What the classes of wrong statements are put together from. */

/** Replaces `@` in every pattern by every word. */
export function cross(patterns: readonly string[], words: readonly string[]): string[] {
  return patterns.flatMap((pattern) => words.map((word) => pattern.replaceAll('@', word)));
}

export const TYPES = [
  'int',
  'int2',
  'int8',
  'numeric',
  'float4',
  'float8',
  'boolean',
  'text',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'interval',
  'uuid',
  'json',
  'jsonb',
  'bytea',
  'int[]',
  'text[]',
  'mood',
  'oid',
  'pair',
] as const;

export const VALUES: Readonly<Record<string, string>> = {
  int: '1',
  int8: '1::int8',
  numeric: '1.5',
  float8: '1.5::float8',
  boolean: 'true',
  text: "'x'::text",
  date: "date '2020-01-01'",
  time: "time '10:00'",
  timestamp: "timestamp '2020-01-01'",
  timestamptz: "timestamptz '2020-01-01 00:00+00'",
  interval: "interval '1 day'",
  uuid: "'00000000-0000-0000-0000-000000000000'::uuid",
  json: "'{}'::json",
  jsonb: "'{}'::jsonb",
  bytea: "'\\x00'::bytea",
  'int[]': 'array[1,2]',
  mood: "'ok'::mood",
  pair: "row(1,'x')::pair",
};
