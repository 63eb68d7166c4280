/** Types of $n: declared by the client, or found from their first use. */
import type { Oid } from '../../base/brands.ts';
import { DbError } from '../../base/error.ts';
import type { ParamExpr } from '../tree.ts';
import { UNKNOWN } from './oids.ts';

const PARAMETER_NUMBER_MAX = 65535;

export class ParameterTypes {
  /** By number - 1; 0 = not seen and not declared, UNKNOWN = seen, not yet decided. */
  readonly types: Oid[];
  readonly #isVariable: boolean;
  readonly #nodes: ParamExpr[] = [];

  /** `isVariable` false: only the declared ones exist (statements without parameters). */
  constructor(declared: readonly Oid[], isVariable: boolean) {
    this.types = [...declared];
    this.#isVariable = isVariable;
  }

  reference(number: number, position: number | undefined): ParamExpr {
    if (number <= 0 || number > PARAMETER_NUMBER_MAX || (!this.#isVariable && !this.types[number - 1]))
      throw new DbError('undefined_parameter', `there is no parameter $${number}`).at(position);
    while (this.types.length < number) this.types.push(0);
    if (this.types[number - 1] === 0) this.types[number - 1] = UNKNOWN;
    const node: ParamExpr = {
      kind: 'param',
      number,
      typeOid: this.types[number - 1],
      typmod: -1,
      collation: 0,
      position,
    };
    this.#nodes.push(node);
    return node;
  }

  /** Gives an unknown parameter the type its context asks for; changes the node in place. */
  decide(
    node: ParamExpr,
    target: { typeOid: Oid; collation: Oid },
    describe: (oid: Oid) => string,
    position: number | undefined,
  ): void {
    const known = this.types[node.number - 1];
    if (known === UNKNOWN || known === 0) this.types[node.number - 1] = target.typeOid;
    else if (known !== target.typeOid)
      throw new DbError('ambiguous_parameter', `inconsistent types deduced for parameter $${node.number}`, {
        detail: `${describe(known)} versus ${describe(target.typeOid)}`,
      }).at(node.position ?? position);
    node.typeOid = target.typeOid;
    node.typmod = -1;
    node.collation = target.collation;
    if (position !== undefined && node.position === undefined) node.position = position;
  }

  /** After analysis: every parameter seen must have one type. */
  finish(): Oid[] {
    for (const node of this.#nodes) {
      if (node.typeOid !== this.types[node.number - 1])
        throw new DbError(
          'ambiguous_parameter',
          `could not determine data type of parameter $${node.number}`,
        ).at(node.position);
    }
    this.types.forEach((type, index) => {
      if (type === UNKNOWN || type === 0)
        throw new DbError(
          'indeterminate_datatype',
          `could not determine data type of parameter $${index + 1}`,
        );
    });
    return this.types;
  }
}
