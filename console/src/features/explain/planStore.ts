/** Plans looked at lately, in this browser; and plans packed into a link. */
import { loadValue, storeValue } from '../../lib/storage.ts';

export interface StoredPlan {
  readonly id: string;
  readonly title: string;
  /** JSON or text, as it came. */
  readonly plan: string;
  readonly sql: string;
  readonly at: number;
}

const NAME = 'explain.plans';
const PLANS_MAX = 30;
/** Characters of all plans that are remembered. */
const SIZE_MAX = 2_000_000;

/** Plans of this page load are all kept, also those too large for the browser's store. */
let plans: readonly StoredPlan[] | null = null;

export function listPlans(): readonly StoredPlan[] {
  plans ??= loadValue<StoredPlan[]>(NAME, []);
  return plans;
}

export function findPlan(id: string): StoredPlan | null {
  return listPlans().find((one) => one.id === id) ?? null;
}

export function keepPlan(plan: string, sql: string, title = ''): StoredPlan {
  const now = Date.now();
  const id = `${now.toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
  const firstLine = sql.trim().split('\n')[0]?.slice(0, 80) ?? '';
  const stored: StoredPlan = {
    id,
    title: title !== '' ? title : firstLine !== '' ? firstLine : 'Plan',
    plan,
    sql,
    at: now,
  };
  plans = [stored, ...listPlans()].slice(0, PLANS_MAX);
  let size = 0;
  storeValue(
    NAME,
    plans.filter((one) => (size += one.plan.length + one.sql.length) <= SIZE_MAX),
  );
  return stored;
}

export function forgetPlan(id: string): void {
  plans = listPlans().filter((one) => one.id !== id);
  storeValue(NAME, plans);
}

/** Packs a plan and its statement for the address: deflated, base64url. */
export async function packPlan(plan: string, sql: string): Promise<string> {
  const stream = new Blob([JSON.stringify({ plan, sql })])
    .stream()
    .pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export async function unpackPlan(packed: string): Promise<{ plan: string; sql: string }> {
  const text = atob(packed.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const value = JSON.parse(await new Response(stream).text()) as { plan?: unknown; sql?: unknown };
  return { plan: String(value.plan ?? ''), sql: String(value.sql ?? '') };
}
