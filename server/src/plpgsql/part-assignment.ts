/** `array[i] := value` and `row.part.field := value`: SQL's assignment to a part of a value, over variables. */
import { DbError } from '../base/error.ts';
import type { ColumnDescriptor } from '../catalog/contract.ts';
import { ExpressionCompiler } from '../executor/row/expression/compile.ts';
import { assignToColumn } from '../sql/analyse/assignment.ts';
import { assignCollations } from '../sql/analyse/collations.ts';
import { type NameHook, Scope } from '../sql/analyse/scope.ts';
import { as, type Node, stringsOf } from '../sql/parse/ast.ts';
import type { Expr } from '../sql/tree.ts';
import type { Datum } from '../types/datum.ts';
import type { Activation } from './activation.ts';
import type { Code, Variable } from './code.ts';
import type { Name } from './parse/ast.ts';
import { lookUp } from './parse/names.ts';
import { parseText, type SqlText, SqlText as SqlTextClass, VariableParameters } from './sql-text.ts';

export class PartAssignment extends SqlTextClass {
  /** Field of a record variable that is assigned to; null = the variable itself. */
  field: string | null = null;
  private readonly target: string;
  private readonly variable: Variable;
  private readonly source: { slot: number; sql: SqlText };

  constructor(
    code: Code,
    text: string,
    target: string,
    names: Name | null,
    variable: Variable,
    source: { slot: number; sql: SqlText },
  ) {
    super(code, text, 'assignment', names);
    this.target = target;
    this.variable = variable;
    this.source = source;
  }

  private sourceType = 0;

  override value(activation: Activation, frame: Datum[]): Datum {
    if (this.sourceType !== this.source.sql.typeOid) this.generation = -1;
    return super.value(activation, frame);
  }

  override prepare(activation: Activation, frame: Datum[]): void {
    const { session } = activation.manager;
    activation.origin = this;
    this.references = [];
    this.shapes = null;
    this.run = null;
    const parsed = parseText(this.target, 'expression');
    const select = as(parsed?.statement.tree, 'SelectStmt') as
      | { targetList?: { ResTarget?: { val?: Node } }[] }
      | undefined;
    const node = select?.targetList?.[0]?.ResTarget?.val;
    const indirection = as(node, 'A_Indirection') as { arg?: Node; indirection?: Node[] } | undefined;
    const reference = as(indirection?.arg ?? node, 'ColumnRef') as { fields?: Node[] } | undefined;
    const parameter = as(indirection?.arg ?? node, 'ParamRef') as { number?: number } | undefined;
    const parts = reference !== undefined ? stringsOf(reference.fields) : [`$${parameter?.number ?? 0}`];
    const found = lookUp(this.names, parts);
    if (found === null) throw new DbError('syntax_error', `"${parts.join('.')}" is not a known variable`);
    const rest = parts.slice(found.used);
    this.field = this.variable.isRecord ? (rest.shift() ?? null) : null;
    const steps: Node[] = [
      ...rest.map((name) => ({ String: { sval: name } }) as Node),
      ...(indirection?.indirection ?? []),
    ];
    if (this.variable.isRecord && this.field === null && steps.length > 0 && 'String' in steps[0]) {
      this.field = stringsOf([steps.shift()!])[0];
    }
    const parameters = new VariableParameters((number, position) => this.argument(number, position, frame));
    const names: NameHook = {
      resolve: (_scope, name, isStar, position, column) =>
        this.resolve(activation, frame, name, isStar, position, column),
      fieldsOf: (expr) => this.fieldsOf(expr, frame),
    };
    const options = { ...session.analysis(), parameters, names };
    const scope = new Scope(options, null);
    scope.convertsThroughText = true;
    const current = this.reference(this.variable, this.field, undefined, frame);
    this.sourceType = this.source.sql.typeOid;
    const { slot } = this.source;
    this.references.push({ variable: this.variable, field: null, index: -1, read: (values) => values[slot] });
    const value: Expr = {
      kind: 'param',
      number: this.references.length,
      typeOid: this.sourceType,
      typmod: -1,
      collation: session.catalog().type(this.sourceType)?.collation ?? 0,
    };
    const column = {
      name: this.field ?? this.variable.name,
      typeOid: current.typeOid,
      typmod: current.typmod,
      collation: current.collation,
    } as ColumnDescriptor;
    const expr = assignToColumn(scope, value, column, steps, current, undefined);
    assignCollations(scope, expr);
    this.typeOid = expr.typeOid;
    const compiler = new ExpressionCompiler(null, session.resolver, {
      parameter: (number) => this.references[number - 1].read,
      newSlot: () => this.code.slotCount++,
      variable: () => () => null,
    });
    this.run = compiler.compile(expr);
    this.generation = this.code.generation;
    activation.origin = null;
  }
}
