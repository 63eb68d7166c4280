/**
 * The plan as a tree on a canvas: a thousand nodes cost a few milliseconds. Dragging pans, the wheel zooms, a click selects.
 * The same tree is a treegrid in the table view, for those who cannot see or point.
 */
import {
  type KeyboardEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { formatBytes, formatMillis, formatPercent, formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { nameOf } from '../../lib/plan/findings.ts';
import { edgeWidth, layoutPlan, NODE_HEIGHT, NODE_WIDTH } from '../../lib/plan/layout.ts';
import type { Plan, PlanNode } from '../../lib/plan/model.ts';
import { rowsText } from '../../lib/rows-text.ts';
import { onThemeChange, themeColour } from '../../lib/theme.ts';
import { Button } from '../../ui/Button.tsx';
import { HEAT_STEPS, heatOf, heatTextOf } from './heat.ts';

interface Props {
  plan: Plan;
  selected: number | null;
  onSelect: (id: number) => void;
}

interface Camera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

const ZOOM_MIN = 0.02;
const ZOOM_MAX = 2.5;
/** Below this, text is not readable and not drawn. */
const TEXT_ZOOM = 0.35;

export function PlanTree({ plan, selected, onSelect }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [camera, setCamera] = useState<Camera | null>(null);
  const [theme, setTheme] = useState(0);
  const layout = useMemo(() => layoutPlan(plan), [plan]);
  const drag = useRef<{ x: number; y: number; camera: Camera; isMoved: boolean } | null>(null);

  const fitted = useCallback(
    (width: number, height: number): Camera => {
      const zoom = Math.min(
        1,
        Math.max(ZOOM_MIN, Math.min((width - 32) / layout.width, (height - 32) / layout.height)),
      );
      return {
        zoom,
        x: (width - layout.width * zoom) / 2,
        y: Math.max(16, Math.min(24, (height - layout.height * zoom) / 2)),
      };
    },
    [layout],
  );
  useEffect(() => onThemeChange(() => setTheme((old) => old + 1)), []);
  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (element == null) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another plan is fitted anew
  useEffect(() => setCamera(null), [plan]);
  const shown = camera ?? fitted(size.width, size.height);
  const view = useRef(shown);
  view.current = shown;

  // What is selected elsewhere comes into view.
  useEffect(() => {
    if (selected === null || size.width === 0) return;
    const { x, y, zoom } = view.current;
    const left = layout.x[selected] * zoom + x;
    const top = layout.y[selected] * zoom + y;
    const isInside =
      left >= 0 &&
      top >= 0 &&
      left + NODE_WIDTH * zoom <= size.width &&
      top + NODE_HEIGHT * zoom <= size.height;
    if (!isInside)
      setCamera({
        zoom,
        x: size.width / 2 - (layout.x[selected] + NODE_WIDTH / 2) * zoom,
        y: size.height / 2 - (layout.y[selected] + NODE_HEIGHT / 2) * zoom,
      });
  }, [selected, layout, size]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours come from the theme
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (element == null || context == null || size.width === 0) return;
    const startedAt = performance.now();
    const ratio = devicePixelRatio;
    element.width = size.width * ratio;
    element.height = size.height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(context, plan, layout, shown, size, selected);
    element.dataset.drawMillis = (performance.now() - startedAt).toFixed(2);
  }, [plan, layout, shown, size, selected, theme]);

  const zoomAt = useCallback((factor: number, atX: number, atY: number): void => {
    const old = view.current;
    const zoom = Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, old.zoom * factor));
    setCamera({
      zoom,
      x: atX - ((atX - old.x) / old.zoom) * zoom,
      y: atY - ((atY - old.y) / old.zoom) * zoom,
    });
  }, []);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      if (event.ctrlKey || !event.shiftKey)
        zoomAt(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
      else setCamera({ ...view.current, x: view.current.x - event.deltaY });
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [zoomAt]);

  const nodeAt = (event: PointerEvent<HTMLCanvasElement>): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left - shown.x) / shown.zoom;
    const y = (event.clientY - box.top - shown.y) / shown.zoom;
    for (const node of plan.nodes) {
      const left = layout.x[node.id];
      const top = layout.y[node.id];
      if (x >= left && x <= left + NODE_WIDTH && y >= top && y <= top + NODE_HEIGHT) return node.id;
    }
    return null;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === '+' || event.key === '=') zoomAt(1.25, size.width / 2, size.height / 2);
    else if (event.key === '-') zoomAt(0.8, size.width / 2, size.height / 2);
    else if (event.key === '0') setCamera(null);
    else return;
    event.preventDefault();
  };
  const current = selected === null ? null : plan.nodes[selected];
  return (
    <div className="relative h-full min-h-0 overflow-hidden">
      <canvas
        ref={canvas}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is moved and zoomed by keys
        tabIndex={0}
        role="img"
        aria-label={t('Plan of {count} nodes. Selected: {name}', {
          count: plan.nodes.length,
          name: current === null ? t('none') : nameOf(current),
        })}
        data-testid="plan-tree"
        className="absolute inset-0 h-full w-full touch-none outline-offset-[-2px]"
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, y: event.clientY, camera: shown, isMoved: false };
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (from === null) return;
          const x = event.clientX - from.x;
          const y = event.clientY - from.y;
          if (Math.abs(x) + Math.abs(y) > 3) from.isMoved = true;
          if (from.isMoved) setCamera({ ...from.camera, x: from.camera.x + x, y: from.camera.y + y });
        }}
        onPointerUp={(event) => {
          const from = drag.current;
          drag.current = null;
          if (from === null || from.isMoved) return;
          const node = nodeAt(event);
          if (node !== null) onSelect(node);
        }}
      />
      <div className="absolute right-2 bottom-2 flex items-center gap-1 rounded border border-(--line) bg-(--surface) p-1">
        <span className="hidden items-center gap-1 px-1 text-xs text-(--muted) sm:flex">
          {plan.isAnalyzed ? t('share of time') : t('share of cost')}
          {HEAT_STEPS.map((step, index) => (
            <span
              key={step}
              title={`≥ ${formatPercent(step, 0)}`}
              className="inline-block h-3 w-4 border border-(--line)"
              style={{ background: `var(--heat-${index})` }}
            />
          ))}
        </span>
        <Button aria-label={t('Zoom out')} onClick={() => zoomAt(0.8, size.width / 2, size.height / 2)}>
          −
        </Button>
        <Button aria-label={t('Zoom in')} onClick={() => zoomAt(1.25, size.width / 2, size.height / 2)}>
          +
        </Button>
        <Button onClick={() => setCamera(null)}>{t('Fit')}</Button>
      </div>
    </div>
  );
}

