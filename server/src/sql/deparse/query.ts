/** Typed queries → SQL text in the layout of pg_get_viewdef. */
import { internalError } from '../../base/error.ts';
import type { CatalogReader, SearchPath } from '../../catalog/contract.ts';
import type { FormatContext } from '../../types/contract.ts';
import { systemColumnName } from '../analyse/columns.ts';
import { formatTypeWithTypmod } from '../analyse/type-name.ts';
import { equalExpr } from '../equal.ts';
import { quoteIdentifier, quoteQualified } from '../parse/keywords.ts';
import type {
  CommonTable,
  Expr,
  FromNode,
  GroupingSet,
  Query,
  RangeTableEntry,
  SetOperationNode,
  SortKey,
  ValuesEntry,
  VarExpr,
} from '../tree.ts';
import {
  type DeparseScope,
  writeExpr,
  writeList,
  writeSortExpr,
  writeSortKeys,
  writeWindowSpec,
} from './expression.ts';
import { INDENT_JOIN, INDENT_STANDARD, INDENT_VARIABLE, Writer } from './writer.ts';

export interface QueryContext {
  readonly catalog: CatalogReader;
  readonly path: SearchPath;
  readonly format: FormatContext;
}

/** One query level: the names its range table entries are printed by. */
class Level implements DeparseScope {
  readonly catalog: CatalogReader;
  readonly path: SearchPath;
  readonly format: FormatContext;
  readonly query: Query;
  readonly parent: Level | null;
  readonly names: (string | null)[];
  readonly windows: Query['windows'];

  constructor(context: QueryContext, query: Query, parent: Level | null) {
    this.catalog = context.catalog;
    this.path = context.path;
    this.format = context.format;
    this.query = query;
    this.parent = parent;
    this.windows = query.windows;
    // Aliases must not hide those of outer levels: PostgreSQL numbers repeated ones.
    const taken = new Set<string>();
    for (let level = parent; level; level = level.parent)
      for (const name of level.names) if (name) taken.add(name);
    this.names = query.rangeTable.map((entry) => {
      if (entry.kind === 'join' && entry.alias === '') return null;
      const base = entry.alias || 'unnamed_subquery';
      let name = base;
      for (let number = 1; taken.has(name); number++) name = `${base}_${number}`;
      taken.add(name);
      return name;
    });
  }

  subquery(writer: Writer, query: Query): void {
    writeQuery(writer, this, query, this, null, false);
  }

  variable(variable: VarExpr, isTopLevel: boolean): string {
    let level: Level | null = this;
    for (let up = 0; up < variable.levelsUp && level; up++) level = level.parent;
    if (!level) throw internalError('column of an unknown query level');
    const relation = variable.displayRelation ?? variable.relation;
    const attribute = variable.displayAttribute ?? variable.attribute;
    const entry = level.query.rangeTable[relation - 1];
    const name = level.names[relation - 1];
    if (attribute === 0) {
      const star = name === null ? '*' : `${quoteIdentifier(name)}.*`;
      return isTopLevel
        ? `${star}::${formatTypeWithTypmod(this.catalog, this.path, variable.typeOid, variable.typmod)}`
        : star;
    }
    const column = attribute < 0 ? systemColumnName(attribute) : entry.columnNames[attribute - 1];
    return name === null ? quoteIdentifier(column) : `${quoteIdentifier(name)}.${quoteIdentifier(column)}`;
  }
}

/** Writes a query; `names` replaces the names of its output columns (a view's columns may be renamed). */
export function writeQuery(
  outer: Writer,
  context: QueryContext,
  query: Query,
  parent: Level | null,
  names: readonly string[] | null,
  areNamesVisible = true,
): void {
  const writer = new Writer({
    prettyParens: outer.prettyParens,
    prettyIndent: outer.prettyIndent,
    indentLevel: outer.indentLevel,
  });
  // Wrapping decisions look at the current line, so the text so far belongs to it.
  writer.text = outer.text;
  const level = new Level(context, query, parent);
  if (query.command === 'select') writeSelect(writer, level, names, areNamesVisible);
  else writeModification(writer, level);
  outer.text = writer.text;
}

