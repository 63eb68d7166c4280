/**
 * The SQL editor: a textarea that works at once, replaced by Monaco when that has arrived. The text lives outside, so the
 * change loses nothing.
 */
import { useEffect, useRef, useState } from 'react';
import type { ApiError, SchemaTable } from '../../api/client.ts';
import { isDark } from '../../lib/theme.ts';
import { placeOfPosition, wordEnd } from './statement.ts';

type Monaco = typeof import('./monaco.ts')['monaco'];
type Editor = ReturnType<Monaco['editor']['create']>;

interface Props {
  text: string;
  onChange: (text: string) => void;
  /** With the text as it is now: what was typed last may not have been rendered yet. */
  onRun: (text: string) => void;
  onCancel: () => void;
  /** Shown as a squiggle at its position; null for none. */
  error: ApiError | null;
  tables: readonly SchemaTable[];
}

const KEYWORDS =
  'select from where group by order having limit offset insert into values update set delete join left right full inner outer on using as and or not null is in exists between like case when then else end distinct union all except intersect with recursive create table view index drop alter add column primary key foreign references unique check default begin commit rollback explain analyze returning'.split(
    ' ',
  );

export function SqlEditor({ text, onChange, onRun, onCancel, error, tables }: Props) {
  const [monaco, setMonaco] = useState<Monaco | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const handlers = useRef({ onChange, onRun, onCancel });
  handlers.current = { onChange, onRun, onCancel };
  const initialText = useRef(text);
  initialText.current = text;

  useEffect(() => {
    let isGone = false;
    void import('./monaco.ts').then((module) => {
      if (!isGone) setMonaco(() => module.monaco);
    });
    return () => {
      isGone = true;
    };
  }, []);

  useEffect(() => {
    if (monaco === null || host.current === null) return;
    const created = monaco.editor.create(host.current, {
      value: initialText.current,
      language: 'pgsql',
      theme: isDark() ? 'vs-dark' : 'vs',
      automaticLayout: true,
      minimap: { enabled: false },
      fontSize: 14,
      scrollBeyondLastLine: false,
      ariaLabel: 'SQL',
      fixedOverflowWidgets: true,
      padding: { top: 6 },
    });
    editor.current = created;
    created.onDidChangeModelContent(() => handlers.current.onChange(created.getValue()));
    created.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, () =>
      handlers.current.onRun(created.getValue()),
    );
    created.focus();
    return () => {
      editor.current = null;
      created.dispose();
    };
  }, [monaco]);

  useEffect(() => {
    const current = editor.current;
    if (current !== null && current.getValue() !== text) current.setValue(text);
  }, [text]);

  useEffect(() => {
    const model = editor.current?.getModel();
    if (monaco === null || model == null) return;
    if (error?.position === undefined) {
      monaco.editor.setModelMarkers(model, 'server', []);
      return;
    }
    const content = model.getValue();
    const place = placeOfPosition(content, error.position);
    monaco.editor.setModelMarkers(model, 'server', [
      {
        severity: monaco.MarkerSeverity.Error,
        message: [error.message, error.detail, error.hint].filter((line) => line !== undefined).join('\n'),
        startLineNumber: place.line,
        startColumn: place.column,
        endLineNumber: place.line,
        endColumn: wordEnd(content, place),
      },
    ]);
  }, [monaco, error]);

  useEffect(() => {
    if (monaco === null) return;
    const provider = monaco.languages.registerCompletionItemProvider('pgsql', {
      provideCompletionItems: (model, position) => {
        const word = model.getWordUntilPosition(position);
        const range = {
          startLineNumber: position.lineNumber,
          endLineNumber: position.lineNumber,
          startColumn: word.startColumn,
          endColumn: word.endColumn,
        };
        const { CompletionItemKind } = monaco.languages;
        const columns = new Set(tables.flatMap((table) => table.columns.map((column) => column.name)));
        return {
          suggestions: [
            ...tables.map((table) => ({
              label: table.name,
              kind: CompletionItemKind.Struct,
              insertText: table.name,
              detail: table.schema,
              range,
            })),
            ...[...columns].map((name) => ({
              label: name,
              kind: CompletionItemKind.Field,
              insertText: name,
              range,
            })),
            ...KEYWORDS.map((name) => ({
              label: name,
              kind: CompletionItemKind.Keyword,
              insertText: name,
              range,
            })),
          ],
        };
      },
    });
    return () => provider.dispose();
  }, [monaco, tables]);

  if (monaco === null) {
    return (
      <textarea
        aria-label="SQL"
        value={text}
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onRun(event.currentTarget.value);
        }}
        className="mono h-full w-full resize-none border-0 bg-(--surface) p-2 text-(--text) outline-none"
      />
    );
  }
  return <div ref={host} data-testid="sql-editor" className="h-full w-full" />;
}
