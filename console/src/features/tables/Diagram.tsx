/** Tables of a schema and their foreign keys. Dragging pans, the wheel zooms, a click opens a table. */
import { type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import type { SchemaTable } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { t } from '../../lib/messages.ts';
import { navigate } from '../../lib/router.ts';
import { Button } from '../../ui/Button.tsx';
import { CheckField } from '../../ui/fields.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { layoutDiagram, TABLE_WIDTH } from './diagram-layout.ts';

const HEAD = 24;
const LINE = 17;
const COLUMNS_MAX = 14;

interface Props {
  schema: string;
  /** Only this table and those it is connected with; null for all. */
  focus: string | null;
}

export function Diagram({ schema, focus }: Props) {
  const diagram = useApi('GET /catalog/diagram', { query: { schema } }, { staleMillis: 10_000 });
  const [isShort, setShort] = useState(false);
  const [camera, setCamera] = useState<{ x: number; y: number; zoom: number } | null>(null);
  const [size, setSize] = useState({ width: 800, height: 600 });
  const svg = useRef<SVGSVGElement>(null);
  const drag = useRef<{ x: number; y: number; camera: { x: number; y: number; zoom: number } } | null>(null);
  const shownTables = useMemo(() => {
    const all = diagram.data?.tables ?? [];
    if (focus === null) return all;
    const near = new Set([`${schema}.${focus}`]);
    for (const key of diagram.data?.foreignKeys ?? []) {
      const from = `${key.schema}.${key.table}`;
      const to = `${key.targetSchema}.${key.targetTable}`;
      if (from === `${schema}.${focus}`) near.add(to);
      if (to === `${schema}.${focus}`) near.add(from);
    }
    return all.filter((table) => near.has(`${table.schema}.${table.name}`));
  }, [diagram.data, focus, schema]);
  const keysOf = useMemo(() => {
    const primary = new Map<string, ReadonlySet<string>>();
    for (const one of diagram.data?.primaryKeys ?? [])
      primary.set(`${one.schema}.${one.table}`, new Set(one.columns));
    const foreign = new Map<string, Set<string>>();
    for (const one of diagram.data?.foreignKeys ?? []) {
      const key = `${one.schema}.${one.table}`;
      const set = foreign.get(key) ?? new Set();
      for (const column of one.columns) set.add(column);
      foreign.set(key, set);
    }
    return { primary, foreign };
  }, [diagram.data]);
  const linesOf = useMemo(
    () =>
      (table: SchemaTable): SchemaTable['columns'] => {
        const key = `${table.schema}.${table.name}`;
        const isKey = (name: string): boolean =>
          keysOf.primary.get(key)?.has(name) === true || keysOf.foreign.get(key)?.has(name) === true;
        const list = isShort ? table.columns.filter((column) => isKey(column.name)) : table.columns;
        return list.slice(0, COLUMNS_MAX);
      },
    [isShort, keysOf],
  );
  const edges = useMemo(
    () =>
      (diagram.data?.foreignKeys ?? []).map((key) => ({
        ...key,
        from: `${key.schema}.${key.table}`,
        to: `${key.targetSchema}.${key.targetTable}`,
      })),
    [diagram.data],
  );
  const layout = useMemo(
    () =>
      layoutDiagram(
        shownTables.map((table) => ({
          key: `${table.schema}.${table.name}`,
          height:
            HEAD +
            linesOf(table).length * LINE +
            (linesOf(table).length < table.columns.length ? LINE : 0) +
            4,
        })),
        edges,
      ),
    [shownTables, edges, linesOf],
  );
  const isReady = diagram.data !== undefined && shownTables.length > 0;
  useEffect(() => {
    const element = svg.current;
    if (element === null || !isReady) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [isReady]);
  const zoom = Math.min(
    1,
    (size.width - 32) / layout.width,
    Math.max(0.4, (size.height - 32) / layout.height),
  );
  const shown = camera ?? { x: Math.max(16, (size.width - layout.width * zoom) / 2), y: 16, zoom };
  const view = useRef(shown);
  view.current = shown;
  useEffect(() => {
    const element = svg.current;
    if (element === null || !isReady) return;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const old = view.current;
      const next = Math.min(2, Math.max(0.05, old.zoom * Math.exp(-event.deltaY / 400)));
      const x = event.clientX - box.left;
      const y = event.clientY - box.top;
      setCamera({
        zoom: next,
        x: x - ((x - old.x) / old.zoom) * next,
        y: y - ((y - old.y) / old.zoom) * next,
      });
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [isReady]);

  if (diagram.isPending) return <Loading />;
  if (diagram.isError) return <Failure error={diagram.error} onRetry={() => void diagram.refetch()} />;
  if (!isReady)
    return <Empty title={t('No table in {schema}.', { schema })}>{t('CREATE TABLE makes one.')}</Empty>;
  const onPointerMove = (event: PointerEvent): void => {
    const from = drag.current;
    if (from === null) return;
    setCamera({
      ...from.camera,
      x: from.camera.x + event.clientX - from.x,
      y: from.camera.y + event.clientY - from.y,
    });
  };
  return (
    <div className="relative flex h-full min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-3 border-b border-(--line) px-2 py-1">
        <span className="font-semibold">{focus === null ? schema : `${schema}.${focus}`}</span>
        <CheckField
          label={t('Keys only')}
          checked={isShort}
          onChange={(event) => setShort(event.target.checked)}
        />
        <Button onClick={() => setCamera(null)}>{t('Fit')}</Button>
        <span className="text-(--muted)">{t('{count} tables', { count: shownTables.length })}</span>
      </div>
      <svg
        ref={svg}
        role="group"
        aria-label={t('Diagram of {name}', { name: schema })}
        className="min-h-0 w-full flex-1 touch-none"
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY, camera: shown };
        }}
        onPointerMove={onPointerMove}
        onPointerUp={() => {
          drag.current = null;
        }}
        onPointerLeave={() => {
          drag.current = null;
        }}
      >
        <g transform={`translate(${shown.x} ${shown.y}) scale(${shown.zoom})`}>
          {edges.map((edge) => {
            const from = layout.places.get(edge.from);
            const to = layout.places.get(edge.to);
            if (from === undefined || to === undefined) return null;
            const source = shownTables.find((table) => `${table.schema}.${table.name}` === edge.from);
            const target = shownTables.find((table) => `${table.schema}.${table.name}` === edge.to);
            const height = (table: SchemaTable | undefined, column: string): number => {
              const at = table === undefined ? -1 : linesOf(table).findIndex((one) => one.name === column);
              return at < 0 ? HEAD / 2 : HEAD + at * LINE + LINE / 2;
            };
            const fromY = from.y + height(source, edge.columns[0]);
            const toY = to.y + height(target, edge.targetColumns[0]);
            const isBack = to.x >= from.x;
            const fromX = isBack ? from.x + TABLE_WIDTH : from.x;
            const toX = to.x + TABLE_WIDTH;
            const bend = isBack ? 60 : Math.max(40, (fromX - toX) / 2);
            return (
              <path
                key={`${edge.from} ${edge.name}`}
                d={`M${fromX} ${fromY} C${isBack ? fromX + bend : fromX - bend} ${fromY} ${toX + bend} ${toY} ${toX} ${toY}`}
                fill="none"
                stroke="var(--muted)"
                strokeWidth="1.3"
              >
                <title>{`${edge.name}: ${edge.columns.join(', ')} → ${edge.to}(${edge.targetColumns.join(', ')})`}</title>
              </path>
            );
          })}
          {shownTables.map((table) => {
            const key = `${table.schema}.${table.name}`;
            const place = layout.places.get(key);
            if (place === undefined) return null;
            const lines = linesOf(table);
            const rest = table.columns.length - lines.length;
            const height = HEAD + lines.length * LINE + (rest > 0 ? LINE : 0) + 4;
            const isFocus = focus === table.name && table.schema === schema;
            return (
              <g key={key} transform={`translate(${place.x} ${place.y})`}>
                <a
                  href={`#/tables/${encodeURIComponent(table.schema)}/${encodeURIComponent(table.name)}`}
                  aria-label={t('Open {name}', { name: key })}
                  onClick={(event) => {
                    event.preventDefault();
                    navigate(['tables', table.schema, table.name]);
                  }}
                >
                  <rect
                    width={TABLE_WIDTH}
                    height={height}
                    rx="4"
                    fill="var(--surface)"
                    stroke={isFocus ? 'var(--accent)' : 'var(--line)'}
                    strokeWidth={isFocus ? 2 : 1}
                  />
                  <rect width={TABLE_WIDTH} height={HEAD} rx="4" fill="var(--raised)" />
                  <text x="8" y="16" fontSize="12" fontWeight="600" fill="var(--text)">
                    {cut(table.schema === schema ? table.name : key, 27)}
                  </text>
                </a>
                {lines.map((column, at) => {
                  const y = HEAD + at * LINE + 13;
                  const isPrimary = keysOf.primary.get(key)?.has(column.name) === true;
                  const isForeign = keysOf.foreign.get(key)?.has(column.name) === true;
                  return (
                    <g key={column.name} fontSize="11">
                      <text
                        x="8"
                        y={y}
                        fill={isPrimary || isForeign ? 'var(--accent)' : 'var(--text)'}
                        fontWeight={isPrimary ? 600 : 400}
                      >
                        {cut(column.name, 16)}
                      </text>
                      <text x={TABLE_WIDTH - 8} y={y} textAnchor="end" fill="var(--muted)">
                        {cut(
                          column.type
                            .replace('timestamp with time zone', 'timestamptz')
                            .replace('character varying', 'varchar'),
                          14,
                        )}
                      </text>
                    </g>
                  );
                })}
                {rest > 0 && (
                  <text x="8" y={HEAD + lines.length * LINE + 13} fontSize="11" fill="var(--muted)">
                    {t('{count} more', { count: rest })}
                  </text>
                )}
              </g>
            );
          })}
        </g>
      </svg>
    </div>
  );
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
