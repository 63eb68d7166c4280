/** The data directory before the engine opens it: made with mode 0700, owned by one server at a time. */
import { DbError } from '../base/error.ts';
import { type DirectoryLock, type Environment, EnvironmentError } from '../env/contract.ts';

export const LOCK_FILE = 'fastpostgres.pid';

/** Takes the directory; a second server on it gets the name of the first. */
export async function takeDataDirectory(environment: Environment): Promise<DirectoryLock> {
  const { disk } = environment;
  try {
    await disk.mkdir('');
    return await disk.lock(LOCK_FILE);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    if (error.code === 'ELOCKED') {
      throw new DbError('lock_file_exists', `data directory "${disk.root}" is in use by another server`, {
        detail: error.message,
        hint: 'Stop the other server, or give this one another directory with --data-dir.',
      });
    }
    throw new DbError('io_error', `could not use data directory "${disk.root}": ${error.message}`);
  }
}

/** Password of the first superuser: file, else environment variable, else a new one that is shown once. */
export async function initialPassword(
  environment: Environment,
  passwordFile: string | null,
): Promise<{ password: string; isGenerated: boolean }> {
  if (passwordFile !== null)
    return { password: await readPasswordFile(environment, passwordFile), isGenerated: false };
  const given = environment.host.variable('FASTPOSTGRES_PASSWORD');
  if (given !== undefined && given !== '') return { password: given, isGenerated: false };
  const bytes = environment.random.bytes(18);
  return { password: Buffer.from(bytes).toString('base64url'), isGenerated: true };
}

async function readPasswordFile(environment: Environment, path: string): Promise<string> {
  const slash = path.lastIndexOf('/');
  const disk = environment.diskAt(slash < 0 ? '.' : path.slice(0, slash) || '/');
  let content: string;
  try {
    const file = await disk.open(slash < 0 ? path : path.slice(slash + 1), 'read');
    try {
      const bytes = new Uint8Array(Math.min(await file.size(), 4096));
      await file.read(0, bytes);
      content = new TextDecoder().decode(bytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = error instanceof EnvironmentError ? error.message : String(error);
    throw new DbError('undefined_file', `could not read password file "${path}": ${reason}`);
  }
  const password = content.split('\n', 1)[0].replace(/\r$/, '');
  if (password === '') throw new DbError('invalid_password', `password file "${path}" is empty`);
  return password;
}