function writeSelect(
  writer: Writer,
  level: Level,
  names: readonly string[] | null,
  areNamesVisible: boolean,
): void {
  const { query } = level;
  writeWith(writer, level);
  if (query.setOperation) writeSetOperation(writer, level, query.setOperation, names, areNamesVisible);
  else writePlainSelect(writer, level, names, areNamesVisible);
  if (query.orderBy.length > 0) {
    writer.keyword(' ORDER BY ', -INDENT_STANDARD, INDENT_STANDARD, 1);
    const ordinals = query.setOperation !== null;
    writeSortKeys(writer, level, query.orderBy, (key) => writeKey(writer, level, key, ordinals));
  }
  if (query.offset) {
    writer.keyword(' OFFSET ', -INDENT_STANDARD, INDENT_STANDARD, 0);
    writeExpr(writer, level, query.offset);
  }
  if (query.limit) {
    if (query.withTies) {
      writer.keyword(' FETCH FIRST ', -INDENT_STANDARD, INDENT_STANDARD, 0);
      writeExpr(writer, level, query.limit);
      writer.write(' ROWS WITH TIES');
    } else {
      writer.keyword(' LIMIT ', -INDENT_STANDARD, INDENT_STANDARD, 0);
      if (query.limit.kind === 'const' && query.limit.value === null) writer.write('ALL');
      else writeExpr(writer, level, query.limit);
    }
  }
  const strengths = {
    KeyShare: ' FOR KEY SHARE',
    Share: ' FOR SHARE',
    NoKeyUpdate: ' FOR NO KEY UPDATE',
    Update: ' FOR UPDATE',
  } as const;
  for (const mark of query.rowMarks) {
    writer.keyword(strengths[mark.strength], -INDENT_STANDARD, INDENT_STANDARD, 0);
    writer.write(` OF ${quoteIdentifier(level.names[mark.relation - 1] ?? '')}`);
    if (mark.waitPolicy === 'nowait') writer.write(' NOWAIT');
    else if (mark.waitPolicy === 'skip') writer.write(' SKIP LOCKED');
  }
}

/** A sort or group key: its ordinal or name where it is an output column of a set operation, else the expression. */
function writeKey(writer: Writer, level: Level, key: SortKey, ordinals: boolean): void {
  if (ordinals) {
    const index = level.query.targets.findIndex((target) => equalExpr(target.expr, key.expr));
    if (index >= 0) {
      writer.write(String(index + 1));
      return;
    }
  }
  writeSortExpr(writer, level, key.expr);
}

function writeWith(writer: Writer, level: Level): void {
  const { query } = level;
  if (query.commonTables.length === 0) return;
  if (writer.prettyIndent) {
    writer.indentLevel += INDENT_STANDARD;
    writer.write(' ');
  }
  let separator = query.recursive ? 'WITH RECURSIVE ' : 'WITH ';
  for (const table of query.commonTables) {
    writer.write(`${separator}${quoteIdentifier(table.name)}`);
    const names = table.columnNames.slice(0, table.aliasCount ?? 0);
    if (names.length > 0) writer.write(`(${names.map(quoteIdentifier).join(', ')})`);
    writer.write(' AS ');
    if (table.materialized === 'always') writer.write('MATERIALIZED ');
    else if (table.materialized === 'never') writer.write('NOT MATERIALIZED ');
    writer.write('(');
    if (writer.prettyIndent) writer.keyword('', 0, 0, 0);
    writeQuery(writer, level, table.query, level, null);
    if (writer.prettyIndent) writer.keyword('', 0, 0, 0);
    writer.write(')');
    writeSearchAndCycle(writer, level, table);
    separator = ', ';
  }
  if (writer.prettyIndent) {
    writer.indentLevel -= INDENT_STANDARD;
    writer.keyword('', 0, 0, 0);
  } else writer.write(' ');
}

