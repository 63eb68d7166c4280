/** CSV imports: one COPY in one transaction, fed as the browser sends the file. */
import type { ConsoleSession } from '../console-sessions.ts';
import type { ImportRequest, ImportState } from '../contract.ts';
import { ApiFailure, failureOf, notFound } from '../http/failure.ts';
import { quoteLiteral, quoteName } from '../sql/quote.ts';
import type { CopyStream, WireClient } from '../wire/wire-client.ts';
import { type AdminContext, auditOf } from './context.ts';
import { type CsvField, CsvReader, guessDelimiter, guessType } from './csv.ts';

const PREVIEW_ROWS = 50;
const GUESS_ROWS = 1000;
const IMPORTS_MAX = 4;

interface Import {
  readonly session: ConsoleSession;
  readonly state: ImportState;
  readonly reader: CsvReader;
  readonly decoder: InstanceType<typeof TextDecoder>;
  readonly client: WireClient;
  readonly copy: CopyStream;
  readonly fields: number;
  readonly kept: readonly number[];
  readonly nullText: string;
  isHeaderPending: boolean;
  /** Chunks one after the other. */
  tail: Promise<void>;
}

export function importRoutes(context: AdminContext): void {
  const { router, sessions } = context;
  const imports = new Map<string, Import>();

  const find = (session: ConsoleSession, id: string): Import => {
    const found = imports.get(id);
    if (found === undefined || found.session !== session) throw notFound('there is no such import');
    return found;
  };

  /** Rolls back and keeps the reason. */
  const fail = async (running: Import, error: unknown): Promise<void> => {
    if (running.state.state !== 'open') return;
    running.state.state = 'failed';
    running.state.error = failureOf(error).body;
    await running.copy.abort('the import failed').catch(() => {});
    running.client.close();
  };

  router.on('POST /imports/preview', async ({ body }) => {
    const quote = body.options?.quote ?? '"';
    const delimiter = body.options?.delimiter ?? guessDelimiter(body.sample, quote);
    const nullText = body.options?.nullText ?? '';
    const records: CsvField[][] = [];
    const reader = new CsvReader({ delimiter, quote });
    reader.push(body.sample, (fields) => {
      if (records.length <= GUESS_ROWS) records.push(fields);
    });
    // The last record of a sample is cut off unless the sample is the whole file.
    if (records.length === 0) reader.end((fields) => records.push(fields));
    const width = records.reduce((most, fields) => Math.max(most, fields.length), 0);
    const typesOf = (rows: readonly CsvField[][]): string[] =>
      Array.from({ length: width }, (_, column) =>
        guessType(
          rows.flatMap((fields) => {
            const field = fields[column];
            return field === undefined || (!field.isQuoted && field.text === nullText) ? [] : [field.text];
          }),
        ),
      );
    const body1 = typesOf(records.slice(1));
    const head = records[0] ?? [];
    const looksLikeHeader =
      records.length > 1 &&
      head.every((field) => field.text !== '' && guessType([field.text]) === 'text') &&
      (body1.some((type) => type !== 'text') ||
        new Set(head.map((field) => field.text)).size === head.length);
    const hasHeader = body.options?.hasHeader ?? looksLikeHeader;
    const rows = hasHeader ? records.slice(1) : records;
    const types = hasHeader ? body1 : typesOf(records);
    return {
      options: { delimiter, quote, hasHeader, nullText },
      columns: types.map((type, index) => ({
        name:
          hasHeader && head[index] !== undefined ? columnName(head[index].text, index) : `column${index + 1}`,
        type,
      })),
      rows: rows
        .slice(0, PREVIEW_ROWS)
        .map((fields) =>
          fields.map((field) => (!field.isQuoted && field.text === nullText ? null : field.text)),
        ),
    };
  });

  router.on('POST /imports', async ({ session, body }) => {
    for (const [id, old] of imports)
      if (old.session.isEnded || (old.session === session && old.state.state !== 'open')) imports.delete(id);
    if ([...imports.values()].filter((other) => other.session === session).length >= IMPORTS_MAX)
      throw new ApiFailure(429, { code: 'too_many_imports', message: 'too many imports are under way' });
    const client = await session.connect('FastPostgres console import', { lock_timeout: '5000' });
    try {
      await client.query('begin');
      if (body.create !== undefined) await client.query(createSql(body));
      const copy = await client.copyIn(copySql(body));
      const running: Import = {
        session,
        state: {
          id: sessions.newToken().slice(0, 22),
          bytes: 0,
          totalBytes: body.totalBytes ?? null,
          rows: 0,
          state: 'open',
          startedAt: context.now(),
          error: null,
        },
        reader: new CsvReader(body.options),
        decoder: new TextDecoder('utf-8', { fatal: true }),
        client,
        copy,
        fields: body.columns.length,
        kept: body.columns.flatMap((column, index) => (column === null ? [] : [index])),
        nullText: body.options.nullText ?? '',
        isHeaderPending: body.options.hasHeader ?? false,
        tail: Promise.resolve(),
      };
      imports.set(running.state.id, running);
      session.closers.add(() => {
        client.close();
        imports.delete(running.state.id);
      });
      return { ...running.state };
    } catch (error) {
      client.close();
      throw error;
    }
  });

  router.on('POST /imports/:id/chunk', async ({ session, params, request }) => {
    const running = find(session, params.id);
    const bytes = request.body as Buffer | null;
    if (bytes === null || !Buffer.isBuffer(bytes))
      throw new ApiFailure(415, { code: 'bytes_expected', message: 'send application/octet-stream' });
    const work = running.tail.then(async () => {
      if (running.state.state !== 'open') return;
      try {
        await feed(running, running.decoder.decode(bytes, { stream: true }), false);
        running.state.bytes += bytes.length;
      } catch (error) {
        await fail(running, error);
      }
    });
    running.tail = work;
    await work;
    return { ...running.state };
  });

  router.on('POST /imports/:id/finish', async ({ session, params }) => {
    const running = find(session, params.id);
    await running.tail;
    if (running.state.state === 'open') {
      try {
        await feed(running, running.decoder.decode(), true);
        await running.copy.finish();
        await running.client.query('commit');
        running.state.state = 'done';
        running.client.close();
        context.audit(auditOf(session, 'import', `${running.state.rows} rows`));
      } catch (error) {
        running.state.state = 'failed';
        running.state.error = failureOf(error).body;
        running.client.close();
      }
    }
    return { ...running.state };
  });

  router.on('POST /imports/:id/abort', async ({ session, params }) => {
    const running = find(session, params.id);
    if (running.state.state === 'open') {
      running.state.state = 'aborted';
      await running.copy.abort('the import was aborted').catch(() => {});
      running.client.close();
    }
    return { ...running.state };
  });

  router.on('GET /imports/:id', async ({ session, params }) => ({ ...find(session, params.id).state }));
}

