/**
 * Slows guessing of passwords down without giving anybody a way to lock somebody else out.
 *
 * Refused are only addresses: one that failed often, or that failed often for this very role. Failures for a role from many addresses
 * make every *failed* answer slower; the right password is never refused because of them.
 */

const WINDOW_MILLIS = 15 * 60_000;
const PER_ADDRESS_AND_USER_MAX = 10;
const PER_ADDRESS_MAX = 50;
const ENTRIES_MAX = 20_000;
const DELAY_MILLIS_MAX = 2000;

interface Entry {
  count: number;
  sinceMillis: number;
}

export class LoginThrottle {
  private readonly failures = new Map<string, Entry>();
  private readonly nowMillis: () => number;

  constructor(nowMillis: () => number) {
    this.nowMillis = nowMillis;
  }

  isBlocked(address: string, user: string): boolean {
    const from = networkOf(address);
    return (
      this.count(`pair ${from} ${user}`) >= PER_ADDRESS_AND_USER_MAX ||
      this.count(`address ${from}`) >= PER_ADDRESS_MAX
    );
  }

  /** Counts a failure; how long its answer should be held back, in milliseconds. */
  failed(address: string, user: string): number {
    const from = networkOf(address);
    this.add(`pair ${from} ${user}`);
    this.add(`address ${from}`);
    const all = this.add(`user ${user}`);
    return Math.min(DELAY_MILLIS_MAX, 50 * 2 ** Math.min(10, Math.max(0, all - 5)));
  }

  succeeded(address: string, user: string): void {
    this.failures.delete(`pair ${networkOf(address)} ${user}`);
  }

  private count(key: string): number {
    const entry = this.failures.get(key);
    if (entry === undefined) return 0;
    if (this.nowMillis() - entry.sinceMillis > WINDOW_MILLIS) {
      this.failures.delete(key);
      return 0;
    }
    return entry.count;
  }

  private add(key: string): number {
    const count = this.count(key) + 1;
    const sinceMillis = this.failures.get(key)?.sinceMillis ?? this.nowMillis();
    // Entries in use move to the end, so that a flood of new keys pushes out old ones first.
    this.failures.delete(key);
    this.failures.set(key, { count, sinceMillis });
    if (this.failures.size > ENTRIES_MAX) {
      const oldest = this.failures.keys().next();
      if (!oldest.done) this.failures.delete(oldest.value);
    }
    return count;
  }
}

/** One customer usually has a whole /64 of IPv6. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  if (address.startsWith('::ffff:')) return address.slice(7);
  return address.split(':').slice(0, 4).join(':');
}

/** True for addresses of this machine itself. */
export function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || plain.startsWith('127.') || plain === 'localhost';
}
