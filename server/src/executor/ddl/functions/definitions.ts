/** Definitions of stored objects as SQL: pg_get_constraintdef, _indexdef, _viewdef, _expr, and what describes functions. */
import type { Oid } from '../../../base/brands.ts';
import { DbError } from '../../../base/error.ts';
import type { FunctionDescriptor, RelationDescriptor } from '../../../catalog/contract.ts';
import {
  PG_CLASS,
  PG_CONSTRAINT,
  PG_INDEX,
  PG_LANGUAGE,
  PG_OPCLASS,
  PG_PROC,
  PG_STATISTIC_EXT,
  PG_TRIGGER,
} from '../../../catalog/data/columns.ts';
import {
  describeColumns,
  describeTrigger,
  numbers,
  storedExpressions,
  strings,
  systemViewText,
} from '../../../catalog/describe.ts';
import { formatType } from '../../../catalog/format-type.ts';
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../../../catalog/identifiers.ts';
import { relationName } from '../../../catalog/object-names.ts';
import { systemColumnName } from '../../../sql/analyse/index.ts';
import { deparseExpr } from '../../../sql/deparse/index.ts';
import { STORED_DEPARSER } from '../../../sql/deparse/stored.ts';
import { parseExpr } from '../../../sql/tree-json.ts';
import { type Datum, SqlArray } from '../../../types/datum.ts';
import { DEFAULT_FORMAT } from '../../../types/index.ts';
import type { Surroundings } from './host.ts';

function columnList(relation: RelationDescriptor, attnums: readonly number[]): string {
  return attnums.map((attnum) => quoteIdentifier(relation.columns[attnum - 1]?.name ?? '?')).join(', ');
}

const ACTIONS: Readonly<Record<string, string>> = {
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
};

export function constraintDefinition(around: Surroundings, oid: Oid, pretty: boolean): string | null {
  const { reader } = around;
  const row = reader.view.get('pg_constraint', oid)?.values;
  if (row === undefined) return null;
  const relation = reader.relation(row[PG_CONSTRAINT.conrelid] as number);
  const columns = numbers(row[PG_CONSTRAINT.conkey]!);
  let text: string;
  switch (row[PG_CONSTRAINT.contype]) {
    case 'p':
    case 'u': {
      const index = reader.view.get('pg_index', row[PG_CONSTRAINT.conindid] as number)?.values;
      text = row[PG_CONSTRAINT.contype] === 'p' ? 'PRIMARY KEY ' : 'UNIQUE ';
      if (row[PG_CONSTRAINT.contype] === 'u' && index?.[PG_INDEX.indnullsnotdistinct] === true)
        text += 'NULLS NOT DISTINCT ';
      text += `(${columnList(relation!, columns)})`;
      if (index !== undefined) {
        const included = numbers(index[PG_INDEX.indkey]!).slice(index[PG_INDEX.indnkeyatts] as number);
        if (included.length > 0) text += ` INCLUDE (${columnList(relation!, included)})`;
      }
      break;
    }
    case 'f': {
      const referenced = reader.relation(row[PG_CONSTRAINT.confrelid] as number)!;
      text = `FOREIGN KEY (${columnList(relation!, columns)}) REFERENCES ${relationName(reader, referenced.oid, around.path)}(${columnList(referenced, numbers(row[PG_CONSTRAINT.confkey]!))})`;
      if (row[PG_CONSTRAINT.confmatchtype] === 'f') text += ' MATCH FULL';
      const update = ACTIONS[row[PG_CONSTRAINT.confupdtype] as string];
      if (update !== undefined) text += ` ON UPDATE ${update}`;
      const remove = ACTIONS[row[PG_CONSTRAINT.confdeltype] as string];
      if (remove !== undefined) text += ` ON DELETE ${remove}`;
      const setColumns = numbers(row[PG_CONSTRAINT.confdelsetcols]!);
      if (setColumns.length > 0) text += ` (${columnList(relation!, setColumns)})`;
      break;
    }
    case 'c': {
      const stored = row[PG_CONSTRAINT.conbin] as string | null;
      if (stored === null) return null;
      text = `CHECK (${relation === null ? around.deparseDomainCheck(stored, pretty) : around.deparse(stored, relation, pretty)})`;
      if (row[PG_CONSTRAINT.connoinherit] === true) text += ' NO INHERIT';
      break;
    }
    case 'x':
      text = exclusionText(
        around,
        row[PG_CONSTRAINT.conindid] as number,
        numbers(row[PG_CONSTRAINT.conexclop]!),
      );
      break;
    case 't':
      text = 'TRIGGER';
      break;
    default:
      return null;
  }
  if (row[PG_CONSTRAINT.condeferrable] === true) text += ' DEFERRABLE';
  if (row[PG_CONSTRAINT.condeferred] === true) text += ' INITIALLY DEFERRED';
  if (row[PG_CONSTRAINT.convalidated] !== true) text += ' NOT VALID';
  return text;
}

