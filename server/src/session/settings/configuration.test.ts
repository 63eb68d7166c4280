/** Reading configuration files. */
import { describe, expect, it } from 'vitest';
import { parseConfiguration } from './configuration.ts';
import { ServerSettings } from './session-settings.ts';

describe('configuration files', () => {
  it('are read line by line', () => {
    const text = "# comment\nwork_mem = 8MB\nsearch_path 'a, ''b''' # tail\n\nport='5433'\nbroken = \n";
    expect(
      parseConfiguration('f', text).map(({ line, name, value, error }) => [line, name, value, error]),
    ).toEqual([
      [2, 'work_mem', '8MB', null],
      [3, 'search_path', "a, 'b'", null],
      [5, 'port', '5433', null],
      [6, '', '', 'syntax error'],
    ]);
  });

  it('change what may change; the rest waits for a restart', () => {
    const settings = new ServerSettings(new Map());
    settings.set('statement_timeout', '5s', 'command line');
    const refused: string[] = [];
    const apply = (text: string, atStart: boolean): void =>
      settings.configure(parseConfiguration('f', text), atStart, (_entry, message) => refused.push(message));
    apply('max_connections = 50\nwork_mem = 8MB', true);
    expect([settings.get('max_connections'), settings.get('work_mem')]).toEqual(['50', '8192']);
    apply('max_connections = 60\nstatement_timeout = 1s\nnonsense = 1', false);
    expect(settings.get('max_connections')).toBe('50');
    expect(settings.isPendingRestart('max_connections')).toBe(true);
    expect(settings.get('work_mem')).toBe('4096');
    expect(settings.get('statement_timeout')).toBe('5000');
    expect(refused).toHaveLength(2);
  });
});
