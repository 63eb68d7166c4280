/** Builds the immutable descriptors of contract.ts from catalog rows. */
import type { Oid } from '../base/brands.ts';
import { internalError } from '../base/error.ts';
import type { IndexSchema, TableSchema } from '../table/contract.ts';
import type { FormatContext, TypeSupport } from '../types/contract.ts';
import { type Datum, SqlArray } from '../types/datum.ts';
import type {
  AggregateDescriptor,
  ColumnDescriptor,
  ConstraintDescriptor,
  ForeignKeyAction,
  FunctionDescriptor,
  IndexDescriptor,
  OperatorDescriptor,
  RelationDescriptor,
  RelationKind,
  RoleDescriptor,
  RuleDescriptor,
  TriggerDescriptor,
} from './contract.ts';
import {
  PG_AGGREGATE,
  PG_AM,
  PG_AMOP,
  PG_ATTRDEF,
  PG_ATTRIBUTE,
  PG_AUTHID,
  PG_CLASS,
  PG_CONSTRAINT,
  PG_DEPEND,
  PG_INDEX,
  PG_INHERITS,
  PG_LANGUAGE,
  PG_OPCLASS,
  PG_OPERATOR,
  PG_PROC,
  PG_REWRITE,
  PG_TRIGGER,
  PG_TYPE,
} from './data/columns.ts';
import { CATALOGS_BY_OID, CLASS_OID, pairKey } from './definitions.ts';
import { formatType } from './format-type.ts';
import type { LayerView } from './layers.ts';
import type { CatalogReaderImplementation } from './reader.ts';
import type { CatalogServices } from './services.ts';
import type { CatalogRow } from './static-rows.ts';
import { systemViewSql } from './system-views/index.ts';
import { virtualProvider } from './virtual.ts';
import { keyedColumns } from './virtual-keys.ts';

/** Numbers of an int2vector, oidvector or oid[] value. */
export function numbers(value: Datum): number[] {
  return value === null ? [] : ((value as SqlArray).elements as number[]).slice();
}

export function strings(value: Datum): string[] | null {
  return value === null ? null : (value as SqlArray).elements.map((element) => element as string);
}

const BTREE = 403;
const HASH = 405;

/** Text format of stored missing values: independent of any session. */
const STORED_FORMAT: FormatContext = {
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  timeZone: 'UTC',
  extraFloatDigits: 1,
  byteaOutput: 'hex',
  transactionTimestamp: 0n,
};

/** Stored text of the value that rows older than a column have in it. */
export function missingValueText(value: Datum, support: TypeSupport): string {
  return support.output(value, STORED_FORMAT);
}

function missingValue(row: CatalogRow, support: () => TypeSupport): Datum {
  if (row[PG_ATTRIBUTE.atthasmissing] !== true) return null;
  const stored = row[PG_ATTRIBUTE.attmissingval];
  if (!(stored instanceof SqlArray)) return null;
  const text = stored.elements[0];
  return typeof text === 'string' ? support().input(text, -1, STORED_FORMAT) : null;
}

/** The default a domain gives its columns. */
function domainDefault(view: LayerView, typeOid: Oid): string | null {
  if (typeOid < FIRST_USER_OID) return null;
  let row = view.get('pg_type', typeOid)?.values;
  for (let depth = 0; row !== undefined && row[PG_TYPE.typtype] === 'd' && depth < 100; depth++) {
    if (row[PG_TYPE.typdefaultbin] !== null) return row[PG_TYPE.typdefaultbin] as string;
    row = view.get('pg_type', row[PG_TYPE.typbasetype] as number)?.values;
  }
  return null;
}

