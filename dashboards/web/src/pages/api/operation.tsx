// One operation: what it answers, what it may be asked, and how to ask it from a shell.
import {
  type OpenApi,
  type Operation,
  type Parameter,
  refName,
  type ResponseObject,
  typeWords,
} from '../../api/openapi';
import { Section } from '../../ui/section';
import { Prose } from './prose';

interface OperationViewProps {
  api: OpenApi;
  path: string;
  method: string;
  operation: Operation;
  shared: Parameter[];
}

export function OperationView({ api, path, method, operation, shared }: OperationViewProps) {
  const parameters = [...shared, ...(operation.parameters ?? [])].map((one) =>
    resolved(one, api.components?.parameters),
  );
  return (
    <Section
      title={
        <>
          <span class="method">{method.toUpperCase()}</span> <span class="mono">{path}</span>
        </>
      }
      says={operation.summary}
    >
      {operation.description && operation.description !== operation.summary && (
        <Prose text={operation.description} />
      )}
      <pre class="mono">
        <code>{`curl '${window.location.origin}${fullPath(path)}'`}</code>
      </pre>
      {parameters.length > 0 && (
        <details class="how">
          <summary>
            {parameters.length} parameters<span class="hidden"> of {path}</span>
          </summary>
          <Parameters parameters={parameters} />
        </details>
      )}
      <Responses api={api} responses={operation.responses ?? {}} />
    </Section>
  );
}

function Parameters({ parameters }: { parameters: Parameter[] }) {
  return (
    <table class="grid">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">In</th>
          <th scope="col">Type</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>
        {parameters.map((parameter) => (
          <tr key={parameter.in + parameter.name}>
            <th scope="row" class="mono">
              {parameter.name}
              {parameter.required && <span class="soft"> required</span>}
            </th>
            <td>{parameter.in}</td>
            <td class="mono">
              {typeWords(parameter.schema)}
              {parameter.schema?.default !== undefined && (
                <span class="soft"> = {JSON.stringify(parameter.schema.default)}</span>
              )}
            </td>
            <td>{parameter.description}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Responses({ api, responses }: { api: OpenApi; responses: Record<string, ResponseObject> }) {
  return (
    <ul class="responses">
      {Object.entries(responses).map(([status, answer]) => {
        const response = resolved(answer, api.components?.responses);
        const content = Object.entries(response.content ?? {});
        return (
          <li key={status}>
            <strong>{status}</strong> {response.description}
            {content.map(([type, { schema }]) => (
              <span key={type} class="soft">
                {' '}
                {type} <code>{typeWords(schema)}</code>
              </span>
            ))}
          </li>
        );
      })}
    </ul>
  );
}

function resolved<T extends { $ref?: string }>(one: T, known: Record<string, T> | undefined): T {
  return one.$ref ? (known?.[refName(one.$ref)] ?? one) : one;
}

function fullPath(path: string): string {
  return path.startsWith('/api/v1') ? path : `/api/v1${path}`;
}
