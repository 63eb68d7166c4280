/** Deviations from the house rules, each with its reason. */

/** Files above the limit: the count at which they were looked at, and why they stay one file. They may not grow. */
export const longFiles: Readonly<Record<string, { readonly lines: number; readonly reason: string }>> = {
  'server/src/session/settings/definitions.ts': {
    lines: 1500,
    reason: 'one table: an entry for each setting',
  },
  'server/src/planner/physical-planner.ts': {
    lines: 1100,
    reason: 'one switch over the logical nodes; joins, scans and writes already stand in files of their own',
  },
  'server/src/session/session.ts': {
    lines: 1020,
    reason:
      'the face of a session towards protocol, utilities and functions; temporary objects, notifications and measuring are to become parts of their own',
  },
  'server/src/sql/analyse/coerce.ts': {
    lines: 900,
    reason: 'the rules of chapter 10 call each other; to be parted into casts and common types',
  },
  'server/src/sql/functions/format-date.ts': {
    lines: 1000,
    reason:
      'templates of to_char and to_timestamp share one table of fields; to be parted into parser and printer',
  },
};

/** Imports against the layers: importing file (or folder ending in /), imported room, reason. */
export const layerExemptions: readonly {
  readonly file: string;
  readonly room: string;
  readonly reason: string;
}[] = [];

/** Lines that look like a banned pattern: file, text of the line, reason. */
export const lineExemptions: readonly {
  readonly file: string;
  readonly line: string;
  readonly reason: string;
}[] = [];

/** Folders without a README of their own, with the reason. */
export const folderExemptions: Readonly<Record<string, string>> = {};

/** Files nobody imports by name although they are used. */
export const entryPoints: readonly RegExp[] = [
  /^server\/src\/main\//,
  /^server\/src\/env\/file-helpers\.ts$/,
  /^server\/src\/env\/simulated\//,
  /(?:^|\/)testing\//,
];