export function describeColumns(
  view: LayerView,
  relationOid: Oid,
): { column: ColumnDescriptor; row: CatalogRow }[] {
  const rows = view
    .find('pg_attribute', 'relation', relationOid)
    .map((row) => row.values)
    .filter((row) => (row[PG_ATTRIBUTE.attnum] as number) > 0)
    .sort((a, b) => (a[PG_ATTRIBUTE.attnum] as number) - (b[PG_ATTRIBUTE.attnum] as number));
  const defaults = new Map<number, string>();
  for (const { values } of view.find('pg_attrdef', 'relation', relationOid))
    defaults.set(values[PG_ATTRDEF.adnum] as number, values[PG_ATTRDEF.adbin] as string);
  const sequences = new Map<number, Oid>();
  if (rows.some((row) => row[PG_ATTRIBUTE.atthasdef] === true || row[PG_ATTRIBUTE.attidentity] !== '')) {
    for (const { values } of view.find('pg_depend', 'referenced', pairKey(CLASS_OID.relation, relationOid))) {
      const column = values[PG_DEPEND.refobjsubid] as number;
      if (column === 0 || values[PG_DEPEND.classid] !== CLASS_OID.relation) continue;
      const owned = view.get('pg_class', values[PG_DEPEND.objid] as number);
      if (owned?.values[PG_CLASS.relkind] === 'S') sequences.set(column, owned.key as number);
    }
  }
  return rows.map((row) => {
    const number = row[PG_ATTRIBUTE.attnum] as number;
    return {
      row,
      column: {
        number,
        name: row[PG_ATTRIBUTE.attname] as string,
        typeOid: row[PG_ATTRIBUTE.atttypid] as number,
        typmod: row[PG_ATTRIBUTE.atttypmod] as number,
        collation: row[PG_ATTRIBUTE.attcollation] as number,
        notNull: row[PG_ATTRIBUTE.attnotnull] as boolean,
        dropped: row[PG_ATTRIBUTE.attisdropped] as boolean,
        defaultExpression: defaults.get(number) ?? domainDefault(view, row[PG_ATTRIBUTE.atttypid] as number),
        identity: row[PG_ATTRIBUTE.attidentity] as '' | 'a' | 'd',
        generated: row[PG_ATTRIBUTE.attgenerated] as '' | 's',
        sequenceOid: sequences.get(number) ?? 0,
      },
    };
  });
}

export function describeConstraint(row: CatalogRow): ConstraintDescriptor {
  const referencedOid = row[PG_CONSTRAINT.confrelid] as number;
  return {
    oid: row[PG_CONSTRAINT.oid] as number,
    name: row[PG_CONSTRAINT.conname] as string,
    kind: row[PG_CONSTRAINT.contype] as ConstraintDescriptor['kind'],
    relationOid: row[PG_CONSTRAINT.conrelid] as number,
    columns: numbers(row[PG_CONSTRAINT.conkey]!),
    indexOid: row[PG_CONSTRAINT.conindid] as number,
    expression: row[PG_CONSTRAINT.conbin] as string | null,
    deferrable: row[PG_CONSTRAINT.condeferrable] as boolean,
    deferred: row[PG_CONSTRAINT.condeferred] as boolean,
    validated: row[PG_CONSTRAINT.convalidated] as boolean,
    ...(row[PG_CONSTRAINT.contype] === 'x' ? { exclusion: numbers(row[PG_CONSTRAINT.conexclop]!) } : {}),
    foreign:
      row[PG_CONSTRAINT.contype] !== 'f'
        ? null
        : {
            referencedOid,
            referencedColumns: numbers(row[PG_CONSTRAINT.confkey]!),
            onUpdate: row[PG_CONSTRAINT.confupdtype] as ForeignKeyAction,
            onDelete: row[PG_CONSTRAINT.confdeltype] as ForeignKeyAction,
            match: row[PG_CONSTRAINT.confmatchtype] as 's' | 'f' | 'p',
            operators: numbers(row[PG_CONSTRAINT.conpfeqop]!),
          },
  };
}

/** indexprs holds a JSON array of serialised expressions. */
export function storedExpressions(value: Datum): string[] {
  return value === null ? [] : (JSON.parse(value as string) as string[]);
}

