/** What the extensions we implement consist of: facts of data/extensions.json, written by tools/catalog-data. */
import extensions from './data/extensions.json' with { type: 'json' };
import type { CatalogName } from './data/index.ts';
import { CATALOGS } from './definitions.ts';
import { type CatalogRow, parseValue } from './static-rows.ts';

export interface ExtensionFacts {
  readonly name: string;
  readonly version: string;
  readonly relocatable: boolean;
  readonly trusted: boolean;
  readonly comment: string;
  /** Rows of each catalog, tab-separated as in the other data files. Oids from 16384 up are members of the extension itself. */
  readonly rows: Readonly<Partial<Record<CatalogName, readonly string[]>>>;
}

/** plpgsql is there from the start: its language is one of the server's own rows. */
const PLPGSQL: ExtensionFacts = {
  name: 'plpgsql',
  version: '1.0',
  relocatable: false,
  trusted: true,
  comment: 'PL/pgSQL procedural language',
  rows: {},
};

/** Their functions and views are in pg_catalog from the start: making the extension adds nothing, and tools that do so are content. */
const ALWAYS_THERE: readonly ExtensionFacts[] = [
  {
    name: 'pg_stat_statements',
    version: '1.10',
    relocatable: true,
    trusted: false,
    comment: 'track planning and execution statistics of all SQL statements executed',
    rows: {},
  },
  {
    name: 'hypopg',
    version: '1.4.1',
    relocatable: true,
    trusted: false,
    comment: 'hypothetical indexes',
    rows: {},
  },
];

export const EXTENSIONS: ReadonlyMap<string, ExtensionFacts> = new Map(
  [PLPGSQL, ...ALWAYS_THERE, ...(extensions as unknown as ExtensionFacts[])].map((facts) => [
    facts.name,
    facts,
  ]),
);

/** Rows of an extension by catalog, in the order in which they can be inserted. */
export function* extensionRows(facts: ExtensionFacts): Generator<[CatalogName, CatalogRow]> {
  for (const [catalog, lines] of Object.entries(facts.rows) as [CatalogName, readonly string[]][]) {
    const { columns } = CATALOGS.get(catalog)!;
    for (const line of lines)
      yield [catalog, line.split('\t').map((field, index) => parseValue(field, columns[index]![1]))];
  }
}