function writeSearchAndCycle(writer: Writer, level: Level, table: CommonTable): void {
  const { search, cycle } = table;
  const list = (columns: readonly number[]): string =>
    columns.map((column) => quoteIdentifier(table.columnNames[column])).join(', ');
  if (search) {
    const order = search.breadthFirst ? 'BREADTH' : 'DEPTH';
    writer.write(
      ` SEARCH ${order} FIRST BY ${list(search.columns)} SET ${quoteIdentifier(search.sequenceName)}`,
    );
  }
  if (!cycle) return;
  writer.write(` CYCLE ${list(cycle.columns)} SET ${quoteIdentifier(cycle.markName)}`);
  const { markValue, markDefault } = cycle;
  const isPlain =
    markValue.kind === 'const' &&
    markDefault.kind === 'const' &&
    markValue.typeOid === 16 &&
    markValue.value === true &&
    markDefault.value === false;
  if (!isPlain) {
    writer.write(' TO ');
    writeExpr(writer, level, markValue, false);
    writer.write(' DEFAULT ');
    writeExpr(writer, level, markDefault, false);
  }
  writer.write(` USING ${quoteIdentifier(cycle.pathName)}`);
}

function outputNames(query: Query): string[] {
  const targets = query.command === 'select' ? query.targets : query.returning;
  return targets.filter((target) => !target.junk).map((target) => target.name);
}

/** The VALUES entry a query consists of, if it is nothing but VALUES. */
function simpleValues(query: Query): ValuesEntry | null {
  let found: ValuesEntry | null = null;
  for (const entry of query.rangeTable) {
    if (entry.kind === 'values' && entry.inFrom) {
      if (found) return null;
      found = entry;
    } else return null;
  }
  if (!found || query.where || query.groupBy.length > 0 || query.distinct !== 'none') return null;
  const visible = query.targets.filter((target) => !target.junk);
  const isPlain = visible.every(
    (target, index) =>
      target.expr.kind === 'var' &&
      target.expr.attribute === index + 1 &&
      target.name === found.columnNames[index],
  );
  return isPlain && visible.length === found.columnNames.length ? found : null;
}

function writeValues(writer: Writer, level: Level, rows: readonly Expr[][]): void {
  writer.write('VALUES ');
  rows.forEach((row, index) => {
    if (index > 0) writer.write(', ');
    writer.write('(');
    row.forEach((item, column) => {
      if (column > 0) writer.write(',');
      writeExpr(writer, level, item, false);
    });
    writer.write(')');
  });
}