/**
 * Access methods whose indexes have entries. GIN, GiST, SP-GiST and BRIN indexes exist in the catalogs only: they are dumped, shown
 * and dropped, but no scan uses them and no write feeds them.
 */
export function isStoredMethod(accessMethod: Oid): boolean {
  return accessMethod === BTREE || accessMethod === HASH;
}

const NO_RULES: readonly RuleDescriptor[] = [];
const RULE_EVENTS: Readonly<Record<string, RuleDescriptor['event']>> = {
  2: 'update',
  3: 'insert',
  4: 'delete',
};

function describeRules(view: LayerView, relationOid: Oid): readonly RuleDescriptor[] {
  return view
    .find('pg_rewrite', 'relation', relationOid)
    .flatMap(({ values }) => {
      const event = RULE_EVENTS[values[PG_REWRITE.ev_type] as string];
      if (event === undefined) return [];
      const qual = values[PG_REWRITE.ev_qual] as string;
      return [
        {
          oid: values[PG_REWRITE.oid] as Oid,
          name: values[PG_REWRITE.rulename] as string,
          event,
          instead: values[PG_REWRITE.is_instead] as boolean,
          enabled: values[PG_REWRITE.ev_enabled] as RuleDescriptor['enabled'],
          condition: qual === '<>' ? null : qual,
          actions: values[PG_REWRITE.ev_action] as string,
        },
      ];
    })
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

class Index implements IndexDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly tableOid: Oid;
  readonly accessMethod: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly valid: boolean;
  readonly keyColumns: readonly number[];
  readonly includedColumns: readonly number[];
  readonly expressions: readonly string[];
  readonly predicate: string | null;
  readonly descending: readonly boolean[];
  readonly nullsFirst: readonly boolean[];
  readonly operatorClasses: readonly Oid[];
  readonly keyTypes: readonly Oid[];
  private readonly nullsNotDistinct: boolean;
  private readonly reader: CatalogReaderImplementation;
  private schemaValue: IndexSchema | null = null;

  constructor(reader: CatalogReaderImplementation, row: CatalogRow, classRow: CatalogRow) {
    const view = reader.view;
    this.reader = reader;
    this.oid = row[PG_INDEX.indexrelid] as number;
    this.name = classRow[PG_CLASS.relname] as string;
    this.tableOid = row[PG_INDEX.indrelid] as number;
    this.accessMethod =
      (view.get('pg_am', classRow[PG_CLASS.relam] as number)?.values[PG_AM.amname] as string | undefined) ??
      'btree';
    // A deferrable key may be held twice for a while: it proves nothing to the planner and stops no write.
    this.unique = row[PG_INDEX.indisunique] === true && row[PG_INDEX.indimmediate] === true;
    this.primary = row[PG_INDEX.indisprimary] as boolean;
    this.valid = row[PG_INDEX.indisvalid] as boolean;
    this.nullsNotDistinct = row[PG_INDEX.indnullsnotdistinct] as boolean;
    const keyCount = row[PG_INDEX.indnkeyatts] as number;
    const columns = numbers(row[PG_INDEX.indkey]!);
    this.keyColumns = columns.slice(0, keyCount);
    this.includedColumns = columns.slice(keyCount);
    this.expressions = storedExpressions(row[PG_INDEX.indexprs]!);
    this.predicate = row[PG_INDEX.indpred] as string | null;
    const options = numbers(row[PG_INDEX.indoption]!);
    this.descending = options.slice(0, keyCount).map((option) => (option & 1) !== 0);
    this.nullsFirst = options.slice(0, keyCount).map((option) => (option & 2) !== 0);
    this.operatorClasses = numbers(row[PG_INDEX.indclass]!).slice(0, keyCount);
    this.keyTypes = describeColumns(view, this.oid)
      .slice(0, keyCount)
      .map(({ column }) => column.typeOid);
  }

  /** Built when the table room needs it: expression indexes compile here. */
  get schema(): IndexSchema {
    return (this.schemaValue ??= this.buildSchema());
  }

  private buildSchema(): IndexSchema {
    const reader = this.reader;
    const relation = reader.relation(this.tableOid);
    if (relation === null) throw internalError(`index ${this.oid} has no table`);
    let nextExpression = 0;
    return {
      indexOid: this.oid,
      name: this.name,
      unique: this.unique,
      primary: this.primary,
      nullsNotDistinct: this.nullsNotDistinct,
      keys: this.keyColumns.map((attnum, position) => ({
        column: attnum === 0 ? -1 : attnum - 1,
        expression:
          attnum === 0
            ? reader.services.compileRowExpression(this.expressions[nextExpression++]!, relation, reader)
            : null,
        support: reader.typeSupport(
          storedType(
            reader,
            attnum === 0 ? (this.keyTypes[position] ?? 0) : relation.columns[attnum - 1]!.typeOid,
            -1,
          ).typeOid,
        ),
        descending: this.descending[position]!,
        nullsFirst: this.nullsFirst[position]!,
      })),
      included: this.includedColumns.map((attnum) => attnum - 1),
      predicate:
        this.predicate === null ? null : rowFilter(reader.services, this.predicate, relation, reader),
    };
  }
}

