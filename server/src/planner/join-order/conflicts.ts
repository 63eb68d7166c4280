/**
 * Which reorderings of joins are valid, after Moerkotte, Fender and Eich, "On the Correct and Complete Enumeration of the
 * Core Search Space" (SIGMOD 2013), rule set CD-C.
 *
 * Every operator of the initial join tree gets a total eligibility set (TES: leaves that must be present on its two sides)
 * and conflict rules `T1 → T2`: a set that touches T1 must contain T2. Sets of leaves are bit masks.
 */
import type { LogicalJoinType } from '../logical/algebra.ts';

export interface ConflictRule {
  when: number;
  need: number;
}

/** An operator of the initial tree. `ses`: leaves its predicate reads. */
export interface TreeOperator {
  type: LogicalJoinType;
  leftMask: number;
  rightMask: number;
  ses: number;
  left: TreeOperator[];
  right: TreeOperator[];
  /** Its predicate is never true when every column it reads of these leaves is NULL. */
  rejectsNull(leaves: number): boolean;
}

type Name = LogicalJoinType;

/** (e1 a e2) b e3 ≡ e1 a (e2 b e3). The conditional entries of the paper (null-rejecting predicates) are decided by `strict`. */
function assoc(a: Name, b: Name, strict: boolean): boolean {
  if (a === 'inner') return b !== 'full';
  if (a === 'left') return b === 'left' && strict;
  if (a === 'full') return (b === 'left' || b === 'full') && strict;
  return false;
}

/** (e1 a e2) b e3 ≡ (e1 b e3) a e2. */
function leftAsscom(a: Name, b: Name): boolean {
  return a !== 'full' && b !== 'full';
}

/** e1 a (e2 b e3) ≡ e2 b (e1 a e3). */
function rightAsscom(a: Name, b: Name): boolean {
  return a === 'inner' && b === 'inner';
}

/**
 * Whether `assoc(a, b)` may count on NULLs being rejected: rows of the middle that an outer join made up must find no partner in
 * the join behind it, and of two full joins in neither.
 */
function rejectsMiddle(a: TreeOperator, b: TreeOperator, middle: number): boolean {
  if (a.type === 'inner') return false;
  return b.rejectsNull(middle) && (b.type !== 'full' || a.rejectsNull(middle));
}

/** TES and rules of a predicate that stands at operator `at`. */
export function conflictsOf(at: TreeOperator, ses: number): { tes: number; rules: ConflictRule[] } {
  let rules: ConflictRule[] = [];
  const add = (when: number, other: number, otherSes: number): void => {
    rules.push({ when, need: (otherSes & other) !== 0 ? otherSes & other : other });
  };
  for (const child of at.left) {
    const strict = rejectsMiddle(child, at, child.rightMask);
    if (!assoc(child.type, at.type, strict)) add(child.rightMask, child.leftMask, child.ses);
    if (!leftAsscom(child.type, at.type)) add(child.leftMask, child.rightMask, child.ses);
  }
  for (const child of at.right) {
    const strict = rejectsMiddle(at, child, child.leftMask);
    if (!assoc(at.type, child.type, strict)) add(child.leftMask, child.rightMask, child.ses);
    if (!rightAsscom(at.type, child.type)) add(child.rightMask, child.leftMask, child.ses);
  }
  let tes = ses;
  // Rules whose left side is inside the TES anyway become part of it.
  for (let changed = true; changed; ) {
    changed = false;
    const rest: ConflictRule[] = [];
    for (const rule of rules) {
      if ((rule.when & tes) !== 0) {
        if ((rule.need & ~tes) !== 0) {
          tes |= rule.need;
          changed = true;
        }
      } else rest.push(rule);
    }
    rules = rest;
  }
  return { tes, rules };
}

export function rulesHold(rules: readonly ConflictRule[], mask: number): boolean {
  for (const rule of rules) if ((rule.when & mask) !== 0 && (rule.need & ~mask) !== 0) return false;
  return true;
}
