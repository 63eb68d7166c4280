/**
 * PL/pgSQL bodies → steps.
 *
 * Control flow becomes jumps between numbered steps; loop counters, cursors of loops and intermediate values live in hidden slots of the
 * frame. So a call can stop after any step and go on later, and nothing of it is on JavaScript's stack while it waits.
 */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { FunctionDescriptor } from '../catalog/contract.ts';
import { baseTypeOid } from '../sql/analyse/coerce.ts';
import { ParameterTypes } from '../sql/analyse/parameters.ts';
import { typeOf } from '../sql/analyse/scope.ts';
import { formatType, resolveTypeName } from '../sql/analyse/type-name.ts';
import type { TypeName } from '../sql/parse/ast.ts';
import { as } from '../sql/parse/ast.ts';
import type { Datum } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import * as assignment from './assignment.ts';
import { RECORD, rowFieldsOf } from './casts.ts';
import type {
  Code,
  ExceptionBlock,
  Place,
  ResultShape,
  SpecialSlots,
  Step,
  TriggerSlots,
  Variable,
} from './code.ts';
import type { RoutineSession } from './contract.ts';
import type { Block, Body, Declaration, Expression, Name, Statement, Target, TypeText } from './parse/ast.ts';
import { declare, labelOf, nameOf } from './parse/names.ts';
import { parseBody } from './parse/parser.ts';
import { PartAssignment } from './part-assignment.ts';
import { parseText, type RowShape, SqlText } from './sql-text.ts';
import { compileStatement } from './statements.ts';

const REFCURSOR = 1790;
const BOOL = 16;
const VOID = 2278;
const TRIGGER = 2279;
const UNKNOWN = 705;

/** A forward jump: filled in when its place is known. */
export interface Jump {
  at: number;
}

/** A loop or labelled block around the statement being compiled. */
export interface Enclosing {
  readonly id: object;
  readonly kind: 'loop' | 'block';
  readonly exit: Jump;
  readonly next: Jump | null;
  /** Exception blocks and query loops that are open inside it and outside of it. */
  readonly blockDepth: number;
  readonly loopDepth: number;
}

export interface CompileInput {
  readonly descriptor: FunctionDescriptor | null;
  readonly signature: string;
  readonly source: string;
  readonly name: string;
  /** Actual types of the arguments. */
  readonly argumentTypes: readonly Oid[];
  readonly resultType: Oid;
  /** Row type of the table of a trigger function's trigger. */
  readonly triggerRow: Oid | null;
  readonly isTrigger: boolean;
  /** Only checks: polymorphic types stand for something. */
  readonly columns:
    | readonly { readonly name: string; readonly type: number; readonly typmod: number }[]
    | null;
}

export class FunctionCompiler {
  readonly session: RoutineSession;
  readonly code: Code;
  readonly body: Body;
  readonly steps: Step[] = [];
  readonly places: Place[] = [];
  readonly enclosing: Enclosing[] = [];
  blockDepth = 0;
  loopDepth = 0;
  readonly result: ResultShape;
  private readonly triggerNames: { name: string; slot: string }[] = [];

