/**
 * SQL suites in a format like sqllogictest's. A file is a list of records separated by empty lines; `#` lines are comments.
 *
 * | record                              | meaning                                                                    |
 * | ----------------------------------- | -------------------------------------------------------------------------- |
 * | `statement ok`                      | the SQL below succeeds (a result it may have is not looked at)             |
 * | `statement error 23505 message`     | it fails with this SQLSTATE and message                                    |
 * | `query [rowsort]`                   | it gives the rows below `----`: values joined by `|`, NULL as `NULL`       |
 *
 * `COPY … FROM STDIN` is a statement with `----` and the lines it gets to read; only its success is looked at.
 *
 * SQL may span lines up to `----` or the empty line. Values are the server's text output. Expected results were recorded from
 * PostgreSQL 15: with FASTPOSTGRES_SLT_RECORD=postgresql://… the runner replaces them by what that server answers.
 */
import pg from 'pg';

export interface SltRecord {
  kind: 'statement' | 'query';
  sort: boolean;
  sql: string;
  /** Lines for COPY FROM STDIN; null for other statements. */
  input: string[] | null;
  /** Comment lines above. */
  comments: string[];
  /** Lines that describe the outcome: `ok`, `error …`, or the rows. */
  expected: string[];
  line: number;
}

export function parseSlt(text: string): SltRecord[] {
  const records: SltRecord[] = [];
  const lines = text.split('\n');
  let comments: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const head = lines[at]!;
    if (head.trim() === '') {
      at++;
      continue;
    }
    if (head.startsWith('#')) {
      comments.push(head);
      at++;
      continue;
    }
    const line = at + 1;
    at++;
    const sql: string[] = [];
    while (at < lines.length && lines[at] !== '----' && lines[at]!.trim() !== '') sql.push(lines[at++]!);
    const isQuery = head.startsWith('query');
    const expected: string[] = [];
    let input: string[] | null = null;
    if (!isQuery && lines[at] === '----') {
      input = [];
      for (at++; at < lines.length && lines[at] !== ''; at++) input.push(lines[at]!);
    }
    if (isQuery) {
      if (lines[at] === '----') at++;
      while (at < lines.length && lines[at] !== '') expected.push(lines[at++]!);
    } else expected.push(head.slice('statement '.length));
    records.push({
      kind: isQuery ? 'query' : 'statement',
      sort: head.includes('rowsort'),
      sql: sql.join('\n'),
      input,
      comments,
      expected,
      line,
    });
    comments = [];
  }
  return records;
}

export function printSlt(records: readonly SltRecord[]): string {
  return records
    .map((record) => {
      const comments = record.comments.map((comment) => `${comment}\n`).join('');
      const input = record.input === null ? '' : `----\n${record.input.map((row) => `${row}\n`).join('')}`;
      if (record.kind === 'statement')
        return `${comments}statement ${record.expected[0]}\n${record.sql}\n${input}`;
      const rows = record.expected.map((row) => `${row}\n`).join('');
      return `${comments}query${record.sort ? ' rowsort' : ''}\n${record.sql}\n----\n${rows}`;
    })
    .join('\n');
}

/** What the server answers: the kind of record it makes and its lines. */
export async function outcome(
  client: pg.Client,
  record: SltRecord,
): Promise<{ kind: SltRecord['kind']; lines: string[] }> {
  try {
    if (record.input !== null) {
      await copyIn(client, record.sql, record.input.map((row) => `${row}\n`).join(''));
      return { kind: 'statement', lines: ['ok'] };
    }
    const answer = (await client.query({
      text: record.sql,
      rowMode: 'array',
      types: { getTypeParser: () => (value: string) => value },
    } as pg.QueryArrayConfig)) as pg.QueryArrayResult | pg.QueryArrayResult[];
    const last = Array.isArray(answer) ? answer[answer.length - 1]! : answer;
    if (last.fields.length === 0) return { kind: 'statement', lines: ['ok'] };
    const rows = last.rows.map((row) =>
      (row as (string | null)[])
        .map((value) => (value === null ? 'NULL' : value === '' ? "''" : value.replaceAll('\n', '\\n')))
        .join('|'),
    );
    return { kind: 'query', lines: record.sort ? rows.sort() : rows };
  } catch (thrown) {
    const error = thrown as { code?: string; message: string };
    return {
      kind: 'statement',
      lines: [`error ${error.code ?? '?????'} ${error.message.replaceAll('\n', '\\n')}`],
    };
  }
}

/** The part of the driver's connection that COPY needs. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(bytes: Uint8Array): void;
  endCopyFrom(): void;
}

/** Runs COPY … FROM STDIN with the text as its input. */
function copyIn(client: pg.Client, sql: string, input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const query = {
      submit: (connection: CopyConnection) => connection.query(sql),
      handleCopyInResponse: (connection: CopyConnection) => {
        connection.sendCopyFromChunk(Buffer.from(input));
        connection.endCopyFrom();
      },
      handleError: reject,
      handleReadyForQuery: () => resolve(),
      handleRowDescription: () => {},
      handleDataRow: () => {},
      handleCommandComplete: () => {},
      handleEmptyQuery: () => {},
    };
    client.query(query as unknown as pg.Submittable);
  });
}

/** A connection in a schema of its own, made anew. */
export async function openSuite(config: pg.ClientConfig | string, schema: string): Promise<pg.Client> {
  const client = typeof config === 'string' ? new pg.Client(config) : new pg.Client(config);
  client.on('error', () => {});
  await client.connect();
  await client.query(
    `drop schema if exists "${schema}" cascade; create schema "${schema}"; set search_path = "${schema}"`,
  );
  return client;
}
