/**
 * Proves `server/Dockerfile` where no container engine runs: each stage becomes a bare Debian root (mmdebstrap), its steps run there in
 * their order as the file has them, then the server is started as the image would start it and asked whether it is healthy.
 *
 *     node ops/prove-dockerfile.ts [FOLDER]        as root; needs mmdebstrap; leaves nothing but the package cache of the roots
 *
 * What is not proved: layers, the registry's base images (a Debian root and this machine's Node stand for them), and limits of resources.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '..');
const work = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'fastpostgres-image-'));
const HEALTHY_SECONDS_MAX = 60;
/** What the steps need of this machine to reach its package sources: settings of npm, certificates. */
const HOST_FILES = [
  '/etc/resolv.conf',
  '/etc/ssl/certs/ca-certificates.crt',
  join(homedir(), '.npmrc'),
  '/etc/npmrc',
];
const HOST_VARIABLES =
  /^(?:npm_config_|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY)/;

interface Instruction {
  readonly name: string;
  readonly text: string;
}

interface Stage {
  readonly name: string;
  readonly base: string;
  readonly root: string;
  readonly instructions: Instruction[];
  directory: string;
  user: string;
  readonly variables: Record<string, string>;
  entry: string[];
  command: string[];
  health: string[];
}

function parse(text: string): Instruction[] {
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
      return { name, text: rest };
    });
}

const log = (line: string): boolean => process.stdout.write(`${line}\n`);
const run = (program: string, ...commandArguments: string[]): void => {
  execFileSync(program, commandArguments, { stdio: ['ignore', 'inherit', 'inherit'] });
};

/** Before every step: one that installs certificates would take this machine's away. */
function lendFiles(root: string): void {
  for (const file of HOST_FILES) {
    if (!existsSync(file)) continue;
    mkdirSync(join(root, dirname(file)), { recursive: true });
    cpSync(realpathSync(file), join(root, file));
  }
}

/** A bare Debian; a Node image is one with this machine's Node and npm in it. */
function makeRoot({ base, root }: Stage): void {
  run('mmdebstrap', '--variant=apt', '--quiet', 'bookworm', root);
  if (!base.startsWith('node:')) return;
  const npm = resolve(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim()), '../..');
  cpSync(realpathSync(process.execPath), join(root, 'usr/local/bin/node'));
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
  for (const name of ['npm', 'npx'])
    run('ln', '-s', `../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
}

/** Runs a command inside a stage as its user, in its directory. */
function inside(stage: Stage, command: readonly string[]): [string, string[]] {
  const passed = Object.entries(process.env).filter(([name]) => HOST_VARIABLES.test(name));
  const variables = [...passed, ...Object.entries(stage.variables)].map(
    ([name, value]) => `${name}=${value}`,
  );
  const user = stage.user === 'root' ? [] : [`--userspec=${stage.user}`];
  return [
    'chroot',
    [
      ...user,
      stage.root,
      'env',
      '-i',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `HOME=${stage.user === 'root' ? '/root' : `/var/lib/${stage.user}`}`,
      ...variables,
      'sh',
      '-c',
      `cd ${stage.directory} && exec "$@"`,
      'sh',
      ...command,
    ],
  ];
}

/** Files of the build context: what git tracks, as .dockerignore leaves out what is built and installed. */
function copy(stage: Stage, text: string, stages: readonly Stage[]): void {
  const words = text.split(/\s+/);
  const from = words[0].startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop() ?? '/';
  const to = join(stage.root, target.startsWith('/') ? target : join(stage.directory, target));
  if (from !== undefined) {
    const source = stages.find(({ name }) => name === from);
    if (source === undefined) throw new Error(`no stage ${from}`);
    run('mkdir', '-p', dirname(to));
    for (const word of words) run('cp', '-a', join(source.root, word), to);
    return;
  }
  run('mkdir', '-p', to);
  for (const word of words) {
    if (word !== '.') {
      cpSync(join(repository, word), join(to, word.split('/').at(-1) ?? word));
      continue;
    }
    execFileSync('sh', ['-c', 'git ls-files -z | tar --null -T - -c | tar -x -C "$1"', 'sh', to], {
      cwd: repository,
    });
  }
}

function build(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of parse(text)) {
    log(`-- ${instruction.name} ${instruction.text.replace(/\s+/g, ' ').slice(0, 100)}`);
    if (instruction.name === 'FROM') {
      const [base, , name = `stage${stages.length}`] = instruction.text.split(/\s+/);
      const stage: Stage = {
        name,
        base,
        root: join(work, name),
        instructions: [],
        directory: '/',
        user: 'root',
        variables: {},
        entry: [],
        command: [],
        health: [],
      };
      stages.push(stage);
      makeRoot(stage);
      continue;
    }
    const stage = stages[stages.length - 1];
    const list = (): string[] =>
      JSON.parse(instruction.text.slice(instruction.text.indexOf('['))) as string[];
    switch (instruction.name) {
      case 'WORKDIR':
        stage.directory = instruction.text;
        run('mkdir', '-p', join(stage.root, stage.directory));
        break;
      case 'RUN': {
        lendFiles(stage.root);
        const [program, commandArguments] = inside(stage, ['sh', '-c', instruction.text]);
        run(program, ...commandArguments);
        break;
      }
      case 'COPY':
        copy(stage, instruction.text, stages);
        break;
      case 'USER':
        stage.user = instruction.text;
        break;
      case 'ENV': {
        const at = instruction.text.indexOf('=');
        stage.variables[instruction.text.slice(0, at)] = instruction.text.slice(at + 1);
        break;
      }
      case 'ENTRYPOINT':
        stage.entry = list();
        break;
      case 'CMD':
        stage.command = list();
        break;
      case 'HEALTHCHECK':
        stage.health = list();
        break;
      case 'VOLUME':
      case 'EXPOSE':
      case 'STOPSIGNAL':
        break;
      default:
        throw new Error(`an instruction this does not know: ${instruction.name}`);
    }
  }
  return stages;
}

/** Starts the last stage's service and asks its own health check until it agrees. */
async function prove(stage: Stage): Promise<boolean> {
  stage.variables.FASTPOSTGRES_PASSWORD = 'proof of the image';
  const [program, commandArguments] = inside(stage, [...stage.entry, ...stage.command]);
  const service = spawn(program, commandArguments, { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise<number | null>((done) => service.once('exit', done));
  let isHealthy = false;
  for (let second = 0; second < HEALTHY_SECONDS_MAX && !isHealthy && service.exitCode === null; second++) {
    await new Promise((done) => setTimeout(done, 1000));
    try {
      const [check, checkArguments] = inside(stage, stage.health);
      execFileSync(check, checkArguments, { stdio: 'ignore' });
      isHealthy = true;
    } catch {
      // Not yet.
    }
  }
  service.kill('SIGTERM');
  const code = await ended;
  log(`healthy: ${isHealthy ? 'yes' : 'no'}; ended with ${code} on SIGTERM`);
  return isHealthy && code === 0;
}

try {
  const stages = build(readFileSync(join(repository, 'server/Dockerfile'), 'utf8'));
  const isProved = await prove(stages[stages.length - 1]);
  log(isProved ? 'the Dockerfile is proved' : 'the Dockerfile does not hold');
  process.exitCode = isProved ? 0 : 1;
} finally {
  if (process.argv[2] === undefined) rmSync(work, { recursive: true, force: true });
}
