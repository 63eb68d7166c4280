/** OpenSSL through Node. */

import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import type { Cryptography } from '../contract.ts';
import { EnvironmentError } from '../contract.ts';

/** Deterministic functions; the simulated environment uses the same object. */
export const realCryptography: Cryptography = {
  sha256(source) {
    return createHash('sha256').update(source).digest();
  },
  md5(source) {
    return createHash('md5').update(source).digest();
  },
  digest(algorithm, source) {
    return createHash(algorithm).update(source).digest();
  },
  hmacSha256(key, source) {
    return createHmac('sha256', key).update(source).digest();
  },
  pbkdf2Sha256(password, salt, iterations) {
    return new Promise((resolve, reject) => {
      pbkdf2(password, salt, iterations, 32, 'sha256', (error, key) => {
        if (error)
          reject(new EnvironmentError('EOTHER', 'pbkdf2', `could not derive key: ${error.message}`, error));
        else resolve(key);
      });
    });
  },
  equal(left, right) {
    return left.length === right.length && timingSafeEqual(left, right);
  },
};
