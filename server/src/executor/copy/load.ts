/**
 * COPY FROM: bytes to stored rows.
 *
 * Fields go from the line's bytes straight into column builders (types/bytes-input). Rows that need more than that (CHECK constraints,
 * generated columns, and any row that turns out to have an error worth a DETAIL) take the way over Datums. Full batches go to
 * Table.insertBatch; foreign keys are collected per batch and checked at the end of the statement.
 */
import { isUtf8 } from 'node:buffer';
import { DbError } from '../../base/error.ts';
import { isSuspension, WaitSignal } from '../../base/suspend.ts';
import type { Kernels } from '../../native/index.ts';
import type { Expr } from '../../sql/tree.ts';
import { type FieldAppender, fieldAppender } from '../../types/bytes-input.ts';
import type { Datum } from '../../types/datum.ts';
import { utf8Slice, VectorBuilder, vectorReader } from '../../types/vector-io.ts';
import { AfterQueue } from '../constraints/queue.ts';
import { rowCompiler, TargetTable } from '../constraints/target.ts';
import type { Evaluate } from '../row/expression/compile.ts';
import type { ExecutionEnvironment } from '../state.ts';
import {
  RowTriggerRun,
  StatementTriggerRun,
  TableTriggers,
  TRIGGER_BEFORE,
  TRIGGER_INSTEAD,
} from '../triggers/table-triggers.ts';
import { BinaryReader } from './binary.ts';
import { FieldSplitter } from './fields.ts';
import { LineCutter } from './lines.ts';
import type { CopyOptions } from './options.ts';
import { PlainLines } from './plain.ts';

const BATCH_ROWS = 65_536;
const BATCH_BYTES = 32 << 20;
/** Lines between two looks at the clock. */
const LINES_PER_LOOK = 256;
/** Lines taken one by one after one that is not plain: data with many NULLs would only be cut in vain. */
const LINES_BETWEEN_PLAIN_RUNS = 8;
/** Longest piece of input shown in an error's context. */
const SHOWN_CHARACTERS_MAX = 100;

/** Where the bytes come from: null at the end. */
export interface CopySource {
  read(): Promise<Uint8Array | null>;
}

export interface CopyFromOptions {
  readonly environment: ExecutionEnvironment;
  readonly relationOid: number;
  /** Columns the input has, by number from 0, in input order. */
  readonly columns: readonly number[];
  readonly options: CopyOptions;
  /** Rows for which it is not true are left out. */
  readonly where: Expr | null;
  readonly yieldToLoop: () => Promise<void>;
  readonly kernels: Kernels;
}

interface InputColumn {
  column: number;
  name: string;
  typmod: number;
  append: FieldAppender;
  builder: VectorBuilder;
  forceNotNull: boolean;
  forceNull: boolean;
  notNull: boolean;
}

export class CopyLoader {
  rowCount = 0;
  private readonly environment: ExecutionEnvironment;
  private readonly target: TargetTable;
  private readonly options: CopyOptions;
  private readonly yieldToLoop: () => Promise<void>;
  private readonly input: InputColumn[];
  /** One per table column; dropped ones are fed NULLs by the table. */
  private readonly builders: VectorBuilder[];
  /** Columns that the input lacks. */
  private readonly missing: readonly number[];
  private readonly careful: boolean;
  private readonly queue: AfterQueue | null;
  /** With triggers rows are stored one by one. */
  private readonly triggers: TableTriggers | null;
  private triggeredRows: { row: Datum[]; line: number; text: string }[] = [];
  private readonly where: Evaluate | null;
  /** Rows that the condition left out. */
  excludedCount = 0;
  /** The line being read, for an error's context; null between lines and in binary format. */
  private lineBytes: { bytes: Uint8Array; start: number; end: number } | null = null;
  private readonly splitter: FieldSplitter;
  /** Null when rows need a look of their own, or when NULL has no backslash that would tell. */
  private readonly plain: PlainLines | null;
  private line = 0;
  private rowsInBatch = 0;
  /** Line of the batch's first row. */
  private batchFirstLine = 0;
  private quote = 0;
  private escape = 0;

