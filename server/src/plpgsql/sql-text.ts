/**
 * A piece of SQL in a function body, prepared when it is first run.
 *
 * Simple expressions (no table, subquery, aggregate or set) become closures over the frame of the activation. Everything else gets a
 * plan whose parameters are the variables it names. Both are kept until the catalog or the settings change, or until a record
 * variable comes with other columns.
 */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { RelationDescriptor } from '../catalog/contract.ts';
import { type Evaluate, ExpressionCompiler } from '../executor/row/expression/compile.ts';
import type { OutputColumn, PhysicalPlan } from '../planner/physical.ts';
import { baseTypeOid } from '../sql/analyse/coerce.ts';
import { assignCollations } from '../sql/analyse/collations.ts';
import type { RowField } from '../sql/analyse/columns.ts';
import { analyseStatement } from '../sql/analyse/index.ts';
import { ParameterTypes } from '../sql/analyse/parameters.ts';
import { type NameHook, Scope } from '../sql/analyse/scope.ts';
import type { Node, RawStatement } from '../sql/parse/ast.ts';
import { tagOf } from '../sql/parse/ast.ts';
import { parseStatements } from '../sql/parse/parser.ts';
import { isSimpleQuery } from '../sql/simple-query.ts';
import type { Expr, ParamExpr, Query } from '../sql/tree.ts';
import { someExpr, walkExpr } from '../sql/walk.ts';
import { type Datum, SqlArray, SqlRecord } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import { appendElements, shareArray } from './array-element.ts';
import { coerceForAssignment, RECORD, rowFieldsOf } from './casts.ts';
import type { Code, Variable } from './code.ts';
import type { RoutineSession } from './contract.ts';
import { generate } from './generate.ts';
import type { Name } from './parse/ast.ts';
import { lookUp } from './parse/names.ts';
import type { SqlOrigin } from './stack.ts';

/** A variable, or a field of one, that SQL reads; its number is that of the parameter. */
export interface Reference {
  readonly variable: Variable;
  readonly field: string | null;
  /** Place of the field in the row. */
  readonly index: number;
  readonly read: Evaluate;
}

/** Columns a record variable had when the SQL was prepared. */
export interface Shape {
  readonly slot: number;
  /** Null = it had no value. */
  readonly types: readonly Oid[] | null;
  readonly names: readonly string[];
}

/** Columns of a query's rows. */
export interface RowShape {
  readonly types: readonly Oid[];
  readonly typmods: readonly number[];
  readonly names: readonly string[];
}

/** Evaluations after which an expression counts as hot. */
const HOT_EVALUATIONS = 50;

const QUERY_NODES = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

export interface PreparedPlan {
  readonly plan: PhysicalPlan;
  readonly columns: readonly OutputColumn[];
  readonly slots: readonly number[];
  readonly shape: RowShape;
}

/** What a text of the given mode is to the SQL parser. */
export function parseText(
  text: string,
  mode: SqlOrigin['kind'],
): { statement: RawStatement; offset: number } | null {
  const prefix = mode === 'statement' ? '' : 'SELECT ';
  let statements: RawStatement[];
  try {
    ({ statements } = parseStatements(prefix + text));
  } catch (error) {
    if (error instanceof DbError && error.fields.position !== undefined)
      error.fields.position = Math.max(1, error.fields.position - prefix.length);
    throw error;
  }
  if (statements.length === 0) return null;
  return { statement: statements[0], offset: prefix.length };
}

export class SqlText implements SqlOrigin {
  readonly text: string;
  readonly kind: SqlOrigin['kind'];
  readonly names: Name | null;
  /** Type the value is cast to; null = its own. */
  readonly want: { typeOid: Oid; typmod: number } | null;
  /** Variable the value is assigned to, where that is all of it: an array it is appended to may grow in place. */
  growing: number | null = null;
  /** Type of the value once prepared. */
  typeOid: Oid = 0;
  typmod = -1;
  /** The value of a simple expression; null for everything else. */
  run: Evaluate | null = null;
  prepared: PreparedPlan | null = null;
  /** Utility command instead of a query. */
  command: { node: string; tree: Readonly<Record<string, unknown>> } | null = null;
  generation = -1;
  protected references: Reference[] = [];
  protected shapes: Shape[] | null = null;
  protected parsed: RawStatement | null = null;
  protected readonly code: Code;

