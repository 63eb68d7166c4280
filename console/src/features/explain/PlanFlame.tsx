/** Flame and time line: two pictures of where the time went. Blocks narrower than half a pixel are left out. */
import { useEffect, useMemo, useRef, useState } from 'react';
import { formatMillis, formatPercent } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { nameOf } from '../../lib/plan/findings.ts';
import type { Plan, PlanNode } from '../../lib/plan/model.ts';
import { heatStyle } from './heat.ts';

interface Props {
  plan: Plan;
  selected: number | null;
  onSelect: (id: number) => void;
}

const LINE = 24;

function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}

/** Weight of a node with all below it: time, else cost. */
function weights(plan: Plan): Float64Array {
  const sum = new Float64Array(plan.nodes.length);
  for (let id = plan.nodes.length - 1; id >= 0; id--) {
    const node = plan.nodes[id];
    sum[id] += node.exclusiveMillis ?? (plan.isAnalyzed ? 0 : node.exclusiveCost);
    if (node.parent !== null) sum[node.parent] += sum[id];
  }
  return sum;
}

export function PlanFlame({ plan, selected, onSelect }: Props) {
  const [box, width] = useWidth();
  const [top, setTop] = useState(0);
  const sum = useMemo(() => weights(plan), [plan]);
  const root = plan.nodes[top] ?? plan.nodes[0];
  const places = useMemo(() => {
    const list: { node: PlanNode; left: number; width: number; depth: number }[] = [];
    const visit = (id: number, left: number, depth: number, scale: number): void => {
      const wide = sum[id] * scale;
      if (wide < 0.5) return;
      list.push({ node: plan.nodes[id], left, width: wide, depth });
      let next = left;
      for (const child of plan.nodes[id].children) {
        visit(child, next, depth + 1, scale);
        next += sum[child] * scale;
      }
    };
    if (width > 0 && sum[root.id] > 0) visit(root.id, 0, 0, width / sum[root.id]);
    return list;
  }, [plan, sum, root, width]);
  const depth = places.reduce((most, place) => Math.max(most, place.depth), 0);
  return (
    <div className="h-full overflow-auto p-2">
      <p className="m-0 mb-1 text-(--muted)">
        {plan.isAnalyzed
          ? t('Width is time; what no child covers is spent in the node itself. Double click looks closer.')
          : t('Width is cost; the statement was not run. Double click looks closer.')}
        {root.id !== 0 && (
          <button type="button" className="ml-2 text-(--accent) underline" onClick={() => setTop(0)}>
            {t('Show the whole plan')}
          </button>
        )}
      </p>
      <div ref={box} className="relative" style={{ height: (depth + 1) * LINE }}>
        {places.map(({ node, left, width: wide, depth: level }) => (
          <button
            key={node.id}
            type="button"
            tabIndex={node.id === selected ? 0 : -1}
            aria-pressed={node.id === selected}
            title={`${nameOf(node)}\n${plan.isAnalyzed ? formatMillis(sum[node.id]) : ''} ${formatPercent(sum[node.id] / sum[0])}`}
            onClick={() => onSelect(node.id)}
            onDoubleClick={() => setTop(node.id)}
            className={`absolute truncate border border-(--surface) px-1 text-left text-xs ${node.id === selected ? 'outline-2 outline-offset-[-2px] outline-(--accent)' : ''}`}
            style={{ left, width: wide, top: level * LINE, height: LINE - 1, ...heatStyle(node.share) }}
          >
            {wide > 40 ? nameOf(node) : ''}
          </button>
        ))}
      </div>
    </div>
  );
}

export function PlanTimeline({ plan, selected, onSelect }: Props) {
  const [box, width] = useWidth();
  if (!plan.isAnalyzed || plan.nodes[0].inclusiveMillis === null)
    return (
      <p className="p-3 text-(--muted)">
        {t('The statement was not run: there are no times. Use EXPLAIN ANALYZE.')}
      </p>
    );
  const end = Math.max(
    ...plan.nodes.map((node) => node.end),
    ...plan.nodes.flatMap((node) => node.workers.map((worker) => worker.end)),
    0.001,
  );
  const labels = Math.min(280, Math.max(120, width * 0.3));
  const scale = Math.max(0, width - labels - 16) / end;
  const ticks = Array.from({ length: 5 }, (_, index) => (end * index) / 4);
  return (
    <div className="h-full overflow-auto p-2">
      <p className="m-0 mb-1 text-(--muted)">
        {plan.hasTrueTimes
          ? t('From start to end of each node and worker; light until its first row.')
          : t(
              'This plan prints durations, not moments: starts are worked out from the order of execution. Light until the first row.',
            )}
      </p>
      <div ref={box} className="relative">
        <div className="relative h-5 text-xs text-(--muted)" style={{ marginLeft: labels }}>
          {ticks.map((tick, index) => (
            <span key={tick} className="absolute" style={index === 4 ? { right: 0 } : { left: tick * scale }}>
              {formatMillis(tick)}
            </span>
          ))}
        </div>
        {plan.nodes.map((node) => (
          <div key={node.id}>
            <button
              type="button"
              aria-pressed={node.id === selected}
              onClick={() => onSelect(node.id)}
              className={`relative flex w-full items-center border-b border-(--line) text-left ${node.id === selected ? 'bg-(--accent-surface)' : 'hover:bg-(--raised)'}`}
              style={{ height: LINE }}
            >
              <span
                className="shrink-0 truncate pr-2"
                style={{ width: labels, paddingLeft: Math.min(node.depth, 12) * 10 }}
              >
                {nameOf(node)}
              </span>
              <Bar node={node} scale={scale} />
            </button>
            {node.workers.map((worker) => (
              <div
                key={worker.name}
                className="relative flex items-center text-xs text-(--muted)"
                style={{ height: 16 }}
              >
                <span
                  className="shrink-0 truncate"
                  style={{ width: labels, paddingLeft: Math.min(node.depth, 12) * 10 + 14 }}
                >
                  {worker.name}
                </span>
                <span
                  className="relative h-full flex-1"
                  title={`${worker.name}: ${formatMillis(worker.end - worker.start)}`}
                >
                  <span
                    className="absolute inset-y-1 rounded-sm bg-(--series-6)"
                    style={{
                      left: worker.start * scale,
                      width: Math.max(1, (worker.end - worker.start) * scale),
                    }}
                  />
                </span>
              </div>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

function Bar({ node, scale }: { node: PlanNode; scale: number }) {
  if (node.isNeverExecuted) return <span className="text-xs text-(--muted)">{t('never executed')}</span>;
  const wide = Math.max(1, (node.end - node.start) * scale);
  const first = Math.min(wide, (node.actualStartup ?? 0) * scale);
  return (
    <span
      className="relative h-full flex-1"
      title={`${formatMillis(node.start)} – ${formatMillis(node.end)}`}
    >
      <span
        className="absolute inset-y-1 rounded-sm border border-(--line)"
        style={{ left: node.start * scale, width: first, background: 'var(--heat-1)' }}
      />
      <span
        className="absolute inset-y-1 rounded-sm"
        style={{
          left: node.start * scale + first,
          width: Math.max(0, wide - first),
          ...heatStyle(Math.max(0.15, node.share)),
        }}
      />
    </span>
  );
}
