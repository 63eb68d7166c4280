import { formatTime } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Button } from '../../ui/Button.tsx';
import { SelectField } from '../../ui/fields.tsx';
import { followNow, RANGES, setRange, type TimeRange } from './range.ts';

/** One scrubber for every chart: how long, how far back, or live. */
export function RangeBar({ range, earliest }: { range: TimeRange; earliest: number }) {
  const length = range.to - range.from;
  const now = Date.now();
  const move = (end: number): void => {
    if (end >= now - 1500) followNow();
    else setRange(end - length, end);
  };
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2">
      <Badge tone={range.isLive ? 'good' : 'warn'}>
        {range.isLive ? t('live') : `${formatTime(range.from)} – ${formatTime(range.to)}`}
      </Badge>
      <input
        type="range"
        aria-label={t('End of the time range')}
        aria-valuetext={range.isLive ? t('now') : formatTime(range.to)}
        min={Math.min(earliest + length, now - 1000)}
        max={now}
        step={1000}
        value={Math.min(range.to, now)}
        onChange={(event) => move(Number(event.target.value))}
        className="w-28 accent-(--accent) sm:w-48"
      />
      {!range.isLive && <Button onClick={() => followNow()}>{t('Back to now')}</Button>}
      <SelectField
        label={t('Time range')}
        isLabelHidden
        value={range.id}
        onChange={(event) => followNow(event.target.value)}
      >
        {RANGES.map((one) => (
          <option key={one.id} value={one.id}>
            {t('last {length}', { length: one.id })}
          </option>
        ))}
      </SelectField>
    </div>
  );
}
