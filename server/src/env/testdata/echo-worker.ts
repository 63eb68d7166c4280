/** A worker for the tests of env: answers every number with its double, and counts in shared memory. */

import type { WorkerScope } from '../contract.ts';

/** `data` is a shared Int32Array whose first element counts the messages of all workers. */
export function start(scope: WorkerScope): void {
  const { name, counter } = scope.data as { name: string; counter: Int32Array };
  scope.onMessage((message) => {
    if (message === 'stop') {
      scope.exit();
      return;
    }
    if (message === 'fail') throw new TypeError('failing as asked');
    Atomics.add(counter, 0, 1);
    scope.post({ name, result: (message as number) * 2 });
  });
}