function draw(
  context: CanvasRenderingContext2D,
  plan: Plan,
  layout: ReturnType<typeof layoutPlan>,
  camera: Camera,
  size: { width: number; height: number },
  selected: number | null,
): void {
  const heat = HEAT_STEPS.map((_, index) => themeColour(`--heat-${index}`));
  const heatText = HEAT_STEPS.map((_, index) => themeColour(heatTextOf(index)));
  const [line, text, muted, surface, accent, danger] = [
    '--line',
    '--text',
    '--muted',
    '--surface',
    '--accent',
    '--danger',
  ].map(themeColour);
  context.clearRect(0, 0, size.width, size.height);
  context.save();
  context.translate(camera.x, camera.y);
  context.scale(camera.zoom, camera.zoom);
  const left = -camera.x / camera.zoom;
  const top = -camera.y / camera.zoom;
  const right = left + size.width / camera.zoom;
  const bottom = top + size.height / camera.zoom;
  const onPath = new Set<number>();
  for (let at = selected; at !== null; at = plan.nodes[at].parent) onPath.add(at);
  const hasText = camera.zoom >= TEXT_ZOOM;
  context.lineCap = 'butt';
  for (const node of plan.nodes) {
    if (node.parent === null) continue;
    const x = layout.x[node.id] + NODE_WIDTH / 2;
    const y = layout.y[node.id];
    const parentX = layout.x[node.parent] + NODE_WIDTH / 2;
    const parentY = layout.y[node.parent] + NODE_HEIGHT;
    if (Math.max(x, parentX) < left || Math.min(x, parentX) > right || y < top || parentY > bottom) continue;
    const isMarked = onPath.has(node.id);
    context.strokeStyle = isMarked ? accent : line;
    context.lineWidth = node.isNeverExecuted ? 1 : edgeWidth(node.rows);
    context.setLineDash(node.isNeverExecuted ? [4, 4] : []);
    context.beginPath();
    context.moveTo(x, y);
    context.bezierCurveTo(x, (y + parentY) / 2, parentX, (y + parentY) / 2, parentX, parentY);
    context.stroke();
    if (hasText) {
      context.fillStyle = isMarked ? accent : muted;
      context.font = '11px system-ui, sans-serif';
      context.fillText(formatShort(node.rows), x + 4 + context.lineWidth / 2, y - 6);
    }
  }
  context.setLineDash([]);
  context.textBaseline = 'alphabetic';
  for (const node of plan.nodes) {
    const x = layout.x[node.id];
    const y = layout.y[node.id];
    if (x > right || x + NODE_WIDTH < left || y > bottom || y + NODE_HEIGHT < top) continue;
    const step = heatOf(node.share);
    context.globalAlpha = node.isNeverExecuted ? 0.55 : 1;
    context.fillStyle = surface;
    context.strokeStyle = node.id === selected ? accent : line;
    context.lineWidth = node.id === selected ? 3 : 1;
    context.beginPath();
    context.roundRect(x, y, NODE_WIDTH, NODE_HEIGHT, 5);
    context.fill();
    context.save();
    context.clip();
    context.fillStyle = heat[step];
    context.fillRect(x, y, NODE_WIDTH, 20);
    // A bar under the title: the share of the whole, also for eyes that do not tell the colours apart.
    context.fillStyle = heat[4];
    context.fillRect(x, y + 20, NODE_WIDTH * node.share, 3);
    if (hasText) {
      context.fillStyle = heatText[step];
      context.font = '600 12px system-ui, sans-serif';
      context.fillText(fit(context, node.title, NODE_WIDTH - 52), x + 7, y + 14);
      context.font = '11px system-ui, sans-serif';
      context.textAlign = 'right';
      context.fillText(shareLabel(node, plan), x + NODE_WIDTH - 6, y + 14);
      context.textAlign = 'left';
      context.fillStyle = text;
      context.fillText(fit(context, subjectOf(node), NODE_WIDTH - 14), x + 7, y + 38);
      const factor = node.estimateFactor;
      const isOff = factor !== null && (factor >= 10 || factor <= 0.1);
      context.fillStyle = isOff ? danger : muted;
      context.fillText(fit(context, estimateLabel(node), NODE_WIDTH - 14), x + 7, y + 54);
    }
    context.restore();
    context.stroke();
    if (node.segments !== null && node.segments.total > 0)
      drawSegments(context, node, x, y + NODE_HEIGHT - 3, text, line);
    context.globalAlpha = 1;
  }
  context.restore();
}

