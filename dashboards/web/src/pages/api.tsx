// The API, from its own OpenAPI document; nothing is asked of anybody else.
import { type OpenApi, type Operation, type Parameter, typeWords } from '../api/openapi';
import { useQuery } from '../api/query';
import { PageHead } from '../ui/page-head';
import { Section } from '../ui/section';
import { Failure, Loading } from '../ui/states';
import { OperationView } from './api/operation';
import { Prose } from './api/prose';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

export function ApiPage() {
  const query = useQuery<OpenApi>('/openapi.json', undefined, false);
  return (
    <>
      <PageHead
        title="API"
        says={
          <>
            Everything these pages show can be asked for. The document behind this page:{' '}
            <a href="/api/v1/openapi.json" download="ringtrace-openapi.json">
              openapi.json
            </a>
            . Licences of what these pages are built from:{' '}
            <a href="/licenses.txt" target="_blank" rel="noreferrer">
              licenses.txt
            </a>
          </>
        }
      />
      {query.error && <Failure error={query.error} retry={query.retry} />}
      {query.data === null ? (
        query.error === null && <Loading what="the API’s document" />
      ) : (
        <Document api={query.data} />
      )}
    </>
  );
}

function Document({ api }: { api: OpenApi }) {
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) => ({
      path,
      method,
      operation: item[method] as Operation,
      shared: (item.parameters ?? []) as Parameter[],
    })),
  );
  return (
    <>
      {api.info.description && <Prose text={api.info.description} />}
      <div class="panels panels-one">
        {operations.map(({ path, method, operation, shared }) => (
          <OperationView
            key={method + path}
            api={api}
            path={path}
            method={method}
            operation={operation}
            shared={shared}
          />
        ))}
        <Schemas api={api} />
      </div>
    </>
  );
}

function Schemas({ api }: { api: OpenApi }) {
  const schemas = Object.entries(api.components?.schemas ?? {});
  if (schemas.length === 0) return null;
  return (
    <Section title="Schemas" says="What answers are made of.">
      {schemas.map(([name, schema]) => (
        <details key={name} class="schema" id={`schema-${name}`}>
          <summary class="mono">{name}</summary>
          {schema.description && <Prose text={schema.description} />}
          {schema.properties ? (
            <table class="grid">
              <thead>
                <tr>
                  <th scope="col">Field</th>
                  <th scope="col">Type</th>
                  <th scope="col">Meaning</th>
                </tr>
              </thead>
              <tbody>
                {Object.entries(schema.properties).map(([field, one]) => (
                  <tr key={field}>
                    <th scope="row" class="mono">
                      {field}
                    </th>
                    <td class="mono">{typeWords(one)}</td>
                    <td>{one.description}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : (
            <p class="mono">{typeWords(schema)}</p>
          )}
        </details>
      ))}
    </Section>
  );
}