function writePlainSelect(
  writer: Writer,
  level: Level,
  names: readonly string[] | null,
  areNamesVisible: boolean,
): void {
  const { query } = level;
  if (writer.prettyIndent) {
    writer.indentLevel += INDENT_STANDARD;
    writer.write(' ');
  }
  const values = simpleValues(query);
  if (values && (names === null || names.every((name, index) => name === values.columnNames[index]))) {
    writeValues(writer, level, values.rows);
    return;
  }
  writer.write('SELECT');
  if (query.distinct === 'on') {
    writer.write(' DISTINCT ON (');
    query.distinctOn.forEach((key, index) => {
      if (index > 0) writer.write(', ');
      writeKey(writer, level, key, false);
    });
    writer.write(')');
  } else if (query.distinct === 'all') writer.write(' DISTINCT');
  writeTargets(
    writer,
    level,
    query.targets.filter((target) => !target.junk),
    names,
    areNamesVisible,
  );
  writeFrom(writer, level, query.from);
  if (query.where) {
    writer.keyword(' WHERE ', -INDENT_STANDARD, INDENT_STANDARD, 1);
    writeExpr(writer, level, query.where);
  }
  if (query.groupBy.length > 0 || query.groupingSets) {
    writer.keyword(' GROUP BY ', -INDENT_STANDARD, INDENT_STANDARD, 1);
    if (query.groupDistinct) writer.write('DISTINCT ');
    if (query.groupingSets)
      query.groupingSets.forEach((set, index) => {
        if (index > 0) writer.write(', ');
        writeGroupingSet(writer, level, set, true);
      });
    else
      query.groupBy.forEach((key, index) => {
        if (index > 0) writer.write(', ');
        writeKey(writer, level, key, false);
      });
  }
  if (query.having) {
    writer.keyword(' HAVING ', -INDENT_STANDARD, INDENT_STANDARD, 0);
    writeExpr(writer, level, query.having);
  }
  let separator = '';
  for (const window of query.windows) {
    if (window.name === null) continue;
    if (separator === '') writer.keyword(' WINDOW ', -INDENT_STANDARD, INDENT_STANDARD, 1);
    else writer.write(separator);
    writer.write(`${quoteIdentifier(window.name)} AS `);
    writeWindowSpec(writer, level, window);
    separator = ', ';
  }
}

function writeGroupingSet(writer: Writer, level: Level, set: GroupingSet, isTop: boolean): void {
  const list = (indexes: readonly number[], alwaysParens: boolean): void => {
    const needsParens = alwaysParens || indexes.length !== 1;
    if (needsParens) writer.write('(');
    indexes.forEach((index, number) => {
      if (number > 0) writer.write(', ');
      writeKey(writer, level, level.query.groupBy[index], false);
    });
    if (needsParens) writer.write(')');
  };
  switch (set.kind) {
    case 'empty':
      writer.write('()');
      return;
    case 'simple':
      list(set.exprs, !isTop);
      return;
    case 'rollup':
    case 'cube':
      writer.write(set.kind === 'rollup' ? 'ROLLUP(' : 'CUBE(');
      set.sets.forEach((indexes, number) => {
        if (number > 0) writer.write(', ');
        list(indexes, false);
      });
      writer.write(')');
      return;
    case 'sets':
      writer.write('GROUPING SETS (');
      set.content.forEach((inner, number) => {
        if (number > 0) writer.write(', ');
        writeGroupingSet(writer, level, inner, false);
      });
      writer.write(')');
  }
}

function writeTargets(
  writer: Writer,
  level: Level,
  targets: Query['targets'],
  names: readonly string[] | null,
  areNamesVisible: boolean,
): void {
  let separator = ' ';
  targets.forEach((target, index) => {
    writer.write(separator);
    separator = ', ';
    const name = names?.[index] ?? target.name;
    let ownName: string | null = areNamesVisible ? null : '?column?';
    const text = writer.capture(() => {
      if (target.expr.kind === 'var') {
        writer.write(level.variable(target.expr, true));
        ownName = columnName(level, target.expr);
      } else writeExpr(writer, level, target.expr, true);
      if (ownName === null || ownName !== name) writer.write(` AS ${quoteIdentifier(name)}`);
    });
    if (writer.prettyIndent) {
      if (text.startsWith('\n')) writer.trimSpaces();
      else if (index > 0) writer.keyword('', -INDENT_STANDARD, INDENT_STANDARD, INDENT_VARIABLE);
    }
    writer.write(text);
  });
}

function columnName(level: Level, variable: VarExpr): string | null {
  let owner: Level | null = level;
  for (let up = 0; up < variable.levelsUp && owner; up++) owner = owner.parent;
  const entry = owner?.query.rangeTable[(variable.displayRelation ?? variable.relation) - 1];
  const attribute = variable.displayAttribute ?? variable.attribute;
  if (!entry || attribute === 0) return null;
  return attribute < 0 ? systemColumnName(attribute) : entry.columnNames[attribute - 1];
}

