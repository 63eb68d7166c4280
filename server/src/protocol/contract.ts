/** What the protocol room needs from above: authentication. Implemented by `auth/`, handed over in `main/`. */

/** Where a client comes from, for the rules that choose the method. */
export interface ClientConditions {
  readonly transport: 'unix' | 'tcp';
  readonly address: string;
  readonly isEncrypted: boolean;
  /** Hash of the server certificate for SCRAM channel binding (tls-server-end-point), null without TLS. */
  readonly channelBinding: Uint8Array | null;
}

/** The server's next move. */
export type AuthenticationStep =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'saslContinue'; readonly data: Uint8Array }
  /** Sent, then the client is accepted. */
  | { readonly kind: 'saslFinal'; readonly data: Uint8Array };

/** One login attempt. Errors are FATAL DbErrors (28P01, 28000, 08P01). */
export interface AuthenticationExchange {
  start(): AuthenticationStep;
  /** Body of the client's answer: SASLInitialResponse first, then SASLResponse. */
  respond(body: Uint8Array): AuthenticationStep | Promise<AuthenticationStep>;
}

export interface Authenticator {
  begin(user: string, database: string, conditions: ClientConditions): AuthenticationExchange;
}
