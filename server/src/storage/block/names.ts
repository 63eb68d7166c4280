/** Names inside the data directory. */
export const BLOCK_DIRECTORY = 'data';

/** Block file number as a path: `data/0000001f.blk`. */
export function blockFileName(file: number): string {
  return `${BLOCK_DIRECTORY}/${file.toString(16).padStart(8, '0')}.blk`;
}

/** Number of a directory entry, null when the name is not a block file's. */
export function blockFileNumber(name: string): number | null {
  const match = /^([0-9a-f]{8})\.blk$/.exec(name);
  return match === null ? null : Number.parseInt(match[1]!, 16);
}
