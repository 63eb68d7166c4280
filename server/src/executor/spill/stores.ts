/** Where temporary files live: in a folder of the data directory, or in memory for tests. */
import type { Disk } from '../../env/contract.ts';
import type { SpillFile, SpillStore } from '../state.ts';

const FOLDER = 'temporary';

/**
 * Temporary files on disk.
 *
 * Crash     files left behind are removed by the next `open`; nothing ever reads them.
 */
export class DiskSpillStore implements SpillStore {
  private readonly disk: Disk;
  private next = 1;

  private constructor(disk: Disk) {
    this.disk = disk;
  }

  /** Makes the folder and removes what an earlier run left. */
  static async open(disk: Disk): Promise<DiskSpillStore> {
    await disk.mkdir(FOLDER);
    for (const name of await disk.list(FOLDER)) await disk.unlink(`${FOLDER}/${name}`);
    return new DiskSpillStore(disk);
  }

  create(): SpillFile {
    const { disk } = this;
    const path = `${FOLDER}/spill-${this.next++}`;
    const file = disk.openSync(path, 'create');
    let size = 0;
    let isOpen = true;
    return {
      append: (bytes) => {
        file.writeAllSync(size, [bytes]);
        size += bytes.length;
      },
      read: (offset, target) => file.readSync(offset, target),
      get size() {
        return size;
      },
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        file.closeSync();
        // Gone by the next start at the latest.
        disk.unlink(path).catch(() => {});
      },
    };
  }
}

export class MemorySpillStore implements SpillStore {
  /** Files made so far, for tests that want to know whether anything was spilled. */
  created = 0;

  create(): SpillFile {
    this.created++;
    let content = Buffer.alloc(0);
    return {
      append: (bytes) => {
        content = Buffer.concat([content, bytes]);
      },
      read: (offset, target) => content.copy(target, 0, offset, offset + target.length),
      get size() {
        return content.length;
      },
      close: () => {},
    };
  }
}
