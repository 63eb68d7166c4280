/** Text search objects that users made, as the functions over documents ask for them. */
import { PG_TS_CONFIG_MAP, PG_TS_DICT, PG_TS_TEMPLATE } from '../../../catalog/data/columns.ts';
import type { CatalogReaderImplementation } from '../../../catalog/reader.ts';
import {
  type Configuration,
  type DictionaryDefinition,
  parseDictionaryOptions,
  type TextSearchCatalog,
} from '../../../sql/functions/textsearch/configuration.ts';

/** Templates are known by the function that does their work, whatever their name. */
const TEMPLATE_OF_FUNCTION: Readonly<Record<string, string>> = {
  dsimple_lexize: 'simple',
  dsnowball_lexize: 'snowball',
};

export function textSearchCatalog(reader: () => CatalogReaderImplementation): TextSearchCatalog {
  return {
    configuration(oid): Configuration | undefined {
      const { view } = reader();
      if (view.get('pg_ts_config', oid) === null) return undefined;
      const rows = [...view.all('pg_ts_config_map')]
        .map(({ values }) => values)
        .filter((values) => values[PG_TS_CONFIG_MAP.mapcfg] === oid)
        .sort(
          (left, right) =>
            (left[PG_TS_CONFIG_MAP.mapseqno] as number) - (right[PG_TS_CONFIG_MAP.mapseqno] as number),
        );
      const mappings = new Map<number, number[]>();
      for (const values of rows) {
        const type = values[PG_TS_CONFIG_MAP.maptokentype] as number;
        const dictionary = values[PG_TS_CONFIG_MAP.mapdict] as number;
        mappings.set(type, [...(mappings.get(type) ?? []), dictionary]);
      }
      return { oid, mappings };
    },
    dictionary(oid): DictionaryDefinition | undefined {
      const { view } = reader();
      const row = view.get('pg_ts_dict', oid)?.values;
      if (row === undefined) return undefined;
      const template = view.get('pg_ts_template', row[PG_TS_DICT.dicttemplate] as number)?.values;
      const lexize = reader().function((template?.[PG_TS_TEMPLATE.tmpllexize] as number | undefined) ?? 0);
      return {
        oid,
        name: row[PG_TS_DICT.dictname] as string,
        template: TEMPLATE_OF_FUNCTION[lexize?.source ?? ''] ?? (template?.[1] as string),
        options: parseDictionaryOptions(row[PG_TS_DICT.dictinitoption] as string | null),
      };
    },
  };
}
