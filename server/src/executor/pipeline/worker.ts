/** The thread around a {@link MorselRunner}: takes morsels of waves until they are used up, answers with groups. */
import { DbError } from '../../base/error.ts';
import type { WorkerScope } from '../../env/contract.ts';
import { chooseKernels, type Kernels } from '../../native/index.ts';
import { NotCompilable } from './interval.ts';
import {
  type FromWorker,
  GROUPS_PER_MESSAGE,
  type PartialGroup,
  type ToWorker,
  type WorkerStart,
} from './messages.ts';
import { BlockAllocator } from './query/blocks.ts';
import { QueryWorker } from './query/worker.ts';
import { MorselRunner, StatementRun } from './runner.ts';

function loadedKernels(choice: WorkerStart['kernels']): Kernels | null {
  const { kernels } = chooseKernels(choice);
  return kernels.instructionSet() === 'typescript' ? null : kernels;
}

/** Entry point of the worker module. */
export function start(scope: WorkerScope): void {
  const { memory, area, kernels, blocks } = scope.data as WorkerStart;
  const { clock } = scope.environment;
  const runner = new MorselRunner({
    memory,
    area,
    kernels: loadedKernels(kernels),
    now: () => clock.monotonicMicros(),
  });
  const queries = new QueryWorker({
    memory,
    area,
    runner,
    blocks: new BlockAllocator(memory, blocks.at, blocks.count),
    now: () => clock.monotonicMicros(),
  });
  const statements = new Map<number, StatementRun>();
  const answer = (message: FromWorker) => scope.post(message);

  const wave = (message: Extract<ToWorker, { kind: 'wave' }>): void => {
    const statement = statements.get(message.statement);
    if (statement === undefined) return;
    const next = new Int32Array(message.next);
    try {
      for (;;) {
        const index = Atomics.add(next, 0, 1);
        if (index >= message.morsels.length || statement.isStopped) break;
        runner.run(statement, message.morsels[index]!);
      }
      answer({ kind: 'waveDone', statement: message.statement, wave: message.wave });
    } catch (thrown) {
      // The others need not go on either.
      Atomics.store(statement.control, 0, 1);
      const base = { statement: message.statement, wave: message.wave };
      if (thrown instanceof NotCompilable) answer({ kind: 'refused', ...base, reason: thrown.reason });
      else {
        const text = thrown instanceof DbError || thrown instanceof Error ? thrown.message : String(thrown);
        answer({ kind: 'failed', ...base, message: text });
      }
    }
  };

  scope.onMessage((received) => {
    const message = received as ToWorker;
    switch (message.kind) {
      case 'start':
        statements.set(
          message.statement,
          new StatementRun(message.spec, message.params, message.control, message.rowsMax, message.native),
        );
        break;
      case 'frames':
        for (const frame of message.add) runner.frames.set(frame.id, frame);
        for (const id of message.drop) runner.frames.delete(id);
        break;
      case 'wave':
        wave(message);
        break;
      case 'query':
        {
          const loading = queries.prepare(message);
          if (loading === null) answer(queries.run(message));
          else void loading.then(() => answer(queries.run(message)));
        }
        break;
      case 'queryEnd':
        queries.forget(message.statement);
        break;
      case 'finish': {
        const statement = statements.get(message.statement);
        if (statement === undefined) break;
        runner.flush();
        const groups: PartialGroup[] = [];
        if (!statement.isStopped) {
          statement.delivery ??= statement.groups.values();
          for (let count = 0; count < GROUPS_PER_MESSAGE; count++) {
            const next = statement.delivery.next();
            if (next.done === true) break;
            groups.push(next.value);
          }
        }
        const more = groups.length === GROUPS_PER_MESSAGE;
        if (!more) statements.delete(message.statement);
        answer({
          kind: 'result',
          statement: message.statement,
          groups,
          more,
          statistics: statement.statistics,
        });
        break;
      }
    }
  });
}