function writeFrom(writer: Writer, level: Level, from: readonly FromNode[]): void {
  from.forEach((node, index) => {
    if (index === 0) {
      writer.keyword(' FROM ', -INDENT_STANDARD, INDENT_STANDARD, 2);
      writeFromItem(writer, level, node);
      return;
    }
    writer.write(', ');
    const text = writer.capture(() => writeFromItem(writer, level, node));
    if (writer.prettyIndent) {
      if (text.startsWith('\n')) writer.trimSpaces();
      else writer.keyword('', -INDENT_STANDARD, INDENT_STANDARD, INDENT_VARIABLE);
    }
    writer.write(text);
  });
}

function writeFromItem(writer: Writer, level: Level, node: FromNode): void {
  if (node.kind === 'relationRef') {
    writeEntry(writer, level, node.relation);
    return;
  }
  const entry = node.relation > 0 ? level.query.rangeTable[node.relation - 1] : null;
  const join = entry?.kind === 'join' ? entry : null;
  const alias = join && join.alias !== '' ? level.names[node.relation - 1] : null;
  const needsOuter = !writer.prettyParens || alias !== null;
  if (needsOuter) writer.write('(');
  writeFromItem(writer, level, node.left);
  const words = {
    inner: ' JOIN ',
    cross: ' CROSS JOIN ',
    left: ' LEFT JOIN ',
    right: ' RIGHT JOIN ',
    full: ' FULL JOIN ',
  } as const;
  const word = node.type === 'inner' && !node.condition && !join?.using ? ' CROSS JOIN ' : words[node.type];
  writer.keyword(word, -INDENT_STANDARD, INDENT_STANDARD, INDENT_JOIN);
  const needsRight = writer.prettyParens && node.right.kind === 'join';
  if (needsRight) writer.write('(');
  writeFromItem(writer, level, node.right);
  if (needsRight) writer.write(')');
  if (join?.using && join.using.length > 0) {
    writer.write(` USING (${join.using.map(quoteIdentifier).join(', ')})`);
    if (join.usingAlias) writer.write(` AS ${quoteIdentifier(join.usingAlias)}`);
  } else if (node.condition) {
    writer.write(' ON ');
    if (!writer.prettyParens) writer.write('(');
    writeExpr(writer, level, node.condition);
    if (!writer.prettyParens) writer.write(')');
  } else if (node.type !== 'inner' && node.type !== 'cross') writer.write(' ON TRUE');
  if (needsOuter) writer.write(')');
  if (alias !== null && join) {
    writer.write(` ${quoteIdentifier(alias)}`);
    const own = join.columns.map((column) => (column.kind === 'var' ? columnName(level, column) : null));
    if (join.columnNames.some((name, index) => own[index] !== null && own[index] !== name))
      writer.write(`(${join.columnNames.map(quoteIdentifier).join(', ')})`);
  }
}

export function relationText(context: QueryContext, relationOid: number): string {
  const relation = context.catalog.relation(relationOid);
  if (!relation) throw internalError(`relation ${relationOid} does not exist`);
  const visible = context.catalog.relationByName(null, relation.name, context.path);
  return quoteQualified(visible?.oid === relationOid ? null : relation.namespaceName, relation.name);
}

