/** Compares two plans of a statement: nodes are paired by the relations they work on, not by their places; the verdict first. */
import { formatBytes, formatCount, formatMillis } from '../format.ts';
import { t } from '../messages.ts';
import { nameOf } from './findings.ts';
import type { Plan, PlanNode } from './model.ts';

export interface NodePair {
  readonly before: PlanNode | null;
  readonly after: PlanNode | null;
}

export interface Comparison {
  /** Above 1: the second is faster (or cheaper) by this factor. */
  readonly factor: number | null;
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly pairs: readonly NodePair[];
}

/** What a node does, whatever method it uses. */
function roleOf(node: PlanNode): string {
  const { type } = node;
  if (/Scan$/.test(type) && type !== 'Bitmap Index Scan') return 'scan';
  if (/Join$/.test(type) || type === 'Nested Loop') return 'join';
  if (/Sort$/.test(type)) return 'sort';
  if (/Aggregate$|^Group$/.test(type)) return 'aggregate';
  return type;
}

/** Aliases of the relations in each subtree, sorted. */
function relationsOf(plan: Plan): string[][] {
  const sets = plan.nodes.map(() => new Set<string>());
  for (let id = plan.nodes.length - 1; id >= 0; id--) {
    const node = plan.nodes[id];
    const name = node.alias ?? node.relation;
    if (name !== null) sets[id].add(name);
    if (node.parent !== null) for (const one of sets[id]) sets[node.parent].add(one);
  }
  return sets.map((set) => [...set].sort());
}

function keysOf(plan: Plan): string[] {
  const relations = relationsOf(plan);
  const seen = new Map<string, number>();
  return plan.nodes.map((node) => {
    const key = `${roleOf(node)} ${relations[node.id].join(',')}`;
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return `${key} ${count}`;
  });
}

export function comparePlans(before: Plan, after: Plan): Comparison {
  const keysBefore = keysOf(before);
  const keysAfter = keysOf(after);
  const byKey = new Map(keysAfter.map((key, id) => [key, id]));
  const used = new Set<number>();
  const pairs: NodePair[] = [];
  for (const node of before.nodes) {
    const match = byKey.get(keysBefore[node.id]);
    if (match !== undefined) used.add(match);
    pairs.push({ before: node, after: match === undefined ? null : after.nodes[match] });
  }
  for (const node of after.nodes) if (!used.has(node.id)) pairs.push({ before: null, after: node });

  const isTimed = before.totalMillis !== null && after.totalMillis !== null;
  const first = isTimed ? (before.totalMillis ?? 0) : before.totalCost;
  const second = isTimed ? (after.totalMillis ?? 0) : after.totalCost;
  const factor = second > 0 && first > 0 ? first / second : null;
  const reasons: string[] = [];
  for (const { before: old, after: now } of pairs) {
    if (old === null || now === null) continue;
    if (roleOf(old) === 'scan' && (old.type !== now.type || old.index !== now.index))
      reasons.push(t('{new} replaced {old}', { new: nameOf(now), old: nameOf(old) }));
    else if (roleOf(old) === 'join' && old.type !== now.type)
      reasons.push(t('{new} replaced {old}', { new: now.title.toLowerCase(), old: old.title.toLowerCase() }));
    if (old.segments !== null && now.segments !== null) {
      const skippedOld = old.segments.total - old.segments.read;
      const skippedNow = now.segments.total - now.segments.read;
      if (skippedOld !== skippedNow)
        reasons.push(
          t('{count} of {total} segments are now skipped (before: {old})', {
            count: formatCount(skippedNow),
            total: formatCount(now.segments.total),
            old: formatCount(skippedOld),
          }),
        );
    }
    if (old.diskKilobytes !== null && now.diskKilobytes === null)
      reasons.push(t('{name} no longer spills', { name: nameOf(now) }));
    if (old.diskKilobytes === null && now.diskKilobytes !== null)
      reasons.push(
        t('{name} now spills {size}', { name: nameOf(now), size: formatBytes(now.diskKilobytes * 1024) }),
      );
  }
  const added = pairs.filter(
    (pair) => pair.before === null && pair.after !== null && roleOf(pair.after) !== 'scan',
  );
  const gone = pairs.filter(
    (pair) => pair.after === null && pair.before !== null && roleOf(pair.before) !== 'scan',
  );
  const names = (list: readonly NodePair[]): string =>
    [...new Set(list.map((pair) => (pair.after ?? pair.before)?.title ?? ''))].slice(0, 4).join(', ');
  if (gone.length > 0 && reasons.length < 4) reasons.push(t('gone: {names}', { names: names(gone) }));
  if (added.length > 0 && reasons.length < 4) reasons.push(t('new: {names}', { names: names(added) }));
  return { factor, verdict: verdictOf(factor, isTimed, first, second, reasons), reasons, pairs };
}

function verdictOf(
  factor: number | null,
  isTimed: boolean,
  first: number,
  second: number,
  reasons: readonly string[],
): string {
  if (factor === null) return t('The plans cannot be compared by time or cost.');
  const unit = isTimed ? formatMillis : (value: number): string => formatCount(Math.round(value));
  const values = { old: unit(first), new: unit(second) };
  const why = reasons.length === 0 ? '' : `: ${reasons.slice(0, 2).join('; ')}`;
  const times = (value: number): string => (value >= 10 ? formatCount(Math.round(value)) : value.toFixed(1));
  if (factor >= 1.05)
    return isTimed
      ? `${t('{times} × faster ({old} → {new})', { times: times(factor), ...values })}${why}.`
      : `${t('{times} × cheaper by estimate ({old} → {new})', { times: times(factor), ...values })}${why}.`;
  if (factor <= 1 / 1.05)
    return isTimed
      ? `${t('{times} × slower ({old} → {new})', { times: times(1 / factor), ...values })}${why}.`
      : `${t('{times} × dearer by estimate ({old} → {new})', { times: times(1 / factor), ...values })}${why}.`;
  return `${t('About the same ({old} → {new})', values)}${why}.`;
}
