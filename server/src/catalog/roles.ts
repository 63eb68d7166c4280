/** Role membership and privileges over a view of the catalogs. */
import type { Oid } from '../base/brands.ts';
import { type Datum, SqlArray } from '../types/datum.ts';
import {
  type AclObjectKind,
  ALL_PRIVILEGES,
  aclItems,
  defaultAcl,
  grantOptionsOf,
  privilegesOf,
} from './acl.ts';
import { PG_AUTH_MEMBERS, PG_AUTHID, PG_DATABASE } from './data/columns.ts';
import type { LayerView } from './layers.ts';

/** Roles that stand for rights on everything. */
export const PREDEFINED_ROLE = {
  databaseOwner: 6171,
  readAllData: 6181,
  writeAllData: 6182,
  monitor: 3373,
  readAllSettings: 3374,
  readAllStats: 3375,
} as const;

/** Answers membership questions; made anew when roles change. */
export class RoleGraph {
  private readonly view: LayerView;
  private readonly databaseOid: Oid;
  private readonly inherited = new Map<Oid, ReadonlySet<Oid>>();
  private readonly all = new Map<Oid, ReadonlySet<Oid>>();
  /** Privileges by list and role. */
  private readonly byList = new WeakMap<SqlArray, Map<Oid, number>>();

  constructor(view: LayerView, databaseOid: Oid) {
    this.view = view;
    this.databaseOid = databaseOid;
  }

  isSuperuser(role: Oid): boolean {
    return this.view.get('pg_authid', role)?.values[PG_AUTHID.rolsuper] === true;
  }

  /** `member` has the rights of `role`: the same, a superuser, or a member through inheriting roles. */
  hasPrivilegesOf(member: Oid, role: Oid): boolean {
    return member === role || this.isSuperuser(member) || this.closure(member, true).has(role);
  }

  /** `member` may SET ROLE to `role`. */
  isMember(member: Oid, role: Oid): boolean {
    return member === role || this.isSuperuser(member) || this.closure(member, false).has(role);
  }

  /** As {@link isMember} without the superuser shortcut. */
  isMemberNoSuper(member: Oid, role: Oid): boolean {
    return member === role || this.closure(member, false).has(role);
  }

  /** Member with ADMIN OPTION on the role (directly or through a role it is a member of), or superuser. */
  isAdmin(member: Oid, role: Oid): boolean {
    if (this.isSuperuser(member)) return true;
    const reachable = this.closure(member, false);
    return this.view
      .find('pg_auth_members', 'role', role)
      .some(
        ({ values }) =>
          values[PG_AUTH_MEMBERS.admin_option] === true &&
          reachable.has(values[PG_AUTH_MEMBERS.member] as number),
      );
  }

  private closure(member: Oid, onlyInherited: boolean): ReadonlySet<Oid> {
    const cache = onlyInherited ? this.inherited : this.all;
    const known = cache.get(member);
    if (known !== undefined) return known;
    const owner = this.view.get('pg_database', this.databaseOid)?.values[PG_DATABASE.datdba];
    const reached = new Set<Oid>([member]);
    for (const role of reached) {
      if (onlyInherited && this.view.get('pg_authid', role)?.values[PG_AUTHID.rolinherit] !== true) continue;
      for (const { values } of this.view.find('pg_auth_members', 'member', role))
        reached.add(values[PG_AUTH_MEMBERS.roleid] as number);
      if (role === owner) reached.add(PREDEFINED_ROLE.databaseOwner);
    }
    cache.set(member, reached);
    return reached;
  }

  /** Privilege bits a role holds on an object; superusers and (for what ownership implies) owners hold all. */
  privileges(role: Oid, kind: AclObjectKind, owner: Oid, acl: Datum): number {
    if (this.isSuperuser(role)) return ALL_PRIVILEGES[kind];
    const isGrantee = (grantee: Oid): boolean => this.hasPrivilegesOf(role, grantee);
    if (!(acl instanceof SqlArray)) return privilegesOf(defaultAcl(kind, owner), isGrantee);
    // Lists are immutable values and this graph lives until roles change: answers can be kept by list.
    let known = this.byList.get(acl);
    if (known === undefined) {
      known = new Map();
      this.byList.set(acl, known);
    }
    let held = known.get(role);
    if (held === undefined) {
      held = privilegesOf(aclItems(acl)!, isGrantee);
      known.set(role, held);
    }
    return held;
  }

  /** Privilege bits a role may pass on; an owner may pass on all. */
  grantOptions(role: Oid, kind: AclObjectKind, owner: Oid, acl: Datum): number {
    if (this.hasPrivilegesOf(role, owner)) return ALL_PRIVILEGES[kind];
    return grantOptionsOf(aclItems(acl) ?? defaultAcl(kind, owner), (grantee) =>
      this.hasPrivilegesOf(role, grantee),
    );
  }
}
