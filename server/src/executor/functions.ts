/** How the executor finds what a function OID means: a thin layer over the catalog and the builtin library. */
import type { Oid } from '../base/brands.ts';
import { DbError, notSupported } from '../base/error.ts';
import type {
  AggregateDescriptor,
  CatalogReader,
  DomainRule,
  FunctionDescriptor,
} from '../catalog/contract.ts';
import type {
  AggregateFunction,
  BoundAggregate,
  BoundWindowFunction,
  CallSite,
  DatumFunction,
  FunctionContext,
  ScalarFunction,
  SetFunction,
  WindowFunction,
} from '../sql/functions/contract.ts';
import type { TypeSupport } from '../types/contract.ts';
import type { Datum } from '../types/datum.ts';
import type { ShippedFunction } from './offload/messages.ts';
import { isShippableSource } from './offload/shippable.ts';
import type { BoundRoutine, RoutineHost } from './routines.ts';
import type { OffloadHost } from './row/expression/offload.ts';

export interface ResolvedFunction {
  readonly call: DatumFunction;
  readonly strict: boolean;
  readonly volatility: 'i' | 's' | 'v';
  /** pg_proc.prosrc: the expression compiler has short cuts for well-known ones. */
  readonly source: string;
  /** Set for functions in SQL and PL/pgSQL: called through invocations, because they may suspend. `call` then runs to the end. */
  readonly routine?: BoundRoutine;
}

export interface ResolvedSetFunction {
  readonly call: (...args: Datum[]) => Iterable<Datum | readonly Datum[]>;
  /** Items are rows, not values. */
  readonly columns: boolean;
  /** Type and columns of those rows, for calls whose result is one value. */
  rowShape?(): RowShape;
  readonly strict: boolean;
}

/** What a row needs to be a value of its own. */
export interface RowShape {
  readonly typeOid: Oid;
  readonly types: readonly Oid[];
  readonly names: readonly string[];
}

export interface ResolvedWindowFunction {
  readonly bound: BoundWindowFunction;
  readonly usesFrame: boolean;
}

export interface FunctionResolver {
  readonly context: FunctionContext;
  typeSupport(oid: Oid): TypeSupport;
  scalar(functionOid: Oid, site: CallSite): ResolvedFunction;
  /** Library function by name, for what the grammar spells without a catalog function. */
  builtin(source: string, site: CallSite): DatumFunction;
  set(functionOid: Oid, site: CallSite): ResolvedSetFunction;
  aggregate(aggregateOid: Oid, site: CallSite): BoundAggregate;
  window(functionOid: Oid, site: CallSite): ResolvedWindowFunction;
  /** Function behind an operator. */
  operatorFunction(operatorOid: Oid): Oid;
  operatorName(operatorOid: Oid): string;
  volatility(functionOid: Oid): 'i' | 's' | 'v';
  /** Written in SQL or PL/pgSQL: its calls may suspend. */
  isRoutine?(functionOid: Oid): boolean;
  /** Columns of a composite type. */
  compositeShape?(typeOid: Oid): RowShape | null;
  /** What a worker must know of a function to call it; null = it can only be called here. Absent = nothing is evaluated elsewhere. */
  shipped?(functionOid: Oid): ShippedFunction | null;
  readonly offload?: OffloadHost;
  /** What a domain's values must satisfy; absent where there are no domains. */
  domainRules?(typeOid: Oid): readonly DomainRule[];
}

/** The builtin functions, as `sql/functions/index.ts` exports them. */
export interface FunctionLibrary {
  scalarFunction(source: string): ScalarFunction | undefined;
  setFunction(source: string): SetFunction | undefined;
  aggregateFunction(oid: Oid): AggregateFunction | undefined;
  windowFunction(source: string): WindowFunction | undefined;
}

/** Functions written by users (SQL, PL/pgSQL) come from a room above. */
export type UserFunctionBinder = (
  descriptor: FunctionDescriptor,
  site: CallSite,
  context: FunctionContext,
) => DatumFunction;

const FIRST_USER_OID = 16384;
const INTERNAL_LANGUAGES = new Set(['internal', 'c']);

export class CatalogFunctionResolver implements FunctionResolver {
  readonly context: FunctionContext;
  readonly offload?: OffloadHost;
  private readonly catalog: () => CatalogReader;
  private readonly library: FunctionLibrary;
  private readonly userFunction: UserFunctionBinder | null;
  private readonly routines: RoutineHost | null;
  /** Whose EXECUTE privilege builtin functions are checked against; null = nobody's. */
  private readonly currentRole: (() => Oid) | null;

