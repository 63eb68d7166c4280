/** Files of client statements: sections by client, each statement with what the client said at the start of its session. */

export interface ClientStatement {
  readonly text: string;
  /** Sent by Parse: it may have parameters. */
  readonly isExtended: boolean;
}

/** Statements of one connection. */
export interface ClientSession {
  readonly startup: Readonly<Record<string, string>>;
  readonly statements: ClientStatement[];
}

export interface ClientSection {
  readonly client: string;
  readonly sessions: ClientSession[];
}

const SECTION = /^-- CLIENT: (.*)$/;
const STARTUP = /^-- startup parameters: (\{.*\})$/;
const STATEMENT = /^-- \[(simple|parse)\]/;
const RULE = /^-- =+$/;

/**
 * The form of a file: `-- CLIENT: name`, then `-- startup parameters: {json}` for each connection, then statements, each after
 * `-- [simple]` (may hold several) or `-- [parse]` and ended by a line with a semicolon.
 */
export function readStatements(source: string): ClientSection[] {
  const sections: ClientSection[] = [];
  let lines: string[] | null = null;
  let isExtended = false;
  const end = (): void => {
    const text = lines
      ?.join('\n')
      .replace(/\n;\s*$/, '')
      .trim();
    lines = null;
    if (text === undefined || text === '') return;
    sections.at(-1)?.sessions.at(-1)?.statements.push({ text, isExtended });
  };
  for (const line of source.split('\n')) {
    const section = SECTION.exec(line);
    const startup = STARTUP.exec(line);
    const statement = STATEMENT.exec(line);
    if (section !== null) {
      end();
      sections.push({ client: section[1]!.trim(), sessions: [{ startup: {}, statements: [] }] });
    } else if (startup !== null) {
      end();
      sections
        .at(-1)
        ?.sessions.push({ startup: JSON.parse(startup[1]!) as Record<string, string>, statements: [] });
    } else if (statement !== null) {
      end();
      isExtended = statement[1] === 'parse';
      lines = [];
    } else if (!RULE.test(line)) lines?.push(line);
  }
  end();
  return sections;
}
