/** Parsing, checking and printing of setting values (PostgreSQL manual 20.1). */
import { DbError } from '../../base/error.ts';
import type { SettingDefinition } from './setting-definition.ts';

const MEMORY_UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};
const TIME_UNITS_MICROS: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1000,
  s: 1_000_000,
  min: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};

/** Size of a setting's own unit in the base of its family, or null when it has none. */
function unitFamily(
  unit: string | undefined,
): { table: Readonly<Record<string, number>>; size: number; hint: string } | null {
  if (unit === undefined) return null;
  if (unit === '8kB') {
    return {
      table: MEMORY_UNITS_BYTES,
      size: 8192,
      hint: 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".',
    };
  }
  const memory = MEMORY_UNITS_BYTES[unit];
  if (memory !== undefined) {
    return {
      table: MEMORY_UNITS_BYTES,
      size: memory,
      hint: 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".',
    };
  }
  const time = TIME_UNITS_MICROS[unit];
  if (time !== undefined) {
    return {
      table: TIME_UNITS_MICROS,
      size: time,
      hint: 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".',
    };
  }
  return null;
}

/** Reads PostgreSQL's spellings of a boolean (unique prefixes included), or null. */
export function parseBoolean(text: string): boolean | null {
  const lower = text.trim().toLowerCase();
  if (lower === '') return null;
  if (lower === 'on' || lower === '1') return true;
  if (lower === 'off' || lower === '0' || lower === 'of') return false;
  if ('true'.startsWith(lower) || 'yes'.startsWith(lower)) return true;
  if ('false'.startsWith(lower) || 'no'.startsWith(lower)) return false;
  return null;
}

/** `[sign] digits [. digits] [exponent]` or hexadecimal, then an optional unit. */
function splitNumber(text: string): { value: number; unit: string } | null {
  const trimmed = text.trim();
  let end = 0;
  const isDigit = (index: number): boolean =>
    trimmed[index] !== undefined && trimmed[index] >= '0' && trimmed[index] <= '9';
  if (trimmed[end] === '-' || trimmed[end] === '+') end++;
  const digitsStart = end;
  if (trimmed[end] === '0' && (trimmed[end + 1] === 'x' || trimmed[end + 1] === 'X')) {
    end += 2;
    while (end < trimmed.length && '0123456789abcdefABCDEF'.includes(trimmed[end])) end++;
    const magnitude = Number(trimmed.slice(digitsStart, end));
    if (!Number.isFinite(magnitude)) return null;
    return { value: trimmed.startsWith('-') ? -magnitude : magnitude, unit: trimmed.slice(end).trim() };
  }
  while (isDigit(end)) end++;
  if (trimmed[end] === '.') {
    end++;
    while (isDigit(end)) end++;
  }
  if (end === digitsStart || (end === digitsStart + 1 && trimmed[digitsStart] === '.')) return null;
  if (trimmed[end] === 'e' || trimmed[end] === 'E') {
    let exponentEnd = end + 1;
    if (trimmed[exponentEnd] === '-' || trimmed[exponentEnd] === '+') exponentEnd++;
    if (isDigit(exponentEnd)) {
      while (isDigit(exponentEnd)) exponentEnd++;
      end = exponentEnd;
    }
  }
  return { value: Number(trimmed.slice(0, end)), unit: trimmed.slice(end).trim() };
}

/**
 * Checks `text` for the setting and returns the canonical text kept for it (numbers in the setting's unit).
 * Errors 22023 invalid_parameter_value, worded as PostgreSQL's.
 */
export function canonicalSettingValue(definition: SettingDefinition, text: string): string {
  const { name } = definition;
  switch (definition.type) {
    case 'boolean': {
      const value = parseBoolean(text);
      if (value === null)
        throw new DbError('invalid_parameter_value', `parameter "${name}" requires a Boolean value`);
      return value ? 'on' : 'off';
    }
    case 'enum': {
      const lower = text.trim().toLowerCase();
      const found =
        definition.values?.find((candidate) => candidate.toLowerCase() === lower) ?? enumSynonym(name, lower);
      if (found === undefined) {
        throw new DbError('invalid_parameter_value', `invalid value for parameter "${name}": "${text}"`, {
          hint: `Available values: ${(definition.values ?? []).join(', ')}.`,
        });
      }
      return found;
    }
    case 'integer':
    case 'real': {
      const parsed = splitNumber(text);
      const family = unitFamily(definition.unit);
      const invalid = (hint?: string): DbError =>
        new DbError(
          'invalid_parameter_value',
          `invalid value for parameter "${name}": "${text}"`,
          hint === undefined ? {} : { hint },
        );
      if (parsed === null) throw invalid();
      let value = parsed.value;
      if (parsed.unit !== '') {
        const factor = family?.table[parsed.unit];
        if (family === null || factor === undefined) throw invalid(family?.hint);
        value = (value * factor) / family.size;
      }
      if (definition.type === 'integer') value = Math.round(value);
      const { minimum, maximum } = definition;
      if (
        (minimum !== undefined && value < minimum) ||
        (maximum !== undefined && value > maximum) ||
        Number.isNaN(value)
      ) {
        const unit = definition.unit === undefined ? '' : ` ${definition.unit}`;
        throw new DbError(
          'invalid_parameter_value',
          `${value}${unit} is outside the valid range for parameter "${name}" (${minimum}${unit} .. ${maximum}${unit})`,
        );
      }
      return String(value);
    }
    case 'string':
      return text;
  }
}

/** Values that PostgreSQL accepts and keeps under another spelling. */
function enumSynonym(name: string, lower: string): string | undefined {
  const truth = parseBoolean(lower);
  switch (name) {
    case 'synchronous_commit':
    case 'constraint_exclusion':
    case 'backslash_quote':
      return truth === null ? undefined : truth ? 'on' : 'off';
    case 'force_parallel_mode':
    case 'huge_pages':
    case 'recovery_prefetch':
    case 'wal_compression':
      return truth === null ? undefined : truth ? 'on' : 'off';
    case 'client_min_messages':
    case 'log_min_messages':
      return lower === 'debug' ? 'debug2' : undefined;
    default:
      return undefined;
  }
}

/** As SHOW prints it: with the largest unit that divides the value. */
export function displaySettingValue(definition: SettingDefinition, canonical: string): string {
  if (definition.type !== 'integer' && definition.type !== 'real') return canonical;
  const family = unitFamily(definition.unit);
  const value = Number(canonical);
  if (family === null || value <= 0) return canonical;
  const inBase = value * family.size;
  let best: [string, number] | null = null;
  for (const [unit, size] of Object.entries(family.table)) {
    if (inBase % size === 0 && (best === null || size > best[1])) best = [unit, size];
  }
  return best === null ? canonical : `${inBase / best[1]}${best[0]}`;
}