  constructor(
    catalog: () => CatalogReader,
    library: FunctionLibrary,
    context: FunctionContext,
    userFunction: UserFunctionBinder | null = null,
    routines: RoutineHost | null = null,
    currentRole: (() => Oid) | null = null,
    offload: OffloadHost | null = null,
  ) {
    if (offload !== null) this.offload = offload;
    this.catalog = catalog;
    this.library = library;
    this.context = context;
    this.userFunction = userFunction;
    this.routines = routines;
    this.currentRole = currentRole;
  }

  /** Functions of users check it themselves, at every call. */
  private requireExecute(descriptor: FunctionDescriptor, word = 'function'): void {
    if (this.currentRole === null) return;
    if (this.catalog().hasFunctionPrivilege?.(this.currentRole(), descriptor.oid) === false)
      throw new DbError('insufficient_privilege', `permission denied for ${word} ${descriptor.name}`);
  }

  isRoutine(functionOid: Oid): boolean {
    if (functionOid < FIRST_USER_OID) return false;
    const language = this.catalog().function(functionOid)?.language;
    return language !== undefined && !INTERNAL_LANGUAGES.has(language);
  }

  typeSupport(oid: Oid): TypeSupport {
    return this.context.typeSupport(oid);
  }

  domainRules(typeOid: Oid): readonly DomainRule[] {
    return this.catalog().type(typeOid)?.domainRules ?? [];
  }

  shipped(functionOid: Oid): ShippedFunction | null {
    const descriptor = this.catalog().function(functionOid);
    if (descriptor === null || descriptor.volatility === 'v') return null;
    const isInternal = INTERNAL_LANGUAGES.has(descriptor.language);
    if (!isInternal && functionOid >= FIRST_USER_OID) return null;
    const source = isInternal ? descriptor.source : `#${functionOid}`;
    if (!isShippableSource(source) || this.library.scalarFunction(source) === undefined) return null;
    const { strict, volatility } = descriptor;
    return { oid: functionOid, source, strict, volatility };
  }

  volatility(functionOid: Oid): 'i' | 's' | 'v' {
    return this.catalog().function(functionOid)?.volatility ?? 'v';
  }

  private descriptor(functionOid: Oid): FunctionDescriptor {
    const descriptor = this.catalog().function(functionOid);
    if (descriptor === null) {
      throw new DbError('undefined_function', `cache lookup failed for function ${functionOid}`);
    }
    return descriptor;
  }

  scalar(functionOid: Oid, site: CallSite): ResolvedFunction {
    const descriptor = this.descriptor(functionOid);
    const { strict, volatility } = descriptor;
    // Builtin functions written in SQL have an implementation under their OID.
    const isBuiltinSql = !INTERNAL_LANGUAGES.has(descriptor.language) && functionOid < FIRST_USER_OID;
    const source = isBuiltinSql ? `#${functionOid}` : descriptor.source;
    if (!isBuiltinSql && !INTERNAL_LANGUAGES.has(descriptor.language)) {
      if (this.routines !== null) {
        const routine = this.routines.bind(descriptor, site);
        return { call: (...args) => routine.start(args).run(), strict, volatility, source: '', routine };
      }
      if (this.userFunction === null) {
        throw notSupported(`function "${descriptor.name}" in language ${descriptor.language}`);
      }
      return { call: this.userFunction(descriptor, site, this.context), strict, volatility, source: '' };
    }
    this.requireExecute(descriptor);
    const implementation = this.library.scalarFunction(source);
    if (implementation === undefined) throw notSupported(`function ${descriptor.name}`);
    const call = implementation.pure ?? implementation.make(this.context, site);
    return { call, strict, volatility, source };
  }

  builtin(source: string, site: CallSite): DatumFunction {
    const implementation = this.library.scalarFunction(source);
    if (implementation === undefined) throw notSupported(`function ${source}`);
    return implementation.pure ?? implementation.make(this.context, site);
  }

  set(functionOid: Oid, site: CallSite): ResolvedSetFunction {
    const descriptor = this.descriptor(functionOid);
    if (this.routines !== null && this.isRoutine(functionOid)) {
      const routine = this.routines.bind(descriptor, site);
      return {
        call: (...args) => ({ [Symbol.iterator]: () => routine.startSet(args) }),
        columns: false,
        strict: descriptor.strict,
      };
    }
    this.requireExecute(descriptor);
    const source = INTERNAL_LANGUAGES.has(descriptor.language) ? descriptor.source : `#${functionOid}`;
    const implementation = this.library.setFunction(source);
    if (implementation === undefined) throw notSupported(`function ${descriptor.name}`);
    return {
      call: implementation.make(this.context, site),
      columns: implementation.columns,
      strict: descriptor.strict,
      rowShape: () => this.rowShape(descriptor, site),
    };
  }

