/** Small schemas that every part of the contract uses. */
import Type, { type Static, type TSchema } from 'typebox';

/** A value in PostgreSQL's text form, so that int8 and numeric arrive exactly; NULL is null. */
export const Cell = Type.Union([Type.String(), Type.Null()]);
export type Cell = Static<typeof Cell>;

export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** int8 of the server as decimal digits. */
export const BigText = Type.String();
/** Milliseconds since 1970. */
export const Millis = Type.Number();
export const Name = Type.String({ minLength: 1, maxLength: 63 });
export const Done = Type.Object({ status: Type.Literal('ok') });
export type Done = Static<typeof Done>;

export const ApiError = Type.Object({
  /** SQLSTATE, or a word for errors of the API itself. */
  code: Type.String(),
  message: Type.String(),
  severity: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  hint: Type.Optional(Type.String()),
  /** Character in the statement text that was sent, from 1. */
  position: Type.Optional(Type.Integer()),
  where: Type.Optional(Type.String()),
});
export type ApiError = Static<typeof ApiError>;

export const ResultColumn = Type.Object({
  name: Type.String(),
  typeOid: Type.Integer(),
  typeName: Type.String(),
});
export type ResultColumn = Static<typeof ResultColumn>;

/** A condition of the filter builder. Several are joined by AND. */
export const FilterCondition = Type.Object({
  column: Type.String(),
  operator: Type.Union([
    Type.Literal('='),
    Type.Literal('<>'),
    Type.Literal('<'),
    Type.Literal('<='),
    Type.Literal('>'),
    Type.Literal('>='),
    Type.Literal('contains'),
    Type.Literal('starts with'),
    Type.Literal('is null'),
    Type.Literal('is not null'),
    Type.Literal('in'),
  ]),
  /** Text form of the operand; for `in` one a line; absent for the null tests. */
  value: Type.Optional(Type.String({ maxLength: 1_000_000 })),
});
export type FilterCondition = Static<typeof FilterCondition>;

export const SortKey = Type.Object({ column: Type.String(), descending: Type.Boolean() });
export type SortKey = Static<typeof SortKey>;