  constructor(from: CopyFromOptions) {
    const { environment, options, columns } = from;
    this.environment = environment;
    this.options = options;
    this.yieldToLoop = from.yieldToLoop;
    this.target = new TargetTable(environment, from.relationOid, null);
    const { relation } = this.target;
    const { format } = environment.resolver.context;
    this.builders = relation.columns.map(({ typeOid, typmod, dropped }, index) => {
      const stored = relation.kind === 'v' ? undefined : this.target.table.schema.columns[index];
      const support = stored?.support ?? environment.resolver.typeSupport(typeOid);
      return new VectorBuilder(dropped ? 'bool' : support.physical(typmod), support, typmod);
    });
    this.where = from.where === null ? null : rowCompiler(environment, relation, null).compile(from.where);
    this.input = columns.map((column) => {
      const { name, typmod, notNull } = relation.columns[column]!;
      return {
        column,
        name,
        typmod,
        notNull,
        builder: this.builders[column]!,
        append: fieldAppender(this.builders[column]!, format),
        forceNotNull: options.forceNotNull.includes(name),
        forceNull: options.forceNull.includes(name),
      };
    });
    this.missing = relation.columns.flatMap((column, index) =>
      column.dropped || columns.includes(index) || column.generated !== '' ? [] : [index],
    );
    const hasChecks = relation.constraints.some((constraint) => constraint.kind === 'c');
    const needsValue = this.missing.some(
      (column) => relation.columns[column]!.defaultExpression !== null || relation.columns[column]!.notNull,
    );
    this.triggers = TableTriggers.of(environment, relation);
    this.careful =
      hasChecks ||
      needsValue ||
      this.target.generatedColumns.length > 0 ||
      this.triggers !== null ||
      this.where !== null;
    this.queue =
      this.target.hasAfterChecks || this.triggers !== null
        ? new AfterQueue(environment, () => this.checkInterrupt())
        : null;
    this.splitter = new FieldSplitter(options.delimiter, options.nullText);
    this.quote = options.quote.charCodeAt(0);
    this.escape = options.escape.charCodeAt(0);
    const isPlain =
      options.format === 'text' && !this.careful && this.input.length > 0 && options.nullText.includes('\\');
    this.plain = isPlain ? new PlainLines(from.kernels, options.delimiter.charCodeAt(0), this.input) : null;
  }

  /** Loads everything; resolves with the number of rows. */
  async run(source: CopySource): Promise<number> {
    const { triggers } = this;
    if (triggers !== null) {
      const before = new StatementTriggerRun(triggers, TRIGGER_BEFORE, ['INSERT'], null);
      await this.drive(() => before.run());
    }
    if (this.options.format === 'binary') await this.runBinary(source);
    else await this.runLines(source);
    await this.flush();
    if (triggers !== null) this.queue!.statementTriggers(triggers, 'INSERT', null);
    await this.checkForeignKeys();
    return this.rowCount;
  }

  /** Runs what may leave by a suspension to its end. */
  private async drive<T>(work: () => T): Promise<T> {
    const { services } = this.environment;
    const { activity } = services;
    for (;;) {
      if (activity !== undefined) {
        activity.depth++;
        activity.deadline = services.monotonicMicros() + services.sliceMicros;
      }
      try {
        return work();
      } catch (thrown) {
        if (!isSuspension(thrown)) throw thrown;
        if (thrown instanceof WaitSignal) await thrown.promise;
        else await this.yieldToLoop();
        this.checkInterrupt();
      } finally {
        if (activity !== undefined && --activity.depth === 0) activity.deadline = Number.POSITIVE_INFINITY;
      }
    }
  }

  /** Rows of a table with triggers: each through its BEFORE triggers into the table, AFTER triggers into the queue. */
  private async storeTriggered(): Promise<void> {
    const triggers = this.triggers!;
    const { target } = this;
    const { transaction, services } = this.environment;
    const rows = this.triggeredRows;
    this.triggeredRows = [];
    const isView = target.relation.kind === 'v';
    for (const { row, line, text } of rows) {
      this.line = line;
      const before = new RowTriggerRun(
        triggers,
        isView ? TRIGGER_INSTEAD : TRIGGER_BEFORE,
        'INSERT',
        { oldRow: null, newRow: row },
        null,
      );
      let result: readonly Datum[] | null;
      try {
        result = await this.drive(() => before.run());
      } catch (thrown) {
        throw this.inCaller(thrown, text);
      }
      if (result === null) {
        this.rowCount--;
        continue;
      }
      if (isView) continue;
      const stored = [...result];
      try {
        target.complete(stored);
      } catch (thrown) {
        throw this.inContext(thrown, text);
      }
      for (;;) {
        const outcome = target.table.insert(transaction, stored);
        if (!('conflict' in outcome)) break;
        if (outcome.conflict.xid === 0)
          throw this.inContext(target.uniqueViolation(outcome.conflict, stored), text);
        await services.locks.waitForTransaction(transaction, outcome.conflict.xid, {
          policy: 'wait',
          timeoutMicros: services.lockTimeoutMicros(),
        });
      }
      if (target.hasAfterChecks) this.queue!.inserted(target, stored);
      triggers.transition('INSERT')?.newRows?.rows.push(stored);
      this.queue!.rowTriggers(triggers, 'INSERT', { oldRow: null, newRow: stored }, null);
    }
    this.rowsInBatch = 0;
  }

