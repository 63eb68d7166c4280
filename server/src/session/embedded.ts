/** A sink that collects results in memory: for the admin API, tests and programs that run the engine in their own process. */
import type { Notice } from '../base/error.ts';
import type { FormatContext } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { ResultColumn, ResultSink } from './contract.ts';

export interface CollectedResult {
  columns: readonly ResultColumn[];
  rows: (readonly Datum[])[];
  tag: string;
  context: FormatContext | null;
}

export class CollectingSink implements ResultSink {
  readonly results: CollectedResult[] = [];
  readonly notices: Notice[] = [];
  readonly notifications: { processId: number; channel: string; payload: string }[] = [];
  readonly parameters = new Map<string, string>();
  /** COPY … TO STDOUT. */
  readonly copyChunks: Uint8Array[] = [];
  /** Called when a COPY … FROM STDIN asks for data. */
  onCopyIn: (() => void) | null = null;
  private current: CollectedResult | null = null;
  private slots: readonly number[] = [];

  clear(): void {
    this.results.length = 0;
    this.notices.length = 0;
    this.copyChunks.length = 0;
    this.current = null;
  }

  rowDescription(columns: readonly ResultColumn[]): void {
    this.open().columns = columns;
  }
  noData(): void {}
  parameterDescription(): void {}
  beginRows(columns: readonly ResultColumn[], _formats: readonly number[], context: FormatContext): void {
    const result = this.open();
    result.columns = columns;
    result.context = context;
    this.slots = columns.map((column) => column.slot);
  }
  row(frame: readonly Datum[]): void {
    this.open().rows.push(this.slots.map((slot) => frame[slot]));
  }
  parseComplete(): void {}
  bindComplete(): void {}
  closeComplete(): void {}
  commandComplete(tag: string): void {
    this.open().tag = tag;
    this.current = null;
  }
  emptyQueryResponse(): void {}
  portalSuspended(): void {
    this.current = null;
  }
  notice(notice: Notice): void {
    this.notices.push(notice);
  }
  parameterStatus(name: string, value: string): void {
    this.parameters.set(name, value);
  }
  notification(processId: number, channel: string, payload: string): void {
    this.notifications.push({ processId, channel, payload });
  }
  copyInResponse(): void {
    this.onCopyIn?.();
  }
  copyOutResponse(): void {}
  copyData(bytes: Uint8Array): void {
    this.copyChunks.push(new Uint8Array(bytes));
  }
  copyDone(): void {}
  isCongested(): boolean {
    return false;
  }
  drained(): Promise<void> {
    return Promise.resolve();
  }

  private open(): CollectedResult {
    if (this.current === null) {
      this.current = { columns: [], rows: [], tag: '', context: null };
      this.results.push(this.current);
    }
    return this.current;
  }
}
