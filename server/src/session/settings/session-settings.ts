/**
 * The settings of one session: current values, what SET, SET LOCAL, RESET and rollbacks do to them.
 *
 * Two values are kept per touched name: `current`, which is in force, and `session`, which will be in force after the
 * transaction commits (SET LOCAL changes only the first). Each open (sub)transaction level remembers what a name was
 * when the level first touched it; rollback restores that, release hands it to the level below.
 */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { FormatContext } from '../../types/contract.ts';
import { findZone, fixedZone } from '../../types/zone.ts';
import { SETTING_DEFINITIONS } from './definitions.ts';
import type { SettingDefinition } from './setting-definition.ts';
import { canonicalSettingValue, displaySettingValue } from './value.ts';

export type SettingSource =
  | 'default'
  | 'environment variable'
  | 'configuration file'
  | 'command line'
  | 'global'
  | 'database'
  | 'user'
  | 'database user'
  | 'client'
  | 'session';

interface SettingValue {
  value: string;
  source: SettingSource;
}

interface SavedValue {
  current: SettingValue | undefined;
  session: SettingValue | undefined;
}

const DEFINITIONS_BY_NAME: ReadonlyMap<string, SettingDefinition> = new Map(
  SETTING_DEFINITIONS.map((definition) => [definition.name.toLowerCase(), definition]),
);

/** Turns a value into its canonical form or throws 22023; one per setting that needs more than its type says. */
export type SettingCheck = (text: string, previous: string) => string;

export interface ConfigurationEntry {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly value: string;
  error: string | null;
}

/** Values of the whole server: command line, configuration file. Shared by all sessions. */
export class ServerSettings {
  /** Grows with every change. */
  version = 1;
  private readonly values = new Map<string, SettingValue>();
  private readonly places = new Map<string, { file: string; line: number }>();
  private readonly pendingRestart = new Set<string>();
  readonly checks: ReadonlyMap<string, SettingCheck>;

  constructor(checks: ReadonlyMap<string, SettingCheck>) {
    this.checks = checks;
  }

  set(name: string, text: string, source: SettingSource): void {
    const definition = definitionOf(name);
    if (definition.context === 'internal')
      throw new DbError('cant_change_runtime_param', `parameter "${definition.name}" cannot be changed`);
    this.version++;
    this.values.set(definition.name, {
      value: checkedValue(definition, text, this.get(name), this.checks),
      source,
    });
  }

  /**
   * Applies what the configuration files say. Values of the command line stay. After the start, settings that need a restart
   * are only marked, and settings that left the files go back to their defaults.
   */
  configure(
    entries: readonly ConfigurationEntry[],
    atStart: boolean,
    refuse: (entry: ConfigurationEntry, message: string) => void,
  ): void {
    this.version++;
    const present = new Set<string>();
    this.places.clear();
    for (const entry of entries) {
      const definition = DEFINITIONS_BY_NAME.get(entry.name.toLowerCase());
      if (definition === undefined) {
        if (!entry.name.includes('.'))
          refuse(
            entry,
            `unrecognized configuration parameter "${entry.name}" in file "${entry.file}" line ${entry.line}`,
          );
        continue;
      }
      if (definition.context === 'internal') {
        refuse(entry, `parameter "${definition.name}" cannot be changed`);
        continue;
      }
      present.add(definition.name);
      const old = this.lookup(definition);
      if (old.source === 'command line') continue;
      let value: string;
      try {
        value = checkedValue(definition, entry.value, old.value, this.checks);
      } catch (error) {
        if (!(error instanceof DbError)) throw error;
        refuse(entry, error.message);
        continue;
      }
      if (!atStart && definition.context === 'postmaster') {
        if (value !== old.value) {
          this.pendingRestart.add(definition.name);
          refuse(entry, `parameter "${definition.name}" cannot be changed without restarting the server`);
        } else this.pendingRestart.delete(definition.name);
        continue;
      }
      this.places.set(definition.name, { file: entry.file, line: entry.line });
      this.values.set(definition.name, { value, source: 'configuration file' });
    }
    for (const [name, { source }] of [...this.values]) {
      if (source !== 'configuration file' || present.has(name)) continue;
      if (definitionOf(name).context === 'postmaster' && !atStart) this.pendingRestart.add(name);
      else this.values.delete(name);
    }
  }