  constructor(session: RoutineSession, input: CompileInput) {
    this.session = session;
    this.bodyText = input.source;
    const outer = { names: null as Name | null };
    const code: { -readonly [Key in keyof Code]: Code[Key] } = {
      signature: input.signature,
      descriptor: input.descriptor,
      catalog: () => session.catalog(),
      steps: this.steps,
      places: this.places,
      arguments: [],
      result: null as unknown as ResultShape,
      found: 0,
      slotCount: 0,
      generation: 0,
      planKey: 0,
      isReadOnly: input.descriptor !== null && input.descriptor.volatility !== 'v',
      variableConflict: 'error',
      printStrictParams: false,
      trigger: null,
      transitionSlots: [],
    };
    this.code = code;
    outer.names = labelOf(input.name, 'other', null, null);
    const add = (name: string, typeOid: Oid, options: Partial<Declaration> = {}): Variable => {
      const declaration = declare(
        name,
        { kind: 'oid', typeOid, typmod: -1, collation: collationOf(session, typeOid) },
        options,
      );
      const variable = this.variable(declaration);
      if (name !== '') outer.names = nameOf(name, declaration, outer.names);
      return variable;
    };
    const alias = (name: string, variable: Variable, typeOid: Oid): void => {
      const declaration = declare(name, { kind: 'oid', typeOid, typmod: -1, collation: 0 });
      declaration.variable = variable;
      outer.names = nameOf(name, declaration, outer.names);
    };
    const out: Variable[] = [];
    if (input.isTrigger) {
      code.trigger = this.triggerVariables(input.triggerRow, add);
      code.transitionSlots = [this.newSlot(), this.newSlot()];
    } else if (input.descriptor !== null) {
      const { descriptor } = input;
      const types = descriptor.allArgumentTypes ?? descriptor.argumentTypes;
      let inputs = 0;
      types.forEach((declared, index) => {
        const mode = descriptor.argumentModes?.[index] ?? 'i';
        const isInput = mode === 'i' || mode === 'b' || mode === 'v';
        const actual = isInput
          ? (input.argumentTypes[inputs] ?? declared)
          : resolvePolymorphic(session, declared, descriptor.argumentTypes, input.argumentTypes);
        const name = descriptor.argumentNames?.[index] ?? '';
        const variable = add(name === '' ? `$${index + 1}` : name, actual);
        alias(`$${index + 1}`, variable, actual);
        if (isInput) {
          code.arguments.push(variable);
          inputs++;
        }
        if (mode === 'o' || mode === 'b' || mode === 't') out.push(variable);
      });
    }
    const found = add('found', BOOL);
    code.found = found.slot;
    this.body = parseBody(input.source, outer.names);
    code.variableConflict =
      this.body.variableConflict ??
      (session.setting('plpgsql.variable_conflict') as 'error' | 'use_variable' | 'use_column');
    code.printStrictParams =
      this.body.printStrictParams ?? session.setting('plpgsql.print_strict_params') === 'on';
    this.result = this.resultShape(input, out);
    code.result = this.result;
    this.block(this.body.block, true);
    this.emitEnd(this.body.block.line);
    void this.triggerNames;
  }

  private triggerVariables(
    row: Oid | null,
    add: (name: string, typeOid: Oid, options?: Partial<Declaration>) => Variable,
  ): TriggerSlots {
    const rowType = row ?? RECORD;
    const newVariable = add('new', rowType);
    const oldVariable = add('old', rowType);
    for (const variable of [newVariable, oldVariable])
      (variable as { absentWithoutValue: boolean }).absentWithoutValue = true;
    const special: SpecialSlots = {
      tg_name: add('tg_name', 19).slot,
      tg_when: add('tg_when', 25).slot,
      tg_level: add('tg_level', 25).slot,
      tg_op: add('tg_op', 25).slot,
      tg_relid: add('tg_relid', 26).slot,
      tg_relname: add('tg_relname', 19).slot,
      tg_table_name: add('tg_table_name', 19).slot,
      tg_table_schema: add('tg_table_schema', 19).slot,
      tg_nargs: add('tg_nargs', 23).slot,
      tg_argv: add('tg_argv', 1009).slot,
    };
    return { newSlot: newVariable.slot, oldSlot: oldVariable.slot, rowTypeOid: rowType, special };
  }

  private resultShape(input: CompileInput, out: Variable[]): ResultShape {
    const { descriptor, resultType } = input;
    const base = { typeOid: resultType, out, returnsSet: descriptor?.returnsSet ?? false };
    if (input.isTrigger || resultType === TRIGGER) return { ...base, kind: 'trigger', fields: null };
    if (descriptor === null) return { ...base, kind: 'none', fields: null };
    if (resultType === VOID) return { ...base, kind: 'void', fields: null };
    const catalog = this.session.catalog();
    if (resultType === RECORD) {
      if (out.length > 0)
        return {
          ...base,
          kind: 'row',
          fields: {
            typeOid: RECORD,
            types: out.map(({ typeOid }) => typeOid),
            typmods: out.map(() => -1),
            names: out.map((variable, index) => outName(descriptor, index, variable.name)),
            dropped: out.map(() => false),
          },
        };
      if (input.columns !== null)
        return {
          ...base,
          kind: 'row',
          fields: {
            typeOid: RECORD,
            types: input.columns.map(({ type }) => type),
            typmods: input.columns.map(({ typmod }) => typmod),
            names: input.columns.map(({ name }) => name),
            dropped: input.columns.map(() => false),
          },
        };
      return { ...base, kind: 'row', fields: null };
    }
    const fields = rowFieldsOf(catalog, resultType);
    if (fields !== null) return { ...base, kind: 'row', fields };
    return { ...base, kind: 'scalar', fields: null };
  }

  // -------------------------------------------------------------------------------------------------------- variables

  newSlot(): number {
    return this.code.slotCount++;
  }

