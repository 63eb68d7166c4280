import { expect, test } from 'vitest';
import { realCryptography } from '../real/cryptography.ts';
import { createSimulation } from './environment.ts';

test('the simulated key derivation equals OpenSSL', async () => {
  const password = new TextEncoder().encode('pencil');
  const salt = new Uint8Array(16).map((_, index) => index * 7);
  const simulated = createSimulation(1).environment.cryptography;
  for (const iterations of [1, 2, 4096]) {
    const expected = new Uint8Array(await realCryptography.pbkdf2Sha256(password, salt, iterations));
    expect(new Uint8Array(await simulated.pbkdf2Sha256(password, salt, iterations))).toEqual(expected);
  }
});
