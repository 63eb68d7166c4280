/** How quantities are written. Values of the database never pass through here: they are shown as the server sent them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1536` → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${bytes < 0 ? '−' : ''}${trimZeros(value.toFixed(digits))} ${UNITS[unit]}`;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Milliseconds to a short duration: `0.42 ms`, `3.1 s`, `2 min 5 s`, `3 h 12 min`, `4 d 1 h`. */
export function formatMillis(millis: number): string {
  if (!Number.isFinite(millis)) return '–';
  if (millis < 0) return `−${formatMillis(-millis)}`;
  if (millis < 1) return `${millis === 0 ? '0' : millis < 0.01 ? '<0.01' : trimZeros(millis.toFixed(2))} ms`;
  if (millis < 10) return `${trimZeros(millis.toFixed(2))} ms`;
  if (millis < 100) return `${trimZeros(millis.toFixed(1))} ms`;
  if (millis < 1000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 60) return `${trimZeros(seconds.toFixed(seconds < 10 ? 2 : 1))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `1234567` → `1,234,567`; decimal digits in text stay as they are. */
export function formatCount(value: number | string): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return '–';
    return value.toLocaleString('en', {
      maximumFractionDigits: value < 10 && !Number.isInteger(value) ? 2 : 0,
    });
  }
  return /^-?\d+$/.test(value) ? BigInt(value).toLocaleString('en') : value;
}

/** `1234567` → `1.23 M`, for axes and badges. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return '–';
  if (size >= 1e9) return `${trimZeros((value / 1e9).toFixed(2))} G`;
  if (size >= 1e6) return `${trimZeros((value / 1e6).toFixed(2))} M`;
  if (size >= 1e4) return `${trimZeros((value / 1e3).toFixed(1))} k`;
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return trimZeros(value.toFixed(2));
}

export function formatPercent(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${trimZeros((share * 100).toFixed(digits))} %` : '–';
}

/** How long ago a time of the server was; null for an absent time. */
export function millisSince(timestamp: string | null, now: number): number | null {
  if (timestamp === null) return null;
  const time = Date.parse(timestamp.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
  return Number.isNaN(time) ? null : Math.max(0, now - time);
}

export function formatTime(millis: number): string {
  const date = new Date(millis);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
