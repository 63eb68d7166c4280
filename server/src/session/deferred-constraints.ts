/**
 * Constraint checks that wait for the end of the transaction, and what SET CONSTRAINTS says about them.
 */
import type { Oid } from '../base/brands.ts';
import type { Pending } from './contract.ts';

/** Key of SET CONSTRAINTS ALL. */
const ALL_CONSTRAINTS = 0;

export class DeferredConstraints {
  /** Runs one check where it may wait for locks and call functions. */
  private readonly drive: (check: () => void) => Promise<void>;
  private checks: (() => void)[] = [];
  /** Set in this transaction: oid → deferred. */
  private readonly modes = new Map<Oid, boolean>();

  constructor(drive: (check: () => void) => Promise<void>) {
    this.drive = drive;
  }

  get isEmpty(): boolean {
    return this.checks.length === 0;
  }

  add(check: () => void): void {
    this.checks.push(check);
  }

  isDeferred(oid: Oid, initiallyDeferred: boolean): boolean {
    return this.modes.get(oid) ?? this.modes.get(ALL_CONSTRAINTS) ?? initiallyDeferred;
  }

  /** SET CONSTRAINTS; none named = ALL. Checks that become immediate run now. */
  setModes(oids: readonly Oid[], deferred: boolean): Pending {
    if (oids.length === 0) {
      this.modes.clear();
      this.modes.set(ALL_CONSTRAINTS, deferred);
    } else for (const oid of oids) this.modes.set(oid, deferred);
    return deferred || this.isEmpty ? null : this.run();
  }

  /** Works the checks off, those included that they add; they may wait. */
  async run(): Promise<void> {
    while (this.checks.length > 0) {
      const { checks } = this;
      this.checks = [];
      for (const check of checks) await this.drive(check);
    }
  }

  transactionEnded(): void {
    if (this.checks.length > 0) this.checks = [];
    if (this.modes.size > 0) this.modes.clear();
  }
}