  /** Checks a setting that ALTER SYSTEM is to write; answers its proper name. */
  checkForFile(name: string, text: string | null): string {
    const definition = DEFINITIONS_BY_NAME.get(name.toLowerCase());
    if (definition === undefined) throw unknownSetting(name);
    if (definition.context === 'internal' || definition.name === 'data_directory')
      throw new DbError('cant_change_runtime_param', `parameter "${definition.name}" cannot be changed`);
    if (text !== null) checkedValue(definition, text, this.get(name), this.checks);
    return definition.name;
  }

  /** Where a setting's value was read, if from a file. */
  placeOf(name: string): { file: string; line: number } | null {
    return this.places.get(name) ?? null;
  }

  isPendingRestart(name: string): boolean {
    return this.pendingRestart.has(name);
  }

  /** Sets what the server itself knows (data_directory, port …), whatever the setting's context. */
  force(name: string, value: string): void {
    this.version++;
    this.values.set(name, { value, source: 'default' });
  }

  lookup(definition: SettingDefinition): SettingValue {
    return this.values.get(definition.name) ?? { value: definition.bootValue, source: 'default' };
  }

  get(name: string): string {
    return this.lookup(definitionOf(name)).value;
  }

  number(name: string): number {
    return Number(this.get(name));
  }
}

function definitionOf(name: string): SettingDefinition {
  const definition = DEFINITIONS_BY_NAME.get(name.toLowerCase());
  if (definition === undefined) throw unknownSetting(name);
  return definition;
}

function unknownSetting(name: string): DbError {
  const wanted = name.toLowerCase();
  let best: { name: string; distance: number } | null = null;
  for (const candidate of DEFINITIONS_BY_NAME.values()) {
    const distance = editDistance(wanted, candidate.name.toLowerCase(), 3);
    if (distance <= 3 && (best === null || distance < best.distance))
      best = { name: candidate.name, distance };
  }
  return new DbError(
    'undefined_object',
    `unrecognized configuration parameter "${name}"`,
    best === null ? {} : { hint: `Did you mean "${best.name}"?` },
  );
}

/** Levenshtein distance, cut off above `limit`. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let previous = Array.from({ length: right.length + 1 }, (_unused, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = previous[j - 1] + (left[i - 1] === right[j - 1] ? 0 : 1);
      row.push(Math.min(previous[j] + 1, row[j - 1] + 1, substitution));
    }
    previous = row;
  }
  return previous[right.length];
}

function checkedValue(
  definition: SettingDefinition,
  text: string,
  previous: string,
  checks: ReadonlyMap<string, SettingCheck>,
): string {
  const canonical = canonicalSettingValue(definition, text);
  const check = checks.get(definition.name);
  return check === undefined ? canonical : check(canonical, previous);
}

/** Custom settings look like `prefix.name`. */
function isCustomName(name: string): boolean {
  const dot = name.indexOf('.');
  if (dot <= 0 || dot === name.length - 1) return false;
  for (const part of name.split('.')) {
    if (part === '') return false;
    for (let index = 0; index < part.length; index++) {
      const character = part[index];
      const isLetter =
        (character >= 'a' && character <= 'z') ||
        (character >= 'A' && character <= 'Z') ||
        character === '_' ||
        character > '\x7f';
      const isDigit = (character >= '0' && character <= '9') || character === '$';
      if (!isLetter && (index === 0 || !isDigit)) return false;
    }
  }
  return true;
}

/** Settings that name roles: they hold oids, so that a renamed role stays the same. */
export type IdentityKind = 'role' | 'session_authorization';

export interface SettingsHooks {
  /** A setting with `report` changed. */
  report(name: string, value: string): void;
  isSuperuser(): boolean;
}

/** Outside the category of query tuning, those that PostgreSQL's EXPLAIN lists, and our choice of executor. */
const EXPLAINED_SETTINGS: ReadonlySet<string> = new Set([
  'effective_io_concurrency',
  'fastpostgres.executor',
  'hash_mem_multiplier',
  'jit',
  'maintenance_io_concurrency',
  'max_parallel_workers',
  'max_parallel_workers_per_gather',
  'parallel_leader_participation',
  'search_path',
  'temp_buffers',
  'work_mem',
]);