/** A strip at the foot of a scan: full where segments were read, hollow where they were skipped. */
function drawSegments(
  context: CanvasRenderingContext2D,
  node: PlanNode,
  x: number,
  y: number,
  full: string,
  hollow: string,
): void {
  const { segments } = node;
  if (segments === null) return;
  const share = segments.read / segments.total;
  context.fillStyle = hollow;
  context.fillRect(x + 4, y, NODE_WIDTH - 8, 2);
  context.fillStyle = full;
  context.fillRect(x + 4, y, (NODE_WIDTH - 8) * share, 2);
}

function shareLabel(node: PlanNode, plan: Plan): string {
  if (node.isNeverExecuted) return t('never');
  return plan.isAnalyzed && node.exclusiveMillis !== null
    ? formatMillis(node.exclusiveMillis)
    : formatPercent(node.share, 0);
}

function subjectOf(node: PlanNode): string {
  if (node.relation !== null) {
    const alias = node.alias !== null && node.alias !== node.relation ? ` ${node.alias}` : '';
    return `${node.relation}${alias}${node.index === null ? '' : ` (${node.index})`}`;
  }
  return node.index ?? node.condition ?? node.subplanName ?? '';
}

/** `1,234 rows  ▲ 12 ×`: ▲ more than expected, ▼ fewer. */
export function estimateLabel(node: PlanNode): string {
  const rows = rowsText(node.rows);
  const memory = node.diskKilobytes !== null ? `  ⇊ ${formatBytes(node.diskKilobytes * 1024)}` : '';
  const factor = node.estimateFactor;
  if (factor === null || (factor < 2 && factor > 0.5)) return rows + memory;
  return `${rows}  ${factor > 1 ? '▲' : '▼'} ${formatShort(Math.round(factor > 1 ? factor : 1 / factor))} ×${memory}`;
}

function fit(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (text.length * 3.5 < width || context.measureText(text).width <= width) return text;
  let end = Math.min(text.length, Math.ceil(width / 4));
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