/** `EXCLUDE USING gist (during WITH &&) WHERE (…)` */
function exclusionText(around: Surroundings, indexOid: Oid, operators: readonly number[]): string {
  const { reader } = around;
  const method = reader.view.get(
    'pg_am',
    reader.view.get('pg_class', indexOid)?.values[PG_CLASS.relam] as number,
  );
  const index = reader.view.get('pg_index', indexOid)!.values;
  const relation = reader.relation(index[PG_INDEX.indrelid] as number)!;
  const keys = operators.map((oid, position) => {
    const key = indexDefinition(around, indexOid, { column: position + 1, pretty: false })!;
    const operator = reader.operator(oid);
    const isPlain = around.path.namespaces.includes(operator?.namespaceOid ?? 0);
    const name = isPlain
      ? operator?.name
      : `OPERATOR(${quoteIdentifier(reader.namespaceName(operator?.namespaceOid ?? 0) ?? '')}.${operator?.name})`;
    return `${key} WITH ${name}`;
  });
  let text = `EXCLUDE USING ${method?.values[1] as string} (${keys.join(', ')})`;
  const included = numbers(index[PG_INDEX.indkey]!).slice(index[PG_INDEX.indnkeyatts] as number);
  if (included.length > 0) text += ` INCLUDE (${columnList(relation, included)})`;
  const predicate = index[PG_INDEX.indpred] as string | null;
  if (predicate !== null) text += ` WHERE (${around.deparse(predicate, relation, false)})`;
  return text;
}

/** An index key expression: calls stand alone, everything else in parentheses. */
function keyExpression(
  around: Surroundings,
  serialised: string,
  relation: RelationDescriptor | null,
  pretty: boolean,
): string {
  const text = around.deparse(serialised, relation, pretty);
  const expr = parseExpr(serialised);
  return expr.kind === 'function' && expr.form === 'call' ? text : `(${text})`;
}