export class SessionSettings {
  /** Grows with every change: caches of derived values compare it. */
  version = 1;
  private readonly server: ServerSettings;
  private readonly hooks: SettingsHooks;
  private readonly current = new Map<string, SettingValue>();
  private readonly session = new Map<string, SettingValue>();
  /** What RESET goes back to where it is not the server's value: startup packet, ALTER ROLE/DATABASE SET. */
  private readonly resetValues = new Map<string, SettingValue>();
  private readonly levels: Map<string, SavedValue>[] = [];
  private isInTransaction = false;
  /** Values asked for since the last change: every statement asks for the same dozen. */
  private readonly known = new Map<string, string>();
  private knownVersion = 0;
  private knownServerVersion = 0;

  constructor(server: ServerSettings, hooks: SettingsHooks) {
    this.server = server;
    this.hooks = hooks;
  }

  /** The canonical value; 42704 for an unknown name. */
  get(name: string): string {
    if (this.knownVersion !== this.version || this.knownServerVersion !== this.server.version) {
      this.known.clear();
      this.knownVersion = this.version;
      this.knownServerVersion = this.server.version;
    }
    let value = this.known.get(name);
    if (value === undefined) {
      value = this.current.get(name)?.value ?? this.lookup(name).value;
      this.known.set(name, value);
    }
    return value;
  }

  /** As `get`, null where the name is unknown (current_setting(…, true)). */
  find(name: string): string | null {
    const definition = DEFINITIONS_BY_NAME.get(name.toLowerCase());
    if (definition === undefined) return this.current.get(name.toLowerCase())?.value ?? null;
    return this.get(definition.name);
  }

  /** What SHOW prints. */
  show(name: string): string {
    const definition = DEFINITIONS_BY_NAME.get(name.toLowerCase());
    if (definition === undefined) {
      const custom = this.current.get(name.toLowerCase());
      if (custom === undefined) throw unknownSetting(name);
      return custom.value;
    }
    return displaySettingValue(definition, this.get(definition.name));
  }

  /** Grows with every change of a setting, be it of the session or of the server. */
  get wholeVersion(): number {
    return this.version + this.server.version;
  }

  boolean(name: string): boolean {
    return this.get(name) === 'on';
  }

  number(name: string): number {
    return Number(this.get(name));
  }

  set(name: string, text: string, scope: 'session' | 'local', source: SettingSource = 'session'): void {
    const key = this.resolveName(name);
    const definition = DEFINITIONS_BY_NAME.get(key.toLowerCase());
    if (definition !== undefined) this.checkMayChange(definition, source);
    const value: SettingValue = {
      value:
        definition === undefined ? text : checkedValue(definition, text, this.get(key), this.server.checks),
      source,
    };
    this.apply(key, value, scope, definition);
  }

  /** The registered spelling of a name; 42704 when there is none. */
  nameOf(name: string): string {
    return this.resolveName(name);
  }

  /** Throws when the setting cannot take the value. */
  check(name: string, text: string): void {
    const key = this.resolveName(name);
    const definition = DEFINITIONS_BY_NAME.get(key.toLowerCase());
    if (definition === undefined) return;
    this.checkMayChange(definition, 'session');
    checkedValue(definition, text, this.get(key), this.server.checks);
  }

  /** Sets values for the length of a function call; the answer puts back what was there. */
  pushLocal(values: readonly (readonly [name: string, text: string])[]): () => void {
    const saved: { key: string; value: SettingValue | undefined }[] = [];
    const undo = (): void => {
      for (const { key, value } of saved.reverse()) {
        restore(this.current, key, value);
        this.changed(key);
      }
    };
    try {
      for (const [name, text] of values) {
        const key = this.resolveName(name);
        saved.push({ key, value: this.current.get(key) });
        this.set(name, text, 'local');
      }
    } catch (error) {
      undo();
      throw error;
    }
    return undo;
  }

  /**
   * The session's identity: kept among the settings because SET ROLE and SET SESSION AUTHORIZATION follow transactions,
   * savepoints and SET LOCAL as settings do. Null where nothing was set (or for the role: NONE).
   */
  identity(kind: IdentityKind): Oid | null {
    const value = this.current.get(kind);
    return value === undefined ? null : Number(value.value);
  }

