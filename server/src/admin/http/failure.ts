/** Answers that are no success, and what of our errors a browser may see. */
import type { FastifyReply } from 'fastify';
import { DbError } from '../../base/error.ts';
import type { ApiError } from '../contract.ts';
import { ServerError, type ServerReport } from '../wire/wire-client.ts';

/** An answer that is not a success. */
export class ApiFailure extends DbError {
  readonly status: number;
  readonly body: ApiError;
  constructor(status: number, body: ApiError) {
    super('external_routine_exception', body.message);
    this.status = status;
    this.body = body;
  }
}

export function notFound(message: string): ApiFailure {
  return new ApiFailure(404, { code: 'not_found', message });
}

export function apiError(report: ServerReport): ApiError {
  const { severity, code, message, detail, hint, position, where } = report;
  const error: ApiError = { severity, code, message };
  if (detail !== undefined) error.detail = detail;
  if (hint !== undefined) error.hint = hint;
  if (position !== undefined) error.position = position;
  if (where !== undefined) error.where = where;
  return error;
}

/** The HTTP status of an SQLSTATE. */
function statusOf(code: string): number {
  if (code === '42501') return 403;
  if (code === '55P03' || code === '57014') return 503;
  if (code === '0A000') return 501;
  return 409;
}

/** Status and body for anything that was thrown. */
export function failureOf(error: unknown): { status: number; body: ApiError } {
  if (error instanceof ApiFailure) return error;
  if (error instanceof ServerError)
    return { status: statusOf(error.report.code), body: apiError(error.report) };
  if (error instanceof DbError) return { status: 502, body: { code: error.code, message: error.message } };
  const known = error as { statusCode?: number; message?: string; code?: string };
  const status = known.statusCode ?? 500;
  // Faults of ours say nothing of their inside.
  return {
    status,
    body: {
      code: known.code ?? 'internal',
      message: status < 500 ? (known.message ?? '') : 'internal error',
    },
  };
}

export function sendFailure(reply: FastifyReply, error: unknown): FastifyReply {
  const { status, body } = failureOf(error);
  return reply.code(status).send(body);
}
