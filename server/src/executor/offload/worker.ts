/** The thread that evaluates expressions too heavy for the event loop. One job at a time; it is ended to cancel one. */
import { DbError, internalError } from '../../base/error.ts';
import { packError } from '../../base/error-transfer.ts';
import type { Environment, WorkerScope } from '../../env/contract.ts';
import type { CallSite, FunctionContext, HostFunctions, SessionInfo } from '../../sql/functions/contract.ts';
import { scalarFunction } from '../../sql/functions/index.ts';
import { parseInWorker } from '../../sql/parse/worker-parse.ts';
import type { Datum } from '../../types/datum.ts';
import { typeSupport } from '../../types/index.ts';
import type { FunctionResolver, ResolvedFunction } from '../functions.ts';
import { ExpressionCompiler } from '../row/expression/compile.ts';
import { type FromWorker, type ShippedFunction, TEXT_PART, type ToWorker } from './messages.ts';
import { pack, unpack } from './values.ts';

/** Thrown when the expression asks for what only the session has. */
const REFUSAL = Symbol('what only the session has');

function refuse(): never {
  throw REFUSAL;
}

const REFUSING: HostFunctions<string> = { bind: () => refuse };

function contextOf(run: Extract<ToWorker, { kind: 'run' }>, environment: Environment): FunctionContext {
  const session: SessionInfo = {
    get currentUser() {
      return refuse();
    },
    get sessionUser() {
      return refuse();
    },
    get database() {
      return refuse();
    },
    get backendPid() {
      return refuse();
    },
    get version() {
      return refuse();
    },
    searchPath: refuse,
    setting: (name) => run.settings[name] ?? refuse(),
    setSetting: refuse,
    notice: refuse,
  };
  return {
    format: run.format,
    typeSupport,
    transactionTimestamp: run.timestamps[0],
    statementTimestamp: run.timestamps[1],
    clockTimestamp: refuse,
    random: refuse,
    setSeed: refuse,
    randomBytes: (count) => environment.random.bytes(count),
    digest: (algorithm, bytes) => environment.cryptography.digest(algorithm, bytes),
    session,
    catalog: REFUSING as FunctionContext['catalog'],
    backend: REFUSING as FunctionContext['backend'],
  };
}

function resolverOf(functions: readonly ShippedFunction[], context: FunctionContext): FunctionResolver {
  const known = new Map(functions.map((shipped) => [shipped.oid, shipped]));
  const builtin = (source: string, site: CallSite): ResolvedFunction['call'] => {
    const implementation = scalarFunction(source);
    if (implementation === undefined) throw REFUSAL;
    return implementation.pure ?? implementation.make(context, site);
  };
  return {
    context,
    typeSupport,
    scalar: (oid, site) => {
      const { source, strict, volatility } = known.get(oid)!;
      return { call: builtin(source, site), strict, volatility, source };
    },
    builtin,
    volatility: (oid) => known.get(oid)?.volatility ?? 'i',
    set: refuse,
    aggregate: refuse,
    window: refuse,
    operatorFunction: refuse,
    operatorName: refuse,
  };
}

/** Entry point of the worker module. */
export function start(scope: WorkerScope): void {
  let run: Extract<ToWorker, { kind: 'run' }> | null = null;
  let toParse: Extract<ToWorker, { kind: 'parse' }> | null = null;
  /** Long inputs as they come in. */
  let parts: string[] = [];
  let result = '';
  let sent = 0;
  const answer = (message: FromWorker, transfer?: readonly ArrayBuffer[]): void =>
    scope.post(message, transfer);

  const sendPart = (): void => {
    answer({ kind: 'part', text: result.slice(sent, sent + TEXT_PART) });
    sent += TEXT_PART;
    if (sent >= result.length) result = '';
  };

  const texts = (job: NonNullable<typeof run>): string[] => {
    const found: string[] = [];
    let next = 0;
    for (const input of job.inputs) {
      if (typeof input !== 'object' || input === null || input.kind !== 'text') continue;
      const pieces: string[] = [];
      for (let have = 0; have < input.length; next++) {
        pieces.push(parts[next]!);
        have += parts[next]!.length;
      }
      found.push(pieces.join(''));
    }
    parts = [];
    return found;
  };

  const evaluate = (): void => {
    const job = run!;
    run = null;
    try {
      const long = texts(job);
      const { shipment } = job;
      const frame: Datum[] = job.inputs.map((input, index) =>
        unpack(input, shipment.inputTypes[index]!, () => long.shift()!),
      );
      const context = contextOf(job, scope.environment);
      const compiler = new ExpressionCompiler(null, resolverOf(shipment.functions, context));
      const value = compiler.compile(shipment.expr)(frame);
      const packed = pack(value, shipment.expr.typeOid);
      if (typeof packed === 'object' && packed !== null) {
        if (packed.kind === 'text') {
          result = value as string;
          sent = 0;
        } else {
          // A buffer of its own moves without a copy.
          const { bytes } = packed;
          const own =
            bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
              ? bytes
              : new Uint8Array(bytes);
          answer({ kind: 'value', value: { ...packed, bytes: own } }, [own.buffer as ArrayBuffer]);
          return;
        }
      }
      answer({ kind: 'value', value: packed });
    } catch (thrown) {
      if (thrown === REFUSAL) answer({ kind: 'refused' });
      else answer({ kind: 'error', error: packError(errorOf(thrown)) });
    }
  };

  const parse = async (text: string): Promise<void> => {
    const reply = await parseInWorker(text);
    if (!reply.ok) answer({ kind: 'error', error: reply.error });
    else if (reply.json.length <= TEXT_PART) answer({ kind: 'value', value: reply.json });
    else {
      result = reply.json;
      sent = 0;
      answer({ kind: 'value', value: { kind: 'text', length: result.length } });
    }
  };

  scope.onMessage((received) => {
    const message = received as ToWorker;
    switch (message.kind) {
      case 'run':
        run = message;
        toParse = null;
        parts = [];
        break;
      case 'parse':
        toParse = message;
        parts = [];
        break;
      case 'part':
        parts.push(message.text);
        break;
      case 'start':
        if (toParse === null) evaluate();
        else {
          const text = typeof toParse.text === 'string' ? toParse.text : parts.join('');
          parts = [];
          parse(text).catch((thrown: unknown) =>
            answer({ kind: 'error', error: packError(errorOf(thrown)) }),
          );
        }
        break;
      case 'next':
        sendPart();
        break;
    }
  });
}

function errorOf(thrown: unknown): DbError {
  if (thrown instanceof DbError) return thrown;
  if (thrown instanceof RangeError) {
    return /call stack/i.test(thrown.message)
      ? new DbError('statement_too_complex', 'stack depth limit exceeded')
      : new DbError('out_of_memory', 'out of memory', {
          detail: 'A value is longer than the server can hold.',
        });
  }
  return internalError(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
}
