/** Catalog functions, bound late: the functions need the catalog, and the catalog's own services need functions. */
import { internalError } from '../base/error.ts';
import type {
  CallSite,
  CatalogFunctionName,
  DatumFunction,
  FunctionContext,
  HostFunctions,
} from '../sql/functions/contract.ts';
import type { Datum } from '../types/datum.ts';

export class CatalogFunctionsPort implements HostFunctions<CatalogFunctionName> {
  private target: HostFunctions<CatalogFunctionName> | null = null;

  connect(target: HostFunctions<CatalogFunctionName>): void {
    this.target = target;
  }

  bind(name: CatalogFunctionName, context: FunctionContext, site: CallSite): DatumFunction {
    return this.connected().bind(name, context, site);
  }

  bindSet(
    name: CatalogFunctionName,
    context: FunctionContext,
    site: CallSite,
  ): (...args: Datum[]) => Iterable<Datum | readonly Datum[]> {
    const target = this.connected();
    if (target.bindSet === undefined) throw internalError(`no set-returning catalog function ${name}`);
    return target.bindSet(name, context, site);
  }

  private connected(): HostFunctions<CatalogFunctionName> {
    if (this.target === null) throw internalError('catalog functions are not connected');
    return this.target;
  }
}
