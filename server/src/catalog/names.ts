/** Names of catalog objects in text: what the reg* types read and print. */
import type { Oid } from '../base/brands.ts';
import { DbError } from '../base/error.ts';
import type { NameService, TypeSupport } from '../types/contract.ts';
import type { SearchPath } from './contract.ts';
import {
  PG_AUTHID,
  PG_CLASS,
  PG_COLLATION,
  PG_NAMESPACE,
  PG_OPERATOR,
  PG_PROC,
  PG_TS_CONFIG,
} from './data/columns.ts';
import { formatType } from './format-type.ts';
import { qualifiedName, quoteIdentifier, splitQualifiedName } from './identifiers.ts';
import type { CatalogReaderImplementation } from './reader.ts';

type NameKind = Parameters<NameService['resolve']>[0];

export class CatalogNames implements NameService {
  readonly reader: CatalogReaderImplementation;
  readonly path: SearchPath;

  constructor(reader: CatalogReaderImplementation, path: SearchPath) {
    this.reader = reader;
    this.path = path;
  }

  typeSupport(oid: Oid): TypeSupport {
    return this.reader.typeSupport(oid);
  }

  resolve(kind: NameKind, name: string): number {
    if (name === '-') return 0;
    if (/^[0-9]+$/.test(name)) {
      const oid = Number(name);
      if (oid > 4294967295)
        throw new DbError('numeric_value_out_of_range', `value "${name}" is out of range for type oid`);
      return oid;
    }
    switch (kind) {
      case 'class':
        return this.resolveClass(name);
      case 'type':
        return this.resolveType(name);
      case 'proc':
        return this.resolveProc(name);
      case 'procedure':
        return this.resolveProcedure(name);
      case 'oper':
        return this.resolveOper(name);
      case 'operator':
        return this.resolveOperator(name);
      case 'namespace': {
        const [part, ...more] = splitQualifiedName(name);
        if (more.length > 0) throw invalidName();
        const namespace = this.reader.namespaceByName(part!);
        if (namespace === null) throw new DbError('invalid_schema_name', `schema "${part}" does not exist`);
        return namespace.oid;
      }
      case 'role': {
        const [part, ...more] = splitQualifiedName(name);
        if (more.length > 0) throw invalidName();
        const role = this.reader.roleByName(part!);
        if (role === null) throw new DbError('undefined_object', `role "${part}" does not exist`);
        return role.oid;
      }
      case 'collation': {
        const { schema, name: part, written } = this.split(name);
        const collation = this.reader.collationByName(schema, part, this.path);
        if (collation === null)
          throw new DbError('undefined_object', `collation "${written}" for encoding "UTF8" does not exist`);
        return collation.oid;
      }
      case 'config':
        return this.resolveTextSearch(name, 'pg_ts_config', 'text search configuration');
      case 'dictionary':
        return this.resolveTextSearch(name, 'pg_ts_dict', 'text search dictionary');
    }
  }

  /** Schema (null = by path) and name of a qualified name; `catalog.schema.name` of this database is allowed. */
  private split(text: string): { schema: string | null; name: string; written: string } {
    const parts = splitQualifiedName(text);
    if (parts.length === 3 && parts[0] === this.reader.databaseName) parts.shift();
    if (parts.length > 3)
      throw new DbError(
        'syntax_error',
        `improper qualified name (too many dotted names): ${parts.join('.')}`,
      );
    if (parts.length === 3)
      throw new DbError(
        'feature_not_supported',
        `cross-database references are not implemented: ${parts.join('.')}`,
      );
    const [first, second] = parts;
    return second === undefined
      ? { schema: null, name: first!, written: first! }
      : { schema: first!, name: second, written: `${first}.${second}` };
  }

  private resolveClass(text: string): number {
    const { schema, name, written } = this.split(text);
    for (const namespace of this.reader.namespacesFor(schema, this.path)) {
      const oid = this.reader.relationOid(namespace, name);
      if (oid !== null) return oid;
    }
    throw new DbError('undefined_table', `relation "${written}" does not exist`);
  }

  private resolveType(text: string): number {
    const oid = this.typeByText(text);
    if (oid === null) throw new DbError('undefined_object', `type "${text.trim()}" does not exist`);
    return oid;
  }

