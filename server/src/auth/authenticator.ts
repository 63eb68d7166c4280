/**
 * Who may come in, and how: TCP proves its password by SCRAM-SHA-256; the Unix socket is in a directory only its owner can enter
 * (mode 0700) and is trusted.
 */
import { DbError } from '../base/error.ts';
import type { Cryptography, Random } from '../env/contract.ts';
import type {
  AuthenticationExchange,
  AuthenticationStep,
  Authenticator,
  ClientConditions,
} from '../protocol/contract.ts';
import type { LoginDirectory } from '../session/contract.ts';
import { mockVerifier, parseScramVerifier, ScramExchange } from './scram.ts';

const SCRAM = 'SCRAM-SHA-256';
const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS';

export class PasswordAuthenticator implements Authenticator {
  private readonly logins: LoginDirectory;
  private readonly cryptography: Cryptography;
  private readonly random: Random;
  private readonly wallTimestamp: () => bigint;
  /** Keys the salts of users that do not exist. */
  private readonly mockSecret: Uint8Array;

  constructor(options: {
    logins: LoginDirectory;
    cryptography: Cryptography;
    random: Random;
    wallTimestamp: () => bigint;
  }) {
    this.logins = options.logins;
    this.cryptography = options.cryptography;
    this.random = options.random;
    this.wallTimestamp = options.wallTimestamp;
    this.mockSecret = options.random.bytes(32);
  }

  begin(user: string, _database: string, conditions: ClientConditions): AuthenticationExchange {
    if (conditions.transport === 'unix') return TRUSTED;
    return new ScramAuthentication(this, user, conditions);
  }

  exchangeFor(user: string, isPlus: boolean, conditions: ClientConditions): ScramExchange {
    const login = this.logins.lookup(user);
    const verifier = login?.password == null ? null : parseScramVerifier(login.password);
    const isExpired = login?.validUntil != null && login.validUntil < this.wallTimestamp();
    return new ScramExchange({
      verifier: verifier ?? mockVerifier(user, this.mockSecret, this.cryptography),
      isMock: verifier === null || isExpired,
      cryptography: this.cryptography,
      random: this.random,
      isPlus,
      isPlusOffered: conditions.channelBinding !== null,
      channelBinding: conditions.channelBinding,
    });
  }
}

const TRUSTED: AuthenticationExchange = {
  start: () => ({ kind: 'accepted' }),
  respond: () => {
    throw new DbError('protocol_violation', 'unexpected authentication message').fatal();
  },
};

class ScramAuthentication implements AuthenticationExchange {
  private exchange: ScramExchange | null = null;
  private readonly authenticator: PasswordAuthenticator;
  private readonly user: string;
  private readonly conditions: ClientConditions;

  constructor(authenticator: PasswordAuthenticator, user: string, conditions: ClientConditions) {
    this.authenticator = authenticator;
    this.user = user;
    this.conditions = conditions;
  }

  start(): AuthenticationStep {
    return {
      kind: 'sasl',
      mechanisms: this.conditions.channelBinding === null ? [SCRAM] : [SCRAM_PLUS, SCRAM],
    };
  }

  respond(body: Uint8Array): AuthenticationStep {
    let message = body;
    if (this.exchange === null) {
      const { mechanism, response } = parseInitialResponse(body);
      const isPlus = mechanism === SCRAM_PLUS && this.conditions.channelBinding !== null;
      if (!isPlus && mechanism !== SCRAM) {
        throw new DbError(
          'protocol_violation',
          'client selected an invalid SASL authentication mechanism',
        ).fatal();
      }
      this.exchange = this.authenticator.exchangeFor(this.user, isPlus, this.conditions);
      message = response;
    }
    const outcome = this.exchange.respond(message);
    if (outcome === null) {
      throw new DbError('invalid_password', `password authentication failed for user "${this.user}"`).fatal();
    }
    return outcome.kind === 'continue'
      ? { kind: 'saslContinue', data: outcome.data }
      : { kind: 'saslFinal', data: outcome.data };
  }
}

/** SASLInitialResponse: mechanism name, int32 length (-1 = none), response. */
function parseInitialResponse(body: Uint8Array): { mechanism: string; response: Uint8Array } {
  const zero = body.indexOf(0);
  if (zero < 0 || body.length < zero + 5)
    throw new DbError('protocol_violation', 'invalid SASL initial response').fatal();
  const mechanism = Buffer.from(body.buffer, body.byteOffset, zero).toString('latin1');
  const view = new DataView(body.buffer, body.byteOffset + zero + 1, 4);
  const length = view.getInt32(0);
  const response = body.subarray(zero + 5);
  if (length === -1 ? response.length !== 0 : response.length !== length) {
    throw new DbError('protocol_violation', 'invalid SASL initial response').fatal();
  }
  return { mechanism, response };
}
