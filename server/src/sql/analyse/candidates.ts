/** Choosing among several operators or functions of one name (manual 10.2 and 10.3). */
import type { Oid } from '../../base/brands.ts';
import { baseTypeOid, canCoerce } from './coerce.ts';
import { UNKNOWN } from './oids.ts';
import { type Scope, typeOf } from './scope.ts';

export interface Candidate {
  oid: Oid;
  /** One per actual argument. */
  args: readonly Oid[];
}

/** Those whose arguments the inputs can become implicitly. */
export function matchCandidates<C extends Candidate>(
  scope: Scope,
  inputs: readonly Oid[],
  candidates: readonly C[],
): C[] {
  return candidates.filter((candidate) => canCoerce(scope, inputs, candidate.args, 'implicit'));
}

/** The one best candidate, or null when several remain. */
export function selectCandidate<C extends Candidate>(
  scope: Scope,
  inputs: readonly Oid[],
  candidates: readonly C[],
): C | null {
  const { catalog } = scope;
  let remaining: readonly C[] = candidates;
  let unknownCount = 0;
  const base = inputs.map((oid) => {
    if (oid === UNKNOWN) {
      unknownCount++;
      return UNKNOWN;
    }
    return baseTypeOid(catalog, oid);
  });

  // Most exact matches on known types.
  remaining = keepBest(remaining, (candidate) => {
    let score = 0;
    for (let index = 0; index < base.length; index++)
      if (base[index] !== UNKNOWN && candidate.args[index] === base[index]) score++;
    return score;
  });
  if (remaining.length === 1) return remaining[0];

  // Most exact or preferred.
  const categories = base.map((oid) => typeOf(catalog, oid).category);
  remaining = keepBest(remaining, (candidate) => {
    let score = 0;
    for (let index = 0; index < base.length; index++) {
      if (base[index] === UNKNOWN) continue;
      const arg = candidate.args[index];
      const type = typeOf(catalog, arg);
      if (arg === base[index] || (type.preferred && type.category === categories[index])) score++;
    }
    return score;
  });
  if (remaining.length === 1) return remaining[0];
  if (unknownCount === 0) return null;

  // Categories of the unknown arguments: string if any candidate takes one, else the one all agree on.
  let resolved = true;
  const slotCategory: string[] = [];
  const slotHasPreferred: boolean[] = [];
  for (let index = 0; index < base.length && resolved; index++) {
    if (base[index] !== UNKNOWN) continue;
    let category = '';
    let hasPreferred = false;
    let conflict = false;
    for (const candidate of remaining) {
      const type = typeOf(catalog, candidate.args[index]);
      if (category === '') {
        category = type.category;
        hasPreferred = type.preferred;
      } else if (type.category === category) hasPreferred ||= type.preferred;
      else if (type.category === 'S') {
        category = 'S';
        hasPreferred = type.preferred;
      } else conflict = true;
    }
    if (conflict && category !== 'S') resolved = false;
    slotCategory[index] = category;
    slotHasPreferred[index] = hasPreferred;
  }
  if (resolved) {
    const kept = remaining.filter((candidate) =>
      base.every((oid, index) => {
        if (oid !== UNKNOWN) return true;
        const type = typeOf(catalog, candidate.args[index]);
        return type.category === slotCategory[index] && (!slotHasPreferred[index] || type.preferred);
      }),
    );
    if (kept.length > 0) remaining = kept;
    if (remaining.length === 1) return remaining[0];
  }

  // All known arguments of one type: assume the unknown ones are of it too.
  if (unknownCount < base.length) {
    let known = UNKNOWN;
    for (const oid of base) {
      if (oid === UNKNOWN) continue;
      if (known === UNKNOWN) known = oid;
      else if (known !== oid) {
        known = UNKNOWN;
        break;
      }
    }
    if (known !== UNKNOWN) {
      const assumed = base.map(() => known);
      const kept = remaining.filter((candidate) => canCoerce(scope, assumed, candidate.args, 'implicit'));
      if (kept.length === 1) return kept[0];
    }
  }
  return null;
}

function keepBest<C>(candidates: readonly C[], score: (candidate: C) => number): readonly C[] {
  let best = -1;
  let kept: C[] = [];
  for (const candidate of candidates) {
    const value = score(candidate);
    if (value > best) {
      best = value;
      kept = [candidate];
    } else if (value === best) kept.push(candidate);
  }
  return kept;
}