  private checkInterrupt(): void {
    const pending = this.environment.services.interrupt();
    if (pending !== null) throw pending;
  }

  private async runLines(source: CopySource): Promise<void> {
    const { options } = this;
    const isCsv = options.format === 'csv';
    const cutter = new LineCutter({ csv: isCsv ? { quote: this.quote, escape: this.escape } : null });
    let sliceEnd = this.sliceEnd();
    let headerPending = options.header !== 'none';
    for (;;) {
      const chunk = await source.read();
      this.checkInterrupt();
      if (chunk === null) cutter.end();
      else cutter.push(chunk);
      let lines = 0;
      let plainAfter = 0;
      for (;;) {
        if (!headerPending && lines >= plainAfter && this.addPlainLines(cutter)) {
          plainAfter = 0;
          if (this.isBatchFull(true)) {
            await this.flush();
            sliceEnd = this.sliceEnd();
          } else if (this.now() >= sliceEnd) {
            await this.yieldToLoop();
            this.checkInterrupt();
            sliceEnd = this.sliceEnd();
          }
          continue;
        }
        if (lines >= plainAfter) plainAfter = lines + LINES_BETWEEN_PLAIN_RUNS;
        let found: boolean;
        try {
          found = cutter.next();
        } catch (thrown) {
          this.line++;
          throw this.inContext(thrown, '');
        }
        if (!found) break;
        this.line++;
        const { bytes, lineStart, lineEnd } = cutter;
        if (headerPending) {
          headerPending = false;
          if (options.header === 'match') this.checkHeader(bytes, lineStart, lineEnd);
          continue;
        }
        if (lineEnd - lineStart === 2 && bytes[lineStart] === 92 && bytes[lineStart + 1] === 46) {
          // The end marker: whatever follows is read and ignored.
          while ((await source.read()) !== null);
          return;
        }
        this.addLine(bytes, lineStart, lineEnd, isCsv);
        if (this.isBatchFull()) {
          await this.flush();
          sliceEnd = this.sliceEnd();
        } else if (++lines % LINES_PER_LOOK === 0 && this.now() >= sliceEnd) {
          await this.yieldToLoop();
          this.checkInterrupt();
          sliceEnd = this.sliceEnd();
        }
      }
      if (chunk === null) return;
    }
  }

  /** Takes a run of plain lines; false when the next line is none. */
  private addPlainLines(cutter: LineCutter): boolean {
    const bytes = this.plain === null ? null : cutter.plainBytes();
    if (bytes === null) return false;
    const plain = this.plain!;
    const rows = plain.take(bytes, cutter.lineBegin, BATCH_ROWS - this.rowsInBatch);
    if (rows === 0) return false;
    cutter.taken(plain.endOf(rows));
    if (this.rowsInBatch === 0) this.batchFirstLine = this.line + 1;
    for (const column of this.missing) {
      for (let row = 0; row < rows; row++) this.builders[column]!.appendNull();
    }
    this.line += rows;
    this.rowsInBatch += rows;
    this.rowCount += rows;
    return true;
  }

  private now(): number {
    return this.environment.services.monotonicMicros();
  }

  private sliceEnd(): number {
    return this.now() + this.environment.services.sliceMicros;
  }

  private isBatchFull(afterRun = false): boolean {
    const { builders } = this;
    const count = this.rowsInBatch;
    if (count >= BATCH_ROWS) return true;
    if (count === 0 || (!afterRun && count % 1024 !== 0)) return false;
    let bytes = 0;
    for (const builder of builders) bytes += builder.byteCount;
    return bytes >= BATCH_BYTES;
  }

