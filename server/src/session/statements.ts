/** Small facts about statements that the query runners share. */
import { DbError, type Notice } from '../base/error.ts';
import type { PhysicalPlan } from '../planner/physical.ts';
import type { ResultColumn } from './contract.ts';
import type { ParsedStatement } from './engine.ts';

export const NO_COLUMNS: readonly ResultColumn[] = [];
export const NO_FORMATS: readonly number[] = [];

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of a parameter; 22021 for bytes that are not UTF-8 or contain NUL. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes.length < 64) {
    let isAscii = true;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (byte >= 0x80 || byte === 0) {
        isAscii = false;
        break;
      }
    }
    if (isAscii) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  }
  let text: string;
  try {
    text = utf8Decoder.decode(bytes);
  } catch {
    throw new DbError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8"');
  }
  if (text.includes('\0'))
    throw new DbError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
  return text;
}

export function commandTag(plan: PhysicalPlan, rowCount: number): string {
  switch (plan.command) {
    case 'select':
      return `SELECT ${rowCount}`;
    case 'insert':
      return `INSERT 0 ${rowCount}`;
    case 'update':
      return `UPDATE ${rowCount}`;
    case 'delete':
      return `DELETE ${rowCount}`;
    case 'merge':
      return `MERGE ${rowCount}`;
  }
}

export function columnsOfPlan(plan: PhysicalPlan): readonly ResultColumn[] | null {
  return plan.columns.length === 0 && plan.command !== 'select'
    ? null
    : plan.columns.length === 0
      ? NO_COLUMNS
      : plan.columns;
}

export function sameColumns(left: readonly ResultColumn[], right: readonly ResultColumn[]): boolean {
  return (
    left.length === right.length &&
    left.every(
      (column, index) => column.typeOid === right[index].typeOid && column.typmod === right[index].typmod,
    )
  );
}

/** Statements with a plan; all others are commands. */
export function isPlannableNode(node: string): boolean {
  return (
    node === 'SelectStmt' ||
    node === 'InsertStmt' ||
    node === 'UpdateStmt' ||
    node === 'DeleteStmt' ||
    node === 'MergeStmt'
  );
}

export function isAllowedInFailedBlock(statement: ParsedStatement): boolean {
  if (statement.node !== 'TransactionStmt') return false;
  switch (statement.tree.kind) {
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK':
    case 'TRANS_STMT_ROLLBACK_TO':
    case 'TRANS_STMT_PREPARE':
      return true;
    default:
      return false;
  }
}

const SEVERITY_ORDER = [
  'debug5',
  'debug4',
  'debug3',
  'debug2',
  'debug1',
  'log',
  'notice',
  'warning',
  'error',
];

export function isNoticeShown(severity: Notice['severity'], threshold: string): boolean {
  if (severity === 'INFO') return true;
  const level = severity === 'DEBUG' ? 'debug1' : severity.toLowerCase();
  return SEVERITY_ORDER.indexOf(level) >= SEVERITY_ORDER.indexOf(threshold);
}

export function terminatedByAdministrator(): DbError {
  return new DbError('admin_shutdown', 'terminating connection due to administrator command').fatal();
}

/** A portal or cursor that failed, or ran already and cannot run twice. */
export function cannotRun(name: string): DbError {
  return new DbError('object_not_in_prerequisite_state', `portal "${name}" cannot be run`);
}