function writeEntry(writer: Writer, level: Level, index: number): void {
  const entry: RangeTableEntry = level.query.rangeTable[index - 1];
  const name = level.names[index - 1] ?? '';
  let printsAlias = true;
  let aliases: readonly string[] | null = null;
  let definitions: string | null = null;
  const differ = (own: readonly string[]): boolean =>
    entry.columnNames.some((column, number) => column !== '' && column !== own[number]);
  if (entry.lateral && entry.kind !== 'function') writer.write('LATERAL ');
  switch (entry.kind) {
    case 'relation': {
      const relation = level.catalog.relation(entry.relationOid);
      writer.write(`${entry.only ? 'ONLY ' : ''}${relationText(level, entry.relationOid)}`);
      printsAlias = name !== relation?.name;
      if (differ((relation?.columns ?? []).map((column) => column.name)))
        aliases = entry.columnNames.filter((column) => column !== '');
      break;
    }
    case 'subquery':
      writer.write('(');
      writeQuery(writer, level, entry.query, level, null);
      writer.write(')');
      if (differ(outputNames(entry.query))) aliases = entry.columnNames;
      break;
    case 'values':
      writer.write('(');
      writeValues(writer, level, entry.rows);
      writer.write(')');
      if (entry.alias !== '*VALUES*') aliases = entry.columnNames;
      break;
    case 'cte':
      writer.write(quoteIdentifier(entry.cteName));
      printsAlias = name !== entry.cteName;
      {
        const table = findTable(level, entry.cteName, entry.levelsUp);
        if (table && differ(table.columnNames)) aliases = entry.columnNames;
      }
      break;
    case 'function': {
      if (entry.lateral) writer.write('LATERAL ');
      const isRows = entry.functions.length > 1;
      // unnest(a, b) was taken apart by analysis.
      if (isRows && entry.functions.every((item) => isUnnest(level, item.expr))) {
        writer.write('UNNEST(');
        writeList(
          writer,
          level,
          entry.functions.flatMap((item) => (item.expr.kind === 'function' ? item.expr.args : [])),
        );
        writer.write(')');
        if (entry.ordinality) writer.write(' WITH ORDINALITY');
        aliases = entry.columnNames;
        break;
      }
      if (isRows) writer.write('ROWS FROM(');
      entry.functions.forEach((item, number) => {
        if (number > 0) writer.write(', ');
        writeExpr(writer, level, item.expr, true);
        if (item.columns) {
          const list = `(${item.columns
            .map(
              (column) =>
                `${quoteIdentifier(column.name)} ${formatTypeWithTypmod(level.catalog, level.path, column.typeOid, column.typmod)}`,
            )
            .join(', ')})`;
          if (isRows) writer.write(` AS ${list}`);
          else definitions = list;
        }
      });
      if (isRows) writer.write(')');
      if (entry.ordinality) writer.write(' WITH ORDINALITY');
      aliases = entry.columnNames;
      break;
    }
    case 'join':
      throw internalError('join entry as a FROM item');
  }
  if (printsAlias) writer.write(` ${quoteIdentifier(name)}`);
  else if (aliases || definitions) writer.write(` ${quoteIdentifier(name)}`);
  if (definitions !== null) writer.write(definitions);
  else if (aliases) writer.write(`(${aliases.map(quoteIdentifier).join(', ')})`);
  if (entry.kind === 'relation' && entry.sample) {
    writer.write(` TABLESAMPLE ${quoteIdentifier(entry.sample.method)} (`);
    writeList(writer, level, entry.sample.args, false);
    writer.write(')');
    if (entry.sample.repeatable) {
      writer.write(' REPEATABLE (');
      writeExpr(writer, level, entry.sample.repeatable);
      writer.write(')');
    }
  }
}

function isUnnest(level: Level, expr: Expr): boolean {
  return (
    expr.kind === 'function' &&
    expr.args.length === 1 &&
    level.catalog.function(expr.functionOid)?.name === 'unnest'
  );
}

function findTable(level: Level, name: string, levelsUp: number) {
  let owner: Level | null = level;
  for (let up = 0; up < levelsUp && owner; up++) owner = owner.parent;
  return owner?.query.commonTables.find((table) => table.name === name) ?? null;
}

/** The query inside a leaf that only casts columns to the operation's types: that casting is not written out. */
function castQueryOf(query: Query): Query | null {
  const [entry] = query.rangeTable;
  if (query.rangeTable.length !== 1 || entry.kind !== 'subquery' || entry.alias !== '*SELECT*') return null;
  return entry.query;
}