function rowFilter(
  services: CatalogServices,
  predicate: string,
  relation: RelationDescriptor,
  reader: CatalogReaderImplementation,
): (row: readonly Datum[]) => boolean {
  const evaluate = services.compileRowExpression(predicate, relation, reader);
  return (row) => evaluate(row) === true;
}

const NO_RELATIONS: readonly Oid[] = [];

class Relation implements RelationDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly namespaceOid: Oid;
  readonly namespaceName: string;
  readonly kind: RelationKind;
  readonly persistence: 'p' | 'u' | 't';
  readonly ownerOid: Oid;
  readonly rowTypeOid: Oid;
  readonly columns: readonly ColumnDescriptor[];
  readonly constraints: readonly ConstraintDescriptor[];
  readonly indexes: readonly IndexDescriptor[];
  readonly exclusionIndexes: readonly IndexDescriptor[];
  readonly referencedBy: readonly ConstraintDescriptor[];
  readonly children: readonly Oid[];
  readonly parents: readonly Oid[];
  readonly triggers: readonly TriggerDescriptor[];
  readonly rules: readonly RuleDescriptor[];
  readonly acl: readonly string[] | null;
  readonly options: readonly string[];
  readonly rowSecurity: 'none' | 'enabled' | 'forced';
  readonly virtualRows: RelationDescriptor['virtualRows'];
  readonly virtualKeys: ReadonlyMap<number, number> | null;
  private readonly reader: CatalogReaderImplementation;
  private readonly columnRows: readonly CatalogRow[];
  private viewQueryValue: string | null | undefined;
  private tableValue: TableSchema | null = null;

  constructor(reader: CatalogReaderImplementation, row: CatalogRow) {
    const view = reader.view;
    this.reader = reader;
    this.oid = row[PG_CLASS.oid] as number;
    this.name = row[PG_CLASS.relname] as string;
    this.namespaceOid = row[PG_CLASS.relnamespace] as number;
    this.namespaceName = reader.namespaceName(this.namespaceOid) ?? '';
    this.kind = row[PG_CLASS.relkind] as RelationKind;
    this.persistence = row[PG_CLASS.relpersistence] as 'p' | 'u' | 't';
    this.ownerOid = row[PG_CLASS.relowner] as number;
    this.rowTypeOid = row[PG_CLASS.reltype] as number;
    const columns = describeColumns(view, this.oid);
    this.columns = columns.map(({ column }) => column);
    this.columnRows = columns.map(({ row: columnRow }) => columnRow);
    this.virtualRows = virtualProvider(this.oid, this.kind, this.name, this.namespaceOid);
    const catalog = CATALOGS_BY_OID.get(this.oid);
    this.virtualKeys = catalog === undefined ? null : keyedColumns(catalog.name);
    this.constraints = view
      .find('pg_constraint', 'relation', this.oid)
      .map(({ values }) => describeConstraint(values))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    this.referencedBy = view
      .find('pg_constraint', 'referenced', this.oid)
      .map(({ values }) => describeConstraint(values))
      .filter(({ kind }) => kind === 'f');
    this.children =
      row[PG_CLASS.relhassubclass] === true
        ? view
            .find('pg_inherits', 'parent', this.oid)
            .filter(({ values }) => values[PG_INHERITS.inhdetachpending] !== true)
            .map(({ values }) => values[PG_INHERITS.inhrelid] as Oid)
            .sort((a, b) => a - b)
        : NO_RELATIONS;
    const inherits = view.find('pg_inherits', 'child', this.oid);
    this.parents =
      inherits.length === 0
        ? NO_RELATIONS
        : inherits
            .map(({ values }) => values)
            .sort((a, b) => (a[PG_INHERITS.inhseqno] as number) - (b[PG_INHERITS.inhseqno] as number))
            .map((values) => values[PG_INHERITS.inhparent] as Oid);
    this.triggers =
      row[PG_CLASS.relhastriggers] !== true
        ? []
        : view
            .find('pg_trigger', 'relation', this.oid)
            .map(({ values }) => describeTrigger(values))
            .sort((a, b) => (a.name < b.name ? -1 : 1));
    this.rules = row[PG_CLASS.relhasrules] !== true ? NO_RULES : describeRules(view, this.oid);
    // Catalogs answer from memory; their indexes exist as rows only.
    this.indexes =
      this.virtualRows !== null
        ? []
        : view
            .find('pg_index', 'table', this.oid)
            .map(({ values }) => values)
            .filter((values) => {
              const classRow = view.get('pg_class', values[PG_INDEX.indexrelid] as number);
              return classRow === null || isStoredMethod(classRow.values[PG_CLASS.relam] as Oid);
            })
            .sort((a, b) => (a[PG_INDEX.indexrelid] as number) - (b[PG_INDEX.indexrelid] as number))
            .map((values) => {
              const classRow = view.get('pg_class', values[PG_INDEX.indexrelid] as number);
              if (classRow === null)
                throw internalError(`no pg_class row of index ${values[PG_INDEX.indexrelid]}`);
              return new Index(reader, values, classRow.values);
            });
    this.exclusionIndexes = this.constraints.flatMap(({ kind, indexOid }) => {
      const values = kind === 'x' ? view.get('pg_index', indexOid)?.values : undefined;
      const classRow = view.get('pg_class', indexOid);
      return values === undefined || classRow === null ? [] : [new Index(reader, values, classRow.values)];
    });
    this.acl = strings(row[PG_CLASS.relacl]!);
    this.options = strings(row[PG_CLASS.reloptions]!) ?? [];
    this.rowSecurity =
      row[PG_CLASS.relrowsecurity] !== true
        ? 'none'
        : row[PG_CLASS.relforcerowsecurity] === true
          ? 'forced'
          : 'enabled';
  }

  /** System views are analysed when first used, so that starting costs nothing for them. */
  get viewQuery(): string | null {
    if (this.viewQueryValue !== undefined) return this.viewQueryValue;
    if (this.kind !== 'v' && this.kind !== 'm') return (this.viewQueryValue = null);
    const sql = this.systemViewSql;
    if (sql !== null) return (this.viewQueryValue = this.reader.services.compileView(sql, this.reader));
    const rule = this.reader.view
      .find('pg_rewrite', 'relation', this.oid)
      .find(({ values }) => values[PG_REWRITE.ev_type] === '1');
    return (this.viewQueryValue = rule === undefined ? null : (rule.values[PG_REWRITE.ev_action] as string));
  }

  /** Text of a system view, null for all others. */
  get systemViewSql(): string | null {
    return systemViewText(this.reader, this);
  }

  get table(): TableSchema | null {
    if (this.kind !== 'r' && this.kind !== 'm') return null;
    if (CATALOGS_BY_OID.has(this.oid)) return null;
    return (this.tableValue ??= {
      tableOid: this.oid,
      name: this.name,
      persistence:
        this.persistence === 'p' ? 'permanent' : this.persistence === 'u' ? 'unlogged' : 'temporary',
      columns: this.columns.map((column, index) => {
        // A domain is stored as its base type, which a restart knows without the catalog.
        const { typeOid, typmod } = column.dropped
          ? { typeOid: TEXT, typmod: -1 }
          : storedType(this.reader, column.typeOid, column.typmod);
        const support = this.reader.typeSupport(typeOid);
        return {
          name: column.name,
          typeOid,
          typmod,
          support,
          notNull: column.notNull,
          dropped: column.dropped,
          missingValue: missingValue(this.columnRows[index]!, () => support),
        };
      }),
    });
  }
}

