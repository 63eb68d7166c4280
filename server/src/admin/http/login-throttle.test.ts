import { describe, expect, it } from 'vitest';
import { isLoopback, LoginThrottle } from './login-throttle.ts';

describe('the login throttle', () => {
  it('refuses an address for a role, not the role', () => {
    let now = 0;
    const throttle = new LoginThrottle(() => now);
    for (let tries = 0; tries < 10; tries++) throttle.failed('203.0.113.5', 'ann');
    expect(throttle.isBlocked('203.0.113.5', 'ann')).toBe(true);
    expect(throttle.isBlocked('203.0.113.5', 'bob')).toBe(false);
    expect(throttle.isBlocked('198.51.100.7', 'ann')).toBe(false);
    now = 16 * 60_000;
    expect(throttle.isBlocked('203.0.113.5', 'ann')).toBe(false);
  });

  it('answers failures slower the more there are, up to a bound', () => {
    const throttle = new LoginThrottle(() => 0);
    const delays = Array.from({ length: 40 }, (_, at) => throttle.failed(`192.0.2.${at}`, 'ann'));
    expect(delays[0]).toBeLessThan(100);
    expect(delays.at(-1)).toBe(2000);
    expect(throttle.isBlocked('192.0.2.200', 'ann')).toBe(false);
  });

  it('takes a /64 of IPv6 for one address', () => {
    const throttle = new LoginThrottle(() => 0);
    for (let tries = 0; tries < 10; tries++) throttle.failed(`2001:db8:1:2::${tries}`, 'ann');
    expect(throttle.isBlocked('2001:db8:1:2::ffff', 'ann')).toBe(true);
    expect(throttle.isBlocked('2001:db8:1:3::1', 'ann')).toBe(false);
  });

  it('knows its own machine', () => {
    expect(['127.0.0.1', '::1', '::ffff:127.0.0.1'].every(isLoopback)).toBe(true);
    expect(['10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1'].some(isLoopback)).toBe(false);
  });
});
