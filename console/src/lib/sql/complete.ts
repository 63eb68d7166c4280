/** What may be written at a place: tables, columns of what is in scope, joins along foreign keys, functions, keywords. */
import type { ForeignKeyEntry, FunctionEntry, SchemaTable } from '../../api/client.ts';
import type { Token } from './lexer.ts';
import { quoteName } from './quote.ts';
import { columnsOfItem, type Scope, type ScopeItem, scopeAt } from './scope.ts';

export interface CompletionCatalog {
  readonly tables: readonly SchemaTable[];
  readonly functions: readonly FunctionEntry[];
  readonly foreignKeys: readonly ForeignKeyEntry[];
  readonly types: readonly string[];
  readonly settings: readonly string[];
  readonly searchPath: readonly string[];
}

export interface Proposal {
  readonly kind:
    | 'table'
    | 'view'
    | 'column'
    | 'function'
    | 'keyword'
    | 'join'
    | 'schema'
    | 'type'
    | 'setting'
    | 'alias';
  readonly label: string;
  readonly insert: string;
  readonly detail?: string;
  readonly documentation?: string;
  /** Smaller comes first. */
  readonly rank: number;
}

export interface Completion {
  /** Offset where the replaced word begins. */
  readonly start: number;
  readonly proposals: readonly Proposal[];
}

const KEYWORDS =
  'select from where group by order having limit offset insert into values update set delete join left right full inner outer cross lateral on using as and or not null is in exists between like ilike similar case when then else end distinct union all except intersect with recursive create table view index drop alter add column primary key foreign references unique check default begin commit rollback savepoint explain analyze returning over partition rows range preceding following current row filter within fetch first only for share true false cast coalesce grant revoke materialized refresh truncate vacuum copy'.split(
    ' ',
  );
const PROPOSALS_MAX = 400;
const TABLE_PLACES = new Set([
  'from',
  'join',
  'into',
  'update',
  'table',
  'truncate',
  'analyze',
  'vacuum',
  'only',
  'references',
  'copy',
]);

interface Index {
  readonly byName: ReadonlyMap<string, readonly SchemaTable[]>;
  readonly schemas: ReadonlySet<string>;
}
const indexes = new WeakMap<CompletionCatalog, Index>();

function indexOf(catalog: CompletionCatalog): Index {
  let index = indexes.get(catalog);
  if (index === undefined) {
    const byName = new Map<string, SchemaTable[]>();
    for (const table of catalog.tables) {
      const list = byName.get(table.name);
      if (list === undefined) byName.set(table.name, [table]);
      else list.push(table);
    }
    index = { byName, schemas: new Set(catalog.tables.map((table) => table.schema)) };
    indexes.set(catalog, index);
  }
  return index;
}

/** The table a name means, by the search path when it is not qualified. */
export function findTable(
  catalog: CompletionCatalog,
  schema: string | null,
  name: string,
): SchemaTable | null {
  const list = indexOf(catalog).byName.get(name) ?? [];
  if (schema !== null) return list.find((table) => table.schema === schema) ?? null;
  for (const one of catalog.searchPath) {
    const found = list.find((table) => table.schema === one);
    if (found !== undefined) return found;
  }
  return list[0] ?? null;
}