  setIdentity(kind: IdentityKind, oid: Oid | null, scope: 'session' | 'local'): void {
    const value: SettingValue | undefined =
      oid === null ? undefined : { value: String(oid), source: 'session' };
    this.apply(kind, value, scope, undefined);
  }

  reset(name: string): void {
    const key = this.resolveName(name);
    const definition = DEFINITIONS_BY_NAME.get(key.toLowerCase());
    if (definition !== undefined) this.checkMayChange(definition, 'session');
    this.apply(key, this.resetValues.get(key), 'session', definition);
  }

  /** RESET ALL and DISCARD ALL. */
  resetAll(): void {
    for (const key of [...this.current.keys()]) {
      if (
        key === 'role' ||
        key === 'session_authorization' ||
        key === 'transaction_isolation' ||
        key === 'transaction_read_only' ||
        key === 'transaction_deferrable'
      )
        continue;
      const definition = DEFINITIONS_BY_NAME.get(key.toLowerCase());
      this.apply(key, this.resetValues.get(key), 'session', definition);
    }
  }

  /** Values from the startup packet: also what RESET returns to. */
  setAtStart(name: string, text: string, source: SettingSource = 'client'): void {
    const key = this.resolveName(name);
    const definition = DEFINITIONS_BY_NAME.get(key.toLowerCase());
    if (
      definition !== undefined &&
      (definition.context === 'internal' ||
        definition.context === 'postmaster' ||
        definition.context === 'sighup')
    ) {
      throw contextError(definition);
    }
    const value: SettingValue = {
      value:
        definition === undefined ? text : checkedValue(definition, text, this.get(key), this.server.checks),
      source,
    };
    this.resetValues.set(key, value);
    this.current.set(key, value);
    this.session.set(key, value);
    this.version++;
  }

  /**
   * Checks a setting that is to be stored with a role or database: its proper name and the value as written. Throws what SET
   * would throw; parameters fixed at server start are refused.
   */
  checkStored(name: string, text: string | null): { name: string; value: string } {
    const key = this.resolveName(name);
    const definition = DEFINITIONS_BY_NAME.get(key.toLowerCase());
    if (definition !== undefined) {
      if (definition.context !== 'backend' && definition.context !== 'superuser-backend')
        this.checkMayChange(definition, 'session');
      if (text !== null) checkedValue(definition, text, this.get(key), this.server.checks);
    }
    return { name: key, value: text ?? '' };
  }

  /** False for a setting only superusers may change, when this is none. */
  mayStore(name: string): boolean {
    const definition = DEFINITIONS_BY_NAME.get(name.toLowerCase());
    return definition === undefined || definition.context === 'user' || this.hooks.isSuperuser();
  }

  beginTransaction(): void {
    this.isInTransaction = true;
    if (this.levels.length > 0) this.levels.length = 0;
    this.levels.push(new Map());
  }

  beginLevel(): void {
    this.levels.push(new Map());
  }

  releaseLevel(): void {
    const released = this.levels.pop();
    const below = this.levels[this.levels.length - 1];
    if (released === undefined || below === undefined) return;
    for (const [key, saved] of released) if (!below.has(key)) below.set(key, saved);
  }

  rollbackLevel(): void {
    const level = this.levels[this.levels.length - 1];
    if (level === undefined) return;
    for (const [key, saved] of level) {
      restore(this.current, key, saved.current);
      restore(this.session, key, saved.session);
      this.changed(key);
    }
    level.clear();
  }

  /** Drops levels above `depth` after their rollback. */
  popLevel(): void {
    this.rollbackLevel();
    this.levels.pop();
  }

  commitTransaction(): void {
    if (!this.isInTransaction) return;
    while (this.levels.length > 1) this.releaseLevel();
    const level = this.levels[0];
    if (level !== undefined && level.size > 0) {
      for (const key of level.keys()) {
        const lasting = this.session.get(key);
        if (this.current.get(key) === lasting) continue;
        restore(this.current, key, lasting);
        this.changed(key);
      }
    }
    this.endTransaction();
  }

  rollbackTransaction(): void {
    if (!this.isInTransaction) return;
    while (this.levels.length > 1) this.popLevel();
    this.rollbackLevel();
    this.endTransaction();
  }

