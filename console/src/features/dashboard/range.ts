/** The time range all charts show: the last minutes, or two fixed moments; kept in the address. */
import { useEffect, useState } from 'react';
import { patchParams, useRoute } from '../../lib/router.ts';

export const RANGES: readonly { readonly id: string; readonly millis: number }[] = [
  { id: '5m', millis: 300_000 },
  { id: '15m', millis: 900_000 },
  { id: '1h', millis: 3_600_000 },
  { id: '6h', millis: 21_600_000 },
  { id: '24h', millis: 86_400_000 },
  { id: '7d', millis: 604_800_000 },
  { id: '30d', millis: 2_592_000_000 },
];

export interface TimeRange {
  readonly from: number;
  readonly to: number;
  readonly id: string;
  /** True while the range moves with the time. */
  readonly isLive: boolean;
}

const STEP_MILLIS = 2000;

export function useRange(): TimeRange {
  const { params } = useRoute();
  const id = params.get('range') ?? '15m';
  const from = Number(params.get('from') ?? Number.NaN);
  const to = Number(params.get('to') ?? Number.NaN);
  const isLive = !(Number.isFinite(from) && Number.isFinite(to) && to > from);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(() => {
      // A hidden page asks nothing.
      if (!document.hidden) setNow(Date.now());
    }, STEP_MILLIS);
    return () => clearInterval(timer);
  }, [isLive]);
  if (!isLive) return { from, to, id, isLive: false };
  const length = RANGES.find((range) => range.id === id)?.millis ?? 900_000;
  const end = Math.ceil(now / STEP_MILLIS) * STEP_MILLIS;
  return { from: end - length, to: end, id, isLive: true };
}

export function setRange(from: number, to: number): void {
  patchParams({ from: String(Math.round(from)), to: String(Math.round(to)) }, {});
}

export function followNow(id?: string): void {
  patchParams({ from: null, to: null, ...(id === undefined ? {} : { range: id }) }, {});
}
