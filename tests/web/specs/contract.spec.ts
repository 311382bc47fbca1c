// The types that the application is written against are those of the document that the binary serves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../src/process';
import { expect, test } from '../src/test';

interface Schema {
  properties?: Record<string, unknown>;
}

/** Names of our interfaces, and of the schemas that they stand for. */
const PAIRS: [string, string][] = [
  ['Freshness', 'Freshness'],
  ['Summary', 'Summary'],
  ['Series', 'Series'],
  ['Distribution', 'Distribution'],
  ['Reasons', 'Reasons'],
  ['DimensionValues', 'DimensionValues'],
  ['Definitions', 'Definitions'],
  ['Status', 'Status'],
  ['Problem', 'Problem'],
  ['Leg', 'Leg'],
  ['Call', 'Call'],
  ['LegDetail', 'LegDetail'],
  ['RawEvent', 'RawEvent'],
  ['Advice', 'Advice'],
  ['CallDetail', 'CallHistory'],
  ['DeviceDetail', 'Device'],
  ['Pipeline', 'Pipeline'],
  ['DeadLetters', 'DeadLetters'],
  ['AppRisk', 'AppRisk'],
  ['AppRisks', 'AppRisks'],
  ['DeviceRisk', 'DeviceRisk'],
  ['DeviceRisks', 'DeviceRisks'],
  ['Alert', 'Alert'],
  ['Alerts', 'Alerts'],
  ['Episode', 'Episode'],
];

test('types and OpenAPI document name the same fields', async ({ request }) => {
  const answer = await request.get('/api/v1/openapi.json');
  const document = (await answer.json()) as { components: { schemas: Record<string, Schema> } };
  const ours = interfaces();
  for (const [name, schema] of PAIRS) {
    const properties = Object.keys(document.components.schemas[schema]?.properties ?? {});
    expect(properties.length, `the document has ${schema}`).toBeGreaterThan(0);
    expect(fieldsOf(ours, name).sort(), `fields of ${name}`).toEqual(properties.sort());
  }
});

interface Interface {
  fields: string[];
  base: string | null;
}

function interfaces(): Map<string, Interface> {
  const found = new Map<string, Interface>();
  for (const file of ['types.ts', 'records.ts', 'risk.ts']) {
    const text = readFileSync(join(ROOT, 'dashboards/web/src/api', file), 'utf8');
    for (const [, name, base, body] of text.matchAll(/export interface (\w+)(?:<\w+>)?(?: extends (\w+))? \{\n([\s\S]*?)\n\}/g)) {
      const fields = [...(body ?? '').matchAll(/^ {2}(\w+)\??:/gm)].map((match) => match[1] ?? '');
      found.set(name ?? '', { fields, base: base ?? null });
    }
  }
  return found;
}

function fieldsOf(all: Map<string, Interface>, name: string): string[] {
  const one = all.get(name);
  if (!one) throw new Error(`there is no interface ${name}`);
  return [...(one.base === null ? [] : fieldsOf(all, one.base)), ...one.fields];
}