/** Sees through casting leaves to the set operation or query they stand for. */
function resolveBranch(
  level: Level,
  node: SetOperationNode,
): { level: Level; node: SetOperationNode | null; leaf: Query | null } {
  if (node.kind === 'setOperation') return { level, node, leaf: null };
  const entry = level.query.rangeTable[node.relation - 1];
  if (entry.kind !== 'subquery') throw internalError('set operation over something else than a query');
  const inner = castQueryOf(entry.query);
  if (!inner) return { level, node: null, leaf: entry.query };
  const wrapper = new Level(level, entry.query, level);
  const hasOwnClauses =
    inner.orderBy.length > 0 ||
    inner.limit !== null ||
    inner.offset !== null ||
    inner.commonTables.length > 0;
  if (inner.setOperation && !hasOwnClauses)
    return resolveBranch(new Level(level, inner, wrapper), inner.setOperation);
  return { level: wrapper, node: null, leaf: inner };
}

function writeSetOperation(
  writer: Writer,
  level: Level,
  node: SetOperationNode,
  names: readonly string[] | null,
  areNamesVisible: boolean,
): void {
  const branch = resolveBranch(level, node);
  if (branch.leaf) {
    const query = branch.leaf;
    const needsParens =
      query.commonTables.length > 0 ||
      query.orderBy.length > 0 ||
      query.rowMarks.length > 0 ||
      query.offset !== null ||
      query.limit !== null ||
      query.setOperation !== null;
    if (needsParens) writer.write('(');
    writeQuery(writer, level, query, branch.level, names, areNamesVisible);
    if (needsParens) writer.write(')');
    return;
  }
  const operation = branch.node;
  if (operation?.kind !== 'setOperation') throw internalError('broken set operation');
  const left = resolveBranch(branch.level, operation.left).node;
  const right = resolveBranch(branch.level, operation.right).node;
  const isSame = left?.kind === 'setOperation' && left.op === operation.op && left.all === operation.all;
  const needsLeft = left?.kind === 'setOperation' && !isSame;
  let indent = 0;
  if (needsLeft) {
    writer.write('(');
    indent = INDENT_STANDARD;
    writer.keyword('', indent, 0, 0);
  }
  writeSetOperation(writer, branch.level, operation.left, names, areNamesVisible);
  if (needsLeft) writer.keyword(') ', -indent, 0, 0);
  else if (writer.prettyIndent) writer.keyword('', -indent, 0, 0);
  else writer.write(' ');
  writer.write(`${operation.op.toUpperCase()} ${operation.all ? 'ALL ' : ''}`);
  const needsRight = right?.kind === 'setOperation';
  indent = 0;
  if (needsRight) {
    writer.write('(');
    indent = INDENT_STANDARD;
  }
  writer.keyword('', indent, 0, 0);
  writeSetOperation(writer, branch.level, operation.right, names, false);
  if (writer.prettyIndent) writer.indentLevel -= indent;
  if (needsRight) writer.keyword(')', 0, 0, 0);
}

