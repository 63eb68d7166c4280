/** What other rooms import from here. */
export type { ServerCounters } from './metrics.ts';
export { ServerMonitor } from './server-monitor.ts';
