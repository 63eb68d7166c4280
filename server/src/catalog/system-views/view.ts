/**
 * How a system view is written here: a FROM clause and an expression for each column that is not always NULL.
 *
 * The statement is put together with the columns of pg_attribute, each cast to its type, so that a view cannot differ from
 * PostgreSQL's in names, order or types. A system view without a specification is empty, with every column.
 */
export interface ViewSpecification {
  /** FROM and what follows; empty for one row of plain values. */
  readonly from: string;
  readonly columns: Readonly<Record<string, string>>;
}

export function view(from: string, columns: Readonly<Record<string, string>>): ViewSpecification {
  return { from, columns };
}

export interface ViewColumn {
  readonly name: string;
  /** Qualified type, as SQL writes it. */
  readonly type: string;
  /** Values of this type cannot be written as a cast (anyarray). */
  readonly isPseudo: boolean;
}

/** The statement of a view. */
export function viewStatement(
  specification: ViewSpecification | null,
  columns: readonly ViewColumn[],
): string {
  const list = columns.map(({ name, type, isPseudo }) => {
    const expression = specification?.columns[name];
    if (expression === undefined) return `NULL::${isPseudo ? 'pg_catalog.text[]' : type} AS "${name}"`;
    return `${isPseudo ? expression : `(${expression})::${type}`} AS "${name}"`;
  });
  const from =
    specification === null ? 'WHERE false' : specification.from === '' ? '' : `FROM ${specification.from}`;
  return `SELECT ${list.join(', ')} ${from}`;
}
