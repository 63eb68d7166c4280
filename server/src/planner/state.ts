/** Everything one run of the planner shares between its stages. Lives for one statement. */
import type { Oid } from '../base/brands.ts';
import type { CatalogReader } from '../catalog/contract.ts';
import type { ExprBase, RelationEntry, SubqueryEntry } from '../sql/tree.ts';
import { DEFAULT_PLANNER_SETTINGS, type PlannerSettings, type PlanOptions } from './contract.ts';
import type { LogicalNode } from './logical/algebra.ts';
import type { PhysicalPlan, SlotExpr } from './physical.ts';

/** What is known of a slot at planning time. */
export interface SlotInfo {
  typeOid: Oid;
  typmod: number;
  collation: Oid;
  /** Never NULL where it is produced (an outer join above may still null it). */
  notNull: boolean;
  /** Stored column the value comes from unchanged: where its statistics are. */
  origin: { tableOid: Oid; column: number } | null;
  /** Distinct values when no statistics are behind it (group counts, VALUES lists …), 0 = unknown. */
  distinct: number;
}

export interface LogicalCte {
  name: string;
  node: LogicalNode;
  outputs: number[];
  modifies: boolean;
}

export class PlannerState {
  readonly options: PlanOptions;
  readonly catalog: CatalogReader;
  settings: PlannerSettings;
  readonly slots: SlotInfo[] = [];
  readonly ctes: LogicalCte[] = [];
  readonly relations: PhysicalPlan['relations'] = [];
  /** Expected rows of each work table (recursive unions), set while the recursive side is planned. */
  readonly workTableRows: number[] = [];
  /** ORs from which single-table conditions were taken: own selectivity, and those of the derived conditions. */
  readonly orCorrections = new Map<string, { whole: number; derived: Map<string, number> }>();
  /** Selectivities already computed; running an operator over a histogram is not cheap. */
  readonly selectivities = new Map<string, number>();
  workTableCount = 0;
  parallelSafe = true;
  readOnly = true;

  constructor(options: PlanOptions) {
    this.options = options;
    this.catalog = options.catalog;
    this.settings = options.settings
      ? { ...DEFAULT_PLANNER_SETTINGS, ...options.settings }
      : DEFAULT_PLANNER_SETTINGS;
  }

  newSlot(type: { typeOid: Oid; typmod: number; collation: Oid }, more?: Partial<SlotInfo>): number {
    this.slots.push({
      typeOid: type.typeOid,
      typmod: type.typmod,
      collation: type.collation,
      notNull: more?.notNull ?? false,
      origin: more?.origin ?? null,
      distinct: more?.distinct ?? 0,
    });
    return this.slots.length - 1;
  }

  /** Expression that reads a slot. */
  slot(slot: number): SlotExpr {
    const info = this.slots[slot];
    return {
      kind: 'slot',
      slot,
      typeOid: info.typeOid,
      typmod: info.typmod,
      collation: info.collation,
    };
  }

  /** Remembers the privileges a reference to an expanded view needs. */
  addView(entry: SubqueryEntry): void {
    this.relations.push({
      relationOid: entry.viewOid,
      privileges: (entry.privileges ?? []).map((p) => ({ privilege: p.privilege, columns: p.columns })),
      asRole: entry.asRole ?? 0,
      lockMode: 'AccessShare',
    });
  }

  /** Remembers a relation's lock and privileges; the executor checks them at start. */
  addRelation(entry: RelationEntry): void {
    this.relations.push({
      relationOid: entry.relationOid,
      privileges: entry.privileges.map((p) => ({ privilege: p.privilege, columns: p.columns })),
      asRole: entry.asRole,
      lockMode: entry.lockMode,
    });
  }
}

export function typeOf(expr: ExprBase): { typeOid: Oid; typmod: number; collation: Oid } {
  return { typeOid: expr.typeOid, typmod: expr.typmod, collation: expr.collation };
}
