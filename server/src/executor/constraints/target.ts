/** A relation as the target of writes: what a new row must satisfy before it is stored, and how its errors are worded. */
import type { Oid } from '../../base/brands.ts';
import { DbError, internalError } from '../../base/error.ts';
import type { ConstraintDescriptor, IndexDescriptor, RelationDescriptor } from '../../catalog/contract.ts';
import type { Table, UniqueConflict } from '../../table/contract.ts';
import type { TypeSupport } from '../../types/contract.ts';
import { type Datum, SqlRecord } from '../../types/datum.ts';
import { type Evaluate, ExpressionCompiler } from '../row/expression/compile.ts';
import type { ExecutionEnvironment, ExecutionState } from '../state.ts';

/** Longest text of one value in "Failing row contains". */
const VALUE_CHARACTERS_MAX = 64;

interface RowCheck {
  name: string;
  run: Evaluate;
}

export class TargetTable {
  readonly relation: RelationDescriptor;
  private stored: Table | null = null;
  /** 0 … column count - 1: scratch rows are addressed by column number. */
  readonly columnNumbers: readonly number[];
  readonly supports: readonly (TypeSupport | null)[];
  readonly foreignKeys: readonly ConstraintDescriptor[];
  readonly referencedBy: readonly ConstraintDescriptor[];
  /** Deferrable keys and exclusion constraints: looked at when the row is stored, checked after the statement or later. */
  readonly lateConstraints: readonly ConstraintDescriptor[];
  /** New rows report to the queue of checks. */
  readonly hasAfterChecks: boolean;
  private readonly environment: ExecutionEnvironment;
  private readonly notNull: readonly number[];
  /** attnums that the statement names as targets. */
  private readonly written: ReadonlySet<number>;
  private readonly compiler: ExpressionCompiler;
  private readonly generated: readonly { column: number; run: Evaluate }[];
  private readonly checks: readonly RowCheck[];
  private readonly defaults: (Evaluate | null | undefined)[];

  constructor(environment: ExecutionEnvironment, relationOid: Oid, state: ExecutionState | null) {
    const relation = environment.catalog.relation(relationOid);
    if (relation === null) throw internalError(`relation ${relationOid} does not exist`);
    this.relation = relation;
    this.environment = environment;
    const { columns } = relation;
    this.columnNumbers = columns.map((_, index) => index);
    this.supports = columns.map((column) =>
      column.dropped ? null : environment.resolver.typeSupport(column.typeOid),
    );
    this.notNull = columns.flatMap((column, index) => (column.notNull && !column.dropped ? [index] : []));
    this.compiler = rowCompiler(environment, relation, state);
    this.generated = columns.flatMap((column, index) =>
      column.generated === 's' && !column.dropped
        ? [{ column: index, run: this.compile(column.defaultExpression!) }]
        : [],
    );
    this.checks = relation.constraints
      .filter((constraint) => constraint.kind === 'c' && constraint.expression !== null)
      .sort((left, right) => (left.name < right.name ? -1 : 1))
      .map((constraint) => ({ name: constraint.name, run: this.compile(constraint.expression!) }));
    this.foreignKeys = relation.constraints.filter((constraint) => constraint.kind === 'f');
    this.referencedBy = relation.referencedBy;
    this.lateConstraints = relation.constraints.filter(
      ({ kind, deferrable }) => kind === 'x' || (deferrable && (kind === 'u' || kind === 'p')),
    );
    this.hasAfterChecks = this.foreignKeys.length > 0 || this.lateConstraints.length > 0;
    this.defaults = columns.map(() => undefined);
    this.written = new Set(
      (state?.plan.relations ?? [])
        .filter((use) => use.relationOid === relationOid)
        .flatMap(({ privileges }) => privileges)
        .filter(({ privilege }) => privilege === 'INSERT' || privilege === 'UPDATE')
        .flatMap((use) => use.columns),
    );
  }

  /** The relation's rows; views (filled through triggers) have none. */
  get table(): Table {
    this.stored ??= this.environment.services.tables.table(this.relation.oid);
    return this.stored;
  }

  private compile(text: string): Evaluate {
    return this.compiler.compile(this.environment.parseExpression(text));
  }

  /** A stored expression over the row. */
  compileStored(text: string): Evaluate {
    return this.compile(text);
  }

  /** Names and expressions of an index's keys, as error details show them. */
  indexKeyText(index: IndexDescriptor): string {
    return index.keyColumns
      .map((attnum, position) =>
        attnum > 0 ? this.relation.columns[attnum - 1]!.name : this.expressionText(index.oid, position + 1),
      )
      .join(', ');
  }

  /** Default of a column the statement gave no expression for. */
  defaultValue(column: number): Datum {
    let run = this.defaults[column];
    if (run === undefined) {
      const { defaultExpression, generated } = this.relation.columns[column]!;
      run = defaultExpression === null || generated !== '' ? null : this.compile(defaultExpression);
      this.defaults[column] = run;
    }
    return run === null ? null : run([]);
  }

  /** Columns that are computed from others. */
  get generatedColumns(): readonly { column: number }[] {
    return this.generated;
  }

