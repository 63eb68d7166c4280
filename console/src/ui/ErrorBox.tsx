import type { ApiError } from '../api/client.ts';

/** An error as the server words it, with its code, detail and hint. */
export function ErrorBox({ error }: { error: ApiError }) {
  return (
    <div
      role="alert"
      className="m-2 rounded border border-(--danger) bg-(--danger-surface) p-3 text-(--danger)"
    >
      <p className="m-0 font-semibold">
        {error.severity ?? 'Error'}: {error.message} <span className="mono font-normal">({error.code})</span>
      </p>
      {error.detail !== undefined && <p className="m-0 mt-1">Detail: {error.detail}</p>}
      {error.hint !== undefined && <p className="m-0 mt-1">Hint: {error.hint}</p>}
      {error.where !== undefined && <p className="m-0 mt-1">Where: {error.where}</p>}
    </div>
  );
}