  constructor(
    code: Code,
    text: string,
    kind: SqlOrigin['kind'],
    names: Name | null,
    want: { typeOid: Oid; typmod: number } | null = null,
  ) {
    this.code = code;
    this.text = text;
    this.kind = kind;
    this.names = names;
    this.want = want;
  }

  /** True when what was prepared fits: same catalog, and records with the same columns. */
  isCurrent(frame: readonly Datum[]): boolean {
    if (this.generation !== this.code.generation) return false;
    return this.shapes === null || this.shapesHold(frame);
  }

  private shapesHold(frame: readonly Datum[]): boolean {
    for (const { slot, types, names } of this.shapes!) {
      const record = frame[slot] as SqlRecord | null;
      if (record === null || types === null) {
        if (record === null && types === null) continue;
        return false;
      }
      if (record.fieldTypes === types && record.fieldNames === names) continue;
      if (record.fieldTypes.length !== types.length) return false;
      for (let index = 0; index < types.length; index++)
        if (record.fieldTypes[index] !== types[index] || record.fieldNames[index] !== names[index])
          return false;
    }
    return true;
  }

  /** The value; `frame` is the activation's. May leave by a suspension. */
  value(activation: Activation, frame: Datum[]): Datum {
    if (this.generation !== this.code.generation || (this.shapes !== null && !this.shapesHold(frame)))
      this.prepare(activation, frame);
    const { run } = this;
    return run !== null ? run(frame) : activation.queryValue(this);
  }

  /** Parameters of the plan, read now. */
  parameters(frame: Datum[]): Datum[] {
    return this.references.map(({ read }) => read(frame));
  }

  /** Parameters with their names, for DETAIL of strict INTO. */
  parameterTexts(frame: Datum[], print: (value: Datum, typeOid: Oid) => string): string {
    return this.references
      .map(({ variable, field, read }) => {
        const value = read(frame);
        const name = field === null ? variable.name : `${variable.name}.${field}`;
        if (value === null) return `${name}=NULL`;
        return `${name}='${print(value, field === null ? variable.typeOid : this.fieldType(variable, field, frame)).replaceAll("'", "''")}'`;
      })
      .join(', ');
  }

  private fieldType(variable: Variable, field: string, frame: readonly Datum[]): Oid {
    const record = frame[variable.slot] as SqlRecord | null;
    const index = record?.fieldNames.indexOf(field) ?? -1;
    return record?.fieldTypes[index] ?? 25;
  }

  /** Analyses and plans; errors are those of the SQL, at positions in it. */
  prepare(activation: Activation, frame: Datum[]): void {
    const { session } = activation.manager;
    activation.origin = this;
    this.references = [];
    this.shapes = null;
    this.run = null;
    this.prepared = null;
    this.command = null;
    let shift = 0;
    try {
      const prefix = this.kind === 'statement' ? 0 : 7;
      this.parsed ??= parseText(this.text, this.kind)?.statement ?? null;
      if (this.parsed === null) throw new DbError('syntax_error', 'query is empty');
      shift = prefix;
      const node = tagOf(this.parsed.tree);
      if (!QUERY_NODES.has(node)) {
        this.command = {
          node,
          tree: (this.parsed.tree as unknown as Record<string, Readonly<Record<string, unknown>>>)[node],
        };
        this.generation = this.code.generation;
        activation.origin = null;
        return;
      }
      this.analyse(activation, frame, session, this.parsed.tree);
    } catch (error) {
      if (error instanceof DbError && error.fields.position !== undefined && shift > 0)
        error.fields.position = Math.max(1, error.fields.position - shift);
      throw error;
    }
    this.generation = this.code.generation;
    activation.origin = null;
  }

