import { describe, expect, it } from 'vitest';
import { DbError } from '../../base/error.ts';
import { FrontendDecoder, type FrontendMessage } from './frontend.ts';
import {
  bind,
  concat,
  cString,
  execute,
  int16,
  int32,
  message,
  parse,
  query,
  startup,
  sync,
} from './testing.ts';

const utf8 = new TextEncoder();

/** One of each message, with the interesting shapes of the long ones. */
const SAMPLES: readonly [Uint8Array, FrontendMessage][] = [
  [query('select 1'), { kind: 'query', text: 'select 1' }],
  [
    query("select 'grüße 🐘' -- long enough to leave the short path"),
    { kind: 'query', text: "select 'grüße 🐘' -- long enough to leave the short path" },
  ],
  [query(''), { kind: 'query', text: '' }],
  [
    parse('', 'select $1', [23, 0, 4294967295]),
    { kind: 'parse', name: '', text: 'select $1', parameterTypes: [23, 0, 4294967295] },
  ],
  [parse('statement', 'x'), { kind: 'parse', name: 'statement', text: 'x', parameterTypes: [] }],
  [
    bind('', ''),
    { kind: 'bind', portal: '', statement: '', parameterFormats: [], values: [], resultFormats: [] },
  ],
  [
    bind('p', 's', [utf8.encode('42'), null, new Uint8Array(0)], [0, 1, 0], [1]),
    {
      kind: 'bind',
      portal: 'p',
      statement: 's',
      parameterFormats: [0, 1, 0],
      values: [utf8.encode('42'), null, new Uint8Array(0)],
      resultFormats: [1],
    },
  ],
  [message('D', utf8.encode('S'), cString('s')), { kind: 'describe', target: 'statement', name: 's' }],
  [message('D', utf8.encode('P'), cString('')), { kind: 'describe', target: 'portal', name: '' }],
  [execute('portal', 100), { kind: 'execute', portal: 'portal', maxRows: 100 }],
  [execute('', -1), { kind: 'execute', portal: '', maxRows: 0 }],
  [message('C', utf8.encode('P'), cString('p')), { kind: 'close', target: 'portal', name: 'p' }],
  [sync, { kind: 'sync' }],
  [message('H'), { kind: 'flush' }],
  [message('d', utf8.encode('1\tone\n')), { kind: 'copyData', bytes: utf8.encode('1\tone\n') }],
  [message('c'), { kind: 'copyDone' }],
  [message('f', cString('no more')), { kind: 'copyFail', message: 'no more' }],
  [
    message('F', int32(1234), int16(1), int16(1), int16(1), int32(4), int32(7), int16(1)),
    { kind: 'functionCall', functionOid: 1234, argumentFormats: [1], values: [int32(7)], resultFormat: 1 },
  ],
  [message('p', utf8.encode('secret')), { kind: 'authentication', body: utf8.encode('secret') }],
  [message('X'), { kind: 'terminate' }],
];

function plain(decoded: FrontendMessage | null): unknown {
  return JSON.parse(
    JSON.stringify(decoded, (_key, value: unknown) => (value instanceof Uint8Array ? [...value] : value)),
  );
}

