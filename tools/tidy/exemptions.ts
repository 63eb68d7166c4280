/** Deviations from the house rules, each with its reason. */

/** Files above the limit: the count at which they were looked at, and why they stay one file. They may not grow. */
export const longFiles: Readonly<Record<string, { readonly lines: number; readonly reason: string }>> = {};

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