  private split(bytes: Uint8Array, start: number, end: number, isCsv: boolean): void {
    if (isCsv) this.splitter.splitCsv(bytes, start, end, this.quote, this.escape);
    else this.splitter.splitText(bytes, start, end);
  }

  private addLine(bytes: Uint8Array, start: number, end: number, isCsv: boolean): void {
    if (this.rowsInBatch === 0) this.batchFirstLine = this.line;
    const { splitter, input } = this;
    this.lineBytes = { bytes, start, end };
    if (input.length === 0 && start === end) splitter.count = 0;
    else {
      this.split(bytes, start, end, isCsv);
      if (splitter.isUnusual) this.checkEncoding(bytes, start, end);
    }
    if (splitter.count !== input.length) {
      const shown = shownText(utf8Slice(bytes, start, end));
      const message =
        splitter.count > input.length
          ? 'extra data after last expected column'
          : `missing data for column "${input[splitter.count]!.name}"`;
      // Values that are there are read before the first that is missing.
      if (splitter.count < input.length) this.checkFields(splitter.count);
      throw this.inContext(new DbError('bad_copy_file_format', message), `: "${shown}"`);
    }
    if (this.careful) {
      this.addCarefully();
      return;
    }
    for (let index = 0; index < input.length; index++) {
      const column = input[index]!;
      if (this.fieldIsNull(index, column)) {
        if (column.notNull) {
          this.undo(index);
          this.addCarefully();
          return;
        }
        column.builder.appendNull();
        continue;
      }
      try {
        column.append(splitter.source[index]!, splitter.start[index]!, splitter.end[index]!);
      } catch (thrown) {
        throw this.inColumn(thrown, index);
      }
    }
    for (const column of this.missing) this.builders[column]!.appendNull();
    this.rowsInBatch++;
    this.rowCount++;
  }

  /** Reads fields for their errors alone. */
  private checkFields(count: number): void {
    const { splitter, input } = this;
    const { format } = this.environment.resolver.context;
    for (let index = 0; index < count; index++) {
      const column = input[index]!;
      if (this.fieldIsNull(index, column)) continue;
      const text = utf8Slice(splitter.source[index]!, splitter.start[index]!, splitter.end[index]!);
      try {
        column.builder.support.input(text, column.typmod, format);
      } catch (thrown) {
        throw this.inColumn(thrown, index);
      }
    }
  }

  /** An error follows anyway: what was appended of the row is never stored. */
  private undo(_columns: number): void {
    this.rowsInBatch = 0;
  }

  private fieldIsNull(index: number, column: InputColumn): boolean {
    const { splitter, options } = this;
    if (options.format === 'csv') {
      // A NULL that is forced not to be one is the text of NULL itself; quotes keep other fields from being NULL.
      if (column.forceNotNull && splitter.isNull[index] === 1) return false;
      if (column.forceNull && splitter.wasQuoted[index] === 1) {
        return (
          utf8Slice(splitter.source[index]!, splitter.start[index]!, splitter.end[index]!) ===
          options.nullText
        );
      }
    }
    return splitter.isNull[index] === 1;
  }

  /** The row as Datums: defaults, generated columns, NOT NULL and CHECK with their details. */
  private addCarefully(): void {
    const { splitter, input } = this;
    const { format } = this.environment.resolver.context;
    const row: Datum[] = this.target.columnNumbers.map(() => null);
    for (let index = 0; index < input.length; index++) {
      const column = input[index]!;
      if (this.fieldIsNull(index, column)) continue;
      const text = utf8Slice(splitter.source[index]!, splitter.start[index]!, splitter.end[index]!);
      try {
        row[column.column] = column.builder.support.input(text, column.typmod, format);
      } catch (thrown) {
        throw this.inColumn(thrown, index);
      }
    }
    this.addRow(row);
  }

