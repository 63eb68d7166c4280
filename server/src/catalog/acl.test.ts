import { describe, expect, it } from 'vitest';
import {
  ALL_PRIVILEGES,
  defaultAcl,
  formatAclItem,
  grantTo,
  parseAclItem,
  printAclItem,
  privilegeBit,
  privilegesOf,
  revokeFrom,
} from './acl.ts';

describe('access control lists', () => {
  it('keep items as text', () => {
    for (const text of ['=r/10', '16384=arwdDxt/10', '16384=a*r/16385', '10=UC/10'])
      expect(formatAclItem(parseAclItem(text))).toBe(text);
  });

  it('print names, quoted where they must be', () => {
    const names = new Map([
      [10, 'postgres'],
      [16384, 'Strange role'],
    ]);
    expect(printAclItem(parseAclItem('16384=r*/10'), (oid) => names.get(oid) ?? null)).toBe(
      '"Strange role"=r*/postgres',
    );
    expect(printAclItem(parseAclItem('=r/10'), (oid) => names.get(oid) ?? null)).toBe('=r/postgres');
  });

  it('merge grants of one grantor and lose what is revoked', () => {
    const select = privilegeBit('SELECT');
    const insert = privilegeBit('INSERT');
    let items = defaultAcl('relation', 10);
    items = grantTo(items, { grantee: 7, grantor: 10, privileges: select, grantOptions: select });
    items = grantTo(items, { grantee: 7, grantor: 10, privileges: insert, grantOptions: 0 });
    expect(items.map(formatAclItem)).toEqual(['10=arwdDxt/10', '7=ar*/10']);
    items = revokeFrom(items, { grantee: 7, grantor: 10, privileges: select, onlyGrantOption: true });
    expect(items.map(formatAclItem)).toEqual(['10=arwdDxt/10', '7=ar/10']);
    items = revokeFrom(items, {
      grantee: 7,
      grantor: 10,
      privileges: select | insert,
      onlyGrantOption: false,
    });
    expect(items.map(formatAclItem)).toEqual(['10=arwdDxt/10']);
    expect(privilegesOf(items, (role) => role === 10)).toBe(ALL_PRIVILEGES.relation);
    expect(privilegesOf(items, () => false)).toBe(0);
  });

  it('know what everyone may do by default', () => {
    expect(defaultAcl('function', 10).map(formatAclItem)).toEqual(['=X/10', '10=X/10']);
    expect(defaultAcl('database', 10).map(formatAclItem)).toEqual(['=Tc/10', '10=CTc/10']);
    expect(defaultAcl('column', 10)).toEqual([]);
  });
});
