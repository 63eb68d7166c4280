/** The table browser: tree of schemas, a schema's diagram, or everything about one relation. */
import { useApi } from '../../api/useApi.ts';
import { useIsWide } from '../../lib/media.ts';
import { t } from '../../lib/messages.ts';
import { navigate, useRoute } from '../../lib/router.ts';
import { Button } from '../../ui/Button.tsx';
import { Split } from '../../ui/Split.tsx';
import { Empty, Failure, Loading } from '../../ui/states.tsx';
import { Diagram } from './Diagram.tsx';
import { RelationView } from './RelationView.tsx';
import { SchemaTree } from './SchemaTree.tsx';

export function TablesPage() {
  const { path } = useRoute();
  const isWide = useIsWide();
  const schema = path[1] ?? null;
  const name = path[2] ?? null;
  const selected = schema !== null && name !== null ? { schema, name } : null;
  const tree = <SchemaTree selected={selected} />;
  const work =
    selected !== null ? (
      <FindRelation key={`${selected.schema}.${selected.name}`} {...selected} />
    ) : schema !== null ? (
      <Diagram schema={schema} focus={null} />
    ) : (
      <Empty title={t('Choose a table.')}>
        {t('The tree on the left lists schemas and tables; Ctrl K finds one by name.')}
      </Empty>
    );
  return (
    <div className="flex h-full min-h-0 flex-col">
      <h1 className="sr-only">{t('Tables')}</h1>
      {!isWide && schema !== null && (
        <div className="border-b border-(--line) p-1">
          <Button onClick={() => navigate(['tables'])}>{t('All tables')}</Button>
        </div>
      )}
      <div className="min-h-0 flex-1">
        {isWide ? (
          <Split name="tables" direction="row" initial={22} first={tree} second={work} />
        ) : schema === null ? (
          tree
        ) : (
          work
        )}
      </div>
    </div>
  );
}

function FindRelation({ schema, name }: { schema: string; name: string }) {
  const found = useApi(
    'GET /catalog/tree',
    { query: { schema, search: name, limit: 5000 } },
    { staleMillis: 5000 },
  );
  if (found.isPending) return <Loading />;
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  const relation = found.data.relations.find((one) => one.name === name && one.schema === schema);
  if (relation === undefined)
    return (
      <Empty title={t('There is no table {name}.', { name: `${schema}.${name}` })}>
        <Button onClick={() => void found.refetch()}>{t('Look again')}</Button>
      </Empty>
    );
  return <RelationView oid={relation.oid} />;
}