function writeModification(writer: Writer, level: Level): void {
  const { query } = level;
  writeWith(writer, level);
  const entry = query.rangeTable[query.resultRelation - 1];
  if (entry.kind !== 'relation') throw internalError('target of a statement is no relation');
  const relation = level.catalog.relation(entry.relationOid);
  const name = level.names[query.resultRelation - 1] ?? '';
  const target = `${relationText(level, entry.relationOid)}${name === relation?.name ? '' : ` ${quoteIdentifier(name)}`}`;
  if (writer.prettyIndent) {
    writer.indentLevel += INDENT_STANDARD;
    writer.write(' ');
  }
  const assignments = (targets: Query['targets']): void => {
    targets.forEach((item, index) => {
      if (index > 0) writer.write(', ');
      writer.write(`${quoteIdentifier(item.name)} = `);
      writeExpr(writer, level, item.expr, false);
    });
  };
  switch (query.command) {
    case 'insert': {
      writer.write(`INSERT INTO ${target}`);
      if (query.targets.length > 0)
        writer.write(` (${query.targets.map((item) => quoteIdentifier(item.name)).join(', ')})`);
      const [from] = query.from;
      const source = from?.kind === 'relationRef' ? query.rangeTable[from.relation - 1] : null;
      if (source?.kind === 'subquery') {
        writer.keyword(' ', -INDENT_STANDARD, INDENT_STANDARD, 0);
        writeQuery(writer, level, source.query, level, null);
      } else if (source?.kind === 'values') {
        writer.keyword(' ', -INDENT_STANDARD, INDENT_STANDARD, 0);
        writeValues(writer, level, source.rows);
      } else if (query.targets.length === 0) writer.write(' DEFAULT VALUES');
      else {
        writer.keyword(' VALUES (', -INDENT_STANDARD, INDENT_STANDARD, 2);
        query.targets.forEach((item, index) => {
          if (index > 0) writer.write(', ');
          writeExpr(writer, level, item.expr, false);
        });
        writer.write(')');
      }
      break;
    }
    case 'update':
      writer.write(`UPDATE ${target} SET `);
      assignments(query.targets);
      writeFrom(writer, level, query.from.slice(1));
      break;
    case 'delete':
      writer.write(`DELETE FROM ${target}`);
      if (query.from.length > 1) {
        writer.keyword(' USING ', -INDENT_STANDARD, INDENT_STANDARD, 4);
        query.from.slice(1).forEach((node, index) => {
          if (index > 0) writer.write(', ');
          writeFromItem(writer, level, node);
        });
      }
      break;
    default:
      throw internalError(`cannot print ${query.command}`);
  }
  if (query.command !== 'insert' && query.where) {
    writer.keyword(' WHERE ', -INDENT_STANDARD, INDENT_STANDARD, 1);
    writeExpr(writer, level, query.where);
  }
  if (query.onConflict) {
    writer.write(' ON CONFLICT');
    if (query.onConflict.action === 'nothing') writer.write(' DO NOTHING');
    else {
      writer.write(' DO UPDATE SET ');
      assignments(query.onConflict.set);
      if (query.onConflict.where) {
        writer.keyword(' WHERE ', -INDENT_STANDARD, INDENT_STANDARD, 1);
        writeExpr(writer, level, query.onConflict.where);
      }
    }
  }
  if (query.returning.length > 0) {
    writer.keyword(' RETURNING', -INDENT_STANDARD, INDENT_STANDARD, 1);
    writeTargets(writer, level, query.returning, null, true);
  }
}

/** What pg_get_ruledef prints. `relation` is its name as it is to be printed. */
export function writeRule(
  writer: Writer,
  context: QueryContext,
  rule: {
    name: string;
    event: string;
    relation: string;
    instead: boolean;
    condition: Expr | null;
    actions: readonly Query[];
    /** A query whose range table holds OLD and NEW. */
    rows: Query;
  },
): void {
  const outer = new Level(context, rule.rows, null);
  writer.write(`CREATE RULE ${quoteIdentifier(rule.name)} AS`);
  writer.write(`\n    ON ${rule.event} TO ${rule.relation}`);
  if (rule.condition !== null) {
    writer.write('\n   WHERE ');
    writeExpr(writer, outer, rule.condition);
  }
  writer.write(rule.instead ? ' DO INSTEAD ' : ' DO ');
  if (rule.actions.length === 0) writer.write('NOTHING;');
  else if (rule.actions.length === 1) {
    writeQuery(writer, context, rule.actions[0]!, outer, null);
    writer.write(';');
  } else {
    writer.write('(');
    for (const action of rule.actions) {
      writeQuery(writer, context, action, outer, null);
      writer.write(';\n');
    }
    writer.write(');');
  }
}
