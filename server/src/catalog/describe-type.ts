/** Descriptors of types: domains with their rules, enums, ranges, composites, and the support each needs. */
import type { Oid } from '../base/brands.ts';
import { internalError } from '../base/error.ts';
import type { TypeSupport } from '../types/contract.ts';
import { canonicalHstore } from '../types/hstore.ts';
import {
  arraySupport,
  compositeSupport,
  domainSupport,
  enumSupport,
  findTypeSupport,
  multirangeSupport,
  rangeSupport,
  recordSupport,
  typeSupport,
} from '../types/index.ts';
import { RangeType } from '../types/range.ts';
import { compareText } from '../types/scalars.ts';
import type { DomainRule, TypeDescriptor } from './contract.ts';
import { PG_CONSTRAINT, PG_ENUM, PG_RANGE, PG_TYPE } from './data/columns.ts';
import { describeColumns } from './describe.ts';
import type { CatalogReaderImplementation } from './reader.ts';
import type { CatalogRow } from './static-rows.ts';

const ARRAY_SUBSCRIPT_HANDLER = 6179;
const RECORD = 2249;
const RECORD_ARRAY = 2287;

class Type implements TypeDescriptor {
  readonly oid: Oid;
  readonly name: string;
  readonly namespaceOid: Oid;
  readonly length: number;
  readonly byValue: boolean;
  readonly kind: TypeDescriptor['kind'];
  readonly category: string;
  readonly preferred: boolean;
  readonly elementOid: Oid;
  readonly arrayOid: Oid;
  readonly relationOid: Oid;
  readonly baseTypeOid: Oid;
  readonly typmod: number;
  readonly collation: Oid;
  readonly isTrueArray: boolean;
  private readonly reader: CatalogReaderImplementation;
  private supportValue: TypeSupport | null = null;
  private domainRulesValue: readonly DomainRule[] | null = null;

  constructor(reader: CatalogReaderImplementation, row: CatalogRow) {
    this.reader = reader;
    this.oid = row[PG_TYPE.oid] as number;
    this.name = row[PG_TYPE.typname] as string;
    this.namespaceOid = row[PG_TYPE.typnamespace] as number;
    this.length = row[PG_TYPE.typlen] as number;
    this.byValue = row[PG_TYPE.typbyval] as boolean;
    this.kind = row[PG_TYPE.typtype] as TypeDescriptor['kind'];
    this.category = row[PG_TYPE.typcategory] as string;
    this.preferred = row[PG_TYPE.typispreferred] as boolean;
    this.elementOid = row[PG_TYPE.typelem] as number;
    this.arrayOid = row[PG_TYPE.typarray] as number;
    this.relationOid = row[PG_TYPE.typrelid] as number;
    this.baseTypeOid = row[PG_TYPE.typbasetype] as number;
    this.typmod = row[PG_TYPE.typtypmod] as number;
    this.collation = row[PG_TYPE.typcollation] as number;
    this.isTrueArray = row[PG_TYPE.typsubscript] === ARRAY_SUBSCRIPT_HANDLER;
  }

  get support(): TypeSupport {
    return (this.supportValue ??= this.buildSupport());
  }

  get domainRules(): readonly DomainRule[] {
    return (this.domainRulesValue ??= this.readDomainRules());
  }

  private readDomainRules(): DomainRule[] {
    if (this.kind !== 'd') return [];
    const { view } = this.reader;
    const domain = {
      domainName: this.name,
      schemaName: this.reader.namespaceName(this.namespaceOid) ?? '',
    };
    const rules: DomainRule[] = [...(this.reader.type(this.baseTypeOid)?.domainRules ?? [])];
    if (view.get('pg_type', this.oid)?.values[PG_TYPE.typnotnull] === true)
      rules.push({ ...domain, notNull: true, constraintName: '', expression: null });
    const checks = view
      .find('pg_constraint', 'type', this.oid)
      .map(({ values }) => values)
      .filter((values) => values[PG_CONSTRAINT.conbin] !== null)
      .sort((a, b) => ((a[PG_CONSTRAINT.conname] as string) < (b[PG_CONSTRAINT.conname] as string) ? -1 : 1));
    for (const values of checks)
      rules.push({
        ...domain,
        notNull: false,
        constraintName: values[PG_CONSTRAINT.conname] as string,
        expression: values[PG_CONSTRAINT.conbin] as string,
      });
    return rules;
  }

