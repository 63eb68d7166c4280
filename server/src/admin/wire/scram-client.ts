/** SCRAM-SHA-256, client side, without channel binding (RFC 5802): the console proves its user's password to the engine. */
import { DbError } from '../../base/error.ts';
import type { Cryptography, Random } from '../../env/contract.ts';

const encoder = new TextEncoder();
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** What a password becomes for one salt; logs in again without the password, and no longer once the password was changed. */
export interface ScramSecret {
  readonly salt: string;
  readonly iterations: number;
  readonly salted: Uint8Array;
}

export class ScramClient {
  /** Set by a login with a password. */
  secret: ScramSecret | null = null;
  private readonly password: string | ScramSecret;
  private readonly cryptography: Cryptography;
  private readonly nonce: string;
  private serverSignature = '';

  constructor(password: string | ScramSecret, cryptography: Cryptography, random: Random) {
    this.password = password;
    this.cryptography = cryptography;
    this.nonce = base64(random.bytes(18));
  }

  first(): string {
    return `n,,n=,r=${this.nonce}`;
  }

  /** Answer to server-first-message. */
  async answer(serverFirst: string): Promise<string> {
    const fields = new Map(serverFirst.split(',').map((field) => [field[0], field.slice(2)] as const));
    const nonce = fields.get('r') ?? '';
    const salt = Buffer.from(fields.get('s') ?? '', 'base64');
    const iterations = Number(fields.get('i'));
    if (
      !nonce.startsWith(this.nonce) ||
      !Number.isInteger(iterations) ||
      iterations < 1 ||
      iterations > 10_000_000
    ) {
      throw new DbError('protocol_violation', 'malformed SCRAM message from the server');
    }
    const { cryptography } = this;
    const salted = await this.saltedPassword(fields.get('s') ?? '', salt, iterations);
    this.secret = { salt: fields.get('s') ?? '', iterations, salted };
    const clientKey = cryptography.hmacSha256(salted, encoder.encode('Client Key'));
    const withoutProof = `c=biws,r=${nonce}`;
    const message = encoder.encode(`n=,r=${this.nonce},${serverFirst},${withoutProof}`);
    const signature = cryptography.hmacSha256(cryptography.sha256(clientKey), message);
    const proof = clientKey.map((byte, index) => byte ^ signature[index]);
    const serverKey = cryptography.hmacSha256(salted, encoder.encode('Server Key'));
    this.serverSignature = base64(cryptography.hmacSha256(serverKey, message));
    return `${withoutProof},p=${base64(proof)}`;
  }

  private async saltedPassword(saltText: string, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
    const { password } = this;
    if (typeof password === 'string')
      return this.cryptography.pbkdf2Sha256(encoder.encode(password.normalize('NFKC')), salt, iterations);
    if (password.salt !== saltText || password.iterations !== iterations)
      throw new DbError('invalid_password', 'the password was changed: log in again');
    return password.salted;
  }

  /** True if the server knew the verifier. */
  verify(serverFinal: string): boolean {
    return serverFinal === `v=${this.serverSignature}`;
  }
}