  /** The variable of a declaration; made on first sight. */
  variable(declaration: Declaration): Variable {
    if (declaration.variable !== null) return declaration.variable as Variable;
    const type = this.resolveType(declaration.type, declaration);
    const catalog = this.session.catalog();
    const described = type.typeOid === 0 ? null : catalog.type(type.typeOid);
    if (described?.kind === 'p' && type.typeOid !== RECORD && type.typeOid !== 2275 && type.typeOid !== VOID)
      throw new DbError(
        'feature_not_supported',
        `variable "${declaration.name}" has pseudo-type ${described.name}`,
        {
          position: declaration.position + 1,
        },
      );
    let { collation } = type;
    if (declaration.collation !== null) {
      const schema = declaration.collation.length > 1 ? declaration.collation.at(-2)! : null;
      const analysis = this.session.analysis();
      const found = catalog.collationByName(schema, declaration.collation.at(-1)!, analysis.path);
      if (found === null)
        throw new DbError(
          'undefined_object',
          `collation "${declaration.collation.join('.')}" for encoding "UTF8" does not exist`,
        );
      if (collation === 0)
        throw new DbError(
          'datatype_mismatch',
          `collations are not supported by type ${described?.name ?? ''}`,
        );
      collation = found.oid;
    }
    const isRecord = type.typeOid === RECORD || rowFieldsOf(catalog, type.typeOid) !== null;
    const variable: Variable = {
      name: declaration.name,
      slot: this.newSlot(),
      typeOid: type.typeOid,
      typmod: type.typmod,
      collation,
      isRecord,
      isDomain: described?.kind === 'd',
      notNull: declaration.notNull,
      absentWithoutValue: false,
    };
    declaration.variable = variable;
    return variable;
  }

  private resolveType(
    type: TypeText,
    declaration: Declaration,
  ): { typeOid: Oid; typmod: number; collation: Oid } {
    switch (type.kind) {
      case 'record':
        return { typeOid: RECORD, typmod: -1, collation: 0 };
      case 'cursor':
        return { typeOid: REFCURSOR, typmod: -1, collation: collationOf(this.session, REFCURSOR) };
      case 'oid':
        return type;
      case 'like':
        return this.likeType(type, declaration);
      default: {
        const found = typeByText(this.session, type.text, type.position);
        return { ...found, collation: collationOf(this.session, found.typeOid) };
      }
    }
  }

  private likeType(
    type: Extract<TypeText, { kind: 'like' }>,
    declaration: Declaration,
  ): { typeOid: Oid; typmod: number; collation: Oid } {
    const position = type.position + 1;
    void declaration;
    if (type.ofDeclaration !== null) {
      const { typeOid, typmod, collation } = this.variable(type.ofDeclaration);
      return { typeOid, typmod, collation };
    }
    const { catalog, path } = this.session.analysis();
    const parts = [...type.names];
    if (type.row) {
      const name = parts.pop()!;
      const schema = parts.pop() ?? null;
      const relation = catalog.relationByName(schema, name, path);
      if (relation === null) {
        const composite = catalog.typeByName(schema, name, path);
        if (composite !== null && composite.kind === 'c')
          return { typeOid: composite.oid, typmod: -1, collation: 0 };
        throw new DbError('undefined_table', `relation "${type.names.join('.')}" does not exist`);
      }
      return { typeOid: relation.rowTypeOid, typmod: -1, collation: 0 };
    }
    const columnName = parts.pop()!;
    const name = parts.pop();
    if (name === undefined)
      throw new DbError('syntax_error', `variable "${columnName}" does not exist`).at(position);
    const schema = parts.pop() ?? null;
    const relation = catalog.relationByName(schema, name, path);
    if (relation === null)
      throw new DbError('undefined_table', `relation "${type.names.slice(0, -1).join('.')}" does not exist`);
    const column = relation.columns.find((item) => item.name === columnName && !item.dropped);
    if (column === undefined)
      throw new DbError('undefined_column', `column "${columnName}" of relation "${name}" does not exist`);
    return { typeOid: column.typeOid, typmod: column.typmod, collation: column.collation };
  }

  // ------------------------------------------------------------------------------------------------------------ steps

  emit(step: Step, line: number, text: string): number {
    this.steps.push(step);
    this.places.push({ line, text });
    return this.steps.length - 1;
  }

  get here(): number {
    return this.steps.length;
  }

  jump(): Jump {
    return { at: -1 };
  }

  land(jump: Jump): void {
    jump.at = this.here;
  }

