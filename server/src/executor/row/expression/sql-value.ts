/** CURRENT_DATE, CURRENT_USER and the other values the grammar spells without parentheses. */
import type { SqlValueExpr } from '../../../sql/tree.ts';
import { type Compiled, dynamic, type ExpressionCompiler } from './compile.ts';

const TIMESTAMPTZ = 1184;

export function compileSqlValue(compiler: ExpressionCompiler, expr: SqlValueExpr): Compiled {
  const { resolver } = compiler;
  const { context } = resolver;
  const convert = (source: string, scale: string): Compiled => {
    const cast = resolver.builtin(source, site([TIMESTAMPTZ], expr.typeOid));
    if (expr.typmod < 0) return dynamic(() => cast(context.transactionTimestamp));
    const round = resolver.builtin(scale, site([expr.typeOid, 23], expr.typeOid));
    return dynamic(() => round(cast(context.transactionTimestamp), expr.typmod));
  };
  switch (expr.op) {
    case 'current_date': {
      const cast = resolver.builtin('timestamptz_date', site([TIMESTAMPTZ], 1082));
      return dynamic(() => cast(context.transactionTimestamp));
    }
    case 'current_timestamp': {
      if (expr.typmod < 0) return dynamic(() => context.transactionTimestamp);
      const round = resolver.builtin('timestamptz_scale', site([TIMESTAMPTZ, 23], TIMESTAMPTZ));
      return dynamic(() => round(context.transactionTimestamp, expr.typmod));
    }
    case 'current_time':
      return convert('timestamptz_timetz', 'timetz_scale');
    case 'localtime':
      return convert('timestamptz_time', 'time_scale');
    case 'localtimestamp':
      return convert('timestamptz_timestamp', 'timestamp_scale');
    case 'current_role':
    case 'current_user':
    case 'user':
      return dynamic(() => context.session.currentUser);
    case 'session_user':
      return dynamic(() => context.session.sessionUser);
    case 'current_catalog':
      return dynamic(() => context.session.database);
    case 'current_schema':
      return dynamic(() => context.session.searchPath(false)[0] ?? null);
  }
}

function site(argumentTypes: number[], resultType: number) {
  return { argumentTypes, resultType, variadic: false, collation: 0 };
}
