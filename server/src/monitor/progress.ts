/**
 * Long commands under way: what pg_stat_progress_… and the console show.
 *
 * How far a command is, is read from the counters of its table when somebody asks; the command itself reports nothing.
 */
import type { Oid } from '../base/brands.ts';
import type { ParsedStatement } from '../session/engine.ts';
import type { RunningCommand } from '../session/monitor-port.ts';
import type { BackendSession } from '../session/session.ts';
import { TableImplementation } from '../table/table.ts';
import type { Datum } from '../types/datum.ts';

export interface ProgressEntry {
  readonly processId: number;
  readonly databaseOid: Oid;
  readonly userOid: Oid;
  readonly command: 'COPY' | 'CREATE INDEX' | 'VACUUM' | 'ANALYZE';
  readonly isFrom: boolean;
  readonly relationOid: Oid;
  readonly startedMicros: bigint;
  readonly phase: string;
  /** Rows. */
  done(): number;
  total(): number | null;
}

const PARAMETERS = 20;

interface RangeVar {
  readonly schemaname?: string;
  readonly relname?: string;
}

export class ProgressBoard {
  private readonly running = new Map<number, ProgressEntry>();

  begin(session: BackendSession, statement: ParsedStatement, nowMicros: bigint): RunningCommand | null {
    const { tree } = statement;
    let command: ProgressEntry['command'];
    if (statement.node === 'CopyStmt') command = 'COPY';
    else if (statement.node === 'IndexStmt') command = 'CREATE INDEX';
    else if (statement.node === 'VacuumStmt') command = tree.is_vacuumcmd === true ? 'VACUUM' : 'ANALYZE';
    else return null;
    const { relname, schemaname } = (tree.relation ?? {}) as RangeVar;
    const relation =
      relname === undefined
        ? null
        : session.catalog().relationByName(schemaname ?? null, relname, session.searchPath());
    const found = relation?.table == null ? null : session.engine.tables.table(relation.oid);
    const table = found instanceof TableImplementation ? found : null;
    const isFrom = tree.is_from === true;
    const before = table?.activity.inserted ?? 0;
    const entry: ProgressEntry = {
      processId: session.processId,
      databaseOid: session.catalog().databaseOid,
      userOid: session.roleOid(),
      command,
      isFrom,
      relationOid: relation?.oid ?? 0,
      startedMicros: nowMicros,
      phase:
        command === 'COPY'
          ? isFrom
            ? 'reading'
            : 'writing'
          : command === 'CREATE INDEX'
            ? 'building index'
            : 'scanning',
      done: () => (command === 'COPY' && isFrom && table !== null ? table.activity.inserted - before : 0),
      total: () => (table === null || (command === 'COPY' && isFrom) ? null : table.rows.liveRows),
    };
    this.running.set(session.processId, entry);
    return {
      end: () => {
        if (this.running.get(session.processId) === entry) this.running.delete(session.processId);
      },
    };
  }

  /** What the role of `session` may see. */
  visible(session: BackendSession, isAll: boolean): ProgressEntry[] {
    return [...this.running.values()].filter(
      ({ userOid }) => isAll || session.catalog().hasPrivilegesOfRole(session.roleOid(), userOid),
    );
  }

  /** Rows of pg_stat_get_progress_info. */
  rows(entries: readonly ProgressEntry[], wanted: string): (readonly Datum[])[] {
    return entries
      .filter(({ command }) => command === wanted)
      .map((entry) => {
        const parameters = new Array<bigint>(PARAMETERS).fill(0n);
        const set = (number: number, value: number | null): void => {
          parameters[number - 1] = BigInt(Math.round(value ?? 0));
        };
        if (entry.command === 'COPY') {
          set(3, entry.done());
          set(5, entry.isFrom ? 1 : 2);
          set(6, 3);
        } else if (entry.command === 'CREATE INDEX') {
          set(10, 1);
          set(12, entry.total());
        } else set(2, entry.total());
        return [entry.processId, entry.databaseOid, entry.relationOid, ...parameters];
      });
  }
}
