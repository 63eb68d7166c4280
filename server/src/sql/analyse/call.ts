/** CALL: which procedure, what goes in, and which arguments take what comes out. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { FunctionDescriptor } from '../../catalog/contract.ts';
import type { FuncCall, Node } from '../parse/ast.ts';
import { positionOf } from '../parse/ast.ts';
import type { CallStmt } from '../parse/nodes.ts';
import type { Expr } from '../tree.ts';
import { assignCollations } from './collations.ts';
import { transformExpr } from './expressions.ts';
import { makeCall, namedArgument } from './functions.ts';
import { ParameterTypes } from './parameters.ts';
import { Scope } from './scope.ts';
import type { AnalyseOptions } from './statement.ts';

export interface AnalysedCall {
  descriptor: FunctionDescriptor;
  /** Input arguments in order, cast to what the procedure takes. */
  inputs: Expr[];
  /** Actual types of all arguments, outputs included, where polymorphic ones are settled. */
  argumentTypes: Oid[];
  /** Output arguments (INOUT and OUT) in order, as written by the caller. */
  outputs: { name: string; typeOid: Oid; expr: Expr | null }[];
}

/** Analyses a CALL. Errors as for function calls, in terms of procedures. */
export function analyseCall(statement: CallStmt, options: AnalyseOptions): AnalysedCall {
  const scope = new Scope(
    {
      catalog: options.catalog,
      path: options.path,
      format: options.format,
      parameters:
        options.parameters ??
        new ParameterTypes(options.parameterTypes ?? [], options.parameterTypes !== undefined),
      ...(options.names === undefined ? {} : { names: options.names }),
    },
    null,
  );
  scope.kind = 'call';
  const call = statement.funccall as FuncCall;
  const args: Expr[] = [];
  const argumentNames: (string | null)[] = [];
  for (const node of call.args ?? []) {
    const named = namedArgument(node);
    args.push(transformExpr(scope, (named ? named.arg : node) as Node));
    argumentNames.push(named ? named.name : null);
  }
  const position = positionOf(call.location);
  const written = [...args];
  const node = makeCall(
    scope,
    call,
    { args, argumentNames, filter: null, orderedCount: 0, lastSetReturningBefore: null },
    position,
    true,
  );
  if (node.kind !== 'function')
    throw new DbError('wrong_object_type', 'a cast cannot be called as a procedure').at(position);
  assignCollations(scope, node);
  const descriptor = scope.catalog.function(node.functionOid)!;
  const modes = descriptor.argumentModes ?? descriptor.argumentTypes.map(() => 'i');
  const inputs: Expr[] = [];
  const outputs: AnalysedCall['outputs'] = [];
  // Which written argument stands for a declared one.
  const writtenFor = (index: number): Expr | null => {
    const name = descriptor.argumentNames?.[index] ?? '';
    const byName = name === '' ? -1 : argumentNames.indexOf(name);
    if (byName >= 0) return written[byName];
    return index < written.length && argumentNames[index] === null ? written[index] : null;
  };
  modes.forEach((mode, index) => {
    const expr = node.args[index];
    if (mode !== 'o' && expr !== undefined) inputs.push(expr);
    if (mode === 'o' || mode === 'b')
      outputs.push({
        name: descriptor.argumentNames?.[index] ?? '',
        typeOid: expr?.typeOid ?? descriptor.allArgumentTypes?.[index] ?? 0,
        expr: writtenFor(index),
      });
  });
  scope.context.parameters.finish();
  return { descriptor, inputs, argumentTypes: node.args.map(({ typeOid }) => typeOid), outputs };
}
