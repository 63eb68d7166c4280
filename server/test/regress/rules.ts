/**
 * Which blocks are not asked of us, and why. The rule is about the text of a block and about names: an object that only
 * exists because of a block left out takes the blocks that name it with it, until it is dropped.
 */
import type { Block } from './blocks.ts';

export const REASONS = ['plan', 'partitioning', 'row security', 'foreign data', 'C library'] as const;
export type Reason = (typeof REASONS)[number];

/** What a statement says that needs something outside. First match counts. */
const PATTERNS: readonly (readonly [Reason, RegExp])[] = [
  ['C library', /\blanguage\s+'?"?c\b|\bregresslib\b|^\s*load\s+'/im],
  [
    'foreign data',
    /\bforeign\s+(?:table|data\s+wrapper|schema)\b|\buser\s+mapping\b|\b(?:create|alter|drop)\s+server\b|\bforeign\s+server\b/i,
  ],
  [
    'partitioning',
    /\bpartition\s+by\s+(?:list|range|hash)\b|\bpartition\s+of\b|\b(?:attach|detach)\s+partition\b|\bpg_partition_\w+|enable_partition\w+/i,
  ],
  [
    'row security',
    /\b(?:create|alter|drop)\s+policy\b|\brow\s+level\s+security\b|\brow_security\b|\bpg_polic\w+|\bbypassrls\b/i,
  ],
];

const CREATES =
  /\bcreate\s+(?:or\s+replace\s+)?(?:(?:global|local)\s+)?(?:temp(?:orary)?\s+|unlogged\s+|materialized\s+|foreign\s+|recursive\s+|constraint\s+|unique\s+|trusted\s+|procedural\s+)*(table|view|function|procedure|aggregate|operator|trigger|index|type|domain|server|access\s+method|language|cast|conversion|event\s+trigger)\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?(?:[\w$]+\.)?("[^"]+"|[\w$]+)/gi;
const DROPS =
  /\bdrop\s+(?:table|view|function|procedure|aggregate|type|foreign\s+table|materialized\s+view|access\s+method)\s+(?:if\s+exists\s+)?([^;]*)/gi;
/** Names too common to say anything when met in another statement. */
const PLAIN_WORDS = new Set(['on', 'for', 'text', 'int', 'from', 'as', 'a', 'b', 'c', 't', 'p', 'if']);

export class EligibilityRules {
  readonly #lost = new Map<string, Reason>();

  /** Why a block is left out, or null; to be asked in the order of the script. `answer` is what PostgreSQL says. */
  judge(block: Block, answer: readonly string[]): Reason | null {
    const text = block.text;
    const reason = this.#reason(text, answer);
    if (reason !== null && reason !== 'plan') {
      for (const found of text.matchAll(CREATES)) {
        if (!/^(?:trigger|index|cast|operator)$/i.test(found[1]!)) this.#lose(found[2]!, reason);
      }
    }
    for (const found of text.matchAll(DROPS)) {
      for (const name of found[1]!.match(/"[^"]+"|[\w$]+/g) ?? []) this.#lost.delete(plain(name));
    }
    return reason;
  }

  #reason(text: string, answer: readonly string[]): Reason | null {
    for (const [reason, pattern] of PATTERNS) if (pattern.test(text)) return reason;
    if (/^\s*explain\b/i.test(text) || answer.some((line) => /^\s*QUERY PLAN\s*$/.test(line))) return 'plan';
    if (this.#lost.size > 0) {
      for (const word of text.match(/"[^"]+"|[\w$]+/g) ?? []) {
        const reason = this.#lost.get(plain(word));
        if (reason !== undefined) return reason;
      }
    }
    return null;
  }

  #lose(name: string, reason: Reason): void {
    const word = plain(name);
    if (!PLAIN_WORDS.has(word)) this.#lost.set(word, reason);
  }
}

function plain(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1) : name.toLowerCase();
}
