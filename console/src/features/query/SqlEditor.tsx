/**
 * The SQL editor: a textarea that works at once, replaced by Monaco when that has arrived. The text lives outside, so the
 * change loses nothing. The statement that would run is marked at the margin.
 */
import { useEffect, useImperativeHandle, useRef, useState } from 'react';
import { t } from '../../lib/messages.ts';
import { type CompletionCatalog, complete, type Proposal } from '../../lib/sql/complete.ts';
import { splitStatements, statementAt } from '../../lib/sql/statements.ts';
import { isContrast, isDark, onThemeChange, themeColour } from '../../lib/theme.ts';
import type { Mark } from './fixes.ts';

type Monaco = typeof import('./monaco.ts')['monaco'];
type Editor = ReturnType<Monaco['editor']['create']>;

/** The text with what is selected; without a selection start and end are the caret. */
export interface EditorState {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface EditorHandle {
  readonly read: () => EditorState;
  readonly focus: () => void;
  readonly insert: (text: string) => void;
  readonly reveal: (offset: number) => void;
}

interface Props {
  /** Identity of the text: another one replaces the content, also while typing. */
  documentId: string;
  text: string;
  onChange: (text: string) => void;
  onRun: (state: EditorState, isAll: boolean) => void;
  onExplain: (state: EditorState) => void;
  onSave: () => void;
  onCaret: (offset: number) => void;
  marks: readonly Mark[];
  catalog: CompletionCatalog;
  handle: React.Ref<EditorHandle>;
}

const shared: { catalog: CompletionCatalog | null; marks: readonly Mark[] } = { catalog: null, marks: [] };
let isRegistered = false;

/** Providers are registered once: they serve whatever the shown editor has. */
function register(monaco: Monaco): void {
  if (isRegistered) return;
  isRegistered = true;
  const { CompletionItemKind } = monaco.languages;
  const kinds: Record<Proposal['kind'], number> = {
    table: CompletionItemKind.Struct,
    view: CompletionItemKind.Interface,
    column: CompletionItemKind.Field,
    function: CompletionItemKind.Function,
    keyword: CompletionItemKind.Keyword,
    join: CompletionItemKind.Reference,
    schema: CompletionItemKind.Module,
    type: CompletionItemKind.Class,
    setting: CompletionItemKind.Property,
    alias: CompletionItemKind.Variable,
  };
  monaco.languages.registerCompletionItemProvider('pgsql', {
    triggerCharacters: ['.', ' ', ':'],
    provideCompletionItems: (model, position) => {
      if (shared.catalog === null) return { suggestions: [] };
      const text = model.getValue();
      const offset = model.getOffsetAt(position);
      const statement = statementAt(splitStatements(text), offset);
      const isInside = statement !== null && offset <= nextSemicolon(text, statement.end);
      const base = isInside ? statement.start : offset;
      const part = text.slice(base, isInside ? Math.max(statement.end, offset) : offset);
      const found = complete(part, offset - base, shared.catalog);
      // A space completes only where names are expected: after FROM, JOIN, ON and the like.
      if (
        part[offset - base - 1] === ' ' &&
        !/\b(?:from|join|on|into|update|set)\s+$/i.test(part.slice(0, offset - base))
      )
        return { suggestions: [] };
      const start = model.getPositionAt(base + found.start);
      const range = {
        startLineNumber: start.lineNumber,
        startColumn: start.column,
        endLineNumber: position.lineNumber,
        endColumn: position.column,
      };
      return {
        incomplete: true,
        suggestions: found.proposals.map((proposal, index) => ({
          label: { label: proposal.label, description: proposal.detail },
          kind: kinds[proposal.kind] as (typeof CompletionItemKind)['Field'],
          insertText: proposal.insert,
          documentation: proposal.documentation,
          filterText:
            proposal.kind === 'join'
              ? `${part.slice(found.start, offset - base)}${proposal.label}`
              : undefined,
          sortText: String(index).padStart(5, '0'),
          range,
        })),
      };
    },
  });
  monaco.languages.registerCodeActionProvider('pgsql', {
    provideCodeActions: (model, range) => {
      const start = model.getOffsetAt({ lineNumber: range.startLineNumber, column: 1 });
      const end = model.getOffsetAt({ lineNumber: range.endLineNumber + 1, column: 1 });
      const actions = shared.marks
        .filter((mark) => mark.end >= start && mark.start <= Math.max(end, start + 1))
        .flatMap((mark) =>
          mark.fixes.map((fix, index) => {
            const from = model.getPositionAt(fix.start);
            const to = model.getPositionAt(fix.end);
            return {
              title: fix.title,
              kind: 'quickfix',
              isPreferred: index === 0,
              edit: {
                edits: [
                  {
                    resource: model.uri,
                    versionId: undefined,
                    textEdit: {
                      range: {
                        startLineNumber: from.lineNumber,
                        startColumn: from.column,
                        endLineNumber: to.lineNumber,
                        endColumn: to.column,
                      },
                      text: fix.text,
                    },
                  },
                ],
              },
            };
          }),
        );
      return { actions, dispose: () => {} };
    },
  });
}

function nextSemicolon(text: string, from: number): number {
  const at = text.indexOf(';', from);
  return at < 0 ? text.length : at;
}

/** The editor in the colours of the page. */
function applyEditorTheme(monaco: Monaco): void {
  if (isContrast()) {
    monaco.editor.setTheme('hc-black');
    return;
  }
  // The build shortens #ffffff to #fff; Monaco takes only the long form.
  const colour = (name: string): string => themeColour(name).replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
  monaco.editor.defineTheme('console', {
    base: isDark() ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [],
    colors: {
      'editor.background': colour('--surface'),
      'editor.foreground': colour('--text'),
      'editorLineNumber.foreground': colour('--muted'),
      'editor.selectionBackground': colour('--selection'),
      'editorSuggestWidget.background': colour('--raised'),
      'editorHoverWidget.background': colour('--raised'),
    },
  });
  monaco.editor.setTheme('console');
}

export function SqlEditor({
  documentId,
  text,
  onChange,
  onRun,
  onExplain,
  onSave,
  onCaret,
  marks,
  catalog,
  handle,
}: Props) {
  const [monaco, setMonaco] = useState<Monaco | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const editor = useRef<Editor | null>(null);
  const handlers = useRef({ onChange, onRun, onExplain, onSave, onCaret });
  handlers.current = { onChange, onRun, onExplain, onSave, onCaret };
  const current = useRef(text);
  current.current = text;
  shared.catalog = catalog;
  shared.marks = marks;

  const read = (): EditorState => {
    const shown = editor.current;
    const model = shown?.getModel();
    const selection = shown?.getSelection();
    if (model != null && selection != null) {
      return {
        text: model.getValue(),
        start: model.getOffsetAt(selection.getStartPosition()),
        end: model.getOffsetAt(selection.getEndPosition()),
      };
    }
    const element = area.current;
    if (element === null) return { text: current.current, start: 0, end: 0 };
    return { text: element.value, start: element.selectionStart, end: element.selectionEnd };
  };
  const reader = useRef(read);
  reader.current = read;

  useImperativeHandle(handle, () => ({
    read: () => reader.current(),
    focus: () => (editor.current ?? area.current)?.focus(),
    insert: (part) => {
      const shown = editor.current;
      if (shown !== null) {
        const selection = shown.getSelection();
        if (selection !== null) shown.executeEdits('console', [{ range: selection, text: part }]);
        shown.focus();
      } else {
        const state = reader.current();
        handlers.current.onChange(state.text.slice(0, state.start) + part + state.text.slice(state.end));
      }
    },
    reveal: (offset) => {
      const shown = editor.current;
      const model = shown?.getModel();
      if (shown == null || model == null) {
        area.current?.setSelectionRange(offset, offset);
        area.current?.focus();
        return;
      }
      const position = model.getPositionAt(offset);
      shown.setPosition(position);
      shown.revealPositionInCenterIfOutsideViewport(position);
      shown.focus();
    },
  }));

  useEffect(() => {
    let isGone = false;
    // Touch screens keep the plain editor: Monaco is poor there.
    if (matchMedia('(pointer: coarse)').matches) return;
    const load = (): void =>
      void import('./monaco.ts').then((module) => {
        if (!isGone) setMonaco(() => module.monaco);
      });
    // After the first paint, so that typing in the plain editor is never held up.
    const timer = setTimeout(load, 60);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);

  useEffect(() => {
    if (monaco === null || host.current === null) return;
    register(monaco);
    applyEditorTheme(monaco);
    const before = document.activeElement;
    const created = monaco.editor.create(host.current, {
      value: current.current,
      language: 'pgsql',
      automaticLayout: true,
      minimap: { enabled: false },
      fontSize: 13,
      lineNumbersMinChars: 3,
      scrollBeyondLastLine: false,
      ariaLabel: t('SQL'),
      fixedOverflowWidgets: true,
      padding: { top: 6 },
      wordBasedSuggestions: 'off',
      suggest: { showStatusBar: false, preview: false },
      glyphMargin: false,
      folding: true,
      renderLineHighlight: 'none',
      tabSize: 2,
    });
    editor.current = created;
    const decorations = created.createDecorationsCollection();
    const markStatement = (): void => {
      const model = created.getModel();
      const position = created.getPosition();
      if (model === null || position === null) return;
      const offset = model.getOffsetAt(position);
      handlers.current.onCaret(offset);
      const statement = statementAt(splitStatements(model.getValue()), offset);
      if (statement === null) {
        decorations.clear();
        return;
      }
      const from = model.getPositionAt(statement.start);
      const to = model.getPositionAt(statement.end);
      decorations.set([
        {
          range: {
            startLineNumber: from.lineNumber,
            startColumn: 1,
            endLineNumber: to.lineNumber,
            endColumn: 1,
          },
          options: { isWholeLine: true, linesDecorationsClassName: 'statement-mark' },
        },
      ]);
    };
    created.onDidChangeModelContent(() => {
      handlers.current.onChange(created.getValue());
      markStatement();
    });
    created.onDidChangeCursorPosition(markStatement);
    created.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, () =>
      handlers.current.onRun(reader.current(), false),
    );
    created.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyMod.Shift | monaco.KeyCode.Enter, () =>
      handlers.current.onRun(reader.current(), true),
    );
    created.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyE, () =>
      handlers.current.onExplain(reader.current()),
    );
    created.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyS, () => handlers.current.onSave());
    if (before instanceof HTMLTextAreaElement || before === document.body) created.focus();
    markStatement();
    const stop = onThemeChange(() => applyEditorTheme(monaco));
    return () => {
      stop();
      editor.current = null;
      created.dispose();
    };
  }, [monaco]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another document is shown even when its text is the same
  useEffect(() => {
    const shown = editor.current;
    if (shown !== null && shown.getValue() !== text) shown.setValue(text);
  }, [text, documentId, monaco]);

  useEffect(() => {
    const model = editor.current?.getModel();
    if (monaco === null || model == null) return;
    monaco.editor.setModelMarkers(
      model,
      'server',
      marks.map(({ start, end, error }) => {
        const from = model.getPositionAt(start);
        const to = model.getPositionAt(end);
        return {
          severity: monaco.MarkerSeverity.Error,
          message: [error.message, error.detail, error.hint].filter((line) => line !== undefined).join('\n'),
          code: error.code,
          startLineNumber: from.lineNumber,
          startColumn: from.column,
          endLineNumber: to.lineNumber,
          endColumn: to.column,
        };
      }),
    );
  }, [monaco, marks]);

  if (monaco === null) {
    return (
      <textarea
        ref={area}
        aria-label={t('SQL')}
        value={text}
        spellCheck={false}
        autoCapitalize="off"
        onChange={(event) => onChange(event.target.value)}
        onSelect={(event) => onCaret(event.currentTarget.selectionStart)}
        onKeyDown={(event) => {
          if (!event.ctrlKey && !event.metaKey) return;
          if (event.key === 'Enter') onRun(read(), event.shiftKey);
          else if (event.key === 'e') onExplain(read());
          else if (event.key === 's') onSave();
          else return;
          event.preventDefault();
        }}
        className="mono h-full w-full resize-none border-0 bg-(--surface) p-2 text-(--text) outline-none"
      />
    );
  }
  return <div ref={host} data-testid="sql-editor" className="h-full w-full" />;
}
