/** The server's certificate: read from the files that ssl_cert_file and ssl_key_file name. */
import { DbError } from '../base/error.ts';
import type { Environment, TlsContext } from '../env/contract.ts';
import type { ServerSettings } from '../session/settings/session-settings.ts';

export interface ServerCertificate {
  readonly context: TlsContext;
  /** SHA-256 of the certificate's DER form: SCRAM channel binding tls-server-end-point. */
  readonly endPointHash: Uint8Array;
}

/** Null when `ssl` is off. Paths are relative to the data directory unless absolute. */
export async function loadCertificate(
  environment: Environment,
  settings: ServerSettings,
): Promise<ServerCertificate | null> {
  const texts = await readCertificate(environment, settings);
  if (texts === null) return null;
  const { certificate, key } = texts;
  const minimum = settings.get('ssl_min_protocol_version');
  const context = environment.network.createTlsContext({
    certificate,
    key,
    minimumVersion: minimum === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
  });
  return { context, endPointHash: environment.cryptography.sha256(firstCertificate(certificate)) };
}

/** PEM texts of certificate and key; null when `ssl` is off. */
export async function readCertificate(
  environment: Environment,
  settings: ServerSettings,
): Promise<{ certificate: string; key: string } | null> {
  if (settings.get('ssl') !== 'on') return null;
  return {
    certificate: await readText(environment, settings.get('ssl_cert_file') || 'server.crt'),
    key: await readText(environment, settings.get('ssl_key_file') || 'server.key'),
  };
}

/** DER bytes of the first certificate of a PEM text. */
function firstCertificate(pem: string): Uint8Array {
  const begin = '-----BEGIN CERTIFICATE-----';
  const start = pem.indexOf(begin);
  const end = pem.indexOf('-----END CERTIFICATE-----', start);
  if (start < 0 || end < 0) throw new DbError('config_file_error', 'ssl_cert_file holds no PEM certificate');
  return new Uint8Array(Buffer.from(pem.slice(start + begin.length, end), 'base64'));
}

/** A small file that a setting names. */
export async function readText(environment: Environment, path: string): Promise<string> {
  const slash = path.lastIndexOf('/');
  const isAbsolute = path.startsWith('/');
  const disk = isAbsolute ? environment.diskAt(path.slice(0, slash) || '/') : environment.disk;
  try {
    const file = await disk.open(isAbsolute ? path.slice(slash + 1) : path, 'read');
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), 1 << 20));
      await file.read(0, bytes);
      return new TextDecoder().decode(bytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new DbError(
      'config_file_error',
      `could not load file "${path}": ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
