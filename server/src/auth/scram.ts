/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, server side (RFC 5802, RFC 7677; PostgreSQL manual 55.3).
 *
 * Verifier    `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, base64, as pg_authid.rolpassword holds it.
 * Unknown     a user that does not exist (or has no verifier) goes through the same exchange with a salt derived from the name and a
 *             secret of this server, and fails at the same point: nobody learns which names exist.
 */
import { DbError } from '../base/error.ts';
import type { Cryptography, Random } from '../env/contract.ts';
import { saslprep } from './saslprep.ts';

export const SCRAM_ITERATIONS_DEFAULT = 4096;
const SALT_BYTES = 16;
const NONCE_BYTES = 18;

export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

const text = new TextEncoder();

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Strict base64; null when malformed. */
function fromBase64(encoded: string): Uint8Array | null {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded ? new Uint8Array(bytes) : null;
}

/** Makes the verifier of a password. */
export async function makeScramVerifier(
  password: string,
  cryptography: Cryptography,
  random: Random,
  iterations = SCRAM_ITERATIONS_DEFAULT,
): Promise<string> {
  const salt = random.bytes(SALT_BYTES);
  const { storedKey, serverKey } = await deriveKeys(password, salt, iterations, cryptography);
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`;
}

async function deriveKeys(
  password: string,
  salt: Uint8Array,
  iterations: number,
  cryptography: Cryptography,
): Promise<{ storedKey: Uint8Array; serverKey: Uint8Array }> {
  const salted = await cryptography.pbkdf2Sha256(text.encode(saslprep(password)), salt, iterations);
  const clientKey = cryptography.hmacSha256(salted, text.encode('Client Key'));
  return {
    storedKey: cryptography.sha256(clientKey),
    serverKey: cryptography.hmacSha256(salted, text.encode('Server Key')),
  };
}

/** Null when the text is not a SCRAM verifier (then it is a password in clear, or md5). */
export function parseScramVerifier(verifier: string): ScramVerifier | null {
  const parts = verifier.split('$');
  if (parts.length !== 3 || parts[0] !== 'SCRAM-SHA-256') return null;
  const [iterationText, saltText, ...restSalt] = parts[1].split(':');
  const [storedText, serverText, ...restKeys] = parts[2].split(':');
  if (saltText === undefined || serverText === undefined || restSalt.length > 0 || restKeys.length > 0)
    return null;
  const iterations = Number(iterationText);
  const salt = fromBase64(saltText);
  const storedKey = fromBase64(storedText);
  const serverKey = fromBase64(serverText);
  if (!Number.isInteger(iterations) || iterations < 1) return null;
  if (salt === null || storedKey?.length !== 32 || serverKey?.length !== 32) return null;
  return { iterations, salt, storedKey, serverKey };
}

/** Checks a password in clear against a verifier (console login). */
export async function checkPassword(
  password: string,
  verifier: ScramVerifier,
  cryptography: Cryptography,
): Promise<boolean> {
  const { storedKey } = await deriveKeys(password, verifier.salt, verifier.iterations, cryptography);
  return cryptography.equal(storedKey, verifier.storedKey);
}

/** A verifier nobody can meet, the same for the same name as long as the server lives. */
export function mockVerifier(user: string, secret: Uint8Array, cryptography: Cryptography): ScramVerifier {
  const salt = cryptography.hmacSha256(secret, text.encode(user)).subarray(0, SALT_BYTES);
  const never = new Uint8Array(32);
  return { iterations: SCRAM_ITERATIONS_DEFAULT, salt, storedKey: never, serverKey: never };
}

export type ScramOutcome = { kind: 'continue'; data: Uint8Array } | { kind: 'final'; data: Uint8Array };

function malformed(detail: string): DbError {
  return new DbError('protocol_violation', 'malformed SCRAM message', { detail }).fatal();
}

/** One exchange: client-first → server-first → client-final → server-final. */
export class ScramExchange {
  private state: 'first' | 'final' | 'ended' = 'first';
  private readonly verifier: ScramVerifier;
  private readonly isMock: boolean;
  private readonly cryptography: Cryptography;
  private readonly random: Random;
  /** Certificate hash when the client chose SCRAM-SHA-256-PLUS. */
  private readonly channelBinding: Uint8Array | null;
  private readonly isPlus: boolean;
  private readonly isPlusOffered: boolean;
  private clientFirstBare = '';
  private serverFirst = '';
  private nonce = '';
  private gs2Header = '';

  constructor(options: {
    verifier: ScramVerifier;
    isMock: boolean;
    cryptography: Cryptography;
    random: Random;
    isPlus: boolean;
    isPlusOffered: boolean;
    channelBinding: Uint8Array | null;
  }) {
    this.verifier = options.verifier;
    this.isMock = options.isMock;
    this.cryptography = options.cryptography;
    this.random = options.random;
    this.isPlus = options.isPlus;
    this.isPlusOffered = options.isPlusOffered;
    this.channelBinding = options.channelBinding;
  }

  /** Null = the proof does not fit: authentication failed. */
  respond(message: Uint8Array): ScramOutcome | null {
    const decoded = decodeMessage(message);
    switch (this.state) {
      case 'first':
        this.state = 'final';
        return this.answerFirst(decoded);
      case 'final':
        this.state = 'ended';
        return this.answerFinal(decoded);
      case 'ended':
        throw malformed('The exchange has ended.');
    }
  }