  /** Completes a new row with its generated columns and checks it. Errors 23502, 23514. */
  complete(row: Datum[]): void {
    for (const { column, run } of this.generated) row[column] = run(row);
    for (const column of this.notNull) {
      if (row[column] === null) {
        const { name } = this.relation.columns[column]!;
        throw new DbError(
          'not_null_violation',
          `null value in column "${name}" of relation "${this.relation.name}" violates not-null constraint`,
          { ...this.names, column: name, detail: this.failingRow(row) },
        );
      }
    }
    for (const check of this.checks) {
      if (check.run(row) === false) {
        throw new DbError(
          'check_violation',
          `new row for relation "${this.relation.name}" violates check constraint "${check.name}"`,
          { ...this.names, constraint: check.name, detail: this.failingRow(row) },
        );
      }
    }
  }

  get names(): { schema: string; table: string } {
    return { schema: this.relation.namespaceName, table: this.relation.name };
  }

  private text(column: number, value: Datum): string {
    if (value === null) return 'null';
    return this.supports[column]!.output(value, this.environment.resolver.context.format);
  }

  viewCheckViolation(viewName: string, row: readonly Datum[]): DbError {
    return new DbError(
      'with_check_option_violation',
      `new row violates check option for view "${viewName}"`,
      { detail: this.failingRow(row) },
    );
  }

  /** May the current role read these columns (null = all of the table)? Errors tell nobody more than that. */
  private maySelect(columns: readonly number[] | null): boolean {
    const { services, catalog } = this.environment;
    return catalog.hasRelationPrivilege(services.currentRole(), this.relation, 'SELECT', columns);
  }

  private failingRow(row: readonly Datum[]): string | undefined {
    const parts: string[] = [];
    const names: string[] = [];
    const isAllShown = this.maySelect(null);
    for (let column = 0; column < row.length; column++) {
      if (this.supports[column] === null) continue;
      if (!isAllShown) {
        if (!this.written.has(column + 1) && !this.maySelect([column + 1])) continue;
        names.push(this.relation.columns[column]!.name);
      }
      const text = this.text(column, row[column]!);
      parts.push(text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}...` : text);
    }
    if (isAllShown) return `Failing row contains (${parts.join(', ')}).`;
    if (parts.length === 0) return undefined;
    return `Failing row contains (${names.join(', ')}) = (${parts.join(', ')}).`;
  }

  /** `(a, b)=(1, 2)` for error details. */
  keyText(columns: readonly number[], values: readonly Datum[]): string {
    const names = columns.map((column) => this.relation.columns[column]!.name);
    const texts = columns.map((column, index) => this.text(column, values[index]!));
    return `(${names.join(', ')})=(${texts.join(', ')})`;
  }

  /** 23505 for a row that collides with another on a unique index. */
  uniqueViolation(conflict: UniqueConflict, row: readonly Datum[]): DbError {
    const index = this.table.indexes.find((candidate) => candidate.indexOid === conflict.indexOid);
    const name = index?.name ?? String(conflict.indexOid);
    const names: string[] = [];
    const texts: string[] = [];
    const { format } = this.environment.resolver.context;
    (index?.keys ?? []).forEach((key, position) => {
      if (key.column >= 0) {
        names.push(this.relation.columns[key.column]!.name);
        texts.push(this.text(key.column, row[key.column]!));
      } else {
        names.push(this.expressionText(conflict.indexOid, position + 1));
        const value = key.expression!(row);
        texts.push(value === null ? 'null' : key.support.output(value, format));
      }
    });
    const columns = (index?.keys ?? []).map(({ column }) => column + 1);
    const isShown =
      this.maySelect(null) || (columns.every((attnum) => attnum > 0) && this.maySelect(columns));
    return new DbError('unique_violation', `duplicate key value violates unique constraint "${name}"`, {
      ...this.names,
      constraint: name,
      detail: !isShown ? undefined : `Key (${names.join(', ')})=(${texts.join(', ')}) already exists.`,
    });
  }

  private expressionText(indexOid: Oid, position: number): string {
    const { context } = this.environment.resolver;
    const site = { argumentTypes: [26, 23, 16], resultType: 25, variadic: false, collation: 0 };
    const text = context.catalog.bind('pg_get_indexdef_ext', context, site)(indexOid, position, true);
    return typeof text === 'string' ? text : 'expression';
  }
}

/** Compiles expressions over a row of `relation`: the row itself, by column, is their frame. */
export function rowCompiler(
  environment: ExecutionEnvironment,
  relation: RelationDescriptor,
  state: ExecutionState | null,
): ExpressionCompiler {
  return new ExpressionCompiler(state, environment.resolver, {
    variable: (expr) => {
      const { attribute } = expr;
      if (attribute > 0) return (row) => row[attribute - 1] ?? null;
      if (attribute === 0) {
        const names = relation.columns.map((column) => column.name);
        const types = relation.columns.map((column) => column.typeOid);
        return (row) => new SqlRecord(relation.rowTypeOid, [...row], types, names);
      }
      return () => relation.oid;
    },
  });
}
