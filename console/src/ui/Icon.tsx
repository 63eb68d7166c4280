/** Line icons, 16 × 16, drawn with the colour of the text. Decoration only: the name stands beside or in `aria-label`. */
const PATHS = {
  query: 'M3 4l4 4-4 4M8.5 12H13',
  tables: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6',
  explain: 'M8 2.5v3M4 13.5v-3h8v3M8 5.5v5M6.5 2.5h3',
  dashboard: 'M2.5 13V7M6.2 13V3M9.8 13V9M13.5 13V5',
  activity: 'M1.5 8h3l2-5 3 10 2-5h3',
  statements: 'M3 4h10M3 8h10M3 12h6',
  health: 'M8 13S2.5 9.6 2.5 6.2A2.8 2.8 0 018 5a2.8 2.8 0 015.5 1.2C13.500 9.600 8 13 8 13z',
  advisor: 'M6 13h4M6.500 11a4 4 0 113 0M8 2v0',
  security: 'M8 2l5 2v4c0 3-2.200 5-5 6-2.800-1-5-3-5-6V4z',
  palette: 'M7 11.500A4.500 4.500 0 107 2.500a4.500 4.500 0 000 9zM10.300 10.300L14 14',
  close: 'M4 4l8 8M12 4l-8 8',
  play: 'M5 3.500l7 4.500-7 4.500z',
  stop: 'M4.500 4.500h7v7h-7z',
  plus: 'M8 3v10M3 8h10',
  copy: 'M5.500 5.500h7v7h-7zM3.500 10V3.500H10',
  download: 'M8 2.500v7M5 7l3 3 3-3M3 13h10',
  upload: 'M8 10V3M5 5.500l3-3 3 3M3 13h10',
  history: 'M8 4.500V8l2.500 1.500M2.700 6.500A5.500 5.500 0 112.500 9M2.500 3.500v3h3',
  star: 'M8 2.500l1.700 3.500 3.800.5-2.800 2.700.7 3.800L8 11.200 4.600 13l.7-3.800L2.500 6.500l3.800-.5z',
  chart: 'M2.500 2.500v11h11M5 10l2.500-3 2 2L13 5',
  right: 'M6 3.500L10.500 8 6 12.500',
  down: 'M3.500 6L8 10.500 12.500 6',
  more: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  refresh: 'M13 8a5 5 0 11-1.500-3.500M13 2.500v3h-3',
  check: 'M3 8.500l3.500 3.500L13 4.500',
  warning: 'M8 2.500l6 11H2zM8 6.500v3.500M8 12v0',
  link: 'M6.500 9.500l3-3M7 4.500l1.500-1.500a3 3 0 014.500 4.500L11.500 9M9 11.500L7.500 13A3 3 0 013 8.500L4.500 7',
  settings:
    'M8 10a2 2 0 100-4 2 2 0 000 4zM8 1.500v2M8 12.500v2M1.500 8h2M12.500 8h2M3.400 3.400l1.400 1.400M11.200 11.200l1.400 1.400M3.400 12.600l1.400-1.400M11.200 4.800l1.400-1.400',
  logout: 'M6 2.500H3v11h3M7 8h7M11.500 5.500L14 8l-2.500 2.500',
  keyboard: 'M1.500 4h13v8h-13zM4 6.500h.01M6.500 6.500h.01M9 6.500h.01M11.500 6.500h.01M5 9.500h6',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className="shrink-0"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
