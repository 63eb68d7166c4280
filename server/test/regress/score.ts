/** Compares an actual output with the expected ones, block by block. */
import { type Block, splitBlocks, splitOutput } from './blocks.ts';
import { EligibilityRules, type Reason } from './rules.ts';

export interface BlockScore {
  readonly block: Block;
  readonly expected: readonly string[];
  /** null when the output ends before it. */
  readonly actual: readonly string[] | null;
  readonly same: boolean;
  /** Same rows in another order, which the statement does not ask for. */
  readonly reordered: boolean;
  /** Why it is not asked of us; null when it counts. */
  readonly leftOut: Reason | null;
}

export interface FileScore {
  readonly name: string;
  readonly blocks: readonly BlockScore[];
  readonly eligible: number;
  readonly passed: number;
  /** Of the passed ones. */
  readonly reordered: number;
}

/** The best score among the expected outputs (`x.out`, `x_1.out` …). */
export function scoreFile(
  name: string,
  script: string,
  expectedOutputs: readonly string[],
  actualOutput: string,
  rules: () => EligibilityRules = () => new EligibilityRules(),
): FileScore {
  const blocks = splitBlocks(script);
  const actual = splitOutput(blocks, actualOutput);
  let best: FileScore | null = null;
  for (const output of expectedOutputs) {
    const score = compare(name, blocks, splitOutput(blocks, output), actual, rules());
    if (best === null || share(score) > share(best)) best = score;
  }
  return best ?? { name, blocks: [], eligible: 0, passed: 0, reordered: 0 };
}

/** Some variants end early, where the platform lacks what the file tests: shares, not counts, are compared. */
function share(score: FileScore): number {
  return score.eligible === 0 ? 1 : score.passed / score.eligible;
}

function compare(
  name: string,
  blocks: readonly Block[],
  expected: readonly (readonly string[] | null)[],
  actual: readonly (readonly string[] | null)[],
  rules: EligibilityRules,
): FileScore {
  const scores: BlockScore[] = [];
  let eligible = 0;
  let passed = 0;
  let reordered = 0;
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index]!;
    const wanted = expected[index] ?? null;
    // Lines after \q or inside a part that the expected output never reaches are no test.
    if (wanted === null) continue;
    const got = actual[index] ?? null;
    const leftOut = rules.judge(block, wanted);
    const hinted = got === null ? null : withoutGuesses(got, wanted);
    const exact = hinted !== null && fingerprint(wanted) === fingerprint(hinted);
    const isReordered = !exact && hinted !== null && isPermutation(block, wanted, hinted);
    const same = exact || isReordered;
    if (leftOut === null && hasStatement(block)) {
      eligible++;
      if (same) passed++;
      if (isReordered) reordered++;
    }
    scores.push({ block, expected: wanted, actual: got, same, reordered: isReordered, leftOut });
  }
  return { name, blocks: scores.filter((score) => hasStatement(score.block)), eligible, passed, reordered };
}

function hasStatement(block: Block): boolean {
  return block.text.trim() !== '';
}

/** Our guesses at what was meant (names, candidates) come on top of PostgreSQL's hints: taken out unless PostgreSQL guesses as well. */
function withoutGuesses(actual: readonly string[], expected: readonly string[]): readonly string[] {
  const guess = /^(HINT:.*?)\s*(?:Did you mean|Candidates are|Candidates:|It could be) [^\n]*$/;
  if (!actual.some((line) => guess.test(line)) || expected.some((line) => guess.test(line))) return actual;
  return actual.map((line) => line.replace(guess, '$1')).filter((line) => line.trim() !== 'HINT:');
}

/** What stands in parentheses (windows, aggregates, subqueries) does not order the result. */
function outsideParentheses(text: string): string {
  let depth = 0;
  let result = '';
  for (const character of text.replace(/'[^']*'/g, "''")) {
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (depth === 0) result += character;
  }
  return result;
}

/** The same table with its rows in another order, when nothing in the statement orders them. */
function isPermutation(block: Block, expected: readonly string[], actual: readonly string[]): boolean {
  if (expected.length !== actual.length || /\border\s+by\b|\bfetch\b/i.test(outsideParentheses(block.text)))
    return false;
  const isTable = (lines: readonly string[]): boolean =>
    /^-[-+]*$/.test(lines[1] ?? '') && lines.some((line) => /^\(\d+ rows?\)$/.test(line));
  if (!isTable(expected) || !isTable(actual)) return false;
  const sorted = (lines: readonly string[]): string =>
    fingerprint([...lines.slice(0, 2), ...lines.slice(2).sort()]);
  return sorted(expected) === sorted(actual);
}

/** An answer without white space, whose width is not compared. */
function fingerprint(lines: readonly string[]): string {
  return lines
    .map((line) => line.replace(/\s+/g, ''))
    .filter((line) => line !== '')
    .join('\n');
}

/** What most likely makes a block differ, in words that group well. */
export function causeOf(score: BlockScore): string {
  if (score.actual === null) return 'the output ends before';
  const isError = (line: string): boolean => /(?:ERROR|FATAL|PANIC):/.test(line);
  const actual = score.actual.find(isError);
  const expected = score.expected.find(isError);
  if (actual !== undefined && actual !== expected) {
    return expected === undefined
      ? normalise(actual)
      : `${normalise(actual)}  <- wanted: ${normalise(expected)}`;
  }
  if (expected !== undefined && actual === undefined) return `no error, wanted ${normalise(expected)}`;
  if (actual !== undefined) return 'detail, hint, position or context of an error differs';
  const notices = (lines: readonly string[]): string =>
    lines.filter((line) => /^(?:psql:.*)?(?:NOTICE|WARNING|INFO):/.test(line)).join('\n');
  if (notices(score.actual) !== notices(score.expected)) return 'notices differ';
  if (/^\s*\\d/.test(score.block.text)) return 'description by psql differs';
  return 'rows differ';
}

/** A message with the names and numbers of one test taken out; names of functions and types stay. */
export function normalise(message: string): string {
  return message
    .replace(/^psql:[^ ]* /, '')
    .replace(
      /(?<=(?:relation|table|column|view|type|constraint|role|schema|value|identifier|name) )"[^"]*"/g,
      '"…"',
    )
    .replace(/: "(?:[^"]|"")*"$/, ': "…"')
    .replace(/\b\d+\b/g, 'N')
    .trim();
}
