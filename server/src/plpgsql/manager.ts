/**
 * The functions of one session: compiles them when they are first called, keeps them while their definition stays, and runs their calls.
 *
 * One per session; the executor sees it as its RoutineHost.
 */
import type { Oid } from '../base/brands.ts';
import { DbError, notSupported } from '../base/error.ts';
import { SuspendSignal } from '../base/suspend.ts';
import type { FunctionDescriptor, RelationDescriptor, TriggerDescriptor } from '../catalog/contract.ts';
import type { BoundRoutine, Invocation, RoutineHost, TriggerCall } from '../executor/routines.ts';
import type { AnalysedCall } from '../sql/analyse/call.ts';
import { isPolymorphic } from '../sql/analyse/oids.ts';
import { formatType } from '../sql/analyse/type-name.ts';
import type { CallSite } from '../sql/functions/contract.ts';
import { type Datum, SqlRecord } from '../types/datum.ts';
import { Activation } from './activation.ts';
import { CastLibrary } from './casts.ts';
import type { Code } from './code.ts';
import { FunctionCompiler } from './compile.ts';
import type { RoutineSession } from './contract.ts';
import { finishResult } from './returns.ts';
import { SqlBody, SqlCall } from './sql-function.ts';
import type { DynamicPlan } from './sql-statements.ts';
import { addContext, CallStack, stackDepthExceeded } from './stack.ts';
import { TriggerInvocation } from './trigger.ts';

const TICKS_PER_LOOK = 128;
const DYNAMIC_PLANS_MAX = 500;
const CODES_MAX = 1000;
const VOID = 2278;
const TRIGGER = 2279;

interface KeptCode<T> {
  readonly descriptor: FunctionDescriptor;
  readonly code: T;
}

export class RoutineManager implements RoutineHost {
  readonly session: RoutineSession;
  readonly stack = new CallStack();
  readonly casts: CastLibrary;
  ticks = TICKS_PER_LOOK;
  private readonly codes = new Map<string, KeptCode<Code>>();
  private readonly triggerCodes = new WeakMap<
    TriggerDescriptor,
    { descriptor: FunctionDescriptor; relation: RelationDescriptor; code: Code }
  >();
  private readonly bodies = new Map<string, KeptCode<SqlBody>>();
  private readonly dynamicPlans = new Map<string, DynamicPlan>();
  private dynamicKey = 0;
  private readonly activations: Activation[] = [];

  constructor(session: RoutineSession) {
    this.session = session;
    this.casts = new CastLibrary(session);
  }

  // -------------------------------------------------------------------------------------------------------- binding

  bind(descriptor: FunctionDescriptor, site: CallSite): BoundRoutine {
    this.checkPrivilege(descriptor);
    const { argumentTypes, resultType, columns } = site;
    if (descriptor.language === 'sql') {
      let known: SqlBody | null = null;
      const body = (): SqlBody =>
        (known ??= this.sqlBody(descriptor, argumentTypes, resultType, columns ?? null));
      return {
        start: (args) => new SqlCall(this, body(), args),
        startSet: (args) => new SqlCall(this, body(), args).iterator(),
      };
    }
    if (descriptor.language === 'plpgsql') {
      // The place of the call is made anew when the function changes.
      let known: Code | null = null;
      const code = (): Code => (known ??= this.code(descriptor, argumentTypes, resultType, columns ?? null));
      return {
        start: (args) => this.activation(code(), args, true),
        startSet: (args) => new ResultIterator(this.activation(code(), args, true)),
      };
    }
    throw notSupported(`function "${descriptor.name}" in language ${descriptor.language}`);
  }

  startTrigger(functionOid: Oid, call: TriggerCall): Invocation {
    const { trigger } = call;
    const descriptor = this.session.catalog().function(functionOid);
    const known = this.triggerCodes.get(trigger);
    if (known !== undefined && known.descriptor === descriptor && known.relation === call.relation)
      return new TriggerInvocation(this, known.code, call);
    if (descriptor === null)
      throw new DbError('undefined_function', `cache lookup failed for function ${functionOid}`);
    if (descriptor.language !== 'plpgsql') return builtinTrigger(descriptor, call);
    const code = this.triggerCode(descriptor, trigger.oid, call.relation.rowTypeOid);
    this.triggerCodes.set(trigger, { descriptor, relation: call.relation, code });
    return new TriggerInvocation(this, code, call);
  }