const FIRST_USER_RELATION = 16384;
const TEXT = 25;

function storedType(
  reader: CatalogReaderImplementation,
  typeOid: Oid,
  typmod: number,
): { typeOid: Oid; typmod: number } {
  let found = { typeOid, typmod };
  let type = reader.type(typeOid);
  for (let depth = 0; type !== null && type.kind === 'd' && depth < 100; depth++) {
    found = { typeOid: type.baseTypeOid, typmod: type.typmod };
    type = reader.type(type.baseTypeOid);
  }
  return found;
}

/** SQL text of a system view, null for all other relations. */
export function systemViewText(
  reader: CatalogReaderImplementation,
  relation: RelationDescriptor,
): string | null {
  if (relation.kind !== 'v' || relation.oid >= FIRST_USER_RELATION) return null;
  return systemViewSql(
    relation.namespaceName,
    relation.name,
    relation.columns.map(({ name, typeOid, typmod }) => ({
      name,
      type: formatType(reader, typeOid, { typmod, forceQualify: true }),
      isPseudo: reader.type(typeOid)?.kind === 'p',
    })),
  );
}

/** Arguments are kept as bytes, each ended by a NUL. */
function triggerArguments(value: Datum): string[] {
  if (!(value instanceof Uint8Array) || value.length === 0) return [];
  return new TextDecoder().decode(value).split('\0').slice(0, -1);
}