export function indexDefinition(
  around: Surroundings,
  oid: Oid,
  options: { column: number; pretty: boolean },
): string | null {
  const { reader, path } = around;
  const row = reader.view.get('pg_index', oid)?.values;
  const classRow = reader.view.get('pg_class', oid)?.values;
  if (row === undefined || classRow === undefined) return null;
  const table = reader.relation(row[PG_INDEX.indrelid] as number)!;
  const keyCount = row[PG_INDEX.indnkeyatts] as number;
  const columns = numbers(row[PG_INDEX.indkey]!);
  const classes = numbers(row[PG_INDEX.indclass]!);
  const collations = numbers(row[PG_INDEX.indcollation]!);
  const flags = numbers(row[PG_INDEX.indoption]!);
  const expressions = storedExpressions(row[PG_INDEX.indexprs]!);
  const accessMethod = classRow[PG_CLASS.relam] as number;
  const methodName = reader.view.get('pg_am', accessMethod)?.values[1] as string;
  let nextExpression = 0;
  const keys: string[] = [];
  const included: string[] = [];
  const own = describeColumns(reader.view, oid);
  columns.forEach((attnum, position) => {
    let text: string;
    let keyCollation: Oid;
    if (attnum !== 0) {
      const column = table.columns[attnum - 1]!;
      text = quoteIdentifier(column.name);
      keyCollation = column.collation;
    } else {
      const serialised = expressions[nextExpression++]!;
      text = keyExpression(around, serialised, table, options.pretty);
      keyCollation = parseExpr(serialised).collation;
    }
    if (options.column !== 0 && options.column !== position + 1) return;
    if (position >= keyCount) {
      included.push(text);
      return;
    }
    if (options.column !== 0) {
      keys.push(text);
      return;
    }
    const collation = collations[position]!;
    if (collation !== 0 && collation !== keyCollation)
      text += ` COLLATE ${around.names.print('collation', collation)}`;
    const operatorClass = classes[position]!;
    const typeOid = own[position]?.column.typeOid ?? 0;
    if (reader.defaultOperatorClass(typeOid, accessMethod) !== operatorClass) {
      const opclass = reader.view.get('pg_opclass', operatorClass)?.values;
      if (opclass !== undefined) {
        const namespace = opclass[PG_OPCLASS.opcnamespace] as number;
        const name = opclass[PG_OPCLASS.opcname] as string;
        text += ` ${path.namespaces.includes(namespace) ? quoteIdentifier(name) : qualifiedName(reader.namespaceName(namespace) ?? '', name)}`;
      }
    }
    if (methodName === 'btree') {
      const isDescending = (flags[position]! & 1) !== 0;
      const nullsFirst = (flags[position]! & 2) !== 0;
      if (isDescending) text += nullsFirst ? ' DESC' : ' DESC NULLS LAST';
      else if (nullsFirst) text += ' NULLS FIRST';
    }
    keys.push(text);
  });
  if (options.column !== 0) return [...keys, ...included].join('');
  const tableName = options.pretty
    ? relationName(reader, table.oid, path)
    : qualifiedName(table.namespaceName, table.name);
  let text = `CREATE ${row[PG_INDEX.indisunique] === true ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(classRow[PG_CLASS.relname] as string)} ON ${tableName} USING ${methodName} (${keys.join(', ')})`;
  if (included.length > 0) text += ` INCLUDE (${included.join(', ')})`;
  if (row[PG_INDEX.indnullsnotdistinct] === true) text += ' NULLS NOT DISTINCT';
  const storage = strings(classRow[PG_CLASS.reloptions]!);
  if (storage !== null) text += ` WITH (${storage.map(optionText).join(', ')})`;
  const predicate = row[PG_INDEX.indpred] as string | null;
  if (predicate !== null) text += ` WHERE ${around.deparse(predicate, table, options.pretty)}`;
  return text;
}

function optionText(option: string): string {
  const at = option.indexOf('=');
  const value = option.slice(at + 1);
  return `${quoteIdentifier(option.slice(0, at))}=${/^[A-Za-z_][A-Za-z0-9_]*$/.test(value) ? value : quoteLiteral(value)}`;
}

export function viewDefinition(around: Surroundings, oid: Oid, pretty: boolean): string | null {
  const { reader } = around;
  const relation = reader.relation(oid);
  if (relation === null || (relation.kind !== 'v' && relation.kind !== 'm'))
    return relation === null ? null : 'Not a view';
  const system = systemViewText(reader, relation);
  if (system !== null) return ` ${system.trim()};`;
  const text = STORED_DEPARSER.query(relation.viewQuery!, {
    reader,
    path: around.path,
    pretty,
    columnNames: relation.columns.map((column) => column.name),
  });
  return `${text};`;
}

/** pg_get_expr: the stored form tells nothing about its relation, so that is given. */
export function expressionText(
  around: Surroundings,
  serialised: string,
  relationOid: Oid,
  pretty: boolean,
): string | null {
  const { reader } = around;
  const relation = relationOid === 0 ? null : reader.relation(relationOid);
  if (relationOid !== 0 && relation === null) return null;
  if (serialised.startsWith('[')) {
    // pg_index.indexprs and pg_proc.proargdefaults hold several.
    const parts = JSON.parse(serialised) as (string | object)[];
    return parts
      .map((part) => around.deparse(typeof part === 'string' ? part : JSON.stringify(part), relation, pretty))
      .join(', ');
  }
  if (!serialised.startsWith('{')) return serialised;
  return around.deparse(serialised, relation, pretty);
}

const STATISTICS_WORDS: Readonly<Record<string, string>> = { d: 'ndistinct', f: 'dependencies', m: 'mcv' };