  /** A procedure of a CALL; answers its output arguments as a row. */
  bindProcedure(call: AnalysedCall): (args: readonly Datum[], isAtomic: boolean) => Invocation {
    const { descriptor } = call;
    this.checkPrivilege(descriptor);
    const types = call.inputs.map(({ typeOid }) => typeOid);
    return (args, isAtomic) => {
      if (descriptor.language === 'sql')
        return new SqlCall(this, this.sqlBody(descriptor, types, descriptor.returnType, null), args);
      if (descriptor.language !== 'plpgsql')
        throw notSupported(`procedure "${descriptor.name}" in language ${descriptor.language}`);
      // A procedure with rights or settings of its own may not end the transaction they belong to.
      const isBound = descriptor.securityDefiner || descriptor.settings !== null;
      return this.activation(
        this.code(descriptor, types, descriptor.returnType, null),
        args,
        isAtomic || isBound,
      );
    };
  }

  /** The body of a DO. */
  block(source: string, isAtomic: boolean): Invocation {
    const compiler = new FunctionCompiler(this.session, {
      descriptor: null,
      signature: 'inline_code_block',
      source,
      name: 'inline_code_block',
      argumentTypes: [],
      resultType: VOID,
      triggerRow: null,
      isTrigger: false,
      columns: null,
    });
    return this.activation(compiler.code, [], isAtomic);
  }

  activation(code: Code, args: readonly Datum[], isAtomic: boolean): Activation {
    const activation = new Activation(this, code, { args, isAtomic });
    activation.finish = finishResult;
    return activation;
  }

  /** A trigger's call, its frame filled but for the rows. */
  triggerActivation(code: Code, first: readonly Datum[]): Activation {
    const activation = new Activation(this, code, { first, isAtomic: true });
    activation.finish = finishResult;
    return activation;
  }

  private checkPrivilege(descriptor: FunctionDescriptor): void {
    const catalog = this.session.catalog();
    if (catalog.hasFunctionPrivilege?.(this.session.currentRole(), descriptor.oid) === false)
      throw new DbError(
        'insufficient_privilege',
        `permission denied for ${descriptor.kind === 'p' ? 'procedure' : 'function'} ${descriptor.name}`,
      );
  }

  // ------------------------------------------------------------------------------------------------------ compilation

  private code(
    descriptor: FunctionDescriptor,
    argumentTypes: readonly Oid[],
    resultType: Oid,
    columns: CallSite['columns'] | null,
  ): Code {
    const key = `${descriptor.oid}:${argumentTypes.join(',')}:${resultType}:${columns === null || columns === undefined ? '' : JSON.stringify(columns)}`;
    const kept = this.codes.get(key);
    if (kept !== undefined && kept.descriptor === descriptor) return kept.code;
    const code = this.compile(descriptor, argumentTypes, resultType, null, columns ?? null);
    this.keep(key, descriptor, code);
    return code;
  }

  private keep(key: string, descriptor: FunctionDescriptor, code: Code): void {
    if (this.codes.size >= CODES_MAX) this.codes.clear();
    this.codes.set(key, { descriptor, code });
  }

  /** The code of a trigger function for one trigger. */
  triggerCode(descriptor: FunctionDescriptor, triggerOid: Oid, rowTypeOid: Oid): Code {
    const key = `${descriptor.oid}:trigger:${triggerOid}:${rowTypeOid}`;
    const kept = this.codes.get(key);
    if (kept !== undefined && kept.descriptor === descriptor) return kept.code;
    const code = this.compile(descriptor, [], TRIGGER, rowTypeOid, null);
    this.keep(key, descriptor, code);
    return code;
  }