export function describeTrigger(row: CatalogRow): TriggerDescriptor {
  return {
    oid: row[PG_TRIGGER.oid] as number,
    name: row[PG_TRIGGER.tgname] as string,
    relationOid: row[PG_TRIGGER.tgrelid] as number,
    functionOid: row[PG_TRIGGER.tgfoid] as number,
    type: row[PG_TRIGGER.tgtype] as number,
    enabled: row[PG_TRIGGER.tgenabled] as TriggerDescriptor['enabled'],
    constraintOid: row[PG_TRIGGER.tgconstraint] as number,
    deferrable: row[PG_TRIGGER.tgdeferrable] as boolean,
    initiallyDeferred: row[PG_TRIGGER.tginitdeferred] as boolean,
    args: triggerArguments(row[PG_TRIGGER.tgargs]!),
    columns: numbers(row[PG_TRIGGER.tgattr]!),
    condition: row[PG_TRIGGER.tgqual] as string | null,
    oldTable: row[PG_TRIGGER.tgoldtable] as string | null,
    newTable: row[PG_TRIGGER.tgnewtable] as string | null,
  };
}

export function describeRelation(reader: CatalogReaderImplementation, row: CatalogRow): RelationDescriptor {
  return new Relation(reader, row);
}

const INTERNAL_LANGUAGE = 12;
const SQL_LANGUAGE = 14;
const FIRST_USER_OID = 16384;