  private answerFirst(message: string): ScramOutcome {
    // gs2-header: channel binding flag, authorisation identity (must be empty), then client-first-message-bare.
    const flag = message[0];
    let rest: string;
    switch (flag) {
      case 'n':
      case 'y':
        if (this.isPlus)
          throw malformed(
            'The client selected SCRAM-SHA-256-PLUS, but the message does not include channel binding data.',
          );
        if (flag === 'y' && this.isPlusOffered) {
          throw new DbError(
            'invalid_authorization_specification',
            'SCRAM channel binding negotiation error',
            {
              detail:
                'The client supports SCRAM channel binding but thinks the server does not. However, this server does support channel binding.',
            },
          ).fatal();
        }
        rest = message.slice(1);
        break;
      case 'p': {
        if (!this.isPlus)
          throw malformed(
            'The client selected SCRAM-SHA-256 without channel binding, but the message includes channel binding data.',
          );
        const comma = message.indexOf(',');
        const type = message.slice(2, comma < 0 ? undefined : comma);
        if (message[1] !== '=' || type !== 'tls-server-end-point') {
          throw new DbError('protocol_violation', `unsupported SCRAM channel-binding type "${type}"`).fatal();
        }
        rest = message.slice(comma);
        break;
      }
      default:
        throw malformed('Unexpected channel-binding flag.');
    }
    if (rest[0] !== ',') throw malformed('Comma expected.');
    if (rest[1] === 'a')
      throw new DbError(
        'feature_not_supported',
        'client uses authorization identity, but it is not supported',
      ).fatal();
    if (rest[1] !== ',') throw malformed('Unexpected attribute in client-first-message.');
    this.gs2Header = message.slice(0, message.length - rest.length + 2);
    this.clientFirstBare = rest.slice(2);
    const attributes = this.clientFirstBare.split(',');
    if (attributes[0]?.startsWith('m='))
      throw new DbError('feature_not_supported', 'client requires an unsupported SCRAM extension').fatal();
    if (!attributes[0]?.startsWith('n=') || !attributes[1]?.startsWith('r='))
      throw malformed('Attribute expected.');
    const clientNonce = attributes[1].slice(2);
    if (clientNonce === '' || !isPrintable(clientNonce))
      throw malformed('Non-printable characters in SCRAM nonce.');
    this.nonce = clientNonce + base64(this.random.bytes(NONCE_BYTES));
    this.serverFirst = `r=${this.nonce},s=${base64(this.verifier.salt)},i=${this.verifier.iterations}`;
    return { kind: 'continue', data: text.encode(this.serverFirst) };
  }

  private answerFinal(message: string): ScramOutcome | null {
    const proofAt = message.lastIndexOf(',p=');
    if (proofAt < 0) throw malformed('Attribute "p" expected.');
    const withoutProof = message.slice(0, proofAt);
    const attributes = withoutProof.split(',');
    if (!attributes[0]?.startsWith('c=') || !attributes[1]?.startsWith('r='))
      throw malformed('Attribute expected.');
    const binding = attributes[0].slice(2);
    if (binding !== base64(this.expectedBinding())) {
      throw this.isPlus
        ? new DbError('invalid_authorization_specification', 'SCRAM channel binding check failed').fatal()
        : new DbError(
            'protocol_violation',
            'unexpected SCRAM channel-binding attribute in client-final-message',
          ).fatal();
    }
    if (attributes[1].slice(2) !== this.nonce)
      throw new DbError('protocol_violation', 'invalid SCRAM response', {
        detail: 'Nonce does not match.',
      }).fatal();
    const proof = fromBase64(message.slice(proofAt + 3));
    if (proof === null || proof.length !== 32) throw malformed('Malformed proof in client-final-message.');
    const { cryptography, verifier } = this;
    const authMessage = text.encode(`${this.clientFirstBare},${this.serverFirst},${withoutProof}`);
    const signature = cryptography.hmacSha256(verifier.storedKey, authMessage);
    const clientKey = proof.map((byte, index) => byte ^ signature[index]);
    const isRight = cryptography.equal(cryptography.sha256(clientKey), verifier.storedKey);
    if (!isRight || this.isMock) return null;
    const serverSignature = cryptography.hmacSha256(verifier.serverKey, authMessage);
    return { kind: 'final', data: text.encode(`v=${base64(serverSignature)}`) };
  }

  private expectedBinding(): Uint8Array {
    const header = text.encode(this.gs2Header);
    if (!this.isPlus || this.channelBinding === null) return header;
    const joined = new Uint8Array(header.length + this.channelBinding.length);
    joined.set(header, 0);
    joined.set(this.channelBinding, header.length);
    return joined;
  }
}

function decodeMessage(message: Uint8Array): string {
  for (const byte of message) if (byte === 0) throw malformed('Message contains a zero byte.');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message);
  } catch {
    throw malformed('Message is not valid UTF-8.');
  }
}

function isPrintable(nonce: string): boolean {
  for (let index = 0; index < nonce.length; index++) {
    const code = nonce.charCodeAt(index);
    if (code < 0x21 || code > 0x7e || code === 0x2c) return false;
  }
  return true;
}
