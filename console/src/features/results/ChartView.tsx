/** A chart of a result. What is drawn is a picture of the values: at most 2,000 points, numbers as the screen can show them. */
import { useEffect, useMemo, useState } from 'react';
import {
  Area,
  AreaChart,
  Bar,
  BarChart,
  CartesianGrid,
  Legend,
  Line,
  LineChart,
  ResponsiveContainer,
  Scatter,
  ScatterChart,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import type { Cell, StatementResult } from '../../api/client.ts';
import { formatCount, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { isNumberType } from '../../lib/rows.ts';
import { loadValue, storeValue } from '../../lib/storage.ts';
import { CheckField, SelectField } from '../../ui/fields.tsx';
import { Empty, Failure } from '../../ui/states.tsx';

const POINTS_MAX = 2000;
const KINDS = ['line', 'bar', 'area', 'scatter'] as const;
type Kind = (typeof KINDS)[number];
interface Choice {
  kind: Kind;
  x: number;
  y: number[];
}

interface Props {
  result: StatementResult;
  rowCount: number;
  read: (first: number, end: number) => Promise<readonly (readonly Cell[])[]>;
}

export function ChartView({ result, rowCount, read }: Props) {
  // The choice belongs to the shape of the result, so that a statement that runs again keeps its chart.
  const shape = `chart.${result.columns.map((column) => `${column.name}:${column.typeOid}`).join(',')}`;
  const numbers = result.columns.flatMap((column, at) => (isNumberType(column.typeOid) ? [at] : []));
  const [choice, setChoice] = useState<Choice>(() => {
    const x = result.columns.findIndex((column) => !isNumberType(column.typeOid));
    const first = x < 0 ? 0 : x;
    const y = numbers.filter((at) => at !== first).slice(0, 3);
    return loadValue<Choice>(shape, { kind: x < 0 ? 'line' : 'bar', x: first, y: y.length > 0 ? y : numbers.slice(0, 1) });
  });
  const [rows, setRows] = useState<readonly (readonly Cell[])[]>([]);
  const [error, setError] = useState<unknown>(null);
  const change = (part: Partial<Choice>): void => {
    const next = { ...choice, ...part };
    setChoice(next);
    storeValue(shape, next);
  };
  useEffect(() => {
    let isGone = false;
    read(0, Math.min(rowCount, POINTS_MAX)).then(
      (answer) => {
        if (!isGone) setRows(answer);
      },
      (failure) => {
        if (!isGone) setError(failure);
      },
    );
    return () => {
      isGone = true;
    };
  }, [read, rowCount]);
  const data = useMemo(
    () =>
      rows.map((row) => {
        const point: Record<string, string | number | null> = {
          x: choice.kind === 'scatter' ? numberOf(row[choice.x]) : (row[choice.x] ?? 'NULL'),
        };
        for (const at of choice.y) point[`y${at}`] = numberOf(row[at]);
        return point;
      }),
    [rows, choice],
  );
  if (error !== null) return <Failure error={error} />;
  if (numbers.length === 0)
    return <Empty title={t('No column of numbers to draw.')}>{t('Cast one, or count something.')}</Empty>;
  return (
    <div className="flex h-full flex-col">
      <div className="flex flex-wrap items-center gap-3 px-2 py-1">
        <SelectField
          label={t('Kind of chart')}
          isLabelHidden
          value={choice.kind}
          onChange={(event) => change({ kind: event.target.value as Kind })}
        >
          {KINDS.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </SelectField>
        <SelectField
          label={t('Horizontal axis')}
          isLabelHidden
          value={choice.x}
          onChange={(event) => change({ x: Number(event.target.value) })}
        >
          {result.columns.map((column, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat
            <option key={at} value={at}>
              {column.name}
            </option>
          ))}
        </SelectField>
        {numbers.map((at) => (
          <CheckField
            key={at}
            label={result.columns[at].name}
            checked={choice.y.includes(at)}
            onChange={(event) =>
              change({ y: event.target.checked ? [...choice.y, at] : choice.y.filter((one) => one !== at) })
            }
          />
        ))}
        {rowCount > POINTS_MAX && (
          <span className="text-(--muted)">{t('the first {count} rows', { count: formatCount(POINTS_MAX) })}</span>
        )}
      </div>
      <div className="min-h-0 flex-1 p-2" role="img" aria-label={t('Chart of {count} rows', { count: data.length })}>
        <ResponsiveContainer width="100%" height="100%">
          {chartOf(choice, data, result)}
        </ResponsiveContainer>
      </div>
    </div>
  );
}

function numberOf(cell: Cell | undefined): number | null {
  if (cell === null || cell === undefined) return null;
  const value = Number(cell);
  return Number.isFinite(value) ? value : null;
}

function chartOf(choice: Choice, data: Record<string, string | number | null>[], result: StatementResult) {
  const colour = (index: number): string => `var(--series-${(index % 6) + 1})`;
  const common = [
    <CartesianGrid key="grid" stroke="var(--line)" strokeDasharray="2 4" />,
    <XAxis
      key="x"
      dataKey="x"
      type={choice.kind === 'scatter' ? 'number' : 'category'}
      tick={{ fill: 'var(--muted)', fontSize: 11 }}
      stroke="var(--line)"
      name={result.columns[choice.x]?.name}
    />,
    <YAxis key="y" tick={{ fill: 'var(--muted)', fontSize: 11 }} tickFormatter={formatShort} stroke="var(--line)" width={56} />,
    <Tooltip
      key="tip"
      contentStyle={{ background: 'var(--raised)', border: '1px solid var(--line)', color: 'var(--text)' }}
      isAnimationActive={false}
    />,
    <Legend key="legend" />,
  ];
  const name = (at: number): string => result.columns[at]?.name ?? '';
  switch (choice.kind) {
    case 'line':
      return (
        <LineChart data={data}>
          {common}
          {choice.y.map((at, index) => (
            <Line
              key={at}
              type="linear"
              dataKey={`y${at}`}
              name={name(at)}
              stroke={colour(index)}
              dot={data.length < 60}
              isAnimationActive={false}
            />
          ))}
        </LineChart>
      );
    case 'area':
      return (
        <AreaChart data={data}>
          {common}
          {choice.y.map((at, index) => (
            <Area
              key={at}
              type="linear"
              dataKey={`y${at}`}
              name={name(at)}
              stroke={colour(index)}
              fill={colour(index)}
              fillOpacity={0.2}
              isAnimationActive={false}
            />
          ))}
        </AreaChart>
      );
    case 'bar':
      return (
        <BarChart data={data}>
          {common}
          {choice.y.map((at, index) => (
            <Bar key={at} dataKey={`y${at}`} name={name(at)} fill={colour(index)} isAnimationActive={false} />
          ))}
        </BarChart>
      );
    case 'scatter':
      return (
        <ScatterChart>
          {common}
          {choice.y.map((at, index) => (
            <Scatter
              key={at}
              data={data.map((point) => ({ x: point.x, y: point[`y${at}`] }))}
              dataKey="y"
              name={name(at)}
              fill={colour(index)}
              isAnimationActive={false}
            />
          ))}
        </ScatterChart>
      );
  }
}
