/** Two panes with a bar between them that is moved by mouse, touch or arrow keys; the share is remembered. */
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef } from 'react';
import { t } from '../lib/messages.ts';
import { useStored } from '../lib/storage.ts';

interface Props {
  name: string;
  direction: 'row' | 'column';
  first: ReactNode;
  second: ReactNode;
  /** Share of the first pane in percent. */
  initial: number;
}

export function Split({ name, direction, first, second, initial }: Props) {
  const [share, setShare] = useStored(`split.${name}`, initial);
  const box = useRef<HTMLDivElement>(null);
  const clamp = (value: number): number => Math.min(85, Math.max(12, value));
  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || box.current === null) return;
    const area = box.current.getBoundingClientRect();
    setShare(
      clamp(
        direction === 'row'
          ? ((event.clientX - area.left) / area.width) * 100
          : ((event.clientY - area.top) / area.height) * 100,
      ),
    );
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step =
      event.key === 'ArrowLeft' || event.key === 'ArrowUp'
        ? -4
        : event.key === 'ArrowRight' || event.key === 'ArrowDown'
          ? 4
          : 0;
    if (step === 0) return;
    event.preventDefault();
    setShare(clamp(share + step));
  };
  const isRow = direction === 'row';
  return (
    <div
      ref={box}
      className="grid h-full min-h-0 min-w-0"
      style={
        isRow
          ? { gridTemplateColumns: `minmax(0, ${share}fr) 5px minmax(0, ${100 - share}fr)` }
          : { gridTemplateRows: `minmax(0, ${share}fr) 5px minmax(0, ${100 - share}fr)` }
      }
    >
      <div className="min-h-0 min-w-0 overflow-hidden">{first}</div>
      {/* biome-ignore lint/a11y/useSemanticElements: hr cannot be moved */}
      <div
        role="separator"
        tabIndex={0}
        aria-label={t('Size of the panes')}
        aria-orientation={isRow ? 'vertical' : 'horizontal'}
        aria-valuenow={Math.round(share)}
        aria-valuemin={12}
        aria-valuemax={85}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={onPointerMove}
        onKeyDown={onKeyDown}
        className={`touch-none bg-(--line) hover:bg-(--accent) ${isRow ? 'cursor-col-resize' : 'cursor-row-resize'}`}
      />
      <div className="min-h-0 min-w-0 overflow-hidden">{second}</div>
    </div>
  );
}
