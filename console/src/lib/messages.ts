/**
 * Texts of the console. The English source text is the key; `messages/<language>.json` may translate it. `messages/en.json`
 * lists every text there is (a test keeps it complete), so that a translation knows its size.
 */
const catalogues = import.meta.glob<Record<string, string>>(['../messages/*.json', '!../messages/en.json'], {
  import: 'default',
});
let texts: Readonly<Record<string, string>> = {};

/** Text in the chosen language; `{name}` is replaced by the value of that name. */
export function t(text: string, values?: Readonly<Record<string, string | number>>): string {
  const template = texts[text] ?? text;
  if (values === undefined) return template;
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Loads a language before the first text is drawn; English needs nothing. */
export async function loadLanguage(language: string): Promise<void> {
  const load = catalogues[`../messages/${language}.json`];
  if (load !== undefined) texts = await load();
}
