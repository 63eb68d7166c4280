import { describe, expect, it } from 'vitest';
import { countEdits, NO_EDITS, toRowEdits, withDeleted, withValue } from './edits.ts';

const rows = [
  ['1', 'a'],
  ['2', null],
];

describe('staged edits', () => {
  it('become deletions, changes and new rows, with what was read', () => {
    let edits = withValue(NO_EDITS, 2, { row: 0, column: 1 }, '9223372036854775807', 'a');
    edits = withDeleted(edits, 2, 1);
    edits = { ...edits, inserted: [new Map()] };
    edits = withValue(edits, 2, { row: 2, column: 1 }, null, undefined);
    expect(countEdits(edits)).toBe(3);
    expect(toRowEdits(edits, ['id', 'name'], ['id'], rows)).toEqual([
      { kind: 'delete', key: { id: '2' } },
      { kind: 'update', key: { id: '1' }, values: { name: '9223372036854775807' }, before: { name: 'a' } },
      { kind: 'insert', values: { name: null } },
    ]);
  });

  it('are taken back by the value read and by a second deletion', () => {
    const changed = withValue(NO_EDITS, 2, { row: 0, column: 1 }, 'b', 'a');
    expect(countEdits(withValue(changed, 2, { row: 0, column: 1 }, 'a', 'a'))).toBe(0);
    expect(countEdits(withDeleted(withDeleted(NO_EDITS, 2, 0), 2, 0))).toBe(0);
    expect(countEdits(withDeleted({ ...NO_EDITS, inserted: [new Map()] }, 2, 2))).toBe(0);
  });
});
