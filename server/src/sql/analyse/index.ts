export { SYSTEM_COLUMNS, systemColumnName } from './columns.ts';
export type { ExpressionKind } from './scope.ts';
export {
  type AnalyseOptions,
  analyseExpression,
  analyseQuery,
  analyseStatement,
  type ExpressionOptions,
} from './statement.ts';
export {
  formatType,
  formatTypeWithTypmod,
  resolveTypeName,
  type TypeReference,
  typmodIn,
} from './type-name.ts';