  emitJump(target: Jump, line = 0): void {
    this.emit(() => target.at, line, '');
  }

  /** SQL of the body, checked for syntax. */
  sql(
    expression: Expression,
    want: { typeOid: Oid; typmod: number } | null = null,
    kind?: SqlText['kind'],
  ): SqlText {
    const mode = kind ?? expression.mode;
    try {
      parseText(expression.text, mode);
    } catch (error) {
      if (error instanceof DbError && error.fields.position !== undefined) {
        // Positions are those of the body.
        const before = [...this.bodyText.slice(0, expression.start)].length;
        error.fields.position += before;
      }
      throw error;
    }
    return new SqlText(this.code, expression.text, mode, expression.names, want);
  }

  /** Text of the body being compiled, for positions. */
  readonly bodyText: string;

  /** Evaluates into a slot of its own. */
  evaluate(
    expression: Expression,
    want: { typeOid: Oid; typmod: number } | null,
    line: number,
    text: string,
  ): { slot: number; sql: SqlText } {
    const sql = this.sql(expression, want);
    const slot = this.newSlot();
    const next = this.here + 1;
    this.emit(
      (activation, frame) => {
        frame[slot] = sql.value(activation, frame);
        return next;
      },
      line,
      text,
    );
    return { slot, sql };
  }

  /** Stores values of known types where a target points. */
  assigner(target: Target): (activation: Activation, row: readonly Datum[] | null, shape: RowShape) => void {
    const { storeRow, storeValue } = assignment;
    if (target.kind === 'variable' && target.field === null) {
      const variable = this.variable(target.declaration);
      if (variable.isRecord) return (activation, row, shape) => storeRow(activation, variable, row, shape);
    }
    const items = (target.kind === 'variable' ? [target] : target.items).map(({ declaration, field }) => ({
      variable: this.variable(declaration),
      field,
    }));
    return (activation, row, shape) => {
      for (let index = 0; index < items.length; index++) {
        const { variable, field } = items[index];
        const value = row === null || index >= row.length ? null : row[index];
        storeValue(activation, variable, field, value, shape.types[index] ?? UNKNOWN);
      }
    };
  }

  statements(list: readonly Statement[]): void {
    for (const statement of list) compileStatement(this, statement);
  }

  /** A block: variables take their first values, then the body, then handlers. */
  block(block: Block, isOutermost = false): void {
    const { line } = block;
    const exit = this.jump();
    this.enclosing.push({
      id: block,
      kind: 'block',
      exit,
      next: null,
      blockDepth: this.blockDepth,
      loopDepth: this.loopDepth,
    });
    for (const declaration of block.declarations) this.initialise(declaration);
    if (block.handlers === null) {
      this.statements(block.body);
    } else {
      const sqlState = this.variable(block.sqlState!);
      const sqlMessage = this.variable(block.sqlMessage!);
      const data: ExceptionBlock = { handlers: [], stateSlot: sqlState.slot, messageSlot: sqlMessage.slot };
      const next = this.here + 1;
      this.emit(
        (activation) => {
          activation.enterBlock(data);
          return next;
        },
        line,
        'during statement block entry',
      );
      this.blockDepth++;
      this.statements(block.body);
      this.blockDepth--;
      const afterBody = this.here + 1;
      this.emit(
        (activation) => {
          activation.leaveBlock();
          return afterBody;
        },
        line,
        'during statement block exit',
      );
      this.emitJump(exit, line);
      for (const handler of block.handlers) {
        for (const { codes } of handler.conditions) data.handlers.push({ codes, pc: this.here });
        this.inHandler++;
        this.statements(handler.body);
        this.inHandler--;
        const done = this.here + 1;
        this.emit(
          (activation) => {
            activation.currentError = activation.outerErrors.pop() ?? null;
            return done;
          },
          handler.line,
          '',
        );
        this.emitJump(exit, line);
      }
    }
    this.land(exit);
    this.enclosing.pop();
    void isOutermost;
  }

  /** Loops over rows, by their identity. */
  readonly rowLoops = new Set<object>();

  /** Position of an expression in the body, for errors of compilation. */
  position(expression: Expression): number {
    return [...this.bodyText.slice(0, expression.start)].length + 1;
  }

  /** Position of a statement's line in the body. */
  positionOf(statement: { line: number }): number | undefined {
    if (statement.line <= 0) return undefined;
    const lines = this.bodyText.split('\n');
    const before = lines.slice(0, statement.line - 1).join('\n');
    const indent = (lines[statement.line - 1] ?? '').search(/\S/);
    return [...before].length + (statement.line > 1 ? 1 : 0) + Math.max(0, indent) + 1;
  }