  private analyse(activation: Activation, frame: Datum[], session: RoutineSession, tree: Node): void {
    const parameters = new VariableParameters((number, position) => this.argument(number, position, frame));
    const hook: NameHook = {
      resolve: (_scope, names, isStar, position, column) =>
        this.resolve(activation, frame, names, isStar, position, column),
      fieldsOf: (expr) => this.fieldsOf(expr, frame),
      relation: (name) => this.transition(activation, name),
    };
    const options = { ...session.analysis(), parameters, names: hook };
    const analysed = analyseStatement(tree, options);
    if (analysed.kind !== 'query') {
      this.command = {
        node: analysed.node,
        tree: (analysed.tree as Record<string, Readonly<Record<string, unknown>>>)[analysed.node],
      };
      return;
    }
    const query = session.rewrite(analysed.query);
    if (this.kind !== 'statement') {
      const visible = query.targets.filter((target) => !target.junk);
      if (visible.length !== 1) throw this.columnCount(visible.length);
      if (isSimpleQuery(query)) {
        this.makeSimple(session, query, options);
        return;
      }
    }
    const types = this.references.map(({ variable, field }) =>
      field === null ? variable.typeOid : (this.fieldOf(variable, field, frame)?.typeOid ?? 25),
    );
    const plan = session.plan(query, types);
    this.prepared = preparedPlan(plan);
    if (this.prepared.columns.length > 0) {
      const [column] = this.prepared.columns;
      this.typeOid = column.typeOid;
      this.typmod = column.typmod;
    }
  }

  private columnCount(count: number): DbError {
    return count === 0
      ? new DbError('syntax_error', `query "${this.text}" did not return data`)
      : new DbError('syntax_error', `query "${this.text}" returned ${count} columns`);
  }

  private makeSimple(
    session: RoutineSession,
    query: Query,
    options: ConstructorParameters<typeof Scope>[0],
  ): void {
    let { expr } = query.targets[0];
    const { want } = this;
    if (want !== null && want.typeOid !== 0) {
      const scope = new Scope(options, null);
      const coerced = coerceForAssignment(scope, expr, want.typeOid, want.typmod);
      if (coerced !== expr) {
        expr = coerced;
        assignCollations(scope, expr);
      }
    }
    this.typeOid = expr.typeOid;
    this.typmod = expr.typmod;
    // An element read by subscript leaves the array where it is.
    const plain = new Set<Expr>();
    walkExpr(expr, (node) => {
      if (
        node.kind === 'subscript' &&
        node.lower === null &&
        node.assignment === null &&
        node.arg.kind === 'param'
      )
        plain.add(node.arg);
    });
    const compiler = new ExpressionCompiler(null, session.resolver, {
      parameter: (number, node) => {
        const { read, variable, field } = this.references[number - 1];
        if (field !== null || !plain.has(node)) return read;
        const { slot } = variable;
        return (values) => values[slot];
      },
      newSlot: () => this.code.slotCount++,
      variable: () => () => null,
    });
    this.run = this.append(expr, compiler, session) ?? this.warming(expr, compiler, session);
  }

  /** Closures at first; what is evaluated again and again gets JavaScript of its own. */
  private warming(expr: Expr, compiler: ExpressionCompiler, session: RoutineSession): Evaluate {
    const closure = compiler.compile(expr);
    const { resolver } = session;
    // A call that may be left by a suspension keeps its progress in cells that closures share.
    const mayLeave = someExpr(
      expr,
      (node) =>
        (node.kind === 'function' || node.kind === 'operator') &&
        resolver.isRoutine?.(node.functionOid) === true,
    );
    if (mayLeave) return closure;
    let evaluations = 0;
    const counted: Evaluate = (frame) => {
      if (++evaluations === HOT_EVALUATIONS && this.run === counted) {
        const catalog = session.catalog();
        const generated = generate(expr, {
          source: (oid) => catalog.function(oid)?.source,
          slot: (number) => {
            const { variable, field } = this.references[number - 1];
            return field === null && !this.isArray(variable) ? variable.slot : null;
          },
          field: (number) => {
            const { variable, field, index } = this.references[number - 1];
            return field === null ? null : { slot: variable.slot, index };
          },
          closure: (node) => compiler.compile(node),
        });
        this.run = generated ?? closure;
      }
      return closure(frame);
    };
    return counted;
  }

