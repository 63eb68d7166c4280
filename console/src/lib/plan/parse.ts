/** Reads EXPLAIN's output in JSON or TEXT, ours and PostgreSQL's, also as psql and mail programs decorate it. */
import { build } from './build.ts';
import type { Plan, PropertyValue, RawNode, RawPlan } from './model.ts';
import { parseTextPlan } from './parse-text.ts';

/** The text is no plan. */
export class PlanError extends Error {}

type JsonObject = { readonly [key: string]: PropertyValue };

const isObject = (value: PropertyValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Takes away psql's frames, headers, footers and line marks. */
export function undecorate(text: string): string {
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\u00a0', ' ').split('\n');
  const kept: string[] = [];
  const isFramed = lines.filter((line) => /^\s*[|│║].*[|│║]\s*$/.test(line)).length > lines.length / 2;
  const isQuoted = lines.filter((line) => /^\s*".*"\s*$/.test(line)).length > lines.length / 2;
  for (const line of lines) {
    let bare = line;
    if (isFramed) bare = bare.replace(/^\s*[|│║] ?/, '').replace(/\s*[|│║]\s*$/, '');
    if (/^\s*[+┌├└╔╠╚-][-+─═┬┼┴╤╪╧┐┤┘╗╣╝]{2,}\s*$/.test(bare) || /^\s*QUERY PLAN\s*$/.test(bare)) continue;
    if (/^\s*\(\d+ rows?\)\s*$/.test(bare) || /^Time: [\d.]+ ms/.test(bare)) continue;
    if (isQuoted) bare = bare.replace(/^\s*"/, '').replace(/"\s*$/, '').replaceAll('""', '"');
    kept.push(bare.replace(/\s*[+↵]\s*$/, '').replace(/\s+$/, ''));
  }
  return kept.join('\n');
}

/** Reads a plan; throws PlanError with what is wrong. */
export function parsePlan(source: string): Plan {
  const text = undecorate(source).trim();
  if (text === '') throw new PlanError('There is no text.');
  const start = text.search(/[[{]/);
  const looksJson =
    start >= 0 && /^[\s\w"':-]*$/.test(text.slice(0, start)) && /"Plan"\s*:|"Node Type"\s*:/.test(text);
  if (looksJson) return build(readJson(text.slice(start)));
  if (/^\s*(?:- Plan:|<explain)/m.test(text))
    throw new PlanError('YAML and XML plans are not read; use FORMAT JSON or TEXT.');
  const raw = parseTextPlan(text);
  if (raw === null) throw new PlanError('This is not a plan that EXPLAIN printed.');
  return build(raw);
}

function readJson(text: string): RawPlan {
  let value: PropertyValue;
  try {
    value = JSON.parse(cutJson(text)) as PropertyValue;
  } catch (error) {
    throw new PlanError(`The JSON is not whole: ${error instanceof Error ? error.message : String(error)}`);
  }
  const first = Array.isArray(value) ? (value[0] as PropertyValue) : value;
  if (!isObject(first)) throw new PlanError('The JSON holds no plan.');
  // auto_explain prints the object itself; a bare node is taken as well.
  const plan = isObject(first.Plan) ? first.Plan : 'Node Type' in first ? first : null;
  if (plan === null) throw new PlanError('The JSON holds no "Plan".');
  const triggers = (Array.isArray(first.Triggers) ? first.Triggers : []).filter(isObject).map((trigger) => ({
    name: String(trigger['Trigger Name'] ?? trigger['Constraint Name'] ?? ''),
    millis: Number(trigger.Time ?? 0),
    calls: Number(trigger.Calls ?? 0),
  }));
  const number = (name: string): number | null =>
    typeof first[name] === 'number' ? (first[name] as number) : null;
  return {
    root: readNode(plan),
    planningMillis: number('Planning Time'),
    executionMillis: number('Execution Time') ?? number('Total Runtime'),
    triggers,
    jit: isObject(first.JIT) ? { ...first.JIT } : null,
    settings: isObject(first.Settings) ? { ...first.Settings } : null,
    queryText: typeof first['Query Text'] === 'string' ? first['Query Text'] : null,
  };
}

function readNode(value: JsonObject): RawNode {
  const properties: Record<string, PropertyValue> = {};
  let children: RawNode[] = [];
  for (const [key, property] of Object.entries(value)) {
    if (key === 'Plans' && Array.isArray(property)) children = property.filter(isObject).map(readNode);
    else properties[key] = property;
  }
  return { properties, children };
}

/** The first whole JSON value of a text: what follows it is left away. */
function cutJson(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at++;
      while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    } else if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return text.slice(0, at + 1);
  }
  return text;
}