  /** Rows of pg_settings: definition, shown value, source. */
  *all(): Iterable<{
    definition: SettingDefinition;
    value: string;
    bootValue: string;
    resetValue: string;
    source: SettingSource;
  }> {
    for (const definition of SETTING_DEFINITIONS) {
      const server = this.server.lookup(definition);
      const own = this.current.get(definition.name);
      yield {
        definition,
        value: (own ?? server).value,
        bootValue: definition.bootValue,
        resetValue: (this.resetValues.get(definition.name) ?? server).value,
        source: (own ?? server).source,
      };
    }
  }

  /** What EXPLAIN (SETTINGS) lists: settings that guide the planner and do not have their default, as SHOW prints them. */
  plannerSettings(): (readonly [name: string, value: string])[] {
    const result: (readonly [string, string])[] = [];
    for (const { definition, value, bootValue } of this.all()) {
      const { name, category } = definition;
      const guides = category.startsWith('Query Tuning') || EXPLAINED_SETTINGS.has(name);
      if (guides && value !== bootValue) result.push([name, displaySettingValue(definition, value)]);
    }
    return result.sort(([left], [right]) => (left < right ? -1 : 1));
  }

  *reported(): Iterable<readonly [string, string]> {
    for (const definition of SETTING_DEFINITIONS)
      if (definition.report) yield [definition.name, this.show(definition.name)];
  }

  private endTransaction(): void {
    this.isInTransaction = false;
    // Setting a length is slow in V8; taking the only element is not.
    while (this.levels.length > 0) this.levels.pop();
  }

  /** Where the value in force comes from. */
  sourceOf(name: string): SettingSource {
    return (this.current.get(name) ?? this.lookup(name)).source;
  }

  private lookup(name: string): SettingValue {
    return this.server.lookup(definitionOf(name));
  }

  private resolveName(name: string): string {
    const definition = DEFINITIONS_BY_NAME.get(name.toLowerCase());
    if (definition !== undefined) return definition.name;
    if (name.toLowerCase() === 'time zone') return 'TimeZone';
    if (name.includes('.')) {
      if (!isCustomName(name)) {
        throw new DbError('invalid_name', `invalid configuration parameter name "${name}"`, {
          detail: 'Custom parameter names must be two or more simple identifiers separated by dots.',
        });
      }
      if (name.toLowerCase().startsWith('fastpostgres.')) throw unknownSetting(name);
      return name.toLowerCase();
    }
    throw unknownSetting(name);
  }

  private checkMayChange(definition: SettingDefinition, source: SettingSource): void {
    switch (definition.context) {
      case 'user':
        return;
      case 'superuser':
        if (source !== 'session' || this.hooks.isSuperuser()) return;
        throw new DbError(
          'insufficient_privilege',
          `permission denied to set parameter "${definition.name}"`,
        );
      default:
        throw contextError(definition);
    }
  }

  private apply(
    key: string,
    value: SettingValue | undefined,
    scope: 'session' | 'local',
    definition: SettingDefinition | undefined,
  ): void {
    const level = this.levels[this.levels.length - 1];
    if (level !== undefined) {
      if (!level.has(key)) level.set(key, { current: this.current.get(key), session: this.session.get(key) });
    } else if (scope === 'local') {
      return;
    }
    restore(this.current, key, value);
    if (scope === 'session') restore(this.session, key, value);
    this.changed(key, definition);
  }

  private changed(
    key: string,
    definition: SettingDefinition | undefined = DEFINITIONS_BY_NAME.get(key.toLowerCase()),
  ): void {
    this.version++;
    if (definition?.report === true) this.hooks.report(definition.name, this.show(definition.name));
  }
}

