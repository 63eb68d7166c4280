/** Roles, memberships, grants, and why somebody may or may not. */
import Type, { type Static } from 'typebox';
import { Cell, Millis, nullable } from './shapes.ts';

export const RoleEntry = Type.Object({
  oid: Type.Integer(),
  name: Type.String(),
  isSuperuser: Type.Boolean(),
  canLogin: Type.Boolean(),
  canCreateRole: Type.Boolean(),
  canCreateDatabase: Type.Boolean(),
  isReplication: Type.Boolean(),
  bypassesRowSecurity: Type.Boolean(),
  inherits: Type.Boolean(),
  connectionLimit: Type.Integer(),
  validUntil: Cell,
  /** pg_… roles that come with the server. */
  isBuiltIn: Type.Boolean(),
  memberOf: Type.Array(Type.Object({ role: Type.String(), isAdmin: Type.Boolean(), grantor: Cell })),
  members: Type.Array(Type.String()),
  settings: Type.Array(Type.String()),
  ownedObjects: Type.Integer(),
});
export type RoleEntry = Static<typeof RoleEntry>;
export const RolesResponse = Type.Object({ roles: Type.Array(RoleEntry) });
export type RolesResponse = Static<typeof RolesResponse>;

export const GrantsQuery = Type.Object({
  role: Type.Optional(Type.String({ maxLength: 63 })),
  schema: Type.Optional(Type.String({ maxLength: 63 })),
  search: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5000 })),
});
export type GrantsQuery = Static<typeof GrantsQuery>;
export const GrantEntry = Type.Object({
  /** table, view, sequence, function, schema, database, type … */
  kind: Type.String(),
  schema: nullable(Type.String()),
  object: Type.String(),
  column: nullable(Type.String()),
  grantee: Type.String(),
  grantor: Type.String(),
  privileges: Type.Array(Type.String()),
  grantable: Type.Array(Type.String()),
});
export type GrantEntry = Static<typeof GrantEntry>;
export const GrantsResponse = Type.Object({
  grants: Type.Array(GrantEntry),
  isTruncated: Type.Boolean(),
  defaults: Type.Array(
    Type.Object({
      owner: Type.String(),
      schema: nullable(Type.String()),
      kind: Type.String(),
      grantee: Type.String(),
      privileges: Type.Array(Type.String()),
    }),
  ),
});
export type GrantsResponse = Static<typeof GrantsResponse>;

/** Who can do what on a relation, and why. */
export const AccessQuery = Type.Object({
  oid: Type.Integer({ minimum: 1 }),
  role: Type.Optional(Type.String({ maxLength: 63 })),
});
export type AccessQuery = Static<typeof AccessQuery>;
export const AccessResponse = Type.Object({
  relation: Type.String(),
  owner: Type.String(),
  entries: Type.Array(
    Type.Object({
      role: Type.String(),
      privilege: Type.String(),
      isAllowed: Type.Boolean(),
      /** Steps from the role to the reason: "member of staff", "staff was granted SELECT by postgres". */
      because: Type.Array(Type.String()),
    }),
  ),
});
export type AccessResponse = Static<typeof AccessResponse>;

/** What is wrong with who may do what; superusers only. */
export const SecurityCheckResponse = Type.Object({
  checkedAt: Millis,
  findings: Type.Array(
    Type.Object({
      severity: Type.Union([
        Type.Literal('ok'),
        Type.Literal('notice'),
        Type.Literal('warning'),
        Type.Literal('critical'),
      ]),
      sentence: Type.String(),
      sql: nullable(Type.String()),
    }),
  ),
});
export type SecurityCheckResponse = Static<typeof SecurityCheckResponse>;