  private compile(
    descriptor: FunctionDescriptor,
    argumentTypes: readonly Oid[],
    resultType: Oid,
    triggerRow: Oid | null,
    columns: NonNullable<CallSite['columns']> | null,
  ): Code {
    const isTrigger = descriptor.returnType === TRIGGER;
    if (isTrigger && triggerRow === null)
      throw new DbError('feature_not_supported', 'trigger functions can only be called as triggers');
    try {
      return new FunctionCompiler(this.session, {
        descriptor,
        signature: this.signature(descriptor),
        source: descriptor.source,
        name: descriptor.name,
        argumentTypes,
        resultType,
        triggerRow,
        isTrigger,
        columns,
      }).code;
    } catch (error) {
      if (error instanceof DbError) {
        const { position } = error.fields;
        const line = position === undefined ? 0 : lineOf(descriptor.source, position);
        if (position !== undefined) {
          error.fields.internalPosition = position;
          error.fields.internalQuery = descriptor.source;
          delete error.fields.position;
        }
        addContext(error, [
          `compilation of PL/pgSQL function "${descriptor.name}" near line ${Math.max(1, line)}`,
        ]);
      }
      throw error;
    }
  }

  /** Checks a body at CREATE FUNCTION. Errors carry a position in the body. */
  validate(descriptor: FunctionDescriptor): void {
    const isPolymorph = descriptor.argumentTypes.some(isPolymorphic);
    if (descriptor.language === 'plpgsql') {
      new FunctionCompiler(this.session, {
        descriptor,
        signature: this.signature(descriptor),
        source: descriptor.source,
        name: descriptor.name,
        // Polymorphic arguments are checked as if they were integers.
        argumentTypes: descriptor.argumentTypes.map(standIn),
        resultType: standIn(descriptor.returnType),
        triggerRow: null,
        isTrigger: descriptor.returnType === TRIGGER,
        columns: null,
      });
    } else if (descriptor.language === 'sql') {
      const body = new SqlBody(this, descriptor, descriptor.argumentTypes, descriptor.returnType, null);
      if (isPolymorph) body.checkSyntax();
      else body.prepare();
    }
  }

  private sqlBody(
    descriptor: FunctionDescriptor,
    argumentTypes: readonly Oid[],
    resultType: Oid,
    columns: NonNullable<CallSite['columns']> | null,
  ): SqlBody {
    const key = `${descriptor.oid}:${argumentTypes.join(',')}:${resultType}:${columns === null ? '' : JSON.stringify(columns)}`;
    const kept = this.bodies.get(key);
    if (kept !== undefined && kept.descriptor === descriptor) return kept.code;
    const body = new SqlBody(this, descriptor, argumentTypes, resultType, columns);
    if (this.bodies.size >= CODES_MAX) this.bodies.clear();
    this.bodies.set(key, { descriptor, code: body });
    return body;
  }

  private signature(descriptor: FunctionDescriptor): string {
    const { catalog, path } = this.session.analysis();
    return (
      catalog.names(path).print('procedure', descriptor.oid) ??
      `${descriptor.name}(${descriptor.argumentTypes.map((oid) => formatType(catalog, path, oid)).join(',')})`
    );
  }

  // ---------------------------------------------------------------------------------------------------------- running

  /** Notices a change of catalog or settings: what the code has prepared is then prepared again. */
  refresh(code: { planKey: number; generation: number }): void {
    const key = this.session.planKey();
    if (code.planKey === key) return;
    code.planKey = key;
    code.generation++;
  }

  /** Gives the loop back when the slice is over; ends the statement when it was cancelled. */
  look(): void {
    this.ticks = TICKS_PER_LOOK;
    const { services, activity } = this.session;
    const pending = services.interrupt();
    if (pending !== null) throw pending;
    if (services.monotonicMicros() >= activity.deadline) throw SuspendSignal.instance;
  }

