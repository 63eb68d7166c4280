/** The plan as an indented table: a treegrid with bars. Arrow keys move; all views share the selected node. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { formatBytes, formatCount, formatMillis, formatPercent, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { nameOf } from '../../lib/plan/findings.ts';
import type { Plan, PlanNode } from '../../lib/plan/model.ts';
import { SelectField } from '../../ui/fields.tsx';
import { heatStyle } from './heat.ts';

interface Props {
  plan: Plan;
  selected: number | null;
  onSelect: (id: number) => void;
}

const METRICS = {
  time: {
    label: () => t('Own time'),
    of: (node: PlanNode) => node.exclusiveMillis ?? 0,
    format: formatMillis,
  },
  total: {
    label: () => t('Time with children'),
    of: (node: PlanNode) => node.inclusiveMillis ?? 0,
    format: formatMillis,
  },
  rows: { label: () => t('Rows'), of: (node: PlanNode) => node.rows, format: formatShort },
  cost: { label: () => t('Own cost'), of: (node: PlanNode) => node.exclusiveCost, format: formatShort },
  error: {
    label: () => t('Estimate error'),
    of: (node: PlanNode) => (node.estimateFactor === null ? 0 : Math.abs(Math.log10(node.estimateFactor))),
    format: (value: number) => (value < 0.05 ? '' : `${formatShort(Math.round(10 ** value))} ×`),
  },
  read: {
    label: () => t('Blocks read'),
    of: (node: PlanNode) => (node.buffers === null ? 0 : node.buffers.hit + node.buffers.read),
    format: formatShort,
  },
  memory: {
    label: () => t('Memory and spill'),
    of: (node: PlanNode) => (node.memoryKilobytes ?? 0) + (node.diskKilobytes ?? 0),
    format: (value: number) => formatBytes(value * 1024),
  },
} as const;
type Metric = keyof typeof METRICS;
const ROW_PIXELS = 26;

export function PlanTable({ plan, selected, onSelect }: Props) {
  const [metric, setMetric] = useState<Metric>(plan.isAnalyzed ? 'time' : 'cost');
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: plan.nodes.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PIXELS,
    overscan: 12,
  });
  const chosen = METRICS[metric];
  const most = Math.max(...plan.nodes.map(chosen.of), Number.MIN_VALUE);
  useEffect(() => {
    if (selected !== null) rows.scrollToIndex(selected);
  }, [selected, rows]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = selected ?? 0;
    const node = plan.nodes[at];
    const goal =
      event.key === 'ArrowDown'
        ? at + 1
        : event.key === 'ArrowUp'
          ? at - 1
          : event.key === 'ArrowLeft'
            ? node.parent
            : event.key === 'ArrowRight'
              ? node.children[0]
              : event.key === 'Home'
                ? 0
                : event.key === 'End'
                  ? plan.nodes.length - 1
                  : undefined;
    if (goal === undefined || goal === null || plan.nodes[goal] === undefined) return;
    event.preventDefault();
    onSelect(goal);
  };
  const template = 'minmax(14rem, 3fr) minmax(7rem, 1.3fr) 5.5rem 5.5rem 4.5rem 5rem';
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex items-center gap-2 px-2 py-1">
        <SelectField
          label={t('Bars show')}
          isLabelHidden
          value={metric}
          onChange={(event) => setMetric(event.target.value as Metric)}
        >
          {Object.entries(METRICS).map(([name, entry]) => (
            <option key={name} value={name}>
              {entry.label()}
            </option>
          ))}
        </SelectField>
      </div>
      <div
        ref={scroll}
        role="treegrid"
        aria-label={t('Plan')}
        aria-rowcount={plan.nodes.length + 1}
        aria-activedescendant={selected === null ? undefined : `plan-row-${selected}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        className="min-h-0 flex-1 overflow-auto outline-offset-[-2px]"
      >
        <div
          role="row"
          className="sticky top-0 z-1 grid min-w-[42rem] border-b border-(--line) bg-(--raised) text-(--muted)"
          style={{ gridTemplateColumns: template }}
        >
          {[t('Node'), chosen.label(), t('Rows'), t('Expected'), t('Loops'), t('Share')].map(
            (title, index) => (
              <span key={title} role="columnheader" className={`px-2 py-1 ${index > 1 ? 'text-right' : ''}`}>
                {title}
              </span>
            ),
          )}
        </div>
        <div style={{ height: rows.getTotalSize(), position: 'relative', minWidth: '42rem' }}>
          {rows.getVirtualItems().map((item) => {
            const node = plan.nodes[item.index];
            const value = chosen.of(node);
            return (
              <div
                key={node.id}
                id={`plan-row-${node.id}`}
                role="row"
                aria-level={node.depth + 1}
                aria-rowindex={node.id + 2}
                aria-expanded={node.children.length > 0 ? true : undefined}
                aria-selected={node.id === selected}
                onClick={() => onSelect(node.id)}
                className={`absolute left-0 grid w-full cursor-pointer items-center border-b border-(--line) hover:bg-(--raised) ${node.id === selected ? 'bg-(--accent-surface)' : ''}`}
                style={{
                  gridTemplateColumns: template,
                  height: ROW_PIXELS,
                  transform: `translateY(${item.start}px)`,
                }}
              >
                <span
                  role="gridcell"
                  className={`truncate px-2 ${node.isNeverExecuted ? 'text-(--muted) line-through' : ''}`}
                  style={{ paddingLeft: 8 + Math.min(node.depth, 24) * 14 }}
                  title={`${node.subplanName === null ? '' : `${node.subplanName}: `}${nameOf(node)}`}
                >
                  {node.subplanName !== null && <span className="text-(--muted)">{node.subplanName}: </span>}
                  {nameOf(node)}
                </span>
                <span role="gridcell" className="relative h-full px-2">
                  <span
                    className="absolute inset-y-1 left-2 rounded-sm"
                    style={{ ...heatStyle(value / most), width: `calc((100% - 16px) * ${value / most})` }}
                  />
                  <span
                    className="absolute inset-y-0 left-3 flex items-center"
                    style={{ color: value / most > 0.6 ? heatStyle(value / most).color : undefined }}
                  >
                    {value > 0 ? chosen.format(value) : ''}
                  </span>
                </span>
                <span role="gridcell" className="truncate px-2 text-right">
                  {node.isNeverExecuted ? t('never') : formatCount(node.rows)}
                </span>
                <span
                  role="gridcell"
                  className={`truncate px-2 text-right ${node.estimateFactor !== null && (node.estimateFactor >= 10 || node.estimateFactor <= 0.1) ? 'text-(--danger)' : 'text-(--muted)'}`}
                >
                  {formatCount(node.planRows * Math.max(1, node.loops))}
                  {node.estimateFactor !== null && node.estimateFactor >= 2 && ' ▲'}
                  {node.estimateFactor !== null && node.estimateFactor <= 0.5 && ' ▼'}
                </span>
                <span role="gridcell" className="truncate px-2 text-right text-(--muted)">
                  {node.actualRows === null ? '' : formatShort(node.loops)}
                </span>
                <span role="gridcell" className="px-2 text-right">
                  {formatPercent(node.share)}
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
