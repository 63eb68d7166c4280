/** The query page: tabs, editor, parameters, transaction, results. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { request } from '../../api/client.ts';
import { useCommands } from '../../app/commands.ts';
import { formatMillis } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { navigate, useRoute } from '../../lib/router.ts';
import { fillParameters, parametersOf } from '../../lib/sql/parameters.ts';
import { type Danger, dangersOf, splitStatements, statementAt } from '../../lib/sql/statements.ts';
import { Badge } from '../../ui/Badge.tsx';
import { Button, IconButton } from '../../ui/Button.tsx';
import { CheckField } from '../../ui/fields.tsx';
import { Split } from '../../ui/Split.tsx';
import { errorOf } from '../../ui/states.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { copyText, toast } from '../../ui/toast.tsx';
import { keepPlan } from '../explain/planStore.ts';
import { fixesFor, type Mark } from './fixes.ts';
import { GuardDialog } from './GuardDialog.tsx';
import { HistoryDialog } from './HistoryDialog.tsx';
import { ParametersForm } from './ParametersForm.tsx';
import { ResultPanel } from './ResultPanel.tsx';
import {
  cancelRun,
  endTransaction,
  forgetTab,
  type RunStatement,
  runStatements,
  runStateOf,
  useRunState,
} from './runner.ts';
import { SavedDialog } from './SavedDialog.tsx';
import { type EditorHandle, type EditorState, SqlEditor } from './SqlEditor.tsx';
import { activeTab, changeTab, closeTab, openTab, selectTab, useTabs } from './tabs.ts';
import { useCatalog } from './useCatalog.ts';

/** What Ctrl+Enter runs: the selection, else the statement at the caret. */
function chosenStatements(state: EditorState, isAll: boolean): RunStatement[] {
  const hasSelection = state.end > state.start;
  if (hasSelection && !isAll) {
    const part = state.text.slice(state.start, state.end);
    return splitStatements(part).map((one) => ({ text: one.text, start: state.start + one.start }));
  }
  const statements = splitStatements(state.text);
  if (isAll) return statements.map(({ text, start }) => ({ text, start }));
  const one = statementAt(statements, state.start);
  return one === null ? [] : [{ text: one.text, start: one.start }];
}

