/** Names in the body of a SQL function: its arguments, where no column has the name. */
import type { Oid } from '../../base/brands.ts';
import type { FunctionDescriptor } from '../../catalog/contract.ts';
import { missingField, selectField } from '../analyse/columns.ts';
import type { NameHook, Scope } from '../analyse/scope.ts';
import type { Expr } from '../tree.ts';

/** Resolves names as arguments of `descriptor`, whose actual types are given. */
export function argumentHook(descriptor: FunctionDescriptor, argumentTypes: readonly Oid[]): NameHook {
  const modes = descriptor.argumentModes ?? descriptor.argumentTypes.map(() => 'i');
  const names: string[] = [];
  modes.forEach((mode, index) => {
    if (mode === 'i' || mode === 'b' || mode === 'v') names.push(descriptor.argumentNames?.[index] ?? '');
  });
  const argument = (scope: Scope, name: string, position: number | undefined): Expr | null => {
    const index = name === '' ? -1 : names.indexOf(name);
    if (index < 0) return null;
    const typeOid = argumentTypes[index];
    return {
      kind: 'param',
      number: index + 1,
      typeOid,
      typmod: -1,
      collation: scope.catalog.type(typeOid)?.collation ?? 0,
      position,
    };
  };
  return {
    resolve(scope, parts, isStar, position, column) {
      if (column !== null) return null;
      const [first, second, third] = parts;
      let found: Expr | null = null;
      let rest: string[];
      if (
        parts.length > 1 &&
        first === descriptor.name &&
        (found = argument(scope, second, position)) !== null
      )
        rest = third === undefined ? [] : [third];
      else {
        found = argument(scope, first, position);
        rest = parts.slice(1) as string[];
      }
      if (found === null || rest.length > 1) return null;
      if (rest.length === 0) return found;
      void isStar;
      const field = selectField(scope, found, rest[0], position);
      if (field === null) throw missingField(scope, found, rest[0], position);
      return field;
    },
    fieldsOf: () => null,
  };
}