  compositeShape(typeOid: Oid): RowShape | null {
    const catalog = this.catalog();
    const relation = catalog.relation(catalog.type(typeOid)?.relationOid ?? 0);
    if (relation === null) return null;
    const columns = relation.columns.filter((column) => !column.dropped);
    return {
      typeOid,
      types: columns.map((column) => column.typeOid),
      names: columns.map((column) => column.name),
    };
  }

  private rowShape(descriptor: FunctionDescriptor, site: CallSite): RowShape {
    const composite = this.compositeShape(site.resultType);
    if (composite !== null) return composite;
    const types: Oid[] = [];
    const names: string[] = [];
    descriptor.argumentModes?.forEach((mode, index) => {
      if (mode !== 'o' && mode !== 'b' && mode !== 't') return;
      types.push(descriptor.allArgumentTypes![index]!);
      names.push(descriptor.argumentNames?.[index] || `column${names.length + 1}`);
    });
    return { typeOid: site.resultType, types, names };
  }

  aggregate(aggregateOid: Oid, site: CallSite): BoundAggregate {
    const known = this.currentRole === null ? null : this.catalog().function(aggregateOid);
    if (known !== null) this.requireExecute(known, 'aggregate');
    const implementation = this.library.aggregateFunction(aggregateOid);
    if (implementation === undefined) {
      const { aggregate } = this.descriptor(aggregateOid);
      if (aggregateOid >= FIRST_USER_OID && aggregate !== null)
        return bindUserAggregate(this, aggregate, site, this.context);
      throw notSupported(`aggregate ${this.descriptor(aggregateOid).name}`);
    }
    return implementation.make(this.context, site);
  }

  window(functionOid: Oid, site: CallSite): ResolvedWindowFunction {
    const descriptor = this.descriptor(functionOid);
    const implementation = this.library.windowFunction(descriptor.source);
    if (implementation === undefined) throw notSupported(`window function ${descriptor.name}`);
    return { bound: implementation.make(this.context, site), usesFrame: implementation.usesFrame };
  }

  operatorFunction(operatorOid: Oid): Oid {
    const operator = this.catalog().operator(operatorOid);
    if (operator === null) {
      throw new DbError('undefined_function', `cache lookup failed for operator ${operatorOid}`);
    }
    return operator.functionOid;
  }

  operatorName(operatorOid: Oid): string {
    return this.catalog().operator(operatorOid)?.name ?? '';
  }
}

interface UserAggregateState {
  value: Datum;
  /** False until the first row with values, for strict transition functions without a start value. */
  isStarted: boolean;
}

/** An aggregate of CREATE AGGREGATE: its transition and final functions called like any other. */
function bindUserAggregate(
  resolver: CatalogFunctionResolver,
  aggregate: AggregateDescriptor,
  site: CallSite,
  context: FunctionContext,
): BoundAggregate {
  const { transitionType } = aggregate;
  const transition = resolver.scalar(aggregate.transitionFunction, {
    argumentTypes: [transitionType, ...site.argumentTypes],
    resultType: transitionType,
    variadic: false,
    collation: site.collation,
  });
  const final =
    aggregate.finalFunction === 0
      ? null
      : resolver.scalar(aggregate.finalFunction, {
          argumentTypes: [transitionType],
          resultType: site.resultType,
          variadic: false,
          collation: site.collation,
        });
  const initial =
    aggregate.initialValue === null
      ? null
      : resolver.typeSupport(transitionType).input(aggregate.initialValue, -1, context.format);
  return {
    // The caller skips rows with NULLs only where the transition function would not see them.
    strict: transition.strict,
    createState: (): UserAggregateState => ({ value: initial, isStarted: initial !== null }),
    step(state, ...args) {
      const own = state as UserAggregateState;
      if (transition.strict) {
        if (!own.isStarted) {
          // The first value is the state.
          own.value = args[0] ?? null;
          own.isStarted = true;
          return;
        }
        if (own.value === null) return;
      }
      own.value = transition.call(own.value, ...args);
    },
    final(state) {
      const { value } = state as UserAggregateState;
      if (final === null) return value;
      return final.strict && value === null ? null : final.call(value);
    },
  };
}