export function QueryPage({ isShown }: { isShown: boolean }) {
  const { tabs, active } = useTabs();
  const tab = tabs.find((one) => one.id === active) ?? tabs[0];
  const run = useRunState(tab.id);
  const route = useRoute();
  const editor = useRef<EditorHandle>(null);
  const [caret, setCaret] = useState(0);
  const [guarded, setGuarded] = useState<{ dangers: readonly Danger[]; statements: RunStatement[] } | null>(
    null,
  );
  const [dialog, setDialog] = useState<'history' | 'saved' | 'save' | null>(null);
  const { catalog, refresh } = useCatalog(true);

  // A link with a text opens a tab of its own, once.
  const linked = isShown && (route.path[0] ?? 'query') === 'query' ? route.params.get('sql') : null;
  useEffect(() => {
    if (linked === null) return;
    if (activeTab().text !== linked) openTab(linked);
    navigate(['query'], {}, { replace: true });
  }, [linked]);

  const start = useCallback((statements: RunStatement[]): void => {
    const current = activeTab();
    void runStatements(current.id, statements, {
      isManualCommit: current.isManualCommit,
      parameters: current.parameters,
    });
  }, []);
  const onRun = useCallback(
    (state: EditorState, isAll: boolean): void => {
      const statements = chosenStatements(state, isAll);
      if (statements.length === 0 || runStateOf(activeTab().id).isRunning) return;
      const dangers = statements.flatMap(({ text }) => splitStatements(text).flatMap(dangersOf));
      if (dangers.length > 0) setGuarded({ dangers, statements });
      else start(statements);
    },
    [start],
  );
  const onExplain = useCallback((state: EditorState, isAnalyze = true): void => {
    const [statement] = chosenStatements(state, false);
    if (statement === undefined) return;
    const current = activeTab();
    const sql = fillParameters(statement.text, new Map(Object.entries(current.parameters))).text.replace(
      /^\s*explain\s*(?:\([^)]*\)|(?:analyze\b|verbose\b|\s)*)?\s*/i,
      '',
    );
    request('POST /explain', { body: { sql, analyze: isAnalyze, connection: `${current.id}-explain` } }).then(
      (answer) => navigate(['explain', keepPlan(answer.plan, sql).id]),
      (failure) => toast(errorOf(failure).message, { isError: true }),
    );
  }, []);
  const runNow = useCallback(
    (isAll: boolean): void => {
      const state = editor.current?.read();
      if (state !== undefined) onRun(state, isAll);
    },
    [onRun],
  );
  const close = (id: string): void => {
    if (
      runStateOf(id).transactionStatus !== 'I' &&
      !confirm(t('Its transaction is rolled back. Close the tab?'))
    )
      return;
    closeTab(id);
    forgetTab(id);
  };

  // The catalog has changed after statements that change it.
  const lastRun = run.isRunning ? null : run.outcomes;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each run
  useEffect(() => {
    if (
      lastRun?.some((one) =>
        /^\s*(?:create|alter|drop|set\s+search_path|import)\b/i.test(one.statement.text),
      ) === true
    )
      refresh();
  }, [lastRun]);

  useEffect(() => {
    if (!isShown) return;
    const onKey = (event: KeyboardEvent): void => {
      if (document.querySelector('dialog[open]') !== null) return;
      if (event.key === 'Escape' && runStateOf(activeTab().id).isRunning) void cancelRun(activeTab().id);
      else if (event.altKey && !event.ctrlKey && event.key.toLowerCase() === 't') {
        event.preventDefault();
        openTab();
      } else if (event.altKey && !event.ctrlKey && /^[1-9]$/.test(event.key)) {
        const wanted = tabs[Number(event.key) - 1];
        if (wanted === undefined) return;
        event.preventDefault();
        selectTab(wanted.id);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [isShown, tabs]);

  const marks = useMemo(
    (): Mark[] =>
      run.outcomes.flatMap((outcome) => {
        const { error, errorOffset, statement } = outcome;
        if (error === null || errorOffset === null) return [];
        // The text may have changed since: a mark that fits nothing any more is left out.
        if (tab.text.slice(statement.start, statement.start + statement.text.length) !== statement.text)
          return [];
        const inside = errorOffset - statement.start;
        const word =
          /^(?:"(?:[^"]|"")*"|[\p{L}\p{N}_$.]+|\S)/u.exec(statement.text.slice(inside))?.[0].length ?? 1;
        const fixes = fixesFor(statement.text, error, inside, catalog).map((fix) => ({
          ...fix,
          start: fix.start + statement.start,
          end: fix.end + statement.start,
        }));
        return [{ start: errorOffset, end: Math.min(tab.text.length, errorOffset + word), error, fixes }];
      }),
    [run.outcomes, tab.text, catalog],
  );
  const names = useMemo(() => {
    const statement = statementAt(splitStatements(tab.text), caret);
    return statement === null ? [] : parametersOf(statement.text);
  }, [tab.text, caret]);

  const commands = useMemo(
    () => [
      { id: 'new tab', title: t('New query tab'), keys: 'Alt T', run: () => void openTab() },
      { id: 'run', title: t('Run the statement at the caret'), keys: 'Ctrl Enter', run: () => runNow(false) },
      { id: 'run all', title: t('Run everything'), keys: 'Ctrl Shift Enter', run: () => runNow(true) },
      { id: 'history', title: t('History'), run: () => setDialog('history') },
      { id: 'saved', title: t('Saved queries'), run: () => setDialog('saved') },
    ],
    [runNow],
  );
  useCommands(commands);

  const applyFix = (mark: Mark, index: number): void => {
    const fix = mark.fixes[index];
    changeTab(tab.id, { text: tab.text.slice(0, fix.start) + fix.text + tab.text.slice(fix.end) });
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <h1 className="sr-only">{t('Query')}</h1>
      <div className="flex shrink-0 items-end gap-1 border-b border-(--line) bg-(--raised) px-1 pt-1">
        <Tabs
          label={t('Query tabs')}
          selected={tab.id}
          onSelect={selectTab}
          items={tabs.map((one) => ({
            id: one.id,
            title: one.text.slice(0, 300),
            onClose: () => close(one.id),
            label: one.title,
          }))}
        />
        <IconButton label={t('New tab')} title={t('New tab (Alt T)')} icon="plus" onClick={() => openTab()} />
        <IconButton label={t('Close tab')} icon="close" onClick={() => close(tab.id)} />
      </div>
      <div className="min-h-0 flex-1">
        <Split
          name="query"
          direction="column"
          initial={40}
          first={
            <SqlEditor
              documentId={tab.id}
              text={tab.text}
              onChange={(text) => changeTab(tab.id, { text })}
              onRun={onRun}
              onExplain={onExplain}
              onSave={() => setDialog('save')}
              onCaret={setCaret}
              marks={marks}
              catalog={catalog}
              handle={editor}
            />
          }
          second={
            <div className="flex h-full min-h-0 flex-col">
              <div
                role="toolbar"
                aria-label={t('Statement')}
                className="flex shrink-0 flex-wrap items-center gap-1.5 border-b border-(--line) bg-(--raised) px-2 py-1"
              >
                {run.isRunning ? (
                  <Button
                    tone="danger"
                    icon="stop"
                    onClick={() => void cancelRun(tab.id)}
                    disabled={run.isCancelling}
                    title={t('Cancel (Esc)')}
                  >
                    {run.isCancelling ? t('Cancelling …') : t('Cancel')}
                  </Button>
                ) : (
                  <Button
                    tone="primary"
                    icon="play"
                    onClick={() => runNow(false)}
                    title={t('Run the selection, else the statement at the caret (Ctrl Enter)')}
                  >
                    {t('Run')}
                  </Button>
                )}
                <Button onClick={() => runNow(true)} disabled={run.isRunning} title="Ctrl Shift Enter">
                  {t('Run all')}
                </Button>
                <Button
                  icon="explain"
                  title={t('Explain analyze: the statement runs, what it writes is rolled back (Ctrl E)')}
                  onClick={() => {
                    const state = editor.current?.read();
                    if (state !== undefined) onExplain(state);
                  }}
                >
                  {t('Explain')}
                </Button>
                <TransactionState
                  status={run.transactionStatus}
                  since={run.transactionSince}
                  isRunning={run.isRunning}
                  onEnd={(action) => void endTransaction(tab.id, action)}
                />
                {run.isRunning && <Elapsed since={run.startedAt} done={run.done} total={run.total} />}
                <span className="flex-1" />
                <CheckField
                  label={t('Manual commit')}
                  checked={tab.isManualCommit}
                  onChange={(event) => changeTab(tab.id, { isManualCommit: event.target.checked })}
                />
                <IconButton label={t('History')} icon="history" onClick={() => setDialog('history')} />
                <IconButton label={t('Saved queries')} icon="star" onClick={() => setDialog('saved')} />
                <IconButton
                  label={t('Copy a link to this text')}
                  icon="link"
                  onClick={() => {
                    const address = new URL(location.href);
                    address.hash = `#/query?${new URLSearchParams({ sql: tab.text }).toString()}`;
                    void copyText(address.href, t('Link copied.'));
                  }}
                />
              </div>
              {names.length > 0 && (
                <ParametersForm
                  names={names}
                  values={tab.parameters}
                  onChange={(parameters) => changeTab(tab.id, { parameters })}
                />
              )}
              <div className="min-h-0 flex-1">
                <ResultPanel
                  tab={tab.id}
                  run={run}
                  marks={marks}
                  onReveal={(offset) => editor.current?.reveal(offset)}
                  onFix={applyFix}
                />
              </div>
            </div>
          }
        />
      </div>
      {guarded !== null && (
        <GuardDialog
          dangers={guarded.dangers}
          onClose={() => setGuarded(null)}
          onConfirm={() => {
            start(guarded.statements);
            setGuarded(null);
          }}
        />
      )}
      {dialog === 'history' && (
        <HistoryDialog
          onClose={() => setDialog(null)}
          onOpen={(sql) => {
            openTab(sql);
            setDialog(null);
          }}
        />
      )}
      {(dialog === 'saved' || dialog === 'save') && (
        <SavedDialog
          sql={dialog === 'save' ? tab.text : null}
          title={tab.title}
          savedId={tab.savedId}
          onSaved={({ id, name }) => {
            changeTab(tab.id, { savedId: id, title: name });
            setDialog(null);
          }}
          onOpen={(query) => {
            openTab(query.sql, { title: query.name, savedId: query.id });
            setDialog(null);
          }}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );
}

/** Time that goes on while something lasts. */
function useNow(isOn: boolean): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!isOn) return;
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}

function Elapsed({ since, done, total }: { since: number; done: number; total: number }) {
  const now = useNow(true);
  return (
    <span className="text-(--muted)">
      {formatMillis(Math.max(0, now - since))}
      {total > 1 && ` · ${t('{done} of {total}', { done, total })}`}
    </span>
  );
}

function TransactionState({
  status,
  since,
  isRunning,
  onEnd,
}: {
  status: string;
  since: number | null;
  isRunning: boolean;
  onEnd: (action: 'commit' | 'rollback') => void;
}) {
  useNow(status !== 'I');
  if (status === 'I') return null;
  const age = formatMillis(since === null ? 0 : Math.floor((Date.now() - since) / 1000) * 1000);
  return (
    <>
      <Badge tone={status === 'E' ? 'danger' : 'warn'}>
        {status === 'E' ? t('transaction failed · {age}', { age }) : t('in a transaction · {age}', { age })}
      </Badge>
      <Button onClick={() => onEnd('commit')} disabled={isRunning || status === 'E'}>
        {t('Commit')}
      </Button>
      <Button tone="danger" onClick={() => onEnd('rollback')} disabled={isRunning}>
        {t('Rollback')}
      </Button>
    </>
  );
}
