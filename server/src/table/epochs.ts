/**
 * Reader epochs: memory cut out of the row chains is reused only after every reader that might still stand on it has left.
 *
 * The main thread itself never keeps a slot across a turn, so without readers on other threads (or parked row plans)
 * reclaiming is immediate.
 */

interface Limbo {
  epoch: number;
  action: () => void;
}

/** See the module comment. */
export class Epochs {
  private current = 1;
  private readonly open = new Map<number, number>();
  private limbo: Limbo[] = [];

  get isQuiet(): boolean {
    return this.open.size === 0;
  }

  /** A reader begins; give the number back to `leave`. */
  enter(): number {
    const epoch = this.current;
    this.open.set(epoch, (this.open.get(epoch) ?? 0) + 1);
    return epoch;
  }

  leave(epoch: number): void {
    const count = (this.open.get(epoch) ?? 0) - 1;
    if (count > 0) this.open.set(epoch, count);
    else this.open.delete(epoch);
    this.reclaim();
  }

  /** Runs `action` once no reader that is open now is open any more. */
  retire(action: () => void): void {
    if (this.isQuiet) {
      action();
      return;
    }
    this.limbo.push({ epoch: this.current, action });
    this.current++;
  }

  private reclaim(): void {
    if (this.limbo.length === 0) return;
    let oldest = Infinity;
    for (const epoch of this.open.keys()) if (epoch < oldest) oldest = epoch;
    let count = 0;
    while (count < this.limbo.length && this.limbo[count].epoch < oldest) this.limbo[count++].action();
    if (count > 0) this.limbo = this.limbo.slice(count);
  }
}
