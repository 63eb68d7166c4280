import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type AlertRule, type BodyOf, request } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { formatShort } from '../../lib/format.ts';
import { t } from '../../lib/messages.ts';
import { Badge, type Tone } from '../../ui/Badge.tsx';
import { Button, IconButton } from '../../ui/Button.tsx';
import { DataTable } from '../../ui/DataTable.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { CheckField, SelectField, TextField } from '../../ui/fields.tsx';
import { Failure, Loading } from '../../ui/states.tsx';
import { toast } from '../../ui/toast.tsx';

type Draft = BodyOf<'POST /alerts'>;
const STATES: Readonly<Record<AlertRule['state'], Tone>> = { ok: 'good', pending: 'warn', firing: 'danger' };
const HOUR = 3_600_000;

/** Rules on metrics: their state, silence, and where they are posted. */
export function Alerts() {
  const client = useQueryClient();
  const alerts = useApi('GET /alerts', {}, { refresh: 5000 });
  const [draft, setDraft] = useState<Draft | null>(null);
  const [webhook, setWebhook] = useState<string | null>(null);
  const act = async (work: Promise<unknown>, done: string): Promise<void> => {
    try {
      await work;
      toast(done);
      setDraft(null);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), { isError: true });
    }
    await client.invalidateQueries({ queryKey: ['GET /alerts'] });
  };
  if (alerts.isError) return <Failure error={alerts.error} onRetry={() => void alerts.refetch()} />;
  if (alerts.data === undefined) return <Loading />;
  const { isEditable } = alerts.data;
  return (
    <>
      <div className="flex flex-wrap items-end gap-3 p-2">
        <Button
          icon="plus"
          disabled={!isEditable}
          onClick={() =>
            setDraft({
              name: '',
              metric: '',
              comparison: '>',
              threshold: 0,
              forSeconds: 60,
              severity: 'warning',
              isEnabled: true,
            })
          }
        >
          {t('Rule')}
        </Button>
        <span className="flex-1" />
        <form
          className="flex items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            const url = (webhook ?? alerts.data?.webhook ?? '').trim();
            void act(
              request('POST /alerts/webhook', { body: { url: url === '' ? null : url } }),
              t('Address kept.'),
            );
          }}
        >
          <TextField
            label={t('Alerts are posted to')}
            type="url"
            placeholder={t('nowhere')}
            className="w-72"
            disabled={!isEditable}
            value={webhook ?? alerts.data.webhook ?? ''}
            onChange={(event) => setWebhook(event.target.value)}
          />
          <Button type="submit" disabled={!isEditable || webhook === null}>
            {t('Keep')}
          </Button>
        </form>
      </div>
      <DataTable
        label={t('Alerts')}
        rows={alerts.data.rules}
        keyOf={(rule) => rule.id}
        empty={t('No rule yet.')}
        columns={[
          { id: 'name', title: t('Name'), cell: (rule) => rule.name, sort: (rule) => rule.name },
          {
            id: 'state',
            title: t('State'),
            cell: (rule) => (
              <>
                <Badge tone={rule.isEnabled ? STATES[rule.state] : 'plain'}>
                  {rule.isEnabled ? rule.state : t('off')}
                </Badge>{' '}
                {rule.silencedUntil !== null && rule.silencedUntil > Date.now() && (
                  <Badge>
                    {t('silent until {time}', {
                      time: new Date(rule.silencedUntil).toLocaleTimeString('en-GB'),
                    })}
                  </Badge>
                )}
              </>
            ),
            sort: (rule) => rule.state,
          },
          {
            id: 'condition',
            title: t('Condition'),
            isMono: true,
            cell: (rule) => `${rule.metric} ${rule.comparison} ${rule.threshold}`,
          },
          { id: 'for', title: t('For'), isNumber: true, cell: (rule) => `${rule.forSeconds} s` },
          {
            id: 'value',
            title: t('Now'),
            isNumber: true,
            cell: (rule) => (rule.value === null ? '–' : formatShort(rule.value)),
          },
          {
            id: 'severity',
            title: t('Severity'),
            cell: (rule) => rule.severity,
            sort: (rule) => rule.severity,
          },
          {
            id: 'actions',
            title: '',
            cell: (rule) => (
              <span className="flex gap-1">
                <Button
                  disabled={!isEditable}
                  onClick={() =>
                    void act(
                      request('POST /alerts/silence', {
                        body: {
                          id: rule.id,
                          until: (rule.silencedUntil ?? 0) > Date.now() ? null : Date.now() + HOUR,
                        },
                      }),
                      (rule.silencedUntil ?? 0) > Date.now()
                        ? t('No longer silent.')
                        : t('Silent for an hour.'),
                    )
                  }
                >
                  {(rule.silencedUntil ?? 0) > Date.now() ? t('Unsilence') : t('Silence 1 h')}
                </Button>
                <Button
                  disabled={!isEditable}
                  onClick={() => {
                    const { id, name, metric, comparison, threshold, forSeconds, severity, isEnabled } = rule;
                    setDraft({ id, name, metric, comparison, threshold, forSeconds, severity, isEnabled });
                  }}
                >
                  {t('Edit')}
                </Button>
                <IconButton
                  label={t('Delete {name}', { name: rule.name })}
                  icon="close"
                  disabled={!isEditable}
                  onClick={() =>
                    void act(request('POST /alerts/delete', { body: { id: rule.id } }), t('Rule deleted.'))
                  }
                />
              </span>
            ),
          },
        ]}
      />
      {draft !== null && (
        <RuleDialog
          draft={draft}
          onChange={setDraft}
          onClose={() => setDraft(null)}
          onSave={() => void act(request('POST /alerts', { body: draft }), t('Rule kept.'))}
        />
      )}
    </>
  );
}