export function complete(text: string, offset: number, catalog: CompletionCatalog): Completion {
  const columnsOf = (schema: string | null, name: string): readonly string[] =>
    findTable(catalog, schema, name)?.columns.map((column) => column.name) ?? [];
  const scope = scopeAt(text, offset, columnsOf);
  const { before } = scope;
  const last = before[before.length - 1];
  const proposals: Proposal[] = [];
  if (last?.kind === 'punctuation' && last.text === '.' && last.end === scope.wordStart) {
    proposeQualified(before[before.length - 2], before, scope, catalog, proposals);
  } else if (last?.kind === 'operator' && last.text === '::') {
    for (const type of catalog.types) proposals.push({ kind: 'type', label: type, insert: type, rank: 1 });
  } else if (last?.kind === 'word' && (last.text === 'set' || last.text === 'show') && before.length === 1) {
    for (const name of catalog.settings)
      proposals.push({ kind: 'setting', label: name, insert: name, rank: 1 });
  } else if (last?.kind === 'word' && TABLE_PLACES.has(last.text) && !isForUpdate(before)) {
    if (last.text === 'join') proposeJoins(scope, catalog, proposals);
    proposeTables(scope, catalog, proposals);
  } else if (last?.kind === 'punctuation' && last.text === ',' && isInFromList(before)) {
    proposeTables(scope, catalog, proposals);
  } else {
    if (last?.kind === 'word' && last.text === 'on') proposeConditions(scope, catalog, proposals);
    proposeColumns(scope, catalog, proposals);
    proposeFunctions(scope, catalog, proposals);
    for (const word of KEYWORDS) proposals.push({ kind: 'keyword', label: word, insert: word, rank: 6 });
  }
  return { start: scope.wordStart, proposals: narrow(proposals, scope.word) };
}