  /** `a := array_append(a, x)` and `a := a || x`: the variable's own array grows. Null for any other expression. */
  private append(expr: Expr, compiler: ExpressionCompiler, session: RoutineSession): Evaluate | null {
    const target = this.growing;
    if (target === null || (expr.kind !== 'function' && expr.kind !== 'operator')) return null;
    const source = session.catalog().function(expr.functionOid)?.source;
    const isWhole = source === 'array_cat';
    if (source !== 'array_append' && !isWhole) return null;
    const [array, more] = expr.args;
    if (array.kind !== 'param') return null;
    const { variable, field } = this.references[array.number - 1];
    if (field !== null || variable.slot !== target) return null;
    const value = compiler.compile(more);
    const general = compiler.compile(expr);
    return (frame) => {
      const present = frame[target];
      if (!(present instanceof SqlArray) || present.dimensions.length !== 1) return general(frame);
      const added = value(frame);
      if (!isWhole) return appendElements(frame, target, [added]) ?? general(frame);
      if (added === null) return present;
      if (!(added instanceof SqlArray) || added.dimensions.length > 1) return general(frame);
      return appendElements(frame, target, added.elements) ?? general(frame);
    };
  }

  // ----------------------------------------------------------------------------------------------------------- names

  protected argument(number: number, position: number | undefined, frame: Datum[]): ParamExpr {
    const found = lookUp(this.names, [`$${number}`]);
    if (found === null)
      throw new DbError('undefined_parameter', `there is no parameter $${number}`).at(position);
    return this.reference(found.declaration.variable as Variable, null, position, frame) as ParamExpr;
  }

  protected resolve(
    activation: Activation,
    frame: Datum[],
    names: readonly string[],
    isStar: boolean,
    position: number | undefined,
    column: Expr | null,
  ): Expr | null {
    const conflict = this.code.variableConflict;
    if (column !== null && conflict === 'use_column') return null;
    const found = lookUp(this.names, names);
    if (found === null) return null;
    const variable = found.declaration.variable as Variable | null;
    if (variable === null) return null;
    const rest = names.slice(found.used);
    if (rest.length > 1 || (rest.length === 1 && !variable.isRecord)) return null;
    if (isStar && (rest.length > 0 || !variable.isRecord)) return null;
    if (column !== null && rest.length === 1 && this.fieldOf(variable, rest[0], frame) === null) return null;
    if (column !== null && conflict === 'error')
      throw new DbError('ambiguous_column', `column reference "${names.join('.')}" is ambiguous`, {
        detail: 'It could refer to either a PL/pgSQL variable or a table column.',
      }).at(position);
    void activation;
    return this.reference(variable, rest[0] ?? null, position, frame);
  }

  protected reference(
    variable: Variable,
    field: string | null,
    position: number | undefined,
    frame: Datum[],
  ): Expr {
    let number = this.references.findIndex((item) => item.variable === variable && item.field === field) + 1;
    const { slot } = variable;
    let index = -1;
    if (variable.isRecord) this.requireShape(variable, frame, field !== null);
    let type: { typeOid: Oid; typmod: number; collation: Oid } = variable;
    let read: Evaluate = this.isArray(variable)
      ? (values) => shareArray(values[slot])
      : (values) => values[slot];
    if (field !== null) {
      const known = this.fieldOf(variable, field, frame);
      if (known === null) {
        throw new DbError('undefined_column', `record "${variable.name}" has no field "${field}"`).at(
          position,
        );
      }
      type = known;
      index = known.index;
      const at = index;
      const mustExist = variable.absentWithoutValue || variable.typeOid === RECORD;
      read = (values) => {
        const record = values[slot] as SqlRecord | null;
        if (record === null) {
          if (mustExist) throw notAssigned(variable.name);
          return null;
        }
        return record.fields[at] ?? null;
      };
    }
    if (number === 0) {
      this.references.push({ variable, field, index, read });
      number = this.references.length;
    }
    return {
      kind: 'param',
      number,
      typeOid: type.typeOid,
      typmod: type.typmod,
      collation: type.collation,
      position,
    };
  }

  /** A transition table of the trigger: a parameter that holds its rows. */
  private transition(
    activation: Activation,
    name: string,
  ): { value: Expr; relation: RelationDescriptor } | null {
    const found = activation.transition(name);
    if (found === null) return null;
    const { slot, relation } = found;
    const variable = { name, slot, typeOid: 2287 } as Variable;
    this.references.push({ variable, field: null, index: -1, read: (values) => values[slot] });
    return {
      relation,
      value: { kind: 'param', number: this.references.length, typeOid: 2287, typmod: -1, collation: 0 },
    };
  }