function RuleDialog({
  draft,
  onChange,
  onClose,
  onSave,
}: {
  draft: Draft;
  onChange: (draft: Draft) => void;
  onClose: () => void;
  onSave: () => void;
}) {
  const catalog = useApi('GET /monitor/metrics/catalog', {}, { staleMillis: 600_000 });
  return (
    <Dialog
      title={draft.id === undefined ? t('New rule') : t('Rule')}
      onClose={onClose}
      actions={
        <Button tone="primary" disabled={draft.name === '' || draft.metric === ''} onClick={onSave}>
          {t('Keep')}
        </Button>
      }
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label={t('Name')}
          value={draft.name}
          onChange={(event) => onChange({ ...draft, name: event.target.value })}
        />
        <SelectField
          label={t('Metric')}
          value={draft.metric}
          onChange={(event) => onChange({ ...draft, metric: event.target.value })}
        >
          <option value="">–</option>
          {catalog.data?.metrics.map((metric) => (
            <option key={metric.name} value={metric.name}>
              {metric.name} ({metric.unit})
            </option>
          ))}
        </SelectField>
        <SelectField
          label={t('Comparison')}
          value={draft.comparison}
          onChange={(event) => onChange({ ...draft, comparison: event.target.value as '>' | '<' })}
        >
          <option value=">">{t('above')}</option>
          <option value="<">{t('below')}</option>
        </SelectField>
        <TextField
          label={t('Threshold')}
          type="number"
          step="any"
          value={draft.threshold}
          onChange={(event) => onChange({ ...draft, threshold: Number(event.target.value) })}
        />
        <TextField
          label={t('For seconds')}
          type="number"
          min={0}
          max={86400}
          value={draft.forSeconds}
          onChange={(event) => onChange({ ...draft, forSeconds: Math.round(Number(event.target.value)) })}
        />
        <SelectField
          label={t('Severity')}
          value={draft.severity}
          onChange={(event) => onChange({ ...draft, severity: event.target.value as Draft['severity'] })}
        >
          <option value="notice">{t('notice')}</option>
          <option value="warning">{t('warning')}</option>
          <option value="critical">{t('critical')}</option>
        </SelectField>
        <CheckField
          label={t('On')}
          checked={draft.isEnabled}
          onChange={(event) => onChange({ ...draft, isEnabled: event.target.checked })}
        />
      </div>
    </Dialog>
  );
}
