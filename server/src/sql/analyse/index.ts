export { formatType, resolveTypeName, typmodIn, type TypeReference } from './type-name.ts';
export { SYSTEM_COLUMNS, systemColumnName } from './columns.ts';
export type { ExpressionKind } from './scope.ts';
export {
  type AnalyseOptions,
  analyseExpression,
  analyseQuery,
  analyseStatement,
  type ExpressionOptions,
} from './statement.ts';
