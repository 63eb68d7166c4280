/** Every journey in its order; they share one page and one server. */
import type { Step } from '../utils/console.ts';
import { CONSOLE_STEPS, LOGOUT_STEPS } from './console.ts';
import { EDITOR_STEPS } from './editor.ts';
import { EXPLAIN_STEPS } from './explain.ts';
import { HOSTILE_STEPS } from './hostile.ts';
import { MONITOR_STEPS } from './monitor.ts';
import { QUALITY_STEPS } from './quality.ts';
import { RESULT_STEPS } from './results.ts';
import { TABLE_STEPS } from './tables.ts';

export const STEPS: readonly Step[] = [
  ...CONSOLE_STEPS,
  ...EDITOR_STEPS,
  ...EXPLAIN_STEPS,
  ...TABLE_STEPS,
  ...RESULT_STEPS,
  ...MONITOR_STEPS,
  ...QUALITY_STEPS,
  ...HOSTILE_STEPS,
  ...LOGOUT_STEPS,
];
