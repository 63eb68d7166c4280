/**
 * Lines over time: straight between samples, with gaps where there are none. All charts share one crosshair; dragging over one
 * chooses the range of all.
 */
import { type PointerEvent, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { formatTime } from '../lib/format.ts';
import { t } from '../lib/messages.ts';

export interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

interface Props {
  label: string;
  times: readonly number[];
  series: readonly Series[];
  format: (value: number) => string;
  from: number;
  to: number;
  onRange?: (from: number, to: number) => void;
  height?: number;
}

let hovered: number | null = null;
const listeners = new Set<() => void>();
function hover(time: number | null): void {
  hovered = time;
  for (const listener of listeners) listener();
}
const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

const LEFT = 58;
const BOTTOM = 16;
const TOP = 6;

export function TimeChart({ label, times, series, format, from, to, onRange, height = 130 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(300);
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);
  const time = useSyncExternalStore(subscribe, () => hovered);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(Math.max(120, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const inner = width - LEFT - 4;
  const tall = height - TOP - BOTTOM;
  const top = useMemo(() => niceTop(series), [series]);
  const x = (value: number): number => LEFT + ((value - from) / Math.max(1, to - from)) * inner;
  const y = (value: number): number => TOP + tall - (Math.max(0, value) / top) * tall;
  const paths = series.map((one) => {
    let path = '';
    let isOpen = false;
    one.values.forEach((value, at) => {
      if (value === null || times[at] < from || times[at] > to) {
        isOpen = false;
        return;
      }
      // A sample between gaps is a dot: a line of no length with round ends.
      path += `${isOpen ? 'L' : 'M'}${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}${isOpen ? '' : 'h0.01'}`;
      isOpen = true;
    });
    return path;
  });
  const timeOf = (event: PointerEvent): number => {
    const left = event.clientX - (box.current?.getBoundingClientRect().left ?? 0);
    return from + ((Math.min(width - 4, Math.max(LEFT, left)) - LEFT) / inner) * (to - from);
  };
  const at = time === null || times.length === 0 ? -1 : nearest(times, time);
  const newest = series.map((one) => {
    if (at >= 0) return one.values[at] ?? null;
    for (let index = one.values.length - 1; index >= 0; index--)
      if (one.values[index] !== null) return one.values[index];
    return null;
  });
  return (
    <figure className="m-0 min-w-0">
      <figcaption className="flex flex-wrap gap-x-3 px-2 pt-1 text-xs">
        {series.map((one, index) => (
          <span key={one.name} className="whitespace-nowrap">
            <span
              aria-hidden="true"
              className="mr-1 inline-block h-2 w-3"
              style={{ background: `var(--series-${(index % 6) + 1})` }}
            />
            <span className="text-(--muted)">{one.name}</span>{' '}
            {newest[index] === null || newest[index] === undefined ? '–' : format(newest[index] ?? 0)}
          </span>
        ))}
        {at >= 0 && <span className="text-(--muted)">{formatTime(times[at])}</span>}
      </figcaption>
      <div
        ref={box}
        role="img"
        aria-label={t('{name} from {from} to {to}', {
          name: label,
          from: formatTime(from),
          to: formatTime(to),
        })}
        onPointerMove={(event) => {
          const moment = timeOf(event);
          hover(moment);
          if (drag !== null) setDrag({ ...drag, end: moment });
        }}
        onPointerLeave={() => hover(null)}
        onPointerDown={(event) => {
          if (onRange === undefined || event.pointerType === 'touch') return;
          const moment = timeOf(event);
          setDrag({ start: moment, end: moment });
        }}
        onPointerUp={() => {
          if (drag !== null && Math.abs(drag.end - drag.start) > (to - from) / 100)
            onRange?.(Math.min(drag.start, drag.end), Math.max(drag.start, drag.end));
          setDrag(null);
        }}
      >
        <svg width={width} height={height} className="block select-none" aria-hidden="true">
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <line x1={LEFT} x2={width - 4} y1={y(top * share)} y2={y(top * share)} stroke="var(--line)" />
              <text x={LEFT - 4} y={y(top * share) + 4} textAnchor="end" fontSize="10" fill="var(--muted)">
                {format(top * share)}
              </text>
            </g>
          ))}
          {[0, 0.5, 1].map((share) => (
            <text
              key={share}
              x={LEFT + inner * share}
              y={height - 3}
              textAnchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}
              fontSize="10"
              fill="var(--muted)"
            >
              {formatTime(from + (to - from) * share)}
            </text>
          ))}
          {drag !== null && (
            <rect
              x={Math.min(x(drag.start), x(drag.end))}
              width={Math.abs(x(drag.end) - x(drag.start))}
              y={TOP}
              height={tall}
              fill="var(--selection)"
              opacity="0.6"
            />
          )}
          {paths.map((path, index) => (
            <path
              key={series[index].name}
              d={path}
              fill="none"
              stroke={`var(--series-${(index % 6) + 1})`}
              strokeWidth="1.5"
              strokeLinecap="round"
            />
          ))}
          {at >= 0 && times[at] >= from && times[at] <= to && (
            <line
              x1={x(times[at])}
              x2={x(times[at])}
              y1={TOP}
              y2={TOP + tall}
              stroke="var(--muted)"
              strokeDasharray="2 2"
            />
          )}
        </svg>
      </div>
    </figure>
  );
}

function nearest(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle;
    else high = middle;
  }
  return Math.abs(times[low] - time) <= Math.abs(times[high] - time) ? low : high;
}

/** A round number not below the largest value. */
function niceTop(series: readonly Series[]): number {
  let most = 0;
  for (const one of series) for (const value of one.values) if (value !== null && value > most) most = value;
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  for (const step of [1, 2, 2.5, 5, 10]) if (most <= step * power) return step * power;
  return most;
}
