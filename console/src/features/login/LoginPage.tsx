import { type FormEvent, useState } from 'react';
import { type ApiError, login, type SessionInfo } from '../../api/client.ts';
import { t } from '../../lib/messages.ts';
import { Button } from '../../ui/Button.tsx';
import { ErrorBox } from '../../ui/ErrorBox.tsx';
import { errorOf } from '../../ui/states.tsx';

interface Props {
  reason: ApiError | null;
  onLogin: (session: SessionInfo) => void;
}

/** Login with a database role: the same name and password as with psql. */
export function LoginPage({ reason, onLogin }: Props) {
  const [error, setError] = useState<ApiError | null>(reason);
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => String(form.get(name) ?? '');
    setBusy(true);
    setError(null);
    try {
      onLogin(await login({ user: text('user'), password: text('password'), database: text('database') }));
    } catch (failure) {
      setError(errorOf(failure));
      setBusy(false);
    }
  };

  return (
    <main className="grid min-h-full place-items-center p-4">
      <form
        onSubmit={(event) => void submit(event)}
        className="w-full max-w-sm rounded-lg border border-(--line) bg-(--raised) p-6"
      >
        <h1 className="m-0 mb-1 text-xl font-semibold">FastPostgres</h1>
        <p className="m-0 mb-4 text-(--muted)">{t('Log in with a database role.')}</p>
        <Field label={t('Role')} name="user" defaultValue="postgres" autoComplete="username" />
        <Field
          label={t('Password')}
          name="password"
          type="password"
          autoComplete="current-password"
          autoFocus
        />
        <Field label={t('Database')} name="database" defaultValue="postgres" autoComplete="off" />
        <Button tone="primary" type="submit" disabled={isBusy} className="mt-2 w-full justify-center py-2">
          {isBusy ? t('Logging in …') : t('Log in')}
        </Button>
        {error !== null && <ErrorBox error={error} />}
      </form>
    </main>
  );
}

interface FieldProps {
  label: string;
  name: string;
  type?: string;
  defaultValue?: string;
  autoComplete: string;
  autoFocus?: boolean;
}

function Field({ label, name, autoFocus, ...rest }: FieldProps) {
  return (
    <label className="mb-3 block">
      <span className="mb-1 block text-sm">{label}</span>
      <input
        {...rest}
        name={name}
        required={name !== 'password'}
        // biome-ignore lint/a11y/noAutofocus: the only field that is always empty
        autoFocus={autoFocus}
        className="w-full rounded border border-(--line) bg-(--surface) px-2 py-2 text-(--text)"
      />
    </label>
  );
}
