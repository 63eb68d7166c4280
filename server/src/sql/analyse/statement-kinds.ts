/** Which raw statements are queries, and who analyses them. */
import { internalError } from '../../base/error.ts';
import type { DeleteStmt, InsertStmt, MergeStmt, Node, SelectStmt, UpdateStmt } from '../parse/ast.ts';
import { tagOf } from '../parse/ast.ts';
import type { Query } from '../tree.ts';
import { analyseInsert } from './insert.ts';
import { analyseMerge } from './merge.ts';
import type { Scope } from './scope.ts';
import { analyseSelect } from './select.ts';
import { analyseDelete, analyseUpdate } from './update.ts';

const QUERY_TAGS = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

export function isQueryTag(tag: string): boolean {
  return QUERY_TAGS.has(tag);
}

export function analyseModification(scope: Scope, node: Node): Query {
  const tag = tagOf(node);
  const content = (node as unknown as Record<string, unknown>)[tag];
  switch (tag) {
    case 'InsertStmt':
      return analyseInsert(scope, content as InsertStmt);
    case 'UpdateStmt':
      return analyseUpdate(scope, content as UpdateStmt);
    case 'DeleteStmt':
      return analyseDelete(scope, content as DeleteStmt);
    case 'MergeStmt':
      return analyseMerge(scope, content as MergeStmt);
    default:
      throw internalError(`${tag} is not a data-modifying statement`);
  }
}

/** Any optimisable statement, at the level `scope`. */
export function analyseQueryNode(scope: Scope, node: Node): Query {
  return 'SelectStmt' in node
    ? analyseSelect(scope, node.SelectStmt as SelectStmt)
    : analyseModification(scope, node);
}