/** Only what begins with, contains, or has the letters of the word; the best first. */
function narrow(proposals: readonly Proposal[], word: string): Proposal[] {
  const wanted = word.replace(/^"/, '').toLowerCase();
  const marked: { proposal: Proposal; mark: number }[] = [];
  for (const proposal of proposals) {
    const label = proposal.label.toLowerCase();
    const at = wanted === '' ? 0 : label.indexOf(wanted);
    if (at < 0 && !hasLetters(label, wanted)) continue;
    marked.push({ proposal, mark: proposal.rank * 10 + (at === 0 ? 0 : at > 0 ? 4 : 8) });
  }
  marked.sort(
    (left, right) => left.mark - right.mark || (left.proposal.label < right.proposal.label ? -1 : 1),
  );
  return marked.slice(0, PROPOSALS_MAX).map((entry) => entry.proposal);
}

function hasLetters(label: string, wanted: string): boolean {
  let at = -1;
  for (let letter = 0; letter < wanted.length; letter++) {
    at = label.indexOf(wanted[letter], at + 1);
    if (at < 0) return false;
  }
  return true;
}

function isForUpdate(before: readonly Token[]): boolean {
  const previous = before[before.length - 2];
  return (
    before[before.length - 1]?.text === 'update' &&
    (previous?.text === 'for' || previous?.text === 'do' || previous?.text === 'key')
  );
}

/** A comma after FROM and before the next clause. */
function isInFromList(before: readonly Token[]): boolean {
  let depth = 0;
  for (let at = before.length - 1; at >= 0; at--) {
    const { kind, text } = before[at];
    if (kind === 'punctuation' && text === ')') depth++;
    else if (kind === 'punctuation' && text === '(') {
      depth--;
      if (depth < 0) return false;
    } else if (depth === 0 && kind === 'word') {
      if (text === 'from') return true;
      if (['select', 'where', 'by', 'set', 'having', 'values', 'on', 'returning'].includes(text))
        return false;
    }
  }
  return false;
}

function proposeQualified(
  qualifier: Token | undefined,
  before: readonly Token[],
  scope: Scope,
  catalog: CompletionCatalog,
  proposals: Proposal[],
): void {
  if (qualifier === undefined) return;
  const name = qualifier.text;
  const item = scope.items.find((one) => one.alias === name);
  if (item !== undefined) pushColumnsOf(item, catalog, proposals, 1);
  if (indexOf(catalog).schemas.has(name)) {
    for (const table of catalog.tables) {
      if (table.schema === name) proposals.push(tableProposal(table, table.name, 2));
    }
    for (const entry of catalog.functions)
      if (entry.schema === name) proposals.push(functionProposal(entry, 3));
  } else if (item === undefined && name === 'pg_catalog') {
    for (const entry of catalog.functions)
      if (entry.schema === name) proposals.push(functionProposal(entry, 3));
  }
  // schema.table.column
  const previous = before[before.length - 3];
  const schema = previous?.text === '.' ? before[before.length - 4]?.text : undefined;
  if (schema !== undefined) {
    for (const column of findTable(catalog, schema, name)?.columns ?? [])
      proposals.push({
        kind: 'column',
        label: column.name,
        insert: quoteName(column.name),
        detail: column.type,
        rank: 1,
      });
  }
}

function tableProposal(table: SchemaTable, insert: string, rank: number): Proposal {
  return {
    kind: table.kind === 'v' || table.kind === 'm' ? 'view' : 'table',
    label: table.name,
    insert: insert === table.name ? quoteName(table.name) : insert,
    detail: table.schema,
    documentation: table.columns.map((column) => `${column.name} ${column.type}`).join('\n'),
    rank,
  };
}

function proposeTables(scope: Scope, catalog: CompletionCatalog, proposals: Proposal[]): void {
  for (const [name, columns] of scope.commonTables)
    proposals.push({
      kind: 'table',
      label: name,
      insert: quoteName(name),
      detail: 'with',
      documentation: columns.join('\n'),
      rank: 1,
    });
  // What cannot match is left out before its proposal is made: there may be a hundred thousand.
  const wanted = scope.word.replace(/^"/, '').toLowerCase();
  for (const table of catalog.tables) {
    const name = table.name.toLowerCase();
    if (wanted !== '' && !name.includes(wanted) && !hasLetters(name, wanted)) continue;
    if (wanted === '' && proposals.length >= PROPOSALS_MAX) break;
    const isVisible = catalog.searchPath.includes(table.schema);
    const insert = isVisible ? table.name : `${quoteName(table.schema)}.${quoteName(table.name)}`;
    proposals.push(tableProposal(table, insert, isVisible ? 2 : 4));
  }
  for (const schema of indexOf(catalog).schemas)
    proposals.push({ kind: 'schema', label: schema, insert: quoteName(schema), detail: 'schema', rank: 3 });
  for (const word of ['lateral', 'only', 'select'])
    proposals.push({ kind: 'keyword', label: word, insert: word, rank: 7 });
}

function pushColumnsOf(
  item: ScopeItem,
  catalog: CompletionCatalog,
  proposals: Proposal[],
  rank: number,
  qualifier = '',
): void {
  const table = item.relation === null ? null : findTable(catalog, item.relation.schema, item.relation.name);
  const columns =
    table?.columns ?? columnsOfItem(item, () => []).map((name) => ({ name, type: '', isNotNull: false }));
  for (const column of columns) {
    proposals.push({
      kind: 'column',
      label: column.name,
      insert: qualifier + quoteName(column.name),
      detail: `${column.type}${column.isNotNull ? ' not null' : ''} · ${item.alias}`,
      rank,
    });
  }
}

function proposeColumns(scope: Scope, catalog: CompletionCatalog, proposals: Proposal[]): void {
  const uses = new Map<string, number>();
  for (const item of scope.items.filter((one) => one.level === 0)) {
    const names = columnsOfItem(
      item,
      (schema, name) => findTable(catalog, schema, name)?.columns.map((column) => column.name) ?? [],
    );
    for (const name of names) uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  for (const item of scope.items) {
    const list: Proposal[] = [];
    pushColumnsOf(item, catalog, list, item.level === 0 ? 2 : 3);
    for (const proposal of list) {
      // A name that several tables have is written with its table.
      const isShared = (uses.get(proposal.label) ?? 0) > 1;
      proposals.push(
        isShared ? { ...proposal, insert: `${quoteName(item.alias)}.${proposal.insert}` } : proposal,
      );
    }
    proposals.push({
      kind: 'alias',
      label: item.alias,
      insert: quoteName(item.alias),
      detail: item.relation?.name,
      rank: 4,
    });
  }
}

function functionProposal(entry: FunctionEntry, rank: number): Proposal {
  return {
    kind: 'function',
    label: entry.name,
    insert: `${quoteName(entry.name)}(`,
    detail: `(${entry.arguments}) → ${entry.result}`,
    documentation: `${entry.schema}.${entry.name}(${entry.arguments}) returns ${entry.result}`,
    rank,
  };
}

function proposeFunctions(scope: Scope, catalog: CompletionCatalog, proposals: Proposal[]): void {
  // Thousands of functions help nobody before the first letter.
  if (scope.word.length === 0) return;
  const wanted = scope.word.toLowerCase();
  const seen = new Set<string>();
  for (const entry of catalog.functions) {
    if (!entry.name.includes(wanted)) continue;
    const key = `${entry.name}(${entry.arguments})`;
    if (seen.has(key)) continue;
    seen.add(key);
    proposals.push(functionProposal(entry, entry.schema === 'pg_catalog' ? 5 : 4));
  }
}

/** A short name not taken yet: the first letters of the words. */
export function aliasFor(name: string, taken: ReadonlySet<string>): string {
  const letters = name
    .split(/[^a-z0-9]+/i)
    .map((part) => part[0] ?? '')
    .join('')
    .toLowerCase();
  const base = /^[a-z]/.test(letters) ? letters : 't';
  for (let count = 1; ; count++) {
    const alias = count === 1 ? base : `${base}${count}`;
    if (!taken.has(alias) && quoteName(alias) === alias) return alias;
  }
}

function edges(scope: Scope, catalog: CompletionCatalog) {
  const known = scope.items
    .filter((item) => item.level === 0 && item.relation !== null)
    .map((item) => ({
      item,
      table: findTable(catalog, item.relation?.schema ?? null, item.relation?.name ?? ''),
    }));
  return catalog.foreignKeys.flatMap((key) =>
    known.flatMap(({ item, table }) => {
      if (table === null) return [];
      const list = [];
      if (table.name === key.table && table.schema === key.schema)
        list.push({
          item,
          own: key.columns,
          schema: key.targetSchema,
          name: key.targetTable,
          theirs: key.targetColumns,
        });
      if (table.name === key.targetTable && table.schema === key.targetSchema)
        list.push({ item, own: key.targetColumns, schema: key.schema, name: key.table, theirs: key.columns });
      return list;
    }),
  );
}

const pairs = (
  left: string,
  leftColumns: readonly string[],
  right: string,
  rightColumns: readonly string[],
): string =>
  leftColumns
    .map(
      (column, at) =>
        `${quoteName(left)}.${quoteName(column)} = ${quoteName(right)}.${quoteName(rightColumns[at])}`,
    )
    .join(' and ');

/** `join orders o on o.customer_id = c.id`, along every foreign key from or to a table in scope. */
function proposeJoins(scope: Scope, catalog: CompletionCatalog, proposals: Proposal[]): void {
  const taken = new Set(scope.items.map((item) => item.alias));
  for (const { item, own, schema, name, theirs } of edges(scope, catalog)) {
    const alias = aliasFor(name, taken);
    const target = catalog.searchPath.includes(schema)
      ? quoteName(name)
      : `${quoteName(schema)}.${quoteName(name)}`;
    const insert = `${target} ${alias} on ${pairs(alias, theirs, item.alias, own)}`;
    proposals.push({ kind: 'join', label: insert, insert, detail: 'foreign key', rank: 0 });
  }
}

/** After ON: the conditions the foreign keys between the tables in scope suggest. */
function proposeConditions(scope: Scope, catalog: CompletionCatalog, proposals: Proposal[]): void {
  const seen = new Set<string>();
  for (const { item, own, schema, name, theirs } of edges(scope, catalog)) {
    for (const other of scope.items) {
      if (other === item || other.relation === null) continue;
      const table = findTable(catalog, other.relation.schema, other.relation.name);
      if (table?.name !== name || table.schema !== schema) continue;
      const insert = pairs(item.alias, own, other.alias, theirs);
      const key = insert.split(' = ').sort().join();
      if (seen.has(key)) continue;
      seen.add(key);
      proposals.push({ kind: 'join', label: insert, insert, detail: 'foreign key', rank: 0 });
    }
  }
}
