import { RequestError } from '../../api/client.ts';
import { useApi } from '../../api/useApi.ts';
import { ErrorBox } from '../../ui/ErrorBox.tsx';

/** Sessions of the server, refreshed every two seconds while the page is open. */
export function ActivityPage() {
  const activity = useApi('GET /activity', {}, { refresh: 2000 });
  if (activity.isPending) return <p className="p-3 text-(--muted)">Asking the server …</p>;
  if (activity.isError) {
    const error =
      activity.error instanceof RequestError
        ? activity.error.body
        : { code: 'console', message: String(activity.error) };
    return <ErrorBox error={error} />;
  }
  const { sessions } = activity.data;
  if (sessions.length === 0) return <p className="p-3 text-(--muted)">No other session is connected.</p>;
  return (
    <div className="h-full overflow-auto p-3">
      <table className="w-full border-collapse text-left">
        <thead>
          <tr className="text-(--muted)">
            {['PID', 'Role', 'Database', 'State', 'Application', 'Statement'].map((title) => (
              <th key={title} className="px-2 py-1 font-normal">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sessions.map((session) => (
            <tr key={session.processId} className="border-t border-(--line) align-top">
              <td className="mono px-2 py-1">{session.processId}</td>
              <td className="px-2 py-1">{session.user}</td>
              <td className="px-2 py-1">{session.database}</td>
              <td className="px-2 py-1">{session.state}</td>
              <td className="px-2 py-1">{session.applicationName}</td>
              <td className="mono max-w-xl truncate px-2 py-1" title={session.query ?? undefined}>
                {session.query}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