class ProcedureDescriptor implements FunctionDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly namespaceOid: Oid;
  readonly kind: FunctionDescriptor['kind'];
  readonly argumentTypes: readonly Oid[];
  readonly allArgumentTypes: readonly Oid[] | null;
  readonly argumentModes: readonly string[] | null;
  readonly argumentNames: readonly string[] | null;
  readonly defaultCount: number;
  readonly variadicType: Oid;
  readonly returnType: Oid;
  readonly returnsSet: boolean;
  readonly strict: boolean;
  readonly volatility: 'i' | 's' | 'v';
  readonly parallel: 's' | 'r' | 'u';
  readonly language: string;
  readonly source: string;
  readonly sqlBody: string | null;
  readonly ownerOid: Oid;
  readonly securityDefiner: boolean;
  readonly settings: readonly string[] | null;
  readonly rows: number;
  readonly cost: number;
  readonly aggregate: AggregateDescriptor | null;
  private readonly reader: CatalogReaderImplementation;
  private readonly storedDefaults: string | null;
  private compiledDefaults: string | null = null;

  constructor(reader: CatalogReaderImplementation, row: CatalogRow) {
    this.reader = reader;
    this.oid = row[PG_PROC.oid] as number;
    this.name = row[PG_PROC.proname] as string;
    this.namespaceOid = row[PG_PROC.pronamespace] as number;
    this.kind = row[PG_PROC.prokind] as FunctionDescriptor['kind'];
    this.argumentTypes = numbers(row[PG_PROC.proargtypes]!);
    this.allArgumentTypes =
      row[PG_PROC.proallargtypes] === null ? null : numbers(row[PG_PROC.proallargtypes]!);
    this.argumentModes = strings(row[PG_PROC.proargmodes]!);
    this.argumentNames = strings(row[PG_PROC.proargnames]!);
    this.defaultCount = row[PG_PROC.pronargdefaults] as number;
    this.storedDefaults = row[PG_PROC.proargdefaults] as string | null;
    this.variadicType = row[PG_PROC.provariadic] as number;
    this.returnType = row[PG_PROC.prorettype] as number;
    this.returnsSet = row[PG_PROC.proretset] as boolean;
    this.strict = row[PG_PROC.proisstrict] as boolean;
    this.volatility = row[PG_PROC.provolatile] as 'i' | 's' | 'v';
    this.parallel = row[PG_PROC.proparallel] as 's' | 'r' | 'u';
    const language = row[PG_PROC.prolang] as number;
    // PostgreSQL's few functions written in SQL are ordinary builtins here, implemented under their oid.
    const isBuiltinSql = language === SQL_LANGUAGE && this.oid < FIRST_USER_OID;
    this.language =
      isBuiltinSql || language === INTERNAL_LANGUAGE
        ? 'internal'
        : ((reader.view.get('pg_language', language)?.values[PG_LANGUAGE.lanname] as string | undefined) ??
          'internal');
    this.source = isBuiltinSql ? `#${this.oid}` : (row[PG_PROC.prosrc] as string);
    this.sqlBody = isBuiltinSql ? null : (row[PG_PROC.prosqlbody] as string | null);
    this.ownerOid = row[PG_PROC.proowner] as number;
    this.securityDefiner = row[PG_PROC.prosecdef] as boolean;
    this.settings = strings(row[PG_PROC.proconfig]!);
    this.rows = row[PG_PROC.prorows] as number;
    this.cost = row[PG_PROC.procost] as number;
    const aggregate = this.kind === 'a' ? reader.view.get('pg_aggregate', this.oid) : null;
    this.aggregate =
      aggregate === null
        ? null
        : {
            kind: aggregate.values[PG_AGGREGATE.aggkind] as 'n' | 'o' | 'h',
            directArguments: aggregate.values[PG_AGGREGATE.aggnumdirectargs] as number,
            transitionFunction: aggregate.values[PG_AGGREGATE.aggtransfn] as number,
            finalFunction: aggregate.values[PG_AGGREGATE.aggfinalfn] as number,
            transitionType: aggregate.values[PG_AGGREGATE.aggtranstype] as number,
            initialValue: aggregate.values[PG_AGGREGATE.agginitval] as string | null,
            sortOperator: aggregate.values[PG_AGGREGATE.aggsortop] as number,
          };
  }

  get defaults(): string | null {
    if (this.storedDefaults === null) return null;
    if (this.oid >= FIRST_USER_OID) return this.storedDefaults;
    const types = this.argumentTypes.slice(this.argumentTypes.length - this.defaultCount);
    return (this.compiledDefaults ??= this.reader.services.compileDefaults(
      this.storedDefaults.split('\x01'),
      types,
      this.reader,
    ));
  }
}