/** Records of the file become lines of COPY's text format: fields that are skipped go, errors name the record. */
async function feed(running: Import, text: string, isEnd: boolean): Promise<void> {
  const { reader, state } = running;
  const lines: string[] = [];
  const record = (fields: CsvField[]): void => {
    if (running.isHeaderPending) {
      running.isHeaderPending = false;
      return;
    }
    state.rows++;
    if (fields.length !== running.fields) {
      throw new ApiFailure(422, {
        code: '22P04',
        message: `record ${state.rows} has ${fields.length} fields instead of ${running.fields}`,
      });
    }
    lines.push(`${running.kept.map((index) => copyField(fields[index], running.nullText)).join('\t')}\n`);
  };
  reader.push(text, record);
  if (isEnd) {
    if (reader.isInsideQuotes)
      throw new ApiFailure(422, { code: '22P04', message: 'the file ends inside quotes' });
    reader.end(record);
  }
  if (lines.length > 0) await running.copy.write(Buffer.from(lines.join('')));
}

function copyField(field: CsvField, nullText: string): string {
  if (!field.isQuoted && field.text === nullText) return '\\N';
  return field.text.replaceAll(/[\\\t\n\r]/g, (sign) =>
    sign === '\\' ? '\\\\' : sign === '\t' ? '\\t' : sign === '\n' ? '\\n' : '\\r',
  );
}

function copySql(request: ImportRequest): string {
  const columns = request.columns.flatMap((name) => (name === null ? [] : [quoteName(name)]));
  return `COPY ${quoteName(request.schema)}.${quoteName(request.table)} (${columns.join(', ')}) FROM STDIN`;
}

function createSql(request: ImportRequest): string {
  const columns = (request.create ?? []).map(({ name, type }) => {
    if (!/^[A-Za-z_][\w ]*(\(\d+(, ?\d+)?\))?(\[\])?$/.test(type))
      throw new ApiFailure(400, { code: '42704', message: `${quoteLiteral(type)} is no type` });
    return `${quoteName(name)} ${type}`;
  });
  return `CREATE TABLE ${quoteName(request.schema)}.${quoteName(request.table)} (${columns.join(', ')})`;
}

/** A header as a column name that needs no quotes. */
function columnName(text: string, index: number): string {
  const name = text
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 63);
  if (name === '') return `column${index + 1}`;
  return /^\d/.test(name) ? `_${name}`.slice(0, 63) : name;
}