  typeName(oid: Oid): string {
    const { catalog, path } = this.session.analysis();
    return formatType(catalog, path, oid);
  }

  isArrayType(oid: Oid): boolean {
    return this.session.catalog().type(oid)?.isTrueArray === true;
  }

  elementType(oid: Oid): Oid {
    const { catalog } = this.session.analysis();
    return catalog.type(baseTypeOid(catalog, oid))?.elementOid ?? 0;
  }

  /** WHEN of a CASE with argument: compares the value in `slot`, whose type is known when it is evaluated. */
  caseTest(
    expression: Expression,
    slot: number,
    argument: SqlText,
  ): { value(activation: Activation, frame: Datum[]): Datum } {
    const declaration = declare('__Case__Variable__', { kind: 'record' });
    const variable: { -readonly [Key in keyof Variable]: Variable[Key] } = {
      name: '__Case__Variable__',
      slot,
      typeOid: 0,
      typmod: -1,
      collation: 0,
      isRecord: false,
      isDomain: false,
      notNull: false,
      absentWithoutValue: false,
    };
    declaration.variable = variable;
    this.sql({ ...expression, text: `x IN (${expression.text})`, start: Math.max(0, expression.start - 6) });
    const names = nameOf('__Case__Variable__', declaration, expression.names);
    const sql = new SqlText(this.code, `"__Case__Variable__" IN (${expression.text})`, 'expression', names, {
      typeOid: BOOL,
      typmod: -1,
    });
    return {
      value: (activation, frame) => {
        if (variable.typeOid !== argument.typeOid) {
          variable.typeOid = argument.typeOid;
          variable.collation = collationOf(this.session, argument.typeOid);
          sql.generation = -1;
        }
        return sql.value(activation, frame);
      },
    };
  }

  /** Assignment to an element or a nested field: computes the whole new value of the variable (or of its field). */
  partAssignment(
    statement: Extract<Statement, { kind: 'assign' }>,
    variable: Variable,
    value: { slot: number; sql: SqlText },
  ): PartAssignment {
    const { expression } = statement;
    const target = expression.text
      .slice(0, expression.valueStart - expression.start)
      .replace(/(:=|=)\s*$/, '')
      .trimEnd();
    this.sql({ ...expression, text: target, mode: 'expression' });
    return new PartAssignment(this.code, expression.text, target, expression.names, variable, value);
  }

  /** Handlers around the statement being compiled. */
  inHandler = 0;

  private initialise(declaration: Declaration): void {
    const variable = this.variable(declaration);
    const { line } = declaration;
    const text = 'during statement block local variable initialization';
    const { slot } = variable;
    const next = (): number => this.here + 1;
    if (declaration.cursor !== null && declaration.initial === null) {
      const name = declaration.name;
      const after = next();
      this.emit(
        (_, frame) => {
          frame[slot] = name;
          return after;
        },
        line,
        text,
      );
      return;
    }
    if (declaration.initial === null) {
      const after = next();
      const { storeValue } = assignment;
      const isChecked = variable.isDomain;
      this.emit(
        (activation, frame) => {
          if (isChecked) storeValue(activation, variable, null, null, UNKNOWN);
          else frame[slot] = null;
          return after;
        },
        line,
        text,
      );
      return;
    }
    this.assign(variable, null, declaration.initial, line, text);
  }

  /** variable := expression */
  assign(variable: Variable, field: string | null, expression: Expression, line: number, text: string): void {
    const { slot } = variable;
    const after = this.here + 1;
    const { storeValue } = assignment;
    if (field === null && !variable.isRecord) {
      const sql = this.sql(expression, { typeOid: variable.typeOid, typmod: variable.typmod });
      sql.growing = slot;
      if (!variable.notNull) {
        this.emit(
          (activation, frame) => {
            frame[slot] = sql.value(activation, frame);
            return after;
          },
          line,
          text,
        );
        return;
      }
      this.emit(
        (activation, frame) => {
          const value = sql.value(activation, frame);
          if (value === null) throw nullAssigned(variable.name);
          frame[slot] = value;
          return after;
        },
        line,
        text,
      );
      return;
    }
    const sql = this.sql(expression);
    if (field !== null) {
      const target = new assignment.FieldStore(variable, field);
      this.emit(
        (activation, frame) => {
          const value = sql.value(activation, frame);
          target.store(activation, value, sql.typeOid);
          return after;
        },
        line,
        text,
      );
      return;
    }
    this.emit(
      (activation, frame) => {
        const value = sql.value(activation, frame);
        storeValue(activation, variable, field, value, sql.typeOid);
        return after;
      },
      line,
      text,
    );
  }

