import { describe, expect, it } from 'vitest';
import { parseStartOptions } from './command-line.ts';

describe('start options', () => {
  it('has the documented defaults', () => {
    expect(parseStartOptions([])).toEqual({
      dataDirectory: 'data',
      port: 5432,
      httpPort: 8432,
      host: '127.0.0.1',
      passwordFile: null,
      settings: [],
    });
  });

  it('reads both spellings and repeated settings', () => {
    const options = parseStartOptions([
      '--data-dir',
      '/srv/pg',
      '--port=5433',
      '--http-port',
      '0',
      '--host',
      '*',
      '--set',
      'work_mem=64MB',
      '--set=app.x=a=b',
    ]);
    expect(options).toMatchObject({
      dataDirectory: '/srv/pg',
      port: 5433,
      httpPort: 0,
      host: '0.0.0.0',
      settings: [
        ['work_mem', '64MB'],
        ['app.x', 'a=b'],
      ],
    });
  });

  it.each([
    [['--port', 'x']],
    [['--port', '70000']],
    [['--set', 'novalue']],
    [['--nonsense', '1']],
    [['stray']],
    [['--data-dir']],
  ])('refuses %j', (words) => {
    expect(() => parseStartOptions(words)).toThrow(/option|argument/);
  });

  it('answers null for help', () => {
    expect(parseStartOptions(['--port', '1', '--help'])).toBeNull();
  });
});
