/** The builtin text search objects, read from the catalog's initial rows. */
import configurationData from '../../../catalog/data/pg_ts_config.json' with { type: 'json' };
import mappingData from '../../../catalog/data/pg_ts_config_map.json' with { type: 'json' };
import dictionaryData from '../../../catalog/data/pg_ts_dict.json' with { type: 'json' };
import templateData from '../../../catalog/data/pg_ts_template.json' with { type: 'json' };
import { type Configuration, type DictionaryDefinition, parseDictionaryOptions } from './configuration.ts';

interface Data {
  readonly columns: readonly (readonly string[])[];
  readonly constants: Readonly<Record<string, string | undefined>>;
  readonly rows: readonly string[];
}

function* records(data: unknown): Generator<Map<string, string>> {
  const { columns, constants, rows } = data as Data;
  const varying = columns.map((column) => column[0]!).filter((name) => constants[name] === undefined);
  for (const row of rows) {
    const cells = row.split('\t');
    const record = new Map<string, string>();
    for (const [name, value] of Object.entries(constants)) record.set(name, value!);
    varying.forEach((name, index) => {
      record.set(name, cells[index]!);
    });
    yield record;
  }
}

interface BuiltinRows {
  readonly configurations: ReadonlyMap<number, Configuration>;
  readonly configurationByName: ReadonlyMap<string, number>;
  readonly dictionaries: ReadonlyMap<number, DictionaryDefinition>;
}

let loaded: BuiltinRows | null = null;

export function builtinCatalogRows(): BuiltinRows {
  if (loaded !== null) return loaded;
  const templates = new Map<string, string>();
  for (const row of records(templateData)) templates.set(row.get('oid')!, row.get('tmplname')!);
  const dictionaries = new Map<number, DictionaryDefinition>();
  for (const row of records(dictionaryData)) {
    const oid = Number(row.get('oid'));
    const options = row.get('dictinitoption')!;
    dictionaries.set(oid, {
      oid,
      name: row.get('dictname')!,
      template: templates.get(row.get('dicttemplate')!) ?? '',
      options: parseDictionaryOptions(options === '\\N' ? null : options),
    });
  }
  const mappings = new Map<number, Map<number, number[]>>();
  for (const row of records(mappingData)) {
    const configuration = Number(row.get('mapcfg'));
    const byType = mappings.get(configuration) ?? new Map<number, number[]>();
    mappings.set(configuration, byType);
    const type = Number(row.get('maptokentype'));
    byType.set(type, [...(byType.get(type) ?? []), Number(row.get('mapdict'))]);
  }
  const configurations = new Map<number, Configuration>();
  const configurationByName = new Map<string, number>();
  for (const row of records(configurationData)) {
    const oid = Number(row.get('oid'));
    configurationByName.set(row.get('cfgname')!, oid);
    configurations.set(oid, { oid, mappings: mappings.get(oid) ?? new Map() });
  }
  loaded = { configurations, configurationByName, dictionaries };
  return loaded;
}