  /** Rights and settings of a function; the answer takes them back. Null when it has none of its own. */
  enter(code: { descriptor: FunctionDescriptor | null }): (() => void) | null {
    const { descriptor } = code;
    if (descriptor === null || (!descriptor.securityDefiner && descriptor.settings === null)) return null;
    const { session } = this;
    const role = descriptor.securityDefiner ? session.setEffectiveRole(descriptor.ownerOid) : null;
    let restore: (() => void) | null = null;
    try {
      restore = descriptor.settings === null ? null : session.applySettings(descriptor.settings);
    } catch (error) {
      if (descriptor.securityDefiner) session.setEffectiveRole(role);
      throw error;
    }
    return () => {
      restore?.();
      if (descriptor.securityDefiner) session.setEffectiveRole(role);
    };
  }

  print(value: Datum, typeOid: Oid): string {
    if (value === null) return '';
    const { context } = this.session.resolver;
    return context.typeSupport(typeOid).output(value, context.format);
  }

  dynamicPlan(key: string): DynamicPlan | null {
    const planKey = this.session.planKey();
    if (planKey !== this.dynamicKey) {
      this.dynamicPlans.clear();
      this.dynamicKey = planKey;
    }
    return this.dynamicPlans.get(key) ?? null;
  }

  keepDynamicPlan(key: string, prepared: DynamicPlan): void {
    if (this.dynamicPlans.size >= DYNAMIC_PLANS_MAX) {
      const oldest = this.dynamicPlans.keys().next();
      if (!oldest.done) this.dynamicPlans.delete(oldest.value);
    }
    this.dynamicPlans.set(key, prepared);
  }

  noteModification(): void {
    this.session.transaction().advanceCommand();
  }

  /** Loops over rows read the rest of theirs before the transaction ends. */
  detachLoops(): void {
    for (const activation of this.stack.activations()) activation.detachLoops();
  }

  /** True when the error already has the lines of this call. */
  isContextComplete(error: DbError, level: object): boolean {
    return error.levels?.includes(level) === true;
  }

  noteContext(error: DbError, level: object): void {
    if (error.levels === null) error.levels = [level];
    else error.levels.push(level);
  }

  /** Any exception as the error a statement ends with. */
  asError(thrown: unknown): DbError {
    if (thrown instanceof DbError) return thrown;
    if (thrown instanceof RangeError && thrown.message.includes('call stack')) return stackDepthExceeded();
    return this.session.internalError(thrown);
  }

  /** The statement failed: nothing is under way any more. */
  reset(): void {
    this.stack.clear();
    this.activations.length = 0;
  }
}

function standIn(oid: Oid): Oid {
  switch (oid) {
    case 2283:
    case 2776:
    case 5077:
    case 5079:
      return 23;
    case 2277:
    case 5078:
      return 1007;
    case 3831:
    case 5080:
      return 3904;
    default:
      return oid;
  }
}

function lineOf(source: string, position: number): number {
  let line = 1;
  for (let index = 0; index < position - 1 && index < source.length; index++)
    if (source.charCodeAt(index) === 10) line++;
  return line;
}

/** Trigger functions that come with the server. */
function builtinTrigger(descriptor: FunctionDescriptor, call: TriggerCall): Invocation {
  if (descriptor.source !== 'suppress_redundant_updates_trigger')
    throw notSupported(`trigger function "${descriptor.name}"`);
  return {
    run: () => {
      const { oldRow, newRow, relation } = call;
      const isSame = oldRow?.every((value, column) => {
        const other = newRow?.[column] ?? null;
        return value === other;
      });
      if (isSame === true) return null;
      return new SqlRecord(
        relation.rowTypeOid,
        newRow ?? [],
        relation.columns.map((column) => column.typeOid),
        relation.columns.map((column) => column.name),
      );
    },
  };
}

/** Rows of a set-returning function: it runs to its end at the first one, as PostgreSQL's does. */
class ResultIterator implements Iterator<Datum> {
  private readonly activation: Activation;
  private hasRun = false;
  private next_ = 0;

  constructor(activation: Activation) {
    this.activation = activation;
  }

  next(): IteratorResult<Datum> {
    if (!this.hasRun) {
      this.activation.run();
      this.hasRun = true;
    }
    const { results } = this.activation;
    if (this.next_ >= results.length) return { done: true, value: undefined };
    return { done: false, value: results[this.next_++] };
  }
}