/** pg_get_statisticsobjdef, or its list of columns and expressions alone. */
export function statisticsDefinition(
  around: Surroundings,
  oid: Oid,
  part: 'whole' | 'columns',
): string | null {
  const row = around.reader.view.get('pg_statistic_ext', oid)?.values;
  if (row === undefined) return null;
  const relation = around.reader.relation(row[PG_STATISTIC_EXT.stxrelid] as number)!;
  const columns = [
    ...numbers(row[PG_STATISTIC_EXT.stxkeys]!).map((attnum) =>
      quoteIdentifier(relation.columns[attnum - 1]?.name ?? '?'),
    ),
    ...storedExpressions(row[PG_STATISTIC_EXT.stxexprs]!).map((text) =>
      keyExpression(around, text, relation, false),
    ),
  ];
  if (part === 'columns') return columns.join(', ');
  const kinds = (strings(row[PG_STATISTIC_EXT.stxkind]!) ?? []).filter((kind) => kind !== 'e');
  // All kinds are the default and not told; a single expression has none.
  const list =
    kinds.length === 3 || kinds.length === 0
      ? ''
      : ` (${kinds.map((kind) => STATISTICS_WORDS[kind]).join(', ')})`;
  const name = qualifiedName(
    around.reader.namespaceName(row[PG_STATISTIC_EXT.stxnamespace] as number) ?? '',
    row[PG_STATISTIC_EXT.stxname] as string,
  );
  return `CREATE STATISTICS ${name}${list} ON ${columns.join(', ')} FROM ${relationName(around.reader, relation.oid, around.path)}`;
}

export function statisticsExpressions(around: Surroundings, oid: Oid): Datum {
  const row = around.reader.view.get('pg_statistic_ext', oid)?.values;
  if (row === undefined || row[PG_STATISTIC_EXT.stxexprs] === null) return null;
  const relation = around.reader.relation(row[PG_STATISTIC_EXT.stxrelid] as number);
  return new SqlArray(
    25,
    storedExpressions(row[PG_STATISTIC_EXT.stxexprs]!).map((text) => around.deparse(text, relation, false)),
  );
}

// ---------------------------------------------------------------------------------------------------------- functions

interface Argument {
  mode: string;
  name: string;
  typeOid: Oid;
  /** Text of its default. */
  defaultText: string | null;
}

function argumentsOf(around: Surroundings, descriptor: FunctionDescriptor): Argument[] {
  const types = descriptor.allArgumentTypes ?? descriptor.argumentTypes;
  const list = types.map(
    (typeOid, index): Argument => ({
      mode: descriptor.argumentModes?.[index] ?? 'i',
      name: descriptor.argumentNames?.[index] ?? '',
      typeOid,
      defaultText: null,
    }),
  );
  const inputs = list.filter(({ mode }) => mode === 'i' || mode === 'b' || mode === 'v');
  const stored = around.reader.view.get('pg_proc', descriptor.oid)?.values[PG_PROC.proargdefaults] as
    | string
    | null;
  if (stored !== null && descriptor.defaultCount > 0) {
    const texts =
      descriptor.oid < 16384
        ? stored.split('\x01')
        : (JSON.parse(stored) as object[]).map((part) => around.deparse(JSON.stringify(part), null, false));
    texts.forEach((text, index) => {
      const argument = inputs[inputs.length - descriptor.defaultCount + index];
      if (argument !== undefined) argument.defaultText = text;
    });
  }
  return list;
}

const MODE_WORDS: Readonly<Record<string, string>> = { o: 'OUT ', b: 'INOUT ', v: 'VARIADIC ' };

export function functionArguments(
  around: Surroundings,
  oid: Oid,
  options: { withDefaults: boolean },
): string | null {
  const descriptor = around.reader.function(oid);
  if (descriptor === null) return null;
  const isProcedure = descriptor.kind === 'p';
  return argumentsOf(around, descriptor)
    .filter(({ mode }) => mode !== 't')
    .map(({ mode, name, typeOid, defaultText }) => {
      let text = isProcedure && mode === 'i' ? 'IN ' : (MODE_WORDS[mode] ?? '');
      if (name !== '') text += `${quoteIdentifier(name)} `;
      text += formatType(around.reader, typeOid, { path: around.path });
      if (options.withDefaults && defaultText !== null) text += ` DEFAULT ${defaultText}`;
      return text;
    })
    .join(', ');
}

