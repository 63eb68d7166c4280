/** Alert rules over the metrics: watched every second, told to a webhook when they begin and end. */
import type { Library } from './library.ts';

export interface AlertState {
  readonly id: bigint;
  state: 'ok' | 'pending' | 'firing';
  sinceMillis: number;
  value: number;
}

interface Rule {
  readonly id: bigint;
  readonly name: string;
  readonly metric: string;
  readonly comparison: '>' | '<';
  readonly threshold: number;
  readonly forSeconds: number;
  readonly severity: string;
  readonly isEnabled: boolean;
  readonly silencedUntil: number | null;
}

/** Posts JSON; true = accepted. */
export type PostWebhook = (url: string, body: string) => Promise<boolean>;

export class Alerts {
  readonly states = new Map<bigint, AlertState>();
  private readonly library: Library;
  private readonly post: PostWebhook;
  private rules: Rule[] = [];
  private webhook: string | null = null;

  constructor(library: Library, post: PostWebhook) {
    this.library = library;
    this.post = post;
    library.onAlertsChanged = () => this.load();
  }

  load(): void {
    this.rules = this.library.entries('alert').flatMap(({ id, value }) => {
      try {
        return [{ ...(JSON.parse(value) as Omit<Rule, 'id'>), id }];
      } catch {
        return [];
      }
    });
    this.webhook = this.library.entries('webhook').at(-1)?.value ?? null;
    for (const id of this.states.keys())
      if (!this.rules.some((rule) => rule.id === id)) this.states.delete(id);
  }

  /** Looks at one second's values. */
  look(names: readonly string[], values: Float64Array, nowMillis: number): void {
    for (const rule of this.rules) {
      const value = values[names.indexOf(rule.metric)];
      if (!rule.isEnabled || value === undefined || Number.isNaN(value)) {
        this.states.delete(rule.id);
        continue;
      }
      const isBad = rule.comparison === '>' ? value > rule.threshold : value < rule.threshold;
      const state = this.states.get(rule.id) ?? { id: rule.id, state: 'ok', sinceMillis: nowMillis, value };
      this.states.set(rule.id, state);
      state.value = value;
      const change = (next: AlertState['state']): void => {
        state.state = next;
        state.sinceMillis = nowMillis;
      };
      if (!isBad) {
        if (state.state === 'firing') this.tell(rule, state, 'resolved', nowMillis);
        if (state.state !== 'ok') change('ok');
      } else if (state.state === 'ok' && rule.forSeconds > 0) change('pending');
      else if (
        state.state === 'ok' ||
        (state.state === 'pending' && nowMillis - state.sinceMillis >= rule.forSeconds * 1000)
      ) {
        change('firing');
        this.tell(rule, state, 'firing', nowMillis);
      }
    }
  }

  private tell(rule: Rule, state: AlertState, status: 'firing' | 'resolved', nowMillis: number): void {
    if (this.webhook === null || (rule.silencedUntil !== null && rule.silencedUntil > nowMillis)) return;
    const { name, metric, comparison, threshold, severity } = rule;
    const body = JSON.stringify({
      status,
      name,
      severity,
      metric,
      comparison,
      threshold,
      value: state.value,
      at: new Date(nowMillis).toISOString(),
    });
    void this.post(this.webhook, body).catch(() => false);
  }
}
