/** Syntax trees of jsonpath. */
import { OpaqueDatum } from '../datum.ts';
import type { Numeric } from '../numeric.ts';
import { OID } from '../oid.ts';

/** Depth of `**` that stands for `last`. */
export const LAST_LEVEL = 0xffffffff;

export type ComparisonOperator = '==' | '!=' | '<' | '>' | '<=' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type MethodName = 'abs' | 'size' | 'type' | 'floor' | 'double' | 'ceiling' | 'keyvalue';

export interface RegexOptions {
  readonly ignoreCase: boolean;
  readonly dotMatchesNewline: boolean;
  readonly multiLine: boolean;
  /** Accepted beside `isLiteral` only, where it means nothing. */
  readonly isExpanded: boolean;
  readonly isLiteral: boolean;
}

export type PathItem =
  | { readonly kind: 'null' | 'root' | 'current' | 'last' | 'anyKey' | 'anyArray' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'numeric'; readonly value: Numeric }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'index'; readonly subscripts: readonly { from: PathStep; to: PathStep | null }[] }
  | { readonly kind: 'any'; readonly first: number; readonly last: number }
  | { readonly kind: 'filter'; readonly predicate: PathStep }
  | { readonly kind: 'method'; readonly name: MethodName }
  | { readonly kind: 'datetime'; readonly template: string | null }
  | {
      readonly kind: 'logic';
      readonly operator: '&&' | '||';
      readonly left: PathStep;
      readonly right: PathStep;
    }
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: PathStep;
      readonly right: PathStep;
    }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: PathStep;
      readonly right: PathStep;
    }
  | { readonly kind: 'sign'; readonly operator: '+' | '-'; readonly operand: PathStep }
  | { readonly kind: 'not' | 'isUnknown' | 'exists'; readonly operand: PathStep }
  | { readonly kind: 'startsWith'; readonly left: PathStep; readonly right: PathStep }
  | {
      readonly kind: 'likeRegex';
      readonly operand: PathStep;
      readonly pattern: string;
      readonly options: RegexOptions;
    };

/** One item and what is applied to its result. */
export interface PathStep {
  readonly item: PathItem;
  next: PathStep | null;
}

/** A jsonpath value. */
export class JsonPath extends OpaqueDatum {
  readonly typeOid = OID.JSONPATH;
  readonly isLax: boolean;
  readonly root: PathStep;
  constructor(isLax: boolean, root: PathStep) {
    super();
    this.isLax = isLax;
    this.root = root;
  }
}