  private addRow(row: Datum[]): void {
    for (const column of this.missing) row[column] = this.target.defaultValue(column);
    if (this.where !== null) {
      let isWanted: boolean;
      try {
        isWanted = this.where(row) === true;
      } catch (thrown) {
        throw this.inContext(thrown, this.lineContext());
      }
      if (!isWanted) {
        this.excludedCount++;
        return;
      }
    }
    if (this.triggers !== null) {
      this.triggeredRows.push({ row, line: this.line, text: this.lineContext() });
      this.rowsInBatch++;
      this.rowCount++;
      return;
    }
    try {
      this.target.complete(row);
    } catch (thrown) {
      throw this.inContext(thrown, this.lineContext());
    }
    for (let column = 0; column < row.length; column++) {
      if (this.target.supports[column] !== null) this.builders[column]!.append(row[column]!);
    }
    this.rowsInBatch++;
    this.rowCount++;
  }

  /** `: "the line"`, where one is known. */
  private lineContext(): string {
    if (this.lineBytes === null) return '';
    const { bytes, start, end } = this.lineBytes;
    return `: "${shownText(utf8Slice(bytes, start, end))}"`;
  }

  private checkEncoding(bytes: Uint8Array, start: number, end: number): void {
    const line = bytes.subarray(start, end);
    if (isUtf8(line) && !line.includes(0)) return;
    throw this.inContext(invalidUtf8(line), '');
  }

  private checkHeader(bytes: Uint8Array, start: number, end: number): void {
    this.split(bytes, start, end, this.options.format === 'csv');
    const { splitter, input } = this;
    if (splitter.count !== input.length) {
      throw this.inContext(
        new DbError(
          'bad_copy_file_format',
          `wrong number of fields in header line: got ${splitter.count}, expected ${input.length}`,
        ),
        `: "${shownText(utf8Slice(bytes, start, end))}"`,
      );
    }
    for (let index = 0; index < input.length; index++) {
      const text = utf8Slice(splitter.source[index]!, splitter.start[index]!, splitter.end[index]!);
      if (splitter.isNull[index] === 1) {
        throw this.inContext(
          new DbError(
            'bad_copy_file_format',
            `column name mismatch in header line field ${index + 1}: got null value ("${this.options.nullText}"), expected "${input[index]!.name}"`,
          ),
          `: "${shownText(utf8Slice(bytes, start, end))}"`,
        );
      }
      if (text !== input[index]!.name) {
        throw this.inContext(
          new DbError(
            'bad_copy_file_format',
            `column name mismatch in header line field ${index + 1}: got "${text}", expected "${input[index]!.name}"`,
          ),
          `: "${shownText(utf8Slice(bytes, start, end))}"`,
        );
      }
    }
  }

  private async runBinary(source: CopySource): Promise<void> {
    const reader = new BinaryReader();
    const { format } = this.environment.resolver.context;
    let sliceEnd = this.sliceEnd();
    for (;;) {
      const chunk = await source.read();
      this.checkInterrupt();
      if (chunk === null) {
        reader.end();
        return;
      }
      reader.push(chunk);
      for (;;) {
        this.line = this.rowCount + 1;
        let found: boolean;
        try {
          found = reader.next();
        } catch (thrown) {
          throw this.inContext(thrown, '');
        }
        if (!found) break;
        const { fields } = reader;
        if (fields.length !== this.input.length) {
          throw this.inContext(
            new DbError(
              'bad_copy_file_format',
              `row field count is ${fields.length}, expected ${this.input.length}`,
            ),
            '',
          );
        }
        const row: Datum[] = this.target.columnNumbers.map(() => null);
        for (let index = 0; index < fields.length; index++) {
          const column = this.input[index]!;
          const bytes = fields[index]!;
          if (bytes === null) continue;
          try {
            row[column.column] = column.builder.support.receive(bytes, column.typmod, format);
          } catch (thrown) {
            throw this.inContext(thrown, `, column ${column.name}`);
          }
        }
        if (this.rowsInBatch === 0) this.batchFirstLine = this.line;
        this.addRow(row);
        if (this.isBatchFull()) {
          await this.flush();
          sliceEnd = this.sliceEnd();
        } else if (this.rowCount % LINES_PER_LOOK === 0 && this.now() >= sliceEnd) {
          await this.yieldToLoop();
          this.checkInterrupt();
          sliceEnd = this.sliceEnd();
        }
      }
    }
  }