export function functionArgumentDefault(around: Surroundings, oid: Oid, position: number): string | null {
  const descriptor = around.reader.function(oid);
  if (descriptor === null) return null;
  const argument = argumentsOf(around, descriptor)[position - 1];
  return argument === undefined || (argument.mode !== 'i' && argument.mode !== 'b' && argument.mode !== 'v')
    ? null
    : argument.defaultText;
}

export function functionResult(around: Surroundings, oid: Oid): string | null {
  const descriptor = around.reader.function(oid);
  if (descriptor === null || descriptor.kind === 'p') return null;
  const columns = argumentsOf(around, descriptor).filter(({ mode }) => mode === 't');
  if (columns.length > 0)
    return `TABLE(${columns
      .map(({ name, typeOid }) => {
        const type = formatType(around.reader, typeOid, { path: around.path });
        return name === '' ? type : `${quoteIdentifier(name)} ${type}`;
      })
      .join(', ')})`;
  return `${descriptor.returnsSet ? 'SETOF ' : ''}${formatType(around.reader, descriptor.returnType, { path: around.path })}`;
}

export function functionDefinition(around: Surroundings, oid: Oid): string | null {
  const { reader } = around;
  const descriptor = reader.function(oid);
  if (descriptor === null) return null;
  if (descriptor.kind === 'a')
    throw new DbError('wrong_object_type', `"${descriptor.name}" is an aggregate function`);
  const row = reader.view.get('pg_proc', oid)!.values;
  const isProcedure = descriptor.kind === 'p';
  const schema = reader.namespaceName(descriptor.namespaceOid) ?? '';
  let text = `CREATE OR REPLACE ${isProcedure ? 'PROCEDURE' : 'FUNCTION'} ${qualifiedName(schema, descriptor.name)}(${functionArguments(around, oid, { withDefaults: true })})\n`;
  if (!isProcedure) text += ` RETURNS ${functionResult(around, oid)}\n`;
  const language = reader.view.get('pg_language', row[PG_PROC.prolang] as number)?.values[
    PG_LANGUAGE.lanname
  ];
  text += ` LANGUAGE ${quoteIdentifier(language as string)}\n`;
  const marks: string[] = [];
  if (descriptor.kind === 'w') marks.push('WINDOW');
  if (descriptor.volatility === 'i') marks.push('IMMUTABLE');
  if (descriptor.volatility === 's') marks.push('STABLE');
  if (descriptor.parallel === 's') marks.push('PARALLEL SAFE');
  if (descriptor.parallel === 'r') marks.push('PARALLEL RESTRICTED');
  if (descriptor.strict) marks.push('STRICT');
  if (row[PG_PROC.prosecdef] === true) marks.push('SECURITY DEFINER');
  if (row[PG_PROC.proleakproof] === true) marks.push('LEAKPROOF');
  const cost = row[PG_PROC.procost] as number;
  const isInternal = language === 'internal' || language === 'c';
  if (cost !== (isInternal ? 1 : 100)) marks.push(`COST ${cost}`);
  const rows = row[PG_PROC.prorows] as number;
  if (rows > 0 && rows !== 1000) marks.push(`ROWS ${rows}`);
  if (marks.length > 0) text += ` ${marks.join(' ')}\n`;
  for (const setting of strings(row[PG_PROC.proconfig]!) ?? []) {
    const at = setting.indexOf('=');
    text += ` SET ${quoteIdentifier(setting.slice(0, at))} TO ${quoteLiteral(setting.slice(at + 1))}\n`;
  }
  const source = row[PG_PROC.prosrc] as string;
  const library = row[PG_PROC.probin] as string | null;
  if (library !== null) text += `AS ${quoteLiteral(library)}, `;
  else text += 'AS ';
  let tag = isProcedure ? '$procedure$' : '$function$';
  while (source.includes(tag)) tag = `$${tag.slice(1, -1)}x$`;
  return `${text}${tag}${source}${tag}\n`;
}