export function describeFunction(reader: CatalogReaderImplementation, row: CatalogRow): FunctionDescriptor {
  return new ProcedureDescriptor(reader, row);
}

export function describeOperator(
  view: LayerView,
  row: CatalogRow,
  defaultFamilies: ReadonlySet<Oid>,
): OperatorDescriptor {
  const oid = row[PG_OPERATOR.oid] as number;
  let btreeStrategy: OperatorDescriptor['btreeStrategy'] = 0;
  for (const { values } of view.find('pg_amop', 'operator', oid)) {
    if (values[PG_AMOP.amopmethod] !== BTREE || values[PG_AMOP.amoppurpose] !== 's') continue;
    if (!defaultFamilies.has(values[PG_AMOP.amopfamily] as number)) continue;
    btreeStrategy = values[PG_AMOP.amopstrategy] as OperatorDescriptor['btreeStrategy'];
  }
  return {
    oid,
    name: row[PG_OPERATOR.oprname] as string,
    namespaceOid: row[PG_OPERATOR.oprnamespace] as number,
    leftType: row[PG_OPERATOR.oprleft] as number,
    rightType: row[PG_OPERATOR.oprright] as number,
    resultType: row[PG_OPERATOR.oprresult] as number,
    commutator: row[PG_OPERATOR.oprcom] as number,
    negator: row[PG_OPERATOR.oprnegate] as number,
    functionOid: row[PG_OPERATOR.oprcode] as number,
    canMerge: row[PG_OPERATOR.oprcanmerge] as boolean,
    canHash: row[PG_OPERATOR.oprcanhash] as boolean,
    btreeStrategy,
  };
}

/** Families that serve some type's default btree order; the pattern families are not among them. */
export function defaultBtreeFamilies(view: LayerView): Set<Oid> {
  const families = new Set<Oid>();
  for (const { values } of view.all('pg_opclass'))
    if (values[PG_OPCLASS.opcmethod] === BTREE && values[PG_OPCLASS.opcdefault] === true)
      families.add(values[PG_OPCLASS.opcfamily] as number);
  return families;
}

export function describeRole(row: CatalogRow): RoleDescriptor {
  return {
    oid: row[PG_AUTHID.oid] as number,
    name: row[PG_AUTHID.rolname] as string,
    superuser: row[PG_AUTHID.rolsuper] as boolean,
    inherit: row[PG_AUTHID.rolinherit] as boolean,
    createRole: row[PG_AUTHID.rolcreaterole] as boolean,
    createDatabase: row[PG_AUTHID.rolcreatedb] as boolean,
    canLogin: row[PG_AUTHID.rolcanlogin] as boolean,
    replication: row[PG_AUTHID.rolreplication] as boolean,
    bypassRowSecurity: row[PG_AUTHID.rolbypassrls] as boolean,
    connectionLimit: row[PG_AUTHID.rolconnlimit] as number,
    password: row[PG_AUTHID.rolpassword] as string | null,
    validUntil: row[PG_AUTHID.rolvaliduntil] as bigint | null,
  };
}
