import { useMemo } from 'react';
import { formatCount, formatMillis, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { comparePlans } from '../../lib/plan/compare.ts';
import { nameOf } from '../../lib/plan/findings.ts';
import type { Plan, PlanNode } from '../../lib/plan/model.ts';

interface Props {
  before: Plan;
  after: Plan;
  selected: number | null;
  onSelect: (id: number) => void;
}

/** Two plans of a statement: the verdict in a sentence, then the numbers, node by node. */
export function PlanCompare({ before, after, selected, onSelect }: Props) {
  const comparison = useMemo(() => comparePlans(before, after), [before, after]);
  const isTimed = before.totalMillis !== null && after.totalMillis !== null;
  const own = (node: PlanNode | null): number | null =>
    node === null ? null : isTimed ? (node.exclusiveMillis ?? 0) : node.exclusiveCost;
  const write = (value: number | null): string =>
    value === null ? '' : isTimed ? formatMillis(value) : formatShort(value);
  const { factor } = comparison;
  const tone =
    factor === null || (factor < 1.05 && factor > 0.95)
      ? ''
      : factor > 1
        ? 'text-(--good)'
        : 'text-(--danger)';
  return (
    <div className="h-full overflow-auto p-2">
      <p role="status" className={`m-0 text-base font-semibold ${tone}`}>
        {comparison.verdict}
      </p>
      {comparison.reasons.length > 2 && (
        <ul className="m-0 mt-1 pl-5">
          {comparison.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      <table className="mt-2 w-full border-collapse text-left">
        <thead>
          <tr className="text-(--muted)">
            {[t('Before'), t('Own'), t('Rows'), t('After'), t('Own'), t('Rows'), t('Change')].map(
              (title, index) => (
                <th
                  // biome-ignore lint/suspicious/noArrayIndexKey: fixed columns
                  key={index}
                  scope="col"
                  className={`border-b border-(--line) px-2 py-1 font-normal ${index % 3 === 0 && index < 6 ? '' : 'text-right'}`}
                >
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {comparison.pairs.map(({ before: old, after: now }, index) => {
            const change = (own(now) ?? 0) - (own(old) ?? 0);
            const isBig = Math.abs(change) > 0.1 * Math.max(own(old) ?? 0, own(now) ?? 0, 0.001);
            return (
              <tr
                // biome-ignore lint/suspicious/noArrayIndexKey: pairs have no identity
                key={index}
                onClick={() => now !== null && onSelect(now.id)}
                className={`border-b border-(--line) ${now !== null && now.id === selected ? 'bg-(--accent-surface)' : ''}`}
              >
                <Side node={old} own={write(own(old))} />
                <Side node={now} own={write(own(now))} />
                <td
                  className={`px-2 py-0.5 text-right ${isBig ? (change < 0 ? 'text-(--good)' : 'text-(--danger)') : 'text-(--muted)'}`}
                >
                  {old === null
                    ? t('new')
                    : now === null
                      ? t('gone')
                      : `${change > 0 ? '+' : ''}${write(change)}`}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Side({ node, own }: { node: PlanNode | null; own: string }) {
  return (
    <>
      <td
        className="max-w-64 truncate px-2 py-0.5"
        style={{ paddingLeft: 8 + Math.min(node?.depth ?? 0, 12) * 10 }}
      >
        {node === null ? '—' : nameOf(node)}
      </td>
      <td className="px-2 py-0.5 text-right">{own}</td>
      <td className="px-2 py-0.5 text-right">{node === null ? '' : formatCount(node.rows)}</td>
    </>
  );
}