/** Sequence behind a column, by the text of a table name. */
export function serialSequence(around: Surroundings, tableName: string, columnName: string): Datum {
  const relation = around.reader.relation(around.names.resolve('class', tableName))!;
  const column = relation.columns.find(({ name, dropped }) => name === columnName && !dropped);
  if (column === undefined)
    throw new DbError(
      'undefined_column',
      `column "${columnName}" of relation "${relation.name}" does not exist`,
    );
  if (column.sequenceOid === 0) return null;
  const sequence = around.reader.relation(column.sequenceOid)!;
  return qualifiedName(sequence.namespaceName, sequence.name);
}

/** pg_get_triggerdef. */
export function triggerDefinition(around: Surroundings, oid: Oid, pretty: boolean): string | null {
  const { reader, path } = around;
  const row = reader.view.get('pg_trigger', oid)?.values;
  if (row === undefined) return null;
  const trigger = describeTrigger(row);
  const relation = reader.relation(trigger.relationOid)!;
  const { type } = trigger;
  const isConstraint = trigger.constraintOid !== 0;
  let text = `CREATE ${isConstraint ? 'CONSTRAINT ' : ''}TRIGGER ${quoteIdentifier(trigger.name)} `;
  text += (type & 2) !== 0 ? 'BEFORE' : (type & 64) !== 0 ? 'INSTEAD OF' : 'AFTER';
  const events: string[] = [];
  if ((type & 4) !== 0) events.push('INSERT');
  if ((type & 8) !== 0) events.push('DELETE');
  if ((type & 16) !== 0)
    events.push(
      trigger.columns.length === 0 ? 'UPDATE' : `UPDATE OF ${columnList(relation, trigger.columns)}`,
    );
  if ((type & 32) !== 0) events.push('TRUNCATE');
  const table = pretty
    ? relationName(reader, relation.oid, path)
    : qualifiedName(relation.namespaceName, relation.name);
  text += ` ${events.join(' OR ')} ON ${table} `;
  if (isConstraint) {
    const referenced = row[PG_TRIGGER.tgconstrrelid] as Oid;
    if (referenced !== 0) text += `FROM ${relationName(reader, referenced, path)} `;
    if (!trigger.deferrable) text += 'NOT ';
    text += `DEFERRABLE INITIALLY ${trigger.initiallyDeferred ? 'DEFERRED' : 'IMMEDIATE'} `;
  }
  if (trigger.oldTable !== null || trigger.newTable !== null) {
    text += 'REFERENCING ';
    if (trigger.oldTable !== null) text += `OLD TABLE AS ${quoteIdentifier(trigger.oldTable)} `;
    if (trigger.newTable !== null) text += `NEW TABLE AS ${quoteIdentifier(trigger.newTable)} `;
  }
  text += `FOR EACH ${(type & 1) !== 0 ? 'ROW' : 'STATEMENT'} `;
  if (trigger.condition !== null) {
    const condition = deparseExpr(
      parseExpr(trigger.condition, (typeOid) => reader.type(typeOid)!.support),
      {
        catalog: reader,
        path,
        format: { ...DEFAULT_FORMAT, names: reader.names(path) },
        pretty,
        variable: (variable) => {
          const side = variable.relation === 1 ? 'old' : 'new';
          if (variable.attribute === 0) return `${side}.*`;
          const column = relation.columns[variable.attribute - 1];
          return `${side}.${column === undefined ? systemColumnName(variable.attribute) : quoteIdentifier(column.name)}`;
        },
      },
    );
    text += `WHEN (${condition}) `;
  }
  const descriptor = reader.function(trigger.functionOid);
  const isVisible =
    descriptor !== null &&
    reader.functionsByName(null, descriptor.name, path).some((candidate) => candidate.oid === descriptor.oid);
  const name =
    descriptor === null
      ? '?'
      : isVisible
        ? quoteIdentifier(descriptor.name)
        : qualifiedName(reader.namespaceName(descriptor.namespaceOid) ?? '', descriptor.name);
  return `${text}EXECUTE FUNCTION ${name}(${trigger.args.map((argument) => quoteLiteral(argument)).join(', ')})`;
}