  /** A variable of type record has no columns of its own: those of its present value are taken, and remembered. */
  private requireShape(variable: Variable, frame: Datum[], isField: boolean): void {
    if (variable.typeOid !== RECORD) return;
    const record = frame[variable.slot] as SqlRecord | null;
    if (record === null && isField) throw notAssigned(variable.name);
    this.shapes ??= [];
    if (this.shapes.some(({ slot }) => slot === variable.slot)) return;
    this.shapes.push({
      slot: variable.slot,
      types: record?.fieldTypes ?? null,
      names: record?.fieldNames ?? [],
    });
  }

  private isArray(variable: Variable): boolean {
    return !variable.isRecord && this.code.catalog().type(variable.typeOid)?.isTrueArray === true;
  }

  private fieldOf(
    variable: Variable,
    field: string,
    frame: readonly Datum[],
  ): { index: number; typeOid: Oid; typmod: number; collation: Oid } | null {
    const catalog = this.code.catalog();
    if (variable.typeOid !== RECORD) {
      const fields = rowFieldsOf(catalog, variable.typeOid);
      const index = fields?.names.findIndex((name, at) => name === field && !fields.dropped[at]) ?? -1;
      if (fields === null || index < 0) return null;
      const typeOid = fields.types[index];
      return {
        index,
        typeOid,
        typmod: fields.typmods[index],
        collation: catalog.type(typeOid)?.collation ?? 0,
      };
    }
    const record = frame[variable.slot] as SqlRecord | null;
    if (record === null) throw notAssigned(variable.name);
    const index = record.fieldNames.indexOf(field);
    if (index < 0) return null;
    const typeOid = record.fieldTypes[index];
    return { index, typeOid, typmod: -1, collation: catalog.type(typeOid)?.collation ?? 0 };
  }

  protected fieldsOf(expr: Expr, frame: readonly Datum[]): RowField[] | null {
    if (expr.kind !== 'param') return null;
    const reference = this.references[expr.number - 1];
    if (reference === undefined || reference.field !== null) return null;
    const record = frame[reference.variable.slot] as SqlRecord | null;
    if (record === null) return null;
    const catalog = this.code.catalog();
    return record.fieldNames.map((name, index) => ({
      name,
      typeOid: record.fieldTypes[index],
      typmod: -1,
      collation: catalog.type(record.fieldTypes[index])?.collation ?? 0,
      dropped: false,
    }));
  }
}

/** Columns and slots of a plan, as functions take its rows. */
export function preparedPlan(plan: PhysicalPlan): PreparedPlan {
  let prepared = preparedPlans.get(plan);
  if (prepared === undefined) {
    prepared = describedPlan(plan);
    preparedPlans.set(plan, prepared);
  }
  return prepared;
}

const preparedPlans = new WeakMap<PhysicalPlan, PreparedPlan>();

function describedPlan(plan: PhysicalPlan): PreparedPlan {
  return {
    plan,
    columns: plan.columns,
    slots: plan.columns.map((column) => column.slot),
    shape: {
      types: plan.columns.map((column) => column.typeOid),
      typmods: plan.columns.map((column) => column.typmod),
      names: plan.columns.map((column) => column.name),
    },
  };
}

export function notAssigned(name: string): DbError {
  return new DbError('object_not_in_prerequisite_state', `record "${name}" is not assigned yet`, {
    detail: 'The tuple structure of a not-yet-assigned record is indeterminate.',
  });
}

/** $n of a body: its n-th argument. */
export class VariableParameters extends ParameterTypes {
  private readonly find: (number: number, position: number | undefined) => ParamExpr;

  constructor(find: (number: number, position: number | undefined) => ParamExpr) {
    super([], false);
    this.find = find;
  }

  override reference(number: number, position: number | undefined): ParamExpr {
    return this.find(number, position);
  }

  override finish(): Oid[] {
    return [];
  }
}

/** Domains aside. */
export function baseTypeOf(code: Code, typeOid: Oid): Oid {
  return baseTypeOid(code.catalog(), typeOid);
}

/** A row as a record of the query's columns. */
export function recordOf(row: readonly Datum[], shape: RowShape): SqlRecord {
  return new SqlRecord(RECORD, row, shape.types, shape.names);
}