  /** SQL spellings (`character varying(10)`, `int[]`) and catalog names; null when there is none. */
  typeByText(text: string): number | null {
    let base = text.trim();
    let isArray = false;
    const dimensions = /(\s*\[[0-9]*\])+$/.exec(base);
    if (dimensions !== null) {
      isArray = true;
      base = base.slice(0, dimensions.index).trimEnd();
    }
    const plain = base
      .toLowerCase()
      .replace(/\s*\([^)]*\)/, '')
      .replace(/\s+/g, ' ')
      .trim();
    const alias = TYPE_ALIASES.get(plain);
    let oid: number | null = alias ?? null;
    if (oid === null) {
      const { schema, name } = this.split(base.replace(/\s*\([0-9, ]*\)$/, ''));
      oid = this.reader.typeByName(schema, name, this.path)?.oid ?? null;
    }
    if (oid === null || !isArray) return oid;
    const array = this.reader.type(oid)?.arrayOid ?? 0;
    return array === 0 ? null : array;
  }

  private resolveProc(text: string): number {
    const { schema, name, written } = this.split(text);
    const found = this.reader.functionsByName(schema, name, this.path);
    if (found.length === 0) throw new DbError('undefined_function', `function "${written}" does not exist`);
    if (found.length > 1)
      throw new DbError('ambiguous_function', `more than one function named "${written}"`);
    return found[0]!.oid;
  }

  /** `name(type, type)` */
  private signature(text: string): { name: string; types: (number | null)[] } {
    let depth = 0;
    let inQuotes = false;
    let open = -1;
    for (let at = 0; at < text.length; at++) {
      if (text[at] === '"') inQuotes = !inQuotes;
      else if (text[at] === '(' && !inQuotes) {
        open = at;
        break;
      }
    }
    if (open < 0) throw new DbError('invalid_text_representation', 'expected a left parenthesis');
    const close = text.lastIndexOf(')');
    if (close < 0) throw new DbError('invalid_text_representation', 'expected a right parenthesis');
    const inside = text.slice(open + 1, close);
    const parts: string[] = [];
    let part = '';
    for (const character of inside) {
      if (character === '"') inQuotes = !inQuotes;
      if (!inQuotes && character === '(') depth++;
      if (!inQuotes && character === ')') depth--;
      if (!inQuotes && depth === 0 && character === ',') {
        parts.push(part);
        part = '';
      } else part += character;
    }
    if (part.trim() !== '' || parts.length > 0) parts.push(part);
    return {
      name: text.slice(0, open),
      types: parts.map((type) => (type.trim().toLowerCase() === 'none' ? null : this.resolveType(type))),
    };
  }

  private resolveProcedure(text: string): number {
    const { name: written, types } = this.signature(text);
    const { schema, name } = this.split(written);
    const found = this.reader
      .functionsByName(schema, name, this.path)
      .find(
        (candidate) =>
          candidate.argumentTypes.length === types.length &&
          candidate.argumentTypes.every((type, index) => type === types[index]),
      );
    if (found === undefined) throw new DbError('undefined_function', `function "${text}" does not exist`);
    return found.oid;
  }

  private splitOperator(text: string): { schema: string | null; name: string } {
    const trimmed = text.trim();
    const dot = trimmed.lastIndexOf('.');
    if (dot < 0) return { schema: null, name: trimmed };
    return { schema: splitQualifiedName(trimmed.slice(0, dot)).at(-1)!, name: trimmed.slice(dot + 1) };
  }

  private resolveOper(text: string): number {
    const { schema, name } = this.splitOperator(text);
    const found = this.reader.operatorsByName(schema, name, this.path);
    if (found.length === 0) throw new DbError('undefined_function', `operator does not exist: ${text}`);
    if (found.length > 1) throw new DbError('ambiguous_function', `more than one operator named ${text}`);
    return found[0]!.oid;
  }

  private resolveOperator(text: string): number {
    const { name: written, types } = this.signature(text);
    const { schema, name } = this.splitOperator(written);
    if (types.length === 1) throw new DbError('undefined_parameter', 'missing argument');
    if (types.length !== 2) throw new DbError('too_many_arguments', 'too many arguments');
    const [left, right] = types.map((type) => type ?? 0);
    const found = this.reader
      .operatorsByName(schema, name, this.path)
      .find((candidate) => candidate.leftType === left && candidate.rightType === right);
    if (found === undefined) throw new DbError('undefined_function', `operator does not exist: ${text}`);
    return found.oid;
  }

  private resolveTextSearch(text: string, catalog: 'pg_ts_config' | 'pg_ts_dict', kind: string): number {
    const { schema, name, written } = this.split(text);
    for (const namespace of this.reader.namespacesFor(schema, this.path))
      for (const { key, values } of this.reader.view.all(catalog))
        if (values[PG_TS_CONFIG.cfgname] === name && values[PG_TS_CONFIG.cfgnamespace] === namespace)
          return key as number;
    throw new DbError('undefined_object', `${kind} "${written}" does not exist`);
  }

  print(kind: NameKind, oid: Oid): string | null {
    if (oid === 0) return '-';
    const { reader } = this;
    switch (kind) {
      case 'class': {
        const row = reader.view.get('pg_class', oid)?.values;
        if (row === undefined) return null;
        return this.printName(
          row[PG_CLASS.relname] as string,
          row[PG_CLASS.relnamespace] as number,
          this.isRelationVisible(oid),
        );
      }
      case 'type':
        return reader.view.get('pg_type', oid) === null ? null : formatType(reader, oid, { path: this.path });
      case 'proc': {
        const row = reader.view.get('pg_proc', oid)?.values;
        if (row === undefined) return null;
        const name = row[PG_PROC.proname] as string;
        const found = reader.functionsByName(null, name, this.path);
        return this.printName(
          name,
          row[PG_PROC.pronamespace] as number,
          found.length === 1 && found[0]!.oid === oid,
        );
      }
      case 'procedure': {
        const descriptor = reader.function(oid);
        if (descriptor === null) return null;
        const types = descriptor.argumentTypes.map((type) => formatType(reader, type, { path: this.path }));
        return `${this.printName(descriptor.name, descriptor.namespaceOid, this.isFunctionVisible(oid))}(${types.join(',')})`;
      }
      case 'oper': {
        const row = reader.view.get('pg_operator', oid)?.values;
        if (row === undefined) return null;
        const name = row[PG_OPERATOR.oprname] as string;
        const found = reader.operatorsByName(null, name, this.path);
        return found.length === 1 && found[0]!.oid === oid
          ? name
          : `${quoteIdentifier(reader.namespaceName(row[PG_OPERATOR.oprnamespace] as number) ?? '')}.${name}`;
      }
      case 'operator': {
        const descriptor = reader.operator(oid);
        if (descriptor === null) return null;
        const type = (argument: Oid): string =>
          argument === 0 ? 'NONE' : formatType(reader, argument, { path: this.path });
        const schema = this.isOperatorVisible(oid)
          ? ''
          : `${quoteIdentifier(reader.namespaceName(descriptor.namespaceOid) ?? '')}.`;
        return `${schema}${descriptor.name}(${type(descriptor.leftType)},${type(descriptor.rightType)})`;
      }
      case 'namespace': {
        const name = reader.view.get('pg_namespace', oid)?.values[PG_NAMESPACE.nspname];
        return name === undefined ? null : quoteIdentifier(name as string);
      }
      case 'role': {
        const name = reader.view.get('pg_authid', oid)?.values[PG_AUTHID.rolname];
        return name === undefined ? null : quoteIdentifier(name as string);
      }
      case 'collation': {
        const row = reader.view.get('pg_collation', oid)?.values;
        if (row === undefined) return null;
        const name = row[PG_COLLATION.collname] as string;
        return this.printName(
          name,
          row[PG_COLLATION.collnamespace] as number,
          reader.collationByName(null, name, this.path)?.oid === oid,
        );
      }
      case 'config':
      case 'dictionary': {
        const row = reader.view.get(kind === 'config' ? 'pg_ts_config' : 'pg_ts_dict', oid)?.values;
        if (row === undefined) return null;
        const namespace = row[PG_TS_CONFIG.cfgnamespace] as number;
        return this.printName(
          row[PG_TS_CONFIG.cfgname] as string,
          namespace,
          this.path.namespaces.includes(namespace),
        );
      }
    }
  }

  private printName(name: string, namespaceOid: Oid, isVisible: boolean): string {
    return isVisible
      ? quoteIdentifier(name)
      : qualifiedName(this.reader.namespaceName(namespaceOid) ?? '', name);
  }

  isRelationVisible(oid: Oid): boolean {
    const row = this.reader.view.get('pg_class', oid)?.values;
    if (row === undefined) return false;
    for (const namespace of this.path.namespaces) {
      const found = this.reader.relationOid(namespace, row[PG_CLASS.relname] as string);
      if (found !== null) return found === oid;
    }
    return false;
  }

  isTypeVisible(oid: Oid): boolean {
    const type = this.reader.type(oid);
    return type !== null && this.reader.typeByName(null, type.name, this.path)?.oid === oid;
  }

  isFunctionVisible(oid: Oid): boolean {
    const descriptor = this.reader.function(oid);
    return (
      descriptor !== null &&
      this.reader.functionsByName(null, descriptor.name, this.path).some((candidate) => candidate.oid === oid)
    );
  }

  isOperatorVisible(oid: Oid): boolean {
    const descriptor = this.reader.operator(oid);
    return (
      descriptor !== null &&
      this.reader.operatorsByName(null, descriptor.name, this.path).some((candidate) => candidate.oid === oid)
    );
  }
}

function invalidName(): DbError {
  return new DbError('invalid_name', 'invalid name syntax');
}

/** Types whose SQL spelling is not their catalog name. */
const TYPE_ALIASES: ReadonlyMap<string, Oid> = new Map([
  ['bool', 16],
  ['boolean', 16],
  ['char', 1042],
  ['character', 1042],
  ['nchar', 1042],
  ['national character', 1042],
  ['character varying', 1043],
  ['char varying', 1043],
  ['national character varying', 1043],
  ['varchar', 1043],
  ['int', 23],
  ['integer', 23],
  ['smallint', 21],
  ['bigint', 20],
  ['real', 700],
  ['float', 701],
  ['double precision', 701],
  ['dec', 1700],
  ['decimal', 1700],
  ['numeric', 1700],
  ['bit', 1560],
  ['bit varying', 1562],
  ['interval', 1186],
  ['time', 1083],
  ['time without time zone', 1083],
  ['time with time zone', 1266],
  ['timestamp', 1114],
  ['timestamp without time zone', 1114],
  ['timestamp with time zone', 1184],
]);