  /** Labels in order, read again only after the catalog changed: tables keep the support over ALTER TYPE ADD VALUE. */
  private enumLabels(): () => readonly string[] {
    const { reader, oid } = this;
    let version = -1;
    let labels: readonly string[] = [];
    return () => {
      if (version !== reader.version) {
        version = reader.version;
        const current = reader.view
          .find('pg_enum', 'type', oid)
          .map(({ values }) => values)
          .sort((a, b) => (a[PG_ENUM.enumsortorder] as number) - (b[PG_ENUM.enumsortorder] as number))
          .map((values) => values[PG_ENUM.enumlabel] as string);
        if (current.length !== labels.length || current.some((label, index) => label !== labels[index]))
          labels = current;
      }
      return labels;
    };
  }

  /** Sort numbers of an enum's labels; the number of a label that is stored anywhere never changes. */
  private enumSortOrder(): (label: string) => number {
    const { reader, oid } = this;
    const known = new Map<string, number>();
    let version = -1;
    return (label) => {
      if (version !== reader.version) {
        version = reader.version;
        known.clear();
      }
      let order = known.get(label);
      if (order === undefined) {
        for (const { values } of reader.view.find('pg_enum', 'type', oid))
          known.set(values[PG_ENUM.enumlabel] as string, values[PG_ENUM.enumsortorder] as number);
        order = known.get(label);
        if (order === undefined) throw internalError(`"${label}" is not a label of enum ${this.name}`);
      }
      return order;
    };
  }

  /** A range type of the user's, from its pg_range row. */
  private rangeType(rangeOid: Oid): RangeType {
    const { reader } = this;
    const row = reader.view.get('pg_range', rangeOid)?.values;
    if (row === undefined) throw internalError(`range type ${rangeOid} has no definition`);
    const multirangeOid = row[PG_RANGE.rngmultitypid] as number;
    const subtypeOid = row[PG_RANGE.rngsubtype] as number;
    const nameOf = (oid: Oid): string =>
      (reader.view.get('pg_type', oid)?.values[PG_TYPE.typname] as string) ?? '';
    return new RangeType({
      oid: rangeOid,
      name: nameOf(rangeOid),
      multirangeOid,
      multirangeName: nameOf(multirangeOid),
      subtypeOid,
      subtype: () => reader.typeSupport(subtypeOid),
      successor: null,
    });
  }

  private buildSupport(): TypeSupport {
    const { reader, oid, name } = this;
    // Rows and arrays of rows may hold values of any type this reader knows.
    if (oid === RECORD) return recordSupport((type) => reader.typeSupport(type));
    if (oid === RECORD_ARRAY) return arraySupport(oid, reader.typeSupport(RECORD));
    const builtin = findTypeSupport(oid);
    if (builtin !== undefined) return builtin;
    const resolve = (type: Oid): TypeSupport => reader.typeSupport(type);
    if (this.isTrueArray) return arraySupport(oid, resolve(this.elementOid));
    switch (this.kind) {
      case 'e':
        return enumSupport(oid, name, this.enumLabels(), this.enumSortOrder());
      case 'r':
        return rangeSupport(this.rangeType(oid));
      case 'm': {
        const row = reader.view.findOne('pg_range', 'multirange', oid);
        if (row === null) throw internalError(`multirange type ${name} has no range type`);
        return multirangeSupport(this.rangeType(row.key as number));
      }
      case 'd':
        return domainSupport(oid, name, resolve(this.baseTypeOid), this.typmod);
      case 'c':
        return compositeSupport(
          oid,
          name,
          describeColumns(reader.view, this.relationOid)
            .filter(({ column }) => !column.dropped)
            .map(({ column }) => ({ name: column.name, type: column.typeOid, typmod: column.typmod })),
          resolve,
        );
      default:
        // hstore is text in a canonical form, and stored as such.
        if (name === 'hstore') {
          const text = typeSupport(25);
          return { ...text, input: (source) => canonicalHstore(source) };
        }
        // citext is stored as text; equality and order are those of the lower case.
        if (name === 'citext') {
          const text = typeSupport(25);
          return {
            ...text,
            oid,
            compare: (left, right) =>
              compareText((left as string).toLowerCase(), (right as string).toLowerCase()),
            hashKey: (value) => (value as string).toLowerCase(),
          };
        }
        // A type without an implementation of its own travels as text.
        return typeSupport(25);
    }
  }
}

export function describeType(reader: CatalogReaderImplementation, row: CatalogRow): TypeDescriptor {
  return new Type(reader, row);
}