function restore(map: Map<string, SettingValue>, key: string, value: SettingValue | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function contextError(definition: SettingDefinition): DbError {
  const { name } = definition;
  switch (definition.context) {
    case 'internal':
      return new DbError('cant_change_runtime_param', `parameter "${name}" cannot be changed`);
    case 'postmaster':
      return new DbError(
        'cant_change_runtime_param',
        `parameter "${name}" cannot be changed without restarting the server`,
      );
    case 'sighup':
      return new DbError('cant_change_runtime_param', `parameter "${name}" cannot be changed now`);
    default:
      return new DbError(
        'cant_change_runtime_param',
        `parameter "${name}" cannot be set after connection start`,
      );
  }
}

/** DateStyle has two halves: `ISO, MDY`. Each part given changes only its half. */
export function checkDateStyle(text: string, previous: string): string {
  let [style, order] = previous.split(', ');
  for (const raw of text.split(',')) {
    const part = raw.trim().toLowerCase();
    if (part === 'iso') style = 'ISO';
    else if (part === 'sql') style = 'SQL';
    else if (part.startsWith('postgres')) style = 'Postgres';
    else if (part === 'german') {
      style = 'German';
      order = 'DMY';
    } else if (part === 'ymd') order = 'YMD';
    else if (part === 'dmy' || part.startsWith('euro')) order = 'DMY';
    else if (part === 'mdy' || part === 'us' || part.startsWith('noneuro')) order = 'MDY';
    else if (part === 'default') [style, order] = ['ISO', 'MDY'];
    else {
      throw new DbError('invalid_parameter_value', `invalid value for parameter "DateStyle": "${text}"`, {
        detail: `Unrecognized key word: "${part}".`,
      });
    }
  }
  return `${style}, ${order}`;
}

const MAX_ZONE_HOURS = 168;

/** TimeZone: a name or POSIX form in its usual spelling, or hours east of UTC as a number. */
export function checkTimeZone(text: string): string {
  const invalid = (detail?: string): DbError =>
    new DbError(
      'invalid_parameter_value',
      `invalid value for parameter "TimeZone": "${text}"`,
      detail === undefined ? {} : { detail },
    );
  if (/^\s*[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text)) {
    const hours = Number(text);
    if (Math.abs(hours) >= MAX_ZONE_HOURS) throw invalid('UTC timezone offset is out of range.');
    return fixedZone(Math.round(hours * 3600)).name;
  }
  const zone = findZone(text);
  if (zone === null) throw invalid();
  return zone.name;
}

/** Only UTF-8 is spoken; the usual spellings of it are accepted. */
export function checkClientEncoding(text: string): string {
  const folded = text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (folded === 'utf8' || folded === 'unicode') return 'UTF8';
  if (folded === 'sqlascii') return 'SQL_ASCII';
  throw new DbError('feature_not_supported', `conversion between ${text} and UTF8 is not supported`, {
    hint: 'Use client_encoding UTF8.',
  });
}

/** Splits a list of identifiers as search_path is written: commas, double quotes. 22023 when malformed. */
export function parseIdentifierList(name: string, text: string): string[] {
  const result: string[] = [];
  let index = 0;
  const invalid = (): DbError =>
    new DbError('invalid_parameter_value', `invalid value for parameter "${name}": "${text}"`, {
      detail: 'List syntax is invalid.',
    });
  const skipSpace = (): void => {
    while (index < text.length && ' \t\n\r\f'.includes(text[index])) index++;
  };
  skipSpace();
  if (index === text.length) return result;
  for (;;) {
    skipSpace();
    let part = '';
    if (text[index] === '"') {
      index++;
      for (;;) {
        if (index >= text.length) throw invalid();
        if (text[index] === '"') {
          if (text[index + 1] === '"') {
            part += '"';
            index += 2;
            continue;
          }
          index++;
          break;
        }
        part += text[index++];
      }
    } else {
      const start = index;
      while (index < text.length && text[index] !== ',' && !' \t\n\r\f'.includes(text[index])) index++;
      if (index === start) throw invalid();
      part = text.slice(start, index).toLowerCase();
    }
    result.push(part);
    skipSpace();
    if (index >= text.length) return result;
    if (text[index] !== ',') throw invalid();
    index++;
  }
}

/** The frozen state that text formats of one statement depend on. */
export function formatContextOf(settings: SessionSettings, transactionTimestamp: bigint): FormatContext {
  const [dateStyle, dateOrder] = settings.get('DateStyle').split(', ');
  return {
    dateStyle: dateStyle as FormatContext['dateStyle'],
    dateOrder: dateOrder as FormatContext['dateOrder'],
    intervalStyle: settings.get('IntervalStyle') as FormatContext['intervalStyle'],
    timeZone: settings.get('TimeZone'),
    extraFloatDigits: settings.number('extra_float_digits'),
    byteaOutput: settings.get('bytea_output') as FormatContext['byteaOutput'],
    transactionTimestamp,
  };
}
