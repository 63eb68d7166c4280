/**
 * Requests against their schemas. Bodies are taken as they are: a NULL must never become an empty text. Only what came in the address,
 * where everything is text, is converted to numbers.
 */
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Convert } from 'typebox/value';
import { ApiFailure } from './failure.ts';

type Outcome = { value: unknown } | { error: Error };

/** Faults named so that they help whoever calls the API; never the value itself, which may be a password. */
export function validatorOf(schema: TSchema, part: string | undefined): (value: unknown) => Outcome {
  const validator = Compile(schema);
  return (given) => {
    const value = part === 'body' ? given : Convert(schema, given);
    if (validator.Check(value)) return { value };
    const [first] = validator.Errors(value);
    const place = first === undefined ? '' : first.instancePath;
    return {
      error: new ApiFailure(400, {
        code: 'invalid_request',
        message: `${part ?? 'request'}${place} ${first === undefined ? 'is not valid' : first.message}`,
      }),
    };
  };
}