  private emitEnd(line: number): void {
    const { result } = this;
    const isWithoutReturn =
      result.kind === 'void' || result.kind === 'none' || result.returnsSet || result.out.length > 0;
    if (isWithoutReturn) {
      compileStatement(this, { kind: 'return', line: 0, value: null });
      return;
    }
    const { code } = this;
    const isTrigger = result.kind === 'trigger';
    this.emit(
      () => {
        void line;
        throw new DbError(
          'function_executed_no_return_statement',
          isTrigger
            ? 'control reached end of trigger procedure without RETURN'
            : 'control reached end of function without RETURN',
        );
      },
      0,
      '',
    );
    void code;
  }
}

export function nullAssigned(name: string): DbError {
  return new DbError(
    'null_value_not_allowed',
    `null value cannot be assigned to variable "${name}" declared NOT NULL`,
  );
}

function collationOf(session: RoutineSession, typeOid: Oid): Oid {
  return session.catalog().type(typeOid)?.collation ?? 0;
}

function outName(descriptor: FunctionDescriptor, index: number, fallback: string): string {
  const names: string[] = [];
  descriptor.argumentModes?.forEach((mode, position) => {
    if (mode === 'o' || mode === 'b' || mode === 't') names.push(descriptor.argumentNames?.[position] ?? '');
  });
  const name = names[index];
  return name === undefined || name === ''
    ? fallback.startsWith('$')
      ? `column${index + 1}`
      : fallback
    : name;
}

/** Type written in a body. Errors 42704. */
export function typeByText(
  session: RoutineSession,
  text: string,
  position: number,
): { typeOid: Oid; typmod: number } {
  let name: TypeName | undefined;
  let setOf = false;
  try {
    const parsed = parseText(`NULL::${text}`, 'expression');
    const select = as(parsed?.statement.tree, 'SelectStmt') as
      | { targetList?: { ResTarget?: { val?: { TypeCast?: { typeName?: TypeName } } } }[] }
      | undefined;
    name = select?.targetList?.[0]?.ResTarget?.val?.TypeCast?.typeName;
    setOf = name?.setof === true;
  } catch (error) {
    if (!(error instanceof DbError)) throw error;
    if (error.fields.position !== undefined) error.fields.position = position + 1;
    throw error;
  }
  if (name === undefined || setOf)
    throw new DbError('syntax_error', `invalid type name "${text}"`).at(position + 1);
  const context = { ...session.analysis(), parameters: new ParameterTypes([], false) };
  try {
    const { typeOid, typmod } = resolveTypeName(context, name);
    typeOf(context.catalog, typeOid);
    return { typeOid, typmod };
  } catch (error) {
    if (error instanceof DbError) error.fields.position = position + 1;
    throw error;
  }
}

const POLYMORPHIC_ELEMENT = new Set([2283, 2776, 3500, 5077, 5079]);
const POLYMORPHIC_ARRAY = new Set([2277, 5078]);
const POLYMORPHIC_RANGE = new Set([3831, 5080]);

/** What a polymorphic OUT argument is in this call. */
export function resolvePolymorphic(
  session: RoutineSession,
  declared: Oid,
  declaredInputs: readonly Oid[],
  actual: readonly Oid[],
): Oid {
  const isElement = POLYMORPHIC_ELEMENT.has(declared);
  const isArray = POLYMORPHIC_ARRAY.has(declared);
  const isRange = POLYMORPHIC_RANGE.has(declared);
  if (!isElement && !isArray && !isRange) return declared;
  const catalog = session.catalog();
  const family2 = declared >= 5077;
  for (let index = 0; index < declaredInputs.length; index++) {
    const input = declaredInputs[index];
    if (input >= 5077 !== family2) continue;
    const type = actual[index];
    if (type === undefined) continue;
    if (POLYMORPHIC_ELEMENT.has(input)) {
      if (isElement) return type;
      if (isArray) return catalog.type(type)?.arrayOid ?? declared;
    }
    if (POLYMORPHIC_ARRAY.has(input)) {
      if (isArray) return type;
      if (isElement) return catalog.type(type)?.elementOid ?? declared;
    }
    if (POLYMORPHIC_RANGE.has(input) && isRange) return type;
  }
  return declared;
}

export type { Target };
