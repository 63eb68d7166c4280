/**
 * Names of a simulated disk: which path leads to which file, as the process sees it and as the device surely has it.
 *
 * A change of a name waits in `pending` until its directory is synced. A crash keeps a prefix of them or any subset,
 * by profile. A rename is atomic: never both names, never none.
 */

import type { CrashProfile, Inode } from './inode.ts';
import type { SimulatedRandom } from './random.ts';

/** What a name leads to. */
export type Entry = Inode | 'directory';

/** A change not yet durable; it becomes durable when `directory` (the new name's parent) is synced. */
type NameChange = { readonly directory: string } & (
  | { readonly kind: 'link'; readonly path: string; readonly entry: Entry }
  | { readonly kind: 'unlink'; readonly path: string; readonly entry: Entry }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly entry: Entry }
);

/** Two maps from path to entry and the changes between them. */
export class Namespace {
  private durable = new Map<string, Entry>();
  private current = new Map<string, Entry>();
  private pending: NameChange[] = [];

  get(path: string): Entry | undefined {
    return path === '' ? 'directory' : this.current.get(path);
  }

  getDurable(path: string): Entry | undefined {
    return path === '' ? 'directory' : this.durable.get(path);
  }

  get pendingCount(): number {
    return this.pending.length;
  }

  /** Current paths of files, sorted. */
  filePaths(): string[] {
    return [...this.current]
      .filter(([, entry]) => entry !== 'directory')
      .map(([path]) => path)
      .sort();
  }

  /** All files with either a current or a durable name. */
  *inodes(): Iterable<Inode> {
    const seen = new Set<Inode>();
    for (const map of [this.current, this.durable]) {
      for (const entry of map.values()) {
        if (entry === 'directory' || seen.has(entry)) continue;
        seen.add(entry);
        yield entry;
      }
    }
    for (const { entry } of this.pending) {
      if (entry === 'directory' || seen.has(entry)) continue;
      seen.add(entry);
      yield entry;
    }
  }

  list(directory: string): string[] {
    const prefix = directory === '' ? '' : `${directory}/`;
    const names: string[] = [];
    for (const path of this.current.keys()) {
      if (path.startsWith(prefix) && !path.includes('/', prefix.length))
        names.push(path.slice(prefix.length));
    }
    return names.sort();
  }

  link(path: string, entry: Entry): void {
    this.change({ kind: 'link', directory: parentOf(path), path, entry });
  }

  unlink(path: string): void {
    this.change({ kind: 'unlink', directory: parentOf(path), path, entry: this.current.get(path)! });
  }

  rename(from: string, to: string): void {
    this.change({ kind: 'rename', directory: parentOf(to), from, to, entry: this.current.get(from)! });
  }

  sync(directory: string): void {
    const rest: NameChange[] = [];
    for (const change of this.pending) {
      if (change.directory === directory) apply(this.durable, change);
      else rest.push(change);
    }
    this.pending = rest;
  }

  crash(random: SimulatedRandom, profile: CrashProfile): void {
    const prefix = random.int(this.pending.length + 1);
    const rate = [0, 0.5, 1][random.int(3)]!;
    this.pending.forEach((change, index) => {
      const isKept =
        profile === 'kept' ||
        (profile === 'ordered' && index < prefix) ||
        (profile === 'adversarial' && random.chance(rate));
      if (isKept) apply(this.durable, change);
    });
    this.pending = [];
    // A file whose directory was lost has no name.
    for (const path of [...this.durable.keys()]) {
      for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
        if (this.durable.get(parent) === 'directory') continue;
        this.durable.delete(path);
        break;
      }
    }
    this.current = new Map(this.durable);
  }

  /** A copy in which every file is replaced by its own copy. */
  fork(): Namespace {
    const copies = new Map<Inode, Inode>();
    const copyOf = (entry: Entry): Entry => {
      if (entry === 'directory') return entry;
      let copy = copies.get(entry);
      if (!copy) copies.set(entry, (copy = entry.fork()));
      return copy;
    };
    const result = new Namespace();
    for (const [path, entry] of this.durable) result.durable.set(path, copyOf(entry));
    for (const [path, entry] of this.current) result.current.set(path, copyOf(entry));
    result.pending = this.pending.map((change) => ({ ...change, entry: copyOf(change.entry) }));
    return result;
  }

  private change(change: NameChange): void {
    apply(this.current, change);
    this.pending.push(change);
  }
}

/** Parent directory of a path; '' is the root. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function apply(names: Map<string, Entry>, change: NameChange): void {
  if (change.kind === 'link') {
    names.set(change.path, change.entry);
  } else if (change.kind === 'unlink') {
    if (names.get(change.path) === change.entry) names.delete(change.path);
  } else {
    if (names.get(change.from) === change.entry) names.delete(change.from);
    names.set(change.to, change.entry);
    if (change.entry === 'directory') moveChildren(names, `${change.from}/`, `${change.to}/`);
  }
}

function moveChildren(names: Map<string, Entry>, from: string, to: string): void {
  for (const [path, entry] of [...names]) {
    if (!path.startsWith(from)) continue;
    names.delete(path);
    names.set(to + path.slice(from.length), entry);
  }
}