  /** Hands the batch to the table. */
  private async flush(): Promise<void> {
    const rows = this.rowsInBatch;
    if (rows === 0) return;
    if (this.triggers !== null) {
      await this.storeTriggered();
      return;
    }
    const vectors = this.builders.map((builder) => builder.finish());
    if (this.queue !== null) this.collectKeys(rows);
    try {
      await this.target.table.insertBatch(this.environment.transaction, vectors, rows);
    } catch (thrown) {
      this.locate(thrown, rows);
      throw this.inContext(thrown, '');
    }
    for (const builder of this.builders) builder.reset();
    this.rowsInBatch = 0;
    this.checkInterrupt();
  }

  /** Finds the line of the row whose key the error's detail names: of two in the batch, the second one. */
  private locate(thrown: unknown, rows: number): void {
    if (!(thrown instanceof DbError) || thrown.code !== '23505') return;
    const { target, builders } = this;
    const index = target.table.indexes.find((candidate) => candidate.name === thrown.fields.constraint);
    if (index === undefined || index.keys.some((key) => key.column < 0)) return;
    thrown.fields.schema ??= target.names.schema;
    thrown.fields.table ??= target.names.table;
    const columns = index.keys.map((key) => key.column);
    const readers = columns.map((column) => {
      const builder = builders[column]!;
      const vector = builder.finish();
      const read = vectorReader(vector.physical, builder.support, builder.typmod);
      return (row: number) => read(vector, row);
    });
    let found = -1;
    for (let row = 0, matches = 0; row < rows && matches < 2; row++) {
      const key = readers.map((read) => read(row));
      if (
        key.includes(null) ||
        thrown.fields.detail !== `Key ${target.keyText(columns, key)} already exists.`
      )
        continue;
      found = row;
      matches++;
    }
    if (found >= 0) this.line = this.batchFirstLine + found;
  }

  private collectKeys(rows: number): void {
    const { target, builders } = this;
    const wanted = new Set(
      target.lateConstraints.length > 0
        ? target.columnNumbers.filter((column) => target.supports[column] !== null)
        : target.foreignKeys.flatMap((constraint) => constraint.columns.map((number) => number - 1)),
    );
    const readers = [...wanted].map((column) => {
      const builder = builders[column]!;
      const vector = builder.finish();
      const read = vectorReader(vector.physical, builder.support, builder.typmod);
      return { column, read: (row: number) => read(vector, row) };
    });
    const row: Datum[] = [];
    for (let number = 0; number < rows; number++) {
      for (const { column, read } of readers) row[column] = read(number);
      this.queue!.inserted(target, row);
    }
  }

  private async checkForeignKeys(): Promise<void> {
    if (this.queue === null) return;
    const { queue } = this;
    await this.drive(() => queue.run());
  }

  private inColumn(thrown: unknown, index: number): unknown {
    const { splitter } = this;
    const text = utf8Slice(splitter.source[index]!, splitter.start[index]!, splitter.end[index]!);
    return this.inContext(thrown, `, column ${this.input[index]!.name}: "${shownText(text)}"`);
  }

  /** Adds the line to the context of an error that has one of its own (a trigger's). */
  private inCaller(thrown: unknown, rest: string): unknown {
    if (thrown instanceof DbError) {
      const own = `COPY ${this.target.relation.name}, line ${this.line}${rest}`;
      const { where } = thrown.fields;
      thrown.fields.where = where === undefined ? own : `${where}\n${own}`;
    }
    return thrown;
  }

  /** Adds `COPY t, line 3…` to an error. */
  private inContext(thrown: unknown, rest: string): unknown {
    if (thrown instanceof DbError && thrown.fields.where === undefined) {
      thrown.fields.where = `COPY ${this.target.relation.name}, line ${this.line}${rest}`;
    }
    return thrown;
  }
}

function shownText(text: string): string {
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}...` : text;
}

/** 22021 with the first bytes that are no UTF-8. */
function invalidUtf8(line: Uint8Array): DbError {
  let at = line.indexOf(0);
  let length = 1;
  if (at < 0 || !isUtf8(line.subarray(0, at))) {
    at = 0;
    while (at < line.length) {
      const byte = line[at]!;
      length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      if (!isUtf8(line.subarray(at, at + length))) break;
      at += length;
    }
  }
  const shown = [...line.subarray(at, at + length)]
    .map((byte) => `0x${byte.toString(16).padStart(2, '0')}`)
    .join(' ');
  return new DbError('character_not_in_repertoire', `invalid byte sequence for encoding "UTF8": ${shown}`);
}
