/** What the journeys use of packages without types. */
declare module 'pg-cursor' {
  import type { Submittable } from 'pg';
  export default class Cursor implements Submittable {
    constructor(text: string, values?: unknown[]);
    submit(connection: unknown): void;
    read(count: number): Promise<Record<string, unknown>[]>;
    close(): Promise<void>;
  }
}
