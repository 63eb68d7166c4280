/**
 * The admin API, typed once for server and console (`/api/v1`). Shapes only; no code that needs a server.
 *
 * Values travel as PostgreSQL's text form, so that int8 and numeric arrive exactly; NULL is null. Times are milliseconds since 1970.
 * An answer that is not a success has an ApiError as its body. Routes: `contract/endpoints.ts`.
 */
export * from './contract/advisor.ts';
export * from './contract/catalog.ts';
export * from './contract/data.ts';
export * from './contract/endpoints.ts';
export * from './contract/library.ts';
export * from './contract/monitor.ts';
export * from './contract/query.ts';
export * from './contract/security.ts';
export * from './contract/session.ts';
export * from './contract/shapes.ts';

export const API_PREFIX = '/api/v1';
/** Every request that changes something carries the session's token in this header. */
export const CSRF_HEADER = 'x-csrf-token';
