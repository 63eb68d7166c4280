/** Scores and what differs, by cause and count, as a Markdown document. */
import { REASONS } from './rules.ts';
import { causeOf, type FileScore } from './score.ts';

/** Causes met less often are summed up in one line. */
const COUNT_MIN = 2;
/** Longest text of a cause. */
const CAUSE_CHARACTERS_MAX = 150;

export function differencesDocument(scores: readonly FileScore[]): string {
  const lines = [
    '# What differs from PostgreSQL, by cause and count',
    '',
    'Written by `run.ts --document`; the rules are in `README.md`. A cause is the first error of a differing block (names and numbers',
    'taken out), or what else differs. Blocks behind an error inside a transaction fail with it: they are counted as such.',
    '',
    '## Scores',
    '',
    '| file | % | same | eligible | left out | reordered |',
    '|---|--:|--:|--:|--:|--:|',
    ...scores.map((score) => scoreRow(score.name, [score])),
    scoreRow('all', scores),
    '',
    `Left out: ${REASONS.map((reason) => `${reason} ${leftOut(scores, reason)}`).join(', ')}.`,
    '',
    '## Causes',
    '',
    '| blocks | cause | where |',
    '|--:|---|---|',
    ...causeRows(scores),
    '',
  ];
  return lines.join('\n');
}

function scoreRow(name: string, scores: readonly FileScore[]): string {
  const sum = (count: (score: FileScore) => number): number =>
    scores.reduce((total, score) => total + count(score), 0);
  const eligible = sum((score) => score.eligible);
  const passed = sum((score) => score.passed);
  const share = eligible === 0 ? '-' : ((100 * passed) / eligible).toFixed(1);
  const rest = sum((score) => score.blocks.length - score.eligible);
  return `| ${name} | ${share} | ${passed} | ${eligible} | ${rest} | ${sum((score) => score.reordered)} |`;
}

function leftOut(scores: readonly FileScore[], reason: string): number {
  return scores.reduce(
    (sum, score) => sum + score.blocks.filter((block) => block.leftOut === reason).length,
    0,
  );
}

function causeRows(scores: readonly FileScore[]): string[] {
  const causes = new Map<string, Map<string, number>>();
  for (const score of scores)
    for (const block of score.blocks) {
      if (block.same || block.leftOut !== null) continue;
      const cause = causeOf(block);
      const files = causes.get(cause) ?? new Map<string, number>();
      files.set(score.name, (files.get(score.name) ?? 0) + 1);
      causes.set(cause, files);
    }
  const total = (files: ReadonlyMap<string, number>): number =>
    [...files.values()].reduce((sum, count) => sum + count, 0);
  const sorted = [...causes].sort(([, left], [, right]) => total(right) - total(left));
  const often = sorted.filter(([, files]) => total(files) >= COUNT_MIN);
  const rare = sorted.slice(often.length).reduce((sum, [, files]) => sum + total(files), 0);
  const rows = often.map(([cause, files]) => {
    const where = [...files].sort(([, left], [, right]) => right - left);
    const shown = where.slice(0, 6).map(([name, count]) => `${name} ${count}`);
    if (where.length > shown.length) shown.push(`${where.length - shown.length} more`);
    return `| ${total(files)} | ${cell(cause)} | ${shown.join(', ')} |`;
  });
  if (rare > 0) rows.push(`| ${rare} | causes met once | |`);
  return rows;
}

function cell(cause: string): string {
  const text = cause.length > CAUSE_CHARACTERS_MAX ? `${cause.slice(0, CAUSE_CHARACTERS_MAX)} …` : cause;
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