describe('frontend decoder', () => {
  it('gives the same message for every split into two and into single bytes', () => {
    for (const [bytes, expected] of SAMPLES) {
      for (let split = 0; split <= bytes.length; split++) {
        const decoder = new FrontendDecoder();
        decoder.push(bytes.slice(0, split));
        if (split < bytes.length) expect(decoder.next()).toBeNull();
        decoder.push(bytes.slice(split));
        expect(plain(decoder.next())).toEqual(plain(expected));
        expect(decoder.next()).toBeNull();
        expect(decoder.bufferedBytes).toBe(0);
      }
      const decoder = new FrontendDecoder();
      for (let at = 0; at < bytes.length - 1; at++) {
        decoder.push(bytes.slice(at, at + 1));
        expect(decoder.next()).toBeNull();
      }
      decoder.push(bytes.slice(bytes.length - 1));
      expect(plain(decoder.next())).toEqual(plain(expected));
    }
  });

  it('decodes a stream of all messages in chunks of every size', () => {
    const stream = concat(SAMPLES.map(([bytes]) => bytes));
    for (let size = 1; size <= 40; size++) {
      const decoder = new FrontendDecoder();
      const decoded: unknown[] = [];
      for (let at = 0; at < stream.length; at += size) {
        decoder.push(stream.slice(at, at + size));
        for (let next = decoder.next(); next !== null; next = decoder.next()) decoded.push(plain(next));
      }
      expect(decoded).toEqual(SAMPLES.map(([, expected]) => plain(expected)));
    }
  });

  it('decodes startup packets at every split', () => {
    const packets = [
      startup({ user: 'alice', database: 'shop', application_name: 'psql' }),
      concat([int32(8), int32(80877103)]),
      concat([int32(8), int32(80877104)]),
      concat([int32(16), int32(80877102), int32(42), int32(-7)]),
    ];
    for (const packet of packets) {
      const whole = new FrontendDecoder();
      whole.push(packet);
      const expected = whole.nextStartup();
      expect(expected).not.toBeNull();
      for (let split = 0; split < packet.length; split++) {
        const decoder = new FrontendDecoder();
        decoder.push(packet.slice(0, split));
        expect(decoder.nextStartup()).toBeNull();
        decoder.push(packet.slice(split));
        expect(decoder.nextStartup()).toEqual(expected);
      }
    }
    const decoder = new FrontendDecoder();
    decoder.push(packets[0]);
    expect(decoder.nextStartup()).toMatchObject({
      kind: 'startup',
      major: 3,
      minor: 0,
      parameters: new Map([
        ['user', 'alice'],
        ['database', 'shop'],
        ['application_name', 'psql'],
      ]),
    });
  });

  const HOSTILE: readonly [string, Uint8Array][] = [
    ['length below four', concat([utf8.encode('Q'), int32(3)])],
    ['negative length', concat([utf8.encode('Q'), int32(-1)])],
    ['length over the limit', concat([utf8.encode('Q'), int32(0x7fffffff)])],
    ['long Sync', concat([utf8.encode('S'), int32(20_000)])],
    ['unknown type', concat([utf8.encode('z'), int32(4)])],
    ['body behind Sync', message('S', Uint8Array.of(1))],
    ['string without end', message('Q', utf8.encode('select 1'))],
    ['bytes behind the string', message('Q', cString('select 1'), Uint8Array.of(1))],
    ['invalid UTF-8', message('Q', Uint8Array.of(0xff, 0))],
    ['parameter count without parameters', message('P', cString(''), cString('x'), int16(-1))],
    [
      'value longer than the message',
      message('B', cString(''), cString(''), int16(0), int16(1), int32(100), int16(0)),
    ],
    ['value length -2', message('B', cString(''), cString(''), int16(0), int16(1), int32(-2), int16(0))],
    ['describe of neither', message('D', utf8.encode('X'), cString(''))],
    ['execute without limit', message('E', cString(''))],
  ];

  it.each(HOSTILE)('refuses %s with a FATAL error', (_name, bytes) => {
    const decoder = new FrontendDecoder();
    decoder.push(bytes);
    let thrown: unknown;
    try {
      decoder.next();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DbError);
    expect((thrown as DbError).severity).toBe('FATAL');
    expect(['08P01', '22021']).toContain((thrown as DbError).code);
  });

  it.each<[string, Uint8Array]>([
    ['too short', int32(7)],
    ['too long', int32(10_001)],
    ['negative', int32(-5)],
    ['without terminator', concat([int32(8 + 5), int32(0x30000), utf8.encode('user\0')])],
    ['with bytes behind the terminator', concat([int32(8 + 2), int32(0x30000), Uint8Array.of(0, 1)])],
    ['SSL request with a body', concat([int32(9), int32(80877103), Uint8Array.of(0)])],
    ['cancel request too short', concat([int32(12), int32(80877102), int32(1)])],
  ])('refuses a startup packet %s', (_name, bytes) => {
    const decoder = new FrontendDecoder();
    decoder.push(bytes);
    expect(() => decoder.nextStartup()).toThrow(DbError);
  });

  it('never allocates for a declared length and only throws DbError on random bytes', () => {
    let state = 12345;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const types = 'QPBDECSHXdcfFpz\0';
    for (let round = 0; round < 50_000; round++) {
      const bytes = new Uint8Array(random(60) + 5);
      for (let index = 0; index < bytes.length; index++) bytes[index] = random(256);
      bytes[0] = types.charCodeAt(random(types.length));
      if (random(4) > 0) bytes.set(int32(random(bytes.length + 2)), 1);
      const decoder = new FrontendDecoder();
      decoder.push(bytes);
      try {
        while (decoder.next() !== null);
      } catch (error) {
        expect(error).toBeInstanceOf(DbError);
      }
    }
  });
});
