import { formatBytes, formatCount, formatMillis, formatPercent } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { nameOf } from '../../lib/plan/findings.ts';
import type { Plan, PlanNode, PropertyValue, Segments } from '../../lib/plan/model.ts';

/** Shown above, with their meaning; the rest is listed as it was printed. */
const HIDDEN = new Set([
  'Node Type',
  'Parent Relationship',
  'Startup Cost',
  'Total Cost',
  'Plan Rows',
  'Plan Width',
  'Actual Startup Time',
  'Actual Total Time',
  'Actual Rows',
  'Actual Loops',
  'Node Id',
  'Parallel Aware',
  'Async Capable',
  'Workers',
]);

function show(value: PropertyValue): string {
  if (Array.isArray(value)) return value.map(show).join(', ');
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}

/** Everything about one node. */
export function NodeDetails({ plan, node }: { plan: Plan; node: PlanNode }) {
  const facts: [string, string][] = [];
  const add = (name: string, value: string | null): void => {
    if (value !== null) facts.push([name, value]);
  };
  add(
    t('Own time'),
    node.exclusiveMillis === null
      ? null
      : `${formatMillis(node.exclusiveMillis)} (${formatPercent(node.share)})`,
  );
  add(t('With children'), node.inclusiveMillis === null ? null : formatMillis(node.inclusiveMillis));
  add(t('First row after'), node.actualStartup === null ? null : formatMillis(node.actualStartup));
  add(t('Rows'), formatCount(node.rows));
  add(
    t('Expected rows'),
    `${formatCount(node.planRows)}${node.loops > 1 ? ` × ${formatCount(node.loops)}` : ''}`,
  );
  if (node.estimateFactor !== null && (node.estimateFactor >= 2 || node.estimateFactor <= 0.5))
    add(
      t('Estimate'),
      node.estimateFactor > 1
        ? t('{times} × more than expected', { times: formatCount(Math.round(node.estimateFactor)) })
        : t('{times} × fewer than expected', { times: formatCount(Math.round(1 / node.estimateFactor)) }),
    );
  add(t('Loops'), node.actualRows === null ? null : formatCount(node.loops));
  add(t('Rows thrown away'), node.rowsRemoved > 0 ? formatCount(node.rowsRemoved) : null);
  add(t('Cost'), `${formatCount(node.startupCost)} … ${formatCount(node.totalCost)}`);
  add(t('Row width'), `${node.planWidth} B`);
  add(t('Memory'), node.memoryKilobytes === null ? null : formatBytes(node.memoryKilobytes * 1024));
  add(t('Spilled to disk'), node.diskKilobytes === null ? null : formatBytes(node.diskKilobytes * 1024));
  if (node.buffers !== null) {
    const { hit, read, dirtied, written, temporaryRead, temporaryWritten } = node.buffers;
    const size = (blocks: number): string => `${formatCount(blocks)} (${formatBytes(blocks * 8192)})`;
    add(t('Blocks in memory'), size(hit));
    add(t('Blocks from disk'), size(read));
    add(t('Blocks dirtied'), dirtied > 0 ? size(dirtied) : null);
    add(t('Blocks written'), written > 0 ? size(written) : null);
    add(
      t('Temporary blocks'),
      temporaryRead + temporaryWritten > 0 ? size(temporaryRead + temporaryWritten) : null,
    );
  }
  return (
    <div className="flex flex-col gap-2 p-2">
      <h3 className="m-0 font-semibold">{nameOf(node)}</h3>
      {node.segments !== null && <SegmentStrip segments={node.segments} />}
      <dl className="m-0 grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-3 gap-y-0.5">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-(--muted)">{name}</dt>
            <dd className="m-0">{value}</dd>
          </div>
        ))}
      </dl>
      <dl className="m-0 flex flex-col gap-1 border-t border-(--line) pt-2">
        {Object.entries(node.properties)
          .filter(([name]) => !HIDDEN.has(name))
          .map(([name, value]) => (
            <div key={name}>
              <dt className="text-xs text-(--muted)">{name}</dt>
              <dd className="mono m-0 break-words whitespace-pre-wrap">{show(value)}</dd>
            </div>
          ))}
      </dl>
      {plan.nodes.length > 1 && (
        <p className="m-0 text-xs text-(--muted)">
          {t('Node {id} of {count}', { id: node.id + 1, count: plan.nodes.length })}
        </p>
      )}
    </div>
  );
}

/** Which segments a scan read and why it skipped the others, as a strip. */
export function SegmentStrip({ segments }: { segments: Segments }) {
  const parts: { name: string; count: number; className: string }[] = [
    { name: t('read'), count: segments.read, className: 'bg-(--text)' },
    { name: t('skipped by zone map'), count: segments.skippedByZoneMap, className: 'bg-(--surface)' },
    {
      name: t('skipped by bloom filter'),
      count: segments.skippedByBloom,
      className: 'bg-(--sunken) border-dotted',
    },
    {
      name: t('skipped by bounds'),
      count: segments.skippedByBounds,
      className: 'bg-(--surface) border-dashed',
    },
  ];
  if (segments.total === 0)
    return <p className="m-0 text-(--muted)">{t('No sealed segment yet: all rows are in the row store.')}</p>;
  return (
    <figure className="m-0">
      <figcaption className="text-xs text-(--muted)">
        {t('{read} of {total} segments read', {
          read: formatCount(segments.read),
          total: formatCount(segments.total),
        })}
      </figcaption>
      <div className="flex h-4 w-full gap-px">
        {parts
          .filter((part) => part.count > 0)
          .map((part) => (
            <span
              key={part.name}
              title={`${part.name}: ${formatCount(part.count)}`}
              className={`block h-full border border-(--muted) ${part.className}`}
              style={{ flexGrow: part.count, minWidth: 3 }}
            />
          ))}
      </div>
      <p className="m-0 text-xs text-(--muted)">
        {parts
          .filter((part) => part.count > 0)
          .map((part) => `${part.name} ${formatCount(part.count)}`)
          .join(' · ')}
      </p>
    </figure>
  );
}
