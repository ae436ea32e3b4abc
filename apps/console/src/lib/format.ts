const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const counts = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** Unix seconds -> `Jan 5, 2026, 14:03`. */
export function formatTime(seconds: number): string {
  return dateTime.format(seconds * 1000);
}

/** Unix seconds -> `3 minutes ago`. */
export function formatAgo(seconds: number, nowMs = Date.now()): string {
  const elapsed = nowMs / 1000 - seconds;
  for (const [unit, size] of units) {
    if (Math.abs(elapsed) >= size) return relative.format(-Math.round(elapsed / size), unit);
  }
  return 'just now';
}

/** Seconds -> `42 s`, `3 min 5 s`, `1 h 12 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `950`, `12.3K`, `4M` */
export function formatCount(count: number): string {
  return counts.format(count);
}

/** At most four significant digits; very small and very large numbers in powers of ten. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1);
  return String(Number(value.toPrecision(4)));
}

export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(share === 0 || share === 1 ? 0 : 1)} %`;
}

/** `1 answer`, `3 answers`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `grad_norm` -> `Grad norm`; names the field has its own word for are spelled so. */
export function words(name: string): string {
  if (name === 'lr') return 'Learning rate';
  const text = name
    .replaceAll('_', ' ')
    .replace(/^heldout/, 'held-out')
    .replace(/\bkl\b/, 'KL');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
