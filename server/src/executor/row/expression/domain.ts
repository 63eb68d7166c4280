/** Casts to domains: the value stays, the domain's constraints are checked. */
import { DbError } from '../../../base/error.ts';
import type { DomainCastExpr } from '../../../sql/tree.ts';
import { parseExpr } from '../../../sql/tree-json.ts';
import type { Datum } from '../../../types/datum.ts';
import { type Compiled, dynamic, type ExpressionCompiler } from './compile.ts';

/** Errors    23502 for NULL in a NOT NULL domain, 23514 for a value that fails a check. */
export function compileDomainCast(compiler: ExpressionCompiler, expr: DomainCastExpr): Compiled {
  const rules = compiler.resolver.domainRules?.(expr.typeOid) ?? [];
  if (rules.length === 0) return compiler.node(expr.arg);
  const arg = compiler.node(expr.arg).run;
  const cell: { value: Datum } = { value: null };
  compiler.caseCells.push(cell);
  const checks = rules.map((rule) => ({
    rule,
    run: rule.expression === null ? null : compiler.node(parseExpr(rule.expression)).run,
  }));
  compiler.caseCells.pop();
  return dynamic((frame) => {
    const value = arg(frame);
    for (const { rule, run } of checks) {
      cell.value = value;
      const names = { schema: rule.schemaName, dataType: rule.domainName };
      if (run === null) {
        if (value === null)
          throw new DbError(
            'not_null_violation',
            `domain ${rule.domainName} does not allow null values`,
            names,
          );
      } else if (run(frame) === false)
        throw new DbError(
          'check_violation',
          `value for domain ${rule.domainName} violates check constraint "${rule.constraintName}"`,
          { ...names, constraint: rule.constraintName },
        );
    }
    return value;
  });
}
